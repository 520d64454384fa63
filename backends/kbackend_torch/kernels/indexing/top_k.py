"""The indices of the largest elements."""

from __future__ import annotations

from typing import Any

import torch

#: up to this size a sort is as fast as torch.topk
_LONG = 64
_LARGEST = torch.iinfo(torch.int32).max


def top_indices(x: Any, k: int) -> Any:
    n = x.shape[-1]
    if k > n:
        raise ValueError(f"top_k: k is {k}, the last axis has size {n}")
    if n > _LONG and x.dtype.itemsize <= 4:
        return torch.topk(_keys(x), k).indices.to(torch.int32)
    return torch.argsort(x, dim=-1, descending=True, stable=True)[..., :k].to(torch.int32)


def _keys(x: Any) -> Any:
    """Distinct integers in the order of the elements, of equal elements the first largest.

    torch.topk does not define which of equal elements it returns.
    """
    from_last = torch.arange(x.shape[-1] - 1, -1, -1, device=x.device)
    return (_in_order(x).to(torch.int64) << 32) | from_last


def _in_order(x: Any) -> Any:
    """Integers in the order of the numbers, with one value for both zeros and the largest for NaN.

    The bits of positive floats are in their order, those of negative ones in the reverse order.
    """
    if not x.is_floating_point():
        return x
    x = x.float()
    bits = torch.where(x == 0, 0.0, x).view(torch.int32)
    ordered = torch.where(bits < 0, bits ^ _LARGEST, bits)
    return torch.where(x.isnan(), _LARGEST, ordered)


KERNELS = {"top_indices": top_indices}
