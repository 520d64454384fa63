"""Activation kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kbackend.plugin.contract import Specialized
from kbackend_tensorflow import abilities
from kbackend_tensorflow.presumed.finite import repaired


def _elu(specs: Any, alpha: float) -> Callable[[Any], Any]:
    if alpha == 1:
        return tf.nn.elu

    def elu(x: Any) -> Any:
        return tf.where(x < 0, tf.nn.elu(x) * alpha, x)

    return elu


def _leaky_relu(specs: Any, negative_slope: float) -> Callable[[Any], Any]:
    """tf.nn.leaky_relu, except in float64, where it would round the slope to float32."""
    if specs[0].dtype != "float64":
        return lambda x: tf.nn.leaky_relu(x, negative_slope)
    return lambda x: tf.where(x > 0, x, x * negative_slope)


def log_softmax(x: Any, axis: int) -> Any:
    return tf.nn.log_softmax(x, axis=axis)


def _softmax(specs: Any, axis: int) -> Callable[[Any], Any]:
    last = axis in (-1, specs[0].ndim - 1)

    def softmax(x: Any) -> Any:
        y = tf.raw_ops.Softmax(logits=x) if last else tf.nn.softmax(x, axis=axis)
        if tf.executing_eagerly() and y.device.endswith("CPU:0") and not _has_nan(y):
            return y
        return y if abilities.softmax_spreads_nan(x.dtype) else _nan_throughout(y, axis)

    return softmax


def _has_nan(y: Any) -> bool:
    """Whether results of softmax have NaN among them; to look at values on the host takes less than an operation."""
    values = np.asarray(y)
    total = np.vdot(values, values) if values.dtype.char in "fd" else values.sum(dtype=np.float32)
    return math.isnan(total)


def _nan_throughout(y: Any, axis: int) -> Any:
    """``y`` with NaN along the whole axis wherever one element is NaN."""
    if tf.executing_eagerly():
        return _spread(y, axis)

    if y.shape.rank > 2:
        # The sum is finite unless there is a NaN, and costs a third of `_spread` for the many rows of an attention.
        return repaired(y, tf.reduce_sum(y), lambda: _spread(y, axis))

    @tf.custom_gradient
    def repair(y: Any) -> Any:
        return _spread(y, axis), lambda gradient: gradient

    return repair(y)


def _spread(y: Any, axis: int) -> Any:
    return y + 0 * tf.reduce_sum(y, axis=axis, keepdims=True)


KERNELS: dict[str, Any] = {
    "elu": Specialized(_elu),
    "leaky_relu": Specialized(_leaky_relu),
    "log_softmax": log_softmax,
    "relu": tf.nn.relu,
    "selu": tf.nn.selu,
    "sigmoid": tf.sigmoid,
    "softmax": Specialized(_softmax),
    "softplus": tf.nn.softplus,
}
