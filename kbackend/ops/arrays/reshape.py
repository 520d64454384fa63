"""Shapes, numbers of elements, and the same elements in another shape."""

from __future__ import annotations

from typing import Any

from kbackend.declare import static_values
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axes_in, axis_in, canonical_axis, product
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries
from kbackend.ops.core.arguments import as_tensor, shape_of


@primitive(
    static_value=static_values.of_shape,
    takes_complex=True,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 4, 1)), name="empty")],
)
def shape(x: TensorLike) -> TensorSpec:
    """The shape as an int32 vector.

    Args:
        x: a tensor of any dtype.

    Returns:
        A vector. Sizes of ``x`` that are known stay known in shapes made from its elements.

    >>> from kbackend import K
    >>> x = K.placeholder((None, 3, 4))
    >>> K.int_shape(K.reshape(x, [K.shape(x)[0], 12]))
    (None, 12)
    """
    return TensorSpec((x.ndim,), "int32")


def _prepare_axes(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axes": axes_in(attrs["axes"], specs[0].ndim)}


@primitive(
    static_value=static_values.of_extent,
    takes_complex=True,
    prepare=_prepare_axes,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [call(In((2, 3))), call(In((2, 3)), (-1,)), call(In((2, 0, 3)), (0, 2)), call(In(()))],
)
def extent(x: TensorLike, axes: Any = None) -> TensorSpec:
    """The product of the sizes along axes, by default all, as an int32 scalar."""
    return TensorSpec((), "int32")


@derived(samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 3)))])
def size(x: TensorLike, name: str | None = None) -> Any:
    """The number of elements as an int32 scalar (NumPy's ``size``).

    Args:
        x: a tensor of any dtype, of any shape.
        name: accepted as by Keras, without effect.

    >>> from kbackend import K
    >>> int(K.size(K.zeros((2, 3))))
    6
    """
    return extent(x, None)


def _prepare_reshape(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(int(d) for d in attrs["shape"])}


def _reshaped(old: Shape, new: Shape) -> Shape:
    """The shape of the result; in ``new`` None is an unknown dimension and -1 is inferred.

    Raises:
        ValueError: an invalid shape, or another number of elements.
    """
    if any(d is not None and d < -1 for d in new) or new.count(-1) > 1:
        raise ValueError(f"the shape {new} must hold sizes and at most one -1")
    total, known = product(old), product(d for d in new if d is not None and d != -1)
    assert known is not None
    if None in new:
        return tuple(None if d == -1 else d for d in new)
    if -1 in new:
        if known == 0:
            raise ValueError(f"-1 in {new} cannot be inferred beside a dimension of 0")
        if total is not None and total % known:
            raise ValueError(f"{total} elements of shape {old} do not fit the shape {new}")
        return tuple((None if total is None else total // known) if d == -1 else d for d in new)
    if total is not None and total != known:
        raise ValueError(f"{total} elements of shape {old} do not fit the shape {new}")
    return new


@primitive(
    static_value=static_values.reshaped,
    takes_complex=True,
    name="reshape",
    prepare=_prepare_reshape,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 6)), (-1, 4)),
        call(In((2, 3)), (6,)),
        call(In((1,)), ()),
        call(In((0, 3)), (-1, 3), name="empty"),
        call(In((2, 3)), (4, -1), name="does not fit", raises=ValueError, dynamic=False),
    ],
)
def _reshape(x: TensorLike, shape: Any) -> TensorSpec:
    """``x`` with another shape of integers, at most one of them -1."""
    return TensorSpec(_reshaped(x.shape, shape), x.dtype)


@primitive(
    takes_complex=True,
    name="reshape_to",
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 6)), [In((), kind="int32", values=3)], (None, 4)),
        call(In((2, 6)), [In((), kind="int32", values=2)], (None, -1, 3)),
    ],
)
def _reshape_to(x: TensorLike, sizes: TensorList, shape: Any) -> TensorSpec:
    """``x`` with another shape, whose None are given by ``sizes``, integer scalars, in order."""
    check_sizes(sizes, shape)
    return TensorSpec(_reshaped(x.shape, shape), x.dtype)


@derived(
    spellings={"newshape": "shape"},
    samples=lambda: [
        call(In((2, 6)), (-1, 4)),
        call(In((2, 6)), [In((), kind="int32", values=3), 4], name="a symbolic size"),
        call(In((2, 6)), 12, name="int"),
        call(In((2, 3)), In((2,), kind="int32", values=[3, 2]), name="a vector", dynamic=False),
        call(In((2, 3)), (4, 2), name="does not fit", raises=ValueError, dynamic=False),
    ]
)
def reshape(x: TensorLike, shape: Any) -> Any:
    """``x`` with another shape (NumPy's ``reshape``).

    Args:
        x: a tensor of any dtype.
        shape: integers, at most one of them -1, which is inferred; integer scalars such as ``K.shape(x)[0]``; or an
            integer vector such as ``K.shape(y)``.

    Returns:
        A tensor with the same elements in the same order.

    Raises:
        ValueError: another number of elements, or more than one -1.
        TypeError: a dimension that is not an integer.

    >>> from kbackend import K
    >>> K.int_shape(K.reshape(K.placeholder((None, 2, 3)), (-1, 6)))
    (None, 6)
    """
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if len(sizes) == 1 and -1 not in pattern and _inferable(x, sizes[0], pattern):
        return _reshape(x, tuple(-1 if d is None else d for d in pattern))
    return _reshape_to(x, sizes, pattern) if sizes else _reshape(x, pattern)


def _inferable(x: Any, size: Tensor, pattern: Shape) -> bool:
    """Whether ``size`` is the only unknown dimension of ``x`` and the others fit, so that -1 gives the same shape."""
    if not isinstance(x, Tensor) or size.node.op is not extent.op or size.node.args[0] is not x:
        return False
    axes = size.node.attrs["axes"]
    rest = product(d for i, d in enumerate(x.shape) if i not in axes)
    return rest is not None and rest > 0 and rest == product(d for d in pattern if d is not None)


@derived(samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 3)))])
def flatten(x: TensorLike) -> Any:
    """``x`` as a vector (Keras's ``K.flatten``).

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> K.int_shape(K.flatten(K.placeholder((2, 3))))
    (6,)
    """
    return _reshape(x, (-1,))


@derived(
    samples=lambda: [
        call(In((2, 3, 4))),
        call(In((3,))),
        call(In((0, 3, 2))),
        call(In((2, 0, 3)), dynamic=False),
        call(In(()), name="scalar", raises=ValueError),
    ]
)
def batch_flatten(x: TensorLike) -> Any:
    """``x`` with all axes but the first joined (Keras's ``K.batch_flatten``).

    Args:
        x: a tensor of rank 1 or more.

    Returns:
        A matrix.

    Raises:
        ValueError: a scalar.

    >>> from kbackend import K
    >>> K.int_shape(K.batch_flatten(K.placeholder((None, 2, 3))))
    (None, 6)
    """
    old = shape_of(x)
    if not old:
        raise ValueError("batch_flatten needs a tensor of rank 1 or more")
    rest = product(old[1:])
    if rest:
        return _reshape(x, (-1, rest))
    if rest == 0 and old[0] is not None:
        return _reshape(x, (old[0], 0))
    if rest == 0:
        return _reshape_to(x, [extent(x, (0,))], (None, 0))
    return _reshape_to(x, [extent(x, (0,)), extent(x, range(1, len(old)))], (None, None))



def _prepare_expand(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "axis": axis_in(attrs["axis"], specs[0].ndim + 1)}


@primitive(
    static_value=static_values.reshaped,
    takes_complex=True,
    prepare=_prepare_expand,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3))),
        call(In((2, 3)), 0),
        call(In(())),
        call(In((2, 3)), -2),
        call(In((2,)), 2, name="out of range", raises=ValueError),
    ],
)
def expand_dims(x: TensorLike, axis: int = -1) -> TensorSpec:
    """``x`` with a new axis of size 1 (NumPy's ``expand_dims``).

    Args:
        x: a tensor of any dtype, of any shape.
        axis: the position of the new axis in the result.

    Raises:
        ValueError: an axis out of range.

    >>> from kbackend import K
    >>> K.int_shape(K.expand_dims(K.placeholder((None, 3)), 1))
    (None, 1, 3)
    """
    return TensorSpec((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)


@primitive(takes_complex=True, name="squeeze", static_value=static_values.reshaped,
    prepare=canonical_axis,
    view=True,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 1, 3)), 1),
        call(In((1,)), 0, dynamic=False),
        call(In((2, 1)), -1),
        call(In((2, 3)), 1, name="not 1", raises=ValueError),
    ],
)
def squeeze_axis(x: TensorLike, axis: int) -> TensorSpec:
    """``x`` without an axis of size 1 (Keras's ``K.squeeze``).

    Args:
        x: a tensor of any dtype, of any shape.
        axis: the axis.

    Raises:
        ValueError: an axis of another size, or out of range.

    >>> from kbackend import K
    >>> K.int_shape(K.squeeze(K.placeholder((None, 1, 3)), 1))
    (None, 3)
    """
    if x.shape[axis] not in (1, None):
        raise ValueError(f"axis {axis} has size {x.shape[axis]}, only a dimension of 1 can be removed")
    return TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)


@derived(samples=lambda: [
    call(In((2, 1, 3, 1))), call(In((2, 1, 3, 1)), (1, -1), name="axes"), call(In((2, 3)), 1, raises=ValueError)])
def squeeze(x: TensorLike, axis: Any = None) -> Any:
    """``x`` without axes of size 1 (NumPy's ``squeeze``).

    Args:
        x: a tensor of any dtype, of any shape.
        axis: an axis or several; None for all that are known to have size 1.

    Raises:
        ValueError: an axis of another size, out of range or repeated.

    >>> from kbackend import K
    >>> from kbackend.ops import squeeze
    >>> K.int_shape(squeeze(K.zeros((1, 2, 1))))
    (2,)
    """
    x = as_tensor(x)
    axes = [i for i, d in enumerate(x.shape) if d == 1] if axis is None else axes_in(axis, len(x.shape))
    for a in sorted(axes, reverse=True):
        x = squeeze_axis(x, a)
    return x


@derived(samples=lambda: [call(In((2, 3))), call(In(())), call(In((0, 3)))])
def ravel(x: TensorLike) -> Any:
    """``x`` as a vector (NumPy's ``ravel``).

    Args:
        x: a tensor of any shape and dtype.

    >>> from kbackend import K
    >>> from kbackend.ops import ravel
    >>> K.eval(ravel(K.constant([[1, 2], [3, 4]]))).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    return flatten(x)


__all__ = ["expand_dims", "ravel", "reshape", "shape", "size", "squeeze"]
