"""Reductions and cumulative sums and products that ignore NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, Samples, bool_sample, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import canonical_axes, canonical_axis, reduced
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, flatten
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.floating import isnan
from kbackend.ops.elementwise.power import masked_root, square
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.reduction.arg import argmax_along, argmin_along, position_over
from kbackend.ops.reduction.cumulative import cumprod_along, cumsum_along
from kbackend.ops.reduction.reductions import _not_empty, all_, reduce_max, reduce_min, reduce_prod, sum_
from kbackend.ops.reduction.reductions import _numeric as _rule

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


def _replaced(x: Any, value: float) -> Any:
    """``x`` with a number in place of NaN; integers are unchanged."""
    return select_elements(isnan(x), value, x) if dtypes.is_inexact(dtype_of(x)) else x


_SUM: dict[str, Any] = {"prepare": canonical_axes, "rule": _rule, "tolerance": "reduction"}
_MEAN: dict[str, Any] = {"prepare": canonical_axes, "rule": _rule, "tolerance": "reduction", "promote": "float"}
_EXTREME: dict[str, Any] = {"prepare": _not_empty, "rule": _rule, "tolerance": "exact", "samples": _samples(
    call(In(values=[[3.0, 3.0, NAN]]), axis=1, row=59, expect_gradient=np.array([[0.5, 0.5, 0.0]]), name="ties"),
    call(In(values=[[INF, -INF], [-INF, NAN]]), axis=1, gradient=False, name="infinities"),
    call(In((0, 3)), axis=0, raises=ValueError, row=38, name="nothing"), distinct=True)}


@composite(**_SUM, samples=_samples(call(In((0, 3)), axis=0, name="of nothing")))
def nansum(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes of the elements that are not NaN (NumPy's ``nansum``); 0 of none.

    Args:
        x: a tensor of numbers, of any shape; integers stay integers.
        axis: an axis or several; negative ones count from the end; None for all.
        keepdims: whether reduced axes are kept with size 1.

    Raises:
        ValueError: an axis out of range or repeated.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import nansum
    >>> float(nansum(K.constant([1.0, float("nan"), 2.0])))
    3.0
    """
    return sum_(_replaced(x, 0.0), axis=axis, keepdims=keepdims)


@composite(**_SUM, samples=_samples(call(In((0, 3)), axis=0, name="of nothing")))
def nanprod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over axes of the elements that are not NaN (NumPy's ``nanprod``); 1 of none.

    Arguments and errors as in :func:`nansum`.

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
    centred = select_elements(isnan(x), NAN, x - _mean(x, axis, True))
    return _mean(square(centred), axis, keepdims)


@composite(**_MEAN, samples=_samples(takes_bool=True))
def nanmean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes of the elements that are not NaN (NumPy's ``nanmean``); NaN where all are.

    Arguments and errors as in :func:`nansum`, but integers and bools are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmean
    >>> float(nanmean(K.constant([1.0, float("nan"), 2.0])))
    1.5
    """
    return precise(x, lambda wide: _mean(wide, axis, keepdims))


@composite(**_MEAN, samples=_samples(
    call(In(values=[[1e4, 1e4 + 1, NAN, 1e4 + 2]]), axis=1, row=10, gradient=False, name="far from 0", dtypes=WIDE,
         expect=np.array([2 / 3])), takes_bool=True))
def nanvar(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased variance over axes of the elements that are not NaN (NumPy's ``nanvar``); NaN where all are.

    Arguments and errors as in :func:`nanmean`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanvar
    >>> float(nanvar(K.constant([1.0, float("nan"), 3.0])))
    1.0
    """
    return precise(x, lambda wide: _var(wide, axis, keepdims))


@composite(**_MEAN, samples=_samples(
    call(values(2.0, NAN, 2.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(3), name="of a constant"),
    takes_bool=True))
def nanstd(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased standard deviation over axes of the elements that are not NaN (NumPy's ``nanstd``); NaN where all are.

    Arguments and errors as in :func:`nanmean`. The gradient is 0 where the result is 0.

    >>> from kbackend import K
    >>> from kbackend.ops import nanstd
    >>> float(nanstd(K.constant([1.0, float("nan"), 3.0])))
    1.0
    """
    return precise(x, lambda wide: masked_root(_var(wide, axis, keepdims)))


def _extreme(x: Any, axis: Any, keepdims: bool, reduce: Any, neutral: float) -> Any:
    if not dtypes.is_float(dtype_of(x)):
        return reduce(x, axis=axis, keepdims=keepdims)
    extreme = reduce(_replaced(x, neutral), axis=axis, keepdims=keepdims)
    return select_elements(all_(isnan(x), axis=axis, keepdims=keepdims), NAN, extreme)


@composite(**_EXTREME)
def nanmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The maximum over axes of the elements that are not NaN (NumPy's ``nanmax``); NaN where all are.

    Args:
        x: a tensor of integers or floats, of any shape.
        axis, keepdims: as in :func:`nansum`.

    Returns:
        A tensor of the dtype of ``x``. Equal maxima share the gradient.

    Raises:
        ValueError: an axis out of range, repeated or of size 0.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmax
    >>> float(nanmax(K.constant([1.0, float("nan"), 2.0])))
    2.0
    """
    return _extreme(x, axis, keepdims, reduce_max, -INF)


@composite(**_EXTREME)
def nanmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The minimum over axes of the elements that are not NaN (NumPy's ``nanmin``); NaN where all are.

    Arguments, result and errors as in :func:`nanmax`.

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


def _position(x: Any, axis: int, neutral: float, find: Any) -> Any:
    position = cast(find(_replaced(x, neutral), axis=axis), "int32")
    if not dtypes.is_float(dtype_of(x)):
        return position
    first_number = cast(argmin_along(cast(isnan(x), "int32"), axis=axis), "int32")
    # a replaced NaN is found where it comes before elements that are all equal to the neutral number
    is_nan = isnan(_at(x, position, axis))
    return select_elements(all_(isnan(x), axis=axis), -1, select_elements(is_nan, first_number, position))


def _at(x: Any, positions: Any, axis: int) -> Any:
    """The elements at one position along an axis, which is removed."""
    return sum_(take_along(x, expand_dims(positions, axis), axis=axis), axis=axis)


@composite(name="nanargmax", **_ARG)
def _nanargmax(x: TensorLike, axis: int) -> Any:
    """The position of the first maximum along an axis, NaN ignored."""
    return _position(x, axis, -INF, argmax_along)


@composite(name="nanargmin", **_ARG)
def _nanargmin(x: TensorLike, axis: int) -> Any:
    """The position of the first minimum along an axis, NaN ignored."""
    return _position(x, axis, INF, argmin_along)


@derived(tolerance="exact", samples=_arg_samples)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the first maximum of the elements that are not NaN (NumPy's ``nanargmax``); -1 where all are.

    Args:
        x: a tensor of integers or floats, of any shape.
        axis: the axis; None gives the position in the flattened tensor.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        An int32 tensor, without gradient.

    Raises:
        ValueError: an axis out of range, or no elements.

    >>> from kbackend import K
    >>> from kbackend.ops import nanargmax
    >>> int(nanargmax(K.constant([float("nan"), 1.0, 2.0])))
    2
    """
    return position_over(_nanargmax, x, axis, keepdims)


@derived(tolerance="exact", samples=_arg_samples)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """The position of the first minimum of the elements that are not NaN (NumPy's ``nanargmin``); -1 where all are.

    Arguments, result and errors as in :func:`nanargmax`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanargmin
    >>> int(nanargmin(K.constant([float("nan"), 1.0, 2.0])))
    1
    """
    return position_over(_nanargmin, x, axis, keepdims)


def _cumulations() -> list[Sample]:
    return [
        call(In(values=_HOLES), name="flattened"),
        call(In(values=_HOLES), axis=-2, name="one axis", dynamic=False),
        call(In((0, 3)), axis=1, name="empty"),
        call(In((2, 3), -4, 4, kind="int32"), axis=1, dtype="float32", gradient=False, name="dtype"),
        call(In((2,), kind="bool"), gradient=False, name="bool"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ]


def _accumulated(accumulate: Any, neutral: float, x: Any, axis: Any, dtype: Any) -> Any:
    if dtype is not None:
        x = cast(x, dtype)
    if dtype_of(x) == dtypes.BOOL:
        x = cast(x, "int32")
    if axis is None:
        return accumulate(_replaced(flatten(x), neutral), axis=0)
    return accumulate(_replaced(x, neutral), axis=axis)


@derived(tolerance="cumulative", samples=_cumulations)
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative sum with NaN as 0 (NumPy's ``nancumsum``).

    Args:
        x: a tensor of any shape; bool is cast to int32.
        axis: the axis; None accumulates over the flattened tensor.
        dtype: the dtype of the sums; that of ``x`` when None.

    Raises:
        ValueError: an axis out of range.
        TypeError: an unknown dtype.

    >>> from kbackend import K
    >>> from kbackend.ops import nancumsum
    >>> K.eval(nancumsum(K.constant([1.0, float("nan"), 2.0]))).tolist()
    [1.0, 1.0, 3.0]
    """
    return _accumulated(cumsum_along, 0.0, x, axis, dtype)


@derived(tolerance="cumulative", samples=_cumulations)
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative product with NaN as 1 (NumPy's ``nancumprod``). Arguments and errors as in :func:`nancumsum`.

    >>> from kbackend import K
    >>> from kbackend.ops import nancumprod
    >>> K.eval(nancumprod(K.constant([2.0, float("nan"), 3.0]))).tolist()
    [2.0, 2.0, 6.0]
    """
    return _accumulated(cumprod_along, 1.0, x, axis, dtype)


__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd",
    "nansum", "nanvar",
]
