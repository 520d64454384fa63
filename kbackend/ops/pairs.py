"""More arithmetic of two numbers, by the names of NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.ops import elementwise as e
from kbackend.ops.arithmetic import pow_
from kbackend.ops.declare import TensorLike, composite, derived
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
    values,
)


def _samples(*extra: Sample, low: float = -2.0, high: float = 2.0, **options: Any) -> Samples:
    return lambda: [
        call(In((2, 1, 3), **options), In((4, 1), low, high, **options), name="broadcasting"),
        call(In((2,), -5, 5, kind="int32"), In((2,), 1, 5, kind="int32"), gradient=False, name="int32"),
        call(In((0, 3)), In((1, 3)), name="empty"),
        call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting"),
        *extra,
    ]


def _not_finite(*numbers: float) -> Sample:
    pairs = np.array([(a, b) for a in numbers for b in numbers])
    return call(values(*pairs[:, 0]), values(*pairs[:, 1]), gradient=False, name="not finite")


# ------------------------------------------------------------ other names


@derived(samples=_samples(low=0.5))
def true_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 / x2``; integers give floatx. Shapes and errors as in ``K.divide``.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import true_divide
    >>> K.eval(true_divide(K.constant([1.0, 3.0]), 2)).tolist()
    [0.5, 1.5]
    """
    return e.divide(x1, x2)


@derived(name="power", samples=lambda: [
    call(In((2, 1, 3), 0.2, 2.0), In((4, 1)), name="broadcasting"),
    call(In((2, 3)), 3, name="Python number"),
    call(values(2, 3, kind="int32"), -1, row=33, raises=ValueError, name="integer to a negative power")])
def power(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 ** x2``; the gradient of ``x ** 0`` is 0 at 0 too. Errors as in ``K.pow``.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import power
    >>> K.eval(power(K.constant([2.0, 3.0]), 2)).tolist()
    [4.0, 9.0]
    """
    return pow_(x1, x2)


@derived(samples=_samples(low=0.5))
def arctan2(x1: TensorLike, x2: TensorLike) -> Any:
    """The angle of the point (x2, x1), from -pi to pi, with the signs of zeros as in C.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import arctan2
    >>> float(arctan2(0.0, 1.0))
    0.0
    """
    return e.atan2(x1, x2)


# ------------------------------------------------------------ quotients and rests


@composite(promote="float", rule=arithmetic, samples=_samples(
    call(values(1.0, 0.0, 3.0, NAN), values(0.0, 0.0, -2.0, 0.0), expect=np.array([0.0, 0.0, -1.5, 0.0]),
         expect_gradient=np.array([0.0, 0.0, -0.5, 0.0]), name="by zero"),
    call(3.0, In((2,), 0.5, 2.0), name="Python number"), low=0.5))
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 / x2``, and 0 where ``x2`` is 0, with gradient 0 there; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import divide_no_nan
    >>> K.eval(divide_no_nan(K.constant([1.0, 1.0]), [0.0, 2.0])).tolist()
    [0.0, 0.5]
    """
    zero = x2 == 0.0
    return e.where(zero, 0.0, x1 / e.where(zero, 1.0, x2))


@composite(promote="same", rule=arithmetic, samples=lambda: [
    call(values(7, -7, 7, -7, 6, 0), values(2, 2, -2, -2, 3, 3), name="signs of floats", gradient=False,
         expect=np.array([1.0, -1.0, 1.0, -1.0, 0.0, 0.0])),
    call(values(7, -7, 7, -7, kind="int32"), values(2, 2, -2, -2, kind="int32"), gradient=False, name="signs"),
    call(In((2, 1, 3), 2.1, 2.9), In((4, 1), 0.9, 1.0), name="broadcasting", dtypes=WIDE),
    call(values(0.0, -2.5, 2.5), 2.0, expect_gradient=np.ones(3), name="gradient"),
    call(In((0, 3)), In((1, 3), 1, 2), name="empty"),
    call(values(1, 2, kind="int32"), 0, row=34, raises=ZeroDivisionError, name="integer by zero"),
    call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting")])
def fmod(x1: TensorLike, x2: TensorLike) -> Any:
    """The rest of ``x1 / x2`` rounded towards 0; it has the sign of ``x1``, as in C.

    Raises:
        ZeroDivisionError: an integer divided by zero.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import fmod
    >>> K.eval(fmod(K.constant([7.0, -7.0]), 2.0)).tolist()
    [1.0, -1.0]
    """
    divisor = e.abs_(x2)
    below = x1 < 0
    rest = e.where(below, -x1, x1) % divisor
    return e.where(below, -rest, rest)


# ------------------------------------------------------------ larger and smaller, past NaN


def _extreme(x1: Any, x2: Any, choose: Any) -> Any:
    if not _may_be_nan(x1):
        return choose(x1, x2)
    return e.where(e.isnan(x1), x2, e.where(e.isnan(x2), x1, choose(x1, x2)))


def _may_be_nan(x: Any) -> bool:
    return dtype_of(x).startswith(("float", "bfloat"))


_EXTREME: dict[str, Any] = {"promote": "same", "tolerance": "exact", "rule": arithmetic, "samples": _samples(
    call(values(NAN, 1.0, NAN, 2.0), values(3.0, NAN, NAN, 5.0), gradient=False, name="NaN"),
    call(values(1.0, 2.0), values(1.0, 2.0), row=58, expect_gradient=np.array([0.5, 0.5]), name="gradient at ties",
         dtypes=WIDE, tolerance="elementwise", reason="central differences of a kink give one half as well"),
    distinct=True)}


@composite(**_EXTREME)
def fmax(x1: TensorLike, x2: TensorLike) -> Any:
    """The larger of two; where one is NaN the other. At a tie each gets half of the gradient.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import fmax
    >>> K.eval(fmax(K.constant([1.0, float("nan")]), 0.5)).tolist()
    [1.0, 0.5]
    """
    return _extreme(x1, x2, e.maximum)


@composite(**_EXTREME)
def fmin(x1: TensorLike, x2: TensorLike) -> Any:
    """The smaller of two; where one is NaN the other. See :func:`fmax`.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import fmin
    >>> K.eval(fmin(K.constant([1.0, float("nan")]), 0.5)).tolist()
    [0.5, 0.5]
    """
    return _extreme(x1, x2, e.minimum)


@composite(promote="float", rule=arithmetic, tolerance="exact", samples=_samples(
    call(values(-1.5, 0.0, 2.0, NAN, -0.0), 0.5, gradient=False, expect=np.array([0.0, 0.5, 1.0, NAN, 0.5]),
         name="Python number"),
    call(values(-1.5, 0.0, 2.0), values(0.25, 0.25, 0.25), gradient=False, name="at zero"),
    avoid=(0.0,)))
def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """0 where ``x1`` is negative, 1 where it is positive, ``x2`` where it is 0; NaN stays NaN; integers give floatx.

    The gradient of ``x1`` is 0, that of ``x2`` flows where it is taken.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import heaviside
    >>> K.eval(heaviside(K.constant([-1.0, 0.0, 3.0]), 0.5)).tolist()
    [0.0, 0.5, 1.0]
    """
    sides = (e.sign(x1) + 1.0) * 0.5
    return e.where(x1 == 0.0, x2, sides)


# ------------------------------------------------------------ lengths and sums of powers


@composite(promote="float", rule=arithmetic, samples=_samples(
    call(values(3.0, 0.0, -5.0), values(4.0, 0.0, 0.0), expect=np.array([5.0, 0.0, 5.0]), name="at zero", row=60,
         expect_gradient=np.array([0.6, 0.0, -1.0])),
    call(values(3e200, 1e-200), values(4e200, 1e-200), gradient=False, dtypes=("float64",), name="far"),
    _not_finite(INF, -INF, NAN, 1.0), avoid=(0.0,)))
def hypot(x1: TensorLike, x2: TensorLike) -> Any:
    """``sqrt(x1**2 + x2**2)`` without overflow; inf where one is infinite. The gradient at (0, 0) is 0.

    Args:
        x1, x2: tensors or numbers; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import hypot
    >>> K.eval(hypot(K.constant([3.0, 0.0]), [4.0, 0.0])).tolist()
    [5.0, 0.0]
    """
    size = e.stop_gradient(e.maximum(e.abs_(x1), e.abs_(x2)))
    size = e.where(e.isfinite(size) & e.greater(size, 0.0), size, 1.0)
    squares = e.square(x1 / size) + e.square(x2 / size)
    endless = e.isinf(x1) | e.isinf(x2)
    return e.where(endless, INF, e.multiply(e.masked_root(squares), size))


_SUM: dict[str, Any] = {"promote": "float", "rule": arithmetic, "samples": _samples(
    call(values(1000.0, -1000.0), values(1000.0, -1001.0), gradient=False, name="far"),
    call(values(0.5, 2.0), values(0.5, 2.0), expect_gradient=np.array([0.5, 0.5]), name="gradient at ties"),
    _not_finite(INF, -INF, NAN, 1.0))}


def _log_add(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))``; equal numbers, infinite ones among them, apart."""
    equal = e.equal(x, y)
    distance = e.where(equal, 1.0, e.abs_(e.subtract(x, y)))
    apart = e.maximum(x, y) + e.log1p(e.exp(-distance))
    return e.where(equal, e.add(x, y) * 0.5 + math.log(2.0), apart)


@composite(**_SUM)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Any:
    """``log(exp(x1) + exp(x2))`` without overflow; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import logaddexp
    >>> round(float(logaddexp(0.0, 0.0)), 4)
    0.6931
    """
    if not is_small(x1):
        return _log_add(x1, x2)
    return e.cast(_log_add(e.cast(x1, "float32"), e.cast(x2, "float32")), dtype_of(x1))


@composite(**_SUM)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Any:
    """``log2(2**x1 + 2**x2)`` without overflow; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.pairs import logaddexp2
    >>> round(float(logaddexp2(1.0, 1.0)), 4)
    2.0
    """
    wide = "float32" if is_small(x1) else dtype_of(x1)
    x, y = (e.cast(t, wide) * math.log(2.0) for t in (x1, x2))
    return e.cast(e.multiply(_log_add(x, y), 1.0 / math.log(2.0)), dtype_of(x1))


__all__ = [
    "arctan2",
    "divide_no_nan",
    "fmax",
    "fmin",
    "fmod",
    "heaviside",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "power",
    "true_divide",
]
