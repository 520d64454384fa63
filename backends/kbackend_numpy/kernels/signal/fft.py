"""Fourier transforms and overlapping windows.

The gradient of a complex number z = x + iy is ``dL/dx - i dL/dy`` here (see elementwise/complex.py). So the vector-
Jacobian product of a linear map is its transpose, which for a Fourier transform, a symmetric matrix, is itself.
Framing and overlap-add are transposes of each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp
from numpy.lib.stride_tricks import sliding_window_view

from kbackend_numpy.kernels.elementwise.complex import complex_, conj, imag, real
from kbackend_numpy.recording import primitive

# ------------------------------------------------------------ transforms


@primitive
def _fft(z: Any, rank: int, inverse: bool) -> Any:
    function = np.fft.ifftn if inverse else np.fft.fftn
    return function(z, axes=tuple(range(-rank, 0))).astype(z.dtype, copy=False)


defvjp(_fft, lambda ans, z, rank, inverse: lambda g: _fft(g, rank, inverse), argnums=(0,))


def fourier(x: Any, y: Any, rank: int, inverse: bool) -> Any:
    spectrum = _fft(complex_(x, y), rank, inverse)
    return real(spectrum), imag(spectrum)


def _multiplicities(n: int, dtype: Any) -> Any:
    """How often each nonnegative frequency, or its conjugate, is in the full spectrum of n real numbers."""
    counts = np.full(n // 2 + 1, 2, dtype)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts


@primitive
def _rfft(x: Any) -> Any:
    return np.fft.rfft(x).astype(np.result_type(x.dtype, np.complex64), copy=False)


@primitive
def _irfft(z: Any, n: int) -> Any:
    return np.fft.irfft(z, n).astype(z.real.dtype, copy=False)


def _rfft_vjp(ans: Any, x: Any) -> Any:
    n = x.shape[-1]
    return lambda g: _irfft(conj(g) * (n / _multiplicities(n, x.dtype)).astype(x.dtype), n)


def _irfft_vjp(ans: Any, z: Any, n: int) -> Any:
    return lambda g: conj(_rfft(g)) * (_multiplicities(n, ans.dtype) / n).astype(ans.dtype)


defvjp(_rfft, _rfft_vjp)
defvjp(_irfft, _irfft_vjp, argnums=(0,))


def real_fourier(x: Any) -> Any:
    spectrum = _rfft(x)
    return real(spectrum), imag(spectrum)


def real_fourier_inverse(x: Any, y: Any, length: int | None) -> Any:
    return _irfft(complex_(x, y), 2 * (x.shape[-1] - 1) if length is None else length)


# ------------------------------------------------------------ windows


@primitive
def frame(x: Any, length: int, stride: int) -> Any:
    if x.shape[-1] < length:
        raise ValueError(f"a window of {length} does not fit {x.shape[-1]} samples")
    return np.array(sliding_window_view(x, length, axis=-1)[..., ::stride, :])


@primitive
def _overlap_add(x: Any, stride: int, size: int) -> Any:
    """The sum of overlapping windows, padded with zeros at the end to ``size`` samples.

    Windows are split into parts of ``stride`` samples, of which those of the same number never overlap.
    """
    *lead, count, length = x.shape
    parts = -(-length // stride)
    padded = np.pad(x, [(0, 0)] * (len(lead) + 1) + [(0, parts * stride - length)])
    blocks = np.zeros((*lead, max(count + parts - 1, -(-size // stride)), stride), x.dtype)
    for i in range(parts):
        blocks[..., i : i + count, :] += padded[..., i * stride : (i + 1) * stride]
    return blocks.reshape(*lead, blocks.shape[-2] * stride)[..., :size]


def _frame_vjp(ans: Any, x: Any, length: int, stride: int) -> Any:
    return lambda g: _overlap_add(g, stride, x.shape[-1])


def _overlap_add_vjp(ans: Any, x: Any, stride: int, size: int) -> Any:
    return lambda g: frame(g, x.shape[-1], stride)


defvjp(frame, _frame_vjp, argnums=(0,))
defvjp(_overlap_add, _overlap_add_vjp, argnums=(0,))


def overlap_add(x: Any, stride: int) -> Any:
    return _overlap_add(x, stride, (x.shape[-2] - 1) * stride + x.shape[-1])


KERNELS = {
    "fourier": fourier,
    "frame": frame,
    "overlap_add": overlap_add,
    "real_fourier": real_fourier,
    "real_fourier_inverse": real_fourier_inverse,
}
