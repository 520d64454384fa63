"""Elements replaced or accumulated at indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE
from kbackend.declare.rules import values as given
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ops.arrays.dims import length, lengths, part, plus, times
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.reshape import flatten, reshape
from kbackend.ops.arrays.sizes import entries
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import as_positions, cast
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import gather
from kbackend.ops.indexing.segment import reduce_rows


def _row_numbers(indices: Any, dims: Sequence[Any]) -> Any:
    """The positions in the joined dimensions ``dims`` from coordinates; -1 for coordinates out of range."""
    flat: Any = None
    inside: Any = None
    for axis, size in enumerate(dims):
        position = as_positions(indices[..., axis])
        here = (position >= 0) & (position < size)
        flat = position if flat is None else flat * size + position
        inside = here if inside is None else inside & here
    return flatten(select_elements(inside, flat, -1))


def _scatter_parts(indices: Any, updates: Any, dims: Sequence[Any], name: str) -> tuple[Any, Any, Any, list[Any]]:
    """Row numbers, the updates as rows, the number of rows, and the dimensions of a row."""
    indices, updates = as_tensor(indices), as_tensor(updates)
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"{name}: indices must be integers, they are {dtype_of(indices)}")
    depth = indices.shape[-1] if len(indices.shape) else None
    if depth is None or not 1 <= depth <= len(dims):
        raise ValueError(f"{name}: indices of shape {tuple(indices.shape)} do not fit the rank {len(dims)}")
    rest = list(dims[depth:])
    wanted = (*tuple(indices.shape)[:-1], *(None if isinstance(d, Tensor) else d for d in rest))
    _check_updates(tuple(updates.shape), wanted, name)
    count: Any = 1
    for d in dims[:depth]:
        count = times(count, d)
    ids = _row_numbers(indices, dims[:depth])
    return ids, reshape(updates, [length(ids, 0), *rest]), count, rest


def _check_updates(shape: Shape, wanted: Shape, name: str) -> None:
    """Raise a ValueError where two shapes differ."""
    if len(shape) != len(wanted) or any(None not in (a, b) and a != b for a, b in zip(shape, wanted)):
        raise ValueError(f"{name}: the updates must have the shape {wanted}, they have {shape}")


@derived(tolerance="reduction", samples=lambda: [
    call(In((3, 1), 0, 4, kind="int32"), In((3, 2)), (4, 2)),
    call(In((2, 3, 2), 0, 2, kind="int32"), In((2, 3)), (2, 3), name="elements"),
    call(given(1, 1, kind="int32"), In(()), (2, 2), name="one element", dynamic=False),
    call(In(values=[[0], [5], [-1]], kind="int32"), given(1.0, 2.0, 4.0), (2,), expect=np.array([1.0, 0.0]),
         name="outside"),
    call(In((3, 2), 0, 2, kind="int32"), In((3, 2)), (2,), raises=ValueError, name="rank"),
    call(In((3, 1)), In((3,)), (2,), raises=TypeError, name="floats")])
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Any:
    """Zeros with values added at indices (Keras 3's ``scatter``).

    Args:
        indices: integers ``(..., k)``, each row the first k coordinates of a position; those out of range are dropped.
        values: ``(..., *shape[k:])``; values at the same position are added.
        shape: the shape of the result, integers or integer scalars.

    Returns:
        A tensor of the dtype of ``values``.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: indices that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import scatter
    >>> K.eval(scatter(K.constant([[0], [2], [0]], "int32"), K.constant([1, 2, 4]), (3,))).tolist()
    [5.0, 0.0, 2.0]
    """
    dims = entries(shape)
    ids, rows, count, _ = _scatter_parts(indices, values, dims, "scatter")
    return reshape(reduce_rows(rows, ids, count, "sum"), dims)


_HOW = {"add": "sum", "max": "max", "min": "min", "mul": "prod"}


@derived(tolerance="reduction", samples=lambda: [
    *(call(In((4, 2), 0.5, 2, distinct=True), In(values=[[1], [3], [1]], kind="int32"),
           In((3, 2), 0.5, 2, distinct=True), how, dynamic=False, name=str(how)) for how in (None, *_HOW)),
    call(In((2, 3)), In(values=[[1, 2], [0, 0]], kind="int32"), In((2,)), dynamic=False, name="elements"),
    call(given(1.0, 2.0, 3.0), In(values=[[1], [1], [7]], kind="int32"), given(5.0, 6.0, 7.0),
         expect=np.array([1.0, 6.0, 3.0]), expect_gradient=np.array([1.0, 0.0, 1.0]), name="the last one stays"),
    call(given(3.0, 2.0), In(values=[[0], [0]], kind="int32"), given(3.0, 3.0), "max", dtypes=WIDE,
         expect_gradient=np.array([1 / 3, 1.0]), name="ties"),
    call(In((3, 2)), In((0, 1), kind="int32"), In((0, 2)), name="nothing", dynamic=False),
    call(In((3,)), In((2, 1), 0, 3, kind="int32"), In((2,)), "mean", raises=ValueError, name="reduction")])
def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None) -> Any:
    """A tensor with updates at indices (Keras 3's ``scatter_update``).

    Args:
        inputs: a tensor.
        indices: integers ``(..., k)``, each row the first k coordinates of a position; those out of range are dropped.
        updates: ``(..., *inputs.shape[k:])``, cast to the dtype of ``inputs``.
        reduction: None replaces elements, the last update of a position wins; 'add', 'max', 'min' and 'mul' combine
            elements and updates. Equal extremes share the gradient.

    Returns:
        A tensor of the shape and dtype of ``inputs``.

    Raises:
        ValueError: shapes that do not fit, or another reduction.
        TypeError: indices that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import scatter_update
    >>> K.eval(scatter_update(K.constant([1, 2, 3]), K.constant([[1]], "int32"), K.constant([9]))).tolist()
    [1.0, 9.0, 3.0]
    """
    x = as_tensor(inputs)
    if reduction is not None and reduction not in _HOW:
        raise ValueError(f"scatter_update: the reduction must be None or one of {list(_HOW)}, it is {reduction!r}")
    dims = lengths(x)
    ids, new, count, rest = _scatter_parts(indices, updates, dims, "scatter_update")
    if dtype_of(new) != dtype_of(x):
        new = cast(new, dtype_of(x))
    if new.shape[0] == 0:
        return x
    old = reshape(x, [count, *rest])
    if reduction is None:
        rows = _replaced(old, ids, new, count)
    elif reduction == "add":
        rows = old + reduce_rows(new, ids, count, "sum")
    else:
        all_ids = concatenate_last([numbers(count), ids], 0)
        rows = reduce_rows(concatenate_last([old, new], 0), all_ids, count, _HOW[reduction])
    return reshape(rows, dims)


def _replaced(old: Any, ids: Any, new: Any, count: Any) -> Any:
    """The rows of ``old`` with those of ``new`` at their ids; of equal ids the last."""
    last = reduce_rows(numbers(length(ids, 0)), ids, count, "max")
    if new.shape[0] is None:  # there may be no update to gather
        new = pad_constant(new, ((0, 1), *[(0, 0)] * (len(new.shape) - 1)))
    is_new = reshape(last >= 0, [length(old, 0), *[1] * (len(old.shape) - 1)])
    return select_elements(is_new, gather(new, maximum(last, 0)), old)


@derived(samples=lambda: [
    call(In((3, 4)), (1, 0), In((2, 3)), dynamic=False), call(In((4, 3)), (2, 0), In((1, 3)), dynamic=False),
    call(In((4,)), [In((), kind="int32", values=1)], In((2,)), dynamic=False, name="symbolic"),
    call(In((3, 4)), (2, 0), In((2, 3)), raises=ValueError, dynamic=False, name="does not fit"),
    call(In((3, 4)), (0,), In((2, 3)), raises=ValueError, name="rank")])
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Any:
    """A tensor with a block replaced (Keras 3's ``slice_update``).

    Args:
        inputs: a tensor of rank n.
        start_indices: the position of the block, n integers or integer scalars.
        updates: the block, a tensor of rank n; it is cast to the dtype of ``inputs``.

    Returns:
        A tensor of the shape and dtype of ``inputs``.

    Raises:
        ValueError: another rank, or a block that does not fit where sizes are known.

    >>> from kbackend import K
    >>> from kbackend.ops import slice_update
    >>> K.eval(slice_update(K.constant([1, 2, 3]), [1], K.constant([9]))).tolist()
    [1.0, 9.0, 3.0]
    """
    x, block = as_tensor(inputs), as_tensor(updates)
    starts = entries(start_indices)
    if not len(starts) == len(x.shape) == len(block.shape):
        raise ValueError(f"slice_update: {len(starts)} starts and updates of shape {tuple(block.shape)} do not fit "
                         f"inputs of shape {tuple(x.shape)}")
    if dtype_of(block) != dtype_of(x):
        block = cast(block, dtype_of(x))
    return _with_block(x, starts, block, 0)


def _with_block(x: Any, starts: Sequence[Any], block: Any, axis: int) -> Any:
    """``x`` with the block from ``axis`` on; along the axes before it the block spans ``x``."""
    if axis == len(starts):
        return block
    start, size, count = starts[axis], length(x, axis), length(block, axis)
    if isinstance(start, int):
        if start < 0 or isinstance(size, int) and isinstance(count, int) and start + count > size:
            raise ValueError(f"slice_update: {count} elements at {start} do not fit axis {axis} of size {size}")
        if start == 0 and isinstance(size, int) and isinstance(count, int) and size == count:
            return _with_block(x, starts, block, axis + 1)
    stop = plus(start, count)
    middle = _with_block(part(x, axis, start, stop), starts, block, axis + 1)
    return concatenate_last([part(x, axis, 0, start), middle, part(x, axis, stop, None)], axis)


__all__ = ["scatter", "scatter_update", "slice_update"]
