"""Bitwise functions, and functions of integers and of the bits of floats."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.grappler import with_graphs


def gcd(x: Any, y: Any) -> Any:
    """The Euclidean algorithm on all pairs at once."""

    def left(a: Any, b: Any) -> Any:
        return tf.reduce_any(tf.not_equal(b, 0))

    def step(a: Any, b: Any) -> tuple[Any, Any]:
        is_done = tf.equal(b, 0)
        rest = tf.math.floormod(a, tf.where(is_done, tf.ones_like(b), b))
        return tf.where(is_done, a, b), tf.where(is_done, b, rest)

    shape = tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))
    static = tf.broadcast_static_shape(x.shape, y.shape)
    pair = [tf.ensure_shape(tf.broadcast_to(t, shape), static) for t in (x, y)]
    divisor, _ = with_graphs(tf.while_loop, left, step, pair)
    return divisor if x.dtype.is_unsigned else tf.abs(divisor)


def view(x: Any, dtype: str) -> Any:
    """tf.bitcast adds or removes an axis where NumPy's view changes the size of the last one."""
    wanted = tf.as_dtype(dtype)
    if x.dtype.size == wanted.size:
        return tf.bitcast(x, wanted)
    lead, last = tf.shape(x)[:-1], tf.shape(x)[-1]
    if x.dtype.size > wanted.size:
        return tf.reshape(tf.bitcast(x, wanted), tf.concat([lead, [last * (x.dtype.size // wanted.size)]], 0))
    parts = wanted.size // x.dtype.size
    return tf.bitcast(tf.reshape(x, tf.concat([lead, [last // parts, parts]], 0)), wanted)


KERNELS = {
    "gcd": gcd,
    "left_shift": tf.bitwise.left_shift,
    "right_shift": tf.bitwise.right_shift,
    "view": view,
}
