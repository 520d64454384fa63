"""Tensors of one value, tensors like others, and identity matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, make_node
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorLike, TensorList
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.dims import lengths
from kbackend.ops.arrays.sizes import check_sizes, entries, split_entries
from kbackend.ops.core.arguments import as_tensor, chosen_dtype, integer
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant


def _prepare_fill(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {
        **attrs,
        "dtype": dtypes.canonical(attrs["dtype"]),
        "shape": tuple(attrs["shape"]),
        "value": float(attrs["value"]),
    }


@primitive(
    prepare=_prepare_fill,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call([In((), kind="int32", values=3)], (None, 2), 1.5, "float32"),
        call([In((), kind="int32", values=0)], (2, None), 1, "int32", name="empty"),
    ],
)
def fill(sizes: TensorList, shape: Any, value: float, dtype: str, name: str | None = None) -> TensorSpec:
    """A tensor of one value.

    Args:
        sizes: integer scalars, the sizes along the axes for which ``shape`` has None.
        shape: integers, and None for each size that is a tensor.
        value: the value of every element.
        dtype: the dtype of the result.
        name: the name of the result.
    """
    check_sizes(sizes, shape)
    return TensorSpec(tuple(shape), dtype)


def filled_variable(shape: Any, value: float, dtype: str, name: str | None) -> Any:
    """A variable of one value; a tensor where a dimension is symbolic (Keras's ``zeros`` and ``ones``).

    Raises:
        ValueError: a negative dimension.
    """
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if any(d is not None and d < 0 for d in pattern):
        raise ValueError(f"a shape has no negative dimensions, it is {pattern}")
    if sizes:
        return fill(sizes, pattern, value, dtype, name)
    numpy_dtype = dtypes.numpy_dtype(dtype)
    dims = _known(pattern)
    return Variable(lambda: np.full(dims, value, numpy_dtype), dims, dtype, name)


def _known(pattern: Shape) -> tuple[int, ...]:
    return tuple(d for d in pattern if d is not None)


@derived(samples=lambda: [call((2, 3), 1.5), call([2], -3, dtype="int32"), call((2, 0), 1.0)])
def filled_with(shape: Any, value: float, dtype: Any = None) -> Any:
    """A constant of one value.

    Args:
        shape: an integer, or a list of integers and integer scalars, symbolic or not.
        value: a number.
        dtype: floatx when None.

    Raises:
        ValueError: a negative dimension.

    >>> from kbackend import K
    >>> K.eval(K.full((2,), 1.5)).tolist()
    [1.5, 1.5]
    """
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    dtype = chosen_dtype(dtype)
    if sizes:
        return fill(sizes, pattern, value, dtype)
    return fresh_constant(np.full(_known(pattern), value, dtypes.numpy_dtype(dtype)))


def fresh_constant(array: np.ndarray) -> Any:
    """A symbolic constant of the dtype of an array."""
    return make_node(REGISTRY["constant"], (), {"value": array, "name": None})


def _prepare_like(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    dtype = specs[0].dtype if attrs["dtype"] is None else dtypes.canonical(attrs["dtype"])
    return {**attrs, "dtype": dtype, "value": float(attrs["value"])}


@primitive(takes_complex=True, name="full_like",
    prepare=_prepare_like,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3)), 2.5),
        call(In((0, 2)), 0),
        call(In((2,), kind="int32"), 1, "float32"),
        call(In((2,), kind="bool"), 1),
    ],
)
def fill_like(x: TensorLike, value: float, dtype: Any = None, name: str | None = None) -> TensorSpec:
    """A tensor of one value with the shape of ``x``.

    Args:
        x: a tensor of any shape and dtype.
        value: a number.
        dtype: that of ``x`` when None.
        name: the name of the result.
    """
    return TensorSpec(x.shape, dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2,), kind="int32")), call(In((0, 2)), dtype="int32")])
def zeros_like(x: TensorLike, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros with the shape of ``x``.

    Args:
        x: a tensor of any shape and dtype.
        dtype: that of ``x`` when None.
        name: the name of the result.

    >>> from kbackend import K
    >>> K.eval(K.zeros_like(K.constant([1, 2]))).tolist()
    [0.0, 0.0]
    """
    return fill_like(x, 0, dtype, name)


@derived(samples=lambda: [call(In((2, 3))), call(In((2,), kind="bool"), dtype="float32")])
def ones_like(x: TensorLike, dtype: Any = None, name: str | None = None) -> Any:
    """Ones with the shape of ``x``. Arguments as in :func:`zeros_like`.

    >>> from kbackend import K
    >>> K.eval(K.ones_like(K.constant([1, 2]), dtype="bool")).tolist()
    [True, True]
    """
    return fill_like(x, 1, dtype, name)


@derived(samples=lambda: [call(3), call(2, "int32"), call(0)])
def identity_matrix(n: int, dtype: Any = None) -> Any:
    """The identity matrix (NumPy's ``identity``).

    Args:
        n: the number of rows and of columns.
        dtype: floatx when None.

    Returns:
        A tensor ``(n, n)``.

    Raises:
        TypeError: ``n`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import identity
    >>> K.eval(identity(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


@derived(samples=lambda: [call(3), call(2, 4, 1, "int32"), call(0), call(3, k=-1)])
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on one diagonal and zeros elsewhere (NumPy's ``eye``).

    Args:
        N: the number of rows.
        M: the number of columns; ``N`` when None.
        k: the diagonal: 0 is the main one, positive numbers are above it.
        dtype: floatx when None.

    Returns:
        A tensor ``(N, M)``.

    Raises:
        TypeError: a size or ``k`` that is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import eye
    >>> K.eval(eye(2, k=1)).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    rows = integer(N, "the number of rows")
    columns = rows if M is None else integer(M, "the number of columns")
    return constant(np.eye(rows, columns, integer(k, "the number of the diagonal")), dtype=dtype)


@derived(samples=lambda: [call((2, 3)), call(2, "int32"), call((-1,), raises=ValueError)])
def zeros(shape: Any, dtype: Any = None) -> Any:
    """A constant of zeros (NumPy's ``zeros``); ``K.zeros`` makes a variable.

    Args:
        shape: an integer, or a list of integers and integer scalars, symbolic or not.
        dtype: floatx when None.

    Raises:
        ValueError: a negative dimension.

    >>> from kbackend import K
    >>> from kbackend.ops import zeros
    >>> K.eval(zeros((2,))).tolist()
    [0.0, 0.0]
    """
    return filled_with(shape, 0, dtype)


@derived(samples=lambda: [call((2, 3)), call(2, "int32"), call((-1,), raises=ValueError)])
def ones(shape: Any, dtype: Any = None) -> Any:
    """A constant of ones (NumPy's ``ones``); ``K.ones`` makes a variable. Arguments and errors as in :func:`zeros`.

    >>> from kbackend import K
    >>> from kbackend.ops import ones
    >>> K.eval(ones((2,))).tolist()
    [1.0, 1.0]
    """
    return filled_with(shape, 1, dtype)


@derived(samples=lambda: [
    call((2, 3), 1.5), call(2, -3, "int32"), call((2, 3), In((3,)), name="tensor"),
    call((2, 3), In((2,)), raises=ValueError, name="shapes")])
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one value, or of a tensor broadcast to a shape (NumPy's ``full``).

    Args:
        shape: an integer, or a list of integers and integer scalars, symbolic or not.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: floatx when None.

    Raises:
        ValueError: ``fill_value`` does not broadcast to the shape, or a negative dimension.

    >>> from kbackend import K, ops
    >>> K.eval(ops.full((2,), 7)).tolist()
    [7.0, 7.0]
    """
    if isinstance(fill_value, (bool, int, float)):
        return filled_with(shape, fill_value, dtype)
    value = cast(as_tensor(fill_value), chosen_dtype(dtype))
    return broadcast_to(value, [shape] if isinstance(shape, int) else shape)


@derived(samples=lambda: [call((2, 3)), call(4, "int32"), call((-1,), raises=ValueError)])
def empty(shape: Any, dtype: Any = None) -> Any:
    """A constant of zeros (NumPy's ``empty``, with defined elements so that programs give the same results each time).

    Arguments and errors as in :func:`zeros`.

    >>> from kbackend import K
    >>> from kbackend.ops import empty
    >>> K.int_shape(empty((2, 3)))
    (2, 3)
    """
    return filled_with(shape, 0, dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2, 0)), "int32")])
def empty_like(x: TensorLike, dtype: Any = None) -> Any:
    """Zeros with the shape of ``x`` (NumPy's ``empty_like``; see :func:`empty`).

    Args:
        x: a tensor of any shape, a list or a number.
        dtype: that of ``x`` when None.

    >>> from kbackend import K
    >>> from kbackend.ops import empty_like
    >>> K.int_shape(empty_like(K.zeros((2, 3))))
    (2, 3)
    """
    return zeros_like(as_tensor(x), dtype)


@derived(name="full_like", samples=lambda: [
    call(In((2, 3)), 1.5), call(In((2, 3)), In((3,)), name="tensor"), call(In((2,)), 3, "int32"),
    call(In((2, 3)), In((2,)), raises=ValueError, name="shapes")])
def full_like(x: TensorLike, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of one value with the shape of ``x``, or a tensor broadcast to that shape (NumPy's ``full_like``).

    Args:
        x: a tensor, list or number.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: that of ``x`` when None.

    Raises:
        ValueError: ``fill_value`` does not broadcast to the shape.

    >>> from kbackend import K
    >>> from kbackend.ops import full_like
    >>> K.eval(full_like(K.zeros((2,)), 3)).tolist()
    [3.0, 3.0]
    """
    x = as_tensor(x)
    if isinstance(fill_value, (bool, int, float)):
        return fill_like(x, fill_value, dtype)
    value = cast(as_tensor(fill_value), dtype_of(x) if dtype is None else dtypes.canonical(dtype))
    return broadcast_to(value, lengths(x))


__all__ = ["empty", "empty_like", "eye", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like"]
