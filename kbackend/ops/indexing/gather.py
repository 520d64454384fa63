"""Elements gathered by integer indices or selected by conditions."""

from __future__ import annotations

from typing import Any

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.reshape import flatten
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import select_elements


def _check_indices(indices: TensorSpec) -> None:
    if not dtypes.is_integer(indices.dtype):
        raise TypeError(f"indices must be integers, they are {indices.dtype}; cast them first")


def _gather_samples() -> list[Sample]:
    three = In((3, 2))
    return [
        call(In((5, 3)), In((4,), 0, 5, kind="int32"), name="rows"),
        call(In((5, 3)), In((2, 3), kind="int32", values=[[0, 4, 4], [1, 0, 4]]), name="repeated rows"),
        call(In((5,)), In((2, 2), 0, 5, kind="int64"), name="elements"),
        call(In((4, 2, 3)), In((), kind="int32", values=2), name="one row"),
        call(In((4, 2)), In((0,), kind="int32"), name="none"),
        call(In((4,), 0, 9, kind="int32"), In((3,), 0, 4, kind="int32"), name="int32", gradient=False),
        call(
            three,
            In((2,), kind="int32", values=[0, 3]),
            name="too large",
            row=27,
            raises=IndexError,
            dynamic=False,
        ),
        call(
            three,
            In((2,), kind="int32", values=[0, -1]),
            name="negative",
            row=27,
            raises=IndexError,
            dynamic=False,
        ),
        call(
            In((5,)),
            In((2, 2), kind="int32", values=[[0, 5], [1, 2]]),
            name="element too large",
            row=27,
            raises=IndexError,
            dynamic=False,
        ),
    ]


@primitive(takes_complex=True, tolerance="moving", samples=_gather_samples)
def gather(reference: TensorLike, indices: TensorLike) -> TensorSpec:
    """Gather slices along the first axis (Keras's ``K.gather``).

    Args:
        reference: a tensor ``(n, ...)``.
        indices: an integer tensor of any shape with values in [0, n).

    Returns:
        A tensor of shape ``indices.shape + reference.shape[1:]`` and the dtype of ``reference``.

    Raises:
        IndexError: an index out of [0, n). On an accelerator the result is NaN instead, because the check would make
            the host wait for the device.
        TypeError: indices that are not integers.
        ValueError: a scalar ``reference``.

    >>> from kbackend import K
    >>> K.eval(K.gather(K.constant([[1, 2], [3, 4], [5, 6]]), [2, 0])).tolist()
    [[5.0, 6.0], [1.0, 2.0]]
    """
    if reference.ndim == 0:
        raise ValueError("a scalar has no rows")
    _check_indices(indices)
    return TensorSpec((*indices.shape, *reference.shape[1:]), reference.dtype)


def _prepare_along(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim)}


@primitive(takes_complex=True, name="take_along_axis",
    prepare=_prepare_along,
    tolerance="moving",
    samples=lambda: [
        call(In((3, 4)), In((3, 2), 0, 4, kind="int32"), axis=-1),
        call(In((3, 4)), In((2, 4), 0, 3, kind="int64"), axis=0),
    ],
)
def take_along(x: TensorLike, indices: TensorLike, axis: int = -1) -> TensorSpec:
    """Elements along an axis, selected by integers of the same rank.

    Args:
        x: a tensor of rank 1 or more, of size n along the axis.
        indices: an integer tensor with values in [0, n); its other dimensions are equal to those of ``x``.
        axis: the axis.

    Returns:
        A tensor of the shape of ``indices``.

    Raises:
        ValueError: another rank, or other dimensions that differ.
        TypeError: indices that are not integers.

    >>> from kbackend import K
    >>> K.eval(K.take_along_axis(K.constant([[1, 2], [3, 4]]), [[1], [0]], 1)).tolist()
    [[2.0], [3.0]]
    """
    _check_indices(indices)
    if indices.ndim != x.ndim:
        raise ValueError(f"the indices have rank {indices.ndim}, the tensor has rank {x.ndim}")
    for i, (a, b) in enumerate(zip(x.shape, indices.shape)):
        if i != axis and a is not None and b is not None and a != b:
            raise ValueError(f"the shapes {x.shape} and {indices.shape} differ outside axis {axis}")
    return TensorSpec(indices.shape, x.dtype)


def from_start(indices: Any, size: Any) -> Any:
    """Indices of an axis of some size, negative ones counted from the start."""
    indices = lift(indices)
    return select_elements(indices < 0, indices + size, indices)


def _broadcast_outside(x: Any, indices: Any, axis: int) -> tuple[Any, Any]:
    """Both tensors, broadcast against each other along all axes but one."""
    pairs = [(m, n) if a != axis else (None, None) for a, (m, n) in enumerate(zip(x.shape, indices.shape))]
    return (_expanded(x, indices, [m == 1 and n != 1 for m, n in pairs]),
            _expanded(indices, x, [n == 1 and m != 1 for m, n in pairs]))


def _expanded(x: Any, other: Any, axes: list[bool]) -> Any:
    """``x`` repeated along the marked axes to the sizes of another tensor."""
    if not any(axes):
        return x
    return broadcast_to(x, [length(other if marked else x, a) for a, marked in enumerate(axes)])


@derived(tolerance="moving", samples=lambda: [
    call(In((3, 4)), In((3, 2), -4, 4, kind="int32"), 1), call(In((2, 3)), In((5,), -6, 6, kind="int32"), dynamic=False,
                                                               name="all elements"),
    call(In((3, 4)), In((1, 4), 0, 3, kind="int64"), 0, dynamic=False, name="one row"),
    call(In((1, 4)), In((3, 2), 0, 4, kind="int32"), -1, dynamic=False, name="broadcasting"),
    call(In((3, 4)), In((3,), kind="int32"), 1, raises=ValueError, dynamic=False, name="rank"),
    call(In((3, 4)), In((3, 1)), 1, raises=TypeError, name="floats")])
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Elements along an axis, selected by integers of the same rank (NumPy's ``take_along_axis``).

    Args:
        x: a tensor of size n along the axis.
        indices: integers in [-n, n); their other dimensions broadcast with those of ``x``.
        axis: the axis; None flattens both tensors.

    Returns:
        A tensor of the shape of ``indices`` after broadcasting.

    Raises:
        ValueError: another rank, shapes that do not broadcast, or an axis out of range.
        TypeError: indices that are not integers.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.take_along_axis([[3, 1], [4, 2]], [[-1], [0]], 1)).tolist()
    [[1], [4]]
    """
    x, indices = as_tensor(x), as_tensor(indices)
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"indices must be integers, they are {dtype_of(indices)}; cast them first")
    if axis is None:
        x, indices, axis = flatten(x), flatten(indices), 0
    axis = axis_in(axis, len(x.shape))
    if len(x.shape) != len(indices.shape):
        raise ValueError(f"the indices have rank {len(indices.shape)}, the tensor has rank {len(x.shape)}")
    x, indices = _broadcast_outside(x, indices, axis)
    return take_along(x, from_start(indices, cast(length(x, axis), dtype_of(indices))), axis)


@derived(samples=lambda: [
    call(In((5, 3)), In((2, 2), 0, 5, kind="int32"), 0), call(In((2, 4)), In((3,), -4, 4, kind="int32"), -1),
    call(In((2, 3)), In((2,), 0, 6, kind="int32"), name="elements"), call(In((2, 3)), 1, 1, name="one"),
    call(In((2, 3)), In((2,), kind="int32", values=[0, 1]), 2, raises=ValueError, name="axis"),
    call(In((2, 3)), In((2,)), 0, raises=TypeError, name="floats")])
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Elements, or slices along an axis, selected by integers (NumPy's ``take``).

    Args:
        x: a tensor of size n along the axis.
        indices: integers of any shape in [-n, n); negative ones count from the end.
        axis: the axis; None takes elements of the flattened tensor.

    Returns:
        A tensor of the shape of ``x`` with the dimension at ``axis`` replaced by the shape of ``indices``.

    Raises:
        IndexError: an index out of range, as in :func:`gather`.
        ValueError: an axis out of range.
        TypeError: indices that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import take
    >>> K.eval(take(K.constant([[1, 2, 3]]), [2, -3], axis=1)).tolist()
    [[3.0, 1.0]]
    """
    x, indices = as_tensor(x), as_tensor(indices)
    if axis is None:
        x, axis = flatten(x), 0
    axis = axis_in(axis, len(x.shape))
    if not dtypes.is_integer(dtype_of(indices)):
        raise TypeError(f"indices must be integers, they are {dtype_of(indices)}; cast them first")
    if dtype_of(indices) != "int64":
        indices = cast(indices, "int32")
    indices = from_start(indices, length(x, axis))
    if axis == 0:
        return gather(x, indices)
    rank, new = len(x.shape), len(indices.shape)
    slices = gather(moveaxis(x, axis, 0), indices)
    return moveaxis(slices, list(range(new)), list(range(axis, axis + new))) if new and rank > 1 else slices


@derived(samples=lambda: [
    call(In((3,), 0, 6, kind="int32"), (2, 3), gradient=False), call(In((), kind="int32", values=5), (6,), name="one"),
    call(In((2,)), (2, 3), raises=TypeError, name="floats"), call(In((2,), kind="int32"), (-2, 3), raises=ValueError)])
def unravel_index(indices: TensorLike, shape: Any) -> list[Any]:
    """The coordinates of elements from their positions in the flattened tensor (NumPy's ``unravel_index``).

    Args:
        indices: integers in [0, number of elements); others give coordinates out of range.
        shape: the shape of the tensor, integers.

    Returns:
        A list of tensors of the shape and dtype of ``indices``, one for each dimension.

    Raises:
        ValueError: a negative dimension.
        TypeError: indices that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import unravel_index
    >>> [K.eval(t).tolist() for t in unravel_index(K.constant([1, 5], "int32"), (2, 3))]
    [[0, 1], [1, 2]]
    """
    x = as_tensor(indices)
    dims = [integer(d, "a dimension") for d in (shape if isinstance(shape, (list, tuple)) else [shape])]
    if not dtypes.is_integer(dtype_of(x)):
        raise TypeError(f"indices must be integers, they are {dtype_of(x)}")
    if any(d < 0 for d in dims):
        raise ValueError(f"a shape has no negative dimensions, it is {tuple(dims)}")
    coordinates: list[Any] = []
    for d in reversed(dims[1:]):
        coordinates.insert(0, x % max(d, 1))
        x = x // max(d, 1)
    return [x, *coordinates] if dims else []


@derived(samples=lambda: [
    call([In((2, 3), kind="bool"), In((3,), kind="bool")], [In((2, 3)), In((2, 3))], 0.5),
    call([In((3,), kind="bool")], [In((3,))], name="one"), call([], [], raises=ValueError, name="none"),
    call([In((3,), kind="bool")], [In((3,)), In((3,))], raises=ValueError, name="numbers")])
def select(condlist: Any, choicelist: Any, default: TensorLike = 0) -> Any:
    """The first of several tensors whose condition is True, element by element (NumPy's ``select``).

    Args:
        condlist: a list of bool tensors.
        choicelist: a list of as many tensors.
        default: a tensor or number, used where no condition is True.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        ValueError: no conditions, another number of choices, or shapes that do not broadcast.
        TypeError: a condition that is not bool.

    >>> from kbackend import K
    >>> from kbackend.ops import select
    >>> x = K.constant([1, 2, 3])
    >>> K.eval(select([x < 2, x < 3], [x * 10, x * 100], -1)).tolist()
    [10.0, 200.0, -1.0]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    result: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        result = select_elements(condition, choice, result)
    return result


__all__ = ["select", "take", "take_along_axis", "unravel_index"]
