"""Truncation, and mantissas and exponents of floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy as onp

from kbackend_numpy.kernels.reduction.reductions import value_of


def trunc(x: Any) -> Any:
    plain = value_of(x)
    return onp.array(plain) if plain.dtype.kind in "iu" else onp.trunc(plain)


def frexp(x: Any) -> tuple[Any, Any]:
    wide = x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)
    mantissa, power = np.frexp(wide)
    return mantissa.astype(x.dtype, copy=False), power.astype(x.dtype)


def ldexp(x: Any, power: Any) -> Any:
    wide = x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)
    return np.ldexp(wide, power.astype(np.int32)).astype(x.dtype, copy=False)


KERNELS = {
    "trunc": trunc,
    "frexp": frexp,
    "ldexp": ldexp,
}
