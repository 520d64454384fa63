"""Numbers times powers of two."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def ldexp(x: Any, power: Any) -> Any:
    if x.dtype not in (tf.float32, tf.float64):
        return tf.cast(ldexp(tf.cast(x, tf.float32), tf.cast(power, tf.float32)), x.dtype)
    integer, bits, zero = (tf.int32, 23, 127) if x.dtype == tf.float32 else (tf.int64, 52, 1023)
    exponent = tf.cast(power, integer) + zero
    return x * tf.bitcast(tf.bitwise.left_shift(exponent, tf.constant(bits, integer)), x.dtype)


KERNELS = {"ldexp": ldexp}
