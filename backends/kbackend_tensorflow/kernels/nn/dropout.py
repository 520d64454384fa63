"""The kernel of dropout, with masks from the words of a Philox stream."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.kernels.random.draws import WORD, words, words_from_row


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape = _mask_shape(x, noise_shape)
    return _masked(x, rate, words(step, None, shape, key, op_id))


def dropout_from_row(
    x: Any, rate: Any, step: Any, row: Any, *, noise_shape: Any = None, key: int, op_id: int
) -> Any:
    return _masked(x, rate, words_from_row(step, None, _mask_shape(x, noise_shape), key, op_id, row))


def _mask_shape(x: Any, noise_shape: Any) -> Any:
    shape = tf.shape(x)
    if noise_shape is not None:
        shape = tf.stack([shape[i] if n is None else n for i, n in enumerate(noise_shape)])
    return shape


def _masked(x: Any, rate: Any, drawn: Any) -> Any:
    rate = tf.stop_gradient(rate)
    # Words are compared as integers, which saves the two passes that convert them to [0, 1).
    kept = drawn >= _threshold(tf.cast(rate, tf.float32))
    rest = 1.0 - tf.cast(rate, tf.float64 if x.dtype == tf.float64 else tf.float32)
    scale = tf.where(rest > 0, 1.0 / rest, tf.zeros_like(rest))
    return tf.ensure_shape(x * (tf.cast(kept, x.dtype) * tf.cast(scale, x.dtype)), x.shape)


def _threshold(rate: Any) -> Any:
    """The smallest word whose high 24 bits divided by 2**24 are at least the rate.

    At a rate of 1 there is none; the largest word serves, since the scale is 0.
    """
    least = tf.cast(tf.math.ceil(tf.clip_by_value(rate, 0.0, 1.0) * 2.0**24), tf.int64)
    return tf.cast(tf.minimum(least * 256, WORD), tf.uint32)


KERNELS = {"dropout": dropout, "dropout_from_row": dropout_from_row}
