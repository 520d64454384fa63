"""Elementwise kernels."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

import tensorflow as tf

# ------------------------------------------------------------ gradients


def _binary(
    forward: Callable[..., Any], of_x: Callable[..., Any], of_y: Callable[..., Any]
) -> Callable[..., Any]:
    """A binary function with own gradients; ``of_x(g, x, y)`` is the gradient of ``x`` before it is unbroadcast."""

    @tf.custom_gradient
    def kernel(x: Any, y: Any) -> Any:
        def backward(g: Any) -> tuple[Any, Any]:
            g = tf.convert_to_tensor(g)  # that of a lookup of rows is none
            gradients = of_x(g, x, y), of_y(g, x, y)
            if x.shape == y.shape and x.shape.is_fully_defined():
                return gradients
            axes = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(x), s1=tf.shape(y))
            return tuple(tf.reshape(tf.reduce_sum(d, a), tf.shape(t)) for d, a, t in zip(gradients, axes, (x, y)))

        return forward(x, y), backward

    return kernel


def _share(wins: Callable[..., Any], reaches: Callable[..., Any], g: Any, x: Any, y: Any) -> Any:
    """The gradient where ``x`` is chosen, half of it where both are equal, else 0: of an infinite one too."""
    return tf.where(wins(x, y), g, tf.where(reaches(x, y), g * 0.5, tf.zeros((), g.dtype)))


def _choice(
    forward: Callable[..., Any], wins: Callable[..., Any], reaches: Callable[..., Any]
) -> Callable[..., Any]:
    """TensorFlow's gradient flows to the first of equal elements only."""
    of_floats = _binary(
        forward,
        lambda g, x, y: _share(wins, reaches, g, x, y),
        lambda g, x, y: _share(wins, reaches, g, y, x),
    )

    def kernel(x: Any, y: Any) -> Any:
        return of_floats(x, y) if x.dtype.is_floating else forward(x, y)

    return kernel


# ------------------------------------------------------------ powers


def _power_of_x(g: Any, x: Any, y: Any) -> Any:
    """TensorFlow's gradient of x ** 0 at 0 is 0 * inf = NaN."""
    one = tf.ones((), x.dtype)
    zero = tf.equal(y, 0)
    return g * y * power(tf.where(zero, one, x), tf.where(zero, one, y) - 1)


def _power_of_y(g: Any, x: Any, y: Any) -> Any:
    return g * tf.math.log(tf.where(tf.equal(x, 0), tf.ones((), x.dtype), x)) * power(x, y)


_power_of_floats = _binary(tf.pow, _power_of_x, _power_of_y)


def power(x: Any, y: Any) -> Any:
    return _power_of_floats(x, y) if x.dtype.is_floating else tf.pow(x, y)


def power_number(x: Any, exponent: float) -> Any:
    return tf.ones_like(x) if exponent == 0 else tf.pow(x, tf.constant(exponent, x.dtype))


# ------------------------------------------------------------ division


def floor_divide(x: Any, y: Any) -> Any:
    """Floor division as in Python: 1.0 // 0.1 is 9, where the floor of the rounded quotient is 10."""
    if not x.dtype.is_floating:
        return tf.math.floordiv(x, y)
    if x.dtype.size < 4:
        return tf.cast(floor_divide(tf.cast(x, tf.float32), tf.cast(y, tf.float32)), x.dtype)
    rest = tf.truncatemod(x, y)
    whole = tf.round((x - rest) / y)
    whole -= tf.cast(tf.not_equal(rest, 0) & tf.not_equal(rest < 0, y < 0), x.dtype)
    return tf.stop_gradient(tf.where(tf.equal(y, 0), x / y, whole))


# ------------------------------------------------------------ trigonometric functions


def _is_negative(x: Any) -> Any:
    """Whether the sign bit is set."""
    return (x < 0) | (1 / x < 0)


def _angle(y: Any, x: Any) -> Any:
    """TensorFlow's angle of (-0, 0) is 0 instead of pi."""
    on_axis = tf.where(_is_negative(x), tf.constant(pi, x.dtype), tf.zeros((), x.dtype))
    angle = tf.where(tf.equal(y, 0), on_axis, tf.atan2(tf.abs(y), x))
    return tf.where(_is_negative(y), -angle, angle)


atan2 = _binary(_angle, lambda g, y, x: g * x / (x * x + y * y), lambda g, y, x: -g * y / (x * x + y * y))

# ------------------------------------------------------------ the rest


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rounding function, which leaves integers unchanged."""

    def kernel(x: Any) -> Any:
        return function(x) if x.dtype.is_floating else x

    return kernel


def clip_range(x: Any, low: float | None, high: float | None) -> Any:
    """The gradient at an equal bound flows to the first operand, which is ``x``."""
    if high is not None:
        x = tf.minimum(x, tf.constant(high, x.dtype))
    return x if low is None else tf.maximum(x, tf.constant(low, x.dtype))


def erf(x: Any) -> Any:
    """TensorFlow's function of infinity is NaN in float64."""
    return (
        tf.where(tf.math.is_inf(x), tf.sign(x), tf.math.erf(x)) if x.dtype == tf.float64 else tf.math.erf(x)
    )


def _of_parts(function: Callable[..., Any], joined: Callable[..., Any]) -> Callable[..., Any]:
    """A predicate of floats, for complex numbers as well, which TensorFlow does not support."""

    def kernel(x: Any) -> Any:
        if not x.dtype.is_complex:
            return function(x)
        return joined(function(tf.math.real(x)), function(tf.math.imag(x)))

    return kernel


KERNELS = {
    "abs": tf.abs,
    "acos": tf.acos,
    "add": tf.add,
    "asin": tf.asin,
    "atan": tf.atan,
    "atan2": atan2,
    "bitwise_and": tf.bitwise.bitwise_and,
    "bitwise_not": tf.bitwise.invert,
    "bitwise_or": tf.bitwise.bitwise_or,
    "bitwise_xor": tf.bitwise.bitwise_xor,
    "ceil": _whole(tf.math.ceil),
    "clip_range": clip_range,
    "cos": tf.cos,
    "cosh": tf.cosh,
    "divide": tf.divide,
    "equal": tf.equal,
    "erf": erf,
    "exp": tf.exp,
    "expm1": tf.math.expm1,
    "floor": _whole(tf.floor),
    "floor_divide": floor_divide,
    "greater": tf.greater,
    "greater_equal": tf.greater_equal,
    "isfinite": _of_parts(tf.math.is_finite, tf.logical_and),
    "isinf": _of_parts(tf.math.is_inf, tf.logical_or),
    "isnan": _of_parts(tf.math.is_nan, tf.logical_or),
    "less": tf.less,
    "less_equal": tf.less_equal,
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "logical_and": tf.logical_and,
    "logical_not": tf.logical_not,
    "logical_or": tf.logical_or,
    "logical_xor": tf.math.logical_xor,
    "maximum": _choice(tf.maximum, tf.greater, tf.greater_equal),
    "minimum": _choice(tf.minimum, tf.less, tf.less_equal),
    "mod": tf.math.floormod,
    "multiply": tf.multiply,
    "negative": tf.negative,
    "not_equal": tf.not_equal,
    "pow": power,
    "power_number": power_number,
    "reciprocal": tf.math.reciprocal,
    "round": _whole(tf.round),
    "rsqrt": tf.math.rsqrt,
    "sign": tf.sign,
    "sin": tf.sin,
    "sinh": tf.sinh,
    "sqrt": tf.sqrt,
    "square": tf.square,
    "subtract": tf.subtract,
    "tan": tf.tan,
    "tanh": tf.tanh,
    "where": tf.where,
}
