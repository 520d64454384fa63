"""Range kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return tf.cast(tf.range(start, stop, step), dtype)


KERNELS = {
    "arange": arange,
}
