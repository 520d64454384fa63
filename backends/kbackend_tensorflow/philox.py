"""Philox4x32-10 words as TensorFlow tensors, by TensorFlow's stateless kernel."""

from typing import Any

import tensorflow as tf

PHILOX = 1  # tf.random.Algorithm.PHILOX as an attribute of the kernel
WORD = (1 << 32) - 1


def words(key: Any, stream: Any, shape: Any, first: Any = 0) -> tf.Tensor:
    """The first words of a Philox4x32-10 stream, as uint32, eagerly or inside a tf.function.

    `key`, `stream` and `first`, the low half of the first counter (with the number of a trial in its high word), are
    Python ints in [0, 2**64), or scalar int64 or uint64 tensors, whose 64 bits are used. A ValueError is raised for
    other ints. `shape` is a count, a sequence of sizes, or an integer tensor of either; words are in row-major order,
    the order of `kbackend.plugin.host.philox.words`.

    >>> [hex(word) for word in words(0, 0, 4).numpy()]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    shape = tf.convert_to_tensor(shape, None if tf.is_tensor(shape) else tf.int64)
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=tf.reshape(shape, [-1]) if shape.shape.rank != 1 else shape,
        key=tf.reshape(_unsigned(key, "key"), [1]),
        counter=tf.stack([_unsigned(first, "first"), _unsigned(stream, "stream")]),
        alg=PHILOX,
        dtype=tf.uint32,
    )


def _unsigned(value: Any, name: str) -> tf.Tensor:
    if isinstance(value, int):
        if not 0 <= value < 1 << 64:
            raise ValueError(f"philox: {name} {value} must be in [0, 2**64)")
        return tf.constant(value, tf.uint64)
    value = tf.convert_to_tensor(value)
    return value if value.dtype == tf.uint64 else tf.bitcast(value, tf.uint64)
