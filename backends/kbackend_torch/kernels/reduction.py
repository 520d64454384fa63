"""Reduction kernels."""

from __future__ import annotations

from typing import Any

import torch


def sum_(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return torch.sum(x, dim=axis, keepdim=keepdims, dtype=x.dtype)


KERNELS = {"sum": sum_}
