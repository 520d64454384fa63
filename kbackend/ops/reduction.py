"""Reductions."""

from __future__ import annotations

from typing import Any

from kbackend.graph.tensor import TensorSpec
from kbackend.ops.declare import TensorLike, primitive
from kbackend.ops.sample import In, call
from kbackend.ops.shapes import canonical_axes, reduced


@primitive(name="sum", prepare=canonical_axes, tolerance="reduction",
           samples=lambda: [call(In((2, 3))), call(In((2, 3, 4)), axis=(0, -1), keepdims=True)])
def sum_(x: TensorLike, axis: Any = None, keepdims: bool = False) -> TensorSpec:
    """The sum over axes. int32 stays int32."""
    return TensorSpec(reduced(x.shape, axis, keepdims), x.dtype)
