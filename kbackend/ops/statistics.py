"""Order statistics, weighted means, counts and ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import reduction
from kbackend.ops.creation import int_shape
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.indexing import take_along_axis
from kbackend.ops.joining import stack
from kbackend.ops.ordering import sort
from kbackend.ops.reshaping import expand_dims, extent, flatten, permute_dimensions, reshape, squeeze
from kbackend.ops.rules import NAN, WIDE, In, Sample, call, dtype_of, is_small, values
from kbackend.ops.shapes import axes_in, axis_in, reduced

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")

# ------------------------------------------------------------ quantiles


def _quantile_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axes = axes_in(attrs["axis"], specs[0].ndim)
    if any(specs[0].shape[a] == 0 for a in axes):
        raise ValueError("quantile: the reduced axes have no elements")
    if attrs["method"] not in METHODS:
        raise ValueError(f"quantile: the method must be one of {', '.join(METHODS)}, it is {attrs['method']!r}")
    found = tuple(float(q) for q in attrs["q"])
    if not all(0 <= q <= 1 for q in found):
        raise ValueError(f"quantile: q must be in [0, 1] (percentiles in [0, 100]), it is {found}")
    return {**attrs, "q": found, "axis": axes, "keepdims": bool(attrs["keepdims"]), "skip": bool(attrs["skip"])}


def _quantile_rule(x: TensorSpec, q: Any, axis: Any, method: str, keepdims: bool, skip: bool) -> TensorSpec:
    return TensorSpec((len(q), *reduced(x.shape, axis, keepdims)), x.dtype)


@composite(name="quantile", promote="float", prepare=_quantile_attrs, rule=_quantile_rule, tolerance="reduction",
           samples=lambda: [
               call(In((3, 4), distinct=True), (0.0, 0.3, 1.0), (0,), "linear", False, False),
               call(In((2, 3, 4), distinct=True), (0.25,), (0, 2), "linear", True, True),
               call(In((5,), distinct=True), (0.4,), (0,), "best", False, False, raises=ValueError, name="method")])
def _quantile(x: TensorLike, q: Any, axis: Any, method: str, keepdims: bool, skip: bool) -> Any:
    """Quantiles at the numbers ``q``, stacked in front; ``skip`` passes over NaN, which else gives NaN."""
    rows = _rows(x, axis)
    ordered = sort(rows, axis=-1)
    unknown = e.isnan(rows)
    count = reduction.sum_(e.cast(e.logical_not(unknown), "int32"), axis=-1, keepdims=True)
    last = e.cast(e.maximum(e.subtract(count, 1), 0), "float64")
    found = stack([_at(ordered, e.multiply(last, number), method) for number in q], axis=0)
    if not skip:
        found = e.where(reduction.any_(unknown, axis=-1), NAN, found)
    for kept in axis if keepdims else ():
        found = expand_dims(found, kept + 1)
    return found


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """``x`` with the axes made one, which is the last."""
    shape = int_shape(x) or ()
    if len(axes) == len(shape):
        return flatten(x)
    if not axes:
        return expand_dims(x, -1)
    kept = [a for a in range(len(shape)) if a not in axes]
    turned = permute_dimensions(x, (*kept, *axes))
    if len(axes) == 1:
        return turned
    known = [n for a in axes if (n := shape[a]) is not None]
    # not -1, which stands for nothing in particular where there are no elements
    together = math.prod(known) if len(known) == len(axes) else extent(x, axes)
    return reshape(turned, [*(extent(x, (a,)) if shape[a] is None else shape[a] for a in kept), together])


def _at(ordered: Any, position: Any, method: str) -> Any:
    """What stands at a place between others, along the last axis, which goes away."""
    if method == "nearest":
        return _picked(ordered, e.round_(position))
    low, high = e.floor(position), e.ceil(position)
    if method == "lower":
        return _picked(ordered, low)
    above = _picked(ordered, high)
    if method == "higher":
        return above
    below = _picked(ordered, low)
    part = squeeze(e.subtract(position, low), -1)
    if method == "midpoint":
        part = e.where(e.greater(part, 0.0), 0.5, part)
    return _between(below, above, part)


def _picked(ordered: Any, place: Any) -> Any:
    return squeeze(take_along_axis(ordered, e.cast(place, "int32"), axis=-1), -1)


def _between(below: Any, above: Any, part: Any) -> Any:
    """Each is taken alone where the place is its own, for 0 times infinity is NaN."""
    dtype = dtype_of(below)
    wide = "float32" if is_small(below) else dtype
    part = e.cast(part, wide)
    mixed = e.add(e.multiply(e.cast(below, wide), e.subtract(1.0, part)), e.multiply(e.cast(above, wide), part))
    return e.where(e.equal(part, 0.0), below, e.cast(mixed, dtype))


def _arranged(x: Any, q: Any, axis: Any, method: str, keepdims: bool, skip: bool, scale: float = 1.0) -> Any:
    if isinstance(q, Tensor):
        raise TypeError(f"quantile: q must be known while the graph is built, it is {q!r}")
    numbers = np.asarray(to_numpy(q), np.float64) / scale
    if numbers.ndim > 1:
        raise ValueError(f"quantile: q must be a number or a vector, its shape is {numbers.shape}")
    if not numbers.size:
        raise ValueError("quantile: q is empty")
    found = _quantile(x, tuple(numbers.reshape(-1).tolist()), axis, method, keepdims, skip)
    return found if numbers.ndim else squeeze(found, 0)


_HOLES: Any = [[1.0, NAN, 3.0, 2.0], [NAN, 2.0, -1.5, NAN]]


def _quantile_samples(scale: float) -> list[Sample]:
    return [
        call(In((3, 4), distinct=True), 0.3 * scale, name="all axes"),
        call(In((3, 5), distinct=True), (0.1 * scale, 0.5 * scale, scale), axis=-1, name="a vector of q"),
        call(In((2, 3, 4), distinct=True), 0.6 * scale, axis=(0, -1), keepdims=True, name="two axes kept"),
        *[call(In((4, 2), distinct=True), 0.4 * scale, axis=0, method=method, name=method, dynamic=False)
          for method in METHODS[1:]],
        call(In(values=_HOLES), 0.5 * scale, axis=1, gradient=False, name="NaN"),
        call(In((2, 1)), 0.5 * scale, axis=1, name="size one"),
        call(In((0, 3)), 0.5 * scale, axis=1, name="empty result"),
        call(In((2, 3), -9, 9, kind="int32"), 0.25 * scale, axis=1, gradient=False, name="int32"),
        call(In((2, 3)), 1.5 * scale, raises=ValueError, name="q above 1"),
        call(In((2, 3)), 0.5 * scale, axis=2, raises=ValueError, name="axis out of range"),
        call(In((0, 3)), 0.5 * scale, axis=0, raises=ValueError, name="of nothing"),
    ]


@derived(tolerance="reduction", samples=lambda: _quantile_samples(1.0))
def quantile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The number below which a part ``q`` of the elements over axes lies.

    Args:
        x: a tensor of numbers; integers give floatx.
        q: a number in [0, 1], or a vector of them, along which results stand in front.
        axis: None for all axes, an integer or a tuple; negative ones count from the end.
        method: what is taken between two elements: 'linear' interpolates, 'lower', 'higher', 'midpoint', 'nearest'
            (halfway the one with the even place), as in NumPy.
        keepdims: keep reduced axes as size 1.

    Returns:
        A tensor of shape ``q.shape + reduced shape``; NaN where one of the elements is NaN.

    Raises:
        ValueError: ``q`` outside [0, 1] or of rank 2, an unknown method, of no elements, an axis out of range.
        TypeError: a symbolic ``q``.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import quantile
    >>> float(quantile(K.constant([1.0, 2.0, 4.0, 8.0]), 0.5))
    3.0
    """
    return _arranged(x, q, axis, method, keepdims, skip=False)


@derived(tolerance="reduction", samples=lambda: _quantile_samples(100.0)[:1] + _quantile_samples(100.0)[-3:-2])
def percentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """:func:`quantile` at ``q / 100``, for ``q`` in [0, 100].

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import percentile
    >>> float(percentile(K.constant([1.0, 2.0, 4.0]), 50))
    2.0
    """
    return _arranged(x, q, axis, method, keepdims, skip=False, scale=100.0)


@derived(tolerance="reduction", samples=lambda: [
    *_quantile_samples(1.0)[:2], call(In(values=_HOLES), 0.5, axis=1, gradient=False, name="NaN"),
    call(In(values=[[NAN, NAN], [1.0, NAN]]), 0.5, axis=1, gradient=False, name="a row of NaN")])
def nanquantile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """:func:`quantile` of what is not NaN; NaN where all is.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import nanquantile
    >>> float(nanquantile(K.constant([1.0, float("nan"), 2.0]), 0.5))
    1.5
    """
    return _arranged(x, q, axis, method, keepdims, skip=True)


@derived(tolerance="reduction", samples=lambda: _quantile_samples(100.0)[:1] + _quantile_samples(100.0)[-3:-2])
def nanpercentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """:func:`percentile` of what is not NaN; NaN where all is.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import nanpercentile
    >>> float(nanpercentile(K.constant([1.0, float("nan"), 2.0]), 50))
    1.5
    """
    return _arranged(x, q, axis, method, keepdims, skip=True, scale=100.0)


def _median_samples() -> list[Sample]:
    return [
        call(values(4.0, 1.0, 3.0, 2.0), row=47, expect=np.array(2.5), expect_gradient=np.array([0, 0, 0.5, 0.5]),
             name="even count"),
        call(In((3, 4), distinct=True), axis=0, name="odd count", dynamic=False),
        call(In((2, 3, 4), distinct=True), axis=(1, -1), keepdims=True, name="two axes kept"),
        call(values(np.inf, 1.0, np.inf), gradient=False, name="infinities", expect=np.array(np.inf)),
        call(In(values=_HOLES), axis=1, gradient=False, name="NaN"),
        call(In((2, 3), -9, 9, kind="int32"), axis=1, gradient=False, name="int32"),
        call(In((0, 3)), axis=0, raises=ValueError, name="of nothing"),
    ]


@derived(tolerance="reduction", samples=_median_samples)
def median(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element over axes in order; of an even count the mean of the two. NaN where one is NaN.

    Arguments and errors as in :func:`quantile`.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import median
    >>> float(median(K.constant([4.0, 1.0, 3.0, 2.0])))
    2.5
    """
    return _arranged(x, 0.5, axis, "linear", keepdims, skip=False)


@derived(tolerance="reduction", samples=lambda: _median_samples()[2:5])
def nanmedian(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The :func:`median` of what is not NaN; NaN where all is.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import nanmedian
    >>> float(nanmedian(K.constant([4.0, float("nan"), 3.0])))
    3.5
    """
    return _arranged(x, 0.5, axis, "linear", keepdims, skip=True)


# ------------------------------------------------------------ means, counts, ranges


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 3)), name="no weights"),
    call(In((2, 3)), 1, In((2, 3), 0.1, 2), name="weights of x's shape"),
    call(In((2, 3)), -1, In((3,), 0.1, 2), name="weights of one axis", dynamic=False),
    call(In((3, 2, 2)), (0, 2), In((3, 2, 2), 0.1, 2), name="two axes"),
    call(In((4,), -9, 9, kind="int32"), None, In((4,), 1, 5, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), None, In((3,)), raises=ValueError, name="no axis for the weights"),
    call(In((2, 3)), 0, In((3,)), raises=ValueError, name="weights of another axis", dynamic=False)])
def average(x: TensorLike, axis: Any = None, weights: Any = None) -> Any:
    """The mean over axes, weighted.

    Args:
        x: a tensor; integers give floatx.
        axis: None for all axes, an integer or a tuple.
        weights: None; a tensor of x's shape; or a vector as long as the axis. Where they add up to 0 the result is
            not finite.

    Raises:
        ValueError: weights of another shape; a vector of weights without one axis; an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import average
    >>> float(average(K.constant([1.0, 4.0]), weights=[2.0, 1.0]))
    2.0
    """
    if weights is None:
        return reduction.mean(x, axis=axis)
    shape, given = (int_shape(t) if hasattr(t, "shape") else to_numpy(t).shape for t in (x, weights))
    assert shape is not None and given is not None
    x, weights = (t if dtypes.is_float(dtype_of(t)) else e.cast(t, dtypes.canonical("float")) for t in (x, weights))
    if _agree(shape, given):
        total = reduction.sum_(weights, axis=axis)
    else:
        weights, total = _along(weights, given, axis, shape), reduction.sum_(weights)
    return e.divide(reduction.sum_(e.multiply(x, weights), axis=axis), total)


def _agree(shape: Any, other: Any) -> bool:
    return len(shape) == len(other) and all(a is None or b is None or a == b for a, b in zip(shape, other))


def _along(weights: Any, given: Any, axis: Any, shape: Any) -> Any:
    if not hasattr(axis, "__index__") or len(given) != 1:
        raise ValueError(f"average: weights of shape {given} need x's shape {shape}, or one axis, it is {axis!r}")
    place = axis_in(axis, len(shape))
    if not _agree(given, shape[place : place + 1]):
        raise ValueError(f"average: {given[0]} weights do not fit axis {place} of the shape {shape}")
    return reshape(weights, [-1 if i == place else 1 for i in range(len(shape))])


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
    >>> from kbackend.ops.statistics import count_nonzero
    >>> int(count_nonzero(K.constant([0.0, 3.0, 4.0])))
    2
    """
    full = x if dtype_of(x) == dtypes.BOOL else e.not_equal(x, 0)
    return reduction.sum_(e.cast(full, "int32"), axis=axis)


@derived(samples=lambda: [
    call(In((2, 3), distinct=True)),
    call(In((2, 3, 4), distinct=True), axis=(0, -1), keepdims=True, name="two axes kept"),
    call(values(3.0, 3.0, 1.0), expect_gradient=np.array([0.5, 0.5, -1.0]), row=59, name="ties", dtypes=WIDE),
    call(In((2, 3), -9, 9, kind="int32"), axis=1, gradient=False, name="int32"),
    call(In((0, 3)), axis=0, raises=ValueError, name="of nothing")])
def ptp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The maximum less the minimum over axes. Arguments and errors as in ``K.max``.

    >>> from kbackend import K
    >>> from kbackend.ops.statistics import ptp
    >>> float(ptp(K.constant([1.0, 5.0, 3.0])))
    4.0
    """
    largest = reduction.max_(x, axis=axis, keepdims=keepdims)
    return e.subtract(largest, reduction.min_(x, axis=axis, keepdims=keepdims))


__all__ = [
    "average",
    "count_nonzero",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "ptp",
    "quantile",
]
