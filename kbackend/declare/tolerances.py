"""Tolerances of results against the reference, by class of op and dtype, as published in docs/semantics.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kbackend import dtypes

if TYPE_CHECKING:
    import numpy as np

EXACT = {"float64": 0.0, "float32": 0.0, "float16": 0.0, "bfloat16": 0.0}
_REDUCTION = {"float64": 1e-13, "float32": 1e-6, "float16": 2e-3, "bfloat16": 1.6e-2}

#: class -> dtype -> the bound of max|x - ref| / max|ref|
TOLERANCES: dict[str, dict[str, float]] = {
    "exact": EXACT,
    "moving": EXACT,
    "elementwise": {"float64": 1e-14, "float32": 5e-7, "float16": 1e-3, "bfloat16": 1e-2},
    "reduction": _REDUCTION,
    "cumulative": _REDUCTION,  # see `tolerance`: the bound grows with the length
    "matmul": {"float64": 1e-13, "float32": 2e-6, "float16": 5e-3, "bfloat16": 2e-2},
    "rnn": {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2},
    "model": {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2},
    "gradient": {"float64": 1e-10, "float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1},
}
_LONGEST_CUMULATION = 1e-4


def tolerance(name: str, dtype: str, arrays: Sequence[Any] = ()) -> float:
    """The bound of a class in a dtype; 0 for integers and bool."""
    import numpy as np

    dtype = dtypes.real_of(dtype)
    if not dtypes.is_float(dtype):
        return 0.0
    if name == "cumulative" and dtype in ("float64", "float32"):
        longest = max((d for a in arrays for d in np.shape(a)), default=1)
        bound = max(longest, 2) * float(np.finfo(dtype).eps)
        return bound if dtype == "float64" else min(bound, _LONGEST_CUMULATION)
    return TOLERANCES[name][dtype]


def coarser(*names: str) -> str:
    """The float dtype of the least precision among dtypes; the first dtype if none is a float."""
    floats = [n for n in names if dtypes.is_float(n)]
    order = ("bfloat16", "float16", "float32", "float64")
    return min(floats, key=order.index) if floats else names[0]


def relative_error(found: np.ndarray, wanted: np.ndarray, floor: float = 0.0) -> float:
    """max|found - wanted| / max|wanted|; the absolute error where the reference is all zeros."""
    import numpy as np

    if found.size == 0:
        return 0.0
    divisor = max(float(np.max(np.abs(wanted))), floor)
    return float(np.max(np.abs(found - wanted))) / (divisor or 1.0)
