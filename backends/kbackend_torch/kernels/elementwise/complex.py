"""Kernels of complex numbers."""

from __future__ import annotations

from typing import Any

import torch

_SMALL = (torch.float16, torch.bfloat16)


def complex_(x: Any, y: Any) -> Any:
    if x.dtype in _SMALL:
        x, y = x.float(), y.float()
    return torch.complex(x, y)


def real(x: Any) -> Any:
    return torch.real(x)


def imag(x: Any) -> Any:
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


def conj(x: Any) -> Any:
    """The resolved conjugate: torch.conj is a lazy view that other kernels have to support."""
    return torch.conj_physical(x) if x.is_complex() else x


KERNELS = {"complex": complex_, "conj": conj, "imag": imag, "real": real}
