"""Reduction kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def sum_(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return tf.reduce_sum(x, axis=axis, keepdims=keepdims)


KERNELS = {"sum": sum_}
