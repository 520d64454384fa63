"""Random kernels: integers and floats from the words of a Philox stream."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow import philox

_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}
WORD = 0xFFFFFFFF


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    bits = words(step, trial, shape_vector(shape, sizes), key, op_id)
    return tf.ensure_shape(tf.cast(bits, tf.int64), shape)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    return tf.ensure_shape(unit(step, trial, shape_vector(shape, sizes), key, op_id, dtype), shape)


def shape_vector(shape: Any, sizes: Any) -> Any:
    """The shape as an int32 vector, with the unknown dimensions from ``sizes``."""
    rest = iter(sizes)
    dims = [tf.cast(next(rest), tf.int32) if d is None else d for d in shape]
    return tf.stack(dims) if sizes else tf.constant(dims, tf.int32, (len(dims),))


def words(step: Any, trial: Any, shape: Any, key: int, op_id: int) -> Any:
    """uint32 words of the stream of an op at a step, in the counters of a trial."""
    stream = tf.bitwise.bitwise_or(tf.constant(op_id << 32, tf.uint64), _low_word(step))
    first = 0 if trial is None else tf.bitwise.left_shift(_low_word(trial), tf.constant(32, tf.uint64))
    return philox.words(key, stream, shape, first)


def _low_word(number: Any) -> Any:
    return tf.bitcast(tf.bitwise.bitwise_and(tf.cast(number, tf.int64), WORD), tf.uint64)


def unit(step: Any, trial: Any, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    """Floats in [0, 1) from the high bits of words."""
    if dtype == "float64":
        pairs = words(step, trial, tf.concat([shape, [2]], 0), key, op_id)
        high, low = tf.unstack(tf.cast(pairs, tf.float64), axis=-1)
        return (tf.floor(high * 2.0**-5) * 2.0**26 + tf.floor(low * 2.0**-6)) * 2.0**-53
    bits = _BITS[dtype]
    high = tf.bitwise.right_shift(words(step, trial, shape, key, op_id), tf.constant(32 - bits, tf.uint32))
    return tf.cast(tf.cast(high, tf.float32) * 2.0**-bits, dtype)


KERNELS = {
    "random_bits": random_bits,
    "random_unit": random_unit,
}
