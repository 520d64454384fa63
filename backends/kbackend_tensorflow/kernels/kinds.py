"""Copies."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def copy(x: Any) -> Any:
    """TensorFlow's tensors do not change, so that one memory may serve two."""
    return tf.identity(x)


KERNELS = {"copy": copy}
