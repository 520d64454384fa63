"""Training on real digits: every engine in float32 against NumPy in float64, from the same weights, masks and order.

The tolerances are those of docs/semantics.md: max|x - ref| / max|ref| of all weights after 1 and 20 steps.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.places import SHARED

import kbackend
from kbackend import Input, K, Model, layers, optimizers

FILE = SHARED / "data" / "mnist10k.npz"
pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the file of 10,000 MNIST digits is not beside the checkout"
)
STEPS, BATCH = 20, 32
LIMITS = {1: 1e-6, 20: 1e-5}


@pytest.fixture(scope="module")
def digits():
    with np.load(FILE) as arrays:
        x, y = arrays["x_train"][: STEPS * BATCH], arrays["y_train"][: STEPS * BATCH]
    return x.astype(np.float32) / 255.0, y


@pytest.fixture
def float64():
    yield K.set_floatx
    K.set_floatx("float32")


def autoencoder():
    pixels = Input((784,))
    h = layers.Dropout(0.3, seed=3)(layers.Dense(64, activation="relu")(pixels))
    model = Model(pixels, layers.Dense(784, activation="sigmoid")(h))
    model.compile(optimizers.SGD(0.5, momentum=0.9), "binary_crossentropy")
    return model, (784,), None


def convnet():
    image = Input((28, 28, 1))
    h = layers.MaxPooling2D()(layers.Conv2D(8, 3, activation="relu")(image))
    h = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="tanh", padding="same")(h))
    h = layers.BatchNormalization()(layers.Flatten()(h))
    model = Model(image, layers.Dense(10, activation="softmax")(h))
    model.compile(optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy")
    return model, (28, 28, 1), "labels"


def rows():
    x = Input((28, 28))
    h = layers.concatenate([layers.LSTM(16)(x), layers.LSTM(16, go_backwards=True)(x)])
    model = Model(x, layers.Dense(10, activation="softmax")(h))
    model.compile(optimizers.RMSprop(0.001, epsilon=1e-3), "sparse_categorical_crossentropy")
    return model, (28, 28), "labels"


def trained(build, digits, start=None):
    """Weights and losses after each step; the first weights too."""
    K.reset_uids()  # draws are named by layers, and layers by their number in the process
    kbackend.set_seed(2)  # with seed 1 the convnet meets a relu or a pool that decides otherwise in float32
    model, shape, labels = build()
    if start is not None:
        model.set_weights(start)
    first = model.get_weights()
    weights, losses = [], []
    for i in range(STEPS):
        part = slice(i * BATCH, (i + 1) * BATCH)
        x = digits[0][part].reshape(-1, *shape)
        losses.append(model.train_on_batch(x, digits[1][part] if labels else x))
        weights.append(model.get_weights())
    return first, weights, losses


@pytest.mark.parametrize("build", [autoencoder, convnet, rows], ids=lambda f: f.__name__)
def test_training_agrees_with_numpy_in_float64(build, each_backend, digits, float64):
    first, weights, losses = trained(build, digits)
    float64("float64")
    with kbackend.use_backend("numpy"):
        _, reference, reference_losses = trained(build, digits, first)
    np.testing.assert_allclose(losses, reference_losses, rtol=1e-5)
    for steps, limit in LIMITS.items():
        found, expected = (np.concatenate([w.ravel() for w in at[steps - 1]]) for at in (weights, reference))
        assert np.max(np.abs(found - expected)) <= limit * np.max(np.abs(expected)), steps
