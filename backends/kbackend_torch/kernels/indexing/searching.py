"""Searching kernels."""

from __future__ import annotations

from typing import Any

import torch

_KINDS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def _ordered(x: Any) -> Any:
    """Integers in the order of the numbers, with one value for both zeros and the largest for NaN.

    torch.searchsorted has no consistent order of NaN.
    """
    if not x.is_floating_point():
        return x.to(torch.int32) if x.dtype == torch.bool else x
    kind = _KINDS[x.dtype.itemsize]
    largest = torch.iinfo(kind).max
    bits = torch.where(x == 0, 0.0, x).view(kind)
    return torch.where(x.isnan(), largest, torch.where(bits < 0, bits ^ largest, bits))


def search_sorted(edges: Any, x: Any, side: str) -> Any:
    positions = torch.searchsorted(_ordered(edges).contiguous(), _ordered(x).contiguous(), side=side)
    return positions.to(torch.int32)


def nonzero_rows(x: Any) -> Any:
    return torch.nonzero(x).to(torch.int32)


KERNELS = {"nonzero_rows": nonzero_rows, "search_sorted": search_sorted}
