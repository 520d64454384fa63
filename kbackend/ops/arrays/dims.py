"""Sizes as integers or integer scalars, and parts along an axis."""

from __future__ import annotations

from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.reshape import extent, reshape
from kbackend.ops.elementwise.arithmetic import add, multiply


def length(x: Any, axis: int) -> Any:
    """The size along an axis: an int, or an integer scalar where it is not known."""
    known = x.shape[axis]
    return extent(x, (axis % len(x.shape),)) if known is None else int(known)


def lengths(x: Any) -> list[Any]:
    return [length(x, axis) for axis in range(len(x.shape))]


def times(a: Any, b: Any) -> Any:
    """The product of two sizes."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return b if _is(a, 1) else a if _is(b, 1) else multiply(a, b)
    return a * b


def plus(a: Any, b: Any) -> Any:
    """The sum of two sizes."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return b if _is(a, 0) else a if _is(b, 0) else add(a, b)
    return a + b


def _is(value: Any, number: int) -> bool:
    return not isinstance(value, Tensor) and value == number


def part(x: Any, axis: int, start: Any, stop: Any, step: int | None = None) -> Any:
    """``x[start:stop:step]`` along one axis."""
    return x[*[slice(None)] * axis, start:stop:step]


def _like(flat: Any, x: Any) -> Any:
    return reshape(flat, lengths(x))
