"""Kernels of complex numbers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_SMALL = (tf.float16, tf.bfloat16)


def complex_(x: Any, y: Any) -> Any:
    if x.dtype in _SMALL:
        x, y = tf.cast(x, tf.float32), tf.cast(y, tf.float32)
    return tf.complex(x, y)


def real(x: Any) -> Any:
    return tf.math.real(x)


def imag(x: Any) -> Any:
    return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)


def conj(x: Any) -> Any:
    return tf.math.conj(x) if x.dtype.is_complex else x


KERNELS = {"complex": complex_, "conj": conj, "imag": imag, "real": real}
