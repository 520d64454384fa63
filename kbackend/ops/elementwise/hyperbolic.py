"""Hyperbolic functions and their inverses, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, ends, same, unary_samples, values
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.exponential import log, log1p
from kbackend.ops.elementwise.power import sqrt
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import select_elements


@primitive(takes_complex=True, promote="float", samples=unary_samples(integers=True))
def sinh(x: TensorLike) -> TensorSpec:
    """The hyperbolic sine (NumPy's ``sinh``).

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K, ops
    >>> float(ops.sinh(0.0))
    0.0
    """
    return same(x)


@primitive(takes_complex=True, promote="float", samples=unary_samples(integers=True))
def cosh(x: TensorLike) -> TensorSpec:
    """The hyperbolic cosine (NumPy's ``cosh``). Arguments as in :func:`sinh`.

    >>> from kbackend import K, ops
    >>> float(ops.cosh(0.0))
    1.0
    """
    return same(x)


@primitive(
    takes_complex=True,
    promote="float",
    samples=unary_samples(
        -2,
        2,
        call(values(-200.0, 200.0), expect=np.array([-1.0, 1.0]), expect_gradient=np.zeros(2), name="far"),
        integers=True,
    ),
)
def tanh(x: TensorLike) -> TensorSpec:
    """The hyperbolic tangent (NumPy's ``tanh``). Arguments as in :func:`sinh`.

    >>> from kbackend import K
    >>> float(K.tanh(0.0))
    0.0
    """
    return same(x)


@composite(promote="float", rule=same, samples=unary_samples(
    -3, 3, call(values(0.0, -0.0, INF, -INF, NAN), gradient=False, name="ends"),
    call(values(1e-12, -2e-12), expect=np.array([1e-12, -2e-12]), gradient=False, dtypes=WIDE, name="near zero"),
    integers=True, avoid=(0.0,)))
def arcsinh(x: TensorLike) -> Any:
    """The inverse hyperbolic sine (NumPy's ``arcsinh``).

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import arcsinh
    >>> K.eval(arcsinh(K.constant([0.0]))).tolist()
    [0.0]
    """
    return precise(x, _arcsinh)


def _arcsinh(x: Any) -> Any:
    size = abs_(x)
    is_large = size > 1e8
    small = select_elements(is_large, 1.0, size)
    square = small * small
    of_small = log1p(small + square / (sqrt(square + 1.0) + 1.0))
    of_large = log(select_elements(is_large, size, 1.0)) + math.log(2.0)
    result = select_elements(is_large, of_large, of_small)
    return select_elements(x < 0.0, -result, select_elements(x == 0.0, x, result))


@composite(promote="float", rule=same, samples=unary_samples(
    1.2, 4, ends(1.0, 0.5, INF, NAN, expect=[0.0, NAN, INF, NAN]),
    call(In((3,), 1, 4, kind="int32"), gradient=False, name="int32")))
def arccosh(x: TensorLike) -> Any:
    """The inverse hyperbolic cosine, not negative (NumPy's ``arccosh``); NaN below 1.

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import arccosh
    >>> K.eval(arccosh(K.constant([1.0]))).tolist()
    [0.0]
    """
    return precise(x, _arccosh)


def _arccosh(x: Any) -> Any:
    is_large = x > 1e8
    excess = select_elements(is_large, 2.0, x) - 1.0
    of_small = log1p(excess + sqrt(excess * (excess + 2.0)))
    return select_elements(is_large, log(select_elements(is_large, x, 1.0)) + math.log(2.0), of_small)


@composite(promote="float", rule=same, samples=unary_samples(
    -0.9, 0.9, ends(1.0, -1.0, 2.0, NAN, expect=[INF, -INF, NAN, NAN]),
    call(values(1e-12, -2e-12), expect=np.array([1e-12, -2e-12]), gradient=False, dtypes=WIDE, name="near zero")))
def arctanh(x: TensorLike) -> Any:
    """The inverse hyperbolic tangent (NumPy's ``arctanh``); infinite at -1 and 1, NaN outside [-1, 1].

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import arctanh
    >>> K.eval(arctanh(K.constant([0.0, 1.0]))).tolist()
    [0.0, inf]
    """
    return (log1p(x) - log1p(-x)) * 0.5


__all__ = ["arccosh", "arcsinh", "arctanh", "cosh", "sinh", "tanh"]
