"""Finding: places in an order, elements that are not zero, different elements, and how many lie between edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops import creation, indexing, reduction, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer, length, lengths, numbers, part
from kbackend.ops.declare import TensorLike, derived, primitive
from kbackend.ops.dispatch import dtype_of, lift
from kbackend.ops.ordering import argsort
from kbackend.ops.rules import INF, NAN, In, call, values
from kbackend.ops.scattering import reduce_rows
from kbackend.ops.shapes import axis_in

# ------------------------------------------------------------------------------------- places in an order


def _side(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["side"] not in ("left", "right"):
        raise ValueError(f"the side must be 'left' or 'right', it is {attrs['side']!r}")
    return attrs


@primitive(name="search_sorted", promote="same", prepare=_side, differentiable=False, tolerance="exact",
           samples=lambda: [
               call(values(1.0, 2.0, 2.0, 4.0), In((2, 3), 0, 5), gradient=False, dynamic=False),
               call(values(-INF, -1.0, 0.0, INF, NAN), values(-0.0, NAN, INF, -INF, 5.0), gradient=False,
                    expect=np.array([2, 4, 3, 0, 3], np.int32), name="NaN and zeros", dynamic=False),
               call(values(-1.0, 0.0, NAN, NAN), values(0.0, NAN, 7.0), "right", gradient=False,
                    expect=np.array([2, 4, 2], np.int32), name="right", dynamic=False),
               call(values(1, 3, 3, kind="int32"), In((), kind="int32", values=3), "right", name="int32")])
def _search_sorted(edges: TensorLike, x: TensorLike, side: str = "left") -> TensorSpec:
    """Where elements of ``x`` would stand in the vector ``edges``."""
    if edges.ndim != 1:
        raise ValueError(f"the sorted sequence must be a vector, its shape is {edges.shape}")
    return TensorSpec(x.shape, "int32")


@derived(tolerance="exact", samples=lambda: [
    call(values(1.0, 2.0, 4.0), In((2, 3), 0, 5), gradient=False, dynamic=False),
    call(values(1, 3, 3, kind="int32"), 3, "right", name="number", dynamic=False),
    call(In((0,)), In((2,)), gradient=False, name="nothing to search", dynamic=False),
    call(In((2, 2)), In((2,)), raises=ValueError, name="matrix"),
    call(In((2,)), In((2,)), "middle", raises=ValueError, name="side")])
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Any:
    """Where values would stand in an ascending vector (NumPy's ``searchsorted``).

    Args:
        sorted_sequence: a vector in ascending order, NaN last.
        values: a tensor of any shape.
        side: 'left': before equal elements; 'right': behind them.

    Returns:
        int32 of the shape of ``values``.

    Raises:
        ValueError: no vector, or another side.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import searchsorted
    >>> K.eval(searchsorted(K.constant([1, 3, 5]), K.constant([3, 6]))).tolist()
    [1, 3]
    """
    return _search_sorted(sorted_sequence, values, side)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), -1, 4), values(0.0, 1.0, 2.5), gradient=False, dynamic=False),
    call(values(0, 1, 5, kind="int32"), values(1.0, 2.0), expect=np.array([0, 1, 2], np.int32), gradient=False,
         name="integers", dynamic=False)])
def digitize(x: TensorLike, bins: TensorLike) -> Any:
    """The number of the bin in which each element lies: i where ``bins[i-1] <= x < bins[i]``.

    Args:
        x: a tensor.
        bins: the edges, a vector in ascending order.

    Returns:
        int32 of the shape of ``x``; 0 below the first edge.

    Raises:
        ValueError: edges that are no vector.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import digitize
    >>> K.eval(digitize(K.constant([0.5, 1.0, 9.0]), K.constant([1.0, 2.0]))).tolist()
    [0, 1, 2]
    """
    return _search_sorted(bins, x, "right")


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 5), distinct=True), 2, gradient=False), call(In((4, 2), distinct=True), -1, 0, gradient=False),
    call(In((2, 3)), 1, None, gradient=False, name="all elements"),
    call(In((2, 3)), 3, raises=ValueError, name="place out of range")])
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Any:
    """Places of elements such that those before place ``kth`` are no larger, and those behind it no smaller.

    Args:
        x: a tensor of rank 1 or more.
        kth: the place, in [-n, n).
        axis: the axis; None takes ``x`` as a vector.

    Returns:
        int32 of the shape of ``x``: the whole order, as :func:`kbackend.ops.ordering.argsort` gives it.

    Raises:
        ValueError: a scalar, or a place or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import argpartition
    >>> K.eval(argpartition(K.constant([3.0, 1.0, 2.0]), 1)).tolist()
    [1, 2, 0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = shaping.flatten(x), 0
    axis, kth = axis_in(axis, len(x.shape)), integer(kth, "kth")
    size = x.shape[axis]
    if size is not None and not -size <= kth < size:
        raise ValueError(f"argpartition: place {kth} is out of range for axis {axis} of size {size}")
    return argsort(x, axis=axis)


# ------------------------------------------------------------------------------------- not zero


@primitive(name="nonzero_rows", differentiable=False, tolerance="exact", samples=lambda: [
    call(In(values=[[0, 1, -7], [0, 0, 2]], kind="int32"), expect=np.array([[0, 1], [0, 2], [1, 2]], np.int32),
         gradient=False),
    call(In((5,), 0, 2, kind="uint8"), gradient=False, name="vector"),
    call(In((0, 2), kind="int32"), gradient=False, name="empty"), call(In(()), raises=ValueError, name="scalar")])
def _nonzero_rows(x: TensorLike) -> TensorSpec:
    """The coordinates of the elements that are not zero, a row each, in the order of the elements."""
    if x.ndim == 0:
        raise ValueError("nonzero needs a tensor of rank 1 or more, it was given a scalar")
    return TensorSpec((None, x.ndim), "int32")


@derived(tolerance="exact", samples=lambda: [
    call(In(values=[[0, 1], [0, -2]], kind="int32"), gradient=False),
    call(In(()), raises=ValueError, name="scalar")])
def nonzero(x: TensorLike) -> list[Any]:
    """The coordinates of the elements that are not zero (NumPy's ``nonzero``).

    Args:
        x: a tensor of rank 1 or more; NaN is not zero.

    Returns:
        A list of int32 vectors, one an axis, as long as there are such elements: known when the program runs.

    Raises:
        ValueError: a scalar.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import nonzero
    >>> [K.eval(t).tolist() for t in nonzero(K.constant([[0, 7], [8, 0]]))]
    [[0, 1], [1, 0]]
    """
    x = as_tensor(x)
    rows = _nonzero_rows(x)
    return [rows[:, axis] for axis in range(len(x.shape))]


# ------------------------------------------------------------------------------------- different elements


def _row_order(x: Any) -> Any:
    """The order of the rows of a matrix: by the first column, then the second, ..."""
    order = argsort(x[:, -1])
    for column in reversed(range(x.shape[1] - 1)):
        order = indexing.gather(order, argsort(indexing.gather(x[:, column], order)))
    return order


def _starts(ordered: Any) -> Any:
    """Whether each row of a matrix in order differs from the one before; NaN does not differ from NaN."""
    before, after = part(ordered, 0, None, -1), part(ordered, 0, 1, None)
    differs = e.not_equal(before, after)
    if dtypes.is_float(dtype_of(ordered)):
        differs = differs & ~(e.isnan(before) & e.isnan(after))
    changed = reduction.any_(differs, axis=1)
    first = creation.ones_like(ordered[:1, 0], "bool")
    return shaping.concatenate([first, changed], 0)


def _unique_samples() -> list[Any]:
    x = In(values=[3.0, 1.0, 3.0, 2.0, 1.0, 1.0])
    # the kit lets integers alone decide a size
    whole = In(values=[3, 1, 3, 2, 1, 1], kind="int32")
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    return [
        call(whole, gradient=False), call(whole, **every, gradient=False, name="all results"),
        call(x, **every, size=5, gradient=False, name="padded"),
        call(x, size=2, fill_value=-1.0, gradient=False, expect=np.array([1.0, 2.0]), name="cut"),
        call(values(NAN, 1.0, NAN), size=3, fill_value=0.0, gradient=False, expect=np.array([1.0, NAN, 0.0]),
             name="NaN"),
        call(In((2, 3), 0, 3, kind="int32"), gradient=False, name="int32"),
        call(In(values=[[1, 2], [0, 5], [1, 2]], kind="int32"), axis=0, **every, gradient=False, name="rows"),
        call(In((0,)), size=2, gradient=False, raises=ValueError, name="nothing to pad with", dynamic=False),
        call(x, size=-1, raises=ValueError, name="negative size"),
    ]


@derived(tolerance="exact", samples=_unique_samples)
def unique(x: TensorLike, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
           return_counts: bool = False, axis: int | None = None, size: int | None = None,
           fill_value: Any = None) -> Any:
    """The different elements of a tensor, or its different parts along an axis, in ascending order.

    Args:
        x: a tensor.
        sorted: they always are in order.
        return_index: also where each stands first.
        return_inverse: also which of them each element is.
        return_counts: also how often each occurs.
        axis: None takes ``x`` as a vector; else the size of a part must be known.
        size: how many the result holds: more are cut off, fewer filled up. Without it the number is known only when
            the program runs.
        fill_value: what fills up; the smallest element when None. Its counts are 0, its index is the first one's.

    Returns:
        The elements, or a list of them and the int32 vectors asked for, in the order of the arguments.

    Raises:
        ValueError: a negative size, or nothing to fill up with. No gradient flows to ``x`` through the vectors.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import unique
    >>> K.eval(unique(K.constant([3, 1, 3]))).tolist()
    [1.0, 3.0]
    """
    from kbackend.ops.arranging import moveaxis

    x = as_tensor(x)
    parts = shaping.reshape(x, (-1,)) if axis is None else moveaxis(x, axis, 0)
    rest = list(parts.shape[1:])
    if None in rest:
        raise ValueError(f"unique needs parts of known size, the shape is {tuple(x.shape)}")
    width = int(np.prod(rest, dtype=int))
    if width == 0:
        raise ValueError(f"unique: the parts of the shape {tuple(x.shape)} have no elements")
    matrix = shaping.reshape(parts, [length(parts, 0), width])
    count = None if size is None else integer(size, "size")
    if count is not None and (count < 0 or count and parts.shape[0] == 0):
        raise ValueError(f"unique: size {count} of the shape {tuple(x.shape)}")
    order = _row_order(matrix)
    starts = _starts(indexing.gather(matrix, order))
    rank = reduction.cumsum(e.cast(starts, "int32")) - 1
    first = _nonzero_rows(starts)[:, 0]
    found: Any = length(first, 0) if count is None else count
    filled = None
    if count is not None:
        first, filled = _padded(first, count)
    index = indexing.gather(order, first)
    results = [_with_fill(indexing.gather(parts, index), filled, fill_value)]
    if axis is not None:
        results = [moveaxis(results[0], 0, axis)]
    if return_index:
        results.append(index)
    if return_inverse:
        inverse = indexing.gather(rank, argsort(order))
        results.append(shaping.reshape(inverse, lengths(x)) if axis is None else inverse)
    if return_counts:
        results.append(reduce_rows(creation.ones_like(rank), rank, found, "sum"))
    return results[0] if len(results) == 1 else results


def _padded(first: Any, count: int) -> tuple[Any, Any]:
    """The first ``count`` of some places, the very first again where there are fewer, and where that is so."""
    number = numbers(count)
    there = number < shaping.extent(first, (0,))
    return indexing.gather(first, e.where(there, number, 0)), ~there


def _with_fill(found: Any, filled: Any, fill_value: Any) -> Any:
    if filled is None or fill_value is None:
        return found
    for _ in range(len(found.shape) - 1):
        filled = shaping.expand_dims(filled, -1)
    return e.where(filled, e.cast(as_tensor(fill_value), dtype_of(found)), found)


# ------------------------------------------------------------------------------------- histograms


@derived(tolerance="reduction", samples=lambda: [
    call(In((3, 4), -2, 2), 5, (-1.0, 1.0), gradient=False, dtypes=("float32",)),
    call(values(0.0, 1.0, 2.0, 4.0), 4, gradient=False, name="from the data", dtypes=("float32",)),
    call(values(1.0, 1.0), 2, gradient=False, name="one value", dtypes=("float32",)),
    call(values(0, 3, 3, kind="int32"), 3, (0, 3), gradient=False, name="int32"),
    call(In((3,)), 0, raises=ValueError, name="no bins"),
    call(In((3,)), 2, (1.0, 0.0), raises=ValueError, name="range")])
def histogram(x: TensorLike, bins: int = 10, range: Any = None) -> list[Any]:
    """How many elements lie in bins of equal width, the last of which holds its upper edge (NumPy's ``histogram``).

    Args:
        x: a tensor of numbers; elements outside and NaN are not counted.
        bins: the number of bins.
        range: the lower and upper edge; the smallest and largest element when None. Half a unit is added on both
            sides where they are equal.

    Returns:
        [counts (int32), edges (floatx, one more)].

    Raises:
        ValueError: no bins, or a range that is none. TypeError: bins that are no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.searching import histogram
    >>> [K.eval(t).tolist() for t in histogram(K.constant([0, 1, 1, 2]), 2)]
    [[1, 3], [0.0, 1.0, 2.0]]
    """
    count = integer(bins, "the number of bins")
    if count < 1:
        raise ValueError(f"histogram needs one bin or more, not {count}")
    floatx = config.floatx()
    flat = shaping.flatten(as_tensor(x))
    flat = flat if dtype_of(flat) == floatx else e.cast(flat, floatx)
    if range is None:
        low, high = reduction.min_(flat), reduction.max_(flat)
    else:
        low, high = (lift(r, floatx) for r in range)
        if not any(isinstance(r, Tensor) for r in range) and not range[0] <= range[1]:
            raise ValueError(f"histogram: the range {range} is none")
    same = low == high
    low, high = e.where(same, low - 0.5, low), e.where(same, high + 0.5, high)
    fractions = np.linspace(0.0, 1.0, count + 1).astype(dtypes.numpy_dtype(floatx))
    edges = (high - low) * fractions + low
    edges = e.where(np.arange(count + 1) == count, high, edges)
    edges = lift(edges) if isinstance(flat, Tensor) else e.identity(edges)
    place = _search_sorted(edges, flat, "right") - 1
    place = e.where(e.equal(flat, high), count - 1, place)
    return [reduce_rows(creation.ones_like(place), place, count, "sum"), edges]


__all__ = ["argpartition", "digitize", "histogram", "nonzero", "searchsorted", "unique"]
