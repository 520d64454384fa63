"""Turning and reordering by NumPy's names, grids and parts; sizes that may be known only when a program runs."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import creation, indexing, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of, lifted_dtype, to_numpy
from kbackend.ops.rules import In, call
from kbackend.ops.shapes import axes_in, axis_in

# ------------------------------------------------------------------------------------- helpers


def as_tensor(x: Any) -> Any:
    """Something with a shape: a list or number becomes an array of the dtype that it has as an operand."""
    if hasattr(x, "shape"):
        return x
    array = to_numpy(x)
    if array.dtype == np.int64:
        return array.astype(np.int32)
    return array.astype(dtypes.numpy_dtype(lifted_dtype(dtypes.canonical(array.dtype))))


def length(x: Any, axis: int) -> Any:
    """The size along an axis: an int, or an integer scalar where it is not known."""
    known = x.shape[axis]
    return shaping.extent(x, (axis % len(x.shape),)) if known is None else int(known)


def lengths(x: Any) -> list[Any]:
    return [length(x, axis) for axis in range(len(x.shape))]


def times(a: Any, b: Any) -> Any:
    """The product of two sizes."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return b if _is(a, 1) else a if _is(b, 1) else e.multiply(a, b)
    return a * b


def plus(a: Any, b: Any) -> Any:
    """The sum of two sizes."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return b if _is(a, 0) else a if _is(b, 0) else e.add(a, b)
    return a + b


def _is(value: Any, number: int) -> bool:
    return not isinstance(value, Tensor) and value == number


def integer(value: Any, what: str) -> int:
    """An integer attribute.

    Raises:
        TypeError: no integer, or one that is known only when the program runs.
    """
    if isinstance(value, bool) or isinstance(value, Tensor):
        raise TypeError(f"{what} must be an integer known while the graph is built, it is {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, it is {value!r}") from None


def numbers(count: Any) -> Any:
    """0, 1, ... as int32; an array where their count is known, so that concrete calls stay concrete."""
    return np.arange(count, dtype=np.int32) if isinstance(count, int) else creation.arange(count)


def part(x: Any, axis: int, start: Any, stop: Any, step: int | None = None) -> Any:
    """``x[start:stop:step]`` along one axis."""
    return indexing.getitem(x, (*[slice(None)] * axis, slice(start, stop, step)))


def ranked(x: Any, least: int, name: str) -> Any:
    """``x`` as a tensor of rank ``least`` or more."""
    x = as_tensor(x)
    if len(x.shape) < least:
        raise ValueError(f"{name} needs a tensor of rank {least} or more, its shape is {tuple(x.shape)}")
    return x


def _like(flat: Any, x: Any) -> Any:
    return shaping.reshape(flat, lengths(x))


# ------------------------------------------------------------------------------------- axes


@derived(samples=lambda: [
    call(In((2, 3, 4)), 0, -1), call(In((2, 3, 4)), (0, 1), (-1, 0), name="two"),
    call(In((2, 3)), (0, 1), 0, raises=ValueError, name="numbers"), call(In((2, 3)), 2, 0, raises=ValueError)])
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the others in their order (NumPy's ``moveaxis``).

    Args:
        x: a tensor.
        source, destination: an axis or as many axes each.

    Raises:
        ValueError: an axis out of range or named twice, or other numbers of axes.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import moveaxis
    >>> K.int_shape(moveaxis(K.placeholder((None, 2, 3)), 0, -1))
    (2, 3, None)
    """
    x = as_tensor(x)
    rank = len(x.shape)
    sources = [axis_in(a, rank) for a in (source if isinstance(source, (list, tuple)) else [source])]
    places = [axis_in(a, rank) for a in (destination if isinstance(destination, (list, tuple)) else [destination])]
    if len(sources) != len(places) or len(set(sources)) != len(sources) or len(set(places)) != len(places):
        raise ValueError(f"moveaxis: the axes {source} cannot become the axes {destination}")
    order = [a for a in range(rank) if a not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return shaping.permute_dimensions(x, order)


@derived(samples=lambda: [
    call(In((2, 3, 4)), 0, -1), call(In((2, 3)), 1, 1, name="one axis"), call(In((2, 3)), 0, 2, raises=ValueError)])
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Any:
    """Two axes exchanged (NumPy's ``swapaxes``).

    Raises:
        ValueError: an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import swapaxes
    >>> K.int_shape(swapaxes(K.placeholder((None, 2, 3)), 0, 2))
    (3, 2, None)
    """
    x = as_tensor(x)
    order = list(range(len(x.shape)))
    a, b = axis_in(axis1, len(order)), axis_in(axis2, len(order))
    order[a], order[b] = b, a
    return shaping.permute_dimensions(x, order)


@derived(samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 3)))])
def ravel(x: TensorLike) -> Any:
    """``x`` as a vector.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import ravel
    >>> K.eval(ravel(K.constant([[1, 2], [3, 4]]))).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    return shaping.flatten(x)


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), -1), call(In((2, 0, 3)), (0, 2), name="empty"),
    call(In((2, 3)), 2, raises=ValueError)])
def flip(x: TensorLike, axis: Any = None) -> Any:
    """The order of the elements reversed along an axis, some, or all of them (NumPy's ``flip``).

    Raises:
        ValueError: an axis out of range or named twice.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import flip
    >>> K.eval(flip(K.constant([[1, 2], [3, 4]]))).tolist()
    [[4.0, 3.0], [2.0, 1.0]]
    """
    x = as_tensor(x)
    return shaping.reverse(x, axes_in(axis, len(x.shape)))


@derived(samples=lambda: [call(In((2, 3))), call(In((3,)), raises=ValueError, name="vector")])
def fliplr(x: TensorLike) -> Any:
    """``x`` reversed along axis 1.

    Raises:
        ValueError: a rank below 2.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import fliplr
    >>> K.eval(fliplr(K.constant([[1, 2]]))).tolist()
    [[2.0, 1.0]]
    """
    return shaping.reverse(ranked(x, 2, "fliplr"), (1,))


@derived(samples=lambda: [call(In((2, 3))), call(In(()), raises=ValueError, name="scalar")])
def flipud(x: TensorLike) -> Any:
    """``x`` reversed along axis 0.

    Raises:
        ValueError: a scalar.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import flipud
    >>> K.eval(flipud(K.constant([1, 2]))).tolist()
    [2.0, 1.0]
    """
    return shaping.reverse(ranked(x, 1, "flipud"), (0,))


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), 2, name="twice"), call(In((2, 3, 4)), -1, (2, 0), name="axes"),
    call(In((2, 3)), 1, (0, -2), raises=ValueError, name="one axis")])
def rot90(array: TensorLike, k: int = 1, axes: Any = (0, 1)) -> Any:
    """``array`` turned by ``k`` times 90 degrees, from the first of two axes to the second (NumPy's ``rot90``).

    Raises:
        ValueError: axes that are no two different ones, or out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import rot90
    >>> K.eval(rot90(K.constant([[1, 2], [3, 4]]))).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    x = ranked(array, 2, "rot90")
    a, b = [axis_in(i, len(x.shape)) for i in axes] if len(axes) == 2 else (0, 0)
    if a == b:
        raise ValueError(f"rot90 needs two different axes, they are {tuple(axes)}")
    k = integer(k, "the number of turns") % 4
    if k == 0:
        return x
    if k == 2:
        return shaping.reverse(x, (a, b))
    return swapaxes(shaping.reverse(x, (b,)), a, b) if k == 1 else shaping.reverse(swapaxes(x, a, b), (b,))


@derived(samples=lambda: [
    call(In((2, 3)), 4, name="all elements"), call(In((3, 4)), -1, 0), call(In((3, 4)), (1, -6), (0, -1), name="two"),
    call(In((0, 2)), 1, 0, name="empty"), call(In((2, 3)), 1, 2, raises=ValueError),
    call(In((2, 3)), (1, 2, 3), (0, 1), raises=ValueError, name="numbers")])
def roll(x: TensorLike, shift: Any, axis: Any = None) -> Any:
    """Elements moved along axes; those that leave at the end come in at the front (NumPy's ``roll``).

    Args:
        x: a tensor.
        shift: an integer, or one an axis.
        axis: an axis, some, or None: the elements in a row.

    Raises:
        ValueError: an axis out of range, or another number of shifts. TypeError: shifts that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import roll
    >>> K.eval(roll(K.constant([1, 2, 3]), 1)).tolist()
    [3.0, 1.0, 2.0]
    """
    x = as_tensor(x)
    if axis is None:
        return _like(roll(shaping.flatten(x), shift, 0), x)
    axes = [axis_in(a, len(x.shape)) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    shifts = list(shift) if isinstance(shift, (list, tuple)) else [shift] * len(axes)
    if len(axes) == 1:
        axes = axes * len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: {len(shifts)} shifts were given for {len(axes)} axes")
    for a, s in zip(axes, shifts):
        x = _rolled(x, integer(s, "a shift"), a)
    return x


def _rolled(x: Any, shift: int, axis: int) -> Any:
    size = length(x, axis)
    if isinstance(size, int):
        at = -shift % max(size, 1)
        if at == 0:
            return x
    else:
        at = e.mod(-shift, e.maximum(size, 1))
    return shaping.concatenate([part(x, axis, at, None), part(x, axis, 0, at)], axis)


# ------------------------------------------------------------------------------------- grids and parts


@derived(samples=lambda: [
    call(In((3,)), In((2,)), dynamic=False), call(In((3,)), In((2,)), In((1,)), indexing="ij", dynamic=False),
    call(In(()), In((2,)), name="scalar", dynamic=False), call(In((2, 2)), In((2,)), raises=ValueError, name="matrix"),
    call(In((2,)), indexing="yx", raises=ValueError, name="indexing")])
def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """The coordinates of a grid from those along its axes (NumPy's ``meshgrid``).

    Args:
        *x: vectors or scalars.
        indexing: 'ij': vector i runs along axis i; 'xy': the first two axes are exchanged.

    Returns:
        A list of tensors of the grid's shape.

    Raises:
        ValueError: another indexing, or a tensor of rank 2 or more.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import meshgrid
    >>> [K.eval(t).tolist() for t in meshgrid(K.constant([1, 2]), K.constant([3]))]
    [[[1.0, 2.0]], [[3.0, 3.0]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"the indexing must be 'xy' or 'ij', it is {indexing!r}")
    vectors = [as_tensor(t) for t in x]
    if any(len(v.shape) > 1 for v in vectors):
        raise ValueError(f"meshgrid needs vectors, their shapes are {[tuple(v.shape) for v in vectors]}")
    vectors = [shaping.reshape(v, (-1,)) for v in vectors]
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    shape: list[Any] = [None] * len(axes)
    for vector, axis in zip(vectors, axes):
        shape[axis] = length(vector, 0)
    rows = [shaping.reshape(v, [-1 if a == i else 1 for i in range(len(axes))]) if v.shape[0] != 0 else
            shaping.reshape(v, [0 if a == i else 1 for i in range(len(axes))]) for v, a in zip(vectors, axes)]
    return [shaping.broadcast_to(r, shape) for r in rows]


@derived(samples=lambda: [
    call(In((3, 4)), (1, 0), In((2, 3)), dynamic=False), call(In((4, 3)), (2, 0), In((1, 3)), dynamic=False),
    call(In((4,)), [In((), kind="int32", values=1)], In((2,)), dynamic=False, name="symbolic"),
    call(In((3, 4)), (2, 0), In((2, 3)), raises=ValueError, dynamic=False, name="does not fit"),
    call(In((3, 4)), (0,), In((2, 3)), raises=ValueError, name="rank")])
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Any:
    """``inputs`` with the block that begins at ``start_indices`` replaced by ``updates``.

    Args:
        inputs: a tensor of rank n.
        start_indices: n integers or integer scalars.
        updates: a tensor of rank n that fits; it takes the dtype of ``inputs``.

    Raises:
        ValueError: other ranks, or a block that does not fit where that is known.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import slice_update
    >>> K.eval(slice_update(K.constant([1, 2, 3]), [1], K.constant([9]))).tolist()
    [1.0, 9.0, 3.0]
    """
    from kbackend.ops.sizes import entries

    x, block = as_tensor(inputs), as_tensor(updates)
    starts = entries(start_indices)
    if not len(starts) == len(x.shape) == len(block.shape):
        raise ValueError(f"slice_update: {len(starts)} starts and updates of shape {tuple(block.shape)} do not fit "
                         f"inputs of shape {tuple(x.shape)}")
    if dtype_of(block) != dtype_of(x):
        block = e.cast(block, dtype_of(x))
    return _replaced(x, starts, block, 0)


def _replaced(x: Any, starts: Sequence[Any], block: Any, axis: int) -> Any:
    if axis == len(starts):
        return block
    start, size, count = starts[axis], length(x, axis), length(block, axis)
    if isinstance(start, int):
        if start < 0 or isinstance(size, int) and isinstance(count, int) and start + count > size:
            raise ValueError(f"slice_update: {count} elements at {start} do not fit axis {axis} of size {size}")
        if start == 0 and isinstance(size, int) and isinstance(count, int) and size == count:
            return _replaced(x, starts, block, axis + 1)
    stop = plus(start, count)
    middle = _replaced(part(x, axis, start, stop), starts, block, axis + 1)
    return shaping.concatenate([part(x, axis, 0, start), middle, part(x, axis, stop, None)], axis)


@derived(samples=lambda: [
    call(In((5, 3)), In((2, 2), 0, 5, kind="int32"), 0), call(In((2, 4)), In((3,), -4, 4, kind="int32"), -1),
    call(In((2, 3)), In((2,), 0, 6, kind="int32"), name="elements"), call(In((2, 3)), 1, 1, name="one"),
    call(In((2, 3)), In((2,), kind="int32", values=[0, 1]), 2, raises=ValueError, name="axis"),
    call(In((2, 3)), In((2,)), 0, raises=TypeError, name="floats")])
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Elements, or the parts along an axis, by number (NumPy's ``take``).

    Args:
        x: a tensor.
        indices: integers of any shape in [-n, n); negative ones count from the end.
        axis: the axis; None takes elements of ``x`` as a vector.

    Returns:
        ``x`` with the dimension at ``axis`` replaced by those of ``indices``.

    Raises:
        IndexError: an index out of range, as far as :func:`gather` sees it.
        ValueError: an axis out of range. TypeError: indices that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import take
    >>> K.eval(take(K.constant([[1, 2, 3]]), [2, -3], axis=1)).tolist()
    [[3.0, 1.0]]
    """
    x, indices = as_tensor(x), as_tensor(indices)
    if axis is None:
        x, axis = shaping.flatten(x), 0
    axis = axis_in(axis, len(x.shape))
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"indices must be integers, they are {dtype_of(indices)}; cast them first")
    if dtype_of(indices) != "int64":
        indices = e.cast(indices, "int32")
    indices = e.where(e.less(indices, 0), e.add(indices, length(x, axis)), indices)
    if axis == 0:
        return indexing.gather(x, indices)
    rank, new = len(x.shape), len(indices.shape)
    rows = indexing.gather(moveaxis(x, axis, 0), indices)
    return moveaxis(rows, list(range(new)), list(range(axis, axis + new))) if new and rank > 1 else (
        rows)


__all__ = [
    "flip", "fliplr", "flipud", "meshgrid", "moveaxis", "ravel", "roll", "rot90", "slice_update", "swapaxes", "take",
]
