"""Creation kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes


def fill(sizes: tuple[Any, ...], shape: tuple[int | None, ...], value: float, dtype: str) -> Any:
    rest = iter(sizes)
    return np.full(
        tuple(int(next(rest)) if d is None else d for d in shape), value, dtypes.numpy_dtype(dtype)
    )


def full_like(x: Any, value: float, dtype: str) -> Any:
    return np.full(x.shape, value, dtypes.numpy_dtype(dtype))


KERNELS = {
    "fill": fill,
    "full_like": full_like,
}
