"""The indices of the largest elements."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def in_order(x: Any) -> Any:
    """Integers in the order of the floats, with one value for both zeros and the largest for NaN.

    The bits of positive floats are in their order, those of negative ones in the reverse order. TensorFlow does not
    define the order of NaN.
    """
    if x.dtype.size < 4:
        x = tf.cast(x, tf.float32)
    kind = tf.int64 if x.dtype == tf.float64 else tf.int32
    bits = tf.bitcast(tf.where(x == 0, tf.zeros_like(x), x), kind)
    ordered = tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, kind.max), bits)
    return tf.where(tf.math.is_nan(x), tf.constant(kind.max, kind), ordered)


def top_indices(x: Any, k: int) -> Any:
    return tf.math.top_k(in_order(x) if x.dtype.is_floating else x, k).indices


KERNELS = {"top_indices": top_indices}
