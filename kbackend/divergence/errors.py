"""The error between two sides, what it may be, and which side is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend import dtypes

#: how many roundings of its operands a result may be off by
ROUNDINGS = 8.0


class Error(NamedTuple):
    """See the attributes of :class:`kbackend.divergence.report.Row`."""

    error: float
    tolerance: float
    place: tuple[int, ...]
    values: tuple[Any, Any, Any]
    off: str


def compare(
    a: np.ndarray, b: np.ndarray, names: tuple[str, str], bound: float, wide: Any = None, others: Sequence[Any] = (),
    roundings: float = ROUNDINGS,
) -> Error:
    """Compare two arrays.

    Beyond the bound they may differ by what a rounding of the operands does to the reference: no side can be more
    exact than its operands.

    Args:
        a, b: the arrays of the two sides.
        names: of the sides.
        bound: of ``max|a - b| / max|reference|``.
        wide: the reference in float64, None where it cannot be computed.
        others: the reference from operands that are perturbed by a rounding, and in the dtypes of the sides, for sums
            that are 0 but for roundings, such as the gradient of a bias before a softmax.
        roundings: how many times the largest distance of one of these two sides may differ by: both round, in every
            step within.
    """
    if a.shape != b.shape:
        return Error(np.inf, 0.0, (), (a.shape, b.shape, None if wide is None else wide.shape), "")
    a64, b64 = _plain(a), _plain(b)
    base = a64 if wide is None or wide.shape != a.shape else _plain(wide)
    scale = _largest(base) or _largest(a64) or 1.0
    if bound and wide is not None:
        fitting = [_plain(x) for x in others if x is not None and x.shape == a.shape]
        usual = max((_distance(x, base, finite_only=True) for x in fitting), default=0.0)
        scale = max(scale, usual)  # a reference that is nothing but roundings is no scale
        bound += (roundings * usual + _least(a.dtype, b.dtype)) / scale
    error = _distance(a64, b64) / scale
    judged = wide is not None and wide.shape == a.shape
    failed = zip(names, (a64, b64)) if judged and error > bound else ()
    apart = [name for name, x in failed if _distance(x, base) / scale > bound / 2]
    place = _worst(a64, b64)
    third = base[place].item() if judged and a.size else None
    values = (a[place].item(), b[place].item(), third) if a.size else (None, None, None)
    return Error(error, bound, place, values, " and ".join(apart))


def _plain(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return np.stack([x.real, x.imag], -1).astype(np.float64)
    return x.astype(np.longdouble if x.dtype.kind in "iu" and x.dtype.itemsize == 8 else np.float64)


def _largest(x: np.ndarray) -> float:
    finite = np.abs(x[np.isfinite(x)])
    return float(finite.max()) if finite.size else 0.0


def _gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances by element: 0 where both are NaN or the same infinity, inf where only one is."""
    with np.errstate(invalid="ignore", over="ignore"):
        gaps = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(gaps), np.inf, gaps))


def _distance(a: np.ndarray, b: np.ndarray, finite_only: bool = False) -> float:
    gaps = _gaps(a, b)
    if finite_only:
        gaps = gaps[np.isfinite(gaps)]
    return float(gaps.max()) if gaps.size else 0.0


def _worst(a: np.ndarray, b: np.ndarray) -> tuple[int, ...]:
    if not a.size:
        return ()
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(_gaps(a, b))), a.shape))


#: the least positive numbers of the float dtypes
_LEAST = {"float64": 2.0**-1074, "float32": 2.0**-149, "float16": 2.0**-24, "bfloat16": 2.0**-133}


def _least(*kinds: Any) -> float:
    """Twice the least positive number of the coarser dtype: what smaller results may become."""
    return 2 * max((_LEAST.get(dtypes.canonical(k), 0.0) for k in kinds), default=0.0)


def dtype_of(array: np.ndarray) -> str:
    """The canonical name of an array's dtype."""
    return dtypes.canonical(array.dtype)
