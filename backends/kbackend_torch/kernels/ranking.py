"""Ranking kernels."""

from __future__ import annotations

from typing import Any

import torch


def top_indices(x: Any, k: int) -> Any:
    if k > x.shape[-1]:
        raise ValueError(f"top_k: k is {k}, the last axis has size {x.shape[-1]}")
    # torch.topk leaves open which of equal elements it takes.
    return torch.argsort(x, dim=-1, descending=True, stable=True)[..., :k].to(torch.int32)


KERNELS = {"top_indices": top_indices}
