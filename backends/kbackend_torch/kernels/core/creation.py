"""Creation kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH
from kbackend_torch.kernels.arrays.arrangement import pattern


def fill(sizes: tuple[Any, ...], shape: tuple[int | None, ...], value: float, dtype: str) -> Any:
    return torch.full(pattern(shape, sizes), value, dtype=TORCH[dtype], device=_device())


def full_like(x: Any, value: float, dtype: str) -> Any:
    return torch.full_like(x, value, dtype=TORCH[dtype])


def _device() -> str:
    from kbackend.plugin.select import device_name

    return device_name()


KERNELS = {
    "fill": fill,
    "full_like": full_like,
}
