"""Random kernels: numbers from the words of one Philox stream."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow import philox

_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


def random_unit(step: Any, sizes: Any = (), *, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    rest = iter(sizes)
    dims = [tf.cast(next(rest), tf.int32) if d is None else d for d in shape]
    wanted = tf.stack(dims) if sizes else tf.constant(dims, tf.int32, (len(dims),))
    unit = _unit(step, wanted, key, op_id, dtype)
    return tf.ensure_shape(unit, shape)


def _stream(op_id: int, step: Any) -> Any:
    """The high half of Philox' counter."""
    low = tf.bitwise.bitwise_and(tf.cast(step, tf.int64), 0xFFFFFFFF)
    return tf.bitwise.bitwise_or(tf.constant(op_id << 32, tf.uint64), tf.bitcast(low, tf.uint64))


def _unit(step: Any, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    where = _stream(op_id, step)
    if dtype == "float64":
        words = philox.words(key, where, tf.concat([shape, [2]], 0))
        high, low = tf.unstack(tf.cast(words, tf.float64), axis=-1)
        return (tf.floor(high * 2.0**-5) * 2.0**26 + tf.floor(low * 2.0**-6)) * 2.0**-53
    bits = _BITS[dtype]
    words = tf.bitwise.right_shift(philox.words(key, where, shape), tf.constant(32 - bits, tf.uint32))
    return tf.cast(tf.cast(words, tf.float32) * 2.0**-bits, dtype)


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape = tf.shape(x)
    if noise_shape is not None:
        shape = tf.stack([shape[i] if n is None else n for i, n in enumerate(noise_shape)])
    unit = _unit(step, shape, key, op_id, "float32")
    rate = tf.stop_gradient(rate)
    rest = 1.0 - tf.cast(rate, tf.float64 if x.dtype == tf.float64 else tf.float32)
    scale = tf.cast(1.0 / tf.where(rest > 0, rest, tf.ones_like(rest)), x.dtype)
    mask = tf.cast(unit >= tf.cast(rate, tf.float32), x.dtype) * scale
    return tf.ensure_shape(x * mask, x.shape)


KERNELS = {"random_unit": random_unit, "dropout": dropout}
