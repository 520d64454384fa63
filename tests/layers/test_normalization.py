"""BatchNormalization with masks and renorm where it is frozen, and where a batch is empty."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, optimizers

pytestmark = pytest.mark.usefixtures("fresh_session")
X = np.random.default_rng(0).normal(2.0, 3.0, size=(6, 3, 4)).astype("float32")
KINDS = {"renorm": (True, False), "mask": (False, True), "renorm and mask": (True, True), "plain": (False, False)}


def normalized(kind, shape, **options):
    renorm, masked = KINDS[kind]
    x = Input(batch_shape=shape)
    norm = layers.BatchNormalization(renorm=renorm, **options)
    return norm, Model(x, norm(layers.Masking()(x) if masked else x))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_one_trains_as_it_predicts(kind, each_backend):
    norm, model = normalized(kind, (None, 3, 4), trainable=False)
    model.compile(optimizers.SGD(0.1), "mse")
    start = norm.get_weights()
    expected = model.test_on_batch(X, X[::-1])
    assert model.train_on_batch(X, X[::-1]) == pytest.approx(expected, rel=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(start, norm.get_weights(), strict=True))
    norm.trainable = True
    model.compile(optimizers.SGD(0.1), "mse")
    model.train_on_batch(X, X[::-1])
    assert not any(np.array_equal(a, b) for a, b in zip(start, norm.get_weights(), strict=True))


@pytest.mark.parametrize("batch", [None, 0])
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_leaves_the_moving_averages_as_they_are(kind, batch, each_backend):
    norm, model = normalized(kind, (batch, 3, 4))
    start = norm.get_weights()
    step = K.function([*model.inputs, K.learning_phase()], model.outputs, updates=model.updates)
    assert step([X[:0], 1])[0].shape == (0, 3, 4)
    assert all(np.array_equal(a, b) for a, b in zip(start, norm.get_weights(), strict=True))
