"""Exponentials and logarithms, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import (
    INF,
    NAN,
    WIDE,
    arithmetic,
    ends,
    is_small,
    not_finite,
    pair_samples,
    same,
    unary_samples,
    values,
)
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import clip, select_elements


@primitive(
    takes_complex=True,
    promote="float",
    samples=unary_samples(-2, 2, ends(-INF, INF, 1000.0, NAN, expect=[0.0, INF, INF, NAN]), integers=True),
)
def exp(x: TensorLike) -> TensorSpec:
    """The exponential function (NumPy's ``exp``).

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> float(K.exp(0))
    1.0
    """
    return same(x)


@primitive(
    takes_complex=True,
    promote="float",
    samples=unary_samples(
        -0.5,
        2,
        call(
            values(1e-18, -1e-18),
            expect=np.array([1e-18, -1e-18]),
            gradient=False,
            name="near zero",
            dtypes=WIDE,
        ),
    ),
)
def expm1(x: TensorLike) -> TensorSpec:
    """``exp(x) - 1`` without cancellation near 0 (NumPy's ``expm1``).

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K, ops
    >>> K.eval(ops.expm1(K.constant([0.0, 1e-10], "float64"))).tolist()
    [0.0, 1.00000000005e-10]
    """
    return same(x)


@primitive(
    takes_complex=True,
    promote="float",
    samples=unary_samples(
        0.1,
        3,
        ends(0.0, -1.0, INF, NAN, expect=[-INF, NAN, INF, NAN]),
        call(In((2,), 1, 5, kind="int32"), gradient=False, name="int32"),
    ),
)
def log(x: TensorLike) -> TensorSpec:
    """The natural logarithm (NumPy's ``log``); -inf at 0, NaN for negative numbers.

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> K.eval(K.log([1.0, 0.0])).tolist()
    [0.0, -inf]
    """
    return same(x)


@primitive(
    promote="float",
    samples=unary_samples(
        -0.5,
        3,
        ends(-1.0, -2.0, INF, expect=[-INF, NAN, INF]),
        call(
            values(1e-18, -1e-18),
            expect=np.array([1e-18, -1e-18]),
            gradient=False,
            name="near zero",
            dtypes=WIDE,
        ),
    ),
)
def log1p(x: TensorLike) -> TensorSpec:
    """``log(1 + x)`` without cancellation near 0 (NumPy's ``log1p``); -inf at -1, NaN below.

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K, ops
    >>> K.eval(ops.log1p(K.constant([0.0, -1.0]))).tolist()
    [0.0, -inf]
    """
    return same(x)


@composite(promote="float", rule=same, samples=unary_samples(
    0.1, 3, ends(0.0, -1.0, INF, expect=[-INF, NAN, INF]),
    call(In((3,), 1, 9, kind="int32"), gradient=False, name="int32")))
def log2(x: TensorLike) -> Any:
    """The logarithm to base 2 (NumPy's ``log2``); -inf at 0, NaN for negative numbers.

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import log2
    >>> K.eval(log2(K.constant([1.0, 0.0]))).tolist()
    [0.0, -inf]
    """
    return log(x) * (1.0 / math.log(2.0))


@composite(promote="float", rule=same, samples=unary_samples(
    0.1, 3, ends(0.0, -1.0, INF, expect=[-INF, NAN, INF]),
    call(In((3,), 1, 9, kind="int32"), gradient=False, name="int32")))
def log10(x: TensorLike) -> Any:
    """The logarithm to base 10 (NumPy's ``log10``); -inf at 0, NaN for negative numbers.

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import log10
    >>> K.eval(log10(K.constant([1.0, 0.0]))).tolist()
    [0.0, -inf]
    """
    return log(x) * (1.0 / math.log(10.0))


@composite(promote="float", rule=same, samples=unary_samples(
    -3, 3, ends(0.0, 3.0, -INF, INF, expect=[1.0, 8.0, 0.0, INF]), integers=True))
def exp2(x: TensorLike) -> Any:
    """2 to the power of x (NumPy's ``exp2``).

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import exp2
    >>> K.eval(exp2(K.constant([3.0, -1.0]))).tolist()
    [8.0, 0.5]
    """
    return cast(2.0, dtype_of(x)) ** x


@derived(samples=lambda: [
    call(In((2, 3)), In((3,), -3, 4, kind="int32")),
    call(In((2, 1)), 3, name="Python number"),
    call(values(0.0, 1.0, -1.0, NAN, INF), values(5000, 5000, -5000, 1, -3, kind="int32"), gradient=False,
         expect=np.array([0.0, INF, -0.0, NAN, INF]), name="far"),
    call(In((2,), -4, 4, kind="int32"), 2, gradient=False, name="int32"),
    call(In((0, 3)), In((3,), kind="int32"), name="empty"),
    call(In((2,)), In((2,)), raises=TypeError, name="fractional powers"),
    call(In((2,)), In((3,), kind="int32"), raises=ValueError, name="no broadcasting")])
def ldexp(x1: TensorLike, x2: TensorLike) -> Any:
    """``x1 * 2**x2`` (NumPy's ``ldexp``), also where ``2**x2`` itself overflows or underflows.

    Args:
        x1: a tensor or number; integers are promoted to floatx.
        x2: an integer tensor or number that broadcasts with ``x1``.

    Returns:
        A float tensor of the broadcast shape.

    Raises:
        TypeError: ``x2`` is not of integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import ldexp
    >>> K.eval(ldexp(K.constant([0.75, -1.0]), 2)).tolist()
    [3.0, -4.0]
    """
    if not dtypes.is_integer(dtype_of(x2)):
        raise TypeError(f"ldexp: the powers of 2 must be integers, they are {dtype_of(x2)}")
    own = dtype_of(x1)
    dtype = own if dtypes.is_float(own) else dtypes.canonical("float")
    wide = "float32" if is_small(cast(x1, dtype)) else dtype
    largest = np.finfo(wide).maxexp - 2
    exponent = clip(cast(x2, "int32"), -3 * largest, 3 * largest)
    result = cast(x1, wide)
    # in three factors, each of which is a finite power of 2
    for factors in (3, 2, 1):
        part = exponent // factors
        result = result * exp2(cast(part, wide))
        exponent = exponent - part
    return cast(result, dtype)


_SUM: dict[str, Any] = {"promote": "float", "rule": arithmetic, "samples": pair_samples(
    call(values(1000.0, -1000.0), values(1000.0, -1001.0), gradient=False, name="far"),
    call(values(0.5, 2.0), values(0.5, 2.0), expect_gradient=np.array([0.5, 0.5]), name="gradient at ties"),
    not_finite(INF, -INF, NAN, 1.0))}


def _log_add(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))``; operands without a difference, equal infinities and NaN, have a case of their own."""
    difference = x - y
    undefined = difference != difference
    known = select_elements(undefined, 0.0, difference)
    positive = known > 0.0  # selections, whose second derivative at ties is that of one side, and not 0 as that of |x|
    of_different = select_elements(positive, x, y) + log1p(exp(select_elements(positive, -known, known)))
    return select_elements(undefined, (x + y) * 0.5 + math.log(2.0), of_different)


@composite(**_SUM)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Any:
    """``log(exp(x1) + exp(x2))`` without overflow (NumPy's ``logaddexp``).

    Args:
        x1, x2: real tensors or numbers whose shapes broadcast; integers are promoted to floatx.

    Returns:
        A tensor of the broadcast shape; float16 and bfloat16 are computed in float32.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import logaddexp
    >>> round(float(logaddexp(0.0, 0.0)), 4)
    0.6931
    """
    if not is_small(x1):
        return _log_add(x1, x2)
    return cast(_log_add(cast(x1, "float32"), cast(x2, "float32")), dtype_of(x1))


@composite(**_SUM)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Any:
    """``log2(2**x1 + 2**x2)`` without overflow (NumPy's ``logaddexp2``).

    Arguments, result and errors as in :func:`logaddexp`.

    >>> from kbackend import K
    >>> from kbackend.ops import logaddexp2
    >>> round(float(logaddexp2(1.0, 1.0)), 4)
    2.0
    """
    wide = "float32" if is_small(x1) else dtype_of(x1)
    x, y = (cast(t, wide) * math.log(2.0) for t in (x1, x2))
    return cast(_log_add(x, y) * (1.0 / math.log(2.0)), dtype_of(x1))


__all__ = ["exp", "exp2", "expm1", "ldexp", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2"]
