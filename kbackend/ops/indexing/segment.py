"""Reductions of the rows that share a segment id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.rules import WIDE, is_small, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.reshape import flatten
from kbackend.ops.arrays.sizes import check_sizes, entries
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions, cast
from kbackend.ops.reduction.reductions import reduce_max

#: the reductions of the rows of a segment
REDUCTIONS = ("sum", "prod", "max", "min")


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
    """Rows of ``data`` with the same id reduced to row ``id`` of the result; rows with an id out of range are dropped.

    ``shape`` is (n,), or (None,) and n is given by ``sizes``. A segment without rows holds the neutral element: 0 of
    sum, 1 of prod, and of max and min the infinity, or the limit of an integer dtype.
    """
    check_sizes(sizes, shape)
    if any(d is not None and d < 0 for d in shape):
        raise ValueError(f"the number of segments must not be negative, it is {shape[0]}")
    if data.dtype == dtypes.BOOL:
        raise TypeError("a segment reduction of bool; cast it first")
    if not dtypes.is_integer(ids.dtype):
        raise TypeError(f"segment ids must be integers, they are {ids.dtype}; cast them first")
    if data.ndim < 1 or ids.ndim != 1:
        raise ValueError(f"data of rank 1 or more and a vector of ids are needed, they are {data.shape}, {ids.shape}")
    if None not in (data.shape[0], ids.shape[0]) and data.shape[0] != ids.shape[0]:
        raise ValueError(f"{ids.shape[0]} segment ids were given for {data.shape[0]} rows")
    return TensorSpec((*shape, *data.shape[1:]), data.dtype)


def reduce_rows(data: Any, ids: Any, count: Any, how: str) -> Any:
    """A segment reduction whose number of segments may be symbolic; float16 and bfloat16 accumulate in float32."""
    dtype = dtype_of(data)
    if is_small(data) and how in ("sum", "prod"):
        return cast(reduce_rows(cast(data, "float32"), ids, count, how), dtype)
    sizes, shape = ([], (count,)) if isinstance(count, int) else ([count], (None,))
    return _segment_reduce(data, ids, sizes, shape, how)


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
    """The largest of some integers plus 1, at least 0 and 0 of none, as a scalar."""
    numbers = as_positions(flatten(numbers))
    lowest = np.array([-1], dtypes.numpy_dtype(dtype_of(numbers)))
    return reduce_max(concatenate_last([numbers, lowest], 0)) + 1


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
    """Sums of the rows with the same id (Keras 3's ``segment_sum``).

    Args:
        data: numbers ``(n, ...)``.
        segment_ids: integers ``(n,)``; rows with an id out of [0, num_segments) are dropped.
        num_segments: the number of segments; the largest id + 1 when None, known only when the program runs.
        sorted: whether the ids ascend; it makes no difference.

    Returns:
        A tensor ``(num_segments, ...)`` of the dtype of ``data``; 0 for a segment without rows. float16 and bfloat16
        are accumulated in float32.

    Raises:
        ValueError: another number of ids than rows, or a negative number of segments.
        TypeError: a bool tensor, or ids that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import segment_sum
    >>> K.eval(segment_sum(K.constant([1, 2, 4]), K.constant([0, 2, 0], "int32"))).tolist()
    [5.0, 0.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "sum")


@derived(tolerance="reduction", samples=_segment_samples)
def segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """Products of the rows with the same id; 1 for a segment without rows.

    Arguments and errors as in :func:`segment_sum`.

    >>> from kbackend import K
    >>> from kbackend.ops import segment_prod
    >>> K.eval(segment_prod(K.constant([3, 2, 4]), K.constant([0, 2, 0], "int32"))).tolist()
    [12.0, 1.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "prod")


@derived(tolerance="exact", samples=_segment_samples)
def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """The maxima of the rows with the same id (Keras 3's ``segment_max``); NaN if an element is.

    Arguments and errors as in :func:`segment_sum`.

    Returns:
        A tensor ``(num_segments, ...)``; for a segment without rows -inf, or the smallest integer of the dtype. Equal
        maxima share the gradient.

    >>> from kbackend import K
    >>> from kbackend.ops import segment_max
    >>> K.eval(segment_max(K.constant([3, 2, 4]), K.constant([0, 1, 0], "int32"))).tolist()
    [4.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "max")


@derived(tolerance="exact", samples=_segment_samples)
def segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: Any = None, sorted: bool = False) -> Any:
    """The minima of the rows with the same id; NaN if an element is. Arguments and errors as in :func:`segment_sum`.

    Returns:
        A tensor ``(num_segments, ...)``; for a segment without rows inf, or the largest integer of the dtype. Equal
        minima share the gradient.

    >>> from kbackend import K
    >>> from kbackend.ops import segment_min
    >>> K.eval(segment_min(K.constant([3, 2, 4]), K.constant([0, 1, 0], "int32"))).tolist()
    [3.0, 2.0]
    """
    return _segments(data, segment_ids, num_segments, "min")


__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]
