"""Shape arithmetic shared by the declarations: broadcasting, axes, reductions. None is an unknown dimension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Shape, Tensor, TensorSpec


def broadcast(*shapes: Shape) -> Shape:
    """The shape to which all broadcast.

    Raises:
        ValueError: two known dimensions differ and neither is 1.
    """
    first = shapes[0] if shapes else ()
    if all(s == first for s in shapes):
        return first
    rank = max(map(len, shapes))
    result: list[int | None] = []
    for position in range(-rank, 0):
        found: int | None = 1
        for shape in shapes:
            if -position <= len(shape):
                found = _broadcast_dimension(found, shape[position], shapes)
        result.append(found)
    return tuple(result)


def _broadcast_dimension(a: int | None, b: int | None, shapes: Sequence[Shape]) -> int | None:
    if a == 1 or a == b:
        return b
    if b == 1:
        return a
    if a is None:
        return b
    if b is None:
        return a
    raise ValueError(f"the shapes {' and '.join(map(str, shapes))} do not broadcast")


def elementwise(*specs: Any) -> TensorSpec:
    """The rule of elementwise ops whose operands already have one dtype."""
    given = [s for s in specs if s is not None]
    return TensorSpec(broadcast(*(s.shape for s in given)), given[0].dtype)


def comparison(*specs: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(*(s.shape for s in specs)), dtypes.BOOL)


def axis_in(axis: Any, ndim: int) -> int:
    """A non-negative axis.

    Raises:
        ValueError: out of range or not an integer.
    """
    if isinstance(axis, (bool, Tensor)) or not hasattr(axis, "__index__"):
        raise ValueError(f"an axis must be an integer, it is {axis!r}")
    number = int(axis)
    if not -ndim <= number < ndim:
        raise ValueError(f"axis {number} is out of range for a tensor of rank {ndim}")
    return number % ndim


def axes_in(axis: Any, ndim: int) -> tuple[int, ...]:
    """Sorted, non-negative, distinct axes; all of them for None.

    Raises:
        ValueError: out of range or named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    given = list(axis) if isinstance(axis, Iterable) else [axis]
    found = [axis_in(a, ndim) for a in given]
    if len(set(found)) != len(found):
        raise ValueError(f"the axes {tuple(given)} name an axis twice")
    return tuple(sorted(found))


def reduced(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def product(dimensions: Iterable[int | None]) -> int | None:
    """The number of elements, None when a dimension is unknown."""
    result = 1
    for d in dimensions:
        if d is None:
            return None
        result *= d
    return result


def canonical_axis(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """``prepare`` of ops with one axis of their first operand."""
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim)}


def canonical_axes(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """``prepare`` of reductions: axis becomes a sorted tuple, keepdims a bool."""
    return {**attrs, "axis": axes_in(attrs["axis"], specs[0].ndim), "keepdims": bool(attrs["keepdims"])}


def merge(shape: Shape, other: Shape) -> Shape:
    """One shape from two descriptions of it.

    Raises:
        ValueError: they contradict each other.
    """
    if len(shape) != len(other) or any(
        a is not None and b is not None and a != b for a, b in zip(shape, other)
    ):
        raise ValueError(f"the shapes {shape} and {other} contradict each other")
    return tuple(b if a is None else a for a, b in zip(shape, other))
