"""Native draws on NumPy, from ``np.random.default_rng``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.plugin.host import dropout as portable
from kbackend.plugin.host.random import known_shape
from kbackend.plugin.native import Generators, seed_of


def _reseed(generator: np.random.Generator, seed: int) -> None:
    _write(generator, np.random.default_rng(seed).bit_generator.state)


def _write(generator: np.random.Generator, state: Any) -> None:
    generator.bit_generator.state = state


GENERATORS = Generators(
    lambda seed, device: np.random.default_rng(seed), _reseed, lambda generator: generator.bit_generator.state, _write
)
_HALF_BITS = {"float16": 11, "bfloat16": 8}


def generator(step: Any, trial: Any, key: int, op_id: int) -> np.random.Generator:
    seed = seed_of(key, op_id, step, trial)
    return GENERATORS() if seed is None else np.random.default_rng(seed)


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    return generator(step, trial, key, op_id).integers(0, 1 << 32, known_shape(shape, sizes), np.int64)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    drawn, shape = generator(step, trial, key, op_id), known_shape(shape, sizes)
    if dtype in _HALF_BITS:  # a number of 24 bits could be rounded to 1
        bits = _HALF_BITS[dtype]
        units = drawn.integers(0, 1 << bits, shape, np.uint16).astype(np.float32) * np.float32(2.0**-bits)
        return units.astype(dtypes.numpy_dtype(dtype))
    return drawn.random(shape, dtypes.numpy_dtype(dtype))


def standard_normal(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    drawn = generator(step, trial, key, op_id)
    return drawn.standard_normal(known_shape(shape, sizes), dtypes.numpy_dtype(dtype))


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    shape, least = portable.noise_shape_of(x, noise_shape), portable.threshold(rate)
    if least == 1 << 24:
        return x * np.zeros(shape, x.dtype)
    drawn = generator(step, None, key, op_id)
    words = np.frombuffer(drawn.bytes(4 * math.prod(shape)), np.uint32)
    kept = words >= np.uint32(least << 8)
    return x * np.multiply(kept, portable.scale(rate, x.dtype), dtype=x.dtype).reshape(shape)


NATIVE_KERNELS = {
    "random_bits": random_bits,
    "random_unit": random_unit,
    "standard_normal": standard_normal,
    "dropout": dropout,
}
