"""Random kernels: integers and floats from the words of a Philox stream."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.plugin.host.random import known_shape, words, words_before

_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


def random_bits(step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int) -> Any:
    return random_bits_from_row(step, 0, sizes, trial, shape=shape, key=key, op_id=op_id)


def random_bits_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int
) -> Any:
    shape = known_shape(shape, sizes)
    found = words(step, trial, math.prod(shape), key, op_id, words_before(row, shape))
    return found.astype(np.int64).reshape(shape)


def random_unit(
    step: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    return random_unit_from_row(step, 0, sizes, trial, shape=shape, key=key, op_id=op_id, dtype=dtype)


def random_unit_from_row(
    step: Any, row: Any, sizes: Any = (), trial: Any = None, *, shape: Any, key: int, op_id: int, dtype: str
) -> Any:
    shape = known_shape(shape, sizes)
    count = math.prod(shape)
    if dtype == "float64":
        pairs = words(step, trial, 2 * count, key, op_id, words_before(row, shape, 2))
        return ((pairs[0::2] >> 5) * 67108864.0 + (pairs[1::2] >> 6)).reshape(shape) * 2.0**-53
    bits = _BITS[dtype]
    high = words(step, trial, count, key, op_id, words_before(row, shape)) >> (32 - bits)
    unit = high.astype(np.float32) * np.float32(2.0**-bits)
    return unit.astype(dtypes.numpy_dtype(dtype), copy=False).reshape(shape)


KERNELS = {
    "random_bits": random_bits,
    "random_bits_from_row": random_bits_from_row,
    "random_unit": random_unit,
    "random_unit_from_row": random_unit_from_row,
}
