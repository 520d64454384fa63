"""Joining tensors and cutting them into pieces, by NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.ops import shaping
from kbackend.ops.arranging import as_tensor, integer, part, ranked
from kbackend.ops.declare import TensorLike, TensorList, derived
from kbackend.ops.rules import In, call
from kbackend.ops.shapes import axis_in

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
    >>> from kbackend.ops.pieces import append
    >>> K.eval(append(K.constant([[1, 2]]), K.constant([3]))).tolist()
    [1.0, 2.0, 3.0]
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if axis is None:
        return shaping.concatenate([shaping.flatten(x1), shaping.flatten(x2)], 0)
    return shaping.concatenate([x1, x2], axis)


def _all(xs: Any, name: str) -> list[Any]:
    if not isinstance(xs, (list, tuple)):
        rank = ranked(xs, 1, name)
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
    >>> from kbackend.ops.pieces import hstack
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
    >>> from kbackend.ops.pieces import vstack
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
    >>> from kbackend.ops.pieces import dstack
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
    >>> from kbackend.ops.pieces import array_split
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
    >>> from kbackend.ops.pieces import hsplit
    >>> [t.shape for t in hsplit(K.zeros((2, 4)), [1])]
    [(2, 1), (2, 3)]
    """
    x = ranked(x, 1, "hsplit")
    return cut(x, indices_or_sections, min(1, len(x.shape) - 1), equal=True)


@derived(samples=lambda: [
    call(In((4, 2)), 2, dynamic=False), call(In((4, 2)), [3], dynamic=False, name="places"),
    call(In((4,)), 2, raises=ValueError, name="vector")])
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """A tensor of rank 2 or more cut along axis 0 (NumPy's ``vsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops.pieces import vsplit
    >>> [t.shape for t in vsplit(K.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return cut(ranked(x, 2, "vsplit"), indices_or_sections, 0, equal=True)


@derived(samples=lambda: [call(In((2, 1, 4)), 2), call(In((2, 4)), 2, raises=ValueError, name="matrix")])
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """A tensor of rank 3 or more cut along axis 2 (NumPy's ``dsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops.pieces import dsplit
    >>> [t.shape for t in dsplit(K.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return cut(ranked(x, 3, "dsplit"), indices_or_sections, 2, equal=True)


__all__ = ["append", "array_split", "dsplit", "dstack", "hsplit", "hstack", "vsplit", "vstack"]
