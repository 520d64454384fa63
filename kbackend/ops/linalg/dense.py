"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import composite
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec


def _dense_rule(x: TensorSpec, kernel: TensorSpec, bias: TensorSpec | None) -> TensorSpec:
    if x.ndim < 2 or kernel.ndim != 2:
        raise ValueError("dense needs inputs of rank 2 or more and a kernel of rank 2")
    inner, outer = x.shape[-1], kernel.shape[0]
    if inner is not None and outer is not None and inner != outer:
        raise ValueError(f"the inputs have {inner} features, the kernel has {outer} rows")
    if bias is not None and (
        bias.ndim != 1 or None not in (width := (bias.shape[0], kernel.shape[1])) and width[0] != width[1]
    ):
        raise ValueError(f"the bias has shape {bias.shape}, the kernel {kernel.shape}")
    return TensorSpec((*x.shape[:-1], kernel.shape[1]), x.dtype)


@composite(
    takes_complex=True,
    promote="same",
    tolerance="matmul",
    rule=_dense_rule,
    samples=lambda: [
        call(In((2, 3)), In((3, 4)), In((4,))),
        call(In((2, 3)), In((3, 4)), name="no bias"),
        call(In((2, 5, 3)), In((3, 4)), In((4,)), name="rank 3"),
        call(In((2, 5, 3)), In((3, 4)), name="rank 3, no bias"),
        call(In((0, 3)), In((3, 4)), In((4,)), name="no samples"),
        call(In((2, 2, 2, 3)), In((3, 1)), In((1,)), name="rank 4"),
        call(In((5, 1, 4)), In((4, 0)), In((0,)), name="no outputs", dynamic=False),
        call(In((2, 5, 3)), In((3, 4)), In((4,)), name="bfloat16", dtypes=("bfloat16",)),
        call(In((2, 3)), In((3, 4)), In((3,)), name="bias", raises=ValueError, dynamic=False),
    ],
)
def dense(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> Any:
    """``x @ kernel + bias``, the fully connected layer.

    Args:
        x: a tensor ``(..., inputs)`` of rank 2 or more.
        kernel: a tensor ``(inputs, outputs)``.
        bias: a tensor ``(outputs,)``, or None.

    Returns:
        A tensor ``(..., outputs)``.

    Raises:
        ValueError: another rank, or sizes that differ.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.int_shape(K.dense(K.placeholder((None, 3)), K.zeros((3, 4)), K.zeros((4,))))
    (None, 4)
    """
    product = x @ kernel
    return product if bias is None else product + bias


__all__: list[str] = []
