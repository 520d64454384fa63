"""Ranking kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction.reductions import value_of

#: rows of which so many elements are asked for in vain are not worth a sort
_SPARED = 100


def top_indices(x: Any, k: int) -> Any:
    x = value_of(x)
    n = x.shape[-1]
    if k > n:
        raise ValueError(f"top_k: k is {k}, the last axis has size {n}")
    chosen = _chosen(x, k) if 0 < k <= n // 2 and n - k >= _SPARED else None
    if chosen is None:
        return _sorted(x)[..., :k].astype(np.int32)
    order = _sorted(np.take_along_axis(x, chosen, -1))
    return np.take_along_axis(chosen, order, -1).astype(np.int32)


def _sorted(x: Any) -> Any:
    """The places from the largest element down. Read backwards, a stable sort upwards has the larger and of equal ones
    the first in front, and NaN before all."""
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _chosen(x: Any, k: int) -> Any:
    """The places of the k largest elements in their order along the axis; None where NaN alone fills them."""
    n = x.shape[-1]
    least = np.partition(x, n - k, axis=-1)[..., n - k, None]
    if np.isnan(least).any():
        return None
    above, level = ~(x <= least), x == least  # NaN is above
    room = k - np.count_nonzero(above, axis=-1, keepdims=True)
    taken = above | (level & (np.cumsum(level, axis=-1) <= room))
    return (np.flatnonzero(taken) % n).reshape(*x.shape[:-1], k)


KERNELS = {"top_indices": top_indices}
