"""Smooth activations: sigmoid, softplus, silu, gelu and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, arithmetic, is_small, number, same, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.split import split_sizes
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, identity
from kbackend.ops.elementwise.arithmetic import abs_, add, divide, multiply, negative
from kbackend.ops.elementwise.comparison import less
from kbackend.ops.elementwise.exponential import exp, log1p
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.elementwise.power import masked_root, sqrt
from kbackend.ops.elementwise.power import square as square_op
from kbackend.ops.elementwise.select import clip, clip_range, maximum, select_elements
from kbackend.ops.elementwise.special import erf
from kbackend.ops.nn.relu import ODD, PLAIN, activation_samples, int32_sample, smooth_samples


@composite(
    promote="float",
    rule=same,
    samples=activation_samples(
        call(
            values(-100.0, 100.0, -1000.0, 1000.0, 0.0),
            expect=np.array([0.0, 1.0, 0.0, 1.0, 0.5]),
            gradient=False,
            name="far",
        ),
        call(values(NAN, INF, -INF), expect=np.array([NAN, 1.0, 0.0]), gradient=False, name="not finite"),
        call(
            values(-20.0, -20.0),
            expect=np.full(2, 2.0611536181902037e-09),
            gradient=False,
            dtypes=WIDE,
            name="small values keep their digits",
        ),
        int32_sample(),
    ),
)
def sigmoid(x: TensorLike) -> Any:
    """``1 / (1 + exp(-x))``, without overflow."""
    small = exp(negative(abs_(x)))
    return divide(select_elements(less(x, 0.0), small, 1.0), add(small, 1.0))


@composite(name="hard_sigmoid",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(values(-1.0, 0.0, 1.0), row=16, expect=np.array([0.3, 0.5, 0.7]), gradient=False, name="slope"),
        call(values(-2.5, 2.5), row=66, expect_gradient=np.array([0.2, 0.2]), name="ends"),
        int32_sample(),
        avoid=(-2.5, 2.5),
    ),
)
def classic_hard_sigmoid(x: TensorLike) -> Any:
    """``clip(0.2 * x + 0.5, 0, 1)``."""
    return clip(add(multiply(x, 0.2), 0.5), 0.0, 1.0)


@composite(
    promote="float",
    rule=same,
    samples=activation_samples(
        call(
            values(20.5, -800.0, 800.0),
            row=19,
            dtypes=WIDE,
            name="no threshold",
            expect=np.array([20.500000001250154, 0.0, 800.0]),
        ),
        call(values(0.0), expect=np.log([2.0]), expect_gradient=np.array([0.5]), name="at zero", dtypes=WIDE),
        call(
            values(-30.0, -30.0),
            expect=np.full(2, 9.357622968839742e-14),
            gradient=False,
            dtypes=WIDE,
            name="small values keep their digits",
        ),
        int32_sample(),
    ),
)
def softplus(x: TensorLike) -> Any:
    """``log(1 + exp(x))``, without overflow and without a threshold."""
    return add(maximum(x, 0.0), log1p(exp(negative(abs_(x)))))


@composite(promote="float", rule=same, samples=activation_samples(int32_sample(), avoid=(0.0,)))
def softsign(x: TensorLike) -> Any:
    """``x / (1 + |x|)``."""
    return divide(x, add(abs_(x), 1.0))


@composite(promote="float", rule=same, samples=activation_samples(int32_sample()))
def silu(x: TensorLike) -> Any:
    """``x * sigmoid(x)`` (Elfwing et al., 2018), also called swish."""
    return multiply(x, sigmoid(x))


@derived(samples=activation_samples())
def swish(x: TensorLike) -> Any:
    """``x * sigmoid(x)``: another name of :func:`silu`."""
    return silu(x)


@composite(name="gelu",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(In((2, 3), -3, 3), True, row=17, name="tanh form"),
        call(
            values(1.0),
            False,
            row=17,
            expect=np.array([0.8413447460685429]),
            gradient=False,
            name="one by erf",
        ),
        call(
            values(1.0),
            True,
            row=17,
            expect=np.array([0.8411919906082768]),
            gradient=False,
            name="one by tanh",
        ),
        int32_sample(False),
        arguments=(False,),
    ),
)
def classic_gelu(x: TensorLike, approximate: bool) -> Any:
    """``x * P(X <= x)`` of a standard normal X (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor; integers give floatx.
        approximate: False: by erf; True: by tanh. Engines disagree on a default, so there is none.
    """
    if approximate:
        inner = multiply(
            add(x, multiply(multiply(square_op(x), x), 0.044715)), 0.7978845608028654
        )
        return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 0.7071067811865476)), 1.0))


@derived(samples=activation_samples())
def exponential(x: TensorLike) -> Any:
    """``exp(x)``."""
    return exp(x)


@derived(tolerance="exact", samples=lambda: [call(In((2, 3)))])
def linear(x: TensorLike) -> Any:
    """x itself."""
    return identity(x)


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), False, name="exact"), call(In((2,), -3, 3, kind="int32"), gradient=False)])
def gelu(x: TensorLike, approximate: bool = True) -> Any:
    """``x * P(X <= x)`` of a standard normal X: by tanh, or by erf when not ``approximate``.

    Args:
        x: a tensor; integers give floatx.
        approximate: whether by tanh.

    Source: Hendrycks and Gimpel 2016.

    >>> from kbackend import ops
    >>> round(float(ops.gelu(1.0)), 4), round(float(ops.gelu(1.0, approximate=False)), 4)
    (0.8412, 0.8413)
    """
    return classic_gelu(as_tensor(x), bool(approximate))


@derived(samples=lambda: [
    call(In((2, 3), -5, 5, avoid=(-3.0, 3.0))), call(values(-4.0, 0.0, 3.0), expect=np.array([0.0, 0.5, 1.0]),
                                                     gradient=False, name="places")])
def hard_sigmoid(x: TensorLike) -> Any:
    """``x / 6 + 1/2``, no less than 0 and no more than 1. K's is steeper: ``x / 5 + 1/2``.

    Args:
        x: a tensor; integers give floatx.

    Source: Howard et al. 2019.

    >>> from kbackend import ops
    >>> float(ops.hard_sigmoid(1.5))
    0.75
    """
    return clip(as_tensor(x) + 3, 0, 6) / 6


@composite(**PLAIN, samples=smooth_samples(call(ODD, gradient=False, name="far")))
def log_sigmoid(x: TensorLike) -> Any:
    """``log(sigmoid(x))``, without rounding to log(0).

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import log_sigmoid
    >>> round(float(log_sigmoid(0.0)), 4)
    -0.6931
    """
    return -softplus(-x)


@composite(**PLAIN, samples=smooth_samples(
    call(ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def mish(x: TensorLike) -> Any:
    """``x * tanh(softplus(x))`` (Misra, 2019).

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import mish
    >>> round(float(mish(1.0)), 4)
    0.8651
    """
    wide = cast(x, "float32") if is_small(x) else x
    return cast(wide * tanh(softplus(wide)), dtype_of(x))


@composite(**PLAIN, samples=smooth_samples(
    call(values(1e-3, -1e-3), gradient=False, dtypes=("float64",), name="near zero"), avoid=(0.0,)))
def tanh_shrink(x: TensorLike) -> Any:
    """``x - tanh(x)``.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import tanh_shrink
    >>> float(tanh_shrink(0.0))
    0.0
    """
    return x - tanh(x)


@composite(name="squareplus", promote="float", promoted=("x",), rule=lambda x, b: arithmetic(x), samples=lambda: [
    call(In((2, 3)), 4.0), call(In((2, 3), avoid=(0.0,)), 0.0, name="no b")])
def _squareplus(x: TensorLike, b: float) -> Any:
    """``(x + sqrt(x**2 + b)) / 2`` for a number ``b``; at ``b = 0`` the gradient at 0 is 1/2."""
    square = square_op(x)
    root = masked_root(square) if b == 0 else sqrt(square + b)
    return (x + root) * 0.5


@derived(samples=smooth_samples(
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
    >>> from kbackend.ops import squareplus
    >>> float(squareplus(0.0))
    1.0
    """
    plain = number(b)
    if plain is None:
        return (x + sqrt(square_op(x) + b)) * 0.5
    if plain < 0:
        raise ValueError(f"squareplus: b must not be negative, it is {b}")
    return _squareplus(x, float(plain))


@composite(**PLAIN, samples=smooth_samples(
    call(values(-4.0, 0.0, 4.0), expect=np.array([0.0, 0.0, 4.0]), gradient=False, name="far"), low=-5.0, high=5.0,
    avoid=(-3.0, 3.0)))
def hard_silu(x: TensorLike) -> Any:
    """``x * clip(x / 6 + 1/2, 0, 1)`` (Howard et al., 2019), also called hard swish.

    The slope of the gate is 1/6 here, where ``K.hard_sigmoid`` has 0.2.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import hard_silu
    >>> K.eval(hard_silu(K.constant([0.0, 4.0]))).tolist()
    [0.0, 4.0]
    """
    gate = clip_range(x * (1 / 6) + 0.5, low=0.0, high=1.0)
    return x * gate


@composite(**PLAIN, samples=smooth_samples(
    call(values(-1.0, 1.0, 0.0), expect=np.array([0.0, 1.0, 0.25]), expect_gradient=np.array([0.0, 1.0, 0.5]),
         name="ends"), call(ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def sparse_plus(x: TensorLike) -> Any:
    """0 up to -1, ``x`` from 1 on, ``(x + 1)**2 / 4`` between: the integral of :func:`sparse_sigmoid`.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import sparse_plus
    >>> K.eval(sparse_plus(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.25, 2.0]
    """
    inside = square_op(clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.25
    return select_elements(x >= 1.0, x, inside)


@composite(**PLAIN, samples=smooth_samples(
    call(values(-1.0, 1.0), row=66, expect_gradient=np.array([0.5, 0.5]), name="ends"), avoid=(-1.0, 1.0)))
def sparse_sigmoid(x: TensorLike) -> Any:
    """``clip((x + 1) / 2, 0, 1)``; the gradient at the ends is 1/2.

    Args:
        x: a tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import sparse_sigmoid
    >>> K.eval(sparse_sigmoid(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.5, 1.0]
    """
    return (clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.5


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
    >>> from kbackend.ops import glu
    >>> K.eval(glu(K.constant([4.0, 0.0]))).tolist()
    [2.0]
    """
    first, second = split_sizes(x, 2, axis=axis)
    return first * sigmoid(second)


hard_swish = hard_silu

__all__ = [
    "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "log_sigmoid", "mish", "sigmoid", "silu",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh_shrink",
]
