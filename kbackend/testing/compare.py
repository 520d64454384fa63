"""Comparison of a result with its reference: shape, positions of NaN and infinities, and the error."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.tolerances import relative_error


def difference(found: Any, wanted: Any, bound: float, floor: float = 0.0) -> str | None:
    """A message about the difference of ``found`` from ``wanted``, or None.

    Args:
        found, wanted: the result and the reference, arrays; dtypes are not compared.
        bound: the bound of max|found - wanted| / max|wanted| over the finite elements.
        floor: a lower limit of the divisor, for references that are 0 up to rounding.
    """
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape:
        return f"the shape is {found.shape}, it should be {wanted.shape}"
    if found.size == 0:
        return None
    if "c" in (found.dtype.kind, wanted.dtype.kind):
        found, wanted = _parts(found), _parts(wanted)
    found, wanted = _plain(found), _plain(wanted)
    if not np.array_equal(np.isnan(found), np.isnan(wanted)):
        return f"NaN is at {_positions(np.isnan(found))}, it should be at {_positions(np.isnan(wanted))}"
    infinite = np.isinf(wanted) | np.isinf(found)
    if not np.array_equal(found[infinite], wanted[infinite]):
        return f"infinities differ: {_shown(found[infinite])} instead of {_shown(wanted[infinite])}"
    finite = np.isfinite(wanted)
    if not finite.any():
        return None
    error = relative_error(found[finite], wanted[finite], floor)
    if error <= bound:
        return None
    worst = int(np.argmax(np.abs(found[finite] - wanted[finite])))
    place = tuple(int(i) for i in np.argwhere(finite)[worst])
    return (
        f"the error is {error:.3g}, the tolerance {bound:.3g}; "
        f"at {place} it is {float(found[place])!r} instead of {float(wanted[place])!r}"
    )


def _parts(value: np.ndarray) -> np.ndarray:
    return np.stack([value.real, value.imag], axis=-1)


def _plain(value: Any) -> np.ndarray:
    array = np.asarray(value)
    wide = array.dtype.kind in "iu" and array.dtype.itemsize == 8  # float64 would round large integers
    return array.astype(np.longdouble if wide else np.float64)


def _positions(mask: np.ndarray) -> str:
    positions = [str(tuple(int(i) for i in p)) for p in np.argwhere(mask)]
    return ", ".join(positions[:4]) + (", ..." if len(positions) > 4 else "") if positions else "no position"


def _shown(values: np.ndarray) -> str:
    return "[" + ", ".join(map(repr, values[:6].tolist())) + ("...]" if values.size > 6 else "]")
