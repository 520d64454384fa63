"""Activation kernels with derivatives in terms of their results, since training spends its time here."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp, primitive
from autograd.tracer import isbox


@primitive
def rectify(x: Any) -> Any:
    return onp.maximum(x, 0)


def _value(x: Any) -> Any:
    while isbox(x):
        x = x._value
    return x


defvjp(rectify, lambda ans, x: lambda g: g * (_value(x) > 0).astype(x.dtype))


@primitive
def sigmoid(x: Any) -> Any:
    half = x.dtype.type(0.5)
    result = onp.asarray(onp.tanh(x * half))
    result += 1
    result *= half
    return result


defvjp(sigmoid, lambda ans, x: lambda g: g * (ans * (1 - ans)))


@primitive
def softmax(x: Any, axis: int) -> Any:
    powers = x - onp.max(x, axis=axis, keepdims=True)
    onp.exp(powers, out=powers)
    powers /= onp.sum(powers, axis=axis, keepdims=True)
    return powers


def _softmax_vjp(ans: Any, x: Any, axis: int) -> Any:
    def vjp(g: Any) -> Any:
        inner = np.sum(g * ans, axis=axis, keepdims=True)
        return ans * (g - inner)

    return vjp


defvjp(softmax, _softmax_vjp)

KERNELS: dict[str, Any] = {
    "rectify": rectify,
    "sigmoid": sigmoid,
    "softmax": softmax,
}
