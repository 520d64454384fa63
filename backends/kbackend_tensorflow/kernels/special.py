"""Special functions that TensorFlow has itself; not erfinv, whose own is only good to 5e-17 absolutely near 0."""

from __future__ import annotations

import tensorflow as tf

KERNELS = {
    "arccosh": tf.acosh,
    "arcsinh": tf.asinh,
    "arctanh": tf.atanh,
    "digamma": tf.math.digamma,
    "erfc": tf.math.erfc,
    "lgamma": tf.math.lgamma,
}
