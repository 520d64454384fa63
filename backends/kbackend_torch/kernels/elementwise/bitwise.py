"""Bitwise functions, and functions of integers and of the bits of floats."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def view(x: Any, dtype: str) -> Any:
    return x.detach().clone(memory_format=torch.contiguous_format).view(TORCH[dtype])


KERNELS = {
    "gcd": torch.gcd,
    "lcm": torch.lcm,
    "left_shift": torch.bitwise_left_shift,
    "right_shift": torch.bitwise_right_shift,
    "view": view,
}
