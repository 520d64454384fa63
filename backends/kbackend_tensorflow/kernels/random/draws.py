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


def random_bits_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int
) -> Any:
    wanted = shape_vector(shape, sizes)
    bits = words_from_row(step, trial, wanted, key, op_id, row)
    return tf.ensure_shape(tf.cast(bits, tf.int64), shape)


def random_unit_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    return tf.ensure_shape(unit(step, trial, shape_vector(shape, sizes), key, op_id, dtype, row), shape)


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
    return philox.words(key, _stream(step, op_id), shape, _first(trial))


def words_from_row(step: Any, trial: Any, shape: Any, key: int, op_id: int, row: Any) -> Any:
    """Those of a draw from a row on."""
    count = tf.cast(tf.reduce_prod(shape), tf.int64)
    skipped = tf.cast(row, tf.int64) * tf.cast(tf.reduce_prod(shape[1:]), tf.int64)
    within = tf.bitwise.bitwise_and(skipped, tf.constant(3, tf.int64))
    first = _first(trial) + tf.bitcast(tf.bitwise.right_shift(skipped, tf.constant(2, tf.int64)), tf.uint64)
    found = philox.words(key, _stream(step, op_id), tf.reshape(count + within, [1]), first)
    return tf.reshape(found[within:], shape)


def _stream(step: Any, op_id: int) -> Any:
    return tf.bitwise.bitwise_or(tf.constant(op_id << 32, tf.uint64), _low_word(step))


def _first(trial: Any) -> Any:
    if trial is None:
        return tf.constant(0, tf.uint64)
    return tf.bitwise.left_shift(_low_word(trial), tf.constant(32, tf.uint64))


def _low_word(number: Any) -> Any:
    return tf.bitcast(tf.bitwise.bitwise_and(tf.cast(number, tf.int64), WORD), tf.uint64)


def unit(step: Any, trial: Any, shape: Any, key: int, op_id: int, dtype: str, row: Any = None) -> Any:
    """Floats in [0, 1) from the high bits of words; those of a draw from a row on."""

    def drawn(shape: Any) -> Any:
        if row is None:
            return words(step, trial, shape, key, op_id)
        return words_from_row(step, trial, shape, key, op_id, row)

    if dtype == "float64":
        pairs = drawn(tf.concat([shape, [2]], 0))
        high, low = tf.unstack(tf.cast(pairs, tf.float64), axis=-1)
        return (tf.floor(high * 2.0**-5) * 2.0**26 + tf.floor(low * 2.0**-6)) * 2.0**-53
    bits = _BITS[dtype]
    high = tf.bitwise.right_shift(drawn(shape), tf.constant(32 - bits, tf.uint32))
    return tf.cast(tf.cast(high, tf.float32) * 2.0**-bits, dtype)


KERNELS = {
    "random_bits": random_bits,
    "random_bits_from_row": random_bits_from_row,
    "random_unit": random_unit,
    "random_unit_from_row": random_unit_from_row,
}
