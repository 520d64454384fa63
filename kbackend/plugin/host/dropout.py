"""Masks of dropout from the words of one Philox stream."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.host.random import words


def threshold(rate: Any) -> int:
    """The least 24-bit number that dropout keeps."""
    rate = float(np.float32(rate))
    if not rate < 1.0:
        return 1 << 24
    return math.ceil(rate * 2.0**24) if rate > 0.0 else 0


def scale(rate: Any, dtype: Any) -> Any:
    """What dropout multiplies kept elements with, as a NumPy scalar."""
    wide = np.dtype(np.float64 if dtype == np.float64 else np.float32).type
    rest = wide(1.0) - wide(rate)
    return np.dtype(dtype).type(wide(1.0) / rest if rest > 0 else wide(1.0))


def dropout_mask(rate: Any, step: Any, shape: tuple[int, ...], key: int, op_id: int, dtype: Any) -> Any:
    """Zeros, and ``1 / (1 - rate)`` where an element is kept."""
    least = threshold(rate)
    if least == 1 << 24:
        return np.zeros(shape, dtype)
    drawn = words(step, None, math.prod(shape), key, op_id)
    return np.multiply(drawn >= np.uint32(least << 8), scale(rate, dtype), dtype=dtype).reshape(shape)


def noise_shape_of(x: Any, noise_shape: Any) -> tuple[int, ...]:
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(d if n is None else n for n, d in zip(noise_shape, x.shape))
