"""Sorting kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction.reductions import in_order


def argsort(x: Any, axis: int) -> Any:
    return np.argsort(in_order(x), axis=axis, kind="stable").astype(np.int32)


KERNELS = {"argsort": argsort}
