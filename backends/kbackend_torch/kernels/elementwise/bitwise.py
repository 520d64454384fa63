"""Bitwise functions, and functions of integers and of the bits of floats."""

from __future__ import annotations

from typing import Any

import torch

from kbackend_torch.dtypes import TORCH


def view(x: Any, dtype: str) -> Any:
    copied = x.detach().clone(memory_format=torch.contiguous_format)
    if not x.numel():  # torch refuses some strides of what has no elements
        last = x.shape[-1] * x.element_size() // TORCH[dtype].itemsize
        return copied.new_empty((*x.shape[:-1], last), dtype=TORCH[dtype])
    return copied.view(TORCH[dtype])


KERNELS = {
    "gcd": torch.gcd,
    "lcm": torch.lcm,
    "left_shift": torch.bitwise_left_shift,
    "right_shift": torch.bitwise_right_shift,
    "view": view,
}
