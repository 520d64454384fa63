"""Tensors joined along an existing or a new axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.declare import static_values
from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in, merge
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, flatten
from kbackend.ops.arrays.split import unstack_parts
from kbackend.ops.core.arguments import as_tensor, ranked


def listed(tensors: Any, what: str) -> Sequence[Any]:
    """A list of tensors; numbers and lists in it become arrays, so that the list is not taken for one tensor.

    Raises:
        TypeError: no list, or an empty one.
    """
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{what} needs a list of tensors, not {tensors!r}")
    if not tensors:
        raise TypeError(f"{what} needs a non-empty list of tensors")
    if any(isinstance(t, Tensor) for t in tensors):
        return tensors
    return [to_numpy(t) if isinstance(t, (bool, int, float, list, tuple)) else t for t in tensors]


def _prepare_join(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim)}


@primitive(
    static_value=static_values.concatenated,
    takes_complex=True,
    name="concatenate",
    prepare=_prepare_join,
    promote="same",
    tolerance="moving",
    samples=lambda: [
        call([In((2, 3)), In((2, 1))]),
        call([In((2, 3)), In((1, 3)), In((0, 3))], 0, dynamic=False),
        call([In((2, 3))], name="one"),
        call([In((2, 1, 3)), In((2, 2, 3))], -2),
        call([In((2, 3)), In((2, 3))], 2, name="axis", raises=ValueError),
        call([In((2, 3)), In((3, 2))], 0, name="shapes", raises=ValueError),
    ],
)
def _concatenate(tensors: TensorList, axis: int = -1) -> TensorSpec:
    """Tensors joined along an axis."""
    first = tensors[0]
    rest = tuple(d for i, d in enumerate(first.shape) if i != axis)
    total: int | None = 0
    for t in tensors:
        if t.ndim != first.ndim:
            raise ValueError(f"all tensors must have the same rank, they have {[s.ndim for s in tensors]}")
        try:
            rest = merge(rest, tuple(d for i, d in enumerate(t.shape) if i != axis))
        except ValueError:
            shapes = ", ".join(str(s.shape) for s in tensors)
            raise ValueError(f"the shapes {shapes} differ outside axis {axis}") from None
        total = None if total is None or t.shape[axis] is None else total + t.shape[axis]
    return TensorSpec((*rest[:axis], total, *rest[axis:]), first.dtype)


@derived(
    samples=lambda: [
        call([In((2, 3)), In((2, 1))]),
        call([In((2, 3)), In((2, 3))], axis=0, dynamic=False),
        call([In((2,), 0, 9, kind="int32"), In((2,))], name="promotion"),
        call([], name="none", raises=TypeError),
    ]
)
def concatenate_last(tensors: TensorList, axis: int = -1) -> Any:
    """Join tensors along an axis (Keras's ``K.concatenate``).

    Args:
        tensors: a list of tensors of one rank whose shapes differ along ``axis`` at most; dtypes are promoted.
        axis: the axis.

    Returns:
        A tensor; a sparse one if all are sparse.

    Raises:
        TypeError: no list, or an empty one.
        ValueError: different ranks, other dimensions that differ, or an axis out of range.

    >>> from kbackend import K
    >>> K.eval(K.concatenate([K.constant([[1], [2]]), K.constant([[3], [4]])])).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    tensors = listed(tensors, "concatenate")
    for tensor in tensors:
        if getattr(tensor, "is_sparse", False) is True:
            return tensor.joined(tensors, axis)
    return _concatenate(tensors, axis)


def _prepare_stack(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0][0].ndim + 1)}


@primitive(
    static_value=static_values.stacked,
    takes_complex=True,
    name="stack",
    prepare=_prepare_stack,
    promote="same",
    tolerance="moving",
    samples=lambda: [
        call([In((2, 3)), In((2, 3))]),
        call([In((2, 3)), In((2, 3))], -1),
        call([In(()), In(())]),
        call([In((2, 3)), In((2, 4))], name="shapes", raises=ValueError),
    ],
)
def stack_tensors(x: TensorList, axis: int = 0) -> TensorSpec:
    """Tensors of one shape joined along a new axis."""
    common = x[0].shape
    for t in x:
        try:
            common = merge(common, t.shape)
        except ValueError:
            raise ValueError(f"the shapes {', '.join(str(s.shape) for s in x)} differ") from None
    return TensorSpec((*common[:axis], len(x), *common[axis:]), x[0].dtype)


@derived(
    samples=lambda: [
        call([In((2, 3)), In((2, 3))]),
        call([In((2,)), In((2,))], axis=-1),
        call([], name="none", raises=TypeError),
    ]
)
def stack(x: TensorList, axis: int = 0) -> Any:
    """Join tensors of one shape along a new axis (NumPy's ``stack``).

    Args:
        x: a list of tensors or numbers; dtypes are promoted.
        axis: the position of the new axis in the result.

    Returns:
        A tensor of their shape with an axis more, as long as the list.

    Raises:
        TypeError: no list, or an empty one.
        ValueError: shapes that differ, or an axis out of range.

    >>> from kbackend import K
    >>> K.eval(K.stack([K.constant([1, 2]), K.constant([3, 4])], axis=1)).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    return stack_tensors(listed(x, "stack"), axis)


@derived(samples=lambda: [
    call([In((2, 3)), In((2, 3))], dynamic=False), call([In((2, 3)), In((2, 1))], 1),
    call([In((2, 3)), In((2, 2))], raises=ValueError, name="shapes")])
def concatenate(xs: TensorList, axis: int = 0) -> Any:
    """Join tensors along an axis, by default the first (NumPy's ``concatenate``).

    Arguments, result and errors as in :func:`kbackend.backend.concatenate`.

    Args:
        xs: a list of tensors whose shapes differ at most along the axis.

    >>> from kbackend import K
    >>> from kbackend.ops import concatenate
    >>> K.eval(concatenate([K.constant([1]), K.constant([2, 3])])).tolist()
    [1.0, 2.0, 3.0]
    """
    return concatenate_last(xs, axis)


@derived(samples=lambda: [
    call(In((2, 3)), In((2,)), name="all elements"), call(In((2, 3)), In((2, 1)), axis=-1),
    call(In((0, 3)), In((2, 3)), axis=0, dynamic=False, name="empty"),
    call(In((2, 3)), In((3, 2)), axis=0, raises=ValueError, name="shapes")])
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Any:
    """Append ``x2`` to ``x1`` (NumPy's ``append``).

    Args:
        x1, x2: tensors of one rank whose shapes differ along ``axis`` at most; dtypes are promoted.
        axis: the axis; None joins the flattened tensors, which may have any shapes.

    Raises:
        ValueError: different ranks, other dimensions that differ, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import append
    >>> K.eval(append(K.constant([[1, 2]]), K.constant([3]))).tolist()
    [1.0, 2.0, 3.0]
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if axis is None:
        return concatenate_last([flatten(x1), flatten(x2)], 0)
    return concatenate_last([x1, x2], axis)


def _operands(xs: Any, name: str) -> list[Any]:
    """The tensors to join; a tensor in place of a list is taken apart along its first axis."""
    if not isinstance(xs, (list, tuple)):
        return list(unstack_parts(ranked(xs, 1, name), 0))
    if not xs:
        raise ValueError(f"{name} needs one tensor or more")
    return [as_tensor(x) for x in xs]


def _at_least(x: Any, rank: int, places: Sequence[int]) -> Any:
    """``x`` with dimensions of 1 inserted up to a rank; ``places[r]`` is the axis inserted at rank ``r``."""
    while len(x.shape) < rank:
        x = expand_dims(x, places[len(x.shape)])
    return x


@derived(samples=lambda: [
    call([In((2, 3)), In((2, 1))]), call([In((2,)), In((3,))], dynamic=False, name="vectors"),
    call([In(()), In(())], name="scalars"), call([In((2, 3)), In((3, 3))], raises=ValueError, name="shapes")])
def hstack(xs: TensorList) -> Any:
    """Join tensors along axis 1, vectors along axis 0 (NumPy's ``hstack``).

    Args:
        xs: a list of tensors, or a tensor that is taken apart along its first axis. Scalars become vectors.

    Raises:
        ValueError: no tensors, or other dimensions that differ.

    >>> from kbackend import K
    >>> from kbackend.ops import hstack
    >>> K.eval(hstack([K.constant([1]), K.constant([2, 3])])).tolist()
    [1.0, 2.0, 3.0]
    """
    tensors = [_at_least(x, 1, (0,)) for x in _operands(xs, "hstack")]
    return concatenate_last(tensors, 0 if len(tensors[0].shape) == 1 else 1)


@derived(samples=lambda: [
    call([In((2, 3)), In((1, 3))], dynamic=False), call([In((3,)), In((3,))], name="vectors"),
    call([In((2, 3)), In((2, 2))], raises=ValueError, name="shapes")])
def vstack(xs: TensorList) -> Any:
    """Join tensors along axis 0, vectors as rows of a matrix (NumPy's ``vstack``).

    Arguments and errors as in :func:`hstack`.

    >>> from kbackend import K
    >>> from kbackend.ops import vstack
    >>> K.eval(vstack([K.constant([1, 2]), K.constant([3, 4])])).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return concatenate_last([_at_least(x, 2, (0, 0)) for x in _operands(xs, "vstack")], 0)


@derived(samples=lambda: [
    call([In((2, 3)), In((2, 3))]), call([In((3,)), In((3,))], name="vectors"),
    call([In((2, 3, 1)), In((2, 3, 2))], name="rank 3"), call([], raises=ValueError, name="none")])
def dstack(xs: TensorList) -> Any:
    """Join tensors along axis 2, with a new last axis for vectors and matrices (NumPy's ``dstack``).

    Arguments and errors as in :func:`hstack`.

    >>> from kbackend import K
    >>> from kbackend.ops import dstack
    >>> K.eval(dstack([K.constant([1, 2]), K.constant([3, 4])])).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """
    return concatenate_last([_at_least(x, 3, (0, 0, 2)) for x in _operands(xs, "dstack")], 2)


__all__ = ["append", "concatenate", "dstack", "hstack", "stack", "vstack"]
