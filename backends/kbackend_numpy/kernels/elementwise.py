"""Elementwise kernels. Derivatives are our own where autograd's are slow, leak float64 or differ from the promise."""

from __future__ import annotations

from math import erf as scalar_erf
from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

from kbackend import dtypes


def _as(value: Any, like: Any) -> Any:
    return value.astype(like.dtype)


def cast(x: Any, dtype: str) -> Any:
    return x.astype(dtypes.numpy_dtype(dtype))


def _quiet(function: Any) -> Any:
    """NumPy's functions without warnings: the engines agree on NaN and Inf, and none of them warns."""

    def quiet(*args: Any) -> Any:
        with onp.errstate(all="ignore"):
            return function(*args)

    return quiet


# choice -------------------------------------------------------------------------------------------------------


@primitive
def maximum(x: Any, y: Any) -> Any:
    return onp.maximum(x, y)


@primitive
def minimum(x: Any, y: Any) -> Any:
    return onp.minimum(x, y)


def _share(wins: Any, other: Any, dtype: Any) -> Any:
    """1 where it wins, one half at a tie."""
    return (wins.astype(dtype) + (~other).astype(dtype)) * dtype.type(0.5)


def _choice(larger: bool) -> Any:
    def first(ans: Any, x: Any, y: Any) -> Any:
        wins, other = (x >= y, y >= x) if larger else (x <= y, y <= x)
        return unbroadcast_f(x, lambda g: g * _share(wins, other, ans.dtype))

    def second(ans: Any, x: Any, y: Any) -> Any:
        wins, other = (y >= x, x >= y) if larger else (y <= x, x <= y)
        return unbroadcast_f(y, lambda g: g * _share(wins, other, ans.dtype))

    return first, second


defvjp(maximum, *_choice(True))
defvjp(minimum, *_choice(False))


@primitive
def clip_range(x: Any, low: float, high: float) -> Any:
    return onp.clip(x, x.dtype.type(low), x.dtype.type(high))


def _clip_vjp(ans: Any, x: Any, low: float, high: float) -> Any:
    inside = ((x >= low) & (x <= high)).astype(x.dtype)
    return lambda g: g * inside


defvjp(clip_range, _clip_vjp)


# functions ----------------------------------------------------------------------------------------------------


@primitive
def tanh(x: Any) -> Any:
    return onp.tanh(x)


defvjp(tanh, lambda ans, x: lambda g: g * (1 - ans * ans))


@primitive
def absolute(x: Any) -> Any:
    return onp.abs(x)


defvjp(absolute, lambda ans, x: lambda g: g * np.sign(x))


@primitive
def sqrt(x: Any) -> Any:
    with onp.errstate(all="ignore"):
        return onp.sqrt(x)


@_quiet
def _half_over(g: Any, root: Any) -> Any:
    """g / (2 root), and 0 where g is 0 even if the root is 0."""
    zero = g == 0
    return np.where(zero, np.zeros_like(g), g * 0.5 / np.where(zero, np.ones_like(root), root))


defvjp(sqrt, lambda ans, x: lambda g: _half_over(g, ans if not hasattr(ans, "_value") else sqrt(x)))


@primitive
def power(x: Any, y: Any) -> Any:
    with onp.errstate(all="ignore"):
        return onp.power(x, y)


def _power_x(ans: Any, x: Any, y: Any) -> Any:
    def vjp(g: Any) -> Any:
        zero = y == 0
        return g * y * power(np.where(zero, np.ones_like(x), x), np.where(zero, np.ones_like(y), y) - 1)

    return unbroadcast_f(x, vjp)


def _power_y(ans: Any, x: Any, y: Any) -> Any:
    safe = np.where(x > 0, x, np.ones_like(x))
    return unbroadcast_f(y, lambda g: g * np.log(safe) * power(x, y))


defvjp(power, _power_x, _power_y)


def floor_divide(x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu" and onp.any(onp.equal(y, 0)):
        raise ZeroDivisionError("integer division by zero")
    return onp.floor_divide(x, y)


_erf = onp.frompyfunc(scalar_erf, 1, 1)


@primitive
def erf(x: Any) -> Any:
    return onp.asarray(_erf(x.astype(onp.float64)), onp.float64).astype(x.dtype)


defvjp(erf, lambda ans, x: lambda g: g * x.dtype.type(1.1283791670955126) * np.exp(-x * x))


@primitive
def where(condition: Any, x: Any, y: Any) -> Any:
    return onp.where(condition, x, y)


defvjp(where, None,
       lambda ans, c, x, y: unbroadcast_f(x, lambda g: where(c, g, np.zeros_like(g))),
       lambda ans, c, x, y: unbroadcast_f(y, lambda g: where(c, np.zeros_like(g), g)))


def _value(x: Any) -> Any:
    while hasattr(x, "_value"):
        x = x._value
    return x


def stop_gradient(x: Any) -> Any:
    return _value(x)


KERNELS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": _quiet(np.multiply),
    "divide": _quiet(np.true_divide),
    "floor_divide": floor_divide,
    "mod": _quiet(np.mod),
    "pow": power,
    "negative": np.negative,
    "abs": absolute,
    "sign": np.sign,
    "square": np.square,
    "sqrt": sqrt,
    "exp": _quiet(np.exp),
    "expm1": _quiet(np.expm1),
    "log": _quiet(np.log),
    "log1p": _quiet(np.log1p),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": tanh,
    "erf": erf,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "maximum": maximum,
    "minimum": minimum,
    "where": where,
    "clip_range": clip_range,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "cast": cast,
    "identity": lambda x: x,
    "stop_gradient": stop_gradient,
}
