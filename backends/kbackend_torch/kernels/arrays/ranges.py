"""Range kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH
from kbackend_torch.kernels.core.creation import _device


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return torch.arange(start.item(), stop.item(), step.item(), device=_device()).to(TORCH[dtype])


KERNELS = {
    "arange": arange,
}
