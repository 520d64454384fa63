"""Basic indexing kernels."""

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


KERNELS = {
    "getitem": Specialized(_getitem),
    "getitem_at": Specialized(_getitem_at),
}
