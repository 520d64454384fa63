"""Advanced indexing: integer arrays that broadcast against each other, and bool masks whose values are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.shapes import broadcast
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.dims import length, lengths, times
from kbackend.ops.arrays.join import stack
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.gather import from_start, gather


def pick(x: Any, given: Sequence[Any]) -> Any:
    """``x[given]`` where at least one entry is an array.

    The other entries are integers, slices, None and ``...``. As in NumPy, the dimensions that the arrays broadcast to
    replace those of the arrays, or come first when a slice or None separates two arrays.

    Raises:
        IndexError: an index out of range; arrays that do not broadcast or are not integers; a mask that is symbolic or
            has another shape; too many entries.
    """
    x = as_tensor(x)
    entries = _expanded(x, [_positions(entry) for entry in given])
    basic = tuple(slice(None) if isinstance(entry, _Array) else entry for entry in entries)
    y = x[basic] if any(b != slice(None) for b in basic) else x
    axes, place = _axes_and_place(entries)
    arrays = [entry.value for entry in entries if isinstance(entry, _Array)]
    shape = _common(arrays)
    rows = _rows(y, axes, arrays, shape)
    if place == 0:
        return rows
    return moveaxis(rows, list(range(len(shape))), list(range(place, place + len(shape))))


class _Array:
    """An entry that indexes one axis: an integer array of NumPy, or a symbolic tensor."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Mask:
    """A bool array of NumPy, which indexes as many axes as it has."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value


def _positions(entry: Any) -> Any:
    """An array as an :class:`_Array` or a :class:`_Mask`; another entry itself."""
    if not is_array(entry):
        return entry
    if isinstance(entry, Tensor):
        if entry.dtype == dtypes.BOOL:
            raise IndexError(
                f"{entry!r} is a bool mask whose values are not known while the graph is built, so the shape of the "
                "result would be unknown; use K.switch, multiply by the mask, or use kbackend.ops.where"
            )
        if not dtypes.is_integer(entry.dtype):
            raise IndexError(f"indices must be integers, not {entry.dtype}")
        return _Array(entry)
    if isinstance(entry, (list, tuple)) and any(isinstance(v, Tensor) for v in entry):
        return _Array(stack([v if isinstance(v, Tensor) else np.int32(v) for v in entry], 0))
    nothing = isinstance(entry, (list, tuple)) and not entry
    array = np.zeros(0, np.int32) if nothing else np.asarray(to_numpy(entry))
    if array.dtype == np.bool_:
        return _Mask(array)
    if not dtypes.is_integer(dtype_of(array)):
        raise IndexError(f"indices must be integers, not {dtype_of(array)}")
    return _Array(array)


def _used(entry: Any) -> int:
    """The number of axes that an entry indexes."""
    return entry.value.ndim if isinstance(entry, _Mask) else int(entry is not None and entry is not Ellipsis)


def _expanded(x: Any, entries: list[Any]) -> list[Any]:
    """The entries with ``...`` expanded and each mask replaced by the positions of its True elements."""
    rank, used = len(x.shape), sum(map(_used, entries))
    if used > rank:
        raise IndexError(f"{used} indices for a tensor of rank {rank}")
    dots = [n for n, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can hold only one Ellipsis (...)")
    at = dots[0] if dots else len(entries)
    filled = [*entries[:at], *[slice(None)] * (rank - used), *entries[at + 1 :]]
    result: list[Any] = []
    axis = 0
    for entry in filled:
        if isinstance(entry, _Mask):
            result += _true_positions(entry.value, tuple(x.shape[axis : axis + entry.value.ndim]), axis)
        else:
            result.append(_in_range(entry, x.shape[axis], axis) if isinstance(entry, _Array) else entry)
        axis += _used(entry)
    return result


def _true_positions(mask: np.ndarray, shape: Any, axis: int) -> list[_Array]:
    if shape != mask.shape:
        raise IndexError(
            f"a bool mask of shape {mask.shape} does not fit the dimensions {shape} from axis {axis} on; "
            "they must be known and equal"
        )
    return [_Array(positions.astype(np.int32)) for positions in np.nonzero(mask)]


def _in_range(entry: _Array, size: int | None, axis: int) -> _Array:
    """Where index and size are known: negative indices counted from the start.

    Raises:
        IndexError: an index out of range.
    """
    array = entry.value
    if isinstance(array, Tensor) or size is None:
        return entry
    outside = array[(array < -size) | (array >= size)]
    if outside.size:
        raise IndexError(f"index {outside.flat[0]} is out of range for axis {axis} of size {size}")
    return _Array(np.where(array < 0, array + size, array).astype(np.int32))


def _axes_and_place(entries: Sequence[Any]) -> tuple[list[int], int]:
    """The axes of the arrays after the other entries are applied, and the position of the dimensions of the arrays."""
    axes: list[int] = []
    advanced: list[int] = []
    place = axis = 0
    for n, entry in enumerate(entries):
        if entry is None or isinstance(entry, slice):
            axis += 1
            continue
        place = place if advanced else axis
        advanced.append(n)
        if isinstance(entry, _Array):
            axes.append(axis)
            axis += 1
    together = advanced[-1] - advanced[0] + 1 == len(advanced)
    return axes, place if together else 0


def _common(arrays: Sequence[Any]) -> tuple[int | None, ...]:
    """The shape that the arrays broadcast to."""
    try:
        return broadcast(*[tuple(a.shape) for a in arrays])
    except ValueError as error:
        raise IndexError(f"the arrays of an index do not broadcast: {error}") from None


def _rows(y: Any, axes: list[int], arrays: list[Any], shape: tuple[int | None, ...]) -> Any:
    """The indexed elements: first the dimensions that the arrays broadcast to, then the other dimensions of ``y``."""
    sizes = [length(y, axis) for axis in axes]
    front = moveaxis(y, axes, list(range(len(axes)))) if axes != list(range(len(axes))) else y
    if len(axes) == 1:
        return gather(front, _from_start(arrays[0], sizes[0]))
    rest = lengths(front)[len(axes) :]
    count: Any = 1
    for size in sizes:
        count = times(count, size)
    return gather(reshape(front, [count, *rest]), _flat_positions(arrays, sizes))


def _from_start(array: Any, size: Any) -> Any:
    """Indices counted from the start; those out of range stay out of range."""
    if isinstance(array, np.ndarray) and (isinstance(size, int) or not (array < 0).any()):
        return array.astype(np.int32)  # _in_range has counted negative ones from the start
    return from_start(as_positions(array), size)


def _flat_positions(arrays: list[Any], sizes: list[Any]) -> Any:
    """Positions in the joined dimensions; -1, which gather refuses, where one of the arrays is out of range."""
    flat: Any = 0
    inside: Any = None
    for array, size in zip(arrays, sizes):
        position = _from_start(array, size)
        flat = flat * size + position
        if not (isinstance(position, np.ndarray) and isinstance(size, int)):
            here = (position >= 0) & (position < size)
            inside = here if inside is None else inside & here
    return flat if inside is None else select_elements(inside, flat, -1)


def is_array(entry: Any) -> bool:
    """Whether an entry of an index is an array of indices or a mask: a list, or a tensor of rank 1 or more."""
    return isinstance(entry, (list, tuple)) or hasattr(entry, "dtype") and len(getattr(entry, "shape", ())) > 0
