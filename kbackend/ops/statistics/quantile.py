"""Quantiles, percentiles and medians over axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import NAN, is_small, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axes_in, reduced
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.reshape import expand_dims, extent, flatten, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.cast import cast
from kbackend.ops.core.inspect import int_shape
from kbackend.ops.elementwise.floating import isnan
from kbackend.ops.elementwise.rounding import ceil, floor, round_half_even
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.indexing.sorting import sort
from kbackend.ops.reduction.reductions import any_, sum_

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


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
    """Quantiles at the numbers ``q``, stacked along a new first axis; ``skip`` ignores NaN, which else gives NaN."""
    rows = _rows(x, axis)
    ordered = sort(rows, axis=-1)
    unknown = isnan(rows)
    count = sum_(cast(~unknown, "int32"), axis=-1, keepdims=True)
    last = cast(maximum(count - 1, 0), "float64")
    found = stack([_at(ordered, last * number, method) for number in q], axis=0)
    if not skip:
        found = select_elements(any_(unknown, axis=-1), NAN, found)
    for kept in axis if keepdims else ():
        found = expand_dims(found, kept + 1)
    return found


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """``x`` with the axes joined as the last axis."""
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
    """The sorted elements at a fractional position along the last axis, which is removed."""
    if method == "nearest":
        return _element(ordered, round_half_even(position))
    low, high = floor(position), ceil(position)
    if method == "lower":
        return _element(ordered, low)
    above = _element(ordered, high)
    if method == "higher":
        return above
    below = _element(ordered, low)
    fraction = squeeze_axis(position - low, -1)
    if method == "midpoint":
        fraction = select_elements(fraction > 0.0, 0.5, fraction)
    return _interpolated(below, above, fraction)


def _element(ordered: Any, position: Any) -> Any:
    return squeeze_axis(take_along(ordered, cast(position, "int32"), axis=-1), -1)


def _interpolated(below: Any, above: Any, fraction: Any) -> Any:
    """``below`` itself where the fraction is 0, because 0 times infinity is NaN."""
    dtype = dtype_of(below)
    wide = "float32" if is_small(below) else dtype
    fraction = cast(fraction, wide)
    mixed = cast(below, wide) * (1.0 - fraction) + cast(above, wide) * fraction
    return select_elements(fraction == 0.0, below, cast(mixed, dtype))


def _quantiles(x: Any, q: Any, axis: Any, method: str, keepdims: bool, skip: bool, scale: float = 1.0) -> Any:
    """The quantiles at ``q / scale``, a number or a vector.

    Raises:
        TypeError: a symbolic ``q``.
        ValueError: ``q`` of rank 2 or more, or empty.
    """
    if isinstance(q, Tensor):
        raise TypeError(f"quantile: q must be known while the graph is built, it is {q!r}")
    numbers = np.asarray(to_numpy(q), np.float64) / scale
    if numbers.ndim > 1:
        raise ValueError(f"quantile: q must be a number or a vector, its shape is {numbers.shape}")
    if not numbers.size:
        raise ValueError("quantile: q is empty")
    stacked = _quantile(x, tuple(numbers.reshape(-1).tolist()), axis, method, keepdims, skip)
    return stacked if numbers.ndim else squeeze_axis(stacked, 0)


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
    """The quantiles of the elements over axes (NumPy's ``quantile``).

    Args:
        x: a tensor of numbers; integers are promoted to floatx.
        q: a number in [0, 1], or a vector of such numbers.
        axis: an axis or several; negative ones count from the end; None for all.
        method: between two elements 'linear' interpolates; 'lower', 'higher', 'midpoint' and 'nearest' (at equal
            distance the element of even position) are as in NumPy.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        A tensor of shape ``q.shape + reduced shape``; NaN where an element is NaN.

    Raises:
        ValueError: ``q`` out of [0, 1], empty or of rank 2, an unknown method, no elements, or an axis out of range.
        TypeError: a symbolic ``q``.

    >>> from kbackend import K
    >>> from kbackend.ops import quantile
    >>> float(quantile(K.constant([1.0, 2.0, 4.0, 8.0]), 0.5))
    3.0
    """
    return _quantiles(x, q, axis, method, keepdims, skip=False)


@derived(tolerance="reduction", samples=lambda: _quantile_samples(100.0)[:1] + _quantile_samples(100.0)[-3:-2])
def percentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The percentiles of the elements over axes (NumPy's ``percentile``).

    Arguments, result and errors as in :func:`quantile`, with ``q`` in [0, 100].

    >>> from kbackend import K
    >>> from kbackend.ops import percentile
    >>> float(percentile(K.constant([1.0, 2.0, 4.0]), 50))
    2.0
    """
    return _quantiles(x, q, axis, method, keepdims, skip=False, scale=100.0)


@derived(tolerance="reduction", samples=lambda: [
    *_quantile_samples(1.0)[:2], call(In(values=_HOLES), 0.5, axis=1, gradient=False, name="NaN"),
    call(In(values=[[NAN, NAN], [1.0, NAN]]), 0.5, axis=1, gradient=False, name="a row of NaN")])
def nanquantile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The quantiles of the elements that are not NaN (NumPy's ``nanquantile``); NaN where all are.

    Arguments and errors as in :func:`quantile`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanquantile
    >>> float(nanquantile(K.constant([1.0, float("nan"), 2.0]), 0.5))
    1.5
    """
    return _quantiles(x, q, axis, method, keepdims, skip=True)


@derived(tolerance="reduction", samples=lambda: _quantile_samples(100.0)[:1] + _quantile_samples(100.0)[-3:-2])
def nanpercentile(
    x: TensorLike, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The percentiles of the elements that are not NaN (NumPy's ``nanpercentile``); NaN where all are.

    Arguments and errors as in :func:`quantile`, with ``q`` in [0, 100].

    >>> from kbackend import K
    >>> from kbackend.ops import nanpercentile
    >>> float(nanpercentile(K.constant([1.0, float("nan"), 2.0]), 50))
    1.5
    """
    return _quantiles(x, q, axis, method, keepdims, skip=True, scale=100.0)


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
    """The median of the elements over axes (NumPy's ``median``); of an even number the mean of the middle two.

    Args:
        x: a tensor of numbers, of any shape; integers are promoted to floatx.
        axis: an axis or several; negative ones count from the end; None for all.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        A float tensor; NaN where an element is NaN.

    Raises:
        ValueError: no elements, or an axis out of range or repeated.

    >>> from kbackend import K
    >>> from kbackend.ops import median
    >>> float(median(K.constant([4.0, 1.0, 3.0, 2.0])))
    2.5
    """
    return _quantiles(x, 0.5, axis, "linear", keepdims, skip=False)


@derived(tolerance="reduction", samples=lambda: _median_samples()[2:5])
def nanmedian(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The median of the elements that are not NaN (NumPy's ``nanmedian``); NaN where all are.

    Arguments and errors as in :func:`median`.

    >>> from kbackend import K
    >>> from kbackend.ops import nanmedian
    >>> float(nanmedian(K.constant([4.0, float("nan"), 3.0])))
    3.5
    """
    return _quantiles(x, 0.5, axis, "linear", keepdims, skip=True)


__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]
