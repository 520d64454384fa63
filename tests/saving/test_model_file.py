"""A model that is read from a file trains on as if it had never stopped, on any engine."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers, losses, models, registry
from kbackend.models import load_model
from kbackend.saving import FormatError, archive, load_graph, tensors
from kbackend.saving.model_file import HEAD, model_bytes, read_model

X = np.random.RandomState(0).rand(70, 6).astype(np.float32)
Y = X[:, :2] * 2 - 1


class Scale(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return K.dropout(inputs, 0.2) * self.scale


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".kb"])
def test_a_file_of_another_format_leaves_the_optimizer_as_it_is(tmp_path, suffix):
    """A file of Keras once gave an SGD without momentum velocities, whose `.kb` could not be read."""
    x = Input((2,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    before = list(model.optimizer.variables())
    model.save(tmp_path / f"first{suffix}")
    assert list(map(id, model.optimizer.variables())) == list(map(id, before))
    model.save(tmp_path / "second.kb")
    assert load_model(tmp_path / "second.kb").optimizer.get_config() == model.optimizer.get_config()


def build(seed=7):
    """Draws in layers, in raw ops, in a model that is called twice, with a live rate and with a seed."""
    kbackend.set_seed(seed)
    layers.Dropout(0.1)(Input((3,)))
    x = Input((6,))
    h = layers.Dropout(K.variable(0.3))(layers.Dense(8, activation="tanh")(x))
    h = K.dropout(layers.BatchNormalization()(h), 0.1)
    inner = Sequential(
        [layers.Dense(8, input_shape=(8,)), layers.Dropout(0.2), layers.GaussianNoise(0.1)], name="inner"
    )
    h = Scale()(inner(h) + inner(h))
    h = layers.Dropout(0.3, seed=3)(layers.Dropout(0.3, seed=3)(h))
    model = Model(x, layers.Dense(2, kernel_regularizer="l2")(h))
    model.compile("adam", "mse", ["mae"])
    return model


CUSTOM = {"Scale": Scale}


def train(model, epochs, initial_epoch=0):
    return model.fit(X, Y, batch_size=16, epochs=epochs, initial_epoch=initial_epoch, verbose=0).history["loss"]


def state(model):
    return [w.tobytes() for w in [*model.get_weights(), *model.optimizer.get_weights()]]


def test_training_goes_on_as_if_it_had_never_stopped(each_backend, tmp_path):
    whole = build()
    history = train(whole, 4)
    first = build()
    train(first, 2)
    first.save(tmp_path / "m.kb")
    kbackend.set_seed(12345)
    layers.Dropout(0.1)(Input((3,)))
    second = load_model(tmp_path / "m.kb", CUSTOM)
    assert train(second, 4, initial_epoch=2) == history[2:]
    assert state(second) == state(whole)


def test_a_model_that_was_read_is_written_to_the_same_bytes(tmp_path):
    model = build()
    train(model, 1)
    content = model_bytes(model)
    assert model_bytes(read_model(memoryview(content), CUSTOM)) == content


@pytest.mark.together
def test_a_file_of_each_engine_is_read_on_each(tmp_path):
    engines = kbackend.available_backends()
    found = {}
    for engine in engines:
        model = build().to(engine)
        train(model, 1)
        model.save(tmp_path / engine)
        for other in engines:
            found[engine, other] = train(load_model(tmp_path / engine, CUSTOM).to(other), 2, initial_epoch=1)[0]
    for value in found.values():
        assert value == pytest.approx(found["numpy", "numpy"], rel=1e-4)


def test_reading_leaves_the_streams_of_the_process_alone(tmp_path):
    build().save(tmp_path / "m.kb")

    def draws(between):
        kbackend.set_seed(1)
        between()
        layer = layers.Dropout(0.5)
        layer(Input((3,)))
        return layer._calls[0].draws

    assert draws(lambda: load_model(tmp_path / "m.kb", CUSTOM)) == draws(lambda: None)


def test_new_draws_after_reading_differ_from_those_read(tmp_path):
    kbackend.set_seed(3)
    x = Input((5,))
    Model(x, layers.Dropout(0.5)(x)).save(tmp_path / "m.kb")
    kbackend.set_seed(3)
    read = load_model(tmp_path / "m.kb")
    other = layers.Dropout(0.5)
    other(Input((5,)))
    assert read.layers[1]._calls[0].draws != other._calls[0].draws


def test_live_rates_stay_live_and_shared(tmp_path):
    rate = K.variable(0.25, name="rate")
    x = Input((5,))
    Model(x, layers.Dropout(rate)(layers.Dropout(rate)(x))).save(tmp_path / "m.kb")
    first, second = load_model(tmp_path / "m.kb").layers[1:]
    assert first.rate is second.rate and K.get_value(first.rate) == np.float32(0.25)


def test_frozen_layers_stay_frozen_and_what_was_compiled_stays_compiled(tmp_path):
    x = Input((6,))
    model = Model(x, layers.Dense(2)(layers.Dense(3, name="first")(x)))
    model.get_layer("first").trainable = False
    model.compile("sgd", "mse")
    model.get_layer("first").trainable = True
    model.save(tmp_path / "m.kb")
    read = load_model(tmp_path / "m.kb")
    before = read.get_weights()
    train(read, 1)
    after = read.get_weights()
    assert read.get_layer("first").trainable
    assert (before[0] == after[0]).all() and (before[2] != after[2]).any()


def test_a_model_that_is_not_compiled_or_not_built(tmp_path):
    Sequential([layers.Dense(2)]).save(tmp_path / "unbuilt")
    assert not load_model(tmp_path / "unbuilt").built
    x = Input((3,))
    model = Model(x, layers.Dense(2)(x))
    model.save(tmp_path / "plain")
    read = load_model(tmp_path / "plain")
    assert read.optimizer is None
    assert (read.predict(X[:, :3]) == model.predict(X[:, :3])).all()
    build().save(tmp_path / "compiled")
    assert load_model(tmp_path / "compiled", CUSTOM, compile=False).optimizer is None


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int8", "bool"]
)
def test_arrays_of_all_dtypes_keep_their_bits(dtype):
    values = np.arange(6).reshape(2, 3).astype(kbackend.dtypes.numpy_dtype(dtype))
    found, metadata = tensors.arrays_in(memoryview(tensors.stored({"a": values, "b": values[0, 0]}, {"x": "y"})), "m")
    assert metadata == {"x": "y"}
    assert found["a"].dtype == values.dtype and found["a"].tobytes() == values.tobytes() and found["a"].shape == (2, 3)
    assert found["b"].shape == ()


def test_the_arrays_are_what_safetensors_reads(tmp_path):
    from safetensors.numpy import load

    build().save(tmp_path / "m.kb")
    with zipfile.ZipFile(tmp_path / "m.kb") as file:
        found = load(file.read("weights.safetensors"))
        assert all(info.compress_type == zipfile.ZIP_STORED for info in file.infolist())
    assert [a.shape for name, a in found.items() if name.endswith("scale")] == [(8,)]


def test_members_can_be_mapped(tmp_path):
    build().save(tmp_path / "m.kb")
    content = (tmp_path / "m.kb").read_bytes()
    members = archive.unpacked(memoryview(content), HEAD, set(_names(content)))
    base = np.frombuffer(content, np.uint8).ctypes.data
    for member in members.values():
        assert (np.frombuffer(member, np.uint8).ctypes.data - base) % archive.ALIGNMENT == 0


def _names(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [n for n in file.namelist() if n != "manifest.json"]


def test_the_graph_is_read_without_the_classes_of_the_layers(tmp_path):
    kbackend.set_seed(1)
    x = Input((6,))
    model = Model(x, Scale()(layers.Dense(3)(x)))
    model.save(tmp_path / "m.kb")
    assert (load_graph(tmp_path / "m.kb")([X])[0] == model.predict(X, batch_size=70)).all()


# ------------------------------------------------------------------------------------- custom objects


def test_unknown_classes_are_named(tmp_path):
    build().save(tmp_path / "m.kb")
    with pytest.raises(FormatError, match=r"m\.kb: model\.json: .*unknown layer 'Scale'; pass it in custom_objects"):
        load_model(tmp_path / "m.kb")
    with registry.custom_object_scope(CUSTOM):
        load_model(tmp_path / "m.kb")


def double(y_true, y_pred):
    return 2 * losses.mean_squared_error(y_true, y_pred)


def test_custom_losses(tmp_path):
    model = build()
    model.compile("sgd", double)
    model.save(tmp_path / "m.kb")
    with pytest.raises(FormatError, match=r"training\.json: unknown loss 'double'"):
        load_model(tmp_path / "m.kb", CUSTOM)
    assert train(load_model(tmp_path / "m.kb", CUSTOM | {"double": double}), 1) == train(model, 1)


WAYS = [".kb", ".keras", ".h5", "JSON", "YAML", "configuration"]


@pytest.mark.parametrize("inside", ["model", "wrapper"])
@pytest.mark.parametrize("way", WAYS)
def test_a_lambda_is_named_by_its_layer_in_every_format(way, inside, tmp_path):
    """What is missing, and where to give it; and with it the model is the same."""
    if way in (".keras", ".h5"):
        pytest.importorskip("h5py", reason="h5py is not installed")
    if way == "YAML":
        pytest.importorskip("yaml", reason="PyYAML is not installed")
    x = Input((2, 3))
    layer = layers.Lambda(lambda v: v * 3, name="thrice")
    model = Model(x, (layer if inside == "model" else layers.TimeDistributed(layer))(x))

    def read(custom_objects=None):
        match way:
            case "JSON":
                return models.model_from_json(model.to_json(), custom_objects)
            case "YAML":
                return models.model_from_yaml(model.to_yaml(), custom_objects)
            case "configuration":
                return Model.from_config(model.get_config(), custom_objects)
        model.save(tmp_path / f"m{way}")
        return models.load_model(tmp_path / f"m{way}", custom_objects)

    with pytest.raises(FormatError, match=r"layer 'thrice'.* is a Lambda .*custom_objects=\{'thrice': function\}"):
        read()
    again = read({"thrice": lambda v: v * 3})
    np.testing.assert_array_equal(again.predict(np.ones((1, 2, 3))), np.full((1, 2, 3), 3.0))


def test_a_layer_in_two_models_is_refused():
    shared = layers.Dense(4, name="shared")
    x = Input((4,))
    inner = Model(x, shared(x))
    with pytest.raises(ValueError, match="the layer shared is in the model"):
        model_bytes(Model(x, shared(inner(x))))


def test_losses_that_a_file_cannot_hold_are_told():
    x = Input((3,))
    model = Model(x, layers.Dense(1)(x))
    model.add_loss(K.sum(model.outputs[0]))
    with pytest.warns(UserWarning, match="added with add_loss"):
        model_bytes(model)


# ------------------------------------------------------------------------------------- files


def test_an_old_file_stays_where_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "m.kb"
    build().save(path)
    old = path.read_bytes()
    with pytest.raises(FileExistsError):
        build().save(path, overwrite=False)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        build(8).save(path)
    assert path.read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["m.kb"]


def changed(content, member, change):
    """The archive with a member changed and all checksums right."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist() if name != "manifest.json"}
    document = json.loads(members[member])
    change(document)
    members[member] = json.dumps(document).encode()
    return archive.packed(members, HEAD)


@pytest.mark.parametrize(
    ("member", "change", "message"),
    [
        ("model.json", lambda d: d.pop("config"), "the entry 'config' is missing"),
        ("model.json", lambda d: d.update(class_name="Dense"), "Dense|missing"),
        ("model.json", lambda d: d["weights"].pop(), "weights"),
        ("model.json", lambda d: d["weights"].__setitem__(0, "x"), "no array has the name 'x'"),
        ("model.json", lambda d: d["state"].pop(), "variables"),
        ("model.json", lambda d: d["draws"].update(x=[[["dropout", -1, 2]]]), "a draw is"),
        ("model.json", lambda d: d["arguments"].append([[99], "rate", 0]), "index"),
        ("model.json", lambda d: d["config"]["layers"][1]["config"].update(units=10**12), "larger than what"),
        ("model.json", lambda d: d["config"]["layers"][1]["config"].update(units=9), "shape|fit"),
        ("training.json", lambda d: d.update(epochs=-1), "out of range"),
        ("training.json", lambda d: d["trainable"].pop(), "for each of"),
        ("training.json", lambda d: d["optimizer"].update(class_name="os.system"), "unknown optimizer"),
        ("training.json", lambda d: d["state"].pop(), "variables of the optimizer"),
    ],
)
def test_documents_that_do_not_fit_are_refused(member, change, message):
    content = changed(model_bytes(build()), member, change)
    with pytest.raises(FormatError, match=message) as caught:
        read_model(memoryview(content), CUSTOM)
    assert caught.value.member


@pytest.mark.parametrize("name", ["m.kb", "m.keras", "m.h5", "w.weights.h5", "w.h5", "w.safetensors"])
def test_a_truncated_file_is_called_so(name, tmp_path):
    if name.endswith((".keras", ".h5")):
        pytest.importorskip("h5py", reason="h5py is not installed")
    model = Sequential([layers.Dense(8, input_shape=(4,)), layers.Dense(3)])
    (model.save if name.startswith("m") else model.save_weights)(os.fsencode(tmp_path / name))
    whole = (tmp_path / name).read_bytes()
    for length in (9, len(whole) // 3, len(whole) // 2, len(whole) - 30):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(FormatError, match="the file is truncated"):
            (load_model if name.startswith("m") else model.load_weights)(tmp_path / name)


@pytest.mark.parametrize("what", ["save", "save_weights", "load_weights", "export", "load_model"])
def test_an_empty_name_is_named(what):
    with pytest.raises(ValueError, match="the name of the file is empty"):
        (load_model if what == "load_model" else getattr(build(), what))("")
