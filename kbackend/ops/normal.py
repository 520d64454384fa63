"""The quantile of the normal distribution by operations that every engine rounds in the same way.

Additions, multiplications and divisions of IEEE 754 have one right result on every engine; logarithms have not, nor
have torch's square roots, so those of the tails are made of the former. Where a compiler contracts a product and a sum
(XLA, torch.compile) the last bit may differ.
"""

from __future__ import annotations

import math
from typing import Any

from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, composite, primitive
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.sample import In, call

Powers = tuple[float, ...]

# Numerators and denominators of Wichura's rational functions from the highest power down: PPND16 in float64,
# PPND7 in float32.
CENTRAL = {
    "float64": (
        (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
         13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
        (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
         5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
    ),
    "float32": ((59.109374720, 159.29113202, 50.434271938, 3.3871327179),
                (67.187563600, 78.757757664, 17.895169469, 1.0)),
}
TAIL = {
    "float64": (
        (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
         3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
        (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
         0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
    ),
    "float32": ((0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0)),
}
FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)
CENTRAL_ENDS = 0.425
FAR_STARTS = 5.0
#: of the series of the logarithm, whose argument is at most 0.172
TERMS = {"float64": 10, "float32": 5}


@primitive(promote="float", differentiable=False, tolerance="exact", samples=lambda: [
    call(In((3, 4), 0.01, 40.0), gradient=False),
    call(In((5,), values=[0.5, 1.0, 2.0, 0.75, 3.0]), gradient=False, name="powers of two"),
    call(In((2,), values=[2.0**-24, 2.0**-14]), gradient=False, dtypes=("float32", "float64"), name="small"),
    call(In((0, 3), 1.0, 2.0), gradient=False, name="empty")])
def frexp(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """Mantissas in [0.5, 1) and powers of two of positive normal numbers: ``x = mantissa * 2**power``.

    Both are in x's dtype. Zeros, subnormal and infinite numbers are not promised.

    >>> from kbackend import K
    >>> from kbackend.ops.normal import frexp
    >>> [K.eval(t).tolist() for t in frexp(K.constant([0.75, 5.0]))]
    [[0.75, 0.625], [0.0, 3.0]]
    """
    return TensorSpec(x.shape, x.dtype), TensorSpec(x.shape, x.dtype)


@composite(promote="float", differentiable=False, samples=lambda: [
    call(In((4, 5), -0.47, 0.47), gradient=False, dtypes=("float64", "float32")),
    call(In((3,), values=[-0.4772, 0.0, 0.4772]), gradient=False, dtypes=("float64", "float32")),
    call(In((4,), values=[-0.5 + 2.0**-25, 0.5 - 2.0**-25, 0.425, -0.4250001]), gradient=False, name="ends",
         dtypes=("float64", "float32")),
    call(In((0, 2)), gradient=False, dtypes=("float64", "float32"), name="empty"),
    call(In((2,), values=[0.5 - 2.0**-53, -0.5 + 2.0**-53]), gradient=False, name="far tails", dtypes=("float64",))])
def normal_quantile(q: TensorLike) -> Any:
    """The ``x`` below which a standard normal variable lies with probability ``0.5 + q``, for -0.5 < q < 0.5.

    Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988. Relative error
    1e-15 in float64, 3e-7 in float32. The same bits on every engine. float32 or float64.
    """
    dtype = dtype_of(q)
    if dtype not in CENTRAL:
        raise TypeError(f"the normal quantile is made in float32 or float64, not in {dtype}")
    size = e.abs_(q)
    central = _ratio(CENTRAL_ENDS**2 - q * q, CENTRAL[dtype]) * q
    far = _sqrt(e.negative(logarithm(0.5 - size, dtype)), dtype)
    tail = _ratio(e.subtract(far, 1.6), TAIL[dtype])
    if dtype == "float64":  # units of 24 bits do not reach the far tails
        tail = e.where(e.less_equal(far, FAR_STARTS), tail, _ratio(e.subtract(far, FAR_STARTS), FAR_TAIL))
    return e.where(size <= CENTRAL_ENDS, central, tail * e.sign(q))


def logarithm(x: Any, dtype: str) -> Any:
    """The natural logarithm of positive numbers: ``n log 2 + 2 artanh((m - 1) / (m + 1))`` for ``x = m 2**n``."""
    m, n = frexp(x)
    small = e.less(m, math.sqrt(0.5))
    m = e.where(small, e.multiply(m, 2.0), m)
    n = e.where(small, e.subtract(n, 1.0), n)
    s = e.subtract(m, 1.0) / e.add(m, 1.0)
    series = polynomial(s * s, tuple(2.0 / (2 * k + 1) for k in reversed(range(TERMS[dtype]))))
    return e.multiply(n, math.log(2.0)) + s * series


def _sqrt(x: Any, dtype: str) -> Any:
    """The square root of numbers in [2.5, 37.5], by Newton's method from a line that is at most 11 % off."""
    root = e.multiply(x, 0.143) + 1.39
    for _ in range(4 if dtype == "float64" else 3):
        root = (root + x / root) * 0.5
    return root


def _ratio(r: Any, coefficients: tuple[Powers, Powers]) -> Any:
    return e.divide(*(polynomial(r, powers) for powers in coefficients))


def polynomial(r: Any, powers: Powers) -> Any:
    value = e.multiply(r, powers[0])
    for coefficient in powers[1:-1]:
        value = (value + coefficient) * r
    return value + powers[-1]
