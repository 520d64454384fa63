"""Layers with integers of 8 bits: against Keras, on every engine, in models, in configurations and files."""

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, Sequential, layers

CASES = {
    "Dense": ("Dense", dict(units=3, activation="tanh"), (4,)),
    "Dense of sequences": ("Dense", dict(units=3, use_bias=False), (2, 4)),
    "EinsumDense": ("EinsumDense", dict(equation="abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de"), (3, 4)),
    "EinsumDense of rows": ("EinsumDense", dict(equation="abc,bd->adc", output_shape=(2, 4), bias_axes="d"), (3, 4)),
    "EinsumDense of heads": ("EinsumDense", dict(equation="abcd,cde->abe", output_shape=(None, 5)), (3, 2, 4)),
    "Embedding": ("Embedding", dict(input_dim=6, output_dim=3), (4,)),
}
every_case = pytest.mark.parametrize("case", CASES)
WITHOUT_INPUTS = {"class_name": "Int8QuantizationConfig",
                  "config": {"weight_quantizer": None, "activation_quantizer": None}}


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(7)


def values_of(case, batch=5):
    name, _, shape = CASES[case]
    if name == "Embedding":
        return np.random.default_rng(0).integers(0, 6, (batch, *shape)).astype("int32")
    return rows(batch, *shape)


def made(case, config=None, quantized=True):
    """A quantized layer, its input and its output."""
    name, given, shape = CASES[case]
    layer = getattr(layers, name)(**given)
    x = Input(shape, dtype="int32" if name == "Embedding" else None)
    layer(x)
    layer.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    if quantized:
        layer.quantize("int8", config=config)
    return layer, x, layer(x)


def of_keras(keras, case, config=None):
    name, given, _ = CASES[case]
    theirs = getattr(keras.layers, name)(**given)
    theirs(values_of(case))
    theirs.set_weights(made(case, quantized=False)[0].get_weights())
    theirs.quantize("int8", config=config)
    return theirs


@every_case
@pytest.mark.parametrize("inputs", [True, False])
@pytest.mark.engine("tensorflow")
def test_integers_scales_and_values_are_those_of_keras(keras, case, inputs):
    ours = None if inputs else layers.Int8QuantizationConfig(activation_quantizer=None)
    right = None if inputs else keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    layer, x, y = made(case, ours)
    theirs = of_keras(keras, case, right)
    assert [(w.shape, w.dtype) for w in layer.weights] == [(tuple(w.shape), w.dtype) for w in theirs.weights]
    assert [w.trainable for w in layer.weights] == [w.trainable for w in theirs.weights]
    for found, wanted in zip(layer.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        assert found.dtype != np.int8 or np.array_equal(found, wanted)
    found = K.function([x], [y])([values_of(case)])[0]
    np.testing.assert_allclose(found, np.asarray(theirs(values_of(case))), rtol=2e-6, atol=2e-6)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("case", ["Dense", "EinsumDense", "EinsumDense of rows", "EinsumDense of heads"])
def test_gradients_are_those_of_keras(keras, case):
    import tensorflow as tf

    _, x, y = made(case)
    theirs = of_keras(keras, case)
    given = tf.constant(values_of(case))
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(theirs(given) ** 2)
    found = K.function([x], K.gradients(K.sum(K.square(y)), [x]))([values_of(case)])[0]
    np.testing.assert_allclose(found, tape.gradient(total, given), rtol=1e-4, atol=1e-4)


@every_case
def test_engines_compute_exact_sums(each_backend, case):
    """Against integers of NumPy, for the float32 quotients that all share."""
    layer, x, y = made(case)
    found = K.function([x], [y])([values_of(case)])[0]
    with kbackend.use_backend("numpy"):
        _, again, z = made(case)
        wanted = K.function([again], [z])([values_of(case)])[0]
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=1e-6)


def test_long_sums_are_exact(each_backend):
    """Sums of 4,000 products of 127 and 127 do not fit into a float32."""
    layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    x = Input((4001,))
    layer(x)
    layer.quantize("int8")
    layer.kernel_scale.assign(np.ones(1))
    data = np.ones((1, 4001), "float32")
    data[0, 0] = 1 / 127
    program = K.function([x], [layer(x)])
    scale = np.float32(127) / (np.float32(1) + np.float32(1e-7))
    wanted = np.float32(127 * 127 * 4000 + 127) / scale
    np.testing.assert_allclose(program([data])[0].item(), wanted, rtol=1e-7)


@pytest.mark.parametrize("name", ["Dense", "Embedding"])
def test_an_adapter_of_integers(each_backend, name):
    layer, x, _ = made(name)
    before = K.function([x], [layer(x)])([values_of(name)])[0]
    layer.enable_lora(2, 1.0)
    program = K.function([x], [layer(x)])
    np.testing.assert_allclose(program([values_of(name)])[0], before, rtol=1e-6, atol=1e-6)
    first, second = (getattr(layer, f"lora_{layer.adapted}_{part}") for part in "ab")
    assert [w.name.rpartition("/")[2] for w in layer.trainable_weights][-2:] == [
        f"lora_{layer.adapted}_a", f"lora_{layer.adapted}_b"]
    second.assign(rows(*second.shape, seed=4))
    change = first.numpy() @ second.numpy() / 2
    data = values_of(name)
    if name == "Embedding":
        np.testing.assert_allclose(program([data])[0], before + change[data], rtol=1e-4, atol=1e-5)
    else:
        plain = np.arctanh(before) + data @ change
        np.testing.assert_allclose(program([data])[0], np.tanh(plain), rtol=1e-3, atol=1e-4)


# ------------------------------------------------------------------------------------- models, configurations, files


def whole():
    x = Input((4,), dtype="int32")
    h = layers.Dense(8, activation="relu")(layers.Embedding(6, 3)(x))
    h = layers.EinsumDense("abc,cd->abd", output_shape=(None, 2), bias_axes="d")(h)
    return Model(x, layers.Dense(2)(layers.Flatten()(layers.Conv1D(3, 2)(h))))


def test_a_model_is_near_to_the_one_of_floats(each_backend):
    model = whole().to(each_backend)
    data = values_of("Embedding", 30)
    before = model.predict(data)
    model.quantize("int8")
    after = model.predict(data)
    assert [layer.quantization_mode for layer in model.layers if hasattr(layer, "quantization_mode")] == [
        "int8", "int8", "int8", None, "int8"]
    assert 0 < np.abs(after - before).max() < 0.05 * np.abs(before).max()
    assert sum(v.dtype == "int8" for v in model.weights) == 4


def test_training_changes_what_is_left(each_backend):
    model = whole().to(each_backend)
    model.quantize("int8")
    kept = [v.numpy() for v in model.weights if v.dtype == "int8"]
    model.compile("sgd", "mse")
    data = values_of("Embedding", 30)
    history = model.fit(data, np.ones((30, 2)), epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    for before, variable in zip(kept, [v for v in model.weights if v.dtype == "int8"]):
        np.testing.assert_array_equal(variable.numpy(), before)


@pytest.mark.parametrize("file", ["m.kb", "w.safetensors"])
def test_configurations_and_files(each_backend, tmp_path, file):
    model = whole()
    model.quantize("int8")
    data = values_of("Embedding", 9)
    if file == "m.kb":
        model.save(tmp_path / file)
        again = kbackend.models.load_model(tmp_path / file)
    else:
        model.save_weights(tmp_path / file)
        again = Model.from_config(model.get_config())
        again.load_weights(tmp_path / file)
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.predict(data), model.predict(data))


@every_case
def test_configuration(case):
    config = layers.Int8QuantizationConfig(activation_quantizer=None)
    layer, x, y = made(case, config)
    entry = layer.get_config()
    assert entry["dtype"] == "int8_from_float32" and entry["quantization_config"] == WITHOUT_INPUTS
    again = layers.deserialize(layers.serialize(layer))
    z = again(x)
    again.set_weights(layer.get_weights())
    ours, theirs = K.function([x], [y, z])([values_of(case)])
    np.testing.assert_array_equal(ours, theirs)
    assert again.get_config() == entry


def test_a_configuration_of_keras():
    policy = {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}}
    layer = layers.Dense(3, dtype=policy)
    layer(Input((4,)))
    assert layer.quantization_mode == "int8" and layer.kernel.dtype == "int8"


def test_quantizers():
    x = rows(3, 4)
    integers, scale = layers.AbsMaxQuantizer(axis=0, value_range=(-8, 7)).of_array(x, (1,))
    np.testing.assert_array_equal(integers, np.clip(np.round(x * (7 / (np.abs(x).max(0) + 1e-7))), -8, 7))
    found, by = (K.eval(t) for t in layers.AbsMaxQuantizer(axis=0, value_range=(-8, 7))(K.constant(x)))
    np.testing.assert_array_equal(found, integers)
    np.testing.assert_allclose(by, scale, rtol=1e-6)
    kept = layers.Int8QuantizationConfig(layers.AbsMaxQuantizer(axis=(0,), value_range=(-8, 7)))
    again = layers.Int8QuantizationConfig.from_config(kept.get_config())
    assert again.get_config() == kept.get_config()


# ------------------------------------------------------------------------------------- bad input


class Twice(layers.Dense):
    def call(self, inputs):
        return super().call(inputs) * 2


def built(layer, shape=(4,)):
    layer(Input(shape))
    return layer


WRONG = {
    "gptq": (NotImplementedError, lambda: made("Dense", quantized=False)[0].quantize("gptq"), "needs calibration"),
    "mode": (ValueError, lambda: made("Dense", quantized=False)[0].quantize("int3"),
             "must be 'int8' or 'int4' or 'float8', it is 'int3'"),
    "not built": (ValueError, lambda: layers.Dense(2).quantize("int8"), "call the layer on a tensor"),
    "twice": (ValueError, lambda: made("Dense")[0].quantize("int8"), "quantized to int8 already"),
    "subclass": (NotImplementedError, lambda: built(Twice(2)).quantize("int8"), "type_check=False allows it"),
    "reversible": (NotImplementedError, lambda: layers.ReversibleEmbedding(4, 2).quantize("int8"), "type_check"),
    "convolution": (NotImplementedError, lambda: layers.Conv1D(2, 2).quantize("int8"),
                    "Dense, EinsumDense and Embedding"),
    "config": (ValueError, lambda: layers.Dense(2, quantization_config="int8"), "must be an Int8QuantizationConfig"),
    "range": (ValueError, lambda: layers.AbsMaxQuantizer(value_range=(-200, 127)), r"within \[-128, 127\]"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    kind, call, words = WRONG[name]
    with pytest.raises(kind, match=words):
        call()


def test_a_subclass_that_knows_of_it(each_backend):
    layer = built(Twice(2, kernel_initializer="ones"))
    layer.quantize("int8", type_check=False)
    model = Sequential([Input((4,)), layer])
    np.testing.assert_allclose(model.predict(np.ones((1, 4))), [[8.0, 8.0]], rtol=1e-5)
