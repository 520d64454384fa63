"""Norms of vectors and matrices, and distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, WIDE, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in, broadcast
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, squeeze_axis
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.linalg.decompositions import svd_values
from kbackend.ops.reduction.reductions import norm as euclidean_norm
from kbackend.ops.reduction.reductions import reduce_max, reduce_min, sum_

_NAMES = ("fro", "nuc")
_MATRIX = (None, "fro", "nuc", INF, -INF, 1, -1, 2, -2)


def _order(ord: Any) -> Any:
    """The order of a norm as a float, a name or None.

    Raises:
        ValueError: anything else.
    """
    if ord is None or isinstance(ord, str) and ord in _NAMES:
        return ord
    if isinstance(ord, (int, float, np.number)) and not isinstance(ord, bool) and ord == ord:
        return float(ord)
    raise ValueError(f"the order of a norm must be None, a number, 'fro' or 'nuc', it is {ord!r}")


def _norm_axes(x: Any, ord: Any, axis: Any) -> tuple[int, ...]:
    """The axes as given, without negative ones: one or two, or all if ``ord`` and ``axis`` are None."""
    rank = len(x.shape)
    if axis is None:
        if ord is not None and rank not in (1, 2):
            raise ValueError(f"the norm of order {ord!r} needs one or two axes, the shape is {tuple(x.shape)}")
        return tuple(range(rank))
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(axis_in(a, rank) for a in given)
    if len(axes) not in (1, 2) or len(set(axes)) != len(axes):
        raise ValueError(f"the axes of a norm must be one or two different ones, they are {axis!r}")
    return axes


def _of_vectors(x: Any, ord: Any, axis: int) -> Any:
    """The norms of vectors; the axis is kept with size 1."""
    if isinstance(ord, str):
        raise ValueError(f"the norm of order {ord!r} is not defined for vectors")
    options: dict[str, Any] = {"axis": axis, "keepdims": True}
    if ord is None or ord == 2:
        return euclidean_norm(x, **options)
    if ord == 0:
        return sum_(cast(x != 0, dtype_of(x)), **options)
    magnitude = abs_(x)
    if ord in (INF, -INF):
        return (reduce_max if ord > 0 else reduce_min)(magnitude, **options)
    if ord == 1:
        return sum_(magnitude, **options)
    return _root(sum_(magnitude**ord, **options), ord)


def _root(total: Any, ord: float) -> Any:
    """``total ** (1 / ord)``; for a positive order the gradient is 0 where the result is 0."""
    if ord < 0:
        return total ** (1 / ord)
    is_zero = total == 0
    return select_elements(is_zero, total, select_elements(is_zero, 1.0, total) ** (1 / ord))


def _of_matrices(x: Any, ord: Any, axes: tuple[int, int]) -> Any:
    """The norms of matrices; the axes are kept with size 1."""
    if ord not in _MATRIX:
        raise ValueError(f"the norm of order {ord!r} is not defined for matrices")
    row, column = axes
    if ord is None or ord == "fro":
        return euclidean_norm(x, axis=axes, keepdims=True)
    if ord in ("nuc", 2, -2):
        reduce = {"nuc": sum_, 2: reduce_max, -2: reduce_min}[ord]
        norms = reduce(svd_values(moveaxis(x, axes, (-2, -1))), axis=-1)
        for axis in sorted(axes):
            norms = expand_dims(norms, axis)
        return norms
    summed, other = (row, column) if abs(ord) == 1 else (column, row)
    totals = sum_(abs_(x), axis=summed, keepdims=True)
    return (reduce_max if ord > 0 else reduce_min)(totals, axis=other, keepdims=True)


def _norm_samples() -> list[Sample]:
    wide: dict[str, Any] = {"dtypes": WIDE}
    plain = In((2, 3), values=[[1.5, -0.75, 0.25], [-1.25, 2.0, 0.5]])
    numbers = [1.5, -0.75, 0.25, -1.25, 2.0, 0.5, 3.5, -0.9, 1.1, 0.3, -2.4, 1.7]
    three = In((2, 3, 2), values=np.array(numbers).reshape(2, 3, 2))
    return [
        call(In((2, 3, 2))), call(plain, 1, -1, name="1"), call(plain, INF, 0, True, name="inf, the axis stays"),
        call(plain, -INF, 1, name="-inf", **wide), call(plain, 3, 0, name="3", **wide),
        call(plain, -1.5, 0, name="-1.5", **wide), call(values(0.0, 2.0, 0.0), 0, name="0", expect=np.array(1.0)),
        call(values(0.0, 0.0), 3, name="3 of zeros", expect=np.array(0.0), expect_gradient=np.zeros(2)),
        call(In((0, 3)), None, 1, name="no vector"), call(plain, "fro", name="fro"),
        call(three, 1, (2, 0), name="columns", **wide),
        call(three, -INF, (-1, 1), True, name="rows, the axes stay", **wide),
        call(plain, "nuc", name="nuc", **wide), call(In((2, 3, 2)), 2, (0, 2), name="2", **wide),
        call(In((2, 3, 2)), -2, (1, 2), True, name="-2, the axes stay", **wide),
        call(values(3, 4, kind="int32"), gradient=False, name="integers"),
        call(plain, "fro", 0, raises=ValueError, name="a vector", **wide),
        call(plain, 3, raises=ValueError, name="a matrix", **wide),
        call(In((2, 2, 2)), 1, raises=ValueError, name="no axis", **wide),
        call(plain, None, (0, 0), raises=ValueError, name="an axis twice", **wide),
        call(plain, None, 2, raises=ValueError, name="axis", **wide)]


@derived(name="linalg_norm", tolerance="matmul", samples=_norm_samples)
def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices (NumPy's ``linalg.norm``).

    Args:
        x: a tensor of integers or floats; integers are promoted to floatx.
        ord: for vectors None or 2: the Euclidean norm; inf, -inf: the largest and the smallest absolute value; 0: the
            number of nonzero elements; another number p: ``sum(abs(x) ** p) ** (1 / p)``. For matrices None or 'fro':
            the Frobenius norm; 1, -1: the largest and the smallest sum of absolute values of a column; inf, -inf: of a
            row; 'nuc', 2, -2: the sum, the largest and the smallest of the singular values.
        axis: an axis for vectors; two, those of rows and columns, for matrices. None: the whole vector or matrix, or
            all elements of a tensor of any rank if ``ord`` is None.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        A tensor of the float dtype of ``x``. The gradient of a norm of positive order is 0 where the norm is 0.

    Raises:
        ValueError: an undefined order; axes out of range, equal or too many; inf or -inf of no elements.
        TypeError: a complex tensor; 'nuc', 2 or -2 of matrices of a dtype other than float32 and float64.

    >>> from kbackend import K, ops
    >>> float(K.eval(ops.norm(K.constant([[3., 0.], [0., 4.]]), "nuc")))
    7.0
    """
    x = as_tensor(x)
    x = cast(x, dtypes.to_float(dtype_of(x)))
    if dtype_of(x) in dtypes.COMPLEX:
        raise TypeError(f"norm does not support {dtype_of(x)}; take the norm of abs(x)")
    ord = _order(ord)
    axes = _norm_axes(x, ord, axis)
    if axis is None and ord is None:
        return euclidean_norm(x, axis=None, keepdims=keepdims)

    def body(wide: Any) -> Any:
        return _of_vectors(wide, ord, axes[0]) if len(axes) == 1 else _of_matrices(wide, ord, (axes[0], axes[1]))

    norms = body(x) if ord in _NAMES or len(axes) == 2 and ord in (2, -2) else precise(x, body)
    if keepdims:
        return norms
    for place in sorted(axes, reverse=True):
        norms = squeeze_axis(norms, place)
    return norms


def _cdist_rule(x: TensorSpec, y: TensorSpec) -> TensorSpec:
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(f"cdist needs operands of rank 2 or more, the shapes are {x.shape} and {y.shape}")
    if x.shape[-1] is not None and y.shape[-1] is not None and x.shape[-1] != y.shape[-1]:
        raise ValueError(f"the vectors have {x.shape[-1]} and {y.shape[-1]} elements")
    return TensorSpec((*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-2]), x.dtype)


@composite(promote="float", rule=_cdist_rule, tolerance="reduction", samples=lambda: [
    call(In((2, 3)), In((4, 3))), call(In((2, 1, 3, 2)), In((5, 2, 2)), name="batches", dtypes=WIDE),
    call(In((2, 2), values=[[0.0, 0.0], [3.0, 4.0]]), In((1, 2), values=[[0.0, 0.0]]), name="a distance of 0",
         expect=np.array([[0.0], [5.0]]), expect_gradient=np.array([[0.0, 0.0], [0.6, 0.8]]), dynamic=False),
    call(In((0, 3)), In((2, 3)), name="no vector"),
    call(In((2, 3)), In((2, 4)), raises=ValueError, name="sizes", dtypes=WIDE, dynamic=False),
    call(In((3,)), In((2, 3)), raises=ValueError, name="rank", dtypes=WIDE, dynamic=False)])
def cdist(x: TensorLike, y: TensorLike) -> Any:
    """The Euclidean distances between all vectors of ``x`` and all vectors of ``y``.

    The differences are computed before they are squared: it needs memory for ``(..., m, n, d)`` elements, and there is
    no cancellation between close vectors.

    Args:
        x: a tensor ``(..., m, d)`` of m vectors; integers are promoted to floatx.
        y: a tensor ``(..., n, d)``; the batch axes broadcast.

    Returns:
        A tensor ``(..., m, n)``. The gradient is 0 where the distance is 0.

    Raises:
        ValueError: a rank less than 2, vectors of different sizes, or batch axes that do not broadcast.

    >>> from kbackend import K, ops
    >>> K.eval(ops.cdist(K.constant([[0., 0.]]), K.constant([[3., 4.], [0., 1.]]))).tolist()
    [[5.0, 1.0]]
    """
    return euclidean_norm(expand_dims(x, -2) - expand_dims(y, -3), axis=-1)


__all__ = ["cdist", "norm"]
