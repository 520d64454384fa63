"""Floating point numbers: NaN and infinities, closeness, signs, exponents, adjacent numbers and bit patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, arithmetic, compared, pair_samples, same, values
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.select import clip_range, maximum, minimum, select_elements


def _kinds() -> list[Sample]:
    return [
        call(values(NAN, INF, -INF, 0.0, 1.0), gradient=False),
        call(In((3,), kind="int32"), gradient=False, name="int32"),
    ]


def _bool_of(x: TensorSpec) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.BOOL)


_KIND: dict[str, Any] = {
    "promote": "float",
    "differentiable": False,
    "tolerance": "exact",
    "samples": _kinds,
    "rule": _bool_of,
}


@composite(takes_complex=True, **_KIND)
def isnan(x: TensorLike) -> Any:
    """Whether an element is NaN (NumPy's ``isnan``).

    Args:
        x: a tensor of numbers, of any shape; a complex number is NaN if one of its parts is.

    Returns:
        A bool tensor.

    >>> from kbackend import K, ops
    >>> K.eval(ops.isnan(K.constant([1.0, float("nan")]))).tolist()
    [False, True]
    """
    return x != x


@composite(takes_complex=True, **_KIND)
def isinf(x: TensorLike) -> Any:
    """Whether an element is infinite (NumPy's ``isinf``). Arguments and result as in :func:`isnan`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.isinf(K.constant([1.0, -float("inf")]))).tolist()
    [False, True]
    """
    return abs_(x) == INF


@composite(takes_complex=True, **_KIND)
def isfinite(x: TensorLike) -> Any:
    """Whether an element is neither NaN nor infinite (NumPy's ``isfinite``). Arguments and result as in :func:`isnan`.

    >>> from kbackend import K, ops
    >>> K.eval(ops.isfinite(K.constant([1.0, float("nan")]))).tolist()
    [True, False]
    """
    return abs_(x) < INF


def _replacements(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {k: None if v is None else float(v) for k, v in attrs.items()}


@composite(name="nan_to_num", rule=same, tolerance="exact", prepare=_replacements, samples=lambda: [
    call(values(NAN, INF, -INF, 1.5), 0.0, 4.0, -2.0, expect=np.array([0.0, 4.0, -2.0, 1.5]),
         expect_gradient=np.array([0.0, 0.0, 0.0, 1.0])),
    call(values(NAN, INF, -INF, 1.5, kind="float32"), -1.0, None, None, gradient=False, name="largest"),
    call(values(INF, -INF, kind="float16"), 0.0, None, None, gradient=False, name="float16"),
    call(In((0, 3)), 0.0, None, None, name="empty")])
def _nan_to_num(x: TensorLike, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """Floats with NaN and infinities replaced; None is the dtype's largest number (for ``neginf`` the lowest)."""
    dtype = dtype_of(x)
    if not dtypes.is_float(dtype):
        return x
    limit = largest(dtype)
    found = select_elements(isnan(x), nan, x)
    found = select_elements(x == INF, limit if posinf is None else posinf, found)
    return select_elements(x == -INF, -limit if neginf is None else neginf, found)


def largest(dtype: str) -> float:
    """The largest finite number of a float dtype."""
    if dtype == "bfloat16":
        return float.fromhex("0x1.fep127")
    return float(np.finfo(dtype).max)


@derived(tolerance="exact", samples=lambda: [
    call(values(NAN, 1.5), expect=np.array([0.0, 1.5])),
    call(values(NAN, INF, -INF), 1.0, 2.0, -3.0, expect=np.array([1.0, 2.0, -3.0]), gradient=False, name="given"),
    call(In((3,), -5, 5, kind="int32"), gradient=False, name="int32")])
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Replace NaN and infinities by finite numbers (NumPy's ``nan_to_num``).

    Args:
        x: a tensor of integers or floats, of any shape.
        nan: replaces NaN.
        posinf, neginf: replace inf and -inf; the dtype's largest and lowest number when None.

    Returns:
        A tensor of the dtype of ``x``; integers are unchanged. The gradient is 0 where an element is replaced.

    Raises:
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import nan_to_num
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
    """Cast to another dtype, limited to the range of that dtype.

    Args:
        x: a tensor of any shape.
        dtype: the dtype of the result. Floats are truncated towards zero when they become integers; NaN becomes 0.

    Raises:
        TypeError: an unknown dtype.

    >>> from kbackend import K
    >>> from kbackend.ops import saturate_cast
    >>> K.eval(saturate_cast(K.constant([-3.0, 300.0]), "uint8")).tolist()
    [0, 255]
    """
    own = dtype_of(x)
    if dtypes.BOOL in (own, dtype):
        return cast(x, dtype)
    if dtypes.is_float(dtype):
        limit = largest(dtype)
        if dtypes.is_integer(own):  # of the float dtypes only float16 does not span every integer dtype
            own, x = "float64", cast(x, "float64")
        return cast(x if largest(own) <= limit else clip_range(x, low=-limit, high=limit), dtype)
    bounds = np.iinfo(dtype)
    if dtypes.is_integer(own):
        return _integer_cast(x, np.iinfo(own), bounds, dtype)
    above, below = x >= float(bounds.max), x <= float(bounds.min)
    inside = cast(select_elements(isnan(x) | (above | below), 0.0, x), dtype)
    highest, lowest = (lift(int(limit), dtype) for limit in (bounds.max, bounds.min))
    return select_elements(above, highest, select_elements(below, lowest, inside))


def _integer_cast(x: Any, own: Any, bounds: Any, dtype: str) -> Any:
    """An integer cast; ``own`` and ``bounds`` are the ranges of the two dtypes."""
    low, high = max(int(bounds.min), int(own.min)), min(int(bounds.max), int(own.max))
    fits = (low, high) == (int(own.min), int(own.max))
    return cast(x if fits else clip_range(x, low=low, high=high), dtype)


QUESTION: dict[str, Any] = {"differentiable": False, "tolerance": "exact"}


def _infinite_samples() -> list[Sample]:
    return [
        call(values(NAN, INF, -INF, 0.0), gradient=False),
        call(In((2, 3), kind="int32"), gradient=False, name="int32"), call(In((0, 2)), gradient=False, name="empty"),
    ]


@composite(**QUESTION, promote="float", rule=compared, samples=_infinite_samples)
def isneginf(x: TensorLike) -> Any:
    """Whether an element of a real tensor is minus infinity (NumPy's ``isneginf``). Result as in :func:`isnan`.

    Args:
        x: a real tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import isneginf
    >>> K.eval(isneginf(K.constant([1.0, -float("inf")]))).tolist()
    [False, True]
    """
    return x == -INF


@composite(**QUESTION, promote="float", rule=compared, samples=_infinite_samples)
def isposinf(x: TensorLike) -> Any:
    """Whether an element of a real tensor is plus infinity (NumPy's ``isposinf``). Result as in :func:`isnan`.

    Args:
        x: a real tensor of any shape.

    >>> from kbackend import K
    >>> from kbackend.ops import isposinf
    >>> K.eval(isposinf(K.constant([1.0, float("inf")]))).tolist()
    [False, True]
    """
    return x == INF


def _near(*specs: Any, **attrs: Any) -> TensorSpec:
    return compared(*specs)


def _near_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"rtol": float(attrs["rtol"]), "atol": float(attrs["atol"]), "equal_nan": bool(attrs["equal_nan"])}


_NEAR, _NEAR_TO = [1.0, 1.0, NAN, INF, INF, -INF, 0.0], [1.0, 1.5, NAN, INF, -INF, 1.0, 1e-9]


@composite(**QUESTION, promote="float", rule=_near, prepare=_near_attrs, samples=lambda: [
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
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``, or both are the same infinity (NumPy's ``isclose``).

    Args:
        x1, x2: real tensors or numbers whose shapes broadcast; integers are promoted to floatx.
        rtol: the tolerance relative to ``|x2|``.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool tensor of the broadcast shape.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import isclose
    >>> K.eval(isclose(K.constant([1.0, 2.0]), [1.0, 2.1])).tolist()
    [True, False]
    """
    near = (abs_(x1 - x2) <= abs_(x2) * rtol + atol) & isfinite(x2) | (x1 == x2)
    return near | isnan(x1) & isnan(x2) if equal_nan else near


def _without_nan(x1: Any, x2: Any, choose: Any) -> Any:
    """The larger or smaller operand; where one is NaN, the other."""
    if not dtypes.is_float(dtype_of(x1)):
        return choose(x1, x2)
    return select_elements(isnan(x1), x2, select_elements(isnan(x2), x1, choose(x1, x2)))


_EXTREME: dict[str, Any] = {"promote": "same", "tolerance": "exact", "rule": arithmetic, "samples": pair_samples(
    call(values(NAN, 1.0, NAN, 2.0), values(3.0, NAN, NAN, 5.0), gradient=False, name="NaN"),
    call(values(1.0, 2.0), values(1.0, 2.0), row=58, expect_gradient=np.array([0.5, 0.5]), name="gradient at ties",
         dtypes=WIDE, tolerance="elementwise", reason="central differences of a kink give one half as well"),
    distinct=True)}


@composite(**_EXTREME)
def fmax(x1: TensorLike, x2: TensorLike) -> Any:
    """The larger operand; where one is NaN, the other (NumPy's ``fmax``).

    Args:
        x1, x2: real tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype. At a tie each operand gets half of the gradient.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a bool operand.

    >>> from kbackend import K
    >>> from kbackend.ops import fmax
    >>> K.eval(fmax(K.constant([1.0, float("nan")]), 0.5)).tolist()
    [1.0, 0.5]
    """
    return _without_nan(x1, x2, maximum)


@composite(**_EXTREME)
def fmin(x1: TensorLike, x2: TensorLike) -> Any:
    """The smaller operand; where one is NaN, the other (NumPy's ``fmin``).

    Arguments, result and errors as in :func:`fmax`.

    >>> from kbackend import K
    >>> from kbackend.ops import fmin
    >>> K.eval(fmin(K.constant([1.0, float("nan")]), 0.5)).tolist()
    [0.5, 0.5]
    """
    return _without_nan(x1, x2, minimum)


def _width(dtype: str) -> int:
    """The size of an element in bytes."""
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
    """The bit patterns of the elements read as another dtype (NumPy's ``view``).

    Args:
        x: a tensor of integers or floats.
        dtype: the dtype of the result, not bool; that of ``x`` when None.

    Returns:
        A tensor without gradient: ``(..., n)`` becomes ``(..., n * size / new size)``, sizes in bytes.

    Raises:
        TypeError: bool, or an unknown dtype.
        ValueError: a last axis that is no multiple of the new size, or a scalar and a dtype of another size.

    >>> from kbackend import K
    >>> from kbackend.ops import view
    >>> K.eval(view(K.constant([1.0], dtype="float32"), "int32")).tolist()
    [1065353216]
    """
    if dtypes.BOOL in (x.dtype, dtype):
        raise TypeError(f"the bits of {x.dtype} cannot be viewed as {dtype}; cast bool first")
    before, after = _width(x.dtype), _width(dtype)
    if before == after:
        return TensorSpec(x.shape, dtype)
    last = x.shape[-1] if x.ndim else 1
    if not x.ndim or last is not None and last * before % after:
        raise ValueError(f"the last axis of {x.dtype} {x.shape} cannot be viewed as {dtype}")
    return TensorSpec((*x.shape[:-1], None if last is None else last * before // after), dtype)


def _integer_of(dtype: str) -> str:
    """The signed integer dtype of the same size."""
    return f"int{8 * _width(dtype)}"


@composite(differentiable=False, tolerance="exact", rule=compared, samples=lambda: [
    call(values(-1.0, 0.0, -0.0, 2.0, -INF, INF), gradient=False,
         expect=np.array([True, False, True, False, True, False])),
    call(In((2, 3), -5, 5, kind="int32"), gradient=False, name="int32"),
    call(In((3,), 0, 9, kind="uint8"), gradient=False, name="uint8"),
    call(In((3,), kind="bool"), gradient=False, name="bool"),
    call(In((0, 2)), gradient=False, name="empty")])
def signbit(x: TensorLike) -> Any:
    """Whether the sign is negative, that of -0 included (NumPy's ``signbit``).

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        A bool tensor; False for bool.

    >>> from kbackend import K
    >>> from kbackend.ops import signbit
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
    """The number adjacent to ``x1`` in the direction of ``x2`` (NumPy's ``nextafter``).

    Args:
        x1, x2: real tensors or numbers whose shapes broadcast; integers are promoted to floatx.

    Returns:
        A tensor of the broadcast shape, without gradient; NaN if an operand is NaN.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops import nextafter
    >>> float(nextafter(K.constant(1.0, dtype="float32"), 2.0)) - 1.0 == 2.0**-23
    True
    """
    dtype = dtype_of(x1)
    integer = _integer_of(dtype)
    # the bit patterns of floats of one sign are in the order of their absolute values
    is_away_from_zero = (x2 > x1) == (x1 > 0.0)
    adjacent = view(x1, integer) + cast(cast(is_away_from_zero, "int32") * 2 - 1, integer)
    negative_zero = int(np.iinfo(integer).min)
    of_zero = select_elements(x2 > 0.0, lift(1, integer), lift(negative_zero + 1, integer))
    moved = view(select_elements(x1 == 0.0, of_zero, adjacent), dtype)
    return select_elements(isnan(x1) | isnan(x2), NAN, select_elements(x1 == x2, x2, moved))


@primitive(name="ldexp", promote="float", differentiable=False, tolerance="exact", samples=lambda: [
    call(In((3, 4), 0.01, 40.0), In((3, 4), values=3.0), gradient=False),
    call(In((4,), -2.0, 2.0), In((4,), values=[0.0, -5.0, 7.0, -9.0]), gradient=False, name="powers"),
    call(In((3,), values=[1.5, -1.25, 0.0]), In((3,), values=[-1022.0, 1023.0, 1000.0]), gradient=False,
         name="far", dtypes=("float64",)),
    call(In((2,), values=[1.5, -1.25]), In((2,), values=[-126.0, 127.0]), gradient=False, name="far in float32",
         dtypes=("float32",)),
    call(In((0, 3)), In((0, 3)), gradient=False, name="empty")])
def scale_by_power_of_two(x: TensorLike, power: TensorLike) -> TensorSpec:
    """``x * 2**power``, exact, for a float tensor and powers of its shape and dtype as :func:`frexp` gives them.

    Engines differ where ``2**power`` or the result is subnormal or infinite.

    Raises:
        ValueError: tensors of different rank.

    >>> from kbackend import K
    >>> from kbackend.ops.elementwise.floating import scale_by_power_of_two
    >>> K.eval(scale_by_power_of_two(K.constant([0.75, -1.0]), K.constant([3.0, -1.0]))).tolist()
    [6.0, -0.5]
    """
    if x.ndim != power.ndim:
        raise ValueError(f"numbers and powers must have one shape, they have {x.shape} and {power.shape}")
    return TensorSpec(x.shape, x.dtype)


@primitive(promote="float", differentiable=False, tolerance="exact", samples=lambda: [
    call(In((3, 4), 0.01, 40.0), gradient=False),
    call(In((5,), values=[0.5, 1.0, 2.0, 0.75, 3.0]), gradient=False, name="powers of two"),
    call(In((2,), values=[2.0**-24, 2.0**-14]), gradient=False, dtypes=("float32", "float64"), name="small"),
    call(In((0, 3), 1.0, 2.0), gradient=False, name="empty")])
def frexp(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """Mantissas in [0.5, 1) and exponents, in x's dtype, of positive normal numbers: ``x = mantissa * 2**power``.

    Engines differ for all other numbers.

    >>> from kbackend import K
    >>> from kbackend.ops.elementwise.floating import frexp
    >>> [K.eval(t).tolist() for t in frexp(K.constant([0.75, 5.0]))]
    [[0.75, 0.625], [0.0, 3.0]]
    """
    return TensorSpec(x.shape, x.dtype), TensorSpec(x.shape, x.dtype)


__all__ = [
    "fmax", "fmin", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "nan_to_num",
    "nextafter", "saturate_cast", "signbit", "view",
]
