"""Elementwise kernels, with own derivatives where those of autograd are slow, return float64 or differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp

from kbackend_numpy import special
from kbackend_numpy.kernels.elementwise.complex import modulus
from kbackend_numpy.kernels.reduction.reductions import unbroadcast, value_of
from kbackend_numpy.masked import kept
from kbackend_numpy.recording import primitive

Vjp = Callable[[Any], Any]


def smooth(function: Callable[..., Any], derivative: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A unary function with the derivative ``derivative(result, x)``."""

    @primitive
    def kernel(x: Any) -> Any:
        return function(x)

    defvjp(kernel, lambda ans, x: lambda g: g * derivative(ans, x))
    return kernel


def _flat(function: Callable[..., Any], keeps_integers: bool = False) -> Callable[..., Any]:
    """A function without gradient."""

    def kernel(*operands: Any) -> Any:
        plain = [value_of(x) for x in operands]
        if keeps_integers and plain[0].dtype.kind in "iu":
            return plain[0]
        return function(*plain)

    return kernel


# ------------------------------------------------------------ arithmetic


def _binary(
    function: Callable[..., Any], of_x: Callable[..., Any], of_y: Callable[..., Any]
) -> Callable[..., Any]:
    """A binary function; ``of_x(g, result, x, y)`` is the gradient of ``x`` before it is unbroadcast."""

    @primitive
    def kernel(x: Any, y: Any) -> Any:
        return function(x, y)

    defvjp(
        kernel,
        lambda ans, x, y: lambda g: unbroadcast(of_x(g, ans, x, y), x.shape),
        lambda ans, x, y: lambda g: unbroadcast(of_y(g, ans, x, y), y.shape),
    )
    return kernel


add = _binary(onp.add, lambda g, ans, x, y: g, lambda g, ans, x, y: g)
subtract = _binary(onp.subtract, lambda g, ans, x, y: g, lambda g, ans, x, y: -g)
multiply = _binary(onp.multiply, lambda g, ans, x, y: g * y, lambda g, ans, x, y: g * x)
divide = _binary(onp.true_divide, lambda g, ans, x, y: g / y, lambda g, ans, x, y: -(g / y) * (x / y))


def _checked(x: Any, y: Any) -> None:
    if x.dtype.kind in "iu" and x.size and not onp.all(value_of(y)):
        raise ZeroDivisionError("an integer is divided by zero")


def floor_divide(x: Any, y: Any) -> Any:
    _checked(x, y)
    return onp.floor_divide(value_of(x), value_of(y))


_float_mod = _binary(onp.mod, lambda g, ans, x, y: g, lambda g, ans, x, y: -g * floor_divide(x, y))


def mod(x: Any, y: Any) -> Any:
    _checked(x, y)
    return _float_mod(x, y)


def _power_of_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
    zero = value_of(y) == 0
    one = onp.ones((), x.dtype)
    return g * y * power(where(zero, one, x), where(zero, one, y) - 1)


def _power_of_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
    return g * np.log(where(value_of(x) == 0, onp.ones((), x.dtype), x)) * ans


power = _binary(onp.power, _power_of_x, _power_of_y)


@primitive
def power_number(x: Any, exponent: float) -> Any:
    # NumPy makes float32 of bfloat16 and a number
    return x * x * x if exponent == 3 else onp.power(x, exponent).astype(x.dtype, copy=False)


def _power_number_vjp(ans: Any, x: Any, exponent: float) -> Vjp:
    if exponent == 0:
        return lambda g: np.zeros_like(g)
    return lambda g: g * exponent if exponent == 1 else g * (exponent * power_number(x, exponent - 1))


defvjp(power_number, _power_number_vjp)


def _chosen(
    function: Callable[..., Any], wins: Callable[..., Any], reaches: Callable[..., Any]
) -> Callable[..., Any]:
    """The maximum or minimum of two: the gradient flows to the chosen one, half of it to each if they are equal."""

    def of_x(g: Any, ans: Any, x: Any, y: Any) -> Any:
        x, y = value_of(x), value_of(y)
        share = (wins(x, y).astype(ans.dtype) + ans.dtype.type(1)) * ans.dtype.type(0.5)
        return kept(g * share, reaches(x, y))

    def of_y(g: Any, ans: Any, x: Any, y: Any) -> Any:
        return of_x(g, ans, y, x)

    return _binary(function, of_x, of_y)


def _root_gradient(g: Any, root: Any) -> Any:
    """``g / (2 * root)``, and 0 where g is 0 even if the root is 0 (docs/semantics.md, row 62)."""
    nothing = (value_of(g) == 0) & (value_of(root) == 0)
    return g * 0.5 / where(nothing, onp.ones((), root.dtype), root)


@primitive
def sqrt(x: Any) -> Any:
    return onp.sqrt(x)


defvjp(sqrt, lambda ans, x: lambda g: _root_gradient(g, ans))


@primitive
def _tanh_gradient(g: Any, y: Any) -> Any:
    """``g * (1 - y * y)`` in one new array."""
    result = onp.multiply(y, y)
    result = onp.subtract(1, result, out=result if isinstance(result, onp.ndarray) else None)
    result *= g
    return result


defvjp(
    _tanh_gradient,
    lambda ans, g, y: lambda h: _tanh_gradient(h, y),
    lambda ans, g, y: lambda h: -2 * y * g * h,
)


@primitive
def tanh(x: Any) -> Any:
    return onp.tanh(x)


defvjp(tanh, lambda ans, x: lambda g: _tanh_gradient(g, ans))


# ------------------------------------------------------------ selection


@primitive
def where(condition: Any, x: Any, y: Any) -> Any:
    return onp.where(condition, x, y)


def _zero(g: Any) -> Any:
    return onp.zeros((), g.dtype)


defvjp(
    where,
    None,
    lambda ans, c, x, y: lambda g: unbroadcast(where(c, g, _zero(g)), x.shape),
    lambda ans, c, x, y: lambda g: unbroadcast(where(c, _zero(g), g), y.shape),
)


@primitive
def clip_range(x: Any, low: float | None, high: float | None) -> Any:
    result = onp.array(x) if low is None and high is None else onp.clip(x, low, high)
    return result if result.dtype == x.dtype else result.astype(x.dtype)  # float32 of bfloat16 and a number


def _clip_vjp(ans: Any, x: Any, low: float | None, high: float | None) -> Vjp:
    def vjp(g: Any) -> Any:
        plain = value_of(x)
        inside: Any = True if low is None else plain >= low
        inside = inside if high is None else inside & (plain <= high)
        return g if inside is True else kept(g, inside)

    return vjp


defvjp(clip_range, _clip_vjp)


# ------------------------------------------------------------ absolute values


_absolute = smooth(onp.absolute, lambda ans, x: onp.sign(value_of(x)))


def absolute(x: Any) -> Any:
    return modulus(x) if x.dtype.kind == "c" else _absolute(x)


_TWO_OVER_ROOT_PI = 1.1283791670955126


KERNELS = {
    "abs": absolute,
    "acos": smooth(onp.arccos, lambda ans, x: -1 / sqrt(1 - x * x)),
    "add": add,
    "asin": smooth(onp.arcsin, lambda ans, x: 1 / sqrt(1 - x * x)),
    "atan": smooth(onp.arctan, lambda ans, x: 1 / (1 + x * x)),
    "atan2": _binary(
        onp.arctan2,
        lambda g, ans, y, x: g * x / (x * x + y * y),
        lambda g, ans, y, x: -g * y / (x * x + y * y),
    ),
    "bitwise_and": onp.bitwise_and,
    "bitwise_not": onp.invert,
    "bitwise_or": onp.bitwise_or,
    "bitwise_xor": onp.bitwise_xor,
    "ceil": _flat(onp.ceil, keeps_integers=True),
    "clip_range": clip_range,
    "cos": smooth(onp.cos, lambda ans, x: -np.sin(x)),
    "cosh": smooth(onp.cosh, lambda ans, x: np.sinh(x)),
    "divide": divide,
    "equal": _flat(onp.equal),
    "erf": smooth(special.erf, lambda ans, x: _TWO_OVER_ROOT_PI * np.exp(-x * x)),
    "exp": smooth(onp.exp, lambda ans, x: ans),
    "expm1": smooth(onp.expm1, lambda ans, x: ans + 1),
    "floor": _flat(onp.floor, keeps_integers=True),
    "floor_divide": floor_divide,
    "greater": _flat(onp.greater),
    "greater_equal": _flat(onp.greater_equal),
    "isfinite": _flat(onp.isfinite),
    "isinf": _flat(onp.isinf),
    "isnan": _flat(onp.isnan),
    "less": _flat(onp.less),
    "less_equal": _flat(onp.less_equal),
    "log": smooth(onp.log, lambda ans, x: 1 / x),
    "log1p": smooth(onp.log1p, lambda ans, x: 1 / (1 + x)),
    "logical_and": onp.logical_and,
    "logical_not": onp.logical_not,
    "logical_or": onp.logical_or,
    "logical_xor": onp.logical_xor,
    "maximum": _chosen(onp.maximum, onp.greater, onp.greater_equal),
    "minimum": _chosen(onp.minimum, onp.less, onp.less_equal),
    "mod": mod,
    "multiply": multiply,
    "negative": smooth(onp.negative, lambda ans, x: -1),
    "not_equal": _flat(onp.not_equal),
    "pow": power,
    "power_number": power_number,
    "reciprocal": smooth(lambda x: onp.divide(1, x), lambda ans, x: -ans * ans),
    "round": _flat(onp.round, keeps_integers=True),
    "sign": _flat(onp.sign),
    "sin": smooth(onp.sin, lambda ans, x: np.cos(x)),
    "sinh": smooth(onp.sinh, lambda ans, x: np.cosh(x)),
    "sqrt": sqrt,
    "square": smooth(onp.square, lambda ans, x: 2 * x),
    "subtract": subtract,
    "tan": smooth(onp.tan, lambda ans, x: 1 + ans * ans),
    "tanh": tanh,
    "where": where,
}
