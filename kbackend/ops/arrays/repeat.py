"""Repetition of elements along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.broadcast import tile
from kbackend.ops.arrays.reshape import expand_dims, flatten
from kbackend.ops.core.arguments import as_tensor, rank_of
from kbackend.ops.indexing.gather import take


def _prepare_repeat(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    if isinstance(attrs["rep"], bool) or not hasattr(attrs["rep"], "__index__") or attrs["rep"] < 0:
        raise ValueError(f"the number of repetitions must be a non-negative integer, it is {attrs['rep']!r}")
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim), "rep": attrs["rep"].__index__()}


@primitive(
    takes_complex=True,
    prepare=_prepare_repeat,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), 2, 1),
        call(In((2, 3)), 3, 0),
        call(In((0, 3)), 2, -1),
        call(In((2, 3)), 1, 1, name="once"),
    ],
)
def repeat_elements(x: TensorLike, rep: int, axis: int) -> TensorSpec:
    """Each element repeated along an axis: a, b becomes a, a, b, b (Keras's ``K.repeat_elements``).

    Args:
        x: a tensor of any dtype, of any shape.
        rep: the number of repetitions, not negative.
        axis: the axis.

    Raises:
        ValueError: a negative number of repetitions, or an axis out of range.

    >>> from kbackend import K
    >>> K.eval(K.repeat_elements(K.constant([1, 2]), 2, axis=0)).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    d = x.shape[axis]
    return TensorSpec((*x.shape[:axis], None if d is None else d * rep, *x.shape[axis + 1 :]), x.dtype)


@derived(
    samples=lambda: [
        call(In((2, 3)), 4),
        call(In((2, 3)), 1),
        call(In((0, 3)), 2),
        call(In((2,)), 2, name="rank", raises=ValueError),
    ]
)
def repeat_rows(x: TensorLike, n: int) -> Any:
    """A matrix repeated along a new axis 1 (Keras's ``K.repeat``).

    Args:
        x: a tensor ``(samples, features)``.
        n: the number of repetitions.

    Returns:
        A tensor ``(samples, n, features)``.

    Raises:
        ValueError: another rank.

    >>> from kbackend import K
    >>> K.int_shape(K.repeat(K.placeholder((None, 4)), 3))
    (None, 3, 4)
    """
    if rank_of(x) != 2:
        raise ValueError(
            f"K.repeat needs a tensor of rank 2, its rank is {rank_of(x)}; see K.tile, K.repeat_elements"
        )
    return tile(expand_dims(x, 1), [1, n, 1])


@derived(samples=lambda: [
    call(In((2, 3)), 2, name="all elements"), call(In((2, 3)), 2, -1), call(In((2, 3)), [2, 0, 1], 1, name="each"),
    call(In((2, 3)), [3], 0, name="one number"), call(In((2, 3)), -1, 0, raises=ValueError, name="negative"),
    call(In((2, 3)), [1, 2], 1, raises=ValueError, name="numbers")])
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along an axis (NumPy's ``repeat``).

    Args:
        x: a tensor of any dtype, of any shape.
        repeats: an integer, or one for each element along the axis; not symbolic.
        axis: the axis; None repeats the elements of the flattened tensor.

    Raises:
        ValueError: a negative number, another number of ``repeats`` than elements, or an axis out of range.
        TypeError: ``repeats`` that are not integers, or symbolic.

    >>> from kbackend import K
    >>> from kbackend.ops import repeat
    >>> K.eval(repeat(K.constant([1, 2]), [2, 1])).tolist()
    [1.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = flatten(x), 0
    axis = axis_in(axis, len(x.shape))
    counts = repeats if isinstance(repeats, Tensor) else to_numpy(repeats)
    if isinstance(counts, Tensor) or counts.dtype.kind not in "iu" or counts.ndim > 1:
        raise TypeError(f"repeats must be integers known while the graph is built, they are {repeats!r}")
    if (counts < 0).any():
        raise ValueError(f"repeats must not be negative, they are {repeats}")
    if counts.size == 1:
        return repeat_elements(x, int(counts.reshape(())), axis)
    if x.shape[axis] != counts.size:
        raise ValueError(f"{counts.size} repeats were given for axis {axis} of size {x.shape[axis]}")
    return take(x, np.repeat(np.arange(counts.size, dtype=np.int32), counts), axis)


__all__ = ["repeat"]
