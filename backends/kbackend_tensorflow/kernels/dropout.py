"""Dropout: masks from the words of one Philox stream."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.kernels.random import unit


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape = tf.shape(x)
    if noise_shape is not None:
        shape = tf.stack([shape[i] if n is None else n for i, n in enumerate(noise_shape)])
    drawn = unit(step, None, shape, key, op_id, "float32")
    rate = tf.stop_gradient(rate)
    rest = 1.0 - tf.cast(rate, tf.float64 if x.dtype == tf.float64 else tf.float32)
    scale = tf.cast(1.0 / tf.where(rest > 0, rest, tf.ones_like(rest)), x.dtype)
    mask = tf.cast(drawn >= tf.cast(rate, tf.float32), x.dtype) * scale
    return tf.ensure_shape(x * mask, x.shape)


KERNELS = {"dropout": dropout}
