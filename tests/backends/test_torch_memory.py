"""Weights on torch lie in memory as its kernels like them, and nothing else shows it."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import K, layers, models, optimizers

pytestmark = pytest.mark.engine("torch")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def torch_is_active():
    with kbackend.use_backend("torch"):
        yield


def convnet() -> models.Sequential:
    model = models.Sequential([
        layers.Conv2D(4, (3, 2), input_shape=(8, 8, 3)), layers.Conv2D(5, 2), layers.Flatten(), layers.Dense(2)])
    model.compile(optimizers.Adam(1e-2), "mse")
    return model


def cell(variable):
    return variable.cell(variable.home)


def in_memory(variable) -> tuple[int, ...]:
    """The axes of the variable, slowest first."""
    return tuple(int(a) for a in np.argsort([-s for s in cell(variable).stride()], kind="stable"))


def test_kernels_of_convolutions_lie_with_filters_first():
    model = convnet()
    before = model.get_weights()
    model.predict_on_batch(RNG.normal(size=(2, 8, 8, 3)))
    assert [in_memory(w) for w in model.weights[:4:2]] == [(3, 0, 1, 2)] * 2
    for old, new in zip(before, model.get_weights(), strict=True):
        assert new.flags.c_contiguous and old.tobytes() == new.tobytes()


def test_weights_of_lstms_lie_transposed():
    model = models.Sequential([layers.LSTM(4, input_shape=(5, 3))])
    model.predict_on_batch(RNG.normal(size=(2, 5, 3)))
    assert [in_memory(w) for w in model.weights[:2]] == [(1, 0)] * 2


def test_the_order_stays_when_values_are_set_and_when_training_goes_on():
    model = convnet()
    x, y = RNG.normal(size=(8, 8, 8, 3)), RNG.normal(size=(8, 2))
    model.train_on_batch(x, y)
    kernel = model.weights[0]
    value = RNG.normal(size=kernel.shape).astype("float32")
    K.set_value(kernel, value)
    assert in_memory(kernel) == (3, 0, 1, 2)
    np.testing.assert_array_equal(K.get_value(kernel), value)
    model.train_on_batch(x, y)
    assert in_memory(kernel) == (3, 0, 1, 2)


def test_training_is_that_of_weights_in_the_plain_order():
    x, y = RNG.normal(size=(16, 8, 8, 3)), RNG.normal(size=(16, 2))
    start = convnet().get_weights()

    def trained(engine):
        with kbackend.use_backend(engine):
            model = convnet()
            model.set_weights(start)
            for _ in range(5):
                model.train_on_batch(x, y)
            return model.get_weights()

    for ours, reference in zip(trained("torch"), trained("numpy"), strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-4, atol=1e-5)


def test_states_that_lie_in_another_order_than_their_weight_are_turned():
    """A weight that trained before a convolution read it has states in the plain order."""
    weight = K.variable(RNG.normal(size=(3, 3, 2, 4)), name="w")
    plain = K.variable(K.get_value(weight), name="plain")
    images = K.constant(RNG.normal(size=(1, 6, 6, 2)))
    results = []
    for w, turned in ((weight, True), (plain, False)):
        optimizer = optimizers.Adam(0.1)
        square = K.function([], [], updates=optimizer.get_updates(K.sum(w * w * K.arange(4, dtype="float32")), [w]))
        square([])
        if turned:
            K.function([], [K.conv2d(images, w)])([])
            assert in_memory(w) == (3, 0, 1, 2)
        square([])
        results.append(K.get_value(w))
    np.testing.assert_array_equal(*results)
