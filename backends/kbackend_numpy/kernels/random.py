"""Random kernels: numbers from the words of one Philox stream."""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as np

from kbackend import dtypes
from kbackend_numpy import philox

_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


def stream(op_id: int, step: Any) -> int:
    """The high half of Philox' counter."""
    return op_id << 32 | int(step) & 0xFFFFFFFF


def known_shape(shape: Any, sizes: Any) -> tuple[int, ...]:
    """The shape with each None replaced by the next of the sizes."""
    rest = iter(sizes)
    return tuple(int(next(rest)) if d is None else d for d in shape)


def random_unit(step: Any, sizes: Any = (), *, shape: Any, key: int, op_id: int, dtype: str) -> Any:
    shape = known_shape(shape, sizes)
    count = math.prod(shape)
    if dtype == "float64":
        words = philox.words(key, stream(op_id, step), 2 * count)
        return ((words[0::2] >> 5) * 67108864.0 + (words[1::2] >> 6)).reshape(shape) * 2.0**-53
    bits = _BITS[dtype]
    words = philox.words(key, stream(op_id, step), count) >> (32 - bits)
    unit = words.astype(np.float32) * np.float32(2.0**-bits)
    return unit.astype(dtypes.numpy_dtype(dtype), copy=False).reshape(shape)


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
    words = philox.words(key, stream(op_id, step), math.prod(shape))
    return np.multiply(words >= np.uint32(least << 8), scale(rate, dtype), dtype=dtype).reshape(shape)


def noise_shape_of(x: Any, noise_shape: Any) -> tuple[int, ...]:
    if noise_shape is None:
        return tuple(x.shape)
    return tuple(d if n is None else n for n, d in zip(noise_shape, x.shape))


def dropout(x: Any, rate: Any, step: Any, *, noise_shape: Any = None, key: int, op_id: int) -> Any:
    return x * dropout_mask(rate, step, noise_shape_of(x, noise_shape), key, op_id, x.dtype)


KERNELS = {"random_unit": random_unit, "dropout": dropout}
