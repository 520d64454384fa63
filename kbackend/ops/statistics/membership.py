"""Membership and counts: unique elements, histograms, bins."""

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
from kbackend.ops.core.cast import cast, identity
from kbackend.ops.core.creation import ones_like
from kbackend.ops.elementwise.comparison import equal, greater_equal, less, not_equal
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
    """Whether all elements are close; a bool scalar. Arguments and errors as in :func:`isclose`.

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
    """Whether each element of ``x1`` is among those of ``x2``; NaN is in nothing.

    Args:
        x1, x2: tensors of any shapes. All pairs are compared, which takes memory of the product of their sizes.
        assume_unique: taken as in NumPy; it makes no difference.
        invert: whether an element is not among them.

    Returns:
        bool, the shape of ``x1``.

    >>> from kbackend import K
    >>> from kbackend.ops import isin
    >>> K.eval(isin(K.constant([1, 5], dtype="int32"), [5, 7])).tolist()
    [False, True]
    """
    found = any_(expand_dims(x1, -1) == flatten(x2), axis=-1)
    return ~found if invert else found


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
    >>> from kbackend.ops import digitize
    >>> K.eval(digitize(K.constant([0.5, 1.0, 9.0]), K.constant([1.0, 2.0]))).tolist()
    [0, 1, 2]
    """
    return _search_sorted(bins, x, "right")


def _row_order(x: Any) -> Any:
    """The order of the rows of a matrix: by the first column, then the second, ..."""
    order = argsort(x[:, -1])
    for column in reversed(range(x.shape[1] - 1)):
        order = gather(order, argsort(gather(x[:, column], order)))
    return order


def _starts(ordered: Any) -> Any:
    """Whether each row of a matrix in order differs from the one before; NaN does not differ from NaN."""
    before, after = part(ordered, 0, None, -1), part(ordered, 0, 1, None)
    differs = not_equal(before, after)
    if dtypes.is_float(dtype_of(ordered)):
        differs = differs & ~(isnan(before) & isnan(after))
    changed = any_(differs, axis=1)
    first = ones_like(ordered[:1, 0], "bool")
    return concatenate_last([first, changed], 0)


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
    >>> from kbackend.ops import unique
    >>> K.eval(unique(K.constant([3, 1, 3]))).tolist()
    [1.0, 3.0]
    """

    x = as_tensor(x)
    parts = reshape(x, (-1,)) if axis is None else moveaxis(x, axis, 0)
    rest = list(parts.shape[1:])
    if None in rest:
        raise ValueError(f"unique needs parts of known size, the shape is {tuple(x.shape)}")
    width = int(np.prod(rest, dtype=int))
    if width == 0:
        raise ValueError(f"unique: the parts of the shape {tuple(x.shape)} have no elements")
    matrix = reshape(parts, [length(parts, 0), width])
    count = None if size is None else integer(size, "size")
    if count is not None and (count < 0 or count and parts.shape[0] == 0):
        raise ValueError(f"unique: size {count} of the shape {tuple(x.shape)}")
    order = _row_order(matrix)
    starts = _starts(gather(matrix, order))
    rank = cumsum_along(cast(starts, "int32")) - 1
    first = _nonzero_rows(starts)[:, 0]
    found: Any = length(first, 0) if count is None else count
    filled = None
    if count is not None:
        first, filled = _padded(first, count)
    index = gather(order, first)
    results = [_with_fill(gather(parts, index), filled, fill_value)]
    if axis is not None:
        results = [moveaxis(results[0], 0, axis)]
    if return_index:
        results.append(index)
    if return_inverse:
        inverse = gather(rank, argsort(order))
        results.append(reshape(inverse, lengths(x)) if axis is None else inverse)
    if return_counts:
        results.append(reduce_rows(ones_like(rank), rank, found, "sum"))
    return results[0] if len(results) == 1 else results


def _padded(first: Any, count: int) -> tuple[Any, Any]:
    """The first ``count`` of some places, the very first again where there are fewer, and where that is so."""
    number = numbers(count)
    there = number < extent(first, (0,))
    return gather(first, select_elements(there, number, 0)), ~there


def _with_fill(found: Any, filled: Any, fill_value: Any) -> Any:
    if filled is None or fill_value is None:
        return found
    for _ in range(len(found.shape) - 1):
        filled = expand_dims(filled, -1)
    return select_elements(filled, cast(as_tensor(fill_value), dtype_of(found)), found)


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
            raise ValueError(f"histogram: the range {range} is none")
    same = low == high
    low, high = select_elements(same, low - 0.5, low), select_elements(same, high + 0.5, high)
    fractions = np.linspace(0.0, 1.0, count + 1).astype(dtypes.numpy_dtype(floatx))
    edges = (high - low) * fractions + low
    edges = select_elements(np.arange(count + 1) == count, high, edges)
    edges = lift(edges) if isinstance(flat, Tensor) else identity(edges)
    place = _search_sorted(edges, flat, "right") - 1
    place = select_elements(equal(flat, high), count - 1, place)
    return [reduce_rows(ones_like(place), place, count, "sum"), edges]


@derived(tolerance="reduction", samples=lambda: [
    call(In((6,), 0, 4, kind="int32"), gradient=False),
    call(In((4,), 0, 3, kind="int32"), In((4,)), 5, name="weights"),
    call(In((2, 4), 0, 3, kind="int32"), None, 4, gradient=False, name="rows"),
    call(In((0,), kind="int32"), gradient=False, name="nothing", dynamic=False),
    call(In((3,)), raises=TypeError, name="floats"),
    call(In((3,), 0, 2, kind="int32"), sparse=True, raises=ValueError, name="sparse")])
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number occurs in a vector, or in each row of a matrix.

    Args:
        x: integers ``(n,)`` or ``(rows, n)``; negative ones are dropped.
        weights: what each counts, of the shape of ``x``; 1 when None.
        minlength: the least length of the result. Its length is the largest number + 1 where that is more, and so is
            known only when the program runs.
        sparse: there are no sparse tensors; True is refused, because a result without zeros needs one.

    Returns:
        int32, or the dtype of ``weights``.

    Raises:
        ValueError: another rank, weights of another shape, a negative minlength, or sparse. TypeError: no integers.

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
    x = cast(x, "int32")
    ones = ones_like(x) if weights is None else as_tensor(weights)
    _check_updates(tuple(ones.shape), tuple(x.shape), "bincount")
    count = maximum(one_past(x), least)
    if len(x.shape) == 1:
        return reduce_rows(ones, x, count, "sum")
    rows = length(x, 0)
    inside = greater_equal(x, 0) & less(x, count)
    first = expand_dims(numbers(rows), 1) * count
    ids = flatten(select_elements(inside, first + x, -1))
    flat = reduce_rows(flatten(ones), ids, times(rows, count), "sum")
    return reshape(flat, [rows, count])


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
    """How many elements over axes are not 0, NaN among them; int32.

    Args:
        x: a tensor of any dtype.
        axis: None for all axes, an integer or a tuple.

    Raises:
        ValueError: an axis out of range or named twice.

    >>> from kbackend import K
    >>> from kbackend.ops import count_nonzero
    >>> int(count_nonzero(K.constant([0.0, 3.0, 4.0])))
    2
    """
    full = x if dtype_of(x) == dtypes.BOOL else x != 0
    return sum_(cast(full, "int32"), axis=axis)


__all__ = ["allclose", "bincount", "count_nonzero", "digitize", "histogram", "isin", "unique"]
