"""Diagonals and triangles of matrices, differences, and numbers spaced along a line or a curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import creation, indexing, reduction, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, integer, length, moveaxis, numbers, part
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of, to_numpy
from kbackend.ops.rules import In, Sample, call
from kbackend.ops.shapes import axis_in
from kbackend.ops.state import constant

# ------------------------------------------------------------------------------------- diagonals


def _numbers(count: Any, axis: int) -> Any:
    """0, 1, ... as a column (axis 0) or a row (axis 1)."""
    return shaping.expand_dims(numbers(count), 1 - axis)


def _band(rows: Any, columns: Any, k: int, test: Callable[[Any, Any], Any]) -> Any:
    """A bool matrix: ``test(column, row + k)``."""
    if isinstance(rows, int) and isinstance(columns, int):
        found = test(np.arange(columns)[None, :], np.arange(rows)[:, None] + k)
        return np.asarray(found, bool)
    column = e.subtract(_numbers(columns, 1), k)
    names = {np.equal: e.equal, np.less_equal: e.less_equal, np.greater_equal: e.greater_equal}
    return names[test](column, _numbers(rows, 0))  # type: ignore[index]


@derived(samples=lambda: [
    call(In((3,)), dynamic=False), call(In((3,)), 1, name="above"), call(In((2,)), -2, name="below"),
    call(In((3, 4)), 1, dynamic=False, name="matrix"), call(In((0,)), name="empty", dynamic=False),
    call(In((2, 2, 2)), raises=ValueError, name="rank")])
def diag(x: TensorLike, k: int = 0) -> Any:
    """A matrix with a vector on diagonal ``k``, or diagonal ``k`` of a matrix (NumPy's ``diag``).

    Args:
        x: a vector, or a matrix of known size.
        k: 0 is the main diagonal, positive numbers are above it.

    Raises:
        ValueError: another rank, or an unknown size of a matrix. TypeError: a ``k`` that is no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import diag
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
        zeros = creation.full((abs(k),), 0, dtype_of(x)) if isinstance(x, Tensor) else (
            np.zeros(abs(k), dtypes.numpy_dtype(dtype_of(x))))
        x = shaping.concatenate([x, zeros] if k > 0 else [zeros, x], 0)
        size = size + abs(k) if isinstance(size, int) else e.add(size, abs(k))
    column = shaping.expand_dims(x, 1)
    return e.where(_band(size, size, k, np.equal), column, creation.zeros_like(column))


@derived(samples=lambda: [call(In((2, 2)), dynamic=False), call(In(()), -1, name="scalar", dynamic=False)])
def diagflat(x: TensorLike, k: int = 0) -> Any:
    """A matrix with all elements of ``x`` on diagonal ``k``; as :func:`diag` of the vector of them.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import diagflat
    >>> K.eval(diagflat(K.constant([[1], [2]]))).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return diag(shaping.flatten(x), k)


@derived(samples=lambda: [
    call(In((3, 4)), dynamic=False), call(In((4, 3)), -2, dynamic=False, name="below"),
    call(In((2, 3, 4)), 1, 2, 1, name="axes"), call(In((3, 3)), 5, dynamic=False, name="outside"),
    call(In((0, 3)), dynamic=False, name="empty"), call(In((2, 2)), 0, 1, -1, raises=ValueError, name="one axis"),
    call(In((2,)), raises=ValueError, name="vector")])
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in two axes, as a new last axis (NumPy's ``diagonal``).

    Args:
        x: a tensor of rank 2 or more; its sizes along the axes are known.
        offset: which diagonal; positive ones are above the main one.
        axis1, axis2: the axes of rows and columns.

    Raises:
        ValueError: equal axes, axes out of range, or an unknown size. TypeError: an offset that is no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import diagonal
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
    flat = shaping.reshape(moved, [*rest, rows * columns])
    start = offset if offset >= 0 else -offset * columns
    if count == 0:
        return part(flat, len(rest), 0, 0)
    return part(flat, len(rest), start, start + (count - 1) * (columns + 1) + 1, columns + 1)


@derived(samples=lambda: [call(3), call(2, 4, 1, "int32", name="wide"), call(0), call(3, k=-1)])
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix ``(N, M)`` of ones on and below diagonal ``k``, zeros above; square when ``M`` is None.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import tri
    >>> K.eval(tri(2)).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    rows = integer(N, "the number of rows")
    columns = rows if M is None else integer(M, "the number of columns")
    return constant(np.tri(rows, columns, integer(k, "the number of the diagonal")), dtype=dtype)


def _triangle(x: Any, k: int, name: str, test: Callable[[Any, Any], Any]) -> Any:
    x = as_tensor(x)
    if len(x.shape) < 2:
        raise ValueError(f"{name} needs matrices, the shape is {tuple(x.shape)}")
    mask = _band(length(x, -2), length(x, -1), integer(k, "the number of the diagonal"), test)
    return e.where(mask, x, creation.zeros_like(x))


def _triangle_samples() -> list[Sample]:
    return [
        call(In((3, 4))), call(In((2, 3, 2)), 1, name="matrices"), call(In((3, 3)), -1, name="below"),
        call(In((0, 2)), name="empty"), call(In((2, 2), kind="bool"), gradient=False, name="bool"),
        call(In((3,)), raises=ValueError, name="vector")]


@derived(samples=_triangle_samples)
def tril(x: TensorLike, k: int = 0) -> Any:
    """Matrices with zeros above diagonal ``k``.

    Args:
        x: a tensor of rank 2 or more; the last two axes are matrices.
        k: 0 is the main diagonal, positive numbers are above it.

    Raises:
        ValueError: a rank below 2. TypeError: a ``k`` that is no integer.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import tril
    >>> K.eval(tril(K.ones((2, 2)))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle(x, k, "tril", np.less_equal)


@derived(samples=_triangle_samples)
def triu(x: TensorLike, k: int = 0) -> Any:
    """Matrices with zeros below diagonal ``k``; arguments and errors as in :func:`tril`.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import triu
    >>> K.eval(triu(K.ones((2, 2)))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _triangle(x, k, "triu", np.greater_equal)


# ------------------------------------------------------------------------------------- differences and areas


@derived(tolerance="elementwise", samples=lambda: [
    call(In((3, 4))), call(In((4, 2)), 2, 0, name="twice"), call(In((2, 3)), 0, name="not at all"),
    call(In((2, 1)), name="one column"), call(In((4,), kind="bool"), gradient=False, name="bool"),
    call(In((2,)), -1, raises=ValueError, name="negative"), call(In((2,)), 1, 1, raises=ValueError, name="axis")])
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Each element less the one before it, ``n`` times (NumPy's ``diff``); of bool, whether they differ.

    Args:
        a: a tensor of rank 1 or more.
        n: how often, not negative.
        axis: the axis, which becomes shorter by n.

    Raises:
        ValueError: a scalar, a negative ``n``, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import diff
    >>> K.eval(diff(K.constant([1, 4, 9]))).tolist()
    [3.0, 5.0]
    """
    x, n = as_tensor(a), integer(n, "the number of differences")
    axis = axis_in(axis, len(x.shape))
    if n < 0:
        raise ValueError(f"the number of differences must not be negative, it is {n}")
    less = e.not_equal if dtype_of(x) == dtypes.BOOL else e.subtract
    for _ in range(n):
        x = less(part(x, axis, 1, None), part(x, axis, None, -1))
    return x


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 4), 0.5)), call(In((4, 2)), In((4,)), axis=0, name="places", dynamic=False),
    call(In((3,), 0.5), dx=0.5, name="width"), call(In((2, 3)), In((2, 3)), name="places of each"),
    call(In((3,), 0, 5, kind="int32"), gradient=False, name="int32"), call(In(()), raises=ValueError, name="scalar")])
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area under the line through points (NumPy's ``trapezoid``).

    Args:
        y: the heights; integers give floatx.
        x: the places, a vector or of the shape of ``y``; ``dx`` apart when None.
        dx: the distance of the places.
        axis: the axis along which the points follow each other.

    Raises:
        ValueError: a scalar, an axis out of range, or places that do not fit.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import trapezoid
    >>> float(K.eval(trapezoid(K.constant([1, 2, 3]))))
    4.0
    """
    y = as_tensor(y)
    axis = axis_in(axis, len(y.shape))
    if not dtypes.is_float(dtype_of(y)):
        y = e.cast(y, config.floatx())
    width: Any = dx
    if x is not None:
        places = as_tensor(x)
        width = diff(places, 1, axis if len(places.shape) == len(y.shape) else -1)
        if len(places.shape) == 1:
            width = shaping.reshape(width, [-1 if i == axis else 1 for i in range(len(y.shape))])
    heights = e.add(part(y, axis, 1, None), part(y, axis, None, -1))
    return reduction.sum_(heights * width, axis=axis) * 0.5


# ------------------------------------------------------------------------------------- spaced numbers


def spaced(function: Callable[..., Any], start: Any, stop: Any, num: int, dtype: Any, **options: Any) -> Any:
    """A constant made by one of NumPy's functions of two ends."""
    for end in (start, stop):
        if isinstance(end, Tensor):
            raise TypeError(f"{function.__name__}: the ends must be known while the graph is built, one is {end!r}")
    count = integer(num, "the number of points")
    found = function(to_numpy(start), to_numpy(stop), count, **options)
    return constant(found, dtype=dtype)


@derived(tolerance="elementwise", samples=lambda: [
    call(0.0, 2.0, 3), call(0, 3, 4, False, 2.0, name="base 2"), call([0.0, 1.0], 2.0, 3, axis=-1, name="vector"),
    call(0.0, 1.0, -1, raises=ValueError, name="negative")])
def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None,
             axis: int = 0) -> Any:
    """Powers of ``base`` whose exponents are evenly spaced (NumPy's ``logspace``).

    Args:
        start, stop: numbers or arrays: the first and last exponent.
        num: how many.
        endpoint: whether the last one is ``stop``.
        base: the base.
        dtype: floatx when None.
        axis: the axis of the result along which they stand.

    Raises:
        ValueError: a negative number of points. TypeError: ends that are symbolic.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import logspace
    >>> K.eval(logspace(0, 2, 3)).tolist()
    [1.0, 10.0, 100.0]
    """
    return spaced(np.logspace, start, stop, num, dtype, endpoint=endpoint, base=base, axis=axis)


@derived(tolerance="elementwise", samples=lambda: [
    call(1.0, 8.0, 4), call(-1.0, -100.0, 3, False, name="negative"), call([1.0, 2.0], 8.0, 3, name="vector"),
    call(0.0, 1.0, 3, raises=ValueError, name="from 0")])
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers of which each is the one before by a constant factor (NumPy's ``geomspace``).

    Arguments as in :func:`logspace`, the ends being the numbers themselves.

    Raises:
        ValueError: an end of 0, or a negative number of points. TypeError: ends that are symbolic.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import geomspace
    >>> K.eval(geomspace(1, 4, 3)).tolist()
    [1.0, 2.0, 4.0]
    """
    return spaced(np.geomspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)


# ------------------------------------------------------------------------------------- places and choices


@derived(samples=lambda: [
    call(In((3,), 0, 6, kind="int32"), (2, 3), gradient=False), call(In((), kind="int32", values=5), (6,), name="one"),
    call(In((2,)), (2, 3), raises=TypeError, name="floats"), call(In((2,), kind="int32"), (-2, 3), raises=ValueError)])
def unravel_index(indices: TensorLike, shape: Any) -> list[Any]:
    """The coordinates of elements that are given by their place in a row (NumPy's ``unravel_index``).

    Args:
        indices: integers in [0, number of elements); others give places outside.
        shape: the dimensions, integers that are known.

    Returns:
        A list of tensors of the shape and dtype of ``indices``, one a dimension.

    Raises:
        ValueError: a negative dimension. TypeError: indices that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import unravel_index
    >>> [K.eval(t).tolist() for t in unravel_index(K.constant([1, 5], "int32"), (2, 3))]
    [[0, 1], [1, 2]]
    """
    x = as_tensor(indices)
    dims = [integer(d, "a dimension") for d in (shape if isinstance(shape, (list, tuple)) else [shape])]
    if not dtypes.is_integer(dtype_of(x)):
        raise TypeError(f"indices must be integers, they are {dtype_of(x)}")
    if any(d < 0 for d in dims):
        raise ValueError(f"a shape has no negative dimensions, it is {tuple(dims)}")
    found: list[Any] = []
    for d in reversed(dims[1:]):
        found.insert(0, x % max(d, 1))
        x = x // max(d, 1)
    return [x, *found] if dims else []


@derived(samples=lambda: [
    call([In((2, 3), kind="bool"), In((3,), kind="bool")], [In((2, 3)), In((2, 3))], 0.5),
    call([In((3,), kind="bool")], [In((3,))], name="one"), call([], [], raises=ValueError, name="none"),
    call([In((3,), kind="bool")], [In((3,)), In((3,))], raises=ValueError, name="numbers")])
def select(condlist: Any, choicelist: Any, default: TensorLike = 0) -> Any:
    """From each place of some tensors the first whose condition holds there (NumPy's ``select``).

    Args:
        condlist: a list of bool tensors.
        choicelist: a list of as many tensors.
        default: what is taken where no condition holds.

    Raises:
        ValueError: no conditions, other numbers, or shapes that do not broadcast. TypeError: conditions not bool.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import select
    >>> x = K.constant([1, 2, 3])
    >>> K.eval(select([x < 2, x < 3], [x * 10, x * 100], -1)).tolist()
    [10.0, 200.0, -1.0]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    result: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        result = e.where(condition, choice, result)
    return result


@derived(samples=lambda: [
    call(In((2, 3), -1, 5, kind="int32"), 4, gradient=False), call(In((3,), 0, 4, kind="int32"), 4, name="vector"),
    call(In((2, 3), 0, 4, kind="int32"), 4, 1, "int32", name="axis"),
    call(In((2,), 0, 4, kind="int32"), raises=ValueError, name="no classes"),
    call(In((2,), 0, 4, kind="int32"), 4, sparse=True, raises=ValueError, name="sparse")])
def multi_hot(inputs: TensorLike, num_classes: int | None = None, axis: int = -1, dtype: Any = None,
              sparse: bool = False, **kwargs: Any) -> Any:
    """Vectors with ones at all the numbers that a row holds, zeros elsewhere.

    Args:
        inputs: integers ``(..., n)``; numbers below 0 or not below ``num_classes`` count for nothing.
        num_classes: the length of the vectors.
        axis: where the classes stand while the numbers' axis (1, or 0 of a vector) is still there, as in Keras.
        dtype: floatx when None.
        sparse: there are no sparse tensors; True is refused.

    Raises:
        ValueError: no number of classes, a scalar, or sparse. TypeError: inputs that are no integers.

    >>> from kbackend import K
    >>> from kbackend.ops.triangles import multi_hot
    >>> K.eval(multi_hot(K.constant([[0, 2]], "int32"), 4)).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    num_classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if kwargs:
        raise TypeError(f"multi_hot knows no {sorted(kwargs)}")
    if num_classes is None:
        raise ValueError("multi_hot needs num_classes")
    if sparse:
        raise ValueError("multi_hot: sparse tensors are not supported")
    x = as_tensor(inputs)
    if len(x.shape) == 0:
        raise ValueError("multi_hot needs rows of numbers, it was given a scalar")
    ones = e.cast(indexing.one_hot(x, num_classes), config.floatx() if dtype is None else dtype)
    placed = moveaxis(ones, -1, axis_in(axis, len(x.shape) + 1))
    return reduction.max_(placed, axis=1 if len(x.shape) > 1 else 0)


__all__ = [
    "diag", "diagflat", "diagonal", "diff", "geomspace", "logspace", "multi_hot", "select", "trapezoid", "tri", "tril",
    "triu", "unravel_index",
]
