"""Reduction kernels, with own derivatives: those of autograd are slow, return float64 or differ."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from math import prod as product
from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp
from autograd.tracer import isbox

from kbackend_numpy.recording import primitive

Axes = tuple[int, ...]
#: ufunc.reduce omits the checks of np.sum and np.prod; its stubs do not accept a plain bool
_add: Any = onp.add.reduce
_multiply: Any = onp.multiply.reduce
#: with as many, adding in blocks takes a few microseconds and keeps a digit
_MANY_ROWS = 512


def value_of(x: Any) -> Any:
    """The array inside any number of nested autograd boxes."""
    while isbox(x):
        x = x._value
    return x


def in_order(x: Any) -> Any:
    """The array inside boxes, in a dtype whose NaN NumPy sorts behind all numbers: bfloat16 becomes float32."""
    x = value_of(x)
    return x.astype(onp.float32) if x.dtype.kind == "V" else x


def wide(dtype: Any) -> Any:
    """The dtype in which values of ``dtype`` are accumulated."""
    return onp.dtype(onp.float32) if dtype.itemsize < 4 and dtype.kind not in "iub" else dtype


def kept(x: Any, shape: tuple[int, ...], axis: Axes) -> Any:
    """A reduced array with the reduced axes restored with size 1."""
    return np.reshape(x, tuple(1 if i in axis else d for i, d in enumerate(shape)))


def _total(x: Any, axis: Axes, keepdims: bool, dtype: Any) -> Any:
    """The sum over axes. NumPy adds the rows of leading axes one after the other, which loses digits where they are
    many: those of float32 are added in blocks first."""
    if x.size < _MANY_ROWS or dtype != onp.float32:
        return _add(x, axis=axis, keepdims=keepdims, dtype=dtype)
    rows = product(x.shape[: len(axis)])
    leading = axis == tuple(range(len(axis))) and len(axis) < x.ndim and x.flags.c_contiguous
    if not leading or rows < _MANY_ROWS:
        return _add(x, axis=axis, keepdims=keepdims, dtype=dtype)
    flat = x.reshape(rows, product(x.shape[len(axis) :]))
    block = isqrt(rows)
    whole = rows // block * block
    total = _add(_add(flat[:whole].reshape(-1, block, flat.shape[1]), axis=1, dtype=dtype), axis=0)
    if whole < rows:
        total += _add(flat[whole:], axis=0, dtype=dtype)
    return total.reshape((1,) * (len(axis) * keepdims) + x.shape[len(axis) :])


@primitive
def sum_(x: Any, axis: Axes, keepdims: bool) -> Any:
    dtype = wide(x.dtype)
    result = _total(x, axis, keepdims, dtype)
    return result if dtype == x.dtype else result.astype(x.dtype)


@primitive
def spread(g: Any, shape: tuple[int, ...], axis: Axes) -> Any:
    """A reduced array broadcast along the reduced axes."""
    if len(axis) == len(shape) and product(shape) < _MANY_ROWS:
        return onp.full(shape, g, g.dtype)  # in a third of the time of a view
    return onp.broadcast_to(g.reshape(tuple(1 if i in axis else d for i, d in enumerate(shape))), shape)


defvjp(sum_, lambda ans, x, axis, keepdims: lambda g: spread(g, x.shape, axis))
defvjp(spread, lambda ans, g, shape, axis: lambda h: np.reshape(sum_(h, axis, False), g.shape))


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """A gradient summed over the axes along which an operand of ``shape`` was broadcast."""
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    axes = (*range(extra), *(extra + i for i, d in enumerate(shape) if d == 1 and g.shape[extra + i] != 1))
    return np.reshape(sum_(g, axes, False), shape)


def _count(x: Any, axis: Axes) -> int:
    return product(x.shape[a] for a in axis)


@primitive
def mean(x: Any, axis: Axes, keepdims: bool) -> Any:
    total = _total(x, axis, keepdims, wide(x.dtype))
    result = total / _count(x, axis)
    return result if result.dtype == x.dtype else result.astype(x.dtype)


def _mean_vjp(ans: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
    count = max(_count(x, axis), 1)

    def vjp(g: Any) -> Any:
        # a count may be past the largest float16
        share = (g.astype(wide(g.dtype)) / count).astype(g.dtype) if g.dtype.itemsize < 4 else g / count
        return spread(share, x.shape, axis)

    return vjp


defvjp(mean, _mean_vjp)


@primitive
def prod(x: Any, axis: Axes, keepdims: bool) -> Any:
    dtype = wide(x.dtype)
    return _multiply(x, axis=axis, keepdims=keepdims, dtype=dtype).astype(x.dtype)


def _prod_vjp(ans: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
    """The derivative of each element is the product of those before and those after it, without division."""
    rest = tuple(i for i in range(x.ndim) if i not in axis)

    def vjp(g: Any) -> Any:
        moved = np.transpose(x, rest + axis)
        flat = np.reshape(moved, (*(x.shape[i] for i in rest), _count(x, axis)))
        others = _before(flat) * _reversed(_before(_reversed(flat, -1)), -1)
        back = np.transpose(np.reshape(others, moved.shape), onp.argsort(rest + axis))
        return spread(g, x.shape, axis) * back

    return vjp


def _before(x: Any) -> Any:
    """The exclusive cumulative product along the last axis."""
    if x.shape[-1] == 0:
        return x
    one = onp.ones((*x.shape[:-1], 1), x.dtype)
    return np.concatenate([one, cumprod(x[..., :-1], x.ndim - 1)], axis=-1)


defvjp(prod, _prod_vjp)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    @primitive
    def extreme(x: Any, axis: Axes, keepdims: bool) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    def vjp(ans: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
        def backward(g: Any) -> Any:
            plain = value_of(x)
            share = (plain == kept(value_of(ans), x.shape, axis)).astype(x.dtype)
            ties = _add(share, axis=axis, keepdims=True)
            return spread(g, x.shape, axis) * (share / ties)

        return backward

    defvjp(extreme, vjp)
    return extreme


def any_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return onp.any(value_of(x), axis=axis, keepdims=keepdims)


def all_(x: Any, axis: Axes, keepdims: bool) -> Any:
    return onp.all(value_of(x), axis=axis, keepdims=keepdims)


def argmax(x: Any, axis: int) -> Any:
    return onp.argmax(value_of(x), axis=axis)


def argmin(x: Any, axis: int) -> Any:
    return onp.argmin(value_of(x), axis=axis)


@primitive
def _reversed(x: Any, axis: int) -> Any:
    return onp.flip(x, axis)


defvjp(_reversed, lambda ans, x, axis: lambda g: _reversed(g, axis))


@primitive
def cumsum(x: Any, axis: int) -> Any:
    return onp.add.accumulate(x, axis=axis, dtype=wide(x.dtype)).astype(x.dtype, copy=False)


defvjp(cumsum, lambda ans, x, axis: lambda g: _reversed(cumsum(_reversed(g, axis), axis), axis))


@primitive
def cumprod(x: Any, axis: int) -> Any:
    return onp.multiply.accumulate(x, axis=axis, dtype=wide(x.dtype)).astype(x.dtype, copy=False)


def _cumprod_vjp(ans: Any, x: Any, axis: int) -> Any:
    """``d/dx[i]`` is the product before i times ``s[i] = g[i] + x[i+1] * s[i+1]``, which is right at zeros as well."""

    def vjp(g: Any) -> Any:
        count = x.shape[axis]
        if count == 0:
            return g
        x_last, g_last = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
        sums = [g_last[..., count - 1]]
        for i in range(count - 2, -1, -1):
            sums.append(g_last[..., i] + x_last[..., i + 1] * sums[-1])
        return np.moveaxis(np.stack(sums[::-1], axis=-1) * _before(x_last), -1, axis)

    return vjp


defvjp(cumprod, _cumprod_vjp)

KERNELS = {
    "all": all_,
    "any": any_,
    "argmax": argmax,
    "argmin": argmin,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "max": _extreme(onp.max),
    "mean": mean,
    "min": _extreme(onp.min),
    "prod": prod,
    "sum": sum_,
}
