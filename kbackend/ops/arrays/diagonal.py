"""Diagonals and triangles of matrices."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.dims import length, part
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.ranges import numbers
from kbackend.ops.arrays.reshape import expand_dims, flatten, reshape
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor, integer
from kbackend.ops.core.creation import filled_with, zeros_like
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.select import select_elements


def _band(rows: Any, columns: Any, k: int, compare: Callable[[Any, Any], Any]) -> Any:
    """A bool matrix: ``compare(column, row + k)`` for the numbers of columns and rows."""
    if isinstance(rows, int) and isinstance(columns, int):
        return compare(np.arange(columns)[None, :], np.arange(rows)[:, None] + k)
    column, row = expand_dims(numbers(columns), 0), expand_dims(numbers(rows), 1)
    return compare(column - k, row)


@derived(samples=lambda: [
    call(In((3,)), dynamic=False), call(In((3,)), 1, name="above"), call(In((2,)), -2, name="below"),
    call(In((3, 4)), 1, dynamic=False, name="matrix"), call(In((0,)), name="empty", dynamic=False),
    call(In((2, 2, 2)), raises=ValueError, name="rank")])
def diag(x: TensorLike, k: int = 0) -> Any:
    """A matrix with a vector on a diagonal, or a diagonal of a matrix (NumPy's ``diag``).

    Args:
        x: a vector, or a matrix of known size.
        k: the diagonal: 0 is the main one, positive numbers are above it.

    Returns:
        A square matrix for a vector, a vector for a matrix.

    Raises:
        ValueError: a rank other than 1 and 2, or a matrix of unknown size.
        TypeError: ``k`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import diag
    >>> K.eval(diag(K.constant([1, 2]))).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    x, k = as_tensor(x), integer(k, "the number of the diagonal")
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"diag needs a vector or a matrix, the shape is {tuple(x.shape)}")
    size = length(x, 0)
    if k:
        zeros = filled_with((abs(k),), 0, dtype_of(x)) if isinstance(x, Tensor) else (
            np.zeros(abs(k), dtypes.numpy_dtype(dtype_of(x))))
        x = concatenate_last([x, zeros] if k > 0 else [zeros, x], 0)
        size = size + abs(k)
    column = expand_dims(x, 1)
    return select_elements(_band(size, size, k, operator.eq), column, zeros_like(column))


@derived(samples=lambda: [call(In((2, 2)), dynamic=False), call(In(()), -1, name="scalar", dynamic=False)])
def diagflat(x: TensorLike, k: int = 0) -> Any:
    """A matrix with the elements of a tensor on a diagonal (NumPy's ``diagflat``).

    Arguments and errors as in :func:`diag` of the flattened tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import diagflat
    >>> K.eval(diagflat(K.constant([[1], [2]]))).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return diag(flatten(x), k)


@derived(samples=lambda: [
    call(In((3, 4)), dynamic=False), call(In((4, 3)), -2, dynamic=False, name="below"),
    call(In((2, 3, 4)), 1, 2, 1, name="axes"), call(In((3, 3)), 5, dynamic=False, name="outside"),
    call(In((0, 3)), dynamic=False, name="empty"), call(In((2, 2)), 0, 1, -1, raises=ValueError, name="one axis"),
    call(In((2,)), raises=ValueError, name="vector")])
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices in two axes, as a new last axis (NumPy's ``diagonal``).

    Args:
        x: a tensor of rank 2 or more whose sizes along the two axes are known.
        offset: the diagonal: 0 is the main one, positive numbers are above it.
        axis1, axis2: the axes of rows and columns.

    Returns:
        A tensor of the other axes of ``x`` and the diagonal.

    Raises:
        ValueError: equal axes, an axis out of range, or an unknown size.
        TypeError: ``offset`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import diagonal
    >>> K.eval(diagonal(K.constant([[1, 2], [3, 4]]))).tolist()
    [1.0, 4.0]
    """
    x, offset = as_tensor(x), integer(offset, "the offset")
    a, b = axis_in(axis1, len(x.shape)), axis_in(axis2, len(x.shape))
    if a == b:
        raise ValueError(f"diagonal needs two different axes, they are {axis1} and {axis2}")
    rows, columns = x.shape[a], x.shape[b]
    if rows is None or columns is None:
        raise ValueError(f"diagonal needs known sizes along the axes {a} and {b} of the shape {tuple(x.shape)}")
    moved = moveaxis(x, (a, b), (-2, -1))
    count = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    rest = [length(moved, i) for i in range(len(x.shape) - 2)]
    flat = reshape(moved, [*rest, rows * columns])
    start = offset if offset >= 0 else -offset * columns
    if count == 0:
        return part(flat, len(rest), 0, 0)
    return part(flat, len(rest), start, start + (count - 1) * (columns + 1) + 1, columns + 1)


@derived(samples=lambda: [call(3), call(2, 4, 1, "int32", name="wide"), call(0), call(3, k=-1)])
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix of ones on and below a diagonal and zeros above it (NumPy's ``tri``).

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
    >>> from kbackend.ops import tri
    >>> K.eval(tri(2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    rows = integer(N, "the number of rows")
    columns = rows if M is None else integer(M, "the number of columns")
    return constant(np.tri(rows, columns, integer(k, "the number of the diagonal")), dtype=dtype)


def _triangle(x: Any, k: int, name: str, compare: Callable[[Any, Any], Any]) -> Any:
    x = as_tensor(x)
    if len(x.shape) < 2:
        raise ValueError(f"{name} needs matrices, the shape is {tuple(x.shape)}")
    mask = _band(length(x, -2), length(x, -1), integer(k, "the number of the diagonal"), compare)
    return select_elements(mask, x, zeros_like(x))


def _triangle_samples() -> list[Sample]:
    return [
        call(In((3, 4))), call(In((2, 3, 2)), 1, name="matrices"), call(In((3, 3)), -1, name="below"),
        call(In((0, 2)), name="empty"), call(In((2, 2), kind="bool"), gradient=False, name="bool"),
        call(In((3,)), raises=ValueError, name="vector")]


@derived(samples=_triangle_samples)
def tril(x: TensorLike, k: int = 0) -> Any:
    """The lower triangles of matrices (NumPy's ``tril``): zeros above a diagonal.

    Args:
        x: a tensor of rank 2 or more; the last two axes are matrices.
        k: the diagonal: 0 is the main one, positive numbers are above it.

    Raises:
        ValueError: a rank below 2.
        TypeError: ``k`` is not an integer.

    >>> from kbackend import K
    >>> from kbackend.ops import tril
    >>> K.eval(tril(K.ones((2, 2)))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle(x, k, "tril", operator.le)


@derived(samples=_triangle_samples)
def triu(x: TensorLike, k: int = 0) -> Any:
    """The upper triangles of matrices (NumPy's ``triu``): zeros below a diagonal.

    Arguments and errors as in :func:`tril`.

    >>> from kbackend import K
    >>> from kbackend.ops import triu
    >>> K.eval(triu(K.ones((2, 2)))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _triangle(x, k, "triu", operator.ge)


__all__ = ["diag", "diagflat", "diagonal", "tri", "tril", "triu"]
