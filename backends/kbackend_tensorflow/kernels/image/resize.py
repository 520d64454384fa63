"""Resizing of images, one axis at a time; tf.image.resize returns float32 only and has another cubic kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kbackend.plugin.resampling import WINDOWS, taps


def resize(x: Any, sizes: Any = (), *, size: Any, interpolation: str, antialias: bool) -> Any:
    rest = iter(sizes)
    dtype = x.dtype
    narrow = interpolation != "nearest" and dtype.size < 4
    y = tf.cast(x, tf.float32) if narrow else x
    for axis, n in enumerate(size, start=1):
        new = _positive(tf.cast(next(rest), tf.int32)) if n is None else n
        old = tf.shape(y)[axis] if y.shape[axis] is None else y.shape[axis]
        if isinstance(old, int) and isinstance(new, int):
            if old != new:
                y = _resized(y, axis, *taps(old, new, interpolation, antialias))
        else:
            y = _resized(y, axis, *_symbolic_taps(old, new, interpolation))
    y = tf.cast(y, dtype) if narrow else y
    return tf.ensure_shape(y, [x.shape[0], *size, x.shape[-1]])


def _positive(size: Any) -> Any:
    message = tf.strings.format("a size must be positive, it is {}", (size,))
    with tf.control_dependencies([tf.debugging.Assert(size > 0, [message])]):
        return tf.identity(size)


def _resized(x: Any, axis: int, indices: Any, weights: Any) -> Any:
    if weights is None:
        return tf.gather(x, indices[0], axis=axis)
    rest = [1] * (x.shape.rank - 1 - axis)
    weights = tf.reshape(tf.cast(weights, x.dtype), tf.concat([tf.shape(weights), rest], 0))
    return tf.reduce_sum(tf.gather(x, indices, axis=axis) * weights, axis)


# ------------------------------------------------------------------------------ sizes that are tensors


def _symbolic_taps(old: Any, new: Any, interpolation: str) -> Any:
    """kbackend.plugin.resampling.taps for sizes that are tensors."""
    old, new = tf.cast(old, tf.int64), tf.cast(new, tf.int64)
    odd = 2 * tf.range(new) + 1
    if interpolation == "nearest":
        return (odd * old // (2 * new))[None], None
    radius, _ = WINDOWS[interpolation]
    centres = tf.cast(odd * old, tf.float64) / tf.cast(2 * new, tf.float64)
    first = tf.cast(tf.math.ceil(centres - radius - 0.5), tf.int64)
    indices = first + tf.range(2 * radius, dtype=tf.int64)[:, None]
    weights = _WINDOWS[interpolation](tf.abs(tf.cast(indices, tf.float64) + 0.5 - centres))
    weights *= tf.cast((indices >= 0) & (indices < old), tf.float64)
    return tf.clip_by_value(indices, 0, old - 1), weights / tf.reduce_sum(weights, 0)


def _cubic(x: Any) -> Any:
    near, far = (1.5 * x - 2.5) * x * x + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2
    return tf.where(x < 1, near, tf.where(x < 2, far, 0.0))


def _sinc(x: Any) -> Any:
    one = tf.ones_like(x)
    angle = math.pi * tf.where(x == 0, one, x)
    return tf.where(x == 0, one, tf.sin(angle) / angle)


def _lanczos(radius: int) -> Callable[[Any], Any]:
    return lambda x: tf.where(x < radius, _sinc(x) * _sinc(x / radius), 0.0)


_WINDOWS: dict[str, Callable[[Any], Any]] = {
    "bilinear": lambda x: tf.maximum(1 - x, 0),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}

KERNELS = {"resize": resize}
