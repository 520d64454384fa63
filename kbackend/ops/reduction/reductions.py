"""Reductions over axes: sums, products, means, extremes, norms and logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare import static_values
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, Samples, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axes_in, canonical_axes, reduced
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.elementwise.exponential import exp, log
from kbackend.ops.elementwise.floating import isinf
from kbackend.ops.elementwise.power import masked_root, rsqrt, square
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import maximum, select_elements


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
        raise TypeError("a reduction of numbers does not take bool; cast it first")
    return _reduce(x, axis, keepdims)


def _not_empty(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    found = canonical_axes(specs, attrs)
    if any(specs[0].shape[a] == 0 for a in found["axis"]):
        raise ValueError("the reduced axes have no elements")
    return found



_REDUCTION: dict[str, Any] = {"prepare": canonical_axes, "tolerance": "reduction"}
_EXTREME: dict[str, Any] = {"prepare": _not_empty, "tolerance": "exact"}
_DERIVED: dict[str, Any] = {**_REDUCTION, "promote": "float", "rule": _numeric}


@primitive(
    static_value=static_values.reduced(np.sum),
    takes_complex=True,
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
    """The sum over axes (NumPy's ``sum``).

    Args:
        x: a tensor of numbers, of any shape.
        axis: an axis or several; negative ones count from the end; None for all.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        A tensor of the dtype of ``x``: int32 stays int32; float16 and bfloat16 are accumulated in float32.

    Raises:
        ValueError: an axis out of range or repeated.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.sum([[1., 2.], [3., 4.]], axis=0)).tolist()
    [4.0, 6.0]
    """
    return _numeric(x, axis, keepdims)


@primitive(takes_complex=True, name="prod", static_value=static_values.reduced(np.prod),
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
def reduce_prod(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The product over axes (Keras's ``K.prod``); its gradient is exact where elements are 0.

    Arguments, result and errors as in :func:`sum`.

    >>> from kbackend import K
    >>> K.eval(K.prod([[1., 2.], [3., 4.]], axis=0)).tolist()
    [3.0, 8.0]
    """
    return _numeric(x, axis, keepdims)


def _mean_of_mean(node: Node) -> Sequence[Tensor] | None:
    """A mean over some axes of a mean over others is one mean over all of them."""
    (x,) = node.args
    if x.node.op is not node.op or x.node.attrs["keepdims"] or node.attrs["keepdims"]:
        return None
    (source,) = x.node.args
    first = axes_in(x.node.attrs["axis"], source.ndim)
    left = [a for a in range(source.ndim) if a not in first]
    both = tuple(sorted({*first, *(left[a] for a in axes_in(node.attrs["axis"], x.ndim))}))
    return (node.op.apply((source,), {**node.attrs, "axis": both}),)


@primitive(
    takes_complex=True,
    promote="float",
    **_REDUCTION,
    stable_form=_mean_of_mean,
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
    """The mean over axes (NumPy's ``mean``); NaN of no elements.

    Args:
        x: a tensor of any dtype, of any shape; integers and bools are promoted to floatx.
        axis, keepdims: as in :func:`sum`.

    Returns:
        A float or complex tensor; float16 and bfloat16 are accumulated in float32.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> K.eval(K.mean([[1., 2.], [3., 4.]], axis=0)).tolist()
    [2.0, 3.0]
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
def reduce_max(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The maximum over axes (Keras's ``K.max``); NaN if an element is.

    Args:
        x: a tensor of integers or floats, of any shape.
        axis, keepdims: as in :func:`sum`.

    Returns:
        A tensor of the dtype of ``x``. Equal maxima share the gradient.

    Raises:
        ValueError: an axis out of range, repeated or of size 0.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.max([[1., 2.], [3., 0.]], axis=0)).tolist()
    [3.0, 2.0]
    """
    return _numeric(x, axis, keepdims)


@primitive(name="min", **_EXTREME, samples=_extreme_samples)
def reduce_min(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The minimum over axes (Keras's ``K.min``); NaN if an element is.

    Arguments, result and errors as in :func:`amax`.

    >>> from kbackend import K
    >>> K.eval(K.min([[1., 2.], [3., 0.]], axis=0)).tolist()
    [1.0, 0.0]
    """
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
    """Whether any element is not 0 (NumPy's ``any``); False of no elements.

    Args:
        x: a tensor of any dtype, of any shape.
        axis, keepdims: as in :func:`sum`.

    Returns:
        A bool tensor.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> K.eval(K.any([[True, False], [False, False]], axis=1)).tolist()
    [True, False]
    """
    return _reduce(x, axis, keepdims, dtypes.BOOL)


@primitive(name="all", **_LOGIC)
def all_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """Whether all elements are not 0 (NumPy's ``all``); True of no elements.

    Arguments, result and errors as in :func:`any`.

    >>> from kbackend import K
    >>> K.eval(K.all([[True, False], [True, True]], axis=1)).tolist()
    [False, True]
    """
    return _reduce(x, axis, keepdims, dtypes.BOOL)


@composite(
    **_DERIVED,
    samples=_samples(
        call(values(3.0, -4.0), expect=np.array(5.0), expect_gradient=np.array([0.6, -0.8]), name="3, 4, 5"),
        call(values(0.0, 0.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(2), name="zero"),
    ),
)
def norm(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm over axes; its gradient is 0 where it is 0.

    Args:
        x: a tensor of integers or floats; integers are promoted to floatx.
        axis, keepdims: as in :func:`sum`.

    Raises:
        ValueError: an axis out of range or repeated.
    """
    return precise(x, lambda wide: masked_root(sum_(square(wide), axis=axis, keepdims=keepdims)))


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
    """``log(sum(exp(x)))`` over axes without overflow.

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.
        axis, keepdims: as in :func:`sum`.

    Raises:
        ValueError: an axis out of range, repeated or of size 0.

    >>> from kbackend import K
    >>> round(float(K.eval(K.logsumexp([1000., 1000.]))), 3)
    1000.693
    """

    def body(wide: Any) -> Any:
        highest = stop_gradient(reduce_max(wide, axis=axis, keepdims=True))
        shift = select_elements(isinf(highest), 0.0, highest)
        total = log(sum_(exp(wide - shift), axis=axis, keepdims=keepdims))
        return total + (shift if keepdims else sum_(shift, axis=axis, keepdims=False))

    return precise(x, body)


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
    """``x / sqrt(max(sum(x^2), 1e-12))``, the sum taken over axes (Keras's ``K.l2_normalize``).

    Args:
        x: a real tensor; integers are promoted to floatx.
        axis: an axis or several; None for all.

    Returns:
        A tensor of the shape of ``x``; float16 and bfloat16 are computed in float32.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> K.eval(K.l2_normalize(K.constant([[3., 4.], [0., 0.]], "float64"), axis=1)).round(3).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    return precise(x, lambda wide: wide * rsqrt(maximum(sum_(square(wide), axis=axis, keepdims=True), 1e-12)))


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 3), 0.5)), call(In((2, 3), 0.5), (0, -1), True, name="axes kept"),
    call(In((2, 3), 1, 4, kind="int32"), 0, False, "float32", gradient=False, name="dtype"),
    call(In((2, 3)), (0, 0), raises=ValueError, name="axes")])
def prod(x: TensorLike, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over axes (NumPy's ``prod``); its gradient is exact where elements are 0.

    Args:
        x: a tensor of numbers, of any shape, or of any dtype when ``dtype`` is given.
        axis, keepdims: as in :func:`sum`.
        dtype: the dtype of the product; that of ``x`` when None.

    Raises:
        ValueError: an axis out of range or repeated.
        TypeError: a bool tensor without ``dtype``, or an unknown dtype.

    >>> from kbackend import ops
    >>> float(ops.prod([2.0, 3.0]))
    6.0
    """
    x = as_tensor(x)
    return reduce_prod(x if dtype is None else cast(x, dtypes.canonical(dtype)), axis=axis, keepdims=keepdims)


amax = reduce_max
amin = reduce_min

__all__ = ["amax", "amin", "logsumexp", "mean", "prod"]
