"""Adapters of low rank: against Keras, in training, in models made before, in files."""

import numpy as np
import pytest
from support.arrays import rows
from support.keras3 import computed

import kbackend
from kbackend import Input, K, Model, Sequential, layers

CASES = {
    "Dense": (dict(units=3, activation="tanh"), (4,)),
    "EinsumDense": (dict(equation="abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de"), (3, 4)),
    "Embedding": (dict(input_dim=6, output_dim=3), (4,)),
    "Conv1D": (dict(filters=3, kernel_size=2), (5, 2)),
    "Conv2D": (dict(filters=4, kernel_size=(2, 3), groups=2), (5, 6, 2)),
    "Conv3D": (dict(filters=2, kernel_size=2, padding="same"), (3, 4, 2, 2)),
}
every_layer = pytest.mark.parametrize("name", CASES)


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(7)


def values_of(name, batch=3):
    _, shape = CASES[name]
    if name == "Embedding":
        return np.random.default_rng(0).integers(0, 6, (batch, *shape)).astype("int32")
    return rows(batch, *shape)


def adapted(name, rank=2, alpha=None, **arguments):
    """A layer with an adapter whose weights are no zeros, and its input and output."""
    given, shape = CASES[name]
    layer = getattr(layers, name)(**given, **arguments)
    x = Input(shape, dtype="int32" if name == "Embedding" else None)
    layer(x)
    if not layer.lora_enabled:
        layer.enable_lora(rank, alpha)
    layer.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    return layer, x, layer(x)


@every_layer
@pytest.mark.engine("tensorflow")
def test_values_gradients_and_weights_are_those_of_keras(keras, name):
    import tensorflow as tf

    given, _ = CASES[name]
    layer, x, y = adapted(name, alpha=3.0)
    theirs = getattr(keras.layers, name)(**given)
    theirs(values_of(name))
    theirs.enable_lora(2, 3.0)
    assert [w.shape for w in layer.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.trainable for w in layer.weights] == [w.trainable for w in theirs.weights]
    theirs.set_weights(layer.get_weights())
    with tf.GradientTape() as tape:
        wanted = theirs(values_of(name))
        total = tf.reduce_sum(wanted**2)
    slopes = tape.gradient(total, [w.value for w in theirs.trainable_weights])
    program = K.function([x], [y, *K.gradients(K.sum(K.square(y)), layer.trainable_weights)])
    found = program([values_of(name)])
    for ours, right in zip(found, [wanted, *slopes], strict=True):
        right = tf.convert_to_tensor(right)
        np.testing.assert_allclose(ours, right, rtol=1e-4, atol=1e-4)


@every_layer
def test_an_adapter_is_the_sum_of_the_weights(each_backend, name):
    layer, x, y = adapted(name, rank=2, alpha=5.0)
    given, _ = CASES[name]
    plain = getattr(layers, name)(**given)
    z = plain(x)
    weights = {w.name.rpartition("/")[2]: v.astype("float64") for w, v in zip(layer.weights, layer.get_weights())}
    kind = layer.adapted
    first, second = weights[f"lora_{kind}_a"], weights[f"lora_{kind}_b"]
    merged = weights[kind] + 2.5 * np.tensordot(first, second, 1)
    plain.set_weights([merged, *(weights[w.name.rpartition("/")[2]] for w in plain.weights[1:])])
    ours, wanted = K.function([x], [y, z])([values_of(name)])
    np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-5)


@every_layer
def test_an_adapter_changes_nothing_at_first_and_training_changes_it_alone(each_backend, name):
    given, shape = CASES[name]
    x = Input(shape, dtype="int32" if name == "Embedding" else None)
    layer = getattr(layers, name)(**given)
    model = Model(x, layers.Dense(1, trainable=False)(layers.Flatten()(layer(x))))
    model.to(each_backend)
    before = model.predict(values_of(name, 8))
    layer.enable_lora(2)
    np.testing.assert_array_equal(model.predict(values_of(name, 8)), before)
    kernel = layer.weights[0].numpy()
    model.compile("sgd", "mse")
    history = model.fit(values_of(name, 8), np.full((8, 1), 2.0), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_array_equal(layer.weights[0].numpy(), kernel)
    second = next(w for w in layer.weights if w.name.endswith("_b"))
    assert np.abs(second.numpy()).max() > 0


@every_layer
def test_configuration(name):
    layer, x, y = adapted(name, lora_rank=3, lora_alpha=1.5)
    config = layer.get_config()
    assert (config["lora_rank"], config["lora_alpha"]) == (3, 1.5)
    again = layers.deserialize(layers.serialize(layer))
    z = again(x)
    assert again.get_config() == config and [w.shape for w in again.weights] == [w.shape for w in layer.weights]
    again.set_weights(layer.get_weights())
    ours, theirs = K.function([x], [y, z])([values_of(name)])
    np.testing.assert_array_equal(ours, theirs)
    assert "lora_rank" not in getattr(layers, name)(**CASES[name][0]).get_config()


def test_weights_are_named_below_the_layer():
    layer, _, _ = adapted("Dense")
    assert [w.name.rpartition("/")[0] for w in layer.weights] == [layer.name] * 4
    layer.quantize("int8")
    assert [w.name.rpartition("/")[0] for w in layer.weights] == [layer.name] * 5


def test_the_factor_is_live(each_backend):
    alpha = K.variable(0.0)
    layer, x, y = adapted("Dense", lora_rank=2, lora_alpha=alpha)
    program = K.function([x], [y])
    at_zero = program([values_of("Dense")])[0]
    K.set_value(alpha, 2.0)
    assert np.abs(program([values_of("Dense")])[0] - at_zero).max() > 1e-2
    assert layer.get_config()["lora_alpha"] == 2.0 and len(layer.weights) == 4


# ------------------------------------------------------------------------------------- models


def test_models_that_share_the_layer_follow(each_backend):
    x = Input((4,))
    inner = layers.Dense(3, name="inner")
    shared = Sequential([Input((4,)), inner])
    h = shared(x)
    model, half = Model(x, layers.Dropout(0.5)(layers.Dense(2)(h))), Model(x, h)
    data = rows(5, 4)
    before = [m.predict(data) for m in (model, half, shared)]
    inner.enable_lora(1)
    inner.lora_kernel_b.assign(np.ones((1, 3)))
    after = [m.predict(data) for m in (model, half, shared)]
    assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(before, after))
    np.testing.assert_array_equal(after[1], after[2])
    assert len(model.trainable_weights) == 5 and model.summary(print_fn=lambda text: None) is None
    again = Sequential([*shared.layers])
    np.testing.assert_array_equal(again.predict(data), after[2])


def test_a_sequential_grows_after_its_layer_was_adapted(each_backend):
    model = Sequential([Input((4,)), layers.Dense(3)])
    model.layers[0].enable_lora(2)
    model.layers[0].lora_kernel_b.assign(np.ones((2, 3)))
    model.add(layers.Dense(2))
    kernel, bias, first, second, last, end = model.get_weights()
    data = rows(5, 4)
    wanted = (data @ (kernel + first @ second) + bias) @ last + end
    np.testing.assert_allclose(model.predict(data), wanted, rtol=1e-4, atol=1e-5)


def test_only_what_follows_is_called_again():
    x = Input((4,))
    before, layer, after = layers.Dense(3), layers.Dense(3), layers.Dense(3)
    model = Model(x, after(layer(before(x))))
    unchanged = before.output
    outputs = model.output
    layer.enable_lora(1)
    assert model.output is not outputs and before.output is unchanged
    assert [len(one._calls) for one in (before, layer, after)] == [1, 1, 1]
    assert model.output is after.output


# ------------------------------------------------------------------------------------- files


def fitted(name="Dense"):
    given, shape = CASES[name]
    model = Sequential([Input(shape, dtype="int32" if name == "Embedding" else None),
                        getattr(layers, name)(**given), layers.Flatten(), layers.Dense(2)])
    return model


@every_layer
@pytest.mark.parametrize("file", ["w.safetensors", "w.weights.h5"])
def test_files_of_weights_have_the_sum(each_backend, tmp_path, name, file):
    model, plain, same = fitted(name), fitted(name), fitted(name)
    for one in (model, same):
        one.layers[0].enable_lora(2, 3.0)
    model.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(model.weights)])
    raw = model.get_weights()
    model.save_weights(tmp_path / file)
    for ours, kept in zip(model.get_weights(), raw):
        np.testing.assert_array_equal(ours, kept)
    wanted = model.predict(values_of(name))
    for other in (plain, same):
        other.set_weights([rows(*w.shape, seed=9 + i) for i, w in enumerate(other.weights)])
        other.load_weights(tmp_path / file)
        np.testing.assert_allclose(other.predict(values_of(name)), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.engine("tensorflow")
def test_keras_reads_the_sum(keras, tmp_path):
    model = fitted()
    model.layers[0].enable_lora(2)
    model.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(model.weights)])
    model.save_weights(tmp_path / "w.weights.h5")
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Flatten(),
                               keras.layers.Dense(2)])
    theirs.load_weights(tmp_path / "w.weights.h5")
    data = values_of("Dense")
    np.testing.assert_allclose(computed(theirs, data), model.predict(data), rtol=1e-4, atol=1e-5)


def test_a_saved_model_has_the_adapter_itself(each_backend, tmp_path):
    model = fitted()
    model.layers[0].enable_lora(2)
    model.compile("adam", "mse")
    model.fit(rows(8, 4), rows(8, 2), verbose=0)
    model.save(tmp_path / "m.kb")
    again = kbackend.models.load_model(tmp_path / "m.kb")
    for ours, kept in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, kept)
    losses = [m.fit(rows(8, 4), rows(8, 2), verbose=0).history["loss"] for m in (model, again)]
    assert losses[0] == losses[1]


# ------------------------------------------------------------------------------------- bad input

WRONG = {
    "not built": (lambda: layers.Dense(3).enable_lora(2), r"call the layer on a tensor, or build it"),
    "twice": (lambda: adapted("Dense")[0].enable_lora(2), "has an adapter of rank 2 already"),
    "rank": (lambda: layers.Dense(3, lora_rank=0), "lora_rank must be a positive integer, it is 0"),
    "rank of a call": (lambda: adapted("Dense", rank=1.5), "rank must be a positive integer, it is 1.5"),
    "alpha": (lambda: layers.Dense(3, lora_rank=2, lora_alpha="a"), "lora_alpha must be a number"),
    "constraint": (lambda: layers.Conv2D(3, 2, lora_rank=2, kernel_constraint="non_neg"),
                   "leave kernel_constraint out"),
    "embeddings": (lambda: layers.Embedding(3, 2, embeddings_constraint="non_neg", lora_rank=1),
                   "leave embeddings_constraint out"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()
