"""Searching kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction.reductions import in_order, value_of


def search_sorted(edges: Any, x: Any, side: str) -> Any:
    return np.asarray(np.searchsorted(in_order(edges), in_order(x), side), np.int32)


def nonzero_rows(x: Any) -> Any:
    return np.argwhere(value_of(x)).astype(np.int32)


KERNELS = {"nonzero_rows": nonzero_rows, "search_sorted": search_sorted}
