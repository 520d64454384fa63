"""Means and variances."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.kernels.reduction.reductions import Axes


def var(x: Any, axis: Axes, keepdims: bool) -> Any:
    if not axis:
        return x - x
    if x.numel() == 0:
        return torch.mean(x, dim=axis, keepdim=keepdims)  # for which torch.var warns
    return torch.var(x, dim=axis, correction=0, keepdim=keepdims)


KERNELS = {
    "var": var,
}
