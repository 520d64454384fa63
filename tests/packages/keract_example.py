"""keract 4.5.2 on a model of tensorflow.keras: activations of layers, gradients of weights and activations.

run.py runs this file through the hook; keract's archive has no tests.
"""

import numpy as np
import pytest
from keract import get_activations, get_gradients_of_activations, get_gradients_of_trainable_weights
from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input
from tensorflow.keras.models import Model, Sequential

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 6, 1)).astype("float32")
Y = np.eye(3, dtype="float32")[[0, 1, 2, 0]]


@pytest.fixture
def model():
    found = Sequential([
        Conv2D(2, 3, activation="relu", input_shape=(6, 6, 1), name="conv"), Flatten(name="flat"),
        Dense(3, activation="softmax", name="out"),
    ])  # fmt: skip
    found.compile(loss="categorical_crossentropy", optimizer="adam")
    return found


def test_activations_are_those_of_the_layers(model):
    found = get_activations(model, X)
    assert [name for name in found if "input" not in name] == ["conv", "flat", "out"]
    kernel, bias, dense, offset = model.get_weights()
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0], (3, 3), axis=(1, 2))
    wanted = np.maximum(np.einsum("nijab,abc->nijc", windows, kernel[:, :, 0]) + bias, 0)
    np.testing.assert_allclose(found["conv"], wanted, atol=1e-5)
    logits = wanted.reshape(4, -1) @ dense + offset
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found["out"], powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_one_layer_of_several_inputs():
    a, b = Input((2,)), Input((2,))
    network = Model([a, b], Dense(1, name="both")(Dense(3, name="first")(a)))
    found = get_activations(network, [X[:, 0, :2, 0], X[:, 1, :2, 0]], layer_names="first", auto_compile=True)
    assert list(found) == ["first"] and found["first"].shape == (4, 3)


def test_gradients_of_weights(model):
    found = get_gradients_of_trainable_weights(model, X, Y)
    shapes = [value.shape for value in found.values()]
    assert shapes == [w.shape for w in model.get_weights()]
    probabilities = model.predict(X)
    np.testing.assert_allclose(list(found.values())[-1], (probabilities - Y).mean(axis=0), atol=1e-5)


def test_gradients_of_activations(model):
    found = get_gradients_of_activations(model, X, Y, layer_names="out")
    wanted = (1 - Y / model.predict(X)) / len(X)  # categorical_crossentropy divides probabilities by their sum
    np.testing.assert_allclose(found["out"], wanted, rtol=1e-3, atol=1e-4)
