"""Reductions. ``axis`` is None (all axes), an integer or a tuple; ``keepdims`` keeps them as size 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as ew
from kbackend.ops.declare import TensorLike, composite, primitive
from kbackend.ops.rules import INF, NAN, WIDE, In, Sample, Samples, call, dtype_of, is_small, values
from kbackend.ops.shapes import axes_in, axis_in, canonical_axes, canonical_axis, reduced


def _samples(*extra: Sample, gradient: bool = True, **options: Any) -> Samples:
    def samples() -> list[Sample]:
        return [
            call(In((2, 3), **options), name="all axes", gradient=gradient),
            call(In((2, 3), **options), keepdims=True, name="all axes kept", gradient=gradient),
            call(In((2, 3, 4), **options), axis=1, name="one axis", gradient=gradient),
            call(In((2, 3, 4), **options), axis=-3, keepdims=True, name="first axis kept", gradient=gradient),
            call(In((2, 3, 4), **options), axis=(0, -1), name="two axes", gradient=gradient),
            call(
                In((2, 3, 4), **options), axis=[1, 2], keepdims=True, name="two axes kept", gradient=gradient
            ),
            call(In((2, 3), **options), axis=(), name="no axes", gradient=gradient),
            call(In((2, 1), **options), axis=-1, name="size one", gradient=gradient),
            call(In((), **options), name="scalar", gradient=gradient),
            call(In((0, 3), **options), axis=1, name="empty result", gradient=gradient),
            call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
            call(In((2, 3)), axis=(0, -2), raises=ValueError, name="axis twice"),
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
        raise ValueError("the reduced axes have no elements")
    return found


def _in_wide(body: Callable[[Any], Any], x: Any) -> Any:
    """``body(x)``, computed in float32 where x is a smaller float."""
    return ew.cast(body(ew.cast(x, "float32")), dtype_of(x)) if is_small(x) else body(x)


_REDUCTION: dict[str, Any] = {"prepare": canonical_axes, "tolerance": "reduction"}
_EXTREME: dict[str, Any] = {"prepare": _not_empty, "tolerance": "exact"}
_DERIVED: dict[str, Any] = {**_REDUCTION, "promote": "float", "rule": _numeric}


@primitive(
    name="sum",
    **_REDUCTION,
    samples=_samples(
        call(In((3, 2), -5, 5, kind="int32"), axis=0, row=31, gradient=False, name="int32 stays"),
        call(In((0, 3)), axis=0, name="of nothing"),
        call(values(1.0, NAN, INF), gradient=False, name="NaN"),
        call(
            In(values=np.full((4096, 2), 0.25)),
            axis=0,
            expect=np.full(2, 1024.0),
            name="float16 accumulates in float32",
        ),
        call(In((2,), kind="bool"), raises=TypeError, name="bool"),
    ),
)
def sum_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The sum over axes. int32 stays int32; float16 accumulates in float32.

    Args:
        x: a tensor of numbers.
        axis: None for all axes, an integer or a tuple; negative ones count from the end.
        keepdims: keep reduced axes as size 1.

    Raises:
        ValueError: an axis out of range or named twice.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.sum([[1., 2.], [3., 4.]], axis=0)).tolist()
    [4.0, 6.0]
    """
    return _numeric(x, axis, keepdims)


@primitive(
    **_REDUCTION,
    samples=_samples(
        call(
            In(values=[[0.0, 2.0, 3.0], [0.0, 0.0, 5.0]]),
            axis=1,
            name="zeros",
            dtypes=WIDE,
            expect_gradient=np.array([[6.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        ),
        call(In((3, 2), -5, 5, kind="int32"), axis=0, gradient=False, name="int32 stays"),
        call(In((0, 3)), axis=0, name="of nothing"),
        low=0.5,
    ),
)
def prod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The product over axes; the gradient is right at zeros. Arguments and errors as in :func:`sum`."""
    return _numeric(x, axis, keepdims)


@primitive(
    promote="float",
    **_REDUCTION,
    samples=_samples(
        call(
            values(1, 2, kind="int32"),
            row=32,
            gradient=False,
            expect=np.float32(1.5),
            name="integers give floatx",
        ),
        call(
            In(values=np.full(4096, 40.0)),
            row=37,
            expect=np.array(40.0),
            gradient=False,
            name="float16 accumulates in float32",
        ),
        call(In((0, 3)), axis=0, gradient=False, name="of nothing"),
    ),
)
def mean(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The mean over axes; integers give floatx, float16 accumulates in float32; NaN of nothing.

    Arguments and errors as in :func:`sum`.
    """
    return _numeric(x, axis, keepdims)


_extreme_samples = _samples(
    call(In(values=[[3.0, 3.0]]), axis=1, row=59, expect_gradient=np.array([[0.5, 0.5]]), name="ties"),
    call(In(values=[[1.0, NAN], [2.0, 3.0]]), axis=1, gradient=False, name="NaN"),
    call(In(values=[[INF, -INF], [-INF, -INF]]), axis=1, gradient=False, name="infinities"),
    call(In((0, 3)), axis=0, raises=ValueError, row=38, name="nothing"),
    call(In((0, 3)), raises=ValueError, row=38, name="nothing at all"),
    call(In((3, 2), -5, 5, kind="int32"), axis=0, gradient=False, name="int32"),
    distinct=True,
)


@primitive(name="max", **_EXTREME, samples=_extreme_samples)
def max_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The maximum over axes; NaN if one is there. The gradient is split between ties.

    Arguments as in :func:`sum`.

    Raises:
        ValueError: of no elements; an axis out of range or named twice.
        TypeError: a bool tensor.
    """
    return _numeric(x, axis, keepdims)


@primitive(name="min", **_EXTREME, samples=_extreme_samples)
def min_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The minimum over axes. See :func:`max`."""
    return _numeric(x, axis, keepdims)


def _logic_samples() -> list[Sample]:
    table = [[True, True], [True, False], [False, False]]
    return [
        call(In(values=table, kind="bool"), gradient=False, name="all axes"),
        call(In(values=table, kind="bool"), axis=1, gradient=False, name="one axis"),
        call(In((2, 3, 2), kind="bool"), axis=(0, -1), keepdims=True, gradient=False, name="two axes kept"),
        call(In((2, 3), kind="bool"), axis=(), gradient=False, name="no axes"),
        call(In((0, 3), kind="bool"), axis=0, gradient=False, name="of nothing"),
        call(In((), kind="bool"), gradient=False, name="scalar"),
        call(In(values=[[0.0, -2.0], [NAN, 1.0]]), axis=1, gradient=False, name="floats"),
        call(In((2, 2), -1, 1, kind="int32"), axis=0, gradient=False, name="int32"),
        call(In((2, 3), kind="bool"), axis=2, raises=ValueError, name="axis out of range"),
    ]


_LOGIC: dict[str, Any] = {
    "prepare": canonical_axes,
    "tolerance": "exact",
    "differentiable": False,
    "samples": _logic_samples,
}


@primitive(name="any", **_LOGIC)
def any_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """Whether any element is true (not 0); False of nothing. Arguments as in :func:`sum`."""
    return _reduce(x, axis, keepdims, dtypes.BOOL)


@primitive(name="all", **_LOGIC)
def all_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """Whether all elements are true (not 0); True of nothing. Arguments as in :func:`sum`."""
    return _reduce(x, axis, keepdims, dtypes.BOOL)


# ------------------------------------------------------------ composites


@composite(
    **_DERIVED,
    samples=_samples(
        call(values(1e4, 1e4 + 1, 1e4 + 2), row=10, dtypes=WIDE, expect=np.array(2 / 3), name="offset"),
        call(values(3.0), row=11, expect=np.array(0.0), gradient=False, name="one element"),
        call(values(1, 2, kind="int32"), gradient=False, name="integers give floatx"),
    ),
)
def var(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased variance over axes, in two passes; integers give floatx.

    Arguments and errors as in :func:`sum`.
    """

    def body(wide: Any) -> Any:
        centred = ew.subtract(wide, mean(wide, axis=axis, keepdims=True))
        return mean(ew.square(centred), axis=axis, keepdims=keepdims)

    return _in_wide(body, x)


@composite(
    **_DERIVED,
    samples=_samples(
        call(
            values(1e4, 1e4 + 1, 1e4 + 2), row=10, dtypes=WIDE, expect=np.sqrt(np.array(2 / 3)), name="offset"
        ),
        call(values(3.0), row=11, expect=np.array(0.0), gradient=False, name="one element"),
        call(
            values(2.0, 2.0, 2.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(3), name="constant"
        ),
    ),
)
def std(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased standard deviation over axes; its gradient is 0 where it is 0.

    Arguments and errors as in :func:`sum`.
    """
    return _in_wide(lambda wide: ew.masked_root(var(wide, axis=axis, keepdims=keepdims)), x)


@composite(
    **_DERIVED,
    samples=_samples(
        call(values(3.0, -4.0), expect=np.array(5.0), expect_gradient=np.array([0.6, -0.8]), name="3, 4, 5"),
        call(values(0.0, 0.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(2), name="zero"),
    ),
)
def norm(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm over axes; its gradient at 0 is 0. Arguments and errors as in :func:`sum`."""
    return _in_wide(lambda wide: ew.masked_root(sum_(ew.square(wide), axis=axis, keepdims=keepdims)), x)


@composite(
    **{**_DERIVED, "prepare": _not_empty},
    samples=_samples(
        call(values(1000.0, 1000.0), dtypes=WIDE, expect=np.array(1000 + np.log(2)), name="large"),
        call(values(-INF, -INF), expect=np.array(-INF), gradient=False, name="all -inf"),
        call(values(INF, 1.0), expect=np.array(INF), gradient=False, name="inf"),
        call(values(NAN, 1.0), expect=np.array(NAN), gradient=False, name="NaN"),
        call(In((0, 3)), axis=0, raises=ValueError, name="nothing"),
    ),
)
def logsumexp(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` without overflow. Arguments as in :func:`sum`.

    Raises:
        ValueError: of no elements; an axis out of range or named twice.
    """

    def body(wide: Any) -> Any:
        highest = ew.stop_gradient(max_(wide, axis=axis, keepdims=True))
        shift = ew.where(ew.isinf(highest), 0.0, highest)
        total = ew.log(sum_(ew.exp(ew.subtract(wide, shift)), axis=axis, keepdims=keepdims))
        return ew.add(total, shift if keepdims else sum_(shift, axis=axis, keepdims=False))

    return _in_wide(body, x)


def _optional_axes(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"axis": axes_in(attrs["axis"], specs[0].ndim)}


@composite(
    promote="float",
    prepare=_optional_axes,
    tolerance="reduction",
    rule=lambda x, axis: x,
    samples=lambda: [
        call(In((2, 3)), axis=-1),
        call(In((2, 3)), name="all axes"),
        call(In((2, 3, 2)), axis=(0, 2), name="two axes"),
        call(values(3.0, 4.0), expect=np.array([0.6, 0.8]), name="3, 4, 5", dtypes=WIDE),
        call(
            values(300.0, 400.0),
            expect=np.array([0.6, 0.8]),
            name="no overflow of squares",
            dtypes=("float16",),
            gradient=False,
        ),
        call(
            values(1e-8, 0.0), row=12, expect=np.array([0.01, 0.0]), gradient=False, name="tiny", dtypes=WIDE
        ),
        call(values(0.0, 0.0), row=61, expect_gradient=np.array([1e6, 1e6]), name="zero", dtypes=WIDE),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ],
)
def l2_normalize(x: TensorLike, axis: Any = None) -> Any:
    """``x / sqrt(max(sum(x^2), 1e-12))`` over the axes: epsilon is on the sum of squares.

    Raises:
        ValueError: an axis out of range or named twice.
    """

    def body(wide: Any) -> Any:
        total = sum_(ew.square(wide), axis=axis, keepdims=True)
        return ew.multiply(wide, ew.rsqrt(ew.maximum(total, 1e-12)))

    return _in_wide(body, x)


# ------------------------------------------------------------ positions


def _arg_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axis = axis_in(attrs["axis"], specs[0].ndim)
    if specs[0].shape[axis] == 0:
        raise ValueError(f"axis {axis} has no elements")
    return {"axis": axis}


def _arg_samples() -> list[Sample]:
    return [
        call(In((2, 3, 4), distinct=True), gradient=False, name="last axis"),
        call(In((2, 3), distinct=True), axis=0, gradient=False, name="first axis"),
        call(In((4,), distinct=True), gradient=False, name="vector"),
        call(In((5,), -9, 9, kind="int32"), gradient=False, name="int32"),
        call(In((0, 3)), axis=1, gradient=False, name="empty result"),
        call(
            In(values=[[1.0, NAN, INF, NAN], [INF, -INF, 1.0, NAN]]),
            row=39,
            expect=np.array([1, 3]),
            gradient=False,
            name="NaN",
        ),
        call(
            In(values=[[-0.0, 0.0], [0.0, -0.0]]),
            row=39,
            expect=np.array([0, 0]),
            gradient=False,
            name="signed zeros",
        ),
        call(In(values=[[2.0, 5.0, 5.0, 2.0]]), gradient=False, name="ties"),
        call(In((0, 3)), axis=0, raises=ValueError, name="nothing"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
    ]


_ARG: dict[str, Any] = {
    "prepare": _arg_attrs,
    "differentiable": False,
    "tolerance": "exact",
    "samples": _arg_samples,
}


def _position(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec(reduced(x.shape, (axis,), False), "int64")


@primitive(**_ARG)
def argmax(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position (int64) of the largest element along an axis: the first one, or the first NaN.

    Raises:
        ValueError: the axis is out of range or has no elements.
    """
    return _position(x, axis)


@primitive(**_ARG)
def argmin(x: TensorLike, axis: int = -1) -> TensorSpec:
    """The position (int64) of the smallest element along an axis. See :func:`argmax`."""
    return _position(x, axis)


# ------------------------------------------------------------ cumulation


def _cumulated(x: TensorSpec, axis: int) -> TensorSpec:
    if x.dtype == dtypes.BOOL:
        raise TypeError("cumulation of bool; cast it first")
    return x


def _cumulative(*extra: Sample, **options: Any) -> Samples:
    return lambda: [
        call(In((4,), **options), name="vector"),
        call(In((2, 3, 4), **options), axis=-2, name="middle axis"),
        call(In((3, 1), **options), axis=1, name="size one"),
        call(In((0, 3), **options), name="nothing"),
        call(In((3, 0), **options), axis=0, name="empty result"),
        call(In((4,), -4, 4, kind="int32"), row=31, gradient=False, name="int32 stays"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
        call(In((2,), kind="bool"), raises=TypeError, name="bool"),
        *extra,
    ]


_CUMULATIVE: dict[str, Any] = {"prepare": canonical_axis, "tolerance": "cumulative"}


@primitive(
    **_CUMULATIVE,
    samples=_cumulative(
        call(In(values=np.full(4096, 0.25)), name="float16 accumulates in float32", gradient=False)
    ),
)
def cumsum(x: TensorLike, axis: int = 0) -> TensorSpec:
    """The sums up to each element along an axis. int32 stays int32; float16 accumulates in float32.

    Raises:
        ValueError: the axis is out of range.
        TypeError: a bool tensor.
    """
    return _cumulated(x, axis)


@primitive(
    **_CUMULATIVE,
    samples=_cumulative(
        call(values(0.0, 2.0), row=64, expect=np.zeros(2), expect_gradient=np.array([3.0, 0.0]), name="zero"),
        call(
            values(2.0, 0.0, 3.0, 0.0, 5.0),
            name="two zeros",
            dtypes=WIDE,
            expect_gradient=np.array([1.0, 8.0, 0.0, 0.0, 0.0]),
        ),
        low=0.5,
    ),
)
def cumprod(x: TensorLike, axis: int = 0) -> TensorSpec:
    """The products of the elements up to each one along an axis; the gradient is right at zeros.

    Raises:
        ValueError: the axis is out of range.
        TypeError: a bool tensor.
    """
    return _cumulated(x, axis)


__all__ = [
    "all_",
    "any_",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "l2_normalize",
    "logsumexp",
    "max_",
    "mean",
    "min_",
    "norm",
    "prod",
    "std",
    "sum_",
    "var",
]
