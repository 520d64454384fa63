"""One-hot encoding kernels."""

from __future__ import annotations

from typing import Any

import numpy as np


def one_hot(indices: Any, num_classes: int, dtype: str) -> Any:
    return (indices[..., None] == np.arange(num_classes)).astype(dtype)


KERNELS = {
    "one_hot": one_hot,
}
