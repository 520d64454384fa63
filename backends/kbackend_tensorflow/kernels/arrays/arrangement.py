"""Shape kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Specialized


def extent(x: Any, axes: tuple[int, ...]) -> Any:
    known = [x.shape[axis] for axis in axes]
    if None not in known:
        return tf.constant(_product(known), tf.int32)
    dims = tf.shape(x)
    return dims[axes[0]] if len(axes) == 1 else tf.reduce_prod(tf.gather(dims, axes))


def _product(dims: list[int]) -> int:
    result = 1
    for d in dims:
        result *= d
    return result


def _pattern(shape: tuple[Any, ...], sizes: tuple[Any, ...]) -> list[Any]:
    """The shape with each None replaced by the next size."""
    rest = iter(sizes)
    return [tf.cast(next(rest), tf.int32) if d is None else d for d in shape]


def reshape_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return tf.reshape(x, _pattern(shape, sizes))


def permute_dimensions(x: Any, pattern: tuple[int, ...]) -> Any:
    return tf.transpose(x, pattern)


def squeeze(x: Any, axis: int) -> Any:
    return tf.squeeze(x, [axis])


def broadcast_to(x: Any, sizes: tuple[Any, ...], shape: tuple[int | None, ...]) -> Any:
    return tf.broadcast_to(x, _pattern(shape, sizes))


def tile(x: Any, sizes: tuple[Any, ...], n: tuple[int | None, ...]) -> Any:
    return tf.tile(x, _pattern(n, sizes))


def _pad(specs: Any, padding: tuple[tuple[int, int], ...], value: float) -> Any:
    if not padding:
        return tf.identity
    dtype = tf.as_dtype(specs[0].dtype)
    filling = int(value) if dtype.is_integer else bool(value) if dtype.is_bool else value
    return lambda x: tf.pad(x, padding, constant_values=tf.constant(filling, x.dtype))


KERNELS: dict[str, Any] = {
    "shape": tf.shape,
    "extent": extent,
    "reshape": lambda x, shape: tf.reshape(x, shape),
    "reshape_to": reshape_to,
    "permute_dimensions": permute_dimensions,
    "expand_dims": lambda x, axis: tf.expand_dims(x, axis),
    "squeeze": squeeze,
    "reverse": lambda x, axes: tf.reverse(x, axes),
    "concatenate": lambda tensors, axis: tf.concat(tensors, axis),
    "stack": lambda x, axis: tf.stack(x, axis),
    "unstack": lambda x, axis: tf.unstack(x, axis=axis),
    "split": lambda x, sizes, axis: tf.split(x, sizes, axis),
    "broadcast_to": broadcast_to,
    "repeat_elements": lambda x, rep, axis: tf.repeat(x, rep, axis),
    "tile": tile,
    "pad": Specialized(_pad),
}
