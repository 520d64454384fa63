"""Rounding towards zero, replacing and limiting what is not finite or does not fit, and questions about numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.creation import full_like
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.reduction import all_, any_
from kbackend.ops.reshaping import expand_dims, flatten
from kbackend.ops.rules import (
    INF,
    NAN,
    In,
    Sample,
    at,
    call,
    compared,
    dtype_of,
    same,
    unary_samples,
    values,
)

# ------------------------------------------------------------ other forms of the same number


@composite(rule=same, tolerance="exact", samples=unary_samples(
    -3, 3, at([-1.3, 0.2, 2.7], np.zeros(3), name="gradient"),
    call(values(1.7, -1.7, -0.5), expect=np.array([1.0, -1.0, -0.0]), gradient=False, name="towards zero"),
    call(values(NAN, INF, -INF), gradient=False, name="not finite"),
    integers=True, gradient=False, takes_bool=False))
def trunc(x: TensorLike) -> Any:
    """The integer next to x on the way to 0, in x's dtype. The gradient is 0.

    Args:
        x: a tensor of any shape.

    Raises:
        TypeError: bool.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import trunc
    >>> K.eval(trunc(K.constant([1.7, -1.7]))).tolist()
    [1.0, -1.0]
    """
    return e.where(x < 0, e.ceil(x), e.floor(x))


@derived(samples=unary_samples(-2, 2, integers=True, avoid=(0.0,)))
def fabs(x: TensorLike) -> Any:
    """The absolute value as a float; its gradient at 0 is 0; integers give floatx.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import fabs
    >>> K.eval(fabs(K.constant([-2, 3], dtype="int32"))).tolist()
    [2.0, 3.0]
    """
    return e.abs_(x if dtypes.is_float(dtype_of(x)) else e.cast(x, dtypes.canonical("float")))


@composite(tolerance="exact", rule=lambda x: x, samples=lambda: [
    call(In((2, 3))), call(In((), kind="bool"), gradient=False, name="bool"), call(In((0, 2)), name="empty"),
    call(In((3,), kind="int32"), gradient=False, name="int32")])
def copy(x: TensorLike) -> Any:
    """The same numbers in memory of their own.

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import copy
    >>> K.eval(copy(K.constant([1.0, 2.0]))).tolist()
    [1.0, 2.0]
    """
    return e.identity(x)


# ------------------------------------------------------------ replacing and limiting


def _replacements(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {k: None if v is None else float(v) for k, v in attrs.items()}


@composite(name="nan_to_num", rule=same, tolerance="exact", prepare=_replacements, samples=lambda: [
    call(values(NAN, INF, -INF, 1.5), 0.0, 4.0, -2.0, expect=np.array([0.0, 4.0, -2.0, 1.5]),
         expect_gradient=np.array([0.0, 0.0, 0.0, 1.0])),
    call(values(NAN, INF, -INF, 1.5, kind="float32"), -1.0, None, None, gradient=False, name="largest"),
    call(values(INF, -INF, kind="float16"), 0.0, None, None, gradient=False, name="float16"),
    call(In((0, 3)), 0.0, None, None, name="empty")])
def _nan_to_num(x: TensorLike, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """Numbers in place of NaN and infinities of floats; None stands for the dtype's largest."""
    dtype = dtype_of(x)
    if not dtypes.is_float(dtype):
        return x
    limit = _largest(dtype)
    found = e.where(e.isnan(x), nan, x)
    found = e.where(x == INF, limit if posinf is None else posinf, found)
    return e.where(x == -INF, -limit if neginf is None else neginf, found)


def _largest(dtype: str) -> float:
    if dtype == "bfloat16":
        return float.fromhex("0x1.fep127")
    return float(np.finfo(dtype).max)


@derived(tolerance="exact", samples=lambda: [
    call(values(NAN, 1.5), expect=np.array([0.0, 1.5])),
    call(values(NAN, INF, -INF), 1.0, 2.0, -3.0, expect=np.array([1.0, 2.0, -3.0]), gradient=False, name="given"),
    call(In((3,), -5, 5, kind="int32"), gradient=False, name="int32")])
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """``x`` with numbers in place of NaN and of infinities, where the gradient is 0.

    Args:
        x: a tensor of any shape; integers stay as they are.
        nan, posinf, neginf: what stands for NaN, inf and -inf; None is the dtype's largest number, or less that.

    Raises:
        TypeError: bool.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import nan_to_num
    >>> K.eval(nan_to_num(K.constant([float("nan"), 2.0]))).tolist()
    [0.0, 2.0]
    """
    return _nan_to_num(x, nan, posinf, neginf)


def _saturate_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": dtypes.canonical(attrs["dtype"])}


def _recast(x: TensorSpec, dtype: str) -> TensorSpec:
    return TensorSpec(x.shape, dtype)


@composite(prepare=_saturate_attrs, rule=_recast, tolerance="exact", samples=lambda: [
    call(values(-3.0, 2.9, 300.0, INF, -INF, NAN), "uint8", gradient=False,
         expect=np.array([0, 2, 255, 255, 0, 0], np.uint8)),
    call(values(3e9, -3e9, 5.5, 2147483647.0, kind="float32"), "int32", gradient=False, name="int32",
         expect=np.array([2**31 - 1, -(2**31), 5, 2**31 - 1], np.int32)),
    call(values(-300, 300, 7, kind="int32"), "int8", gradient=False, name="integers",
         expect=np.array([-128, 127, 7], np.int8)),
    call(values(-1, 7, kind="int32"), "uint32", gradient=False, name="sign", expect=np.array([0, 7], np.uint32)),
    call(values(200, 7, kind="uint8"), "int8", gradient=False, name="uint8", expect=np.array([127, 7], np.int8)),
    call(values(1e6, -INF, 1.5, NAN, kind="float32"), "float16", gradient=False, name="float16"),
    call(In((2,), kind="bool"), "int32", gradient=False, name="bool"),
    call(In((2, 3)), "float64", name="wider"),
    call(In((2,)), "float31", raises=TypeError, name="unknown dtype")])
def saturate_cast(x: TensorLike, dtype: Any) -> Any:
    """``x`` with another dtype, limited to the numbers of that dtype; NaN becomes 0 in integers.

    Args:
        x: a tensor of any shape.
        dtype: the dtype; floats are truncated towards zero when they become integers.

    Raises:
        TypeError: an unknown dtype.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import saturate_cast
    >>> K.eval(saturate_cast(K.constant([-3.0, 300.0]), "uint8")).tolist()
    [0, 255]
    """
    own = dtype_of(x)
    if dtypes.BOOL in (own, dtype):
        return e.cast(x, dtype)
    if dtypes.is_float(dtype):
        limit = _largest(dtype)
        if dtypes.is_integer(own):  # only float16 has less room than integers
            own, x = "float64", e.cast(x, "float64")
        return e.cast(x if _largest(own) <= limit else e.clip_range(x, low=-limit, high=limit), dtype)
    bounds = np.iinfo(dtype)
    if dtypes.is_integer(own):
        return _integer_cast(x, np.iinfo(own), bounds, dtype)
    above, below = x >= float(bounds.max), x <= float(bounds.min)
    outside = e.isnan(x) | e.logical_or(above, below)
    found = e.cast(e.where(outside, 0.0, x), dtype)
    highest, lowest = (e.cast(int(limit), dtype) for limit in (bounds.max, bounds.min))
    return e.where(above, highest, e.where(below, lowest, found))


def _integer_cast(x: Any, own: Any, bounds: Any, dtype: str) -> Any:
    low, high = max(int(bounds.min), int(own.min)), min(int(bounds.max), int(own.max))
    fits = (low, high) == (int(own.min), int(own.max))
    return e.cast(x if fits else e.clip_range(x, low=low, high=high), dtype)


# ------------------------------------------------------------ questions

_QUESTION: dict[str, Any] = {"differentiable": False, "tolerance": "exact"}


def _infinite_samples() -> list[Sample]:
    return [
        call(values(NAN, INF, -INF, 0.0), gradient=False),
        call(In((2, 3), kind="int32"), gradient=False, name="int32"),
        call(In((0, 2)), gradient=False, name="empty"),
    ]


@composite(**_QUESTION, promote="float", rule=compared, samples=_infinite_samples)
def isneginf(x: TensorLike) -> Any:
    """Whether an element is minus infinity.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import isneginf
    >>> K.eval(isneginf(K.constant([1.0, -float("inf")]))).tolist()
    [False, True]
    """
    return x == -INF


@composite(**_QUESTION, promote="float", rule=compared, samples=_infinite_samples)
def isposinf(x: TensorLike) -> Any:
    """Whether an element is plus infinity.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import isposinf
    >>> K.eval(isposinf(K.constant([1.0, float("inf")]))).tolist()
    [False, True]
    """
    return x == INF


@composite(**_QUESTION, rule=compared, samples=lambda: [
    *_infinite_samples(), call(In((2,), kind="bool"), gradient=False, name="bool"),
    call(values(1j, 2.0, kind="complex64"), gradient=False, name="complex", expect=np.array([False, True]))])
def isreal(x: TensorLike) -> Any:
    """Whether the imaginary part is 0; True of all numbers that are not complex, NaN too, as in NumPy.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import isreal
    >>> K.eval(isreal(K.constant([1.0, 2.0]))).tolist()
    [True, True]
    """
    if dtypes.is_complex(dtype_of(x)):
        from kbackend.ops.complexes import imag

        return imag(x) == 0.0
    return full_like(x, 1, "bool")


def _near(*specs: Any, **attrs: Any) -> TensorSpec:
    return compared(*specs)


def _near_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"rtol": float(attrs["rtol"]), "atol": float(attrs["atol"]), "equal_nan": bool(attrs["equal_nan"])}


_NEAR: list[float] = [1.0, 1.0, NAN, INF, INF, -INF, 0.0]
_NEAR_TO: list[float] = [1.0, 1.5, NAN, INF, -INF, 1.0, 1e-9]


@composite(**_QUESTION, promote="float", rule=_near, prepare=_near_attrs, samples=lambda: [
    call(values(*_NEAR), values(*_NEAR_TO), gradient=False,
         expect=np.array([True, False, False, True, False, False, True]), dtypes=("float64", "float32")),
    call(values(NAN, 1.0), values(NAN, 2.0), equal_nan=True, gradient=False, expect=np.array([True, False])),
    call(values(1.0, 2.0), values(1.25, 2.25), 0.125, 0.0, gradient=False, expect=np.array([False, True]),
         name="the second counts"),
    call(In((2, 1), 0, 3, kind="int32"), In((3,), 0, 3, kind="int32"), gradient=False, name="int32"),
    call(In((0, 3)), In((3,)), gradient=False, name="empty"),
    call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting")])
def isclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``, or both are the same infinity.

    Args:
        x1, x2: tensors or numbers; integers are compared as floatx.
        rtol, atol: what may be between them, in parts of ``x2`` and absolutely.
        equal_nan: whether NaN is close to NaN.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import isclose
    >>> K.eval(isclose(K.constant([1.0, 2.0]), [1.0, 2.1])).tolist()
    [True, False]
    """
    bound = e.abs_(x2) * rtol + atol
    near = (e.abs_(x1 - x2) <= bound) & e.isfinite(x2)
    near = near | (x1 == x2)
    return near | e.isnan(x1) & e.isnan(x2) if equal_nan else near


@derived(samples=lambda: [
    call(values(1.0, 2.0), values(1.0, 2.0), gradient=False, expect=np.array(True)),
    call(values(1.0, 2.0), 1.0, gradient=False, expect=np.array(False), name="Python number"),
    call(In((0, 3)), In((3,)), gradient=False, name="empty")])
def allclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all elements are close; a bool scalar. Arguments and errors as in :func:`isclose`.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import allclose
    >>> bool(K.eval(allclose(K.constant([1.0, 2.0]), [1.0, 2.1])))
    False
    """
    return all_(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


def _is_in(x1: TensorSpec, x2: TensorSpec, **attrs: Any) -> TensorSpec:
    return TensorSpec(x1.shape, dtypes.BOOL)


def _flags(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {k: bool(v) for k, v in attrs.items()}


@composite(**_QUESTION, promote="same", rule=_is_in, prepare=_flags, samples=lambda: [
    call(In((2, 3), 0, 6, kind="int32"), In((2, 2), 0, 6, kind="int32"), gradient=False),
    call(values(1.0, NAN, 3.0), values(NAN, 3.0), gradient=False, expect=np.array([False, False, True])),
    call(In((4,), 0, 4, kind="int32"), [1, 2], invert=True, gradient=False, name="inverted"),
    call(In((4,), 0, 4, kind="int32"), 2, True, gradient=False, name="scalar"),
    call(In((3,)), In((0,)), gradient=False, name="in nothing"),
    call(In((), 0, 3, kind="int32"), In((4,), 0, 3, kind="int32"), gradient=False, name="scalar first")])
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element of ``x1`` is among those of ``x2``; NaN is in nothing.

    Args:
        x1, x2: tensors of any shapes. All pairs are compared, which takes memory of the product of their sizes.
        assume_unique: taken as in NumPy; it makes no difference.
        invert: whether an element is not among them.

    Returns:
        bool, the shape of ``x1``.

    >>> from kbackend import K
    >>> from kbackend.ops.kinds import isin
    >>> K.eval(isin(K.constant([1, 5], dtype="int32"), [5, 7])).tolist()
    [False, True]
    """
    found = any_(expand_dims(x1, -1) == flatten(x2), axis=-1)
    return ~found if invert else found


__all__ = [
    "allclose",
    "copy",
    "fabs",
    "isclose",
    "isin",
    "isneginf",
    "isposinf",
    "isreal",
    "nan_to_num",
    "saturate_cast",
    "trunc",
]
