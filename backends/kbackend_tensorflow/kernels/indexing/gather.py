"""Gathering kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

# ---------------------------------------------------------------------- rows of an index


def _wide(indices: Any) -> Any:
    return indices if indices.dtype in (tf.int32, tf.int64) else tf.cast(indices, tf.int64)


def gather(reference: Any, indices: Any) -> Any:
    return tf.gather(reference, _wide(indices))


def take_along_axis(x: Any, indices: Any, axis: int) -> Any:
    last = x.shape.rank - 1
    if axis == last:
        return tf.gather(x, _wide(indices), batch_dims=last)
    order = [i for i in range(last + 1) if i != axis]
    back = [*range(axis), last, *range(axis, last)]
    moved = tf.gather(
        tf.transpose(x, [*order, axis]), tf.transpose(_wide(indices), [*order, axis]), batch_dims=last
    )
    return tf.transpose(moved, back)


KERNELS = {
    "gather": gather,
    "take_along_axis": take_along_axis,
}
