"""Logarithm and exponential of the same bits on every engine; on the CPU by NumPy, in fewer passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from kbackend.ops.declare import REGISTRY
from kbackend_numpy.kernels import portable as host

#: of the floats' exponents: the integers of their size, how many bits stand below it, and what stands for 0
_LAYOUT = {torch.float64: (torch.int64, 52, 1023), torch.float32: (torch.int32, 23, 127)}


def ldexp(x: Any, power: Any) -> Any:
    """torch.ldexp multiplies by a rounded power."""
    wide = x if x.dtype in _LAYOUT else x.to(torch.float32)
    integer, bits, zero = _LAYOUT[wide.dtype]
    return (wide * (power.to(integer) + zero << bits).view(wide.dtype)).to(x.dtype)


def _on_the_host(name: str) -> Callable[[Any], Any]:
    def kernel(x: Any) -> Any:
        if x.is_cpu:
            return torch.from_numpy(np.asarray(host.KERNELS[name](x.detach().numpy())))
        return REGISTRY[name].function(x)

    return kernel


KERNELS = {
    "ldexp": ldexp,
    "portable_exp": _on_the_host("portable_exp"),
    "portable_log": _on_the_host("portable_log"),
}
