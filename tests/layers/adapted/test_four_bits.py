"""Layers with integers of 4 bits: against Keras, on every engine, in configurations; bad input."""

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, layers
from kbackend.layers.core.four_bits import packed, unpacked

CASES = {
    "Dense": ("Dense", dict(units=5, activation="tanh"), (7,)),
    "EinsumDense": ("EinsumDense", dict(equation="abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de"), (3, 4)),
    "EinsumDense of rows": ("EinsumDense", dict(equation="abc,bd->adc", output_shape=(5, 4), bias_axes="d"), (3, 4)),
    "Embedding": ("Embedding", dict(input_dim=6, output_dim=5), (4,)),
}
every_case = pytest.mark.parametrize("case", CASES)
CONFIGS = {
    "usual": lambda m: None,
    "blocks": lambda m: m.Int4QuantizationConfig(block_size=3),
    "channels": lambda m: m.Int4QuantizationConfig(block_size=None),
    "inputs": lambda m: m.Int4QuantizationConfig(activation_quantizer=m.AbsMaxQuantizer(), block_size=-1),
}


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()


def values_of(case):
    name, _, shape = CASES[case]
    return (np.arange(20).reshape(5, 4) % 6).astype("int32") if name == "Embedding" else rows(5, *shape)


def made(case, config="usual", **more):
    """A quantized layer, its input and its output."""
    name, given, shape = CASES[case]
    layer = getattr(layers, name)(**given, **more)
    x = Input(shape, dtype="int32" if name == "Embedding" else None)
    layer(x)
    layer.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    layer.quantize("int4", config=CONFIGS[config](layers))
    return layer, x, layer(x)


@every_case
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.engine("tensorflow")
def test_integers_scales_values_and_gradients_are_those_of_keras(keras, case, config):
    import tensorflow as tf

    name, given, _ = CASES[case]
    layer, x, y = made(case, config)
    theirs = getattr(keras.layers, name)(**given)
    data = values_of(case)
    theirs(data)
    theirs.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(theirs.weights)])
    theirs.quantize("int4", config=CONFIGS[config](keras.quantizers))
    described = [(w.name, tuple(w.shape), w.dtype, w.trainable) for w in theirs.weights]
    assert [(w.name.rpartition("/")[2], w.shape, w.dtype, w.trainable) for w in layer.weights] == described
    for found, wanted in zip(layer.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        assert found.dtype != np.int8 or np.array_equal(found, wanted)
    np.testing.assert_allclose(K.function([x], [y])([data])[0], np.asarray(theirs(data)), rtol=1e-5, atol=2e-6)
    if name == "Embedding":
        return
    with tf.GradientTape() as tape:
        tape.watch(constant := tf.constant(data))
        total = tf.reduce_sum(theirs(constant) ** 2)
    found = K.function([x], K.gradients(K.sum(K.square(y)), [x]))([data])[0]
    np.testing.assert_allclose(found, tape.gradient(total, constant), rtol=1e-4, atol=1e-4)


def floats_by_hand(layer):
    """The weight, from the bytes."""
    both, scale, zero, numbers = (v.numpy() for v in layer._stored())
    integers = np.stack([(both.astype("int32") & 15 ^ 8) - 8, both >> 4], -1).reshape(len(both), -1)
    index = numbers.astype(int)
    if layer.adapted == "embeddings":
        return (integers[:, : len(index)] - zero[:, index]) * scale[:, index]
    return (integers[:, : scale.shape[1]] - zero[index]) * scale[index]


@pytest.mark.parametrize("case", ["Dense", "Embedding"])
def test_engines_compute_with_what_the_bytes_stand_for(each_backend, case):
    layer, x, y = made(case, "blocks")
    floats, data = floats_by_hand(layer), values_of(case)
    wanted = floats[data] if case == "Embedding" else np.tanh(data @ floats + layer.bias.numpy())
    np.testing.assert_allclose(K.function([x], [y])([data])[0], wanted, rtol=1e-5, atol=1e-6)
    layer.enable_lora(2, b_initializer="ones")
    first, second = (v.numpy() for v in layer._factors())
    change = first @ second
    wanted = wanted + change[data] if case == "Embedding" else np.tanh(np.arctanh(wanted) + data @ change)
    np.testing.assert_allclose(K.function([x], [layer(x)])([data])[0], wanted, rtol=1e-3, atol=1e-4)


def test_packing(each_backend):
    integers = np.array([[-8, 7, 0], [1, -1, -3]], dtype=np.int8)
    both = packed(integers)
    np.testing.assert_array_equal(both, [[0x78, 0], [-15, 13]])
    x = K.placeholder((None, 2), dtype="int8")
    np.testing.assert_array_equal(K.function([x], [unpacked(x, 3)])([both])[0], integers)


def test_a_model_is_trained_around_it():
    x = Input((4,), dtype="int32")
    h = layers.Flatten()(layers.Embedding(6, 8)(x))
    model = Model(x, layers.Dense(2)(layers.Dense(8, activation="relu")(h)))
    data = np.random.RandomState(0).randint(0, 6, (30, 4))
    before = model.predict(data)
    model.quantize("int4")
    assert 0 < np.abs(model.predict(data) - before).max() < 0.3 * np.abs(before).max()
    kept = [v.numpy() for v in model.weights if v.dtype == "int8"]
    assert len(kept) == 6
    model.compile("sgd", "mse")
    losses = model.fit(data, np.ones((30, 2)), epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for before, variable in zip(kept, [v for v in model.weights if v.dtype == "int8"]):
        np.testing.assert_array_equal(variable.numpy(), before)


@every_case
@pytest.mark.parametrize("config", CONFIGS)
def test_configuration(case, config):
    layer, x, y = made(case, config)
    entry = layer.get_config()
    block = {"usual": 128, "blocks": 3}.get(config, -1)
    assert entry["dtype"] == f"int4/{block}_from_float32"
    again = layers.deserialize(layers.serialize(layer))
    z = again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(*K.function([x], [y, z])([values_of(case)]))
    assert again.get_config() == entry
    del entry["quantization_config"]
    other = type(layer).from_config(entry)
    other(x)
    assert [w.shape for w in other.weights] == [w.shape for w in layer.weights]


WRONG = {
    "block": (lambda: layers.Int4QuantizationConfig(block_size=0), "block_size must be a number from 1 on, -1 or None"),
    "blocks": (lambda: layers.Int4QuantizationConfig(activation_quantizer=layers.AbsMaxQuantizer()),
               "blocks of 128 have scales and zero points of their own"),
    "range": (lambda: layers.Int4QuantizationConfig(layers.AbsMaxQuantizer(), block_size=None), r"range \(-8, 7\)"),
    "config": (lambda: layers.Dense(2, dtype="int4_from_float32", quantization_config=layers.Int8QuantizationConfig()),
               "is of int4, quantization_config is of int8"),
    "mode": (lambda: built().quantize("int8", config=layers.Int4QuantizationConfig()),
             "the mode is 'int8', the configuration an Int4QuantizationConfig"),
    "dtype": (lambda: layers.Dense(2, dtype="int4/x_from_float32"), "must be like 'int4/128_from_float32'"),
    "int8": (lambda: layers.Dense(2, dtype="int8/3_from_float32"), "must be like 'int4/128_from_float32'"),
    "twice": (lambda: made("Dense")[0].quantize("int8"), "quantized to int4 already"),
}  # fmt: skip


def built():
    layer = layers.Dense(2)
    layer(Input((3,)))
    return layer


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
