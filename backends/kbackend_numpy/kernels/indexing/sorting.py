"""Sorting kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend_numpy.kernels.reduction.reductions import value_of


def argsort(x: Any, axis: int) -> Any:
    return np.argsort(value_of(x), axis=axis, kind="stable").astype(np.int32)


KERNELS = {"argsort": argsort}
