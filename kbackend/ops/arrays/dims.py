"""Sizes of axes as integers or integer scalars, and slices along an axis."""

from __future__ import annotations

from typing import Any

from kbackend.ops.arrays.reshape import extent


def length(x: Any, axis: int) -> Any:
    """The size along an axis: an integer, or an integer scalar where it is unknown."""
    known = x.shape[axis]
    return extent(x, (axis % len(x.shape),)) if known is None else int(known)


def lengths(x: Any) -> list[Any]:
    """The sizes along all axes, as :func:`length` gives them."""
    return [length(x, axis) for axis in range(len(x.shape))]


def times(a: Any, b: Any) -> Any:
    """The product of two sizes; a factor of 1 makes no node."""
    return b if _is(a, 1) else a if _is(b, 1) else a * b


def plus(a: Any, b: Any) -> Any:
    """The sum of two sizes; a summand of 0 makes no node."""
    return b if _is(a, 0) else a if _is(b, 0) else a + b


def _is(value: Any, number: int) -> bool:
    return isinstance(value, int) and value == number


def part(x: Any, axis: int, start: Any, stop: Any, step: int | None = None) -> Any:
    """``x[start:stop:step]`` along one axis."""
    return x[*[slice(None)] * axis, start:stop:step]
