"""Matrix products."""

from __future__ import annotations

from kbackend.graph.tensor import TensorSpec
from kbackend.ops.declare import TensorLike, primitive
from kbackend.ops.sample import In, call
from kbackend.ops.shapes import broadcast


@primitive(promote="same", tolerance="matmul", samples=lambda: [call(In((2, 3)), In((3, 4)))])
def matmul(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The matrix product of the last two dimensions; the others broadcast. Both operands have rank >= 2."""
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError("matmul needs operands of rank 2 or more")
    inner, outer = x.shape[-1], y.shape[-2]
    if inner is not None and outer is not None and inner != outer:
        raise ValueError(f"the inner dimensions {inner} and {outer} differ")
    return TensorSpec((*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]), x.dtype)
