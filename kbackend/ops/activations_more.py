"""More activation functions: shrinking, gated, sparse and smooth ones. Integers give floatx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import activation
from kbackend.ops import elementwise as e
from kbackend.ops.creation import ones_like
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.joining import split
from kbackend.ops.ordering import sort
from kbackend.ops.reduction import cumsum, sum_
from kbackend.ops.rules import (
    INF,
    NAN,
    WIDE,
    In,
    Sample,
    Samples,
    arithmetic,
    call,
    dtype_of,
    is_small,
    number,
    same,
    values,
)
from kbackend.ops.shapes import axis_in, canonical_axis


def _samples(*extra: Sample, low: float = -3.0, high: float = 3.0, **options: Any) -> Samples:
    return lambda: [
        call(In((2, 3), low, high, **options)),
        call(In((), low, high, **options), name="scalar"),
        call(In((0, 3)), name="empty"),
        call(In((4,), -5, 5, kind="int32"), gradient=False, name="int32"),
        *extra,
    ]


_ODD = values(NAN, 1000.0, -1000.0)
_PLAIN: dict[str, Any] = {"promote": "float", "rule": same}

# ------------------------------------------------------------ smooth ones


@composite(**_PLAIN, samples=_samples(call(_ODD, gradient=False, name="far")))
def log_sigmoid(x: TensorLike) -> Any:
    """``log(sigmoid(x))``, without rounding to log(0).

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import log_sigmoid
    >>> round(float(log_sigmoid(0.0)), 4)
    -0.6931
    """
    return -activation.softplus(-x)


@composite(**_PLAIN, samples=_samples(
    call(_ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def mish(x: TensorLike) -> Any:
    """``x * tanh(softplus(x))`` (Misra, 2019).

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import mish
    >>> round(float(mish(1.0)), 4)
    0.8651
    """
    wide = e.cast(x, "float32") if is_small(x) else x
    return e.cast(wide * e.tanh(activation.softplus(wide)), dtype_of(x))


@composite(**_PLAIN, samples=_samples(
    call(values(1e-3, -1e-3), gradient=False, dtypes=("float64",), name="near zero"), avoid=(0.0,)))
def tanh_shrink(x: TensorLike) -> Any:
    """``x - tanh(x)``.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import tanh_shrink
    >>> float(tanh_shrink(0.0))
    0.0
    """
    return x - e.tanh(x)


@composite(name="squareplus", promote="float", promoted=("x",), rule=lambda x, b: arithmetic(x), samples=lambda: [
    call(In((2, 3)), 4.0), call(In((2, 3), avoid=(0.0,)), 0.0, name="no b")])
def _squareplus(x: TensorLike, b: float) -> Any:
    """``(x + sqrt(x**2 + b)) / 2`` for a number ``b``; at ``b = 0`` the gradient at 0 is 1/2."""
    square = e.square(x)
    root = e.masked_root(square) if b == 0 else e.sqrt(square + b)
    return (x + root) * 0.5


@derived(samples=_samples(
    call(In((2, 3)), 0.5, name="b"), call(In((2, 3)), In((), 0.5, 2.0), name="b a tensor"),
    call(values(0.0, 3.0), 0, expect=np.array([0.0, 3.0]), gradient=False, name="no b"),
    call(In((2,)), -1.0, raises=ValueError, name="b below 0")))
def squareplus(x: TensorLike, b: Any = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``, a softplus without exponentials (Barron, 2021).

    Args:
        x: a tensor of any shape.
        b: how smooth it is, a number from 0 on or a tensor.

    Raises:
        ValueError: a number ``b`` below 0.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import squareplus
    >>> float(squareplus(0.0))
    1.0
    """
    plain = number(b)
    if plain is None:
        return (x + e.sqrt(e.square(x) + b)) * 0.5
    if plain < 0:
        raise ValueError(f"squareplus: b must not be negative, it is {b}")
    return _squareplus(x, float(plain))


# ------------------------------------------------------------ units with a slope or a kink


@composite(name="celu", **_PLAIN, samples=lambda: [
    call(In((2, 3), avoid=(0.0,)), 0.5), call(_ODD, 2.0, gradient=False, name="far"),
    call(In((2,)), 0.0, raises=ValueError, name="alpha 0")],
    prepare=lambda specs, attrs: {"alpha": _not_zero("celu: alpha", attrs["alpha"])})
def _celu(x: TensorLike, alpha: float) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x / alpha) - 1)`` below; ``alpha`` is a number."""
    low = e.where(x < 0.0, x, 0.0)
    return e.where(x < 0.0, e.expm1(low / alpha) * alpha, x)


def _not_zero(what: str, value: Any) -> float:
    if float(value) == 0:
        raise ValueError(f"{what} must not be 0")
    return float(value)


@derived(samples=_samples(
    call(values(0.0), expect_gradient=np.ones(1), name="at zero"),
    call(In((2, 3), avoid=(0.0,)), In((), 0.5, 0.9), name="alpha a tensor"), avoid=(0.0,)))
def celu(x: TensorLike, alpha: Any = 1.0) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x / alpha) - 1)`` below (Barron, 2017); the gradient at 0 is 1.

    Args:
        x: a tensor of any shape.
        alpha: a number other than 0, or a tensor.

    Raises:
        ValueError: ``alpha`` is the number 0.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import celu
    >>> float(celu(2.0))
    2.0
    """
    plain = number(alpha)
    if plain is not None:
        return _celu(x, alpha=float(plain))
    below = e.less(x, 0.0)
    return e.where(below, e.expm1(e.where(below, x, 0.0) / alpha) * alpha, x)


@derived(samples=lambda: [
    call(In((2, 3), -8, 8, avoid=(0.0, 6.0))),
    call(values(0.0, 6.0), row=66, expect_gradient=np.array([0.0, 1.0]), name="ends"),
    call(In((4,), -9, 9, kind="int32"), gradient=False, name="int32")])
def relu6(x: TensorLike) -> Any:
    """``x`` limited to [0, 6]; the gradient is 0 at 0 and 1 at 6, as that of ``K.relu(x, max_value=6)``.

    Args:
        x: a tensor of any shape; integers stay integers.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import relu6
    >>> K.eval(relu6(K.constant([-1.0, 2.0, 9.0]))).tolist()
    [0.0, 2.0, 6.0]
    """
    return activation.relu(x, max_value=6)


@composite(**_PLAIN, tolerance="exact", samples=_samples(
    call(values(-1.0, 1.0, NAN), row=66, expect_gradient=np.array([1.0, 1.0, 0.0]), name="ends", dtypes=WIDE),
    avoid=(-1.0, 1.0)))
def hard_tanh(x: TensorLike) -> Any:
    """``x`` limited to [-1, 1]; the gradient at the ends is 1.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import hard_tanh
    >>> K.eval(hard_tanh(K.constant([-3.0, 0.5]))).tolist()
    [-1.0, 0.5]
    """
    return e.clip_range(x, low=-1.0, high=1.0)


@composite(**_PLAIN, samples=_samples(
    call(values(-4.0, 0.0, 4.0), expect=np.array([0.0, 0.0, 4.0]), gradient=False, name="far"), low=-5.0, high=5.0,
    avoid=(-3.0, 3.0)))
def hard_silu(x: TensorLike) -> Any:
    """``x * clip(x / 6 + 1/2, 0, 1)`` (Howard et al., 2019), also called hard swish.

    The slope of the gate is 1/6 here, where ``K.hard_sigmoid`` has 0.2.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import hard_silu
    >>> K.eval(hard_silu(K.constant([0.0, 4.0]))).tolist()
    [0.0, 4.0]
    """
    gate = e.clip_range(x * (1 / 6) + 0.5, low=0.0, high=1.0)
    return x * gate


# ------------------------------------------------------------ shrinking


def _threshold_samples(*extra: Sample) -> Samples:
    return _samples(
        call(In((2, 3), avoid=(-1.25, 1.25)), 1.25, name="threshold"),
        call(In((2, 3), avoid=(-0.7, 0.7)), values(0.7, gradient=False), name="threshold a tensor"),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        *extra,
        avoid=(-0.5, 0.5),
    )


def _taken(threshold: Any) -> Any:
    """A number or tensor as an operand."""
    plain = number(threshold)
    return threshold if plain is None else float(plain)


@derived(tolerance="exact", samples=_threshold_samples(
    call(values(0.5, -0.5, 0.75), expect=np.array([0.0, 0.0, 0.75]), expect_gradient=np.array([0.0, 0.0, 1.0]),
         name="at the threshold")))
def hard_shrink(x: TensorLike, threshold: Any = 0.5) -> Any:
    """``x`` where ``|x| > threshold``, else 0, with gradient 0 there.

    Args:
        x: a tensor of any shape.
        threshold: a number or a tensor.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import hard_shrink
    >>> K.eval(hard_shrink(K.constant([-1.0, 0.25]))).tolist()
    [-1.0, 0.0]
    """
    x = _float(x)
    return e.where(e.abs_(x) <= _taken(threshold), 0.0, x)


@derived(samples=_threshold_samples(
    call(values(0.5, -0.5, 0.75), expect=np.array([0.0, 0.0, 0.25]), expect_gradient=np.array([0.0, 0.0, 1.0]),
         name="at the threshold")))
def soft_shrink(x: TensorLike, threshold: Any = 0.5) -> Any:
    """``x`` moved by ``threshold`` towards 0, which it does not pass; the gradient at 0 and around it is 0.

    Args:
        x: a tensor of any shape.
        threshold: a number or a tensor.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import soft_shrink
    >>> K.eval(soft_shrink(K.constant([-1.0, 0.25]))).tolist()
    [-0.5, 0.0]
    """
    x, limit = _float(x), _taken(threshold)
    moved = e.where(e.greater(x, 0.0), e.subtract(x, limit), e.add(x, limit))
    return e.where(e.abs_(x) <= limit, 0.0, moved)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), avoid=(0.5,)), 0.5, -1.0),
    call(values(0.5, 0.75, NAN), 0.5, 2.0, expect=np.array([2.0, 0.75, 2.0]), gradient=False, name="at it"),
    call(In((2, 3), avoid=(0.5,)), values(0.5, gradient=False), In((3,)), name="tensors"),
    call(In((4,), -5, 5, kind="int32"), 1, -1, gradient=False, name="int32"),
    call(In((0, 3)), 0.5, 0.0, name="empty")])
def threshold(x: TensorLike, threshold: Any, default_value: Any) -> Any:
    """``x`` where it is above ``threshold``, else ``default_value``.

    Args:
        x: a tensor of any shape; integers stay integers where both numbers are.
        threshold, default_value: numbers or tensors.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import threshold
    >>> K.eval(threshold(K.constant([1.0, 3.0]), 2.0, -1.0)).tolist()
    [-1.0, 3.0]
    """
    return e.where(e.greater(x, threshold), x, default_value)


def _float(x: Any) -> Any:
    """``x`` with a float dtype; bool is refused as in arithmetic."""
    if dtypes.is_float(dtype_of(x)):
        return x
    return e.cast(x, dtypes.canonical("float"))


# ------------------------------------------------------------ sparse ones


@composite(**_PLAIN, samples=_samples(
    call(values(-1.0, 1.0, 0.0), expect=np.array([0.0, 1.0, 0.25]), expect_gradient=np.array([0.0, 1.0, 0.5]),
         name="ends"), call(_ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def sparse_plus(x: TensorLike) -> Any:
    """0 up to -1, ``x`` from 1 on, ``(x + 1)**2 / 4`` between: the integral of :func:`sparse_sigmoid`.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import sparse_plus
    >>> K.eval(sparse_plus(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.25, 2.0]
    """
    inside = e.square(e.clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.25
    return e.where(x >= 1.0, x, inside)


@composite(**_PLAIN, samples=_samples(
    call(values(-1.0, 1.0), row=66, expect_gradient=np.array([0.5, 0.5]), name="ends"), avoid=(-1.0, 1.0)))
def sparse_sigmoid(x: TensorLike) -> Any:
    """``clip((x + 1) / 2, 0, 1)``; the gradient at the ends is 1/2.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import sparse_sigmoid
    >>> K.eval(sparse_sigmoid(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.5, 1.0]
    """
    return (e.clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.5


@composite(promote="float", rule=same, prepare=canonical_axis, tolerance="reduction", samples=lambda: [
    call(In((3, 4), -1.43, 1.5)),
    call(In((2, 3, 4), -0.71, 0.7), 1, name="middle axis"),
    call(In((4, 2), -1.03, 1), 0, name="first axis"),
    call(In((2, 1)), name="size one"),
    call(In((0, 3)), name="empty"),
    call(In(values=[[0.5, 0.5, -3.0], [10.0, 1.0, 0.0]]), name="ties", dynamic=False,
         expect=np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])),
    call(In((2, 3), -4, 4, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), 2, raises=ValueError, name="axis out of range"),
    call(In(()), raises=ValueError, name="scalar")])
def sparsemax(x: TensorLike, axis: int = -1) -> Any:
    """The point of the probability simplex along an axis that is nearest to ``x`` (Martins and Astudillo, 2016).

    Args:
        x: a tensor of rank 1 or more; float16 is computed in float32.
        axis: the axis along which the result adds up to 1.

    Raises:
        ValueError: a scalar, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import sparsemax
    >>> K.eval(sparsemax(K.constant([3.0, 1.0, 0.0]))).tolist()
    [1.0, 0.0, 0.0]
    """
    wide = e.cast(x, "float32") if is_small(x) else x
    level = _sparsemax_level(e.stop_gradient(wide), axis)
    chosen = wide > level
    count = sum_(e.cast(chosen, dtype_of(wide)), axis=axis, keepdims=True)
    excess = sum_(e.where(chosen, wide, 0.0), axis=axis, keepdims=True) - 1.0
    mean_excess = excess / e.maximum(count, 1.0)
    return e.cast(e.where(chosen, wide - mean_excess, 0.0), dtype_of(x))


def _sparsemax_level(x: Any, axis: int) -> Any:
    """The number that is taken from all elements above it."""
    downwards = -sort(e.negative(x), axis=axis)
    sums = cumsum(downwards, axis=axis)
    ranks = cumsum(ones_like(x), axis=axis)
    support = ranks * downwards + 1.0 > sums
    count = sum_(e.cast(support, dtype_of(x)), axis=axis, keepdims=True)
    total = sum_(e.where(support, downwards, 0.0), axis=axis, keepdims=True)
    return (total - 1.0) / e.maximum(count, 1.0)


# ------------------------------------------------------------ gates


def _glu_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    axis = axis_in(attrs["axis"], specs[0].ndim)
    size = specs[0].shape[axis]
    if size is None or size % 2:
        raise ValueError(f"glu: axis {axis} of {specs[0]} must have an even number of elements, known beforehand")
    return {"axis": axis}


def _half(x: TensorSpec, axis: int) -> TensorSpec:
    return TensorSpec((*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1 :]), arithmetic(x).dtype)  # type: ignore[operator]


@composite(promote="float", rule=_half, prepare=_glu_attrs, samples=lambda: [
    call(In((2, 4))),
    call(In((3, 2, 2)), 1, name="middle axis"),
    call(In((4, 3)), -2, name="first axis", dynamic=False),
    call(In((0, 2)), name="empty"),
    call(In((2, 4), -4, 4, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), raises=ValueError, name="odd"),
    call(In((2, 4)), 2, raises=ValueError, name="axis out of range")])
def glu(x: TensorLike, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second half (Dauphin et al., 2017).

    Args:
        x: a tensor with an even, known number of elements along the axis.
        axis: the axis that is halved.

    Raises:
        ValueError: the axis is out of range, or its size odd or unknown.

    >>> from kbackend import K
    >>> from kbackend.ops.activations_more import glu
    >>> K.eval(glu(K.constant([4.0, 0.0]))).tolist()
    [2.0]
    """
    first, second = split(x, 2, axis=axis)
    return first * activation.sigmoid(second)


__all__ = [
    "celu",
    "glu",
    "hard_shrink",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "mish",
    "relu6",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
]
