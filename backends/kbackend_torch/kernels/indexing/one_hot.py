"""One-hot encoding kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def one_hot(indices: Any, num_classes: int, dtype: str) -> Any:
    return (indices.unsqueeze(-1) == torch.arange(num_classes, device=indices.device)).to(TORCH[dtype])


KERNELS = {
    "one_hot": one_hot,
}
