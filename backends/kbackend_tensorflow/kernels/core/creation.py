"""Creation kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def fill(sizes: tuple[Any, ...], shape: tuple[int | None, ...], value: float, dtype: str) -> Any:
    rest = iter(sizes)
    dims = [tf.cast(next(rest), tf.int32) if d is None else d for d in shape]
    return tf.fill(dims, _value(value, dtype))


def _value(value: float, dtype: str) -> Any:
    return tf.cast(tf.constant(value, tf.float64), dtype)


def full_like(x: Any, value: float, dtype: str) -> Any:
    return (
        tf.fill(tf.shape(x), _value(value, dtype))
        if None in x.shape
        else tf.fill(x.shape, _value(value, dtype))
    )


KERNELS = {
    "fill": fill,
    "full_like": full_like,
}
