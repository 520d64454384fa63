"""Sorting kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.kernels.indexing.top_k import in_order


def argsort(x: Any, axis: int) -> Any:
    last = x.shape.rank - 1
    if axis == last:
        return _order(x)
    forth = [*(i for i in range(last + 1) if i != axis), axis]
    back = [*range(axis), last, *range(axis, last)]
    return tf.transpose(_order(tf.transpose(x, forth)), back)


def _order(x: Any) -> Any:
    """The stable ascending order along the last axis: tf.math.top_k returns the first of equal elements first.

    Inverting the bits reverses the order of all integers, negation not that of the smallest. tf.argsort negates floats
    and does not define the order of NaN.
    """
    if x.dtype == tf.bool:
        x = tf.cast(x, tf.int32)
    numbers = in_order(x) if x.dtype.is_floating else x
    return tf.math.top_k(tf.bitwise.invert(numbers), tf.shape(x)[-1]).indices


KERNELS = {"argsort": argsort}
