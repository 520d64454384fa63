"""One-hot encoding kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend_tensorflow.kernels.indexing.gather import _wide


def one_hot(indices: Any, num_classes: int, dtype: str) -> Any:
    return tf.one_hot(_wide(indices), num_classes, dtype=dtype)


KERNELS = {
    "one_hot": one_hot,
}
