"""Batch normalization: the fused kernels against the definition and against NumPy's composition."""

import numpy as np
import pytest

import kbackend
from kbackend import K

pytestmark = pytest.mark.processor

CASES = [((6, 4), (0,)), ((3, 4, 5), (0, 2)), ((3, 4, 5, 2), (0, 1, 2)), ((3, 4, 5), (0,)), ((2, 3, 4), (0, 1, 2))]


def run(engine, shape, axes):
    """Results, gradients of a loss that sees all three of them, and gradients of these gradients."""
    kept = tuple(d for a, d in enumerate(shape) if a not in axes)
    rng = np.random.RandomState(1)
    values = [np.asarray(v) for v in (rng.randn(*shape), rng.rand(*kept) + 0.5, rng.randn(*kept))]
    with kbackend.use_backend(engine):
        x, gamma, beta = (K.placeholder(s, dtype="float64") for s in ((None, *shape[1:]), kept, kept))
        normed, mean, var = K.normalize_batch_in_training(x, gamma, beta, axes)
        loss = K.sum(K.tanh(normed)) + K.sum(K.square(mean)) + K.sum(var * var * var)
        first = K.gradients(loss, [x, gamma, beta])
        second = K.gradients(K.sum(K.square(first[0])) + K.sum(K.square(first[1])), [x, gamma])
        return values, K.function([x, gamma, beta], [normed, mean, var, *first, *second])(values)


@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_two_derivatives_agree_with_the_composition(each_backend, shape, axes):
    for found, expected in zip(run(each_backend, shape, axes)[1], run("numpy", shape, axes)[1], strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("shape", "axes"), CASES)
def test_the_definition(each_backend, shape, axes):
    (x, gamma, beta), (normed, mean, var, *_) = run(each_backend, shape, axes)
    full = [1 if a in axes else d for a, d in enumerate(shape)]
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    np.testing.assert_allclose(normed, expected * gamma.reshape(full) + beta.reshape(full), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(mean, x.mean(axes), rtol=1e-12)
    np.testing.assert_allclose(var, x.var(axes), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 1), (3, 4, 4, 8)])
def test_no_digits_are_lost_at_an_offset(each_backend, shape):
    steps = np.broadcast_to(np.arange(3.0).reshape(3, *(1,) * (len(shape) - 1)), shape)
    x = K.placeholder((None, *shape[1:]))
    axes = list(range(len(shape) - 1))
    normed, _, var = K.function([x], K.normalize_batch_in_training(x, None, None, axes))([1e4 + steps])
    np.testing.assert_allclose(var, np.full(shape[-1], 2 / 3), rtol=1e-6)
    np.testing.assert_allclose(normed, (steps - 1) / np.sqrt(2 / 3 + 1e-3), rtol=1e-6, atol=1e-6)
