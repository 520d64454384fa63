"""Elementwise kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def cast(x: Any, dtype: str) -> Any:
    return tf.cast(x, dtype)


KERNELS = {
    "add": tf.add,
    "multiply": tf.multiply,
    "tanh": tf.tanh,
    "cast": cast,
}
