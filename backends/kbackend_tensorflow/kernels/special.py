"""Special functions that TensorFlow has itself."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def erfinv(x: Any) -> Any:
    """TensorFlow's own has no kernel for float16 on CPU."""
    return tf.math.erfinv(x) if x.dtype.size > 2 else tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype)


KERNELS = {
    "arccosh": tf.acosh,
    "arcsinh": tf.asinh,
    "arctanh": tf.atanh,
    "digamma": tf.math.digamma,
    "erfc": tf.math.erfc,
    "erfinv": erfinv,
    "lgamma": tf.math.lgamma,
}
