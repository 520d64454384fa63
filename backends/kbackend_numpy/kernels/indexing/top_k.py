"""The indices of the largest elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction.reductions import in_order

#: the number of elements not returned from which a partition is faster than a sort
_WORTH_PARTITION = 100


def top_indices(x: Any, k: int) -> Any:
    x = in_order(x)
    n = x.shape[-1]
    if k > n:
        raise ValueError(f"top_k: k is {k}, the last axis has size {n}")
    chosen = _chosen(x, k) if 0 < k <= n // 2 and n - k >= _WORTH_PARTITION else None
    if chosen is None:
        return _sorted(x)[..., :k].astype(np.int32)
    order = _sorted(np.take_along_axis(x, chosen, -1))
    return np.take_along_axis(chosen, order, -1).astype(np.int32)


def _sorted(x: Any) -> Any:
    """The positions in descending order of the elements, NaN first, equal ones in their order.

    It is a stable ascending sort of the reversed axis, read backwards.
    """
    return x.shape[-1] - 1 - np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _chosen(x: Any, k: int) -> Any:
    """The ascending positions of the k largest elements; None if there are k or more NaN."""
    n = x.shape[-1]
    least = np.partition(x, n - k, axis=-1)[..., n - k, None]
    if np.isnan(least).any():
        return None
    above, level = ~(x <= least), x == least  # NaN counts as larger
    room = k - np.count_nonzero(above, axis=-1, keepdims=True)
    taken = above | (level & (np.cumsum(level, axis=-1) <= room))
    return (np.flatnonzero(taken) % n).reshape(*x.shape[:-1], k)


KERNELS = {"top_indices": top_indices}
