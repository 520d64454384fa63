"""Tensors split along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in, canonical_axis
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import part as part_of
from kbackend.ops.core.arguments import as_tensor, integer, known_size, ranked


@primitive(takes_complex=True, name="unstack",
    prepare=canonical_axis,
    view=True,
    tolerance="moving",
    samples=lambda: [call(In((2, 3)), dynamic=False), call(In((2, 3)), -1), call(In((3, 2, 2)), 1)],
)
def unstack_parts(x: TensorLike, axis: int = 0) -> tuple[TensorSpec, ...]:
    """The slices of ``x`` along an axis of known size.

    Args:
        x: a tensor of any dtype.
        axis: the axis, which the slices do not have.

    Returns:
        A list of tensors.

    Raises:
        ValueError: an axis of unknown size or out of range.

    >>> from kbackend import K
    >>> [t.shape for t in K.unstack(K.placeholder((None, 3)), axis=1)]
    [(None,), (None,), (None,)]
    """
    part = TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)
    return (part,) * known_size(x, axis)


def _prepare_split(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    axis, sizes = axis_in(attrs["axis"], specs[0].ndim), attrs["sizes"]
    if isinstance(sizes, int):
        count, length = sizes, known_size(specs[0], axis)
        if count < 1 or length % count:
            raise ValueError(f"axis {axis} of size {length} does not split into {count} equal parts")
        sizes = (length // count,) * count
    return {**attrs, "axis": axis, "sizes": tuple(int(s) for s in sizes)}


@primitive(takes_complex=True, name="split",
    prepare=_prepare_split,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 6)), 3),
        call(In((2, 6)), (1, 3, 2)),
        call(In((4, 2)), 2, 0, dynamic=False),
        call(In((2, 5)), 2, name="unequal", raises=ValueError),
    ],
)
def split_sizes(x: TensorLike, sizes: Any, axis: int = -1) -> tuple[TensorSpec, ...]:
    """``x`` split along an axis into equal parts or parts of given sizes.

    Args:
        x: a tensor of any dtype.
        sizes: the number of equal parts, or the size of each part.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        ValueError: parts that do not fit the axis, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.arrays.split import split_sizes
    >>> [t.shape for t in split_sizes(K.placeholder((None, 6)), (1, 5))]
    [(None, 1), (None, 5)]
    """
    if any(s < 0 for s in sizes) or x.shape[axis] is not None and sum(sizes) != x.shape[axis]:
        raise ValueError(f"the parts {sizes} do not fit axis {axis} of size {x.shape[axis]}")
    return tuple(TensorSpec((*x.shape[:axis], s, *x.shape[axis + 1 :]), x.dtype) for s in sizes)


@derived(samples=lambda: [
    call(In((6, 2)), 3, dynamic=False), call(In((2, 5)), [1, 3], 1, name="places"),
    call(In((2, 5)), 2, 1, raises=ValueError, name="unequal")])
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """``x`` split along an axis (NumPy's ``split``).

    Args:
        x: a tensor of rank 1 or more.
        indices_or_sections: the number of equal parts, or the indices at which ``x`` is split.
        axis: the axis, of known size when a number of parts is given.

    Returns:
        A list of tensors.

    Raises:
        ValueError: a number that does not divide the size, an unknown size, or an axis out of range.
        TypeError: numbers that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import split
    >>> [t.shape for t in split(K.zeros((4, 2)), [1])]
    [(1, 2), (3, 2)]
    """
    return cut(as_tensor(x), indices_or_sections, axis, equal=True)


@derived(samples=lambda: [
    call(In((2, 3)), axis=1), call(In((2, 3)), 2, dynamic=False, name="number"), call(In((2, 3)), 3, -1, name="both"),
    call(In((2, 3)), 2, 1, raises=ValueError, name="another number")])
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices of ``x`` along an axis (Keras 3's ``unstack``).

    Args:
        x: a tensor of rank 1 or more.
        num: the size of the axis; needed where it is unknown.
        axis: the axis, which the slices do not have.

    Returns:
        A list of tensors.

    Raises:
        ValueError: ``num`` is not the size, an unknown size without ``num``, or an axis out of range.

    >>> from kbackend import ops
    >>> [float(v) for v in ops.unstack([1.0, 2.0])]
    [1.0, 2.0]
    """
    x = as_tensor(x)
    axis = axis_in(axis, len(x.shape))
    size = x.shape[axis]
    if num is not None:
        num = integer(num, "num")
        if size is not None and num != size:
            raise ValueError(f"unstack: num is {num}, axis {axis} has the size {size}")
        if size is None:
            return [x[*[slice(None)] * axis, i] for i in range(num)]
    return list(unstack_parts(x, axis))


def cut(x: Any, indices_or_sections: Any, axis: int, equal: bool) -> list[Any]:
    """The parts of NumPy's ``split`` (``equal``) or ``array_split``."""
    axis = axis_in(axis, len(x.shape))
    size = x.shape[axis]
    if not isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        count = integer(indices_or_sections, "the number of parts")
        if size is None:
            raise ValueError(
                f"axis {axis} of shape {tuple(x.shape)} has an unknown size, which {count} parts need; give indices"
            )
        if count < 1 or equal and size % count:
            raise ValueError(f"axis {axis} of size {size} does not split into {count} equal parts")
        small, larger = divmod(int(size), count)
        return list(split_sizes(x, [small + 1] * larger + [small] * (count - larger), axis))
    bounds = [integer(i, "an index of split") for i in indices_or_sections]
    return [part_of(x, axis, a, b) for a, b in zip([0, *bounds], [*bounds, None])]


@derived(samples=lambda: [
    call(In((2, 7)), 3, axis=1), call(In((2, 2)), 3, axis=-1, name="more parts than elements"),
    call(In((6, 2)), [1, 4], dynamic=False, name="places"), call(In((2, 3)), 0, raises=ValueError, name="no parts"),
    call(In((2, 3)), 2, axis=2, raises=ValueError, name="axis")])
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """``x`` split along an axis into parts of nearly equal size (NumPy's ``array_split``).

    Arguments and errors as in :func:`split`, but the number of parts need not divide the size: sizes differ by at most
    1, the larger parts first.

    >>> from kbackend import K
    >>> from kbackend.ops import array_split
    >>> [t.shape for t in array_split(K.zeros((5, 2)), 2)]
    [(3, 2), (2, 2)]
    """
    return cut(as_tensor(x), indices_or_sections, axis, equal=False)


@derived(samples=lambda: [
    call(In((2, 4)), 2), call(In((6,)), 3, dynamic=False, name="vector"),
    call(In((2, 3)), 2, raises=ValueError, name="unequal")])
def hsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """``x`` split along axis 1, a vector along axis 0 (NumPy's ``hsplit``).

    Args:
        x: a tensor of rank 1 or more.
        indices_or_sections: the number of equal parts, or the indices at which ``x`` is split.

    Raises:
        ValueError: a scalar, a number that does not divide the size, or an unknown size.
        TypeError: numbers that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import hsplit
    >>> [t.shape for t in hsplit(K.zeros((2, 4)), [1])]
    [(2, 1), (2, 3)]
    """
    x = ranked(x, 1, "hsplit")
    return cut(x, indices_or_sections, min(1, len(x.shape) - 1), equal=True)


@derived(samples=lambda: [
    call(In((4, 2)), 2, dynamic=False), call(In((4, 2)), [3], dynamic=False, name="places"),
    call(In((4,)), 2, raises=ValueError, name="vector")])
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """``x`` of rank 2 or more split along axis 0 (NumPy's ``vsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops import vsplit
    >>> [t.shape for t in vsplit(K.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return cut(ranked(x, 2, "vsplit"), indices_or_sections, 0, equal=True)


@derived(samples=lambda: [call(In((2, 1, 4)), 2), call(In((2, 4)), 2, raises=ValueError, name="matrix")])
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Any]:
    """``x`` of rank 3 or more split along axis 2 (NumPy's ``dsplit``). Arguments and errors as in :func:`hsplit`.

    >>> from kbackend import K
    >>> from kbackend.ops import dsplit
    >>> [t.shape for t in dsplit(K.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return cut(ranked(x, 3, "dsplit"), indices_or_sections, 2, equal=True)


__all__ = ["array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"]
