"""Activation kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def softmax(x: Any, axis: int) -> Any:
    return tf.nn.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int) -> Any:
    return tf.nn.log_softmax(x, axis=axis)


KERNELS: dict[str, Any] = {
    "rectify": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softsign": tf.nn.softsign,
}
