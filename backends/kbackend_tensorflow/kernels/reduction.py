"""Reduction kernels."""

from __future__ import annotations

from typing import Any, Callable

import tensorflow as tf

Axes = tuple[int, ...]
_SMALL = (tf.float16, tf.bfloat16)


def _accumulating(function: Callable[..., Any]) -> Callable[..., Any]:
    """Small floats are accumulated in float32."""

    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        if x.dtype in _SMALL:
            return tf.cast(function(tf.cast(x, tf.float32), axis=axis, keepdims=keepdims), x.dtype)
        return function(x, axis=axis, keepdims=keepdims)

    return kernel


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    return kernel


def _logical(function: Callable[..., Any]) -> Callable[..., Any]:
    def kernel(x: Any, axis: Axes, keepdims: bool) -> Any:
        return function(x if x.dtype == tf.bool else x != 0, axis=axis, keepdims=keepdims)

    return kernel


def _position(function: Callable[..., Any]) -> Callable[..., Any]:
    """The first NaN wins; -0 equals 0."""

    def kernel(x: Any, axis: int) -> Any:
        if not x.dtype.is_floating:
            return function(x, axis=axis)
        missing = tf.math.is_nan(x)
        found = function(x + 0.0, axis=axis)
        first = tf.argmax(tf.cast(missing, tf.int32), axis=axis)
        return tf.where(tf.reduce_any(missing, axis=axis), first, found)

    return kernel


KERNELS = {
    "sum": _accumulating(tf.reduce_sum),
    "mean": _accumulating(tf.reduce_mean),
    "prod": _accumulating(tf.reduce_prod),
    "max": _plain(tf.reduce_max),
    "min": _plain(tf.reduce_min),
    "any": _logical(tf.reduce_any),
    "all": _logical(tf.reduce_all),
    "argmax": _position(tf.argmax),
    "argmin": _position(tf.argmin),
}
