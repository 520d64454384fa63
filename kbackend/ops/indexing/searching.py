"""Binary search in sorted vectors, and the positions of nonzero elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN
from kbackend.declare.rules import values as given
from kbackend.declare.sample import FLOATS, In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.select import select_elements


def _side(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["side"] not in ("left", "right"):
        raise ValueError(f"the side must be 'left' or 'right', it is {attrs['side']!r}")
    return attrs


@primitive(name="search_sorted", promote="same", prepare=_side, differentiable=False, tolerance="exact",
           samples=lambda: [
               call(given(1.0, 2.0, 2.0, 4.0), In((2, 3), 0, 5), gradient=False, dynamic=False),
               call(given(-INF, -1.0, 0.0, INF, NAN), given(-0.0, NAN, INF, -INF, 5.0), gradient=False,
                    expect=np.array([2, 4, 3, 0, 3], np.int32), name="NaN and zeros", dynamic=False,
                    dtypes=(*FLOATS, "bfloat16")),
               call(given(-1.0, 0.0, NAN, NAN), given(0.0, NAN, 7.0), "right", gradient=False,
                    expect=np.array([2, 4, 2], np.int32), name="right", dynamic=False),
               call(given(1, 3, 3, kind="int32"), In((), kind="int32", values=3), "right", name="int32")])
def _search_sorted(edges: TensorLike, x: TensorLike, side: str = "left") -> TensorSpec:
    """The positions in the sorted vector ``edges`` at which elements of ``x`` keep the order."""
    if edges.ndim != 1:
        raise ValueError(f"the sorted sequence must be a vector, its shape is {edges.shape}")
    return TensorSpec(x.shape, "int32")


@derived(tolerance="exact", samples=lambda: [
    call(given(1.0, 2.0, 4.0), In((2, 3), 0, 5), gradient=False, dynamic=False),
    call(given(1, 3, 3, kind="int32"), 3, "right", name="number", dynamic=False),
    call(In((0,)), In((2,)), gradient=False, name="nothing to search", dynamic=False),
    call(In((2, 2)), In((2,)), raises=ValueError, name="matrix"),
    call(In((2,)), In((2,)), "middle", raises=ValueError, name="side")])
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Any:
    """The positions in an ascending vector at which values keep the order (NumPy's ``searchsorted``).

    Args:
        sorted_sequence: a vector in ascending order, NaN last.
        values: a tensor of any shape.
        side: 'left': before equal elements; 'right': behind them.

    Returns:
        An int32 tensor of the shape of ``values``.

    Raises:
        ValueError: a ``sorted_sequence`` that is not a vector, or another side.

    >>> from kbackend import K
    >>> from kbackend.ops import searchsorted
    >>> K.eval(searchsorted(K.constant([1, 3, 5]), K.constant([3, 6]))).tolist()
    [1, 3]
    """
    return _search_sorted(sorted_sequence, values, side)


@primitive(name="nonzero_rows", differentiable=False, tolerance="exact", samples=lambda: [
    call(In(values=[[0, 1, -7], [0, 0, 2]], kind="int32"), expect=np.array([[0, 1], [0, 2], [1, 2]], np.int32),
         gradient=False),
    call(In((5,), 0, 2, kind="uint8"), gradient=False, name="vector"),
    call(In((0, 2), kind="int32"), gradient=False, name="empty"), call(In(()), raises=ValueError, name="scalar")])
def _nonzero_rows(x: TensorLike) -> TensorSpec:
    """The coordinates of the nonzero elements, one row for each, in the order of the elements."""
    if x.ndim == 0:
        raise ValueError("nonzero needs a tensor of rank 1 or more, it was given a scalar")
    return TensorSpec((None, x.ndim), "int32")


@derived(tolerance="exact", samples=lambda: [
    call(In(values=[[0, 1], [0, -2]], kind="int32"), gradient=False),
    call(In(()), raises=ValueError, name="scalar")])
def nonzero(x: TensorLike) -> list[Any]:
    """The coordinates of the nonzero elements (NumPy's ``nonzero``).

    Args:
        x: a tensor of rank 1 or more; NaN is not zero.

    Returns:
        A list of int32 vectors, one for each axis; their length is known only when the program runs.

    Raises:
        ValueError: a scalar.

    >>> from kbackend import K
    >>> from kbackend.ops import nonzero
    >>> [K.eval(t).tolist() for t in nonzero(K.constant([[0, 7], [8, 0]]))]
    [[0, 1], [1, 0]]
    """
    x = as_tensor(x)
    rows = _nonzero_rows(x)
    return [rows[:, axis] for axis in range(len(x.shape))]


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), kind="bool"), In((2, 3)), In((3,))), call(In((2, 3), kind="bool"), 1.0, name="x1 alone",
                                                              raises=ValueError),
    call(In((2,)), 1.0, 2.0, raises=TypeError, name="condition of floats")])
def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """``x1`` where ``condition`` is True, else ``x2``; without them the positions where it is True (NumPy's ``where``).

    Args:
        condition: a bool tensor; without ``x1`` and ``x2`` a tensor of any dtype and of rank 1 or more.
        x1, x2: tensors or numbers that broadcast with the condition; they are promoted to one dtype.

    Returns:
        A tensor of the broadcast shape; without ``x1`` and ``x2`` the result of :func:`nonzero`.

    Raises:
        TypeError: a condition that is not bool.
        ValueError: only one of ``x1`` and ``x2``, or shapes that do not broadcast.

    >>> from kbackend import ops
    >>> [v.tolist() for v in map(ops.convert_to_numpy, ops.where([True, False, True]))]
    [[0, 2]]
    """
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where needs both x1 and x2, or neither")
    return select_elements(condition, x1, x2)


__all__ = ["nonzero", "searchsorted", "where"]
