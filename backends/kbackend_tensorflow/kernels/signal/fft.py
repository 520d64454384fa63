"""Fourier transforms and overlapping windows."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_TRANSFORMS = {
    (1, False): tf.signal.fft,
    (1, True): tf.signal.ifft,
    (2, False): tf.signal.fft2d,
    (2, True): tf.signal.ifft2d,
}


def _parts(z: Any) -> tuple[Any, Any]:
    return tf.math.real(z), tf.math.imag(z)


def fourier(x: Any, y: Any, rank: int, inverse: bool) -> Any:
    return _parts(_TRANSFORMS[rank, inverse](tf.complex(x, y)))


def real_fourier(x: Any) -> Any:
    return _parts(tf.signal.rfft(x))


def real_fourier_inverse(x: Any, y: Any, length: int | None) -> Any:
    n = 2 * (tf.shape(x)[-1] - 1) if length is None else length
    return tf.signal.irfft(tf.complex(x, y), [n])


def frame(x: Any, length: int, stride: int) -> Any:
    return tf.signal.frame(x, length, stride)


def overlap_add(x: Any, stride: int) -> Any:
    return tf.signal.overlap_and_add(x, stride)


KERNELS = {
    "fourier": fourier,
    "frame": frame,
    "overlap_add": overlap_add,
    "real_fourier": real_fourier,
    "real_fourier_inverse": real_fourier_inverse,
}
