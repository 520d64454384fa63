"""Random kernels: integers and floats from the words of a Philox stream.

On the CPU NumPy computes the words; on other devices torch does in integer arithmetic, without synchronization.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from kbackend.plugin.host import random as host
from kbackend.plugin.select import active_target
from kbackend_torch import philox
from kbackend_torch.dtypes import TORCH

_BITS = {torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}
WORD = 0xFFFFFFFF


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    return random_bits_from_row(step, 0, sizes, trial, shape=shape, key=key, op_id=op_id)


def random_bits_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int
) -> Any:
    shape = host.known_shape(shape, sizes)
    first = host.words_before(row, shape)
    bits = words(step, trial, math.prod(shape), key, op_id, active_target().device, first)
    return (bits.to(torch.int64) & WORD).view(shape)


def words(
    step: Any, trial: Any, count: int, key: int, op_id: int, device: Any, first: int = 0
) -> Any:
    """uint32 words of the stream of an op at a step, in the counters of a trial and after the ``first`` ones, as int32
    of the same bits."""
    number = 0 if trial is None else int(trial) & WORD
    return philox.words(key, host.stream(op_id, step), count, device, number, first)


def leave_uncompiled() -> None:
    """Exclude ``words`` from torch.compile, since torch 2.13 fails on integers read from tensors in loops.

    Not a decorator, which would import the compiler together with the engine.
    """
    global words
    if not hasattr(words, "_torchdynamo_disable"):
        words = torch.compiler.disable(words)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    shape = host.known_shape(shape, sizes)
    return unit(step, trial, shape, key, op_id, TORCH[dtype], active_target().device)


def random_unit_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    shape = host.known_shape(shape, sizes)
    return unit(step, trial, shape, key, op_id, TORCH[dtype], active_target().device, row)


def unit(
    step: Any, trial: Any, shape: tuple[int, ...], key: int, op_id: int, dtype: Any, device: Any, row: Any = 0
) -> Any:
    """Floats in [0, 1) from the high bits of words, those of a draw from a row on."""
    count = math.prod(shape)
    if dtype == torch.float64:
        first = host.words_before(row, shape, 2)
        pairs = words(step, trial, 2 * count, key, op_id, device, first).view(-1, 2).to(torch.int64) & WORD
        return (((pairs[:, 0] >> 5 << 26) + (pairs[:, 1] >> 6)).to(torch.float64) * 2.0**-53).view(shape)
    bits = _BITS[dtype]
    high = words(step, trial, count, key, op_id, device, host.words_before(row, shape)) >> (32 - bits) & (1 << bits) - 1
    return (high.to(torch.float32) * 2.0**-bits).to(dtype).view(shape)


KERNELS = {
    "random_bits": random_bits,
    "random_bits_from_row": random_bits_from_row,
    "random_unit": random_unit,
    "random_unit_from_row": random_unit_from_row,
}
