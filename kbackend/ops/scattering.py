"""Putting values at places given by number: sums and extremes of segments, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops import creation, indexing, reduction, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer, length, numbers, times
from kbackend.ops.declare import TensorLike, TensorList, derived, primitive
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.rules import WIDE, In, Sample, call, is_small, values
from kbackend.ops.sizes import check_sizes, entries

#: the ways in which the rows of a segment become one
REDUCTIONS = ("sum", "prod", "max", "min")

# ------------------------------------------------------------------------------------- the primitive


def _segment_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["reduction"] not in REDUCTIONS:
        raise ValueError(f"the reduction must be one of {REDUCTIONS}, it is {attrs['reduction']!r}")
    return {**attrs, "shape": tuple(None if d is None else int(d) for d in attrs["shape"])}


def _ids(*given: int) -> In:
    return In(values=list(given), kind="int32", shape=(len(given),))


def _segment_reduce_samples() -> list[Sample]:
    found = []
    for how in REDUCTIONS:
        found += [
            call(In((5, 2), 0.5, 2, distinct=True), _ids(2, 0, 2, 2, 0), [], (4,), how, name=how),
            call(In((4,), -5, 5, kind="int32"), _ids(1, 1, -1, 3), [], (3,), how, gradient=False, name=f"{how} int32"),
            call(In((0, 2)), In((0,), kind="int64"), [], (2,), how, gradient=False, name=f"{how} of nothing"),
            call(In((3, 0)), _ids(0, 1, 1), [], (2,), how, gradient=False, name=f"{how} of no columns"),
            call(values(1.0, np.nan, -np.inf, 3.0), _ids(0, 0, 1, 2), [], (4,), how, gradient=False, name=f"{how} NaN"),
        ]
    size = In((), values=3, kind="int32")
    return [
        *found,
        call(values(1.0, 2.0, 4.0, 8.0), _ids(-1, 1, 1, 3), [], (3,), "sum", row=46, expect=np.array([0.0, 6.0, 0.0]),
             expect_gradient=np.array([0.0, 1.0, 1.0, 0.0]), name="ids outside"),
        call(values(1.0, 3.0, 3.0, 2.0), _ids(0, 0, 0, 1), [], (2,), "max", expect_gradient=np.array([0, 0.5, 0.5, 1]),
             name="ties of max", dtypes=WIDE),
        call(values(1.0, 1.0, 3.0, 2.0), _ids(0, 0, 0, 1), [], (2,), "min", expect_gradient=np.array([0.5, 0.5, 0, 1]),
             name="ties of min", dtypes=WIDE),
        call(values(0.0, 2.0, 3.0, 5.0), _ids(0, 0, 0, 1), [], (2,), "prod", expect_gradient=np.array([6, 0, 0, 1]),
             name="prod at 0", dtypes=WIDE),
        call(In((4, 2)), _ids(2, 0, 0, 1), [size], (None,), "sum", name="symbolic number"),
        call(In((3,)), In((3,)), [], (2,), "sum", raises=TypeError, name="ids of floats"),
        call(In((3,)), _ids(0, 1), [], (2,), "sum", raises=ValueError, name="numbers", dynamic=False),
        call(In((3,), kind="bool"), _ids(0, 1, 1), [], (2,), "sum", raises=TypeError, name="bool"),
    ]


@primitive(name="segment_reduce", prepare=_segment_attrs, tolerance="reduction", samples=_segment_reduce_samples)
def _segment_reduce(data: TensorLike, ids: TensorLike, sizes: TensorList, shape: Any, reduction: str) -> TensorSpec:
    """Rows of ``data`` with one id reduced to row ``id`` of the result; rows with ids outside are dropped.

    ``shape`` is (n,) or (None,), n standing in ``sizes``. Rows without an id hold the reduction's neutral element:
    0, 1, and for extremes the infinity or the number at the other end of the dtype.
    """
    check_sizes(sizes, shape)
    if any(d is not None and d < 0 for d in shape):
        raise ValueError(f"the number of segments must not be negative, it is {shape[0]}")
    if data.dtype == dtypes.BOOL:
        raise TypeError("segments of bool; cast them first")
    if not dtypes.is_integer(ids.dtype):
        raise TypeError(f"segment ids must be integers, they are {ids.dtype}; cast them first")
    if data.ndim < 1 or ids.ndim != 1:
        raise ValueError(f"data of rank 1 or more and a vector of ids are needed, they are {data.shape}, {ids.shape}")
    if None not in (data.shape[0], ids.shape[0]) and data.shape[0] != ids.shape[0]:
        raise ValueError(f"{ids.shape[0]} segment ids were given for {data.shape[0]} rows")
    return TensorSpec((*shape, *data.shape[1:]), data.dtype)


def reduce_rows(data: Any, ids: Any, count: Any, how: str) -> Any:
    """:func:`_segment_reduce` for a number of segments that may be symbolic; small floats accumulate in float32."""
    dtype = dtype_of(data)
    if is_small(data) and how in ("sum", "prod"):
        return e.cast(reduce_rows(e.cast(data, "float32"), ids, count, how), dtype)
    sizes, shape = ([], (count,)) if isinstance(count, int) else ([count], (None,))
    return _segment_reduce(data, ids, sizes, shape, how)


# ------------------------------------------------------------------------------------- segments


def _segments(data: Any, ids: Any, num_segments: Any, how: str) -> Any:
    data, ids = as_tensor(data), as_tensor(ids)
    if num_segments is None:
        if not dtypes.is_integer(dtype_of(ids)):
            raise TypeError(f"segment ids must be integers, they are {dtype_of(ids)}; cast them first")
        num_segments = one_past(ids)
    else:
        (num_segments,) = entries([num_segments])
    return reduce_rows(data, ids, num_segments, how)


def one_past(numbers: Any) -> Any:
    """The largest of some integers and -1, plus 1, as an int32 scalar; an int where no placeholder matters."""
    least = np.array([-1], np.int32)
    top = reduction.max_(shaping.concatenate([e.cast(shaping.flatten(numbers), "int32"), least], 0))
    found = e.add(top, 1)
    return found if isinstance(found, Tensor) else integer(as_numpy(found), "the number of segments")


def as_numpy(x: Any) -> Any:
    from kbackend.ops.dispatch import to_numpy

    return to_numpy(x).item()


def _segment_samples() -> list[Sample]:
    data = In((4, 2), 0.5, 2, distinct=True)
    return [
        call(data, _ids(0, 2, 0, 1), 3), call(data, _ids(0, 2, 0, -1), name="from the ids"),
        call(data, _ids(0, 1, 1, 5), 3, True, name="sorted"),
        call(data, _ids(0, 2, 0, 1), -3, raises=ValueError, name="negative"),
        call(data, In((4,)), raises=TypeError, name="ids of floats"),
    ]


@derived(tolerance="reduction", samples=_segment_samples)
def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """Sums of the rows that have the same id.

    Args:
        data: numbers ``(n, ...)``.
        segment_ids: integers ``(n,)``; a row whose id is below 0 or not below ``num_segments`` is dropped.
        num_segments: how many segments; the largest id + 1 when None, a number known only when the program runs.
        sorted: a promise that ids ascend; nothing depends on it.

    Returns:
        ``(num_segments, ...)`` in the dtype of ``data``; 0 for a segment without rows. float16 accumulates in float32.

    Raises:
        ValueError: other numbers of ids and rows, or a negative number of segments.
        TypeError: bool data, or ids that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import segment_sum
    >>> K.eval(segment_sum(K.constant([1, 2, 4]), K.constant([0, 2, 0], "int32"))).tolist()
    [5.0, 0.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "sum")


@derived(tolerance="reduction", samples=_segment_samples)
def segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """Products of the rows that have the same id, 1 for a segment without rows. Arguments and errors as in
    :func:`segment_sum`.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import segment_prod
    >>> K.eval(segment_prod(K.constant([3, 2, 4]), K.constant([0, 2, 0], "int32"))).tolist()
    [12.0, 1.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "prod")


@derived(tolerance="exact", samples=_segment_samples)
def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """The largest of the rows that have the same id; equal ones share the gradient, NaN is kept.

    -inf, or the smallest integer, for a segment without rows. Arguments and errors as in :func:`segment_sum`.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import segment_max
    >>> K.eval(segment_max(K.constant([3, 2, 4]), K.constant([0, 1, 0], "int32"))).tolist()
    [4.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "max")


@derived(tolerance="exact", samples=_segment_samples)
def segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """The smallest of the rows that have the same id; equal ones share the gradient, NaN is kept.

    inf, or the largest integer, for a segment without rows. Arguments and errors as in :func:`segment_sum`.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import segment_min
    >>> K.eval(segment_min(K.constant([3, 2, 4]), K.constant([0, 1, 0], "int32"))).tolist()
    [3.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "min")


# ------------------------------------------------------------------------------------- scattering


def _row_numbers(indices: Any, dims: Sequence[Any]) -> Any:
    """The places of rows in a row from their coordinates; -1 for those outside."""
    found: Any = None
    inside: Any = None
    for axis, size in enumerate(dims):
        at = e.cast(indexing.getitem(indices, (Ellipsis, axis)), "int32")
        good = e.logical_and(e.greater_equal(at, 0), e.less(at, size))
        found = at if found is None else e.add(e.multiply(found, size), at)
        inside = good if inside is None else e.logical_and(inside, good)
    return shaping.flatten(e.where(inside, found, -1))


def _scatter_parts(indices: Any, updates: Any, dims: Sequence[Any], name: str) -> tuple[Any, Any, Any, list[Any]]:
    """Row numbers, the rows to put there, the number of rows, and the dimensions of a row."""
    indices, updates = as_tensor(indices), as_tensor(updates)
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"{name}: indices must be integers, they are {dtype_of(indices)}")
    depth = indices.shape[-1] if len(indices.shape) else None
    if depth is None or not 1 <= depth <= len(dims):
        raise ValueError(f"{name}: indices of shape {tuple(indices.shape)} do not fit the rank {len(dims)}")
    rest = list(dims[depth:])
    wanted = (*tuple(indices.shape)[:-1], *(None if isinstance(d, Tensor) else d for d in rest))
    _check_updates(tuple(updates.shape), wanted, name)
    count: Any = 1
    for d in dims[:depth]:
        count = times(count, d)
    ids = _row_numbers(indices, dims[:depth])
    return ids, shaping.reshape(updates, [length(ids, 0), *rest]), count, rest


def _check_updates(shape: Shape, wanted: Shape, name: str) -> None:
    if len(shape) != len(wanted) or any(None not in (a, b) and a != b for a, b in zip(shape, wanted)):
        raise ValueError(f"{name}: the updates must have the shape {wanted}, they have {shape}")


@derived(tolerance="reduction", samples=lambda: [
    call(In((3, 1), 0, 4, kind="int32"), In((3, 2)), (4, 2)),
    call(In((2, 3, 2), 0, 2, kind="int32"), In((2, 3)), (2, 3), name="elements"),
    call(values(1, 1, kind="int32"), In(()), (2, 2), name="one element", dynamic=False),
    call(In(values=[[0], [5], [-1]], kind="int32"), values(1.0, 2.0, 4.0), (2,), expect=np.array([1.0, 0.0]),
         name="outside"),
    call(In((3, 2), 0, 2, kind="int32"), In((3, 2)), (2,), raises=ValueError, name="rank"),
    call(In((3, 1)), In((3,)), (2,), raises=TypeError, name="floats")])
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Any:
    """Zeros of a shape with ``values`` added at some places.

    Args:
        indices: integers ``(..., k)``: the first k coordinates of each place. Places outside are dropped.
        values: ``(..., *shape[k:])``; those at equal places are added.
        shape: the shape of the result: integers or integer scalars.

    Raises:
        ValueError: shapes that do not fit. TypeError: indices that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import scatter
    >>> K.eval(scatter(K.constant([[0], [2], [0]], "int32"), K.constant([1, 2, 4]), (3,))).tolist()
    [5.0, 0.0, 2.0]
    """
    dims = entries(shape)
    ids, rows, count, _ = _scatter_parts(indices, values, dims, "scatter")
    return shaping.reshape(reduce_rows(rows, ids, count, "sum"), dims)


_HOW = {"add": "sum", "max": "max", "min": "min", "mul": "prod"}


@derived(tolerance="reduction", samples=lambda: [
    *(call(In((4, 2), 0.5, 2, distinct=True), In(values=[[1], [3], [1]], kind="int32"),
           In((3, 2), 0.5, 2, distinct=True), how, dynamic=False, name=str(how)) for how in (None, *_HOW)),
    call(In((2, 3)), In(values=[[1, 2], [0, 0]], kind="int32"), In((2,)), dynamic=False, name="elements"),
    call(values(1.0, 2.0, 3.0), In(values=[[1], [1], [7]], kind="int32"), values(5.0, 6.0, 7.0),
         expect=np.array([1.0, 6.0, 3.0]), expect_gradient=np.array([1.0, 0.0, 1.0]), name="the last one stays"),
    call(values(3.0, 2.0), In(values=[[0], [0]], kind="int32"), values(3.0, 3.0), "max", dtypes=WIDE,
         expect_gradient=np.array([1 / 3, 1.0]), name="ties"),
    call(In((3, 2)), In((0, 1), kind="int32"), In((0, 2)), name="nothing", dynamic=False),
    call(In((3,)), In((2, 1), 0, 3, kind="int32"), In((2,)), "mean", raises=ValueError, name="reduction")])
def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None) -> Any:
    """``inputs`` with ``updates`` put, or worked in, at some places.

    Args:
        inputs: a tensor.
        indices: integers ``(..., k)``: the first k coordinates of each place. Places outside are dropped.
        updates: ``(..., *inputs.shape[k:])``, taken in the dtype of ``inputs``.
        reduction: None replaces, the last update of equal places staying; 'add', 'max', 'min' or 'mul' work the
            updates into what is there. Equal extremes share the gradient.

    Raises:
        ValueError: shapes that do not fit, or another reduction. TypeError: indices that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.scattering import scatter_update
    >>> K.eval(scatter_update(K.constant([1, 2, 3]), K.constant([[1]], "int32"), K.constant([9]))).tolist()
    [1.0, 9.0, 3.0]
    """
    x = as_tensor(inputs)
    if reduction is not None and reduction not in _HOW:
        raise ValueError(f"scatter_update: the reduction must be None or one of {list(_HOW)}, it is {reduction!r}")
    dims = [length(x, axis) for axis in range(len(x.shape))]
    ids, new, count, rest = _scatter_parts(indices, updates, dims, "scatter_update")
    if dtype_of(new) != dtype_of(x):
        new = e.cast(new, dtype_of(x))
    if new.shape[0] == 0:
        return x
    old = shaping.reshape(x, [count, *rest])
    if reduction is None:
        found = _replaced(old, ids, new, count)
    elif reduction == "add":
        found = e.add(old, reduce_rows(new, ids, count, "sum"))
    else:
        own = numbers(count)
        found = reduce_rows(shaping.concatenate([old, new], 0), shaping.concatenate([own, ids], 0), count,
                            _HOW[reduction])
    return shaping.reshape(found, dims)


def _replaced(old: Any, ids: Any, new: Any, count: Any) -> Any:
    """Rows of ``new`` in place of those of ``old``: of equal ids the last."""
    order = numbers(length(ids, 0))
    last = reduce_rows(order, ids, count, "max")
    if new.shape[0] is None:  # there may be no update to gather
        new = shaping.pad(new, ((0, 1), *[(0, 0)] * (len(new.shape) - 1)))
    there = e.greater_equal(last, 0)
    rows = indexing.gather(new, e.maximum(last, 0))
    there = shaping.reshape(there, [length(old, 0), *[1] * (len(old.shape) - 1)])
    return e.where(there, rows, old)


# ------------------------------------------------------------------------------------- counting


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
    >>> from kbackend.ops.scattering import bincount
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
    x = e.cast(x, "int32")
    ones = creation.ones_like(x) if weights is None else as_tensor(weights)
    _check_updates(tuple(ones.shape), tuple(x.shape), "bincount")
    count = e.maximum(one_past(x), least) if isinstance(x, Tensor) else max(one_past(x), least)
    if len(x.shape) == 1:
        return reduce_rows(ones, x, count, "sum")
    rows = length(x, 0)
    inside = e.logical_and(e.greater_equal(x, 0), e.less(x, count))
    first = e.multiply(shaping.expand_dims(numbers(rows), 1), count)
    ids = shaping.flatten(e.where(inside, e.add(first, x), -1))
    flat = reduce_rows(shaping.flatten(ones), ids, times(rows, count), "sum")
    return shaping.reshape(flat, [rows, count])


__all__ = [
    "bincount", "scatter", "scatter_update", "segment_max", "segment_min", "segment_prod", "segment_sum",
]
