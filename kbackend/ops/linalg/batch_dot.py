"""``K.batch_dot``: products of two batches, sample by sample."""

from __future__ import annotations

import math
from typing import Any

from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.ops.arrays.reshape import expand_dims, extent, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.arguments import shape_of
from kbackend.ops.linalg.matmul import matrix_multiply


def _batch_dot_samples() -> list[Sample]:
    return [
        call(In((3, 4)), In((3, 4)), axes=1, name="vectors"),
        call(In((3, 4)), In((3, 4)), name="vectors, default"),
        call(In((3, 2, 4)), In((3, 4)), name="matrix and vector"),
        call(In((3, 4)), In((3, 4, 5)), name="vector and matrix"),
        call(In((3, 2, 4)), In((3, 4, 5)), name="matrices"),
        call(In((3, 2, 4)), In((3, 5, 4)), axes=2, name="last axes"),
        call(In((3, 4, 2)), In((3, 4, 5)), axes=1, name="first axes"),
        call(In((3, 4, 2)), In((3, 5, 4)), axes=(1, 2), name="pair"),
        call(In((3, 2, 5, 4)), In((3, 4, 6)), axes=(3, 1), name="rank 4 and 3"),
        call(In((3, 2, 5, 4)), In((3, 6, 4, 2)), axes=(-1, 2), name="rank 4 and 4"),
        call(In((3, 4)), In((3, 5)), axes=1, name="sizes", raises=ValueError),
        call(In((3, 4)), In((2, 4)), axes=1, name="batches", raises=ValueError, dynamic=False),
        call(In((3, 4)), In((3, 4)), axes=0, name="the batch axis", raises=ValueError),
        call(In((4,)), In((4,)), name="rank 1", raises=ValueError),
    ]


@derived(samples=_batch_dot_samples)
def batch_dot(x: TensorLike, y: TensorLike, axes: Any = None) -> Any:
    """The sum of products over one axis of each operand, for each sample of a batch (Keras 2's ``batch_dot``).

    Args:
        x, y: tensors of rank 2 or more; axis 0 is the batch.
        axes: the summed axis of both, or a pair; not 0. None: the last axis of ``x``; of ``y`` the last but one, or the
            last of a matrix.

    Returns:
        A tensor of the batch, the other axes of ``x``, and the other axes of ``y``; ``(batch, 1)`` if there are none.

    Raises:
        ValueError: a rank less than 2, axes out of range, or sizes that differ.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.int_shape(K.batch_dot(K.ones((32, 20, 1)), K.ones((32, 30, 20)), axes=(1, 2)))
    (32, 1, 30)
    """
    dims_x, dims_y = shape_of(x), shape_of(y)
    if min(len(dims_x), len(dims_y)) < 2:
        raise ValueError(
            f"K.batch_dot needs tensors of rank 2 or more, their shapes are {dims_x} and {dims_y}"
        )
    a, b = _axes(axes, dims_x, dims_y)
    for i, j, what in ((0, 0, "samples"), (a, b, "elements")):
        if None not in (dims_x[i], dims_y[j]) and dims_x[i] != dims_y[j]:
            raise ValueError(
                f"K.batch_dot: {dims_x[i]} and {dims_y[j]} {what} along the axes {i} and {j} of "
                f"the shapes {dims_x} and {dims_y}"
            )
    left, rest_x = _as_matrices(x, dims_x, a, True)
    right, rest_y = _as_matrices(y, dims_y, b, False)
    product = matrix_multiply(left, right)
    if len(rest_x) == 1 and len(rest_y) == 1:
        return product
    if not rest_x or not rest_y:
        # Only one axis of size 1 for missing axes is removed, so that two matrices give (batch, 1).
        product = squeeze_axis(product, 1 if not rest_x else 2)
        if len(rest_x) + len(rest_y) <= 1:
            return product
    batch = dims_x[0] if dims_x[0] is not None else extent(x, (0,))
    return reshape(product, [batch, *rest_x, *rest_y])


def _axes(axes: Any, dims_x: Any, dims_y: Any) -> tuple[int, int]:
    if axes is None:
        axes = (len(dims_x) - 1, len(dims_y) - 1 if len(dims_y) == 2 else len(dims_y) - 2)
    if isinstance(axes, int):
        axes = (axes, axes)
    if len(axes) != 2 or any(isinstance(a, (list, tuple)) for a in axes):
        raise ValueError(f"K.batch_dot: `axes` must be an int or a pair of ints, it is {axes!r}")
    summed = axis_in(axes[0], len(dims_x)), axis_in(axes[1], len(dims_y))
    if 0 in summed:
        raise ValueError("K.batch_dot cannot sum over axis 0, the batch; use K.dot")
    return summed


def _as_matrices(x: Any, dims: Any, axis: int, last: bool) -> tuple[Any, list[Any]]:
    """``x`` as a batch of matrices whose last or first axis is the summed one; and the sizes of the other axes."""
    others = [i for i in range(1, len(dims)) if i != axis]
    rest = [dims[i] if dims[i] is not None else extent(x, (i,)) for i in others]
    if not others:
        return expand_dims(x, 1 if last else 2), rest
    pattern = (0, *others, axis) if last else (0, axis, *others)
    moved = x if pattern == tuple(range(len(dims))) else permute_dimensions(x, pattern)
    if len(others) == 1:
        return moved, rest
    batch, summed = (dims[i] if dims[i] is not None else extent(x, (i,)) for i in (0, axis))
    inner = math.prod(rest[1:], start=rest[0])
    return reshape(moved, [batch, inner, summed] if last else [batch, summed, inner]), rest


__all__: list[str] = []
