"""Products of vectors, matrices and batches of matrices."""

from __future__ import annotations

import math
import operator
from typing import Any

from kbackend import dtypes
from kbackend.declare.decorate import X1_IS_X, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in, broadcast
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.diagonal import diagonal
from kbackend.ops.arrays.reshape import expand_dims, extent, flatten, reshape, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.arguments import as_tensor, rank_of, shape_of
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.elementwise.complex import conjugated
from kbackend.ops.linalg.einsum import _LETTERS, _einsum
from kbackend.ops.reduction.reductions import sum_


def _matmul_samples() -> list[Sample]:
    return [
        call(In((2, 3)), In((3, 4))),
        call(In((2, 5, 3)), In((3, 4)), name="a batch and a matrix"),
        call(In((2, 5, 3)), In((2, 3, 4)), name="batches"),
        call(In((2, 1, 5, 3)), In((4, 3, 2)), name="broadcasting"),
        call(In((3, 4)), In((2, 4, 2)), name="a matrix and a batch", dynamic=False),
        call(In((0, 3)), In((3, 4)), name="no rows"),
        call(In((2, 0)), In((0, 4)), name="nothing to sum"),
        call(In((2, 3)), In((3, 4)), name="bfloat16", dtypes=("bfloat16",)),
        call(In((2, 3), -3, 4, kind="int32"), In((3, 2), -3, 4, kind="int32"), name="int32", gradient=False),
        call(In((2, 3), kind="complex64"), In((3, 2), kind="complex64"), name="complex", gradient=False),
        call(In((2, 3)), In((4, 2)), name="inner dimensions", raises=ValueError, dynamic=False),
    ]


@primitive(takes_complex=True, name="matmul", promote="same", tolerance="matmul", samples=_matmul_samples)
def matrix_multiply(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The matrix product over the last two axes; the others are batch axes, which broadcast.

    Args:
        x: a tensor ``(..., n, k)`` of rank 2 or more.
        y: a tensor ``(..., k, m)`` of rank 2 or more.

    Returns:
        A tensor ``(..., n, m)`` of the common dtype of the operands.

    Raises:
        ValueError: the inner dimensions differ, the batch axes do not broadcast, or a rank is less than 2.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.int_shape(K.matmul(K.placeholder((None, 2, 3)), K.placeholder((3, 4))))
    (None, 2, 4)
    """
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError("matmul needs operands of rank 2 or more")
    if x.dtype == dtypes.BOOL:
        raise TypeError("arithmetic on bool tensors; cast them first")
    inner, outer = x.shape[-1], y.shape[-2]
    if inner is not None and outer is not None and inner != outer:
        raise ValueError(f"the inner dimensions {inner} and {outer} differ")
    return TensorSpec((*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]), x.dtype)


@derived(
    spellings=X1_IS_X,
    samples=lambda: [
        call(In((2, 3)), In((3, 4)), name="matrices"),
        call(In((2, 5, 3)), In((3, 4)), name="rank 3 and 2"),
        call(In((2, 3)), In((4, 3, 5)), name="rank 2 and 3"),
        call(In((2, 2, 3)), In((2, 3, 4)), name="rank 3 and 3"),
        call(In((3,)), In((3,)), name="vectors", dynamic=False),
        call(In((2, 3)), In((3,)), name="a matrix and a vector"),
        call(In((3,)), In((3, 2)), name="a vector and a matrix", dynamic=False),
    ]
)
def dot(x: TensorLike, y: TensorLike) -> Any:
    """The sum of products over the last axis of ``x`` and the last but one of ``y``, or the only one of a vector.

    Args:
        x: a tensor ``(a..., k)``, or a sparse matrix.
        y: a tensor ``(b..., k, m)`` or ``(k,)``, or a sparse matrix.

    Returns:
        A tensor ``(a..., b..., m)``, or ``(a...)`` for a vector ``y``; the elementwise product if one is a scalar.

    Raises:
        ValueError: the summed dimensions differ.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> K.int_shape(K.dot(K.placeholder((2, 3)), K.placeholder((4, 3, 5))))
    (2, 4, 5)
    """
    for factor in (x, y):
        if getattr(factor, "is_sparse", False) is True:
            return factor.product(x, y)
    left, right = rank_of(x), rank_of(y)
    if left == 0 or right == 0:
        return multiply(x, y)
    if left == 1:
        return squeeze_axis(dot(expand_dims(x, 0), y), 0)
    if right == 1:
        return squeeze_axis(matrix_multiply(x, expand_dims(y, 1)), -1)
    return matrix_multiply(x, y) if right == 2 else _dot_of_matrices(x, y)


def _dot_of_matrices(x: Any, y: Any) -> Any:
    """:func:`dot` of a ``y`` of rank 3 or more, as one product with a matrix ``(k, b... * m)``."""
    shape, rank = shape_of(y), rank_of(y)
    summed_first = permute_dimensions(y, (rank - 2, *range(rank - 2), rank - 1))
    rows = shape[-2] if shape[-2] is not None else extent(y, (-2,))
    others = (*range(rank - 2), rank - 1)
    known = [shape[a] for a in others]
    # not -1, which stands for nothing in particular where there are no elements
    columns = extent(y, others) if None in known else math.prod(known)
    product = matrix_multiply(x, reshape(summed_first, [rows, columns]))
    sizes = [
        d if d is not None else extent(t, (i,))
        for t, dims, summed in ((x, shape_of(x), -1), (y, shape, -2))
        for i, d in enumerate(dims)
        if i != len(dims) + summed
    ]
    return reshape(product, sizes)


@derived(
    samples=lambda: [
        call(In((2, 3)), In((3, 4)), name="matrices"),
        call(In((3,)), In((3,)), name="vectors", dynamic=False),
        call(In((2, 5, 3)), In((3,)), name="batch and vector"),
        call(In((3,)), In((2, 3, 4)), name="vector and batch", dynamic=False),
    ]
)
def matrix_product(x: TensorLike, y: TensorLike) -> Any:
    """The operator ``x @ y`` of tensors, as in NumPy: a vector is a row on the left and a column on the right.

    Raises:
        ValueError: a scalar operand, inner dimensions that differ, or others that do not broadcast.
        TypeError: bool operands.
    """
    if not rank_of(x) or not rank_of(y):
        raise ValueError("@ needs operands of rank 1 or more; use * for scalars")
    return _product(x, y)


def _product(x: Any, y: Any) -> Any:
    """The matrix product of a row for a vector ``x`` and a column for a vector ``y``, without their axes of size 1."""
    is_row, is_column = rank_of(x) == 1, rank_of(y) == 1
    product = matrix_multiply(expand_dims(x, 0) if is_row else x, expand_dims(y, 1) if is_column else y)
    if is_column:
        product = squeeze_axis(product, -1)
    return squeeze_axis(product, -1 if is_column else -2) if is_row else product


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3, 4)), In((4, 2))), call(In((3,)), In((3,)), dynamic=False, name="vectors"),
    call(In((2, 3)), In((3,)), name="matrix and vector"),
    call(In((3,)), In((2, 3, 2)), dynamic=False, name="vector first"),
    call(In(()), In((3,)), raises=ValueError, name="scalar")])
def matmul(x1: TensorLike, x2: TensorLike) -> Any:
    """The matrix product over the last two axes; the others are batch axes, which broadcast (NumPy's ``matmul``).

    Args:
        x1: a tensor ``(..., n, k)``, or a vector ``(k,)``, which is a row.
        x2: a tensor ``(..., k, m)``, or a vector ``(k,)``, which is a column.

    Returns:
        A tensor ``(..., n, m)``, without n where ``x1`` is a vector and without m where ``x2`` is one.

    Raises:
        ValueError: a scalar, inner dimensions that differ, or batch axes that do not broadcast.
        TypeError: bool operands.

    >>> from kbackend import ops
    >>> float(ops.matmul([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    return _product(as_tensor(x1), as_tensor(x2))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3)), In((4, 3))), call(In((3,)), In((3,)), name="vectors", dynamic=False),
    call(In(()), In((2, 3)), name="a scalar", dynamic=False),
    call(In((2, 3)), In((2, 4)), name="sizes", raises=ValueError, dynamic=False)])
def inner(x1: TensorLike, x2: TensorLike) -> Any:
    """The sum of products over the last axes (NumPy's ``inner``).

    Args:
        x1: a tensor ``(a..., n)``.
        x2: a tensor ``(b..., n)``.

    Returns:
        A tensor ``(a..., b...)``; the elementwise product if one is a scalar.

    Raises:
        ValueError: the sizes of the last axes differ.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> from kbackend.ops import inner
    >>> float(K.eval(inner(K.constant([1, 2]), K.constant([3, 4]))))
    11.0
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if not len(x1.shape) or not len(x2.shape):
        return multiply(x1, x2)
    return tensordot(x1, x2, ([-1], [-1]))


@derived(tolerance="matmul", samples=lambda: [
    call(In((2,)), In((3,))), call(In((2, 2)), In((3, 1)), name="flattened", dynamic=False),
    call(In((0,)), In((3,)), name="empty")])
def outer(x1: TensorLike, x2: TensorLike) -> Any:
    """The products of all pairs of elements of two tensors (NumPy's ``outer``).

    Args:
        x1, x2: tensors, which are flattened.

    Returns:
        A matrix of one row for each element of ``x1`` and one column for each element of ``x2``.

    Raises:
        TypeError: bool operands.

    >>> from kbackend import K
    >>> from kbackend.ops import outer
    >>> K.eval(outer(K.constant([1, 2]), K.constant([3, 4]))).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    # Not a broadcast product: the program of its gradient ends the process under TensorFlow where x1 is empty.
    return _einsum([flatten(as_tensor(x1)), flatten(as_tensor(x2))], subscripts="i,j->ij")


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3), 0.5), In((2, 3), 0.5), dynamic=False),
    call(In((3,), 0.5), In((3,), 0.5), name="vectors", dynamic=False),
    call(In((3,)), In((2,)), name="sizes", raises=ValueError, dynamic=False)])
def vdot(x1: TensorLike, x2: TensorLike) -> Any:
    """The sum of products of the elements of two tensors, those of ``x1`` conjugated (NumPy's ``vdot``).

    Args:
        x1, x2: tensors of the same number of elements, which are flattened.

    Returns:
        A scalar.

    Raises:
        ValueError: the numbers of elements differ.
        TypeError: bool operands.

    >>> from kbackend import K
    >>> from kbackend.ops import vdot
    >>> float(K.eval(vdot(K.constant([[1, 2]]), K.constant([[3], [4]]))))
    11.0
    """
    first = conjugated(as_tensor(x1))
    return _einsum([flatten(first), flatten(as_tensor(x2))], subscripts="i,i->")


@derived(tolerance="matmul", samples=lambda: [
    call(In((2, 3, 4)), In((3, 4, 2))),
    call(In((2, 3), 0.5), In((3, 2), 0.5), ([1, 0], [0, 1]), name="axes", dynamic=False),
    call(In((2,)), In((3,)), 0, name="no axes", dynamic=False), call(In((2, 3)), In((3, 2)), 1, name="one"),
    call(In((2, 3)), In((3, 2)), 1, name="bfloat16", dtypes=("bfloat16",)),
    call(In((2, 3)), In((2, 3)), 1, name="sizes", raises=ValueError, dynamic=False),
    call(In((2, 3)), In((3,)), 2, name="rank", raises=ValueError, dynamic=False)])
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes (NumPy's ``tensordot``).

    Args:
        x1, x2: tensors of any shape.
        axes: the number of last axes of ``x1`` and first axes of ``x2``; or a pair, the axes of ``x1`` and those of
            ``x2``.

    Returns:
        A tensor of the remaining axes of ``x1``, then of those of ``x2``.

    Raises:
        ValueError: axes out of range or repeated, numbers or sizes of axes that differ.
        TypeError: bool operands, or axes that are not integers.

    >>> from kbackend import K
    >>> from kbackend.ops import tensordot
    >>> K.int_shape(tensordot(K.placeholder((None, 2, 3)), K.placeholder((3, 4)), 1))
    (None, 2, 4)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    left, right = len(x1.shape), len(x2.shape)
    first, second = _paired(axes, left, right)
    letters, others = list(_LETTERS[:left]), list(_LETTERS[left : left + right])
    for a, b in zip(first, second):
        others[b] = letters[a]
    kept = [letters[i] for i in range(left) if i not in first] + [others[i] for i in range(right) if i not in second]
    return _einsum([x1, x2], subscripts=f"{''.join(letters)},{''.join(others)}->{''.join(kept)}")


def _paired(axes: Any, left: int, right: int) -> tuple[list[int], list[int]]:
    """The summed axes of tensors of two ranks, in pairs."""
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            raise ValueError(f"tensordot: axes must be an integer or a pair, it is {axes!r}")
        first, second = ([a] if not isinstance(a, (list, tuple)) else list(a) for a in axes)
    else:
        count = operator.index(axes)
        if not 0 <= count <= min(left, right):
            raise ValueError(f"tensordot: cannot sum over {count} axes of tensors of ranks {left} and {right}")
        first, second = list(range(left - count, left)), list(range(count))
    first, second = [axis_in(a, left) for a in first], [axis_in(a, right) for a in second]
    if len(first) != len(second) or len(set(first)) != len(first) or len(set(second)) != len(second):
        raise ValueError(f"tensordot: the axes {axes!r} do not form pairs")
    return first, second


@derived(tolerance="matmul", samples=lambda: [
    call(In((3, 3)), dynamic=False), call(In((2, 3, 3)), 0, 1, 2, name="a batch"),
    call(In((3, 4)), 1, name="above", dynamic=False),
    call(In((3,)), name="a vector", raises=ValueError, dynamic=False)])
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sums of diagonals (NumPy's ``trace``).

    Arguments and errors as in :func:`kbackend.ops.arrays.diagonal.diagonal`.

    Returns:
        A tensor of the other axes.

    >>> from kbackend import K
    >>> from kbackend.ops import trace
    >>> float(K.eval(trace(K.constant([[1, 2], [3, 4]]))))
    5.0
    """
    return sum_(diagonal(x, offset, axis1, axis2), axis=-1)


__all__ = ["dot", "inner", "matmul", "outer", "tensordot", "trace", "vdot"]
