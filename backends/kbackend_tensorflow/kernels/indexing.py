"""Indexing kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Specialized


def _getitem(specs: Any, index: tuple[Any, ...]) -> Any:
    plain = tuple(slice(*i) if isinstance(i, tuple) else i for i in index)
    return lambda x: x[plain]


def _getitem_at(specs: Any, index: tuple[Any, ...]) -> Any:
    def getitem_at(x: Any, bounds: tuple[Any, ...]) -> Any:
        rest = iter([tf.cast(b, tf.int32) for b in bounds])
        return x[
            tuple(
                slice(*(next(rest) if b == "?" else b for b in i))
                if isinstance(i, tuple)
                else next(rest)
                if i == "?"
                else i
                for i in index
            )
        ]

    return getitem_at


# ---------------------------------------------------------------------- by number


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


def one_hot(indices: Any, num_classes: int, dtype: str) -> Any:
    return tf.one_hot(_wide(indices), num_classes, dtype=dtype)


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
    "gather": gather,
    "take_along_axis": take_along_axis,
    "one_hot": one_hot,
}
