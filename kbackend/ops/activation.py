"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.ops import elementwise as ew
from kbackend.ops import reduction
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.rules import (
    INF,
    NAN,
    WIDE,
    In,
    Sample,
    Samples,
    bool_sample,
    call,
    dtype_of,
    is_small,
    number,
    same,
    values,
)
from kbackend.ops.shapes import canonical_axis

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _samples(
    *extra: Sample,
    low: float = -3.0,
    high: float = 3.0,
    arguments: tuple[Any, ...] = (),
    takes_bool: bool = True,
    **options: Any,
) -> Samples:
    def samples() -> list[Sample]:
        return [
            call(In((2, 3), low, high, **options), *arguments),
            call(In((), low, high, **options), *arguments, name="scalar"),
            call(In((0, 3), **options), *arguments, name="empty"),
            bool_sample(takes_bool, values(True, False, kind="bool"), *arguments),
            *extra,
        ]

    return samples


def _int32(*arguments: Any) -> Sample:
    return call(In((4,), -5, 5, kind="int32"), *arguments, gradient=False, name="int32")


# ------------------------------------------------------------ rectifiers


@composite(
    name="relu",
    tolerance="exact",
    rule=same,
    samples=_samples(
        call(
            values(-1.0, 0.0, 1.0),
            expect=np.array([0.0, 0.0, 1.0]),
            expect_gradient=np.array([0.0, 0.0, 1.0]),
            name="at zero",
        ),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        _int32(),
        takes_bool=False,
        avoid=(0.0,),
    ),
)
def rectify(x: TensorLike) -> Any:
    """``max(x, 0)``; the gradient at 0 is 0. The op behind :func:`relu` with its defaults."""
    return ew.where(ew.less_equal(x, 0), ew.cast(0, dtype_of(x)), x)


@composite(
    name="leaky_relu",
    promote="float",
    rule=same,
    samples=_samples(
        call(
            values(-1.0, 0.0, 1.0),
            0.25,
            expect=np.array([-0.25, 0.0, 1.0]),
            name="at zero",
            expect_gradient=np.array([0.25, 0.25, 1.0]),
        ),
        call(values(NAN, INF, -INF), 0.25, gradient=False, name="not finite"),
        _int32(0.25),
        avoid=(0.0,),
        arguments=(0.2,),
    ),
)
def _leaky(x: TensorLike, negative_slope: float) -> Any:
    """``x`` above 0, ``negative_slope * x`` below; the gradient at 0 is the slope."""
    return ew.where(ew.greater(x, 0.0), x, ew.multiply(x, negative_slope))


@derived(
    samples=_samples(
        call(values(-1.0, 1.0), 0.25, row=18, expect=np.array([-0.25, 1.0]), gradient=False, name="slope"),
        call(
            values(-1.0, 1.0),
            values(0.5, gradient=False),
            expect=np.array([-0.5, 1.0]),
            name="slope a tensor",
        ),
        avoid=(0.0,),
        arguments=(0.2,),
    )
)
def leaky_relu(x: TensorLike, negative_slope: Any) -> Any:
    """``x`` above 0, ``negative_slope * x`` below; the gradient at 0 is the slope.

    Args:
        x: a tensor; integers give floatx.
        negative_slope: a number or a tensor; engines disagree on a default, so there is none.
    """
    slope = number(negative_slope)
    if slope is not None:
        return _leaky(x, float(slope))
    return ew.where(ew.greater(x, 0), x, ew.multiply(x, negative_slope))


@derived(
    samples=_samples(
        call(In((2, 3), avoid=(0.0,)), alpha=0.1, name="leaky"),
        call(In((2, 3), avoid=(0.0, 1.0)), max_value=1.0),
        call(In((2, 3), avoid=(0.5,)), threshold=0.5, name="threshold"),
        call(In((2, 3), avoid=(0.5, 1.5)), 0.2, 1.5, 0.5, name="all of them"),
        call(
            In((2, 3), avoid=(-0.5, 0.0, 0.5)),
            values(0.2, gradient=False),
            None,
            values(0.5, gradient=False),
            name="tensors",
        ),
        call(
            values(0.5, -0.5),
            threshold=0.5,
            expect=np.array([0.0, 0.0]),
            gradient=False,
            name="at the threshold",
        ),
        call(values(0.0, 6.0), max_value=6.0, row=66, expect_gradient=np.array([0.0, 1.0]), name="ends"),
        _int32(),
        takes_bool=False,
        avoid=(0.0,),
    )
)
def relu(x: TensorLike, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """x above ``threshold``, ``alpha * (x - threshold)`` below, at most ``max_value``.

    Args:
        x: a tensor.
        alpha: the slope below the threshold, a number or tensor.
        max_value: the ceiling, a number, tensor or None.
        threshold: a number or tensor; x at the threshold itself counts as below.

    >>> from kbackend import K
    >>> K.eval(K.relu([-1., 2., 9.], max_value=6.)).tolist()
    [0.0, 2.0, 6.0]
    """
    if number(threshold) == 0:
        result = rectify(x) if number(alpha) == 0 else leaky_relu(x, alpha)
    elif number(alpha) == 0:
        result = ew.where(ew.greater(x, threshold), x, 0)
    else:
        result = ew.where(ew.greater(x, threshold), x, ew.multiply(ew.subtract(x, threshold), alpha))
    return result if max_value is None else ew.clip(result, None, max_value)


# ------------------------------------------------------------ exponential units


def _negative_part(x: Any) -> Any:
    """x below 0, else 0, so that no exponential of what is not used can overflow."""
    return ew.where(ew.less(x, 0.0), x, 0.0)


@composite(
    name="elu",
    promote="float",
    rule=same,
    samples=_samples(
        call(In((2, 3), avoid=(0.0,)), alpha=0.5, name="alpha"),
        call(values(0.0), alpha=0.5, expect_gradient=np.array([1.0]), name="at zero"),
        call(values(NAN, 1000.0, -1000.0), gradient=False, name="far"),
        _int32(),
        avoid=(0.0,),
    ),
)
def _elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x) - 1)`` below."""
    return ew.where(ew.less(x, 0.0), ew.multiply(ew.expm1(_negative_part(x)), alpha), x)


@derived(
    samples=_samples(
        call(In((2, 3), avoid=(0.0,)), 0.5, name="alpha"),
        call(In((2, 3), avoid=(0.0,)), In((), 0.3, 0.9), name="alpha a tensor"),
        avoid=(0.0,),
    )
)
def elu(x: TensorLike, alpha: Any = 1.0) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016); the gradient at 0 is 1.

    Args:
        x: a tensor; integers give floatx.
        alpha: a number or a tensor.
    """
    scale = number(alpha)
    if scale is not None:
        return _elu(x, alpha=float(scale))
    return ew.where(ew.less(x, 0.0), ew.multiply(ew.expm1(_negative_part(x)), alpha), x)


@composite(
    promote="float",
    rule=same,
    samples=_samples(
        call(values(0.0), expect_gradient=np.array([SELU_SCALE]), row=65, name="at zero"),
        call(values(NAN, 1000.0, -1000.0), gradient=False, name="far"),
        _int32(),
        avoid=(0.0,),
    ),
)
def selu(x: TensorLike) -> Any:
    """The scaled exponential linear unit (Klambauer et al., 2017); the gradient at 0 is its scale, 1.0507."""
    return ew.multiply(_elu(x, alpha=SELU_ALPHA), SELU_SCALE)


# ------------------------------------------------------------ sigmoids


@composite(
    promote="float",
    rule=same,
    samples=_samples(
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
        _int32(),
    ),
)
def sigmoid(x: TensorLike) -> Any:
    """``1 / (1 + exp(-x))``, without overflow."""
    small = ew.exp(ew.negative(ew.abs_(x)))
    return ew.divide(ew.where(ew.less(x, 0.0), small, 1.0), ew.add(small, 1.0))


@composite(
    promote="float",
    rule=same,
    samples=_samples(
        call(values(-1.0, 0.0, 1.0), row=16, expect=np.array([0.3, 0.5, 0.7]), gradient=False, name="slope"),
        call(values(-2.5, 2.5), row=66, expect_gradient=np.array([0.2, 0.2]), name="ends"),
        _int32(),
        avoid=(-2.5, 2.5),
    ),
)
def hard_sigmoid(x: TensorLike) -> Any:
    """``clip(0.2 * x + 0.5, 0, 1)``."""
    return ew.clip(ew.add(ew.multiply(x, 0.2), 0.5), 0.0, 1.0)


@composite(
    promote="float",
    rule=same,
    samples=_samples(
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
        _int32(),
    ),
)
def softplus(x: TensorLike) -> Any:
    """``log(1 + exp(x))``, without overflow and without a threshold."""
    return ew.add(ew.maximum(x, 0.0), ew.log1p(ew.exp(ew.negative(ew.abs_(x)))))


@composite(promote="float", rule=same, samples=_samples(_int32(), avoid=(0.0,)))
def softsign(x: TensorLike) -> Any:
    """``x / (1 + |x|)``."""
    return ew.divide(x, ew.add(ew.abs_(x), 1.0))


# ------------------------------------------------------------ gates


@composite(promote="float", rule=same, samples=_samples(_int32()))
def silu(x: TensorLike) -> Any:
    """``x * sigmoid(x)`` (Elfwing et al., 2018), also called swish."""
    return ew.multiply(x, sigmoid(x))


@derived(samples=_samples())
def swish(x: TensorLike) -> Any:
    """``x * sigmoid(x)``: another name of :func:`silu`."""
    return silu(x)


@composite(
    promote="float",
    rule=same,
    samples=_samples(
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
        _int32(False),
        arguments=(False,),
    ),
)
def gelu(x: TensorLike, approximate: bool) -> Any:
    """``x * P(X <= x)`` of a standard normal X (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor; integers give floatx.
        approximate: False: by erf; True: by tanh. Engines disagree on a default, so there is none.
    """
    if approximate:
        inner = ew.multiply(
            ew.add(x, ew.multiply(ew.multiply(ew.square(x), x), 0.044715)), 0.7978845608028654
        )
        return ew.multiply(ew.multiply(x, 0.5), ew.add(ew.tanh(inner), 1.0))
    return ew.multiply(ew.multiply(x, 0.5), ew.add(ew.erf(ew.multiply(x, 0.7071067811865476)), 1.0))


@derived(samples=_samples())
def exponential(x: TensorLike) -> Any:
    """``exp(x)``."""
    return ew.exp(x)


@derived(tolerance="exact", samples=lambda: [call(In((2, 3)))])
def linear(x: TensorLike) -> Any:
    """x itself."""
    return ew.identity(x)


# ------------------------------------------------------------ softmax

_SOFTMAX: dict[str, Any] = {
    "promote": "float",
    "prepare": canonical_axis,
    "tolerance": "reduction",
    "rule": same,
    "samples": lambda: [
        call(In((2, 3), -3, 3)),
        call(In((2, 3, 4)), axis=1, name="middle axis"),
        call(In((4,)), name="vector"),
        call(In((2, 1)), name="size one"),
        call(In((0, 3)), name="empty"),
        call(In((2, 3)), axis=0, name="first axis"),
        call(In(values=[[1000.0, 1000.0], [-1000.0, 0.0]]), name="far"),
        call(In(values=[[-INF, 0.0], [-INF, -INF]]), gradient=False, name="infinities"),
        call(In(values=[[NAN, 0.0], [0.0, 1.0]]), gradient=False, name="NaN"),
        call(In((2, 3), -5, 5, kind="int32"), gradient=False, name="int32"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
        call(In(()), raises=ValueError, name="scalar"),
    ],
}


def _powers(x: Any, axis: int) -> tuple[Any, Any]:
    """x less its largest element, and the exponentials of that."""
    shifted = ew.subtract(x, ew.stop_gradient(reduction.max_(x, axis=axis, keepdims=True)))
    return shifted, ew.exp(shifted)


def _narrow(result: Any, x: Any) -> Any:
    return ew.cast(result, dtype_of(x)) if is_small(x) else result


@composite(**_SOFTMAX)
def softmax(x: TensorLike, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow; float16 is computed in float32.

    Raises:
        ValueError: the axis is out of range.

    >>> from kbackend import K
    >>> K.eval(K.softmax([0., 0.])).tolist()
    [0.5, 0.5]
    """
    _, powers = _powers(ew.cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(ew.divide(powers, reduction.sum_(powers, axis=axis, keepdims=True)), x)


@composite(**_SOFTMAX)
def log_softmax(x: TensorLike, axis: int = -1) -> Any:
    """``log(softmax(x))`` along an axis, without overflow and without rounding to log(0).

    Raises:
        ValueError: the axis is out of range.
    """
    shifted, powers = _powers(ew.cast(x, "float32") if is_small(x) else x, axis)
    return _narrow(ew.subtract(shifted, ew.log(reduction.sum_(powers, axis=axis, keepdims=True))), x)


__all__ = [
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "rectify",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
]
