"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import broadcast


def _matmul_samples() -> list[Sample]:
    return [
        call(In((2, 3)), In((3, 4))),
        call(In((2, 5, 3)), In((3, 4)), name="a batch and a matrix"),
        call(In((2, 5, 3)), In((2, 3, 4)), name="batches"),
        call(In((2, 1, 5, 3)), In((4, 3, 2)), name="broadcasting"),
        call(In((3, 4)), In((2, 4, 2)), name="a matrix and a batch", dynamic=False),
        call(In((0, 3)), In((3, 4)), name="no rows"),
        call(In((2, 0)), In((0, 4)), name="nothing to sum"),
        call(In((2, 3)), In((3, 4)), name="bfloat16", dtypes=("bfloat16",)),
        call(In((2, 3), -3, 4, kind="int32"), In((3, 2), -3, 4, kind="int32"), name="int32", gradient=False),
        call(In((2, 3), kind="complex64"), In((3, 2), kind="complex64"), name="complex", gradient=False),
        call(In((2, 3)), In((4, 2)), name="inner dimensions", raises=ValueError, dynamic=False),
    ]


@primitive(promote="same", tolerance="matmul", samples=_matmul_samples)
def matmul(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The matrix product of the last two dimensions; the others broadcast. Both operands have rank >= 2.

    Args:
        x: a tensor (..., n, k).
        y: a tensor (..., k, m).

    Returns:
        A tensor (..., n, m).

    Raises:
        ValueError: the inner dimensions differ, the others do not broadcast, or a rank is below 2.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.int_shape(K.matmul(K.placeholder((None, 2, 3)), K.placeholder((3, 4))))
    (None, 2, 4)
    """
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError("matmul needs operands of rank 2 or more")
    if x.dtype == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    inner, outer = x.shape[-1], y.shape[-2]
    if inner is not None and outer is not None and inner != outer:
        raise ValueError(f"the inner dimensions {inner} and {outer} differ")
    return TensorSpec((*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]), x.dtype)


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
        x: a tensor (..., inputs) of rank 2 or more.
        kernel: a tensor (inputs, outputs).
        bias: a tensor (outputs,), or None.

    Returns:
        A tensor (..., outputs).

    >>> from kbackend import K
    >>> K.int_shape(K.dense(K.placeholder((None, 3)), K.zeros((3, 4)), K.zeros((4,))))
    (None, 4)
    """
    from kbackend.ops.elementwise import add

    product = matmul(x, kernel)
    return product if bias is None else add(product, bias)


def _shape(x: Any) -> Shape:
    return tuple(x.shape) if hasattr(x, "shape") else to_numpy(x).shape


@derived(
    samples=lambda: [
        call(In((2, 3)), In((3, 4)), name="matrices"),
        call(In((2, 5, 3)), In((3, 4)), name="rank 3 and 2"),
        call(In((2, 3)), In((4, 3, 5)), name="rank 2 and 3"),
        call(In((2, 2, 3)), In((2, 3, 4)), name="rank 3 and 3"),
        call(In((3,)), In((3,)), name="vectors", dynamic=False),
        call(In((2, 3)), In((3,)), name="a matrix and a vector"),
        call(In((3,)), In((3, 2)), name="a vector and a matrix", dynamic=False),
    ]
)
def dot(x: TensorLike, y: TensorLike) -> Any:
    """The product over the last axis of ``x`` and the last but one of ``y`` (the only one of a vector).

    Args:
        x: a tensor (a..., k), or a sparse matrix.
        y: a tensor (b..., k, m), or (k,), or a sparse matrix.

    Returns:
        A tensor (a..., b..., m), or (a...).

    >>> from kbackend import K
    >>> K.int_shape(K.dot(K.placeholder((2, 3)), K.placeholder((4, 3, 5))))
    (2, 4, 5)
    """
    from kbackend.ops.elementwise import multiply
    from kbackend.ops.shaping import expand_dims, squeeze

    if getattr(x, "is_sparse", False) is True or getattr(y, "is_sparse", False) is True:
        from kbackend.ops import sparse

        return sparse.dot(x, y)
    left, right = len(_shape(x)), len(_shape(y))
    if left == 0 or right == 0:
        return multiply(x, y)
    if left == 1:
        return squeeze(dot(expand_dims(x, 0), y), 0)
    if right == 1:
        return squeeze(matmul(x, expand_dims(y, 1)), -1)
    return matmul(x, y) if right == 2 else _dot_of_ranks(x, y)


def _dot_of_ranks(x: Any, y: Any) -> Any:
    from kbackend.ops.shaping import extent, permute_dimensions, reshape

    shape, rank = _shape(y), len(_shape(y))
    flat = permute_dimensions(y, (rank - 2, *range(rank - 2), rank - 1))
    rows = shape[-2] if shape[-2] is not None else extent(y, (-2,))
    others = (*range(rank - 2), rank - 1)
    known = [shape[a] for a in others]
    # not -1, which stands for nothing in particular where there are no elements
    columns = extent(y, others) if None in known else math.prod(known)
    found = matmul(x, reshape(flat, [rows, columns]))
    ends = [
        d if d is not None else extent(t, (i,))
        for t, dims, skipped in ((x, _shape(x), -1), (y, shape, -2))
        for i, d in enumerate(dims)
        if i != len(dims) + skipped
    ]
    return reshape(found, ends)


@derived(
    samples=lambda: [
        call(In((2, 3)), In((3, 4)), name="matrices"),
        call(In((3,)), In((3,)), name="vectors", dynamic=False),
        call(In((2, 5, 3)), In((3,)), name="batch and vector"),
        call(In((3,)), In((2, 3, 4)), name="vector and batch", dynamic=False),
    ]
)
def matrix_product(x: TensorLike, y: TensorLike) -> Any:
    """``x @ y`` as NumPy means it: a vector on the left is a row, on the right a column.

    Raises:
        ValueError: a scalar operand, or inner dimensions that differ.
    """
    from kbackend.ops.shaping import expand_dims, squeeze

    left, right = len(_shape(x)), len(_shape(y))
    if not left or not right:
        raise ValueError("@ needs operands of rank 1 or more; use * for scalars")
    if left > 1 and right > 1:
        return matmul(x, y)
    row = expand_dims(x, 0) if left == 1 else x
    column = expand_dims(y, 1) if right == 1 else y
    found = matmul(row, column)
    found = squeeze(found, -1) if right == 1 else found
    return squeeze(found, -1 if right == 1 else -2) if left == 1 else found
