"""Logarithm and exponential with the same bits on every engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.plugin.constants import HIGHEST, LOG2_HIGH, LOG2_LOW, LOWEST, SERIES
from kbackend.plugin.host.normal_quantile import logarithm, polynomial


def portable_exp(x: Any) -> Any:
    """The exponential of float64; 0 up to ``LOWEST``, and that of ``HIGHEST`` above it."""
    above = x > LOWEST
    inside = np.where(above, np.where(x < HIGHEST, x, HIGHEST), 0.0)
    n = np.floor(inside * (1.0 / math.log(2.0)) + 0.5)
    inside -= n * LOG2_HIGH
    inside -= n * LOG2_LOW
    return np.where(above, np.ldexp(polynomial(inside, SERIES), n.astype(np.int32)), 0.0)


portable_log = logarithm
