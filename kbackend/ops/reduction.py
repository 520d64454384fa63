"""Reductions. ``axis`` is None (all axes), an integer or a tuple; ``keepdims`` keeps reduced axes as size 1."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as ew
from kbackend.ops.declare import TensorLike, composite, primitive
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import axes_in, axis_in, canonical_axes, reduced

NAN, INF = float("nan"), float("inf")


def _samples(*extra: Sample, **options: Any) -> Any:
    def samples() -> list[Sample]:
        return [
            call(In((2, 3), **options), name="all axes"),
            call(In((2, 3, 4), **options), axis=1, name="one axis"),
            call(In((2, 3, 4), **options), axis=(0, -1), keepdims=True, name="two axes kept"),
            call(In((2, 1), **options), axis=-1, name="size one"),
            call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
            *extra,
        ]

    return samples


def _reduce(x: TensorSpec, axis: Any, keepdims: bool, dtype: str | None = None) -> TensorSpec:
    return TensorSpec(reduced(x.shape, axis, keepdims), dtype or x.dtype)


def _numeric(x: TensorSpec, axis: Any, keepdims: bool) -> TensorSpec:
    if x.dtype == dtypes.BOOL:
        raise TypeError("a reduction of numbers was given bool; cast it first")
    return _reduce(x, axis, keepdims)


def _not_empty(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    found = canonical_axes(specs, attrs)
    if any(specs[0].shape[a] == 0 for a in found["axis"]):
        raise ValueError("a maximum or minimum of no elements")
    return found


_REDUCTION: dict[str, Any] = {"prepare": canonical_axes, "tolerance": "reduction"}
_EXTREME: dict[str, Any] = {"prepare": _not_empty, "tolerance": "exact"}


@primitive(name="sum", **_REDUCTION, samples=_samples(
    call(In((3, 2), -5, 5, kind="int32"), axis=0, row=31, gradient=False, name="int32 stays"),
    call(In((0, 3)), axis=0, name="empty")))
def sum_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The sum over axes. int32 stays int32; float16 accumulates in float32."""
    return _numeric(x, axis, keepdims)


@primitive(**_REDUCTION, samples=_samples(
    call(In(values=[[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]]), axis=1, name="zeros", dtypes=("float64", "float32"))))
def prod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The product over axes; the gradient is right at zeros."""
    return _numeric(x, axis, keepdims)


@primitive(promote="float", **_REDUCTION, samples=_samples(
    call(In(values=np.array([1, 2], np.int32), kind="int32"), row=32, gradient=False, expect=np.float32(1.5),
         name="integers give floatx"),
    call(In(values=np.full(4096, 40.0)), row=37, dtypes=("float16",), expect=np.float16(40), gradient=False,
         name="float16 accumulates in float32")))
def mean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The mean over axes; integers give floatx, float16 accumulates in float32."""
    return _numeric(x, axis, keepdims)


def _extreme_samples() -> list[Sample]:
    return _samples(
        call(In(values=[[3.0, 3.0]]), axis=1, row=59, expect_gradient=np.array([[0.5, 0.5]]), name="ties",
             dtypes=("float64", "float32")),
        call(In(values=[[1.0, NAN], [2.0, 3.0]]), axis=1, gradient=False, name="NaN"),
        call(In((0, 3)), axis=0, raises=ValueError, row=38, name="nothing"),
        call(In((3, 2), -5, 5, kind="int32"), axis=0, gradient=False, name="int32"), distinct=True)()


@primitive(name="max", **_EXTREME, samples=_extreme_samples)
def max_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The maximum over axes; NaN if one is there. The gradient is split between ties.

    Raises:
        ValueError: of no elements.
    """
    return _numeric(x, axis, keepdims)


@primitive(name="min", **_EXTREME, samples=_extreme_samples)
def min_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The minimum over axes. See :func:`max`."""
    return _numeric(x, axis, keepdims)


def _logic_samples() -> list[Sample]:
    return [call(In((2, 3), kind="bool"), gradient=False), call(In((2, 3), kind="bool"), axis=1, keepdims=True,
                                                                gradient=False)]


def _logic(x: TensorSpec, axis: Any, keepdims: bool) -> TensorSpec:
    return _reduce(x, axis, keepdims, dtypes.BOOL)


_LOGIC: dict[str, Any] = {"prepare": canonical_axes, "tolerance": "exact", "differentiable": False,
                          "samples": _logic_samples}


@primitive(name="any", **_LOGIC)
def any_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """Whether any element is true (not 0)."""
    return _logic(x, axis, keepdims)


@primitive(name="all", **_LOGIC)
def all_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """Whether all elements are true (not 0)."""
    return _logic(x, axis, keepdims)


@composite(promote="float", **_REDUCTION, samples=_samples(
    call(In(values=[1e4, 1e4 + 1, 1e4 + 2]), row=10, dtypes=("float64", "float32"), expect=np.array(2 / 3), name="offset"),
    call(In(values=[3.0]), row=11, expect=np.array(0.0), gradient=False, name="one element")))
def var(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased variance over axes, in two passes."""
    return mean(ew.square(ew.subtract(x, mean(x, axis=axis, keepdims=True))), axis=axis, keepdims=keepdims)


@composite(promote="float", **_REDUCTION, samples=_samples(
    call(In(values=[2.0, 2.0, 2.0]), row=60, expect=np.array(0.0), expect_gradient=np.zeros(3), name="constant",
         dtypes=("float64", "float32"))))
def std(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased standard deviation over axes; its gradient is 0 where it is 0."""
    variance = var(x, axis=axis, keepdims=keepdims)
    zero = ew.equal(variance, 0.0)
    return ew.where(zero, variance, ew.sqrt(ew.where(zero, 1.0, variance)))


@composite(promote="float", **_REDUCTION, samples=_samples(
    call(In(values=[1000.0, 1000.0]), dtypes=("float64", "float32"), name="large"),
    call(In(values=[-INF, -INF]), expect=np.array(-INF), gradient=False, name="all -inf")))
def logsumexp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` without overflow."""
    from kbackend.ops import shaping

    top = ew.stop_gradient(max_(x, axis=axis, keepdims=True))
    top = ew.where(ew.isfinite(top), top, 0.0)
    total = ew.add(ew.log(sum_(ew.exp(ew.subtract(x, top)), axis=axis, keepdims=True)), top)
    if keepdims:
        return total
    for a in reversed(axis):
        total = shaping.squeeze(total, a)
    return total


def _arg_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axis = axis_in(attrs["axis"], specs[0].ndim)
    if specs[0].shape[axis] == 0:
        raise ValueError("the position of an extreme among no elements")
    return {"axis": axis}


def _arg_samples() -> list[Sample]:
    return [call(In((2, 3, 4), distinct=True), gradient=False), call(In((2, 3), distinct=True), axis=0, gradient=False),
            call(In(values=[[1.0, NAN, INF, NAN]]), row=39, expect=np.array([1]), gradient=False, name="NaN"),
            call(In(values=[[-0.0, 0.0]]), row=39, expect=np.array([0]), gradient=False, name="signed zeros"),
            call(In(values=[[2.0, 5.0, 5.0, 2.0]]), gradient=False, name="ties"),
            call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range")]


_ARG: dict[str, Any] = {"prepare": _arg_attrs, "differentiable": False, "tolerance": "exact", "samples": _arg_samples}


def _position(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec(reduced(x.shape, (axis,), False), "int64")


@primitive(**_ARG)
def argmax(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position (int64) of the largest element along an axis: the first one, or the first NaN."""
    return _position(x, axis)


@primitive(**_ARG)
def argmin(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position (int64) of the smallest element along an axis: the first one, or the first NaN."""
    return _position(x, axis)


def _optional_axes(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"axis": axes_in(attrs["axis"], specs[0].ndim)}


@composite(promote="float", prepare=_optional_axes, tolerance="reduction", samples=lambda: [
    call(In((2, 3)), axis=-1), call(In((2, 3))),
    call(In(values=[1e-8, 0.0]), row=12, expect=np.array([0.01, 0.0]), gradient=False, name="tiny",
         dtypes=("float64", "float32")),
    call(In(values=[0.0, 0.0]), row=61, expect_gradient=np.array([1e6, 1e6]), name="zero",
         dtypes=("float64", "float32"))])
def l2_normalize(x: TensorLike, axis: Any = None) -> Any:
    """``x / sqrt(max(sum(x^2), 1e-12))`` over the axes: epsilon is on the sum of squares."""
    total = sum_(ew.square(x), axis=axis, keepdims=True)
    return ew.multiply(x, ew.rsqrt(ew.maximum(total, 1e-12)))
