"""Reductions and cumulations that pass over NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, Samples, bool_sample, is_small, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in, canonical_axes, canonical_axis, reduced
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, flatten, reshape
from kbackend.ops.core.arguments import rank_of
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import subtract
from kbackend.ops.elementwise.floating import isnan
from kbackend.ops.elementwise.power import masked_root, square
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.reduction.arg import argmax_along, argmin_along
from kbackend.ops.reduction.cumulative import cumprod_along, cumsum_along
from kbackend.ops.reduction.reductions import all_, reduce_max, reduce_min, reduce_prod, sum_

_HOLES: Any = [[1.0, NAN, 3.0], [NAN, 2.0, -1.5]]
_ROW: Any = [[1.0, 0.5, 3.0], [NAN, NAN, NAN]]


def _samples(*extra: Sample, takes_bool: bool = False, **options: Any) -> Samples:
    return lambda: [
        call(In(values=_HOLES), name="all axes"),
        call(In(values=_HOLES), axis=-1, name="one axis"),
        call(In((2, 3, 2), **options), axis=(0, -1), keepdims=True, name="two axes kept"),
        call(In(values=_ROW), axis=1, gradient=False, name="a row of NaN"),
        call(In((0, 3)), axis=1, name="empty result"),
        call(In((2, 3), -4, 4, kind="int32"), axis=0, gradient=False, name="int32"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
        bool_sample(takes_bool, In((2,), kind="bool")),
        *extra,
    ]


def _rule(x: TensorSpec, axis: Any, keepdims: bool) -> TensorSpec:
    if x.dtype == dtypes.BOOL:
        raise TypeError("a reduction of numbers was given bool; cast it first")
    return TensorSpec(reduced(x.shape, axis, keepdims), x.dtype)


def _not_empty(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    found = canonical_axes(specs, attrs)
    if any(specs[0].shape[a] == 0 for a in found["axis"]):
        raise ValueError("the reduced axes have no elements")
    return found


def _replaced(x: Any, value: float) -> Any:
    """``x`` with a number in place of NaN; integers have none."""
    return select_elements(isnan(x), value, x) if dtypes.is_inexact(dtype_of(x)) else x


def _precise(x: Any, body: Callable[[Any], Any]) -> Any:
    return cast(body(cast(x, "float32")), dtype_of(x)) if is_small(x) else body(x)


_SUM: dict[str, Any] = {"prepare": canonical_axes, "rule": _rule, "tolerance": "reduction"}
_MEAN: dict[str, Any] = {"prepare": canonical_axes, "rule": _rule, "tolerance": "reduction", "promote": "float"}
_EXTREME: dict[str, Any] = {"prepare": _not_empty, "rule": _rule, "tolerance": "exact", "samples": _samples(
    call(In(values=[[3.0, 3.0, NAN]]), axis=1, row=59, expect_gradient=np.array([[0.5, 0.5, 0.0]]), name="ties"),
    call(In(values=[[INF, -INF], [-INF, NAN]]), axis=1, gradient=False, name="infinities"),
    call(In((0, 3)), axis=0, raises=ValueError, row=38, name="nothing"), distinct=True)}


@composite(**_SUM, samples=_samples(call(In((0, 3)), axis=0, name="of nothing")))
def nansum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes of what is not NaN; 0 of nothing.

    Args:
        x: a tensor of numbers; integers stay integers.
        axis: None for all axes, an integer or a tuple; negative ones count from the end.
        keepdims: keep reduced axes as size 1.

    Raises:
        ValueError: an axis out of range or named twice.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import nansum
    >>> float(nansum(K.constant([1.0, float("nan"), 2.0])))
    3.0
    """
    return sum_(_replaced(x, 0.0), axis=axis, keepdims=keepdims)


@composite(**_SUM, samples=_samples(call(In((0, 3)), axis=0, name="of nothing")))
def nanprod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over axes of what is not NaN; 1 of nothing. Arguments and errors as in :func:`nansum`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanprod
    >>> float(nanprod(K.constant([3.0, float("nan"), 2.0])))
    6.0
    """
    return reduce_prod(_replaced(x, 1.0), axis=axis, keepdims=keepdims)


def _count(x: Any, axis: Any, keepdims: bool) -> Any:
    return sum_(cast(~isnan(x), dtype_of(x)), axis=axis, keepdims=keepdims)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    return nansum(x, axis=axis, keepdims=keepdims) / _count(x, axis, keepdims)


def _var(x: Any, axis: Any, keepdims: bool) -> Any:
    distance = subtract(x, _mean(x, axis, True))
    return _mean(square(select_elements(isnan(x), NAN, distance)), axis, keepdims)


@composite(**_MEAN, samples=_samples(takes_bool=True))
def nanmean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes of what is not NaN; NaN where all is. Integers give floatx.

    Arguments and errors as in :func:`nansum`, but that bool counts as 0 and 1.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmean
    >>> float(nanmean(K.constant([1.0, float("nan"), 2.0])))
    1.5
    """
    return _precise(x, lambda wide: _mean(wide, axis, keepdims))


@composite(**_MEAN, samples=_samples(
    call(In(values=[[1e4, 1e4 + 1, NAN, 1e4 + 2]]), axis=1, row=10, gradient=False, name="far from 0", dtypes=WIDE,
         expect=np.array([2 / 3])), takes_bool=True))
def nanvar(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance over axes of what is not NaN, divided by their number; NaN where all is. Integers give floatx.

    Arguments and errors as in :func:`nansum`, but that bool counts as 0 and 1.

    >>> from kbackend import K
    >>> from kbackend.ops import nanvar
    >>> float(nanvar(K.constant([1.0, float("nan"), 3.0])))
    1.0
    """
    return _precise(x, lambda wide: _var(wide, axis, keepdims))


@composite(**_MEAN, samples=_samples(
    call(values(2.0, NAN, 2.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(3), name="of a constant"),
    takes_bool=True))
def nanstd(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The square root of :func:`nanvar`; the gradient of that of a constant is 0.

    Arguments and errors as there.

    >>> from kbackend import K
    >>> from kbackend.ops import nanstd
    >>> float(nanstd(K.constant([1.0, float("nan"), 3.0])))
    1.0
    """
    return _precise(x, lambda wide: masked_root(_var(wide, axis, keepdims)))


def _extreme(x: Any, axis: Any, keepdims: bool, reduce: Any, worst: float) -> Any:
    if not dtypes.is_float(dtype_of(x)):
        return reduce(x, axis=axis, keepdims=keepdims)
    found = reduce(_replaced(x, worst), axis=axis, keepdims=keepdims)
    return select_elements(all_(isnan(x), axis=axis, keepdims=keepdims), NAN, found)


@composite(**_EXTREME)
def nanmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The maximum over axes of what is not NaN; NaN where all is. The gradient is split between ties.

    Arguments as in :func:`nansum`.

    Raises:
        ValueError: of no elements; an axis out of range or named twice.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmax
    >>> float(nanmax(K.constant([1.0, float("nan"), 2.0])))
    2.0
    """
    return _extreme(x, axis, keepdims, reduce_max, -INF)


@composite(**_EXTREME)
def nanmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The minimum over axes of what is not NaN; NaN where all is. See :func:`nanmax`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmin
    >>> float(nanmin(K.constant([1.0, float("nan"), 2.0])))
    1.0
    """
    return _extreme(x, axis, keepdims, reduce_min, INF)


def _arg_samples() -> list[Sample]:
    return [
        call(In(values=_HOLES), gradient=False, name="all axes"),
        call(In(values=_HOLES), axis=-1, gradient=False, name="one axis"),
        call(In(values=_ROW), axis=1, keepdims=True, gradient=False, name="a row of NaN"),
        call(In((2, 3), distinct=True), keepdims=True, gradient=False, name="all axes kept"),
        call(In(values=[[NAN, -INF, NAN], [NAN, INF, NAN]]), axis=1, gradient=False, name="infinities",
             expect=np.array([1, 1], np.int32)),
        call(In((2, 3), -9, 9, kind="int32"), axis=0, gradient=False, name="int32"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ]


def _place(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec(reduced(x.shape, (axis,), False), "int32")


_ARG: dict[str, Any] = {
    "prepare": canonical_axis, "tolerance": "exact", "differentiable": False, "rule": _place,
    "samples": lambda: [call(In(values=_HOLES), 1, gradient=False),
                        call(In((2, 3), -9, 9, kind="int32"), -2, gradient=False, name="int32")]}


def _best(x: Any, axis: int, worst: float, choose: Any) -> Any:
    found = cast(choose(_replaced(x, worst), axis=axis), "int32")
    if not dtypes.is_float(dtype_of(x)):
        return found
    first = cast(argmin_along(cast(isnan(x), "int32"), axis=axis), "int32")
    # where all that is not NaN is the worst number, NaN may stand before it
    lost = isnan(_at(x, found, axis))
    nothing = all_(isnan(x), axis=axis)
    return select_elements(nothing, -1, select_elements(lost, first, found))


def _at(x: Any, places: Any, axis: int) -> Any:
    return sum_(take_along(x, expand_dims(places, axis), axis=axis), axis=axis)


@composite(name="nanargmax", **_ARG)
def _nanargmax(x: TensorLike, axis: int) -> Any:
    """The first place of the maximum along one axis, past NaN."""
    return _best(x, axis, -INF, argmax_along)


@composite(name="nanargmin", **_ARG)
def _nanargmin(x: TensorLike, axis: int) -> Any:
    """The first place of the minimum along one axis, past NaN."""
    return _best(x, axis, INF, argmin_along)


def _placed(op: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    rank = rank_of(x)
    if axis is None:
        found = op(flatten(x), 0)
        return reshape(found, (1,) * rank) if keepdims else found
    found = op(x, axis)
    return expand_dims(found, axis_in(axis, rank)) if keepdims else found


@derived(tolerance="exact", samples=_arg_samples)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The first place of the maximum of what is not NaN, int32; -1 where all is NaN.

    Args:
        x: a tensor of numbers.
        axis: an integer; None looks through the flattened tensor.
        keepdims: keep reduced axes as size 1.

    Raises:
        ValueError: an axis out of range; nothing to choose from.

    >>> from kbackend import K
    >>> from kbackend.ops import nanargmax
    >>> int(nanargmax(K.constant([float("nan"), 1.0, 2.0])))
    2
    """
    return _placed(_nanargmax, x, axis, keepdims)


@derived(tolerance="exact", samples=_arg_samples)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The first place of the minimum of what is not NaN, int32; -1 where all is NaN. See :func:`nanargmax`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanargmin
    >>> int(nanargmin(K.constant([float("nan"), 1.0, 2.0])))
    1
    """
    return _placed(_nanargmin, x, axis, keepdims)


def _cumulations() -> list[Sample]:
    return [
        call(In(values=_HOLES), name="flattened"),
        call(In(values=_HOLES), axis=-2, name="one axis", dynamic=False),
        call(In((0, 3)), axis=1, name="empty"),
        call(In((2, 3), -4, 4, kind="int32"), axis=1, dtype="float32", gradient=False, name="dtype"),
        call(In((2,), kind="bool"), gradient=False, name="bool"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ]


def _cumulated(op: Any, neutral: float, x: Any, axis: Any, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, dtype)
    if dtype_of(x) == dtypes.BOOL:
        x = cast(x, "int32")
    return op(_replaced(x if axis is not None else flatten(x), neutral), axis=0 if axis is None else axis)


@derived(tolerance="cumulative", samples=_cumulations)
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The sums up to each element along an axis, NaN taken as 0.

    Args:
        x: a tensor; bool counts as int32.
        axis: an integer; None takes the flattened tensor.
        dtype: the dtype in which is summed; that of ``x`` when None.

    Raises:
        ValueError: an axis out of range.
        TypeError: an unknown dtype.

    >>> from kbackend import K
    >>> from kbackend.ops import nancumsum
    >>> K.eval(nancumsum(K.constant([1.0, float("nan"), 2.0]))).tolist()
    [1.0, 1.0, 3.0]
    """
    return _cumulated(cumsum_along, 0.0, x, axis, dtype)


@derived(tolerance="cumulative", samples=_cumulations)
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The products of the elements up to each one along an axis, NaN taken as 1. See :func:`nancumsum`.

    >>> from kbackend import K
    >>> from kbackend.ops import nancumprod
    >>> K.eval(nancumprod(K.constant([2.0, float("nan"), 3.0]))).tolist()
    [2.0, 2.0, 6.0]
    """
    return _cumulated(cumprod_along, 1.0, x, axis, dtype)


__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd",
    "nansum", "nanvar",
]
