"""The NumPy LSTM kernel against the recurrence written out, central differences, and torch."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.core import make_vjp
from support.differences import central

from kbackend_numpy import lstm as module
from kbackend_numpy.lstm import lstm

pytestmark = pytest.mark.processor

NAMES = ("x", "h0", "c0", "kernel", "recurrent_kernel", "bias")


def operands(batch=2, time=3, features=2, units=3, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    shapes = [
        (batch, time, features),
        (batch, units),
        (batch, units),
        (features, 4 * units),
        (units, 4 * units),
        (4 * units,),
    ]
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def naive(x, h, c, kernel, recurrent_kernel, bias):
    outputs = []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent_kernel + bias
        i, f, candidate, o = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), h, c


def score(args, run=lstm):
    """A scalar that depends on each entry of the three results in its own way."""
    outputs, h, c = run(*args)
    return (
        (outputs**2 * np.cos(np.arange(outputs.size).reshape(outputs.shape))).sum()
        + (h * np.arange(h.size).reshape(h.shape)).sum()
        + (c**3).sum()
    )


def with_one(args, position, value):
    return [*args[:position], value, *args[position + 1 :]]


@pytest.mark.parametrize("sizes", [(2, 3, 2, 3), (1, 1, 1, 1), (4, 7, 3, 2), (3, 1, 2, 4)])
def test_forward_is_the_recurrence(sizes):
    args = operands(*sizes)
    for actual, expected in zip(lstm(*args), naive(*args), strict=True):
        assert actual.dtype == np.float64
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("position, name", list(enumerate(NAMES)))
def test_gradients(position, name):
    args = operands()
    actual = grad(lambda v: score(with_one(args, position, v)))(args[position])
    expected = central(lambda v: score(with_one(args, position, v), naive), args[position])
    np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("result", range(3))
def test_gradients_of_one_result(result):
    args = operands(time=4)
    actual = grad(lambda v: anp.sum(anp.sin(lstm(*v)[result])))(args)
    for position, gradient in enumerate(actual):
        expected = central(
            lambda v, p=position: np.sin(naive(*with_one(args, p, v))[result]).sum(), args[position]
        )
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("position, name", list(enumerate(NAMES)))
def test_second_gradients(position, name):
    args = operands(time=2, units=2)

    def norm(v):
        return sum((g**2).sum() for g in grad(score)(with_one(args, position, v)))

    actual = grad(norm)(args[position])
    np.testing.assert_allclose(actual, central(norm, args[position]), rtol=1e-6, atol=1e-6)


def test_second_gradient_with_respect_to_what_is_not_an_operand():
    """The gradient of a gradient in the direction of the results: only the incoming gradient is traced."""
    args = operands()
    _, plain = make_vjp(lambda kernel: lstm(*with_one(args, 3, kernel))[0], args[3])

    def norm(weights):
        vjp, _ = make_vjp(lambda kernel: lstm(*with_one(args, 3, kernel))[0], args[3])
        return (vjp(weights) ** 2).sum()

    weights = np.random.default_rng(3).standard_normal(plain.shape)
    np.testing.assert_allclose(grad(norm)(weights), central(norm, weights), rtol=1e-6, atol=1e-7)


def test_third_gradient():
    args = operands(batch=1, time=2, features=1, units=1)

    def along(step):
        return score(with_one(args, 4, args[4] + step))

    third = grad(grad(grad(along)))
    second = grad(grad(along))
    expected = (second(0.3 + 1e-5) - second(0.3 - 1e-5)) / 2e-5
    np.testing.assert_allclose(third(0.3), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_dtype_is_kept(dtype):
    args = operands(dtype=dtype)
    exact = [a.astype(np.float64) for a in args]
    tolerance = {np.float16: 1e-2, np.float32: 1e-5}[dtype]
    for actual, expected in zip(lstm(*args), naive(*exact), strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, atol=tolerance * np.abs(expected).max())
    vjp, outputs = make_vjp(lambda v: lstm(*v)[0], tuple(args))
    vjp_exact, _ = make_vjp(lambda v: lstm(*v)[0], tuple(exact))
    ones = np.ones_like(outputs)
    for actual, expected in zip(vjp(ones), vjp_exact(ones.astype(np.float64)), strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, atol=2 * tolerance * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_second_gradients_keep_the_dtype(dtype):
    args = operands(dtype=dtype)
    for gradient in grad(lambda v: sum(anp.sum(g**2) for g in grad(score)(v)))(args):
        assert gradient.dtype == dtype


def test_both_backward_passes_agree():
    args = operands(batch=3, time=5, features=4, units=3)
    keep = []
    packed = module._lstm(*args, keep)
    g = np.random.default_rng(1).standard_normal(packed.shape)
    quick = module._backward(g, range(6), keep[0])
    slow = module._differentiable_backward(g, range(6), *args)
    for a, b in zip(quick, slow, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_nothing_is_kept_without_a_gradient(monkeypatch):
    kept = []
    monkeypatch.setattr(module, "_lstm", lambda *args: kept.append(args[-1]) or np.zeros((5, 2, 3)))
    lstm(*operands())
    assert kept == [None]


def test_the_operands_are_left_alone():
    args = operands(dtype=np.float32)
    before = [a.copy() for a in args]
    make_vjp(lambda v: lstm(*v)[0], tuple(args))[0](np.ones((2, 3, 3), np.float32))
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_saturated_gates():
    args = operands()
    args[5] = np.array([1e4] * 3 + [-1e4] * 3 + [1e4] * 3 + [-1e4] * 3)
    outputs, h, c = lstm(*args)
    np.testing.assert_array_equal(c, np.ones((2, 3)))
    np.testing.assert_array_equal(outputs, np.zeros((2, 3, 3)))
    assert np.isfinite(grad(lambda v: score(with_one(args, 0, v)))(args[0])).all()


@pytest.mark.parametrize("position, name", list(enumerate(NAMES)))
def test_shapes_that_do_not_fit(position, name):
    args = operands()
    with pytest.raises(ValueError, match="lstm: x"):
        lstm(*with_one(args, position, args[position][..., :-1]))


@pytest.mark.engine("torch")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees_with_torch(dtype):
    import torch

    args = operands(batch=4, time=6, features=3, units=5, dtype=dtype)
    tensors = [torch.from_numpy(a.copy()).requires_grad_() for a in args]
    x, h0, c0, kernel, recurrent, bias = tensors
    flat = (kernel.T.contiguous(), recurrent.T.contiguous(), bias, torch.zeros_like(bias))
    theirs = torch.lstm(x, (h0[None], c0[None]), flat, True, 1, 0.0, False, False, True)
    ours, vjp = {}, make_vjp(lambda v: lstm(*v)[0], tuple(args))[0]
    ours = lstm(*args)
    tolerance = {np.float32: 1e-5, np.float64: 1e-12}[dtype]
    for a, b in zip(ours, (theirs[0], theirs[1][0], theirs[2][0]), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), atol=tolerance * float(b.detach().abs().max()))
    expected = torch.autograd.grad(theirs[0], tensors, torch.from_numpy(np.cos(ours[0])))
    for a, b in zip(vjp(np.cos(ours[0])), expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b.numpy(), atol=tolerance * float(b.abs().max()))
