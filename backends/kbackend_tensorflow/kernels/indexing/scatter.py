"""Scattering kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Specialized

_FUNCTIONS = {
    "sum": tf.math.unsorted_segment_sum,
    "prod": tf.math.unsorted_segment_prod,
    "max": tf.math.unsorted_segment_max,
    "min": tf.math.unsorted_segment_min,
}


def _segment_reduce(specs: Any, shape: tuple[int | None, ...], reduction: str) -> Any:
    (known,) = shape
    function = _FUNCTIONS[reduction]
    extreme = reduction in ("max", "min") and specs[0].dtype.startswith(("float", "bfloat"))

    def segment_reduce(data: Any, ids: Any, sizes: tuple[Any, ...]) -> Any:
        count = tf.cast(sizes[0], tf.int32) if known is None else known
        if ids.dtype not in (tf.int32, tf.int64):
            ids = tf.cast(ids, tf.int64)
        ids = tf.where(ids < tf.cast(count, ids.dtype), ids, -tf.ones_like(ids))
        if known:
            found = function(data, ids, count)
            return _with_infinities(found, data, ids, count, reduction) if extreme else found
        some = tf.maximum(count, 1)  # the gradients gather rows of the result, of which there must be one
        found = function(data, ids, some)
        return (_with_infinities(found, data, ids, some, reduction) if extreme else found)[:count]

    return segment_reduce


def _with_infinities(extremes: Any, data: Any, ids: Any, count: Any, reduction: str) -> Any:
    """TensorFlow's extremes start from the largest finite number and ignore NaN."""
    worst = tf.constant(float("-inf") if reduction == "max" else float("inf"), data.dtype)

    def holds(mask: Any) -> Any:
        return tf.math.unsorted_segment_max(tf.cast(mask, tf.int32), ids, count) > 0

    extremes = tf.where(holds((data != worst) & ~tf.math.is_nan(data)), extremes, worst)
    return tf.where(holds(tf.math.is_nan(data)), tf.constant(float("nan"), data.dtype), extremes)


KERNELS = {"segment_reduce": Specialized(_segment_reduce)}
