"""Dropout masks from the words of one Philox stream."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.host.random import words, words_before


def threshold(rate: Any) -> int:
    """The smallest 24-bit random number for which dropout keeps an element."""
    rate = float(np.float32(rate))
    if not rate < 1.0:
        return 1 << 24
    return math.ceil(rate * 2.0**24) if rate > 0.0 else 0


def scale(rate: Any, dtype: Any) -> Any:
    """The factor ``1 / (1 - rate)`` of kept elements as a NumPy scalar of a dtype; 1 where nothing is kept."""
    wide = np.dtype(np.float64 if dtype == np.float64 else np.float32).type
    keep = wide(1.0) - wide(rate)
    return np.dtype(dtype).type(wide(1.0) / keep if keep > 0 else wide(1.0))


def dropout_mask(
    rate: Any, step: Any, shape: tuple[int, ...], key: int, op_id: int, dtype: Any, row: Any = 0
) -> Any:
    """The factors of all elements: ``1 / (1 - rate)`` where an element is kept, else 0. They are those of a mask with
    more rows, from a ``row`` on."""
    least = threshold(rate)
    if least == 1 << 24:
        return np.zeros(shape, dtype)
    drawn = words(step, None, math.prod(shape), key, op_id, words_before(row, shape))
    return np.multiply(drawn >= np.uint32(least << 8), scale(rate, dtype), dtype=dtype).reshape(shape)


def noise_shape_of(x: Any, noise_shape: Any) -> tuple[int, ...]:
    """The shape of the mask: each None of ``noise_shape`` is replaced by the size of that axis of ``x``."""
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(d if n is None else n for n, d in zip(noise_shape, x.shape))
