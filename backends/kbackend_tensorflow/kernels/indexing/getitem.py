"""Basic indexing kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Specialized


def _getitem(specs: Any, index: tuple[Any, ...]) -> Any:
    plain = tuple(slice(*i) if isinstance(i, tuple) else i for i in index)
    if None not in index or not any(isinstance(i, int) for i in index):
        return lambda x: x[plain]
    return lambda x: _with_new_axes(x[tuple(i for i in plain if i is not None)], plain, x.shape.rank)


def _with_new_axes(taken: Any, index: tuple[Any, ...], rank: int) -> Any:
    """The elements that were taken, with the new axes of the index. Of a slice of a stack that takes one of its tensors
    and has new axes, TensorFlow's graph optimizer forgets the axes."""
    unnamed = rank - sum(i is not None and i is not Ellipsis for i in index)
    place = 0
    for entry in index:
        if entry is Ellipsis:
            place += unnamed
        elif entry is None:
            taken = tf.expand_dims(taken, place)
        place += not isinstance(entry, int) and entry is not Ellipsis
    return taken


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


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
}
