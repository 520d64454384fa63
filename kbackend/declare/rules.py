"""Shape and dtype rules, samples and small helpers that the elementwise families share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import comparison, elementwise
from kbackend.graph.tensor import TensorSpec

NAN, INF = float("nan"), float("inf")
#: dtypes of samples whose expected values are not exact in float16
WIDE = ("float64", "float32")
Samples = Callable[[], list[Sample]]


def arithmetic(*specs: TensorSpec) -> TensorSpec:
    """The rule of + - * and the like: bool operands are refused (docs/semantics.md, row 35)."""
    if any(s is not None and s.dtype == dtypes.BOOL for s in specs):
        raise TypeError("arithmetic on bool tensors; cast them first")
    return elementwise(*specs)


def same(x: TensorSpec, **attrs: Any) -> TensorSpec:
    """The rule of functions of one number that keep shape and dtype."""
    return arithmetic(x)


def logical(*specs: TensorSpec) -> TensorSpec:
    """The rule of logic: bool operands only."""
    if any(s.dtype != dtypes.BOOL for s in specs):
        raise TypeError(
            f"logic needs bool tensors, not {', '.join(s.dtype for s in specs)}; compare or cast first"
        )
    return elementwise(*specs)


def bitwise(*specs: TensorSpec) -> TensorSpec:
    """The rule of operations on bits: integers only."""
    if not all(dtypes.is_integer(s.dtype) for s in specs):
        raise TypeError(f"bits of {', '.join(s.dtype for s in specs)}; integers are needed")
    return elementwise(*specs)


def compared(*specs: TensorSpec) -> TensorSpec:
    """The rule of comparisons."""
    return comparison(*specs)


def number(value: Any) -> int | float | None:
    """A Python number for a number, NumPy scalar or array of rank 0; None for all else."""
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value.item()
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_small(x: Any) -> bool:
    """Whether sums of a tensor are accumulated in a wider float."""
    return dtype_of(x) in ("float16", "bfloat16")


def bool_sample(taken: bool, *operands: In) -> Sample:
    """Bool becomes floatx where the op gives floats anyway, and is refused elsewhere."""
    options: dict[str, Any] = {"gradient": False} if taken else {"raises": TypeError, "row": 35}
    return call(*(operands or (values(True, False, kind="bool"),)), name="bool", **options)


def binary_samples(low: float = -2.0, takes_bool: bool = False, **second: Any) -> Samples:
    """Samples of ops of two numbers; the second is drawn from [low, 2.5)."""

    def other(*shape: int) -> In:
        return In(shape, low, 2.5, **second)

    def samples() -> list[Sample]:
        integers = In((2, 3), -5, 5, kind="int32")
        return [
            call(In((2, 3)), other(2, 3), name="same shape"),
            call(In((2, 1, 3)), other(4, 1), name="broadcasting"),
            call(In(()), other(3), name="scalar"),
            call(In((2, 3)), 2.5, name="Python number"),
            call(1.5, other(2, 1), name="Python number first"),
            call(In((0, 3)), other(1, 3), name="empty"),
            call(In((0, 1)), other(3), name="empty and broadcast"),
            call(In((2, 3)), other(4), name="no broadcasting", raises=ValueError),
            bool_sample(takes_bool, *[values(True, True, kind="bool")] * 2),
            call(integers, In((3,), 1, 5, kind="int32"), name="int32", gradient=False),
            call(In((2, 3), -5, 5, kind="int64"), 3, name="int64 and a number", gradient=False),
            call(integers, other(3), name="int32 and float", row=29, gradient=False),
            call(integers, 2.5, name="int32 and 2.5", row=29, gradient=False),
        ]

    return samples


def unary_samples(
    low: float = -2.0,
    high: float = 2.0,
    *extra: Sample,
    integers: bool = False,
    gradient: bool = True,
    takes_bool: bool = True,
    **options: Any,
) -> Samples:
    """Samples of functions of one number; ``integers``: int32 too."""

    def samples() -> list[Sample]:
        found = [
            call(In((2, 3), low, high, **options), gradient=gradient),
            call(In((), low, high, **options), name="scalar", gradient=gradient),
            call(In((0, 2), low, high), name="empty", gradient=gradient),
            bool_sample(takes_bool),
        ]
        if integers:
            whole = In((2, 3), int(np.ceil(low)), max(int(high), 2), kind="int32")
            found.append(call(whole, name="int32", gradient=False))
        return [*found, *extra]

    return samples


def values(*numbers: complex, kind: str = "float", **options: Any) -> In:
    """An input of given values."""
    return In(values=list(numbers), kind=kind, **options)


def at(x: Sequence[float], gradient: Any, **options: Any) -> Sample:
    """A sample of the gradient at given places."""
    return call(values(*x), expect_gradient=np.array(gradient, np.float64), dtypes=WIDE, **options)


def ends(*numbers: float, expect: list[float]) -> Any:
    return call(values(*numbers), expect=np.array(expect), gradient=False, name="ends")


def pair_samples(*extra: Sample, low: float = -2.0, high: float = 2.0, **options: Any) -> Samples:
    return lambda: [
        call(In((2, 1, 3), **options), In((4, 1), low, high, **options), name="broadcasting"),
        call(In((2,), -5, 5, kind="int32"), In((2,), 1, 5, kind="int32"), gradient=False, name="int32"),
        call(In((0, 3)), In((1, 3)), name="empty"),
        call(In((2,)), In((3,)), raises=ValueError, name="no broadcasting"),
        *extra,
    ]


def not_finite(*numbers: float) -> Sample:
    pairs = np.array([(a, b) for a in numbers for b in numbers])
    return call(values(*pairs[:, 0]), values(*pairs[:, 1]), gradient=False, name="not finite")
