"""Fourier transforms and overlapping windows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import fold


def _batched(function: Callable[[Any], Any], x: Any, rank: int) -> Any:
    """``function(x)``; for an empty batch, which torch.fft refuses, the result of zeros with an empty batch."""
    if x.numel():
        return function(x)
    lead = x.shape[:-rank]
    one = function(x.new_zeros((*(1 for _ in lead), *x.shape[-rank:])))
    return one.expand(*lead, *one.shape[-rank:]) + x.sum()  # the sum connects the gradient to x


def fourier(x: Any, y: Any, rank: int, inverse: bool) -> Any:
    function = torch.fft.ifftn if inverse else torch.fft.fftn
    axes = tuple(range(-rank, 0))
    spectrum = _batched(lambda z: function(z, dim=axes), torch.complex(x, y), rank)
    return spectrum.real, spectrum.imag


def real_fourier(x: Any) -> Any:
    spectrum = _batched(torch.fft.rfft, x, 1)
    return spectrum.real, spectrum.imag


def real_fourier_inverse(x: Any, y: Any, length: int | None) -> Any:
    return _batched(lambda z: torch.fft.irfft(z, n=length), torch.complex(x, y), 1).real


def frame(x: Any, length: int, stride: int) -> Any:
    return x.unfold(-1, length, stride)


def overlap_add(x: Any, stride: int) -> Any:
    lead, (count, length) = x.shape[:-2], x.shape[-2:]
    size = (count - 1) * stride + length
    if not x.numel():
        return x.new_zeros((*lead, size)) + x.sum()  # torch.fold refuses empty batches
    rows = x.reshape(math.prod(lead), count, length).transpose(1, 2)
    return fold(rows, (1, size), (1, length), stride=(1, stride)).reshape(*lead, size)


KERNELS = {
    "fourier": fourier,
    "frame": frame,
    "overlap_add": overlap_add,
    "real_fourier": real_fourier,
    "real_fourier_inverse": real_fourier_inverse,
}
