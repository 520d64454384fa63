"""Basic indexing, ``x[...]``, and slices as functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare import static_values
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.static_values import static_value
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.arrays.join import stack_tensors
from kbackend.ops.arrays.reshape import extent, reshape, shape
from kbackend.ops.arrays.sizes import entries
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.indexing.fancy import is_array, pick

#: in a canonical index: an integer or bound that is given by a tensor
SYMBOLIC = "?"
Index = tuple[Any, ...]


def _prepare_index(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "index": canonical_index(attrs["index"], specs[0].ndim)}


def canonical_index(index: Any, ndim: int) -> Index:
    """Integers, None for new axes, and (start, stop, step) for slices; one entry for each dimension of the tensor.

    Raises:
        IndexError: more entries than dimensions, two Ellipses, or an entry of another type.
        ValueError: a slice with a step of 0.
    """
    given = list(index) if isinstance(index, tuple) else [index]
    used = sum(i is not None and i is not Ellipsis for i in given)
    if used > ndim:
        raise IndexError(f"{used} indices for a tensor of rank {ndim}")
    if sum(i is Ellipsis for i in given) > 1:
        raise IndexError("an index can hold only one Ellipsis (...)")
    fill = [(None, None, 1)] * (ndim - used)
    at = next((n for n, i in enumerate(given) if i is Ellipsis), len(given))
    return tuple(_canonical_entry(i) for i in [*given[:at], *fill, *given[at + 1 :]])


def _canonical_entry(entry: Any) -> Any:
    if entry is None or entry == SYMBOLIC:
        return entry
    if isinstance(entry, slice):
        entry = (entry.start, entry.stop, 1 if entry.step is None else entry.step)
    if isinstance(entry, tuple) and len(entry) == 3:
        if entry[2] == 0:
            raise ValueError("the step of a slice cannot be 0")
        return tuple(b if b is None or b == SYMBOLIC else _integer(b) for b in entry)
    return _integer(entry)


def _integer(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise IndexError(
            f"an index is made of integers, slices, None and ..., not {type(value).__name__} {value!r}"
        )
    return value.__index__()


def _indexed_shape(shape: Shape, index: Index) -> Shape:
    result: list[int | None] = []
    axis = 0
    for entry in index:
        if entry is None:
            result.append(1)
            continue
        size = shape[axis]
        if isinstance(entry, tuple):
            result.append(_slice_length(size, entry))
        elif entry != SYMBOLIC and size is not None and not -size <= entry < size:
            raise IndexError(f"index {entry} is out of range for axis {axis} of size {size}")
        axis += 1
    return tuple(result)


def _slice_length(size: int | None, bounds: tuple[Any, Any, Any]) -> int | None:
    if SYMBOLIC in bounds:
        return None
    if size is not None:
        return len(range(*slice(*bounds).indices(size)))
    return 0 if bounds[1] == 0 and bounds[2] > 0 else None


def _getitem_samples() -> list[Sample]:
    return [
        call(In((3, 4)), 1, name="int"),
        call(In((3, 4)), -1, name="negative int"),
        call(In((3, 4)), (slice(None), 2), name="column"),
        call(In((3, 4, 2)), (Ellipsis, 0), name="ellipsis"),
        call(In((3, 4)), (None, slice(1, None), None, slice(None, -1, 2)), name="new axes and steps"),
        call(
            In((3,), values=[1.0, 2.0, 3.0]),
            slice(None, None, -1),
            name="reversed",
            row=54,
            expect=[3.0, 2.0, 1.0],
        ),
        call(In((5, 4)), (slice(3, 0, -2), slice(None, None, -1)), name="negative steps"),
        call(In((3, 4)), (slice(5, 2), slice(-9, 9)), name="bounds out of range"),
        call(In((4, 3), 0, 9, kind="int32"), (slice(1, 3), 0), name="int32", gradient=False),
        call(In((3, 4)), 3, name="out of range", raises=IndexError),
        call(In((3, 4)), (0, 0, 0), name="too many", raises=IndexError),
    ]


@primitive(takes_complex=True, name="getitem", prepare=_prepare_index, view=True, tolerance="moving",
           static_value=static_values.indexed,
           samples=_getitem_samples)
def _getitem(x: TensorLike, index: Any) -> TensorSpec:
    """``x[index]`` with an index of integers."""
    return TensorSpec(_indexed_shape(x.shape, index), x.dtype)


@primitive(
    takes_complex=True,
    name="getitem_at",
    prepare=_prepare_index,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((4, 3)), [In((), kind="int32", values=2)], (SYMBOLIC,), name="int"),
        call(In((4, 3)), [In((), kind="int32", values=-1)], (slice(None), SYMBOLIC), name="column"),
        call(In((4, 3)), [In((), kind="int32", values=1)], (slice(SYMBOLIC, None),), name="start"),
        call(In((4, 3)), [In((), kind="int32", values=3)], (slice(SYMBOLIC, None, -1),), name="back"),
    ],
)
def _getitem_at(x: TensorLike, bounds: TensorList, index: Any) -> TensorSpec:
    """``x[index]`` where the "?" of the index are given by ``bounds``, integer scalars, in order."""
    wanted = sum(1 if i == SYMBOLIC else i.count(SYMBOLIC) if isinstance(i, tuple) else 0 for i in index)
    if wanted != len(bounds):
        raise ValueError(f"{len(bounds)} bounds were given, the index needs {wanted}")
    for bound in bounds:
        if bound.shape != () or not dtypes.is_integer(bound.dtype):
            raise TypeError(f"an index must be an integer scalar, it is {bound}")
    return TensorSpec(_indexed_shape(x.shape, index), x.dtype)


@derived(
    samples=lambda: [
        call(In((3, 4)), (slice(None, None, -1), 1)),
        call(In((3, 4)), ([2, 0],), name="rows", dynamic=False),
        call(In((3, 4)), ([-1, 0], Ellipsis, [[1], [-4]]), name="arrays that broadcast", dynamic=False),
        call(In((2, 3, 4)), (0, slice(None, 2), [3, 1]), name="an integer and an array apart"),
        call(In((2, 3)), (np.array([[True, False, True], [False, True, True]]),), name="a known mask", dynamic=False),
        call(In((4, 3)), In((2,), kind="int32", values=[1, 1]), name="rows by a tensor"),
        call(In((4, 3)), In((2,), kind="int32", values=[-1, 1]), name="rows from the end"),
        call(In((3, 4)), ([0, 3],), name="row out of range", raises=IndexError, dynamic=False),
        call(In((3, 4)), True, name="mask", raises=IndexError),
    ]
)
def getitem(x: TensorLike, index: Any) -> Any:
    """``x[index]``: basic and advanced indexing as in NumPy.

    Args:
        x: a tensor of any dtype.
        index: integers, slices (negative steps, too), None, ``...``, integer scalars, integer arrays, and bool masks
            that are not symbolic. Integers, bounds and integer arrays may be symbolic.

    Raises:
        IndexError: an integer out of range, too many indices, arrays that do not broadcast, or a mask that is symbolic
            or does not fit.
        ValueError: a slice with a step of 0.

    >>> from kbackend import K
    >>> x = K.constant([[1, 2, 3], [4, 5, 6]])
    >>> K.eval(x[:, ::-1][0]).tolist()
    [3.0, 2.0, 1.0]
    """
    given = index if isinstance(index, tuple) else (index,)
    if any(map(is_array, given)):
        return pick(x, given)
    for entry in given:
        _refuse_masks(entry)
    bounds: list[Tensor] = []
    canonical = tuple(_lifted_entry(entry, bounds) for entry in given)
    if bounds:
        return _getitem_at(x, bounds, canonical)
    if isinstance(x, Tensor) and len(canonical) == 1 and isinstance(canonical[0], int):
        element = _element(x, canonical[0])
        if element is not None:
            return element
    return _getitem(x, canonical)


def _refuse_masks(entry: Any) -> None:
    if isinstance(entry, (bool, np.bool_)) or hasattr(entry, "dtype") and dtype_of(entry) == dtypes.BOOL:
        raise IndexError(
            "indexing with a bool mask gives a shape that depends on values; use K.switch, multiply by the mask, "
            "or index the NumPy array that K.eval gives"
        )
    if hasattr(entry, "dtype") and not dtypes.is_integer(dtype_of(entry)):
        raise IndexError(f"indices must be integers, not {dtype_of(entry)}")


def _lifted_entry(entry: Any, bounds: list[Tensor]) -> Any:
    if isinstance(entry, slice):
        return slice(*(_lifted_bound(b, bounds) for b in (entry.start, entry.stop, entry.step)))
    return entry if entry is None or entry is Ellipsis else _lifted_bound(entry, bounds)


def _lifted_bound(bound: Any, bounds: list[Tensor]) -> Any:
    if isinstance(bound, Tensor):
        if bound.ndim or not dtypes.is_integer(bound.dtype):
            raise IndexError(
                f"an index must be an integer scalar, it is {bound!r}; use K.gather(x, i) for several rows"
            )
        known = static_value(bound)
        if known is not None:
            return known
        bounds.append(bound)
        return SYMBOLIC
    return bound if bound is None else int(bound) if hasattr(bound, "dtype") else bound


def _element(x: Tensor, i: int) -> Tensor | None:
    """Element ``i`` of a vector made of scalars: the scalar itself, without a node for the vector; else None."""
    node = x.node
    if node.op is shape.op and -node.args[0].ndim <= i < node.args[0].ndim:
        return extent(node.args[0], (i,))
    if node.op is stack_tensors.op and x.ndim == 1 and -len(node.args[0]) <= i < len(node.args[0]):
        return node.args[0][i]
    return None


@derived(
    samples=lambda: [
        call(In((3, 4)), (1, 0), (2, 3), dynamic=False),
        call(In((3, 4)), (0, 2), (-1, 2)),
        call(In((3, 4)), (1, 1), (2, -1), name="the first rows"),
        call(In((3, 4)), (1, 0), (3, 4), name="does not fit", raises=ValueError, dynamic=False),
        call(In((3, 4)), [In((), kind="int32", values=1), 0], (2, 4), name="symbolic", dynamic=False),
    ],
)
def classic_slice(x: TensorLike, start: Any, size: Any) -> Any:
    """The block of ``x`` that begins at ``start`` and has ``size`` elements along each axis (Keras's ``K.slice``).

    Args:
        x: a tensor of rank n.
        start, size: n integers or integer scalars each, symbolic or not. A size of -1 is all remaining elements.

    Raises:
        ValueError: another number of integers, or a block that does not fit.
        TypeError: an entry that is not an integer.

    >>> from kbackend import K
    >>> K.eval(K.slice(K.constant([[1, 2, 3], [4, 5, 6]]), (0, 1), (2, 2))).tolist()
    [[2.0, 3.0], [5.0, 6.0]]
    """
    starts, lengths = entries(start), entries(size)
    rank = len(getattr(x, "shape", np.shape(x)))
    if not len(starts) == len(lengths) == rank:
        raise ValueError(
            f"slice: a tensor of rank {rank} needs {rank} starts and sizes, it was given {start}, {size}"
        )
    index: list[Any] = []
    for axis, (begin, length) in enumerate(zip(starts, lengths)):
        if isinstance(length, int) and length < 0:
            index.append(slice(begin, None))
            continue
        if isinstance(begin, int) and isinstance(length, int):
            _check_block(x.shape[axis] if hasattr(x, "shape") else None, begin, length, axis)
            index.append(slice(begin, begin + length))
        else:
            index.append(slice(begin, begin + length))
    part = getitem(x, tuple(index))
    return _of_sizes(part, lengths) if isinstance(part, Tensor) and None in part.shape else part


def _of_sizes(part: Tensor, lengths: Sequence[Any]) -> Any:
    """The block with the requested sizes as static shape; at run time an error where the tensor is too short."""
    if not any(isinstance(n, int) and n >= 0 and size is None for n, size in zip(lengths, part.shape)):
        return part
    unknown = [n if isinstance(n, int) else -1 for n in lengths]
    if sum(n < 0 for n in unknown) > 1:
        unknown = [n if n >= 0 else extent(part, (axis,)) for axis, n in enumerate(unknown)]
    return reshape(part, unknown)


def _check_block(dimension: int | None, begin: int, length: int, axis: int) -> None:
    if begin < 0 or dimension is not None and begin + length > dimension:
        raise ValueError(f"slice: {length} elements from {begin} do not fit axis {axis} of size {dimension}")


@derived(samples=lambda: [
    call(In((3, 4)), (1, 0), (2, 3), dynamic=False),
    call(In((3, 4)), (2, 0), (2, 3), raises=ValueError, dynamic=False, name="does not fit")])
def slice_(inputs: TensorLike, start_indices: Any, shape: Any) -> Any:
    """The block of a tensor that begins at ``start_indices`` and has a given shape (Keras 3's ``slice``).

    Args:
        inputs: a tensor of rank n.
        start_indices, shape: n integers or integer scalars each; -1 in the shape is all remaining elements.

    Raises:
        ValueError: another number of integers, or a block that does not fit.
        TypeError: an entry that is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import slice as slice_
    >>> K.eval(slice_(K.constant([1, 2, 3]), [1], [2])).tolist()
    [2.0, 3.0]
    """
    return classic_slice(as_tensor(inputs), start_indices, shape)


__all__: list[str] = []
