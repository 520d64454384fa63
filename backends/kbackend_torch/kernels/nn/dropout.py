"""The kernel of dropout, with masks from the words of a Philox stream.

On the CPU NumPy computes the masks, whose comparison of unsigned words and multiplication take a third of the time of
torch's; on other devices torch does, without synchronization.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from kbackend.plugin.host import dropout as host
from kbackend_torch.kernels.random.draws import unit

_NUMPY = {torch.float32: np.float32, torch.float64: np.float64, torch.float16: np.float16}


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    return dropout_from_row(x, rate, step, 0, noise_shape=noise_shape, key=key, op_id=op_id)


def dropout_from_row(
    x: Any, rate: Any, step: Any, row: Any, *, noise_shape: Any = None, key: int, op_id: int
) -> Any:
    shape = host.noise_shape_of(x, noise_shape)
    if x.is_cpu and x.dtype in _NUMPY:
        return x * _host_mask(rate, step, shape, key, op_id, _NUMPY[x.dtype], row)
    return x * _mask(x, rate, step, shape, key, op_id, row)


def _host_mask(
    rate: Any, step: Any, shape: tuple[int, ...], key: int, op_id: int, dtype: Any, row: Any
) -> Any:
    return torch.from_numpy(host.dropout_mask(rate.item(), step, shape, key, op_id, dtype, row))


def leave_uncompiled() -> None:
    """Exclude NumPy from torch.compile: torch 2.13 would trace into it and fail on its unsigned words."""
    global _host_mask
    if not hasattr(_host_mask, "_torchdynamo_disable"):
        _host_mask = torch.compiler.disable(_host_mask)


def _mask(x: Any, rate: Any, step: Any, shape: tuple[int, ...], key: int, op_id: int, row: Any) -> Any:
    """The mask, computed without reading the rate on the host."""
    rate = rate.detach().to(x.device, non_blocking=True)
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rest = 1.0 - rate.to(wide)
    scale = torch.where(rest > 0, rest, 1.0).reciprocal().to(x.dtype)
    drawn = unit(step, None, shape, key, op_id, torch.float32, x.device, row)
    return (drawn >= rate.to(torch.float32)) * scale


KERNELS = {"dropout": dropout, "dropout_from_row": dropout_from_row}
