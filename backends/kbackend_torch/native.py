"""Native draws on torch, from ``torch.Generator``."""

from __future__ import annotations

import threading
from typing import Any

import torch

from kbackend.plugin.host.dropout import noise_shape_of
from kbackend.plugin.host.random import known_shape
from kbackend.plugin.native import Generators, seed_of
from kbackend.plugin.select import active_target
from kbackend_torch.dtypes import TORCH


def _made(seed: int, device: str) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


GENERATORS = Generators(_made, torch.Generator.manual_seed, torch.Generator.get_state, torch.Generator.set_state)


class _Scratch(threading.local):
    """The generators of draws with an explicit seed, reseeded for each draw."""

    def __init__(self) -> None:
        self.made: dict[str, torch.Generator] = {}

    def seeded(self, seed: int, device: str) -> torch.Generator:
        found = self.made.get(device)
        if found is None:
            found = self.made[device] = torch.Generator(device)
        return found.manual_seed(seed)


_scratch = _Scratch()


def generator(step: Any, trial: Any, key: int, op_id: int, device: str) -> torch.Generator:
    seed = seed_of(key, op_id, step, trial)
    return GENERATORS(device) if seed is None else _scratch.seeded(seed, device)


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    device = active_target().device
    drawn = generator(step, trial, key, op_id, device)
    return torch.randint(0, 1 << 32, known_shape(shape, sizes), generator=drawn, device=device)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    device = active_target().device
    drawn = generator(step, trial, key, op_id, device)
    return torch.rand(known_shape(shape, sizes), generator=drawn, device=device, dtype=TORCH[dtype])


def standard_normal(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    device = active_target().device
    drawn = generator(step, trial, key, op_id, device)
    return torch.randn(known_shape(shape, sizes), generator=drawn, device=device, dtype=TORCH[dtype])


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    drawn = generator(step, None, key, op_id, str(x.device))
    units = torch.rand(noise_shape_of(x, noise_shape), generator=drawn, device=x.device)
    if x.is_cpu:
        value = rate.item()
        return x * units.ge_(value).to(x.dtype).mul_(1.0 / (1.0 - value) if value < 1.0 else 1.0)
    rate = rate.detach().to(x.device, non_blocking=True)  # not read on the host, which would synchronize
    rest = 1.0 - rate.to(torch.float64 if x.dtype == torch.float64 else torch.float32)
    scale = torch.where(rest > 0, rest, 1.0).reciprocal().to(x.dtype)
    return x * (units.ge_(rate.to(torch.float32)).to(x.dtype) * scale)


NATIVE_KERNELS = {
    "random_bits": random_bits,
    "random_unit": random_unit,
    "standard_normal": standard_normal,
    "dropout": dropout,
}
