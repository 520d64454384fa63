"""Ranking kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction import value_of


def top_indices(x: Any, k: int) -> Any:
    x = value_of(x)
    if k > x.shape[-1]:
        raise ValueError(f"top_k: k is {k}, the last axis has size {x.shape[-1]}")
    # Read backwards, a stable sort upwards has the larger and of equal ones the first in front, and NaN before all.
    order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return order[..., :k].astype(np.int32)


KERNELS = {"top_indices": top_indices}
