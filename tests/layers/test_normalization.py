"""BatchNormalization with masks and renorm where it is frozen, and where a batch is empty; steps of spectral norms."""

import numpy as np
import pytest
from support.keras3 import computed

import kbackend
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


SPECTRAL = {
    "dense": (lambda lib: lib.layers.Dense(3), (4,), "SGD", {}),
    "dense, Adam": (lambda lib: lib.layers.Dense(3, kernel_constraint="non_neg"), (4,), "Adam",
                    {"power_iterations": 3}),
    "penalty": (lambda lib: lib.layers.Dense(3, kernel_regularizer=lib.regularizers.L2(0.1)), (4,), "SGD", {}),
    "convolution": (lambda lib: lib.layers.Conv1D(3, 2), (3, 4), "SGD", {"power_iterations": 2}),
}


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("case", SPECTRAL)
def test_steps_of_a_spectral_norm_are_those_of_keras(keras, case, each_backend):
    make, shape, optimizer, options = SPECTRAL[case]

    def model_of(lib):
        layer = lib.layers.SpectralNormalization(make(lib), **options)
        model = lib.Sequential([lib.Input(shape), layer])
        model.compile(getattr(lib.optimizers, optimizer)(0.05), "mse")
        return model

    theirs, ours = model_of(keras), model_of(kbackend).to(each_backend)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    data = np.random.default_rng(1).normal(size=(16, *shape)).astype("float32")
    targets = np.random.default_rng(2).normal(size=(len(data), *theirs.output_shape[1:])).astype("float32")
    for _ in range(5):
        found, wanted = ours.train_on_batch(data, targets), theirs.train_on_batch(data, targets)
        assert found == pytest.approx(float(wanted), rel=2e-5)
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(ours.predict(data), computed(theirs, data), rtol=1e-4, atol=2e-5)
