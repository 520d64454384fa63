"""Layers with an adapter of low rank, and quantized ones, in files of Keras 3."""

import json
import zipfile

import numpy as np
import pytest
from support.keras3 import computed

import kbackend
from kbackend import Input, Model, layers
from kbackend.models import load_model
from kbackend.saving import FormatError

h5py = pytest.importorskip("h5py")

KINDS = ["m.keras", "m.h5"]
WORDS = np.random.RandomState(0).randint(0, 9, (5, 4)).astype("int32")
ADAPTED, QUANTIZED = ("embedding", "conv", "dense"), ("einsum", "again", "last")
FOUR_BITS = {"blocks": None, "words": 2, "apart": -1}  # the block sizes of layers of 4 bits


@pytest.fixture(autouse=True)
def on_numpy():
    with kbackend.use_backend("numpy"):
        yield


def made(module, quantizers):
    """A model with layers that are adapted, and others that are quantized, one of them by a configuration."""
    x = module.Input((4,), dtype="int32")
    h = module.layers.Embedding(9, 3, name="embedding")(x)
    h = module.layers.Concatenate()([h, module.layers.Embedding(9, 3, name="words")(x)])
    h = module.layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d", name="apart")(h)
    h = module.layers.Conv1D(4, 2, name="conv")(h)
    h = module.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d", name="einsum")(h)
    h = module.layers.Dense(3, activation="tanh", name="dense")(h)
    h = module.layers.Dense(3, name="blocks")(h)
    model = module.Model(x, module.layers.Dense(2, name="last")(module.layers.Dense(3, name="again")(h)))
    draws = np.random.RandomState(1)
    model.set_weights([draws.randn(*w.shape).astype("float32") for w in model.get_weights()])
    for name in ADAPTED:
        layer = model.get_layer(name)
        layer.enable_lora(2)
        factors = "embeddings" if name == "embedding" else "kernel"
        for part in "ab":
            variable = getattr(layer, f"lora_{factors}_{part}")
            value = draws.randn(*variable.shape).astype("float32")
            variable.assign(value) if hasattr(variable, "assign") else kbackend.K.set_value(variable, value)
    for name in QUANTIZED:
        config = quantizers.Int8QuantizationConfig(activation_quantizer=None) if name == "again" else None
        model.get_layer(name).quantize("int8", config=config)
    for name, size in FOUR_BITS.items():
        config = None if size is None else quantizers.Int4QuantizationConfig(block_size=size)
        model.get_layer(name).quantize("int4", config=config)
    return model


def ours():
    return made(kbackend, layers)


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_read_back(tmp_path, kind):
    model = ours()
    model.save(tmp_path / kind)
    found = load_model(tmp_path / kind)
    assert [found.get_layer(name).quantization_mode for name in QUANTIZED] == ["int8"] * 3
    assert [found.get_layer(name).get_config()["dtype"] for name in FOUR_BITS] == [
        "int4/128_from_float32", "int4/2_from_float32", "int4/-1_from_float32"]  # fmt: skip
    assert found.get_layer("again").quantization_config.activation_quantizer is None
    np.testing.assert_allclose(found.predict(WORDS), model.predict(WORDS), 1e-5, 1e-6)


def test_their_weights_are_read_back(tmp_path):
    model, other = ours(), ours()
    model.save_weights(tmp_path / "m.weights.h5")
    other.set_weights([np.ones_like(v) for v in other.get_weights()])
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(other.predict(WORDS), model.predict(WORDS), 1e-5, 1e-6)


@pytest.mark.engine("tensorflow")
def test_both_ways_with_keras(tmp_path, keras):
    theirs, mine = made(keras, keras.quantizers), ours()
    wanted = computed(theirs, WORDS)
    np.testing.assert_allclose(mine.predict(WORDS), wanted, 1e-4, 1e-5)
    for kind in KINDS:
        theirs.save(tmp_path / kind)
        found = load_model(tmp_path / kind)
        np.testing.assert_allclose(found.predict(WORDS), wanted, 1e-4, 1e-5)
        found.save(tmp_path / f"back-{kind}")
        again = keras.models.load_model(tmp_path / f"back-{kind}")
        np.testing.assert_allclose(computed(again, WORDS), wanted, 1e-4, 1e-5)
    theirs.save_weights(tmp_path / "m.weights.h5")
    mine.set_weights([np.ones_like(v) for v in mine.get_weights()])
    mine.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(mine.predict(WORDS), wanted, 1e-4, 1e-5)
    mine.save_weights(tmp_path / "n.weights.h5")
    theirs.load_weights(tmp_path / "n.weights.h5")
    np.testing.assert_allclose(computed(theirs, WORDS), wanted, 1e-4, 1e-5)


def quantized_and_adapted(module):
    x = module.Input((4,))
    layer = module.layers.Dense(3, name="d")
    model = module.Model(x, layer(x))
    layer.enable_lora(2, b_initializer="ones")
    layer.quantize("int8")
    return model


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5"])
def test_what_keras_would_change_is_refused(tmp_path, name):
    """Keras 3 merges the adapter of a quantized layer by quantizing anew."""
    model = quantized_and_adapted(kbackend)
    with pytest.raises(FormatError, match=r"d: it is quantized and has an adapter.*\.h5 hold both"):
        (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "m.h5")
    values = np.random.RandomState(0).randn(2, 4).astype("float32")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(values), model.predict(values))


@pytest.mark.engine("tensorflow")
def test_a_merged_adapter_of_a_quantized_layer_of_keras(tmp_path, keras):
    theirs = quantized_and_adapted(keras)
    values = np.random.RandomState(0).randn(2, 4).astype("float32")
    theirs.save(tmp_path / "m.keras")
    wanted = computed(keras.models.load_model(tmp_path / "m.keras"), values)
    np.testing.assert_allclose(load_model(tmp_path / "m.keras").predict(values), wanted, 1e-5, 1e-6)


def test_keras_2_has_neither(tmp_path):
    for name in (ADAPTED[2], QUANTIZED[0]):
        x = Input((4,))
        layer = layers.Dense(2, name=name)
        model = Model(x, layer(x))
        layer.enable_lora(2) if name in ADAPTED else layer.quantize("int8")
        with pytest.raises(ValueError, match=f"the layer {name} is quantized or has an adapter"):
            model.save(tmp_path / "m.keras", keras_version=2)


POLICIES = {
    "int4": ({"mode": "int4/0", "source_name": "float32"}, "must be like 'int4/128_from_float32', not with '0'"),
    "a map": ({"default_policy": "float32", "policy_map": {"d/query": "float16"}}, "dtypes of its own for the layers"),
    "no name": ({}, "must have a name"),
    "no text": ({"name": ["float32"]}, "a name or a policy with a name"),
    "quantizers": ("int8_from_float32", "unknown 'system' in a configuration of quantization"),
}


@pytest.mark.parametrize("case", POLICIES)
def test_policies_that_cannot_be_read(tmp_path, case):
    x = Input((4,))
    Model(x, layers.Dense(2, name="d")(x)).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    document = json.loads(members["config.json"])
    config, words = POLICIES[case]
    entry = document["config"]["layers"][1]["config"]
    entry["dtype"] = config if isinstance(config, str) else {"class_name": "DTypePolicy", "config": config}
    if case == "quantizers":
        entry["quantization_config"] = {"module": "os", "class_name": "system", "config": {"command": "true"}}
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as file:
        for name, content in {**members, "config.json": json.dumps(document)}.items():
            file.writestr(name, content)
    with pytest.raises(FormatError, match=f"layer 'd': .*{words}"):
        load_model(tmp_path / "n.keras")
