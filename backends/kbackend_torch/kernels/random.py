"""Random kernels: numbers from the words of one Philox stream.

On the CPU words and masks are made by NumPy, whose comparison of unsigned words and multiplication take a
third of the time of torch's; elsewhere by torch in integer arithmetic, without waiting for the device.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from kbackend.plugin.select import active_target
from kbackend_numpy.kernels import random as host
from kbackend_torch import philox
from kbackend_torch.dtypes import TORCH

_BITS = {torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}
_NUMPY = {torch.float32: np.float32, torch.float64: np.float64, torch.float16: np.float16}


def random_unit(step: Any, sizes: Any = (), *, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    return _unit(step, host.known_shape(shape, sizes), key, op_id, TORCH[dtype], active_target().device)


def _unit(step: Any, shape: tuple[int, ...], key: int, op_id: int, dtype: Any, device: Any) -> Any:
    count = math.prod(shape)
    where = host.stream(op_id, step)
    if dtype == torch.float64:
        words = philox.words(key, where, 2 * count, device).view(-1, 2).to(torch.int64) & 0xFFFFFFFF
        unit = ((words[:, 0] >> 5 << 26) + (words[:, 1] >> 6)).to(torch.float64) * 2.0**-53
        return unit.view(shape)
    bits = _BITS[dtype]
    words = philox.words(key, where, count, device) >> (32 - bits) & (1 << bits) - 1
    return (words.to(torch.float32) * 2.0**-bits).to(dtype).view(shape)


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape = host.noise_shape_of(x, noise_shape)
    if x.is_cpu and x.dtype in _NUMPY:
        mask = host.dropout_mask(rate.item(), step, shape, key, op_id, _NUMPY[x.dtype])
        return x * torch.from_numpy(mask)
    return x * _mask(x, rate, step, shape, key, op_id)


def _mask(x: Any, rate: Any, step: Any, shape: tuple[int, ...], key: int, op_id: int) -> Any:
    """The mask without reading the rate on the host."""
    rate = rate.detach().to(x.device, non_blocking=True)
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rest = 1.0 - rate.to(wide)
    scale = torch.where(rest > 0, rest, 1.0).reciprocal().to(x.dtype)
    unit = _unit(step, shape, key, op_id, torch.float32, x.device)
    return (unit >= rate.to(torch.float32)) * scale


KERNELS = {"random_unit": random_unit, "dropout": dropout}
