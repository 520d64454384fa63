"""Elementwise ops: arithmetic, comparisons, logic, functions of one tensor, choice."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import comparison, elementwise

NAN, INF = float("nan"), float("inf")


# ------------------------------------------------------------------------------------------- rules and samples


def arithmetic(*specs: TensorSpec) -> TensorSpec:
    """The rule of + - * and the like: bool operands are refused (docs/semantics.md, row 35)."""
    if any(s.dtype == dtypes.BOOL for s in specs):
        raise TypeError("arithmetic on bool tensors; cast them first")
    return elementwise(*specs)


def _numeric(x: TensorSpec) -> TensorSpec:
    return arithmetic(x)


def _bools(*specs: TensorSpec) -> TensorSpec:
    if any(s.dtype != dtypes.BOOL for s in specs):
        raise TypeError("logic needs bool tensors; compare or cast first")
    return elementwise(*specs)


def _binary_samples(low: float = -2.0) -> list[Sample]:
    return [
        call(In((2, 3)), In((2, 3), low, 2.5), name="same shape"),
        call(In((2, 1, 3)), In((4, 1), low, 2.5), name="broadcasting"),
        call(In((2, 3)), 2.5, name="Python number"),
        call(In((0, 3)), In((1, 3), low, 2.5), name="empty"),
        call(In((2, 3), -5, 5, kind="int32"), In((3,), 1, 5, kind="int32"), name="int32", gradient=False),
        call(In((2, 3), -5, 5, kind="int32"), In((3,), low, 2.5), name="int32 with float", row=29, gradient=False),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError),
    ]


def _bool_pair(**options: Any) -> Sample:
    return call(In(values=[True, False], kind="bool"), In(values=[True, True], kind="bool"), gradient=False, **options)


def _unary(low: float = -2.0, high: float = 2.0, *extra: Sample, **options: Any) -> Any:
    def samples() -> list[Sample]:
        return [call(In((2, 3), low, high, **options)), call(In((), low, high, **options), name="scalar"),
                call(In((0, 2), low, high), name="empty"), *extra]

    return samples


def _comparisons() -> list[Sample]:
    return [
        call(In((2, 3)), In((3,)), name="broadcasting", gradient=False),
        call(In(values=[1.0, NAN, 2.0]), In(values=[1.0, NAN, 3.0]), name="NaN", gradient=False),
        call(In((4,), -3, 3, kind="int32"), 1, name="int32", gradient=False),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError, row=52),
    ]


# ------------------------------------------------------------------------------------------- arithmetic


@primitive(promote="same", samples=lambda: [*_binary_samples(), _bool_pair(raises=TypeError, row=35)])
def add(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x + y``, with broadcasting and promotion.

    Args:
        x, y: tensors or numbers.

    Returns:
        A tensor of the broadcast shape and the promoted dtype.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: bool operands.
    """
    return arithmetic(x, y)


@primitive(promote="same", samples=_binary_samples)
def subtract(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x - y``. See :func:`add`."""
    return arithmetic(x, y)


@primitive(promote="same", samples=_binary_samples)
def multiply(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x * y``. See :func:`add`."""
    return arithmetic(x, y)


def _divide_samples() -> list[Sample]:
    return [*_binary_samples(0.5),
            call(In(values=[7, -7], kind="int32"), In(values=[2, 2], kind="int32"), row=30, gradient=False,
                 expect=np.array([3.5, -3.5], np.float32), name="integers give floatx")]


@primitive(promote="float", samples=_divide_samples)
def divide(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x / y``; integers give floatx. See :func:`add`."""
    return arithmetic(x, y)


def _integer_division() -> list[Sample]:
    a, b = In(values=[7, -7, 7, -7], kind="int32"), In(values=[2, 2, -2, -2], kind="int32")
    return [call(In((2, 3), -5, 5), In((3,), 0.5, 2), name="floats", gradient=False, dtypes=("float64", "float32")),
            call(a, b, name="signs", gradient=False),
            call(In(values=[1, 2], kind="int32"), In(values=[1, 0], kind="int32"), row=34, raises=ZeroDivisionError,
                 name="integer by zero")]


@primitive(promote="same", differentiable=False, samples=_integer_division)
def floor_divide(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x // y``, rounded towards minus infinity.

    Raises:
        ZeroDivisionError: an integer divided by zero.
    """
    return arithmetic(x, y)


@primitive(promote="same", samples=lambda: _integer_division()[:2] + [
    call(In((2, 3), -5, 5, avoid=(-4, -2, 0, 2, 4)), 2.0, name="gradient", dtypes=("float64", "float32"))])
def mod(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x % y``, with the sign of ``y`` as in Python."""
    return arithmetic(x, y)


@primitive(name="pow", promote="same", samples=lambda: [
    call(In((2, 3), 0.2, 2), In((3,), -2, 2)),
    call(In(values=[0.0, 2.0]), In(values=[0.0, 3.0], gradient=False), row=63, expect=np.array([1.0, 8.0]),
         expect_gradient=np.array([0.0, 12.0]), name="zero to the zero", dtypes=("float64", "float32")),
    call(In(values=[2, 3], kind="int32"), In(values=[-1, 2], kind="int32"), row=33, raises=ValueError,
         name="integer to a negative power")])
def _pow(x: TensorLike, y: TensorLike) -> TensorSpec:
    return arithmetic(x, y)


@derived(name="pow", samples=lambda: [call(In((2, 3)), 2), call(In((2, 3), 0.2, 2), 0.5), call(In((2, 3), 0.2, 2), -1.5)])
def pow_(x: TensorLike, a: Any) -> Any:
    """``x ** a``; the gradient of ``x ** 0`` is 0 at 0 too.

    Raises:
        ValueError: an integer to a negative integer power.
    """
    if isinstance(a, (int, float)) and a == 2:
        return square(x)
    if isinstance(a, float) and a == 0.5:
        return sqrt(x)
    return _pow(x, a)


@primitive(samples=_unary())
def negative(x: TensorLike) -> TensorSpec:
    """``-x``."""
    return _numeric(x)


@primitive(name="abs", samples=_unary(-2, 2, call(In((3,), -5, 5, kind="int32"), gradient=False),
                                      call(In(values=[-1.0, 0.0, 1.0]), expect_gradient=np.array([-1.0, 0.0, 1.0]),
                                           dtypes=("float64", "float32"), name="at zero"), avoid=(0.0,)))
def abs_(x: TensorLike) -> TensorSpec:
    """The absolute value."""
    return _numeric(x)


@primitive(samples=_unary(-2, 2, call(In(values=[NAN, -1.0, 0.0]), row=42, expect=np.array([NAN, -1.0, 0.0]),
                                      gradient=False, name="NaN"), gradient=False))
def sign(x: TensorLike) -> TensorSpec:
    """-1, 0 or 1; NaN stays NaN. The gradient is 0."""
    return _numeric(x)


@primitive(samples=_unary(-2, 2, call(In((3,), -5, 5, kind="int32"), gradient=False)))
def square(x: TensorLike) -> TensorSpec:
    """``x * x``."""
    return _numeric(x)


# ------------------------------------------------------------------------------------------- functions


@primitive(promote="float", samples=_unary(0.1, 3, call(In(values=[0.0, 4.0]), row=62, name="zero", gradient=False)))
def sqrt(x: TensorLike) -> TensorSpec:
    """The square root; NaN below zero. A gradient of 0 stays 0 at x = 0."""
    return _numeric(x)


@composite(promote="float", samples=_unary(0.1, 3))
def rsqrt(x: TensorLike) -> Any:
    """``1 / sqrt(x)``."""
    return divide(1.0, sqrt(x))


@composite(promote="float", samples=_unary(0.5, 3))
def reciprocal(x: TensorLike) -> Any:
    """``1 / x``."""
    return divide(1.0, x)


@primitive(promote="float", samples=_unary())
def exp(x: TensorLike) -> TensorSpec:
    """e to the x."""
    return _numeric(x)


@primitive(promote="float", samples=_unary(-0.5, 2))
def expm1(x: TensorLike) -> TensorSpec:
    """``exp(x) - 1``, precise near 0."""
    return _numeric(x)


@primitive(promote="float", samples=_unary(0.1, 3))
def log(x: TensorLike) -> TensorSpec:
    """The natural logarithm; -inf at 0, NaN below."""
    return _numeric(x)


@primitive(promote="float", samples=_unary(-0.5, 3))
def log1p(x: TensorLike) -> TensorSpec:
    """``log(1 + x)``, precise near 0."""
    return _numeric(x)


@primitive(promote="float", samples=_unary())
def sin(x: TensorLike) -> TensorSpec:
    """The sine of radians."""
    return _numeric(x)


@primitive(promote="float", samples=_unary())
def cos(x: TensorLike) -> TensorSpec:
    """The cosine of radians."""
    return _numeric(x)


@primitive(promote="float", samples=_unary())
def tanh(x: TensorLike) -> TensorSpec:
    """The hyperbolic tangent; integers give floatx."""
    return _numeric(x)


@primitive(promote="float", samples=_unary())
def erf(x: TensorLike) -> TensorSpec:
    """The error function."""
    return _numeric(x)


@primitive(samples=_unary(-3, 3, gradient=False))
def floor(x: TensorLike) -> TensorSpec:
    """The largest integer not above x. The gradient is 0."""
    return _numeric(x)


@primitive(samples=_unary(-3, 3, gradient=False))
def ceil(x: TensorLike) -> TensorSpec:
    """The smallest integer not below x. The gradient is 0."""
    return _numeric(x)


@primitive(name="round", samples=_unary(
    -3, 3, call(In(values=[0.5, 1.5, 2.5, -0.5]), expect=np.array([0.0, 2.0, 2.0, -0.0]),
                expect_gradient=np.zeros(4), row=67, name="half to even", dtypes=("float64", "float32")), gradient=False))
def round_(x: TensorLike) -> TensorSpec:
    """The nearest integer, halves to the even one. The gradient is 0."""
    return _numeric(x)


# ------------------------------------------------------------------------------------------- choice


def _tie_samples() -> list[Sample]:
    tie = np.array([0.5, 0.5])
    return [call(In((2, 3), distinct=True), In((3,), distinct=True)),
            call(In(values=[1.0, 2.0]), In(values=[1.0, 2.0], gradient=False), row=58, expect_gradient=tie, name="ties",
                 dtypes=("float64", "float32")),
            call(In(values=[NAN, 1.0]), In(values=[1.0, NAN]), gradient=False, name="NaN"),
            call(In((3,), -5, 5, kind="int32"), 1, gradient=False, name="int32")]


@primitive(promote="same", tolerance="exact", samples=_tie_samples)
def maximum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The larger of two; NaN if either is. At a tie each gets half of the gradient."""
    return arithmetic(x, y)


@primitive(promote="same", tolerance="exact", samples=_tie_samples)
def minimum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The smaller of two; NaN if either is. At a tie each gets half of the gradient."""
    return arithmetic(x, y)


@primitive(promote="same", promoted=("x", "y"), tolerance="exact", samples=lambda: [
    call(In((2, 3), kind="bool"), In((2, 3)), In((3,))), call(In((2, 1), kind="bool"), In((3,)), 0.0)])
def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x`` where ``condition`` (bool) holds, else ``y``, with broadcasting."""
    if condition.dtype != dtypes.BOOL:
        raise TypeError(f"where needs a bool condition, it is {condition.dtype}")
    return TensorSpec(elementwise(condition, x, y).shape, x.dtype)


@composite(promote="same", tolerance="exact", samples=lambda: [call(In((5,)), In((), -1, -0.5), In((), 0.5, 1))])
def clip_between(x: TensorLike, low: TensorLike, high: TensorLike) -> Any:
    """``x`` limited to [low, high] given as tensors; ``low`` where low > high."""
    top = where(less(high, low), low, high)
    return where(less(x, low), low, where(greater(x, top), top, x))


@composite(tolerance="exact", samples=lambda: [
    call(In((2, 3)), low=-0.5, high=0.7), call(In((4,), -5, 5, kind="int32"), low=-2, high=3, gradient=False),
    call(In(values=[NAN, 3.0]), low=-1.0, high=1.0, gradient=False, name="NaN")])
def clip_range(x: TensorLike, *, low: float, high: float) -> Any:
    """``x`` limited to the numbers [low, high], low <= high; the gradient is 1 at the ends."""
    return where(less(x, low), cast(low, _dtype(x)), where(greater(x, high), cast(high, _dtype(x)), x))


def _dtype(x: Any) -> str:
    from kbackend.ops.dispatch import dtype_of

    return dtype_of(x)


@derived(samples=lambda: [
    call(In((2, 3)), -0.5, 0.7),
    call(In(values=[-1.0, 0.0, 1.0]), -1.0, 1.0, row=66, expect_gradient=np.ones(3), name="ends",
         dtypes=("float64", "float32")),
    call(In(values=[0.0, 5.0]), 2.0, 1.0, row=43, expect=np.array([2.0, 2.0]), gradient=False, name="low above high")])
def clip(x: TensorLike, min_value: Any, max_value: Any) -> Any:
    """``x`` limited to [min_value, max_value]; the bounds are numbers, tensors or None. ``min_value`` wins when it is
    the larger one."""
    if isinstance(min_value, (int, float, type(None))) and isinstance(max_value, (int, float, type(None))):
        low = -INF if min_value is None else min_value
        high = INF if max_value is None else max(max_value, low)
        if dtypes.is_integer(_dtype(x)):
            limits = np.iinfo(_dtype(x))
            low, high = max(low, int(limits.min)), min(high, int(limits.max))
        return clip_range(x, low=low, high=high)
    low = -INF if min_value is None else min_value
    return clip_between(x, low, INF if max_value is None else max_value)


# ------------------------------------------------------------------------------------------- comparisons and logic

_COMPARISON: dict[str, Any] = {"promote": "same", "differentiable": False, "tolerance": "exact", "samples": _comparisons}


@primitive(**_COMPARISON)
def equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x == y`` elementwise, bool.

    Raises:
        ValueError: the shapes do not broadcast.
    """
    return comparison(x, y)


@primitive(**_COMPARISON)
def not_equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x != y`` elementwise, bool."""
    return comparison(x, y)


@primitive(**_COMPARISON)
def greater(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x > y`` elementwise, bool."""
    return comparison(x, y)


@primitive(**_COMPARISON)
def greater_equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x >= y`` elementwise, bool."""
    return comparison(x, y)


@primitive(**_COMPARISON)
def less(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x < y`` elementwise, bool."""
    return comparison(x, y)


@primitive(**_COMPARISON)
def less_equal(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x <= y`` elementwise, bool."""
    return comparison(x, y)


def _logic() -> list[Sample]:
    return [call(In((2, 3), kind="bool"), In((3,), kind="bool"), gradient=False),
            call(In((3,)), In((3,)), raises=TypeError, name="floats")]


_LOGIC: dict[str, Any] = {"differentiable": False, "tolerance": "exact", "samples": _logic}


@primitive(**_LOGIC)
def logical_and(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x and y`` of bool tensors."""
    return _bools(x, y)


@primitive(**_LOGIC)
def logical_or(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x or y`` of bool tensors."""
    return _bools(x, y)


@composite(**_LOGIC)
def logical_xor(x: TensorLike, y: TensorLike) -> Any:
    """Exactly one of two bool tensors."""
    return not_equal(x, y)


logical_xor.op.prepare = lambda specs, attrs: (_bools(*specs), attrs)[1]


@primitive(differentiable=False, tolerance="exact", samples=lambda: [call(In((3,), kind="bool"), gradient=False)])
def logical_not(x: TensorLike) -> TensorSpec:
    """``not x`` of a bool tensor."""
    return _bools(x)


def _nan_samples() -> list[Sample]:
    return [call(In(values=[NAN, INF, -INF, 0.0]), gradient=False)]


@primitive(differentiable=False, tolerance="exact", samples=_nan_samples)
def isnan(x: TensorLike) -> TensorSpec:
    """Whether an element is NaN."""
    return TensorSpec(x.shape, dtypes.BOOL)


@primitive(differentiable=False, tolerance="exact", samples=_nan_samples)
def isfinite(x: TensorLike) -> TensorSpec:
    """Whether an element is neither NaN nor infinite."""
    return TensorSpec(x.shape, dtypes.BOOL)


# ------------------------------------------------------------------------------------------- dtype and identity


def _cast_attrs(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": dtypes.canonical(attrs["dtype"])}


@primitive(view=True, prepare=_cast_attrs, tolerance="exact", samples=lambda: [
    call(In((2, 3)), dtype="int32", gradient=False, dtypes=("float64", "float32")),
    call(In((2, 3)), dtype="float64"), call(In((3,), kind="bool"), dtype="float32", gradient=False)])
def cast(x: TensorLike, dtype: str) -> TensorSpec:
    """``x`` with another dtype; floats are truncated towards zero when they become integers.

    Raises:
        TypeError: an unknown dtype.
    """
    return TensorSpec(x.shape, dtype)


@derived(samples=lambda: [call(In((3,), -4, 4, kind="int32"), gradient=False)])
def cast_to_floatx(x: TensorLike) -> Any:
    """``x`` as floatx: a NumPy array for arrays, lists and numbers, as in Keras; a tensor for tensors."""
    from kbackend.graph.tensor import Tensor
    from kbackend.ops.dispatch import to_numpy
    from kbackend.plugin.select import owner_of

    if isinstance(x, Tensor) or owner_of(x) is not None and not isinstance(x, np.ndarray):
        return cast(x, config.floatx())
    return to_numpy(x).astype(dtypes.numpy_dtype(config.floatx()))


@primitive(view=True, tolerance="exact", samples=lambda: [call(In((2, 3)))])
def identity(x: TensorLike, name: str | None = None) -> TensorSpec:
    """The same tensor under another name."""
    return x


@primitive(name="stop_gradient", view=True, differentiable=False, tolerance="exact",
           samples=lambda: [call(In((2, 3)), gradient=False)])
def _stop_gradient(x: TensorLike) -> TensorSpec:
    return x


@derived(samples=lambda: [call(In((2, 3)), gradient=False)])
def stop_gradient(variables: TensorLike) -> Any:
    """The same values, through which no gradient flows; for a tensor or a list of tensors."""
    if isinstance(variables, (list, tuple)):
        return [_stop_gradient(v) for v in variables]
    return _stop_gradient(variables)
