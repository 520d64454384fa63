"""Searching kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.kernels.indexing.top_k import in_order


def _ordered(x: Any) -> Any:
    if x.dtype.is_floating:
        return in_order(x)
    return x if x.dtype in (tf.int32, tf.int64) else tf.cast(x, tf.int64)


def search_sorted(edges: Any, x: Any, side: str) -> Any:
    positions = tf.searchsorted(_ordered(edges), tf.reshape(_ordered(x), [-1]), side)
    return tf.reshape(positions, tf.shape(x))


def nonzero_rows(x: Any) -> Any:
    return tf.cast(tf.where(x), tf.int32)


KERNELS = {"nonzero_rows": nonzero_rows, "search_sorted": search_sorted}
