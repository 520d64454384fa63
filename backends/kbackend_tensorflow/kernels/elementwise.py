"""Elementwise kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def cast(x: Any, dtype: str) -> Any:
    return tf.cast(x, dtype)


def maximum(x: Any, y: Any) -> Any:
    """Half of the gradient to each at a tie; TensorFlow's own gives all of it to the first."""
    if not x.dtype.is_floating:
        return tf.maximum(x, y)
    return tf.where((x > y) | tf.math.is_nan(x), x, tf.where(x == y, x * 0.5 + y * 0.5, y))


def minimum(x: Any, y: Any) -> Any:
    if not x.dtype.is_floating:
        return tf.minimum(x, y)
    return tf.where((x < y) | tf.math.is_nan(x), x, tf.where(x == y, x * 0.5 + y * 0.5, y))


def power(x: Any, y: Any) -> Any:
    """The gradient of x ** 0 is 0 at 0; TensorFlow's own gives 0 * inf = NaN."""
    if not x.dtype.is_floating:
        check = tf.debugging.Assert(tf.reduce_all(y >= 0), ["ValueError: an integer to a negative power"])
        with tf.control_dependencies([] if check is None else [check]):
            return tf.pow(x, y)
    corner = (x == 0) & (y == 0)
    return tf.pow(tf.where(corner, tf.ones_like(x), x), y)


def floor_divide(x: Any, y: Any) -> Any:
    if x.dtype.is_floating:
        return tf.math.floordiv(x, y)
    check = tf.debugging.Assert(tf.reduce_all(y != 0), ["ZeroDivisionError: integer division by zero"])
    with tf.control_dependencies([] if check is None else [check]):
        return tf.math.floordiv(x, tf.where(y == 0, tf.ones_like(y), y))


@tf.custom_gradient
def round_(x: Any) -> Any:
    return tf.round(x), lambda g: tf.zeros_like(g)


def clip_range(x: Any, low: float, high: float) -> Any:
    return tf.clip_by_value(x, tf.constant(low, x.dtype), tf.constant(high, x.dtype))


KERNELS = {
    "add": tf.add,
    "subtract": tf.subtract,
    "multiply": tf.multiply,
    "divide": tf.divide,
    "floor_divide": floor_divide,
    "mod": tf.math.floormod,
    "pow": power,
    "negative": tf.negative,
    "abs": tf.abs,
    "sign": tf.sign,
    "square": tf.square,
    "sqrt": tf.sqrt,
    "rsqrt": tf.math.rsqrt,
    "reciprocal": tf.math.reciprocal,
    "exp": tf.exp,
    "expm1": tf.math.expm1,
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "sin": tf.sin,
    "cos": tf.cos,
    "tanh": tf.tanh,
    "erf": tf.math.erf,
    "floor": tf.floor,
    "ceil": tf.math.ceil,
    "round": round_,
    "maximum": maximum,
    "minimum": minimum,
    "where": tf.where,
    "clip_range": clip_range,
    "equal": tf.equal,
    "not_equal": tf.not_equal,
    "greater": tf.greater,
    "greater_equal": tf.greater_equal,
    "less": tf.less,
    "less_equal": tf.less_equal,
    "logical_and": tf.logical_and,
    "logical_or": tf.logical_or,
    "logical_xor": tf.math.logical_xor,
    "logical_not": tf.logical_not,
    "isnan": tf.math.is_nan,
    "isfinite": tf.math.is_finite,
    "cast": cast,
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
}
