"""Membership, unique elements, counts and histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of, lift
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import NAN, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axes_in, reduced
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.dims import length, lengths, part, times
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.reshape import expand_dims, extent, flatten, reshape
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import as_positions, cast
from kbackend.ops.core.creation import ones_like
from kbackend.ops.elementwise.floating import QUESTION, isclose, isnan
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.scatter import _check_updates
from kbackend.ops.indexing.searching import _nonzero_rows, _search_sorted
from kbackend.ops.indexing.segment import one_past, reduce_rows
from kbackend.ops.indexing.sorting import argsort
from kbackend.ops.reduction.cumulative import cumsum_along
from kbackend.ops.reduction.reductions import all_, any_, reduce_max, reduce_min, sum_


@derived(samples=lambda: [
    call(values(1.0, 2.0), values(1.0, 2.0), gradient=False, expect=np.array(True)),
    call(values(1.0, 2.0), 1.0, gradient=False, expect=np.array(False), name="Python number"),
    call(In((0, 3)), In((3,)), gradient=False, name="empty")])
def allclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all elements are close (NumPy's ``allclose``).

    Arguments and errors as in :func:`kbackend.ops.elementwise.floating.isclose`.

    Returns:
        A bool scalar.

    >>> from kbackend import K
    >>> from kbackend.ops import allclose
    >>> bool(K.eval(allclose(K.constant([1.0, 2.0]), [1.0, 2.1])))
    False
    """
    return all_(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


def _is_in(x1: TensorSpec, x2: TensorSpec, **attrs: Any) -> TensorSpec:
    return TensorSpec(x1.shape, dtypes.BOOL)


def _flags(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {k: bool(v) for k, v in attrs.items()}


@composite(**QUESTION, promote="same", rule=_is_in, prepare=_flags, samples=lambda: [
    call(In((2, 3), 0, 6, kind="int32"), In((2, 2), 0, 6, kind="int32"), gradient=False),
    call(values(1.0, NAN, 3.0), values(NAN, 3.0), gradient=False, expect=np.array([False, False, True])),
    call(In((4,), 0, 4, kind="int32"), [1, 2], invert=True, gradient=False, name="inverted"),
    call(In((4,), 0, 4, kind="int32"), 2, True, gradient=False, name="scalar"),
    call(In((3,)), In((0,)), gradient=False, name="in nothing"),
    call(In((), 0, 3, kind="int32"), In((4,), 0, 3, kind="int32"), gradient=False, name="scalar first")])
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of ``x1`` is among the elements of ``x2`` (NumPy's ``isin``); NaN never is.

    Args:
        x1, x2: tensors of any shapes. All pairs are compared: the memory is the product of the numbers of elements.
        assume_unique: accepted as in NumPy; it makes no difference.
        invert: whether the result is negated.

    Returns:
        A bool tensor of the shape of ``x1``.

    >>> from kbackend import K
    >>> from kbackend.ops import isin
    >>> K.eval(isin(K.constant([1, 5], dtype="int32"), [5, 7])).tolist()
    [False, True]
    """
    is_member = any_(expand_dims(x1, -1) == flatten(x2), axis=-1)
    return ~is_member if invert else is_member


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), -1, 4), values(0.0, 1.0, 2.5), gradient=False, dynamic=False),
    call(values(0, 1, 5, kind="int32"), values(1.0, 2.0), expect=np.array([0, 1, 2], np.int32), gradient=False,
         name="integers", dynamic=False)])
def digitize(x: TensorLike, bins: TensorLike) -> Any:
    """The number of the bin of each element (NumPy's ``digitize``): i where ``bins[i-1] <= x < bins[i]``.

    Args:
        x: a tensor.
        bins: the edges, a vector in ascending order.

    Returns:
        An int32 tensor of the shape of ``x``; 0 below the first edge, the number of edges from the last one on.

    Raises:
        ValueError: edges that are not a vector.

    >>> from kbackend import K
    >>> from kbackend.ops import digitize
    >>> K.eval(digitize(K.constant([0.5, 1.0, 9.0]), K.constant([1.0, 2.0]))).tolist()
    [0, 1, 2]
    """
    return _search_sorted(bins, x, "right")


def _row_order(x: Any) -> Any:
    """The lexicographic order of the rows of a matrix."""
    order = argsort(x[:, -1])
    for column in reversed(range(x.shape[1] - 1)):
        order = gather(order, argsort(gather(x[:, column], order)))
    return order


def _starts(ordered: Any) -> Any:
    """Whether each row of a sorted matrix differs from the one before; NaN is equal to NaN here."""
    before, after = part(ordered, 0, None, -1), part(ordered, 0, 1, None)
    differs = before != after
    if dtypes.is_float(dtype_of(ordered)):
        differs = differs & ~(isnan(before) & isnan(after))
    return concatenate_last([ones_like(ordered[:1, 0], "bool"), any_(differs, axis=1)], 0)


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
    """The unique elements, or the unique slices along an axis, in ascending order (NumPy's ``unique``).

    Args:
        x: a tensor.
        sorted: accepted; the result is always sorted.
        return_index: whether to return the index of the first occurrence of each.
        return_inverse: whether to return for each element its index in the result.
        return_counts: whether to return the number of occurrences of each.
        axis: None for the elements of the flattened tensor; else the size of a slice must be known.
        size: the size of the result: larger ones are cut off, missing ones are filled. None: it is known only when the
            program runs.
        fill_value: fills missing ones; the smallest element when None. Their count is 0, their index that of the first.

    Returns:
        The unique elements; with ``return_*`` a list of them and int32 vectors without gradient, in the order of the
        arguments.

    Raises:
        ValueError: a negative ``size``, a size of no elements, or slices of unknown or no size.
        TypeError: ``size`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import unique
    >>> K.eval(unique(K.constant([3, 1, 3]))).tolist()
    [1.0, 3.0]
    """
    x = as_tensor(x)
    slices = reshape(x, (-1,)) if axis is None else moveaxis(x, axis, 0)
    rest = list(slices.shape[1:])
    if None in rest:
        raise ValueError(f"unique needs slices of known size, the shape is {tuple(x.shape)}")
    width = int(np.prod(rest, dtype=int))
    if width == 0:
        raise ValueError(f"unique: the slices of the shape {tuple(x.shape)} have no elements")
    matrix = reshape(slices, [length(slices, 0), width])
    count = None if size is None else integer(size, "size")
    if count is not None and (count < 0 or count and slices.shape[0] == 0):
        raise ValueError(f"unique: size {count} of the shape {tuple(x.shape)}")
    order = _row_order(matrix)
    starts = _starts(gather(matrix, order))
    rank = cumsum_along(cast(starts, "int32")) - 1
    first = _nonzero_rows(starts)[:, 0]
    total: Any = length(first, 0) if count is None else count
    is_missing = None
    if count is not None:
        first, is_missing = _padded(first, count)
    index = gather(order, first)
    results = [_filled(gather(slices, index), is_missing, fill_value)]
    if axis is not None:
        results = [moveaxis(results[0], 0, axis)]
    if return_index:
        results.append(index)
    if return_inverse:
        inverse = gather(rank, argsort(order))
        results.append(reshape(inverse, lengths(x)) if axis is None else inverse)
    if return_counts:
        results.append(reduce_rows(ones_like(rank), rank, total, "sum"))
    return results[0] if len(results) == 1 else results


def _padded(positions: Any, count: int) -> tuple[Any, Any]:
    """``count`` positions, missing ones replaced by the first; and which are missing."""
    number = numbers(count)
    is_present = number < extent(positions, (0,))
    return gather(positions, select_elements(is_present, number, 0)), ~is_present


def _filled(slices: Any, is_missing: Any, fill_value: Any) -> Any:
    if is_missing is None or fill_value is None:
        return slices
    for _ in range(len(slices.shape) - 1):
        is_missing = expand_dims(is_missing, -1)
    return select_elements(is_missing, cast(as_tensor(fill_value), dtype_of(slices)), slices)


@derived(tolerance="reduction", samples=lambda: [
    call(In((3, 4), -2, 2), 5, (-1.0, 1.0), gradient=False, dtypes=("float32",)),
    call(values(0.0, 1.0, 2.0, 4.0), 4, gradient=False, name="from the data", dtypes=("float32",)),
    call(values(1.0, 1.0), 2, gradient=False, name="one value", dtypes=("float32",)),
    call(values(0, 3, 3, kind="int32"), 3, (0, 3), gradient=False, name="int32"),
    call(In((3,)), 0, raises=ValueError, name="no bins"),
    call(In((3,)), 2, (1.0, 0.0), raises=ValueError, name="range")])
def histogram(x: TensorLike, bins: int = 10, range: Any = None) -> list[Any]:
    """The numbers of elements in bins of equal width (NumPy's ``histogram``).

    Args:
        x: a tensor of numbers; NaN and elements out of range are not counted.
        bins: the number of bins. The last bin includes its upper edge.
        range: the lowest and the highest edge; the smallest and the largest element when None. Equal edges are moved
            apart by 0.5 each.

    Returns:
        [counts (int32), edges (floatx, one more than counts)].

    Raises:
        ValueError: less than one bin, or a range in descending order.
        TypeError: ``bins`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import histogram
    >>> [K.eval(t).tolist() for t in histogram(K.constant([0, 1, 1, 2]), 2)]
    [[1, 3], [0.0, 1.0, 2.0]]
    """
    count = integer(bins, "the number of bins")
    if count < 1:
        raise ValueError(f"histogram needs one bin or more, not {count}")
    floatx = config.floatx()
    flat = flatten(as_tensor(x))
    flat = flat if dtype_of(flat) == floatx else cast(flat, floatx)
    if range is None:
        low, high = reduce_min(flat), reduce_max(flat)
    else:
        low, high = (lift(r, floatx) for r in range)
        if not any(isinstance(r, Tensor) for r in range) and not range[0] <= range[1]:
            raise ValueError(f"histogram: the range {range} is not in ascending order")
    is_empty = low == high
    low, high = select_elements(is_empty, low - 0.5, low), select_elements(is_empty, high + 0.5, high)
    fractions = np.linspace(0.0, 1.0, count + 1).astype(dtypes.numpy_dtype(floatx))
    edges = select_elements(np.arange(count + 1) == count, high, (high - low) * fractions + low)
    number = select_elements(flat == high, count - 1, _search_sorted(edges, flat, "right") - 1)
    return [reduce_rows(ones_like(number), number, count, "sum"), edges]


@derived(tolerance="reduction", samples=lambda: [
    call(In((6,), 0, 4, kind="int32"), gradient=False),
    call(In((4,), 0, 3, kind="int32"), In((4,)), 5, name="weights"),
    call(In((2, 4), 0, 3, kind="int32"), None, 4, gradient=False, name="rows"),
    call(In((0,), kind="int32"), gradient=False, name="nothing", dynamic=False),
    call(In((3,)), raises=TypeError, name="floats"),
    call(In((3,), 0, 2, kind="int32"), sparse=True, raises=ValueError, name="sparse")])
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Any:
    """The number of occurrences of each integer in a vector, or in each row of a matrix (NumPy's ``bincount``).

    Args:
        x: integers ``(n,)`` or ``(rows, n)``; negative ones are dropped.
        weights: a tensor of the shape of ``x`` whose elements are added instead of 1.
        minlength: the least length of the result. The length is the largest integer + 1 if that is more, and is known
            only when the program runs.
        sparse: not supported; True is refused.

    Returns:
        int32, or the dtype of ``weights``: ``(length,)`` or ``(rows, length)``.

    Raises:
        ValueError: another rank, weights of another shape, a negative ``minlength``, or ``sparse``.
        TypeError: ``x`` or ``minlength`` not of integers.

    >>> from kbackend import K
    >>> from kbackend.ops import bincount
    >>> K.eval(bincount(K.constant([1, 3, 1], "int32"))).tolist()
    [0, 2, 0, 1]
    """
    if sparse:
        raise ValueError("bincount: a sparse result needs sparse tensors, which are not supported")
    x, least = as_tensor(x), integer(minlength, "minlength")
    if not dtypes.is_integer(dtype_of(x)):
        raise TypeError(f"bincount counts integers, not {dtype_of(x)}")
    if len(x.shape) not in (1, 2) or least < 0:
        raise ValueError(f"bincount: a shape {tuple(x.shape)} with minlength {least}")
    x = as_positions(x)
    ones = ones_like(x) if weights is None else as_tensor(weights)
    _check_updates(tuple(ones.shape), tuple(x.shape), "bincount")
    count = maximum(one_past(x), least)
    if len(x.shape) == 1:
        return reduce_rows(ones, x, count, "sum")
    rows = length(x, 0)
    offset = expand_dims(numbers(rows), 1) * count
    ids = flatten(select_elements((x >= 0) & (x < count), offset + x, -1))
    return reshape(reduce_rows(flatten(ones), ids, times(rows, count), "sum"), [rows, count])


def _count_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"axis": axes_in(attrs["axis"], specs[0].ndim)}


def _count_rule(x: TensorSpec, axis: Any) -> TensorSpec:
    return TensorSpec(reduced(x.shape, axis, False), "int32")


@composite(differentiable=False, tolerance="exact", prepare=_count_attrs, rule=_count_rule, samples=lambda: [
    call(In(values=[[0.0, 1.5, NAN], [-0.0, 0.0, 2.0]]), gradient=False, expect=np.array(3)),
    call(In((2, 3), -1, 2, kind="int32"), axis=-1, gradient=False, name="int32"),
    call(In((2, 3, 2), kind="bool"), axis=(0, 2), gradient=False, name="bool"),
    call(In((0, 3)), axis=0, gradient=False, name="of nothing"),
    call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range")])
def count_nonzero(x: TensorLike, axis: Any = None) -> Any:
    """The number of nonzero elements over axes (NumPy's ``count_nonzero``); NaN is not zero.

    Args:
        x: a tensor of any dtype, of any shape.
        axis: an axis or several; negative ones count from the end; None for all.

    Returns:
        An int32 tensor, without gradient.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> from kbackend.ops import count_nonzero
    >>> int(count_nonzero(K.constant([0.0, 3.0, 4.0])))
    2
    """
    is_nonzero = x if dtype_of(x) == dtypes.BOOL else x != 0
    return sum_(cast(is_nonzero, "int32"), axis=axis)


__all__ = ["allclose", "bincount", "count_nonzero", "digitize", "histogram", "isin", "unique"]
