"""Activation kernels; gradients are computed from the results, without evaluating exponentials again."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp

from kbackend_numpy.kernels.reduction.reductions import sum_, value_of, wide
from kbackend_numpy.masked import kept
from kbackend_numpy.recording import primitive


@primitive
def rectify(x: Any) -> Any:
    return onp.maximum(x, 0)


defvjp(rectify, lambda ans, x: lambda g: kept(g, value_of(ans) > 0))


@primitive
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``; where exp overflows to inf the result is 0, its limit."""
    if x.dtype.itemsize < 4:
        return sigmoid(x.astype(onp.float32)).astype(x.dtype)
    found = onp.asarray(onp.negative(x))
    onp.exp(found, out=found)
    found += 1
    return onp.divide(1, found, out=found)


@primitive
def _sigmoid_gradient(g: Any, y: Any) -> Any:
    """``g y (1 - y)`` with one new array."""
    found = onp.asarray(onp.subtract(1, y))
    found *= y
    found *= g
    return found


defvjp(sigmoid, lambda ans, x: lambda g: _sigmoid_gradient(g, ans))
defvjp(
    _sigmoid_gradient,
    lambda ans, g, y: lambda h: _sigmoid_gradient(h, y),
    lambda ans, g, y: lambda h: h * g * (1 - 2 * y),
)


@primitive
def softmax(x: Any, axis: int) -> Any:
    if x.shape[axis] == 0:
        return x
    powers = x.astype(wide(x.dtype), copy=True)
    powers -= onp.max(powers, axis=axis, keepdims=True)
    onp.exp(powers, out=powers)
    powers /= onp.add.reduce(powers, axis=axis, keepdims=True)
    return powers.astype(x.dtype, copy=False)


@primitive
def _softmax_gradient(g: Any, y: Any, axis: int) -> Any:
    """``y (g - sum(g y))`` with one new array of the size of y."""
    found = g * y
    inner = onp.add.reduce(found, axis=axis, keepdims=True)
    found -= y * inner
    return found


def _softmax_gradient_vjp(ans: Any, g: Any, y: Any, axis: int) -> Any:
    def vjp(h: Any) -> Any:
        inner = sum_(g * y, (axis,), True)
        return h * (g - inner) - g * sum_(h * y, (axis,), True)

    return vjp


defvjp(softmax, lambda ans, x, axis: lambda g: _softmax_gradient(g, ans, axis))
defvjp(_softmax_gradient, lambda ans, g, y, axis: lambda h: _softmax_gradient(h, y, axis), _softmax_gradient_vjp)


@primitive
def log_softmax(x: Any, axis: int) -> Any:
    if x.shape[axis] == 0:
        return x
    shifted = x.astype(wide(x.dtype), copy=True)
    shifted -= onp.max(shifted, axis=axis, keepdims=True)
    shifted -= onp.log(onp.add.reduce(onp.exp(shifted), axis=axis, keepdims=True))
    return shifted.astype(x.dtype, copy=False)


defvjp(log_softmax, lambda ans, x, axis: lambda g: g - np.exp(ans) * sum_(g, (axis,), True))

KERNELS: dict[str, Any] = {
    "log_softmax": log_softmax,
    "relu": rectify,
    "sigmoid": sigmoid,
    "softmax": softmax,
}
