"""Range kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes


def arange(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return np.arange(start, stop, step).astype(dtypes.numpy_dtype(dtype))


KERNELS = {
    "arange": arange,
}
