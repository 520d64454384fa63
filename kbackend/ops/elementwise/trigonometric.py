"""Trigonometric functions and their inverses, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, arithmetic, ends, pair_samples, same, unary_samples, values
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.elementwise.power import square
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import select_elements


@primitive(takes_complex=True, promote="float", samples=unary_samples(-4, 4, integers=True))
def sin(x: TensorLike) -> TensorSpec:
    """The sine (NumPy's ``sin``).

    Args:
        x: a tensor of angles in radians, of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> float(K.sin(0.0))
    0.0
    """
    return same(x)


@primitive(takes_complex=True, promote="float", samples=unary_samples(-4, 4, integers=True))
def cos(x: TensorLike) -> TensorSpec:
    """The cosine (NumPy's ``cos``). Arguments as in :func:`sin`.

    >>> from kbackend import K
    >>> float(K.cos(0.0))
    1.0
    """
    return same(x)


@composite(takes_complex=True, promote="float", rule=same, samples=unary_samples(-1.2, 1.2))
def tan(x: TensorLike) -> Any:
    """The tangent (NumPy's ``tan``). Arguments as in :func:`sin`.

    >>> from kbackend import K, ops
    >>> float(ops.tan(0.0))
    0.0
    """
    return sin(x) / cos(x)


@primitive(promote="float", samples=unary_samples(-0.9, 0.9, ends(1.0, 2.0, expect=[np.pi / 2, NAN])))
def asin(x: TensorLike) -> TensorSpec:
    """The inverse sine in radians, in [-pi/2, pi/2] (NumPy's ``arcsin``); NaN outside [-1, 1].

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> round(float(K.asin(1.0)), 4)
    1.5708
    """
    return same(x)


@primitive(promote="float", samples=unary_samples(-0.9, 0.9, ends(1.0, 2.0, expect=[0.0, NAN])))
def acos(x: TensorLike) -> TensorSpec:
    """The inverse cosine in radians, in [0, pi] (NumPy's ``arccos``); NaN outside [-1, 1].

    Arguments as in :func:`asin`.

    >>> from kbackend import K
    >>> float(K.acos(1.0))
    0.0
    """
    return same(x)


@primitive(promote="float", samples=unary_samples(-3, 3, ends(INF, -INF, expect=[np.pi / 2, -np.pi / 2])))
def atan(x: TensorLike) -> TensorSpec:
    """The inverse tangent in radians, in [-pi/2, pi/2] (NumPy's ``arctan``). Arguments as in :func:`asin`.

    >>> from kbackend import K
    >>> float(K.atan(0.0))
    0.0
    """
    return same(x)


@primitive(
    promote="float",
    samples=lambda: [
        call(In((2, 3), 0.2, 2), In((3,), avoid=(0.0,))),
        call(
            values(0.0, 0.0, -0.0, 1.0),
            values(-0.0, 0.0, -0.0, -1.0),
            row=44,
            gradient=False,
            name="signed zeros",
            expect=np.array([np.pi, 0.0, -np.pi, 0.75 * np.pi]),
            dtypes=WIDE,
        ),
        call(In((0, 3)), In((3,)), name="empty"),
    ],
)
def atan2(y: TensorLike, x: TensorLike) -> TensorSpec:
    """The angle of the point (x, y) in radians, in [-pi, pi], with the signs of zeros as in C.

    Args:
        y, x: real tensors or numbers whose shapes broadcast; integers are promoted to floatx.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> round(float(K.atan2(1.0, 0.0)), 4)
    1.5708
    """
    return arithmetic(y, x)


@derived(samples=pair_samples(low=0.5))
def arctan2(x1: TensorLike, x2: TensorLike) -> Any:
    """The angle of the point (x2, x1) in radians (NumPy's ``arctan2``).

    Result and errors as in :func:`atan2`.

    Args:
        x1: the ordinates, a real tensor.
        x2: the abscissas, a real tensor whose shape broadcasts with that of ``x1``.

    >>> from kbackend import K
    >>> from kbackend.ops import arctan2
    >>> float(arctan2(0.0, 1.0))
    0.0
    """
    return atan2(x1, x2)


@composite(promote="float", rule=same, samples=unary_samples(-200, 200, integers=True))
def deg2rad(x: TensorLike) -> Any:
    """Degrees as radians (NumPy's ``deg2rad``).

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import deg2rad
    >>> round(float(deg2rad(180.0)), 4)
    3.1416
    """
    return x * (math.pi / 180.0)


@composite(promote="float", rule=same, samples=unary_samples(-4, 4, integers=True))
def rad2deg(x: TensorLike) -> Any:
    """Radians as degrees (NumPy's ``rad2deg``). Arguments as in :func:`deg2rad`.

    >>> from kbackend import K
    >>> from kbackend.ops import rad2deg
    >>> round(float(rad2deg(3.14159265)))
    180
    """
    return x * (180.0 / math.pi)


@composite(promote="float", rule=same, samples=unary_samples(
    -3, 3, call(values(0.0), expect=np.ones(1), expect_gradient=np.zeros(1), name="at zero"),
    call(values(1.0, -2.0, 1e-9), gradient=False, dtypes=WIDE, name="whole numbers"), integers=True))
def sinc(x: TensorLike) -> Any:
    """``sin(pi x) / (pi x)``, 1 at 0 (NumPy's ``sinc``).

    Args:
        x: a real tensor of any shape; integers are promoted to floatx.

    >>> from kbackend import K
    >>> from kbackend.ops import sinc
    >>> float(sinc(0.0))
    1.0
    """
    return precise(x, _sinc)


def _sinc(x: Any) -> Any:
    angle = x * math.pi
    is_zero = x == 0.0
    nonzero = select_elements(is_zero, 1.0, angle)
    # the first terms of the series, for the first and second derivative at 0
    series = 1.0 - square(select_elements(is_zero, angle, 0.0)) * (1 / 6)
    return select_elements(is_zero, series, sin(nonzero) / nonzero)


arccos = acos
arcsin = asin
arctan = atan

__all__ = ["arccos", "arcsin", "arctan", "arctan2", "cos", "deg2rad", "rad2deg", "sin", "sinc", "tan"]
