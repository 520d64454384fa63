"""Truncation, and mantissas and exponents of floats."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def frexp(x: Any) -> tuple[Any, Any]:
    if x.dtype not in (tf.float32, tf.float64):
        return tuple(tf.cast(part, x.dtype) for part in frexp(tf.cast(x, tf.float32)))
    integer, bits, bias = (tf.int32, 23, 126) if x.dtype == tf.float32 else (tf.int64, 52, 1022)
    pattern = tf.bitcast(x, integer)
    power = tf.bitwise.right_shift(pattern, tf.constant(bits, integer)) - bias
    fraction = tf.bitwise.bitwise_and(pattern, tf.constant((1 << bits) - 1, integer))
    mantissa = tf.bitwise.bitwise_or(fraction, tf.constant(bias << bits, integer))
    return tf.bitcast(mantissa, x.dtype), tf.cast(power, x.dtype)


def ldexp(x: Any, power: Any) -> Any:
    if x.dtype not in (tf.float32, tf.float64):
        return tf.cast(ldexp(tf.cast(x, tf.float32), tf.cast(power, tf.float32)), x.dtype)
    integer, bits, zero = (tf.int32, 23, 127) if x.dtype == tf.float32 else (tf.int64, 52, 1023)
    exponent = tf.cast(power, integer) + zero
    return x * tf.bitcast(tf.bitwise.left_shift(exponent, tf.constant(bits, integer)), x.dtype)


KERNELS = {
    "frexp": frexp,
    "ldexp": ldexp,
}
