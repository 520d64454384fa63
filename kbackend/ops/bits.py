"""Integers and the bits of numbers: shifts, divisors, signs, neighbours, other readings of the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.creation import zeros_like
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.rules import INF, NAN, In, Sample, bitwise, call, compared, dtype_of, is_small, values
from kbackend.ops.special import exp2

# ------------------------------------------------------------ shifts


def _shift_samples() -> list[Sample]:
    return [
        call(In((2, 3), -99, 99, kind="int32"), In((3,), 0, 9, kind="int32"), gradient=False),
        call(In((2, 1), -9, 9, kind="int64"), 3, gradient=False, name="int64 and a number"),
        call(In((4,), 0, 255, kind="uint8"), In((2, 1), 0, 7, kind="uint8"), gradient=False, name="uint8"),
        call(In((0, 3), kind="int32"), In((3,), 0, 3, kind="int32"), gradient=False, name="empty"),
        call(In((2,)), In((2,)), raises=TypeError, name="floats"),
        call(In((2,), kind="bool"), In((2,), kind="bool"), raises=TypeError, name="bool"),
    ]


_BITS: dict[str, Any] = {"promote": "same", "differentiable": False, "tolerance": "exact"}


@primitive(name="left_shift", **_BITS, samples=_shift_samples)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x << y`` of integers, with broadcasting. Counts below 0 or from the width of the dtype on are not promised.

    Raises:
        TypeError: operands that are not integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import bitwise_left_shift
    >>> K.eval(bitwise_left_shift(K.constant([1, 5], dtype="int32"), 2)).tolist()
    [4, 20]
    """
    return bitwise(x, y)


@primitive(name="right_shift", **_BITS, samples=_shift_samples)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x >> y`` of integers; the sign stays. Shapes and errors as in :func:`bitwise_left_shift`.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import bitwise_right_shift
    >>> K.eval(bitwise_right_shift(K.constant([20, -8], dtype="int32"), 2)).tolist()
    [5, -2]
    """
    return bitwise(x, y)


# ------------------------------------------------------------ divisors


def _divisor_samples() -> list[Sample]:
    return [
        call(In((2, 3), -60, 60, kind="int32"), In((3,), -60, 60, kind="int32"), gradient=False),
        call(values(0, 0, 12, -12, 7, kind="int64"), values(0, 5, -18, -18, 1, kind="int64"), gradient=False,
             name="zeros and signs"),
        call(In((2, 1), 1, 90, kind="int32"), 12, gradient=False, name="Python number"),
        call(In((0, 3), kind="int32"), In((1, 3), kind="int32"), gradient=False, name="empty"),
        call(In((2,)), In((2,)), raises=TypeError, name="floats"),
    ]


@primitive(**_BITS, samples=_divisor_samples)
def gcd(x1: TensorLike, x2: TensorLike) -> TensorSpec:
    """The greatest common divisor of integers, from 0 on; ``gcd(0, n)`` is ``|n|``. As NumPy's.

    Raises:
        TypeError: operands that are not integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import gcd
    >>> K.eval(gcd(K.constant([12, -9], dtype="int32"), 6)).tolist()
    [6, 3]
    """
    return bitwise(x1, x2)


@composite(**_BITS, rule=bitwise, samples=_divisor_samples)
def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """The least common multiple of integers, from 0 on; 0 where one is 0. Errors as in :func:`gcd`.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import lcm
    >>> K.eval(lcm(K.constant([4, -3], dtype="int32"), 6)).tolist()
    [12, 6]
    """
    divisor = gcd(x1, x2)
    parts = x1 // e.where(divisor == 0, 1, divisor)
    return e.abs_(parts * x2)


# ------------------------------------------------------------ other readings of bits


def _width(dtype: str) -> int:
    return dtypes.numpy_dtype(dtype).itemsize


def _view_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    wanted = attrs["dtype"]
    return {"dtype": specs[0].dtype if wanted is None else dtypes.canonical(wanted)}


@primitive(prepare=_view_attrs, differentiable=False, tolerance="exact", samples=lambda: [
    call(values(1.0, -2.0, 0.0, -0.0, NAN, INF, kind="float32"), "int32", gradient=False),
    call(In((2, 3), kind="float64"), "int16", gradient=False, name="narrower"),
    call(In((2, 3), kind="float16"), "int16", gradient=False, name="float16"),
    call(In((2, 4), kind="int32"), "float64", gradient=False, name="wider"),
    call(In((0, 4), kind="uint8"), "int32", gradient=False, name="empty"),
    call(In((3,)), gradient=False, name="no dtype"),
    call(In((), kind="int32"), "float32", gradient=False, name="scalar"),
    call(In((2, 3), kind="int32"), "int64", raises=ValueError, name="does not fit"),
    call(In((), kind="int32"), "int8", raises=ValueError, name="scalar of another width"),
    call(In((2,), kind="bool"), "int8", raises=TypeError, name="bool"),
    call(In((2,)), "float31", raises=TypeError, name="unknown dtype")])
def view(x: TensorLike, dtype: Any = None) -> TensorSpec:
    """The bits of ``x`` read as another dtype; the last axis grows or shrinks with the width, as in NumPy.

    Args:
        x: a tensor of integers or floats.
        dtype: the dtype, not bool; that of ``x`` when None.

    Raises:
        TypeError: bool, or an unknown dtype.
        ValueError: the last axis does not fit, or a scalar is read in another width.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import view
    >>> K.eval(view(K.constant([1.0], dtype="float32"), "int32")).tolist()
    [1065353216]
    """
    if dtypes.BOOL in (x.dtype, dtype):
        raise TypeError(f"the bits of {x.dtype} cannot be read as {dtype}; cast bool first")
    before, after = _width(x.dtype), _width(dtype)
    if before == after:
        return TensorSpec(x.shape, dtype)
    last = x.shape[-1] if x.ndim else 1
    if not x.ndim or last is not None and last * before % after:
        raise ValueError(f"the last axis of {x.dtype} {x.shape} cannot be read as {dtype}")
    return TensorSpec((*x.shape[:-1], None if last is None else last * before // after), dtype)


def _integer_of(dtype: str) -> str:
    return f"int{8 * _width(dtype)}"


@composite(differentiable=False, tolerance="exact", rule=compared, samples=lambda: [
    call(values(-1.0, 0.0, -0.0, 2.0, -INF, INF), gradient=False,
         expect=np.array([True, False, True, False, True, False])),
    call(In((2, 3), -5, 5, kind="int32"), gradient=False, name="int32"),
    call(In((3,), 0, 9, kind="uint8"), gradient=False, name="uint8"),
    call(In((3,), kind="bool"), gradient=False, name="bool"),
    call(In((0, 2)), gradient=False, name="empty")])
def signbit(x: TensorLike) -> Any:
    """Whether the sign is minus, of -0 too; False for bool.

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import signbit
    >>> K.eval(signbit(K.constant([1.0, -0.0]))).tolist()
    [False, True]
    """
    dtype = dtype_of(x)
    if dtype == dtypes.BOOL:
        return zeros_like(x)
    return (view(x, _integer_of(dtype)) if dtypes.is_float(dtype) else x) < 0


@composite(promote="float", differentiable=False, tolerance="exact", samples=lambda: [
    *[call(In((2, 3), 0.1, 2, kind=kind), In((3,), kind=kind), gradient=False, name=kind)
      for kind in ("float64", "float32", "float16")],
    call(values(1.0, 1.0, -1.0, 0.0, 2.0, NAN, 1.0, kind="float32"),
         values(2.0, -INF, 0.0, 1.0, 2.0, 0.0, NAN, kind="float32"), gradient=False, name="ends"),
    call(values(1.0, -1.0, kind="float32"), INF, gradient=False, name="Python number",
         expect=np.array([1 + 2.0**-23, -1 + 2.0**-24], np.float32)),
    call(In((0, 3)), In((1, 3)), gradient=False, name="empty"),
    call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting")])
def nextafter(x1: TensorLike, x2: TensorLike) -> Any:
    """The number of x1's dtype next to ``x1`` on the way to ``x2``; NaN if either is. No gradient flows.

    Args:
        x1, x2: tensors or numbers; integers give floatx.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import nextafter
    >>> float(nextafter(K.constant(1.0, dtype="float32"), 2.0)) - 1.0 == 2.0**-23
    True
    """
    dtype = dtype_of(x1)
    whole = _integer_of(dtype)
    away = (x2 > x1) == (x1 > 0.0)
    step = view(x1, whole) + e.cast(e.cast(away, "int32") * 2 - 1, whole)
    lowest = int(np.iinfo(whole).min)
    from_zero = e.where(x2 > 0.0, e.cast(1, whole), e.cast(lowest + 1, whole))
    moved = view(e.where(x1 == 0.0, from_zero, step), dtype)
    unknown = e.isnan(x1) | e.isnan(x2)
    return e.where(unknown, NAN, e.where(x1 == x2, x2, moved))


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
    """``x1 * 2**x2`` for integers ``x2``, right where ``2**x2`` alone is too large or too small.

    Args:
        x1: a tensor or number; integers give floatx.
        x2: an integer tensor or number.

    Raises:
        TypeError: powers that are not integers.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.bits import ldexp
    >>> K.eval(ldexp(K.constant([0.75, -1.0]), 2)).tolist()
    [3.0, -4.0]
    """
    power = dtype_of(x2)
    if not dtypes.is_integer(power):
        raise TypeError(f"ldexp: the powers of 2 must be integers, they are {power}")
    own = dtype_of(x1)
    dtype = own if dtypes.is_float(own) else dtypes.canonical("float")
    wide = "float32" if is_small(e.cast(x1, dtype)) else dtype
    largest = np.finfo(wide).maxexp - 2
    rest = e.clip(e.cast(x2, "int32"), -3 * largest, 3 * largest)
    result = e.cast(x1, wide)
    for parts in (3, 2, 1):  # a power of 2 that exists at a time
        part = rest // parts
        result = result * exp2(e.cast(part, wide))
        rest = rest - part
    return e.cast(result, dtype)


__all__ = [
    "bitwise_left_shift",
    "bitwise_right_shift",
    "gcd",
    "lcm",
    "ldexp",
    "nextafter",
    "signbit",
    "view",
]
