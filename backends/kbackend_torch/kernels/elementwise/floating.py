"""Truncation, and mantissas and exponents of floats."""

from __future__ import annotations

from typing import Any

import torch


def frexp(x: Any) -> tuple[Any, Any]:
    wide = x if x.dtype in (torch.float32, torch.float64) else x.to(torch.float32)
    mantissa, power = torch.frexp(wide)
    return mantissa.to(x.dtype), power.to(x.dtype)


_LAYOUT = {torch.float64: (torch.int64, 52, 1023), torch.float32: (torch.int32, 23, 127)}


def ldexp(x: Any, power: Any) -> Any:
    """torch.ldexp multiplies by a power that may overflow or underflow."""
    wide = x if x.dtype in _LAYOUT else x.to(torch.float32)
    integer, bits, zero = _LAYOUT[wide.dtype]
    return (wide * (power.to(integer) + zero << bits).view(wide.dtype)).to(x.dtype)


KERNELS = {
    "trunc": torch.trunc,
    "frexp": frexp,
    "ldexp": ldexp,
}
