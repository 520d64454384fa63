"""Functions of one number: powers, logarithms, circular and hyperbolic functions, rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arithmetic import sqrt
from kbackend.ops.declare import TensorLike, composite, primitive
from kbackend.ops.rules import INF, NAN, WIDE, In, at, call, same, unary_samples, values


def _ends(*numbers: float, expect: list[float]) -> Any:
    return call(values(*numbers), expect=np.array(expect), gradient=False, name="ends")


@composite(promote="float", rule=same, samples=unary_samples(0.1, 3, _ends(0.0, INF, expect=[INF, 0.0])))
def rsqrt(x: TensorLike) -> Any:
    """``1 / sqrt(x)``; NaN below zero."""
    return 1.0 / sqrt(x)


@composite(promote="float", rule=same, samples=unary_samples(0.5, 3, _ends(0.0, -INF, expect=[INF, -0.0])))
def reciprocal(x: TensorLike) -> Any:
    """``1 / x``."""
    return 1.0 / x


@primitive(
    promote="float",
    samples=unary_samples(-2, 2, _ends(-INF, INF, 1000.0, NAN, expect=[0.0, INF, INF, NAN]), integers=True),
)
def exp(x: TensorLike) -> TensorSpec:
    """e to the x; integers give floatx.

    >>> from kbackend import K
    >>> float(K.exp(0))
    1.0
    """
    return same(x)


@primitive(
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
    """``exp(x) - 1``, precise near 0."""
    return same(x)


@primitive(
    promote="float",
    samples=unary_samples(
        0.1,
        3,
        _ends(0.0, -1.0, INF, NAN, expect=[-INF, NAN, INF, NAN]),
        call(In((2,), 1, 5, kind="int32"), gradient=False, name="int32"),
    ),
)
def log(x: TensorLike) -> TensorSpec:
    """The natural logarithm; -inf at 0, NaN below; integers give floatx."""
    return same(x)


@primitive(
    promote="float",
    samples=unary_samples(
        -0.5,
        3,
        _ends(-1.0, -2.0, INF, expect=[-INF, NAN, INF]),
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
    """``log(1 + x)``, precise near 0; -inf at -1, NaN below."""
    return same(x)


@primitive(promote="float", samples=unary_samples(-4, 4, integers=True))
def sin(x: TensorLike) -> TensorSpec:
    """The sine of radians; integers give floatx."""
    return same(x)


@primitive(promote="float", samples=unary_samples(-4, 4, integers=True))
def cos(x: TensorLike) -> TensorSpec:
    """The cosine of radians; integers give floatx."""
    return same(x)


@composite(promote="float", rule=same, samples=unary_samples(-1.2, 1.2))
def tan(x: TensorLike) -> Any:
    """The tangent of radians."""
    return sin(x) / cos(x)


@primitive(promote="float", samples=unary_samples(-0.9, 0.9, _ends(1.0, 2.0, expect=[np.pi / 2, NAN])))
def asin(x: TensorLike) -> TensorSpec:
    """The angle in radians whose sine is x; NaN outside [-1, 1]."""
    return same(x)


@primitive(promote="float", samples=unary_samples(-0.9, 0.9, _ends(1.0, 2.0, expect=[0.0, NAN])))
def acos(x: TensorLike) -> TensorSpec:
    """The angle in radians whose cosine is x; NaN outside [-1, 1]."""
    return same(x)


@primitive(promote="float", samples=unary_samples(-3, 3, _ends(INF, -INF, expect=[np.pi / 2, -np.pi / 2])))
def atan(x: TensorLike) -> TensorSpec:
    """The angle in radians whose tangent is x."""
    return same(x)


@primitive(promote="float", samples=unary_samples(integers=True))
def sinh(x: TensorLike) -> TensorSpec:
    """The hyperbolic sine."""
    return same(x)


@primitive(promote="float", samples=unary_samples(integers=True))
def cosh(x: TensorLike) -> TensorSpec:
    """The hyperbolic cosine."""
    return same(x)


@primitive(
    promote="float",
    samples=unary_samples(
        -2,
        2,
        call(values(-200.0, 200.0), expect=np.array([-1.0, 1.0]), expect_gradient=np.zeros(2), name="far"),
        integers=True,
    ),
)
def tanh(x: TensorLike) -> TensorSpec:
    """The hyperbolic tangent; integers give floatx."""
    return same(x)


@primitive(
    promote="float",
    samples=unary_samples(
        -3,
        3,
        call(
            values(0.0, 0.25, -0.5, 0.75, 1.0, 1.5, -2.5, 4.0, 6.5, INF, -INF, NAN),
            gradient=False,
            name="ends",
        ),
        call(
            values(1e-10),
            expect=np.array([1.1283791670955126e-10]),
            gradient=False,
            name="near zero",
            dtypes=WIDE,
        ),
    ),
)
def erf(x: TensorLike) -> TensorSpec:
    """The error function (Abramowitz and Stegun, 7.1.1)."""
    return same(x)


# ------------------------------------------------------------ rounding


def _rounding(*extra: Any) -> Any:
    return unary_samples(
        -3,
        3,
        at([-1.3, 0.2, 2.7], np.zeros(3), name="gradient"),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        *extra,
        integers=True,
        gradient=False,
        takes_bool=False,
    )


@primitive(view=True, tolerance="exact", samples=_rounding())
def floor(x: TensorLike) -> TensorSpec:
    """The largest integer not above x, in x's dtype. The gradient is 0."""
    return same(x)


@primitive(view=True, tolerance="exact", samples=_rounding())
def ceil(x: TensorLike) -> TensorSpec:
    """The smallest integer not below x, in x's dtype. The gradient is 0."""
    return same(x)


@primitive(
    name="round",
    view=True,
    tolerance="exact",
    samples=_rounding(
        call(
            values(0.5, 1.5, 2.5, -0.5),
            expect=np.array([0.0, 2.0, 2.0, -0.0]),
            expect_gradient=np.zeros(4),
            row=67,
            name="half to even",
        )
    ),
)
def round_(x: TensorLike) -> TensorSpec:
    """The nearest integer in x's dtype, halves to the even one. The gradient is 0."""
    return same(x)


__all__ = [
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "floor",
    "log",
    "log1p",
    "reciprocal",
    "round_",
    "rsqrt",
    "sin",
    "sinh",
    "tan",
    "tanh",
]
