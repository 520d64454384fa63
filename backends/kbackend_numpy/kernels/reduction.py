"""Reduction kernels."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp, primitive

Axes = tuple[int, ...]


def _wide(dtype: Any) -> Any:
    return onp.float32 if dtype.itemsize < 4 and dtype.kind not in "iub" else dtype


def _kept(value: Any, like: Any, axis: Axes, keepdims: bool) -> Any:
    """``value`` with the reduced axes as size 1."""
    return value if keepdims else np.reshape(value, tuple(1 if i in axis else d for i, d in enumerate(like.shape)))


@primitive
def sum_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return onp.asarray(onp.sum(x, axis=axis, keepdims=keepdims, dtype=_wide(x.dtype))).astype(x.dtype, copy=False)


def _spread(g: Any, like: Any, axis: Axes, keepdims: bool) -> Any:
    return np.broadcast_to(_kept(g, like, axis, keepdims), like.shape)


defvjp(sum_, lambda ans, x, axis, keepdims: lambda g: _spread(g, x, axis, keepdims))


def _count(x: Any, axis: Axes) -> int:
    return int(onp.prod([x.shape[a] for a in axis], dtype=onp.int64)) if axis else 1


@primitive
def mean(x: Any, axis: Axes, keepdims: bool) -> Any:
    with onp.errstate(all="ignore"):
        total = onp.sum(x, axis=axis, keepdims=keepdims, dtype=_wide(x.dtype))
        return onp.asarray(total / total.dtype.type(_count(x, axis))).astype(x.dtype, copy=False)


defvjp(mean, lambda ans, x, axis, keepdims: lambda g: _spread(g, x, axis, keepdims) * x.dtype.type(
    1 / max(_count(x, axis), 1)))


def _value(x: Any) -> Any:
    while hasattr(x, "_value"):
        x = x._value
    return x


def _extreme(function: Any) -> Any:
    @primitive
    def extreme(x: Any, axis: Axes, keepdims: bool) -> Any:
        with onp.errstate(all="ignore"):
            return function(x, axis=axis, keepdims=keepdims)

    def vjp(ans: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
        def spread(g: Any) -> Any:
            here = (_value(x) == _kept(_value(ans), x, axis, keepdims)).astype(x.dtype)
            share = here / onp.maximum(onp.sum(here, axis=axis, keepdims=True), 1).astype(x.dtype)
            return _kept(g, x, axis, keepdims) * share

        return spread

    defvjp(extreme, vjp)
    return extreme


@primitive
def prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    return onp.asarray(onp.prod(x, axis=axis, keepdims=keepdims, dtype=_wide(x.dtype))).astype(x.dtype, copy=False)


def _prod_vjp(ans: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
    """Each element's derivative is the product of all others, found from both sides so that zeros do no harm."""

    def vjp(g: Any) -> Any:
        rest = tuple(i for i in range(x.ndim) if i not in axis)
        moved = np.transpose(x, rest + axis)
        flat = np.reshape(moved, (*(x.shape[i] for i in rest), -1))
        count = flat.shape[-1]
        one = np.ones_like(flat[..., :1])
        left, right = [one], [one]
        for i in range(count - 1):
            left.append(left[-1] * flat[..., i : i + 1])
            right.append(right[-1] * flat[..., count - 1 - i : count - i])
        others = np.concatenate([a * b for a, b in zip(left, reversed(right))], axis=-1)
        back = np.transpose(np.reshape(others, moved.shape), onp.argsort(rest + axis))
        return _kept(g, x, axis, keepdims) * back

    return vjp


defvjp(prod, _prod_vjp)


def any_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return np.any(_value(x), axis=axis, keepdims=keepdims)


def all_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return np.all(_value(x), axis=axis, keepdims=keepdims)


KERNELS = {
    "sum": sum_,
    "mean": mean,
    "prod": prod,
    "max": _extreme(onp.max),
    "min": _extreme(onp.min),
    "any": any_,
    "all": all_,
    "argmax": lambda x, axis: onp.asarray(onp.argmax(_value(x), axis=axis)),
    "argmin": lambda x, axis: onp.asarray(onp.argmin(_value(x), axis=axis)),
}
