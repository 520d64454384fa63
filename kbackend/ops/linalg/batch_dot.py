"""``K.batch_dot``: products of the samples of two batches."""

from __future__ import annotations

from typing import Any

from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.ops.arrays.reshape import expand_dims, extent, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.elementwise.arithmetic import multiply
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
    """For each sample, the product of x's and y's over one axis each.

    Args:
        x, y: tensors of rank 2 or more with the same first dimension, the samples.
        axes: an int for both, or a pair; not 0. None: the last axis of ``x``, and of ``y`` the last but one
            (the last for a matrix).

    Returns:
        A tensor (samples, x's other axes, y's other axes); (samples, 1) when none are left.

    Raises:
        ValueError: ranks below 2, axes out of range, sizes that differ.

    >>> from kbackend import K
    >>> K.int_shape(K.batch_dot(K.ones((32, 20, 1)), K.ones((32, 30, 20)), axes=(1, 2)))
    (32, 1, 30)
    """
    dims_x, dims_y = _dims(x), _dims(y)
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
    found = matrix_multiply(left, right)
    if len(rest_x) == 1 and len(rest_y) == 1:
        return found
    if not rest_x or not rest_y:
        # One of the two 1s that stand for missing axes goes; with both missing the result is (samples, 1).
        found = squeeze_axis(found, 1 if not rest_x else 2)
        if len(rest_x) + len(rest_y) <= 1:
            return found
    batch = dims_x[0] if dims_x[0] is not None else extent(x, (0,))
    return reshape(found, [batch, *rest_x, *rest_y])


def _dims(x: Any) -> tuple[Any, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else to_numpy(x).shape


def _axes(axes: Any, dims_x: Any, dims_y: Any) -> tuple[int, int]:
    if axes is None:
        axes = (len(dims_x) - 1, len(dims_y) - 1 if len(dims_y) == 2 else len(dims_y) - 2)
    if isinstance(axes, int):
        axes = (axes, axes)
    if len(axes) != 2 or any(isinstance(a, (list, tuple)) for a in axes):
        raise ValueError(f"K.batch_dot: `axes` must be an int or a pair of ints, it is {axes!r}")
    found = axis_in(axes[0], len(dims_x)), axis_in(axes[1], len(dims_y))
    if 0 in found:
        raise ValueError("K.batch_dot cannot sum over axis 0, the samples; use K.dot")
    return found


def _as_matrices(x: Any, dims: Any, axis: int, last: bool) -> tuple[Any, list[Any]]:
    """``x`` as one matrix a sample with the summed axis last (or first), and its other dimensions."""
    others = [i for i in range(1, len(dims)) if i != axis]
    rest = [dims[i] if dims[i] is not None else extent(x, (i,)) for i in others]
    if not others:
        return expand_dims(x, 1 if last else 2), rest
    wanted = (0, *others, axis) if last else (0, axis, *others)
    moved = x if wanted == tuple(range(len(dims))) else permute_dimensions(x, wanted)
    if len(others) == 1:
        return moved, rest
    batch, summed = (dims[i] if dims[i] is not None else extent(x, (i,)) for i in (0, axis))
    inner = rest[0]
    for d in rest[1:]:
        inner = inner * d if isinstance(inner, int) and isinstance(d, int) else multiply(inner, d)
    return reshape(moved, [batch, inner, summed] if last else [batch, summed, inner]), rest


__all__: list[str] = []
