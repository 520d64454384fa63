"""Elementwise kernels."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def cast(x: Any, dtype: str) -> Any:
    return x.to(TORCH[dtype])


KERNELS = {
    "add": torch.add,
    "multiply": torch.mul,
    "tanh": torch.tanh,
    "cast": cast,
}
