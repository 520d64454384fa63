"""Joining, cutting, turning and reordering: NumPy's names for the structure of tensors, and einops' patterns."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import creation, indexing, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, TensorList, derived
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


def _ranked(x: Any, least: int, name: str) -> Any:
    x = as_tensor(x)
    if len(x.shape) < least:
        raise ValueError(f"{name} needs a tensor of rank {least} or more, its shape is {tuple(x.shape)}")
    return x


def _like(flat: Any, x: Any) -> Any:
    return shaping.reshape(flat, lengths(x))


# ------------------------------------------------------------------------------------- joining


@derived(samples=lambda: [
    call(In((2, 3)), In((2,)), name="all elements"), call(In((2, 3)), In((2, 1)), axis=-1),
    call(In((0, 3)), In((2, 3)), axis=0, dynamic=False, name="empty"),
    call(In((2, 3)), In((3, 2)), axis=0, raises=ValueError, name="shapes")])
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Any:
    """``x2`` put behind ``x1`` along an axis; both as vectors without one (NumPy's ``append``).

    Args:
        x1, x2: tensors of one rank whose shapes differ along ``axis`` at most; dtypes are promoted.
        axis: the axis, or None.

    Raises:
        ValueError: ranks or other dimensions differ, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import append
    >>> K.eval(append(K.constant([[1, 2]]), K.constant([3]))).tolist()
    [1.0, 2.0, 3.0]
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if axis is None:
        return shaping.concatenate([shaping.flatten(x1), shaping.flatten(x2)], 0)
    return shaping.concatenate([x1, x2], axis)


def _all(xs: Any, name: str) -> list[Any]:
    if not isinstance(xs, (list, tuple)):
        rank = _ranked(xs, 1, name)
        return list(shaping.unstack(rank, 0))
    if not xs:
        raise ValueError(f"{name} needs one tensor or more")
    return [as_tensor(x) for x in xs]


def _at_least(x: Any, rank: int, places: Sequence[int]) -> Any:
    """``x`` with new dimensions at ``places``, one a missing rank."""
    while len(x.shape) < rank:
        x = shaping.expand_dims(x, places[len(x.shape)])
    return x


@derived(samples=lambda: [
    call([In((2, 3)), In((2, 1))]), call([In((2,)), In((3,))], dynamic=False, name="vectors"),
    call([In(()), In(())], name="scalars"), call([In((2, 3)), In((3, 3))], raises=ValueError, name="shapes")])
def hstack(xs: TensorList) -> Any:
    """Tensors side by side: along axis 1, vectors along their only axis (NumPy's ``hstack``).

    Raises:
        ValueError: none are given, or shapes that differ elsewhere.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import hstack
    >>> K.eval(hstack([K.constant([1]), K.constant([2, 3])])).tolist()
    [1.0, 2.0, 3.0]
    """
    tensors = [_at_least(x, 1, (0,)) for x in _all(xs, "hstack")]
    return shaping.concatenate(tensors, 0 if len(tensors[0].shape) == 1 else 1)


@derived(samples=lambda: [
    call([In((2, 3)), In((1, 3))], dynamic=False), call([In((3,)), In((3,))], name="vectors"),
    call([In((2, 3)), In((2, 2))], raises=ValueError, name="shapes")])
def vstack(xs: TensorList) -> Any:
    """Tensors on top of each other: along axis 0, vectors as rows (NumPy's ``vstack``). Errors as in :func:`hstack`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import vstack
    >>> K.eval(vstack([K.constant([1, 2]), K.constant([3, 4])])).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return shaping.concatenate([_at_least(x, 2, (0, 0)) for x in _all(xs, "vstack")], 0)


@derived(samples=lambda: [
    call([In((2, 3)), In((2, 3))]), call([In((3,)), In((3,))], name="vectors"),
    call([In((2, 3, 1)), In((2, 3, 2))], name="rank 3"), call([], raises=ValueError, name="none")])
def dstack(xs: TensorList) -> Any:
    """Tensors behind each other: along axis 2, of which smaller ones get one (NumPy's ``dstack``).

    Errors as in :func:`hstack`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import dstack
    >>> K.eval(dstack([K.constant([1, 2]), K.constant([3, 4])])).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """
    return shaping.concatenate([_at_least(x, 3, (0, 0, 2)) for x in _all(xs, "dstack")], 2)


# ------------------------------------------------------------------------------------- cutting


def cut(x: Any, indices_or_sections: Any, axis: int, equal: bool) -> list[Any]:
    """NumPy's ``split`` (equal parts) and ``array_split``."""
    axis = axis_in(axis, len(x.shape))
    size = x.shape[axis]
    if not isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        count = integer(indices_or_sections, "the number of parts")
        if size is None:
            raise ValueError(f"axis {axis} of shape {tuple(x.shape)} is unknown, so its parts are; give indices")
        if count < 1 or equal and size % count:
            raise ValueError(f"axis {axis} of size {size} does not split into {count} equal parts")
        small, more = divmod(int(size), count)
        sizes = [small + 1] * more + [small] * (count - more)
        return list(shaping.split(x, sizes, axis))
    bounds = [integer(i, "the place of a cut") for i in indices_or_sections]
    return [part(x, axis, a, b) for a, b in zip([0, *bounds], [*bounds, None])]


@derived(samples=lambda: [
    call(In((2, 7)), 3, axis=1), call(In((2, 2)), 3, axis=-1, name="more parts than elements"),
    call(In((6, 2)), [1, 4], dynamic=False, name="places"), call(In((2, 3)), 0, raises=ValueError, name="no parts"),
    call(In((2, 3)), 2, axis=2, raises=ValueError, name="axis")])
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """``x`` cut along an axis into parts of as equal a size as can be, the larger ones first (NumPy's).

    Args:
        x: a tensor of rank 1 or more.
        indices_or_sections: the number of parts, or the places of the cuts.
        axis: the axis; of known size when a number of parts is given.

    Raises:
        ValueError: no parts, an unknown size, or an axis out of range. TypeError: no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import array_split
    >>> [t.shape for t in array_split(K.zeros((5, 2)), 2)]
    [(3, 2), (2, 2)]
    """
    return cut(as_tensor(x), indices_or_sections, axis, equal=False)


@derived(samples=lambda: [
    call(In((2, 4)), 2), call(In((6,)), 3, dynamic=False, name="vector"),
    call(In((2, 3)), 2, raises=ValueError, name="unequal")])
def hsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """``x`` cut into equal parts along axis 1, or at places; a vector along axis 0 (NumPy's ``hsplit``).

    Raises:
        ValueError: a scalar, parts that are not equal, or an unknown size. TypeError: no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import hsplit
    >>> [t.shape for t in hsplit(K.zeros((2, 4)), [1])]
    [(2, 1), (2, 3)]
    """
    x = _ranked(x, 1, "hsplit")
    return cut(x, indices_or_sections, min(1, len(x.shape) - 1), equal=True)


@derived(samples=lambda: [
    call(In((4, 2)), 2, dynamic=False), call(In((4, 2)), [3], dynamic=False, name="places"),
    call(In((4,)), 2, raises=ValueError, name="vector")])
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """A tensor of rank 2 or more cut along axis 0 (NumPy's ``vsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import vsplit
    >>> [t.shape for t in vsplit(K.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return cut(_ranked(x, 2, "vsplit"), indices_or_sections, 0, equal=True)


@derived(samples=lambda: [call(In((2, 1, 4)), 2), call(In((2, 4)), 2, raises=ValueError, name="matrix")])
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """A tensor of rank 3 or more cut along axis 2 (NumPy's ``dsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import dsplit
    >>> [t.shape for t in dsplit(K.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return cut(_ranked(x, 3, "dsplit"), indices_or_sections, 2, equal=True)


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
    return shaping.reverse(_ranked(x, 2, "fliplr"), (1,))


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
    return shaping.reverse(_ranked(x, 1, "flipud"), (0,))


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
    x = _ranked(array, 2, "rot90")
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
        if start == 0 and isinstance(size, int) and size == count:
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


# ------------------------------------------------------------------------------------- einops' patterns

Group = list[str]
#: '...' in brackets: all other axes joined
_JOINED_DOTS = "(...)"


def _parsed(side: str, pattern: str) -> list[Group]:
    """Groups of names: one for each dimension; '1' and '()' are empty groups, '...' stands for itself."""
    groups: list[Group] = []
    inside: Group | None = None
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(inside)
            inside = None
        elif token in "()" or not (token.isidentifier() or token in ("1", "...")):
            raise ValueError(f"rearrange: {token!r} is out of place in the pattern {pattern!r}")
        elif inside is not None:
            inside.extend([] if token == "1" else [_JOINED_DOTS if token == "..." else token])
        else:
            groups.append([] if token == "1" else [token])
    if inside is not None:
        raise ValueError(f"rearrange: a bracket stays open in the pattern {pattern!r}")
    return groups


def _sides(pattern: str) -> tuple[list[Group], list[Group]]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: the pattern {pattern!r} needs one '->'")
    left, right = (_parsed(s, pattern) for s in sides)
    names = [["..." if n == _JOINED_DOTS else n for g in side for n in g] for side in (left, right)]
    if any(len(set(n)) != len(n) for n in names) or set(names[0]) != set(names[1]):
        raise ValueError(f"rearrange: the pattern {pattern!r} must name each axis once on both sides")
    if any(_JOINED_DOTS in g for g in left):
        raise ValueError(f"rearrange: '...' cannot stand in brackets on the left of {pattern!r}")
    return left, right


def _without_dots(side: list[Group], dots: Group) -> list[Group]:
    found: list[Group] = []
    for group in side:
        if group == ["..."]:
            found.extend([name] for name in dots)
        else:
            found.append([n for name in group for n in (dots if name == _JOINED_DOTS else [name])])
    return found


def _axis_sizes(x: Any, left: list[Group], given: dict[str, int], pattern: str) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    for axis, group in enumerate(left):
        size = length(x, axis)
        missing = [n for n in group if n not in given]
        known = int(np.prod([given[n] for n in group if n in given], dtype=int))
        if len(missing) > 1:
            raise ValueError(f"rearrange: give the sizes of all but one of {group} in {pattern!r}")
        if isinstance(size, int) and (known == 0 or size % known or not missing and size != known):
            raise ValueError(f"rearrange: axis {axis} of size {size} is not {group or 1} with {given} in {pattern!r}")
        for name in group:
            sizes[name] = given.get(name)
        if missing:
            whole = size // known if isinstance(size, int) else size if known == 1 else e.floor_divide(size, known)
            sizes[missing[0]] = whole
    return sizes


@derived(samples=lambda: [
    call(In((2, 3, 4)), "a b c -> c (a b)"), call(In((2, 6)), "a (b c) -> b a c", b=2),
    call(In((2, 3, 4)), "a ... -> ... 1 a", name="dots"), call(In((1, 3)), "1 a -> a ()", dynamic=False, name="ones"),
    call(In((2, 3)), "a b -> a", raises=ValueError, name="lost axis"),
    call(In((2, 3)), "a (b c) -> a b c", raises=ValueError, name="unknown size"),
    call(In((2, 3)), "a -> a", raises=ValueError, name="rank")])
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, reordered and joined as a pattern of einops says.

    Args:
        tensor: a tensor.
        pattern: names of the axes before and after ``->``; brackets join axes, ``...`` stands for all others, ``1``
            for a dimension of 1.
        **axes_lengths: sizes of names in brackets; one of each bracket may be left out.

    Raises:
        ValueError: a pattern that is wrong, or does not fit the shape.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import rearrange
    >>> K.int_shape(rearrange(K.placeholder((None, 4, 6)), "n (h a) w -> n h (w a)", a=2))
    (None, 2, 12)
    """
    x = as_tensor(tensor)
    left, right = _sides(pattern)
    named = {name for group in left for name in group}
    if not set(axes_lengths) <= named:
        raise ValueError(f"rearrange: the pattern {pattern!r} has no {sorted(set(axes_lengths) - named)}")
    if "..." in named:
        dots = [f".{i}" for i in range(len(x.shape) - len(left) + 1)]
        left, right = _without_dots(left, dots), _without_dots(right, dots)
    if len(left) != len(x.shape):
        raise ValueError(f"rearrange: the pattern {pattern!r} does not fit the shape {tuple(x.shape)}")
    given = {k: integer(v, f"the size of {k}") for k, v in axes_lengths.items()}
    sizes = _axis_sizes(x, left, given, pattern)
    before = [name for group in left for name in group]
    after = [name for group in right for name in group]
    if any(len(group) != 1 for group in left):
        x = shaping.reshape(x, [sizes[name] for name in before])
    if before != after:
        x = shaping.permute_dimensions(x, [before.index(name) for name in after])
    if any(len(group) != 1 for group in right):
        x = shaping.reshape(x, [_joined(group, sizes) for group in right])
    return x


def _joined(group: Group, sizes: dict[str, Any]) -> Any:
    total: Any = 1
    for name in group:
        total = times(total, sizes[name])
    return total


# ------------------------------------------------------------------------------------- depth and space


def _blocks(x: Any, block_size: Any, data_format: str) -> tuple[Any, int, bool]:
    x = as_tensor(x)
    block = integer(block_size, "the size of a block")
    if len(x.shape) != 4:
        raise ValueError(f"images of rank 4 are needed, the shape is {tuple(x.shape)}")
    if block < 2:
        raise ValueError(f"the size of a block must be 2 or more, it is {block}")
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"the data format must be 'channels_first' or 'channels_last', it is {data_format!r}")
    return x, block, data_format == "channels_first"


@derived(samples=lambda: [
    call(In((2, 2, 3, 8)), 2), call(In((2, 8, 2, 1)), 2, "channels_first"),
    call(In((2, 2, 3, 6)), 2, raises=ValueError, name="channels"), call(In((2, 3)), 2, raises=ValueError, name="rank")])
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels spread over blocks of pixels: (n, h, w, b b c) becomes (n, h b, w b, c).

    Args:
        x: images of rank 4.
        block_size: the side of a block, 2 or more.
        data_format: where the channels are; their order is (row in the block, column in the block, channel) in both.

    Raises:
        ValueError: another rank, channels that do not split, or a wrong format.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import depth_to_space
    >>> K.int_shape(depth_to_space(K.placeholder((None, 2, 3, 8)), 2))
    (None, 4, 6, 2)
    """
    x, b, first = _blocks(x, block_size, data_format)
    pattern = "n (a b c) h w -> n c (h a) (w b)" if first else "n h w (a b c) -> n (h a) (w b) c"
    return rearrange(x, pattern, a=b, b=b)


@derived(samples=lambda: [
    call(In((2, 4, 6, 2)), 2), call(In((2, 1, 3, 6)), 3, "channels_first"),
    call(In((2, 3, 4, 1)), 2, raises=ValueError, name="pixels"),
    call(In((2, 4, 4, 1)), 1, raises=ValueError, name="block")])
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels gathered in the channels: the inverse of :func:`depth_to_space`, with its arguments and errors.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import space_to_depth
    >>> K.int_shape(space_to_depth(K.placeholder((None, 4, 6, 2)), 2))
    (None, 2, 3, 8)
    """
    x, b, first = _blocks(x, block_size, data_format)
    pattern = "n c (h a) (w b) -> n (a b c) h w" if first else "n (h a) (w b) c -> n h w (a b c)"
    return rearrange(x, pattern, a=b, b=b)


# ------------------------------------------------------------------------------------- tensors from values


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2,)), "int32", gradient=False),
    call(In((2, 3)), sparse=True, raises=ValueError, name="sparse")])
def convert_to_tensor(x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """``x`` as a tensor: symbolic ones stay, all else becomes a tensor of the active engine.

    Args:
        x: a tensor, array, number or list; a list may hold tensors of one shape.
        dtype: another dtype; None keeps it, Python's floats give floatx and integers int32.
        sparse, ragged: there are none; True is refused.

    Raises:
        ValueError: sparse or ragged. TypeError: an unknown dtype, or a value that is no tensor.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import convert_to_tensor
    >>> K.dtype(convert_to_tensor([1, 2], "float32"))
    'float32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported; give a dense value")
    if isinstance(x, (list, tuple)) and any(hasattr(v, "shape") for v in x):
        x = shaping.stack(list(x))
    x = as_tensor(x)
    if dtype is None:
        return x if isinstance(x, Tensor) else e.identity(x)
    return e.cast(x, dtypes.canonical(dtype))


@derived(name="array", samples=lambda: [call(In((2, 3))), call(In((2,)), "float64")])
def array(x: TensorLike, dtype: Any = None) -> Any:
    """``x`` as a tensor; arguments and errors as in :func:`convert_to_tensor`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import array
    >>> K.eval(array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """``x`` as a NumPy array.

    Args:
        x: a number, list, array or engine's tensor; or a symbolic tensor that depends on no placeholder.

    Raises:
        ValueError: a symbolic tensor that depends on placeholders.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import convert_to_numpy
    >>> convert_to_numpy(K.constant([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return np.asarray(x) if isinstance(x, Tensor) else to_numpy(x)


@derived(samples=lambda: [call((2, 3)), call(4, "int32"), call((-1,), raises=ValueError)])
def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor of a shape; its elements are zeros, so that programs can be repeated.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import empty
    >>> K.int_shape(empty((2, 3)))
    (2, 3)
    """
    return creation.full(shape, 0, config.floatx() if dtype is None else dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2, 0)), "int32")])
def empty_like(x: TensorLike, dtype: Any = None) -> Any:
    """A tensor with the shape of ``x``, and its dtype unless another is given; its elements are zeros.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import empty_like
    >>> K.int_shape(empty_like(K.zeros((2, 3))))
    (2, 3)
    """
    return creation.zeros_like(as_tensor(x), dtype)


@derived(name="full_like", samples=lambda: [
    call(In((2, 3)), 1.5), call(In((2, 3)), In((3,)), name="tensor"), call(In((2,)), 3, "int32"),
    call(In((2, 3)), In((2,)), raises=ValueError, name="shapes")])
def full_like(x: TensorLike, fill_value: Any, dtype: Any = None) -> Any:
    """``fill_value`` repeated to the shape of ``x`` (NumPy's ``full_like``).

    Args:
        x: a tensor.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: that of ``x`` when None.

    Raises:
        ValueError: shapes that do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import full_like
    >>> K.eval(full_like(K.zeros((2,)), 3)).tolist()
    [3.0, 3.0]
    """
    x = as_tensor(x)
    if isinstance(fill_value, (bool, int, float)):
        return creation.full_like(x, fill_value, dtype)
    value = e.cast(as_tensor(fill_value), dtype_of(x) if dtype is None else dtypes.canonical(dtype))
    return shaping.broadcast_to(value, lengths(x))


@derived(samples=lambda: [
    call(In((3, 4)), (slice(None), 1)), call(In((3, 4)), -1), call(In((3, 4)), 3, raises=IndexError, name="range")])
def get_item(x: TensorLike, key: Any) -> Any:
    """``x[key]``; what a key may be, and errors, as in :func:`kbackend.ops.indexing.getitem`.

    >>> from kbackend import K
    >>> from kbackend.ops.arranging import get_item
    >>> K.eval(get_item(K.constant([1, 2, 3]), slice(1, None))).tolist()
    [2.0, 3.0]
    """
    return indexing.getitem(x, key)


__all__ = [
    "append", "array", "array_split", "convert_to_numpy", "convert_to_tensor", "depth_to_space", "dsplit", "dstack",
    "empty", "empty_like", "flip", "fliplr", "flipud", "full_like", "get_item", "hsplit", "hstack", "meshgrid",
    "moveaxis", "ravel", "rearrange", "roll", "rot90", "slice_update", "space_to_depth", "swapaxes", "take", "vsplit",
    "vstack",
]
