"""Bitwise functions, and functions of integers and of the bits of floats."""

from __future__ import annotations

from typing import Any

import numpy as onp

from kbackend import dtypes
from kbackend_numpy.kernels.reduction.reductions import value_of


def view(x: Any, dtype: str) -> Any:
    return onp.array(value_of(x), order="C").view(dtypes.numpy_dtype(dtype))


def nextafter(x: Any, y: Any) -> Any:
    return onp.nextafter(value_of(x), value_of(y))


KERNELS = {
    "gcd": onp.gcd,
    "lcm": onp.lcm,
    "left_shift": onp.left_shift,
    "nextafter": nextafter,
    "right_shift": onp.right_shift,
    "view": view,
}
