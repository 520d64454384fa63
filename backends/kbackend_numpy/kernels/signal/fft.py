"""Fourier transforms and overlapping windows, each the other's gradient or its own.

Gradients of complex numbers are ``dL/dx - i dL/dy`` here (see complexes.py), so that the one of a matrix is its
transpose: a Fourier transform is symmetric, and its own gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp, primitive
from numpy.lib.stride_tricks import sliding_window_view

from kbackend_numpy.kernels.elementwise.complex import complex_, conj, imag, real

# ------------------------------------------------------------ transforms


@primitive
def _transformed(z: Any, rank: int, inverse: bool) -> Any:
    function = np.fft.ifftn if inverse else np.fft.fftn
    return function(z, axes=tuple(range(-rank, 0))).astype(z.dtype, copy=False)


defvjp(_transformed, lambda ans, z, rank, inverse: lambda g: _transformed(g, rank, inverse), argnums=(0,))


def fourier(x: Any, y: Any, rank: int, inverse: bool) -> Any:
    found = _transformed(complex_(x, y), rank, inverse)
    return real(found), imag(found)


def _weights(n: int, dtype: Any) -> Any:
    """How often each kept frequency stands in the whole spectrum of n real numbers."""
    found = np.full(n // 2 + 1, 2, dtype)
    found[0] = 1
    if n % 2 == 0:
        found[-1] = 1
    return found


@primitive
def _half_spectrum(x: Any) -> Any:
    return np.fft.rfft(x).astype(np.result_type(x.dtype, np.complex64), copy=False)


@primitive
def _of_half_spectrum(z: Any, n: int) -> Any:
    return np.fft.irfft(z, n).astype(z.real.dtype, copy=False)


def _half_spectrum_vjp(ans: Any, x: Any) -> Any:
    n = x.shape[-1]
    return lambda g: _of_half_spectrum(conj(g) * (n / _weights(n, x.dtype)).astype(x.dtype), n)


def _of_half_spectrum_vjp(ans: Any, z: Any, n: int) -> Any:
    return lambda g: conj(_half_spectrum(g)) * (_weights(n, ans.dtype) / n).astype(ans.dtype)


defvjp(_half_spectrum, _half_spectrum_vjp)
defvjp(_of_half_spectrum, _of_half_spectrum_vjp, argnums=(0,))


def real_fourier(x: Any) -> Any:
    found = _half_spectrum(x)
    return real(found), imag(found)


def real_fourier_inverse(x: Any, y: Any, length: int | None) -> Any:
    return _of_half_spectrum(complex_(x, y), 2 * (x.shape[-1] - 1) if length is None else length)


# ------------------------------------------------------------ windows


@primitive
def frame(x: Any, length: int, stride: int) -> Any:
    if x.shape[-1] < length:
        raise ValueError(f"a window of {length} does not fit {x.shape[-1]} samples")
    return np.array(sliding_window_view(x, length, axis=-1)[..., ::stride, :])


@primitive
def _overlapped(x: Any, stride: int, size: int) -> Any:
    """The sums of windows, with zeros behind up to the size."""
    *lead, count, length = x.shape
    parts = -(-length // stride)
    padded = np.pad(x, [(0, 0)] * (len(lead) + 1) + [(0, parts * stride - length)])
    blocks = np.zeros((*lead, max(count + parts - 1, -(-size // stride)), stride), x.dtype)
    for i in range(parts):
        blocks[..., i : i + count, :] += padded[..., i * stride : (i + 1) * stride]
    return blocks.reshape(*lead, blocks.shape[-2] * stride)[..., :size]


def _frame_vjp(ans: Any, x: Any, length: int, stride: int) -> Any:
    return lambda g: _overlapped(g, stride, x.shape[-1])


def _overlapped_vjp(ans: Any, x: Any, stride: int, size: int) -> Any:
    return lambda g: frame(g, x.shape[-1], stride)


defvjp(frame, _frame_vjp, argnums=(0,))
defvjp(_overlapped, _overlapped_vjp, argnums=(0,))


def overlap_add(x: Any, stride: int) -> Any:
    return _overlapped(x, stride, (x.shape[-2] - 1) * stride + x.shape[-1])


KERNELS = {
    "fourier": fourier,
    "frame": frame,
    "overlap_add": overlap_add,
    "real_fourier": real_fourier,
    "real_fourier_inverse": real_fourier_inverse,
}
