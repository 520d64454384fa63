"""Elementwise ops: arithmetic, comparisons, logic, functions of one tensor."""

from __future__ import annotations

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.declare import TensorLike, primitive
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import comparison, elementwise


def arithmetic(*specs: TensorSpec) -> TensorSpec:
    """The rule of + - * and the like: bool operands are refused (docs/semantics.md, row 35)."""
    if any(s.dtype == dtypes.BOOL for s in specs):
        raise TypeError("arithmetic on bool tensors; cast them first")
    return elementwise(*specs)


def _binary_samples() -> list[Sample]:
    return [
        call(In((2, 3)), In((2, 3)), name="same shape"),
        call(In((2, 1, 3)), In((4, 1)), name="broadcasting"),
        call(In((2, 3)), 2.5, name="Python number"),
        call(In((0, 3)), In((1, 3)), name="empty"),
        call(In((2, 3), -5, 5, kind="int32"), In((3,), 1, 5, kind="int32"), name="int32", gradient=False),
    ]


@primitive(promote="same", samples=_binary_samples)
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
def multiply(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x * y``, with broadcasting and promotion. See :func:`add`."""
    return arithmetic(x, y)


@primitive(promote="float", samples=lambda: [call(In((2, 3))), call(In(())), call(In((0,)))])
def tanh(x: TensorLike) -> TensorSpec:
    """The hyperbolic tangent, elementwise; integers give floatx."""
    return x


@primitive(view=True, samples=lambda: [call(In((2, 3)), dtype="int32", gradient=False, dtypes=("float64", "float32"))])
def cast(x: TensorLike, dtype: str) -> TensorSpec:
    """``x`` with another dtype; floats are truncated towards zero when they become integers."""
    return TensorSpec(x.shape, dtypes.canonical(dtype))


cast.op.prepare = lambda specs, attrs: {"dtype": dtypes.canonical(attrs["dtype"])}
_comparison = comparison
