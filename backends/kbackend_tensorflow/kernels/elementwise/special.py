"""Special functions of TensorFlow; not erfinv, which has an absolute error of 5e-17 near 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def _wide(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function computed in float32 for bfloat16, for which TensorFlow has no kernel."""

    def kernel(x: Any) -> Any:
        return tf.cast(function(tf.cast(x, tf.float32)), x.dtype) if x.dtype == tf.bfloat16 else function(x)

    return kernel


KERNELS = {
    "arccosh": tf.acosh,
    "arcsinh": tf.asinh,
    "arctanh": tf.atanh,
    "digamma": _wide(tf.math.digamma),
    "erfc": tf.math.erfc,
    "lgamma": _wide(tf.math.lgamma),
}
