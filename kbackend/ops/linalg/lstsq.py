"""Pseudoinverses, least squares and ranks of matrices over the last two axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import expand_dims, squeeze_axis
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.linalg.decompositions import _drawn, _wrong_rank, svd_values
from kbackend.ops.linalg.solve import _checked
from kbackend.ops.reduction.reductions import reduce_max, sum_


def _ratio(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    rcond = attrs["rcond"]
    if rcond is not None and (isinstance(rcond, bool) or not isinstance(rcond, (int, float, np.number))):
        raise TypeError(f"rcond must be a number or None, it is {rcond!r}")
    return {**attrs, "rcond": None if rcond is None else float(rcond)}


@primitive(promote="float", prepare=_ratio, tolerance="matmul", samples=lambda: [
    call(_drawn(4, 2), dtypes=WIDE, dynamic=False), call(_drawn(2, 2, 3), dtypes=WIDE, name="wide, a batch"),
    call(In((2, 2), values=[[1.0, 2.0], [2.0, 4.0]]), dtypes=WIDE, gradient=False, name="rank 1",
         expect=np.array([[0.04, 0.08], [0.08, 0.16]])),
    call(In((2, 2), values=[[1.0, 0.0], [0.0, 0.25]]), 0.5, dtypes=WIDE, name="rcond", gradient=False,
         expect=np.array([[1.0, 0.0], [0.0, 0.0]])),
    call(In((2, 2), values=np.eye(2)), dtypes=WIDE, name="equal values", expect_gradient=-np.ones((2, 2))),
    call(In((0, 3, 2)), dtypes=WIDE, name="no matrix"),
    call(In((2, 2)), "much", dtypes=WIDE, raises=TypeError, name="no number"), *_wrong_rank()])
def pinv(x: TensorLike, rcond: float | None = None) -> TensorSpec:
    """The Moore-Penrose pseudoinverses of matrices (NumPy's ``linalg.pinv``).

    Args:
        x: a tensor ``(..., m, n)`` of float32 or float64; integers are promoted to floatx.
        rcond: singular values up to ``rcond`` times the largest are taken as 0. None: ``max(m, n)`` times the machine
            epsilon of the dtype (NumPy has 1e-15 for float32 too).

    Returns:
        A tensor ``(..., n, m)``. The gradient assumes that the rank is constant.

    Raises:
        numpy.linalg.LinAlgError: NaN or infinite elements.
        ValueError: a rank less than 2.
        TypeError: another dtype, cast float16 and bfloat16 first; an ``rcond`` that is not a number.

    Source: Golub and Pereyra, The differentiation of pseudo-inverses, SIAM J. Numer. Anal. 10 (1973).

    >>> from kbackend import K, ops
    >>> K.eval(ops.pinv(K.constant([[2., 0.], [0., 0.]]))).round(5).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    _checked(x)
    return TensorSpec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


def _has_vectors(a: Any, b: Any) -> bool:
    """Whether the right-hand sides ``b`` are vectors instead of matrices.

    Raises:
        ValueError: the shapes do not fit.
    """
    first, second = tuple(a.shape), tuple(b.shape)
    shapes = f"lstsq of the shapes {first} and {second}"
    if len(first) < 2 or len(second) not in (len(first), len(first) - 1):
        raise ValueError(f"{shapes}: a needs rank 2 or more, b the rank of a or one less")
    if any(x is not None and y is not None and x != y for x, y in zip(first[:-1], second)):
        raise ValueError(f"{shapes}: the rows or the batch axes differ")
    return len(second) < len(first)


@derived(tolerance="matmul", samples=lambda: [
    call(_drawn(4, 2), In((4, 3)), dtypes=WIDE, dynamic=False), call(_drawn(4, 2), In((4,)), dtypes=WIDE,
                                                                    name="a vector", dynamic=False),
    call(_drawn(2, 2, 4), In((2, 2)), dtypes=WIDE, name="vectors, wide"),
    call(In((3, 2), values=[[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]), In((3,), values=[5.0, 10.0, 1.0]), dtypes=WIDE,
         gradient=False, name="rank 1", expect=np.array([1.0, 2.0]), dynamic=False),
    call(_drawn(4, 2), In((3, 2)), dtypes=WIDE, raises=ValueError, name="rows", dynamic=False),
    call(In((4,)), In((4,)), dtypes=WIDE, raises=ValueError, name="rank", dynamic=False)])
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Any:
    """The least squares solutions of ``a @ x = b`` of minimum norm (the first result of NumPy's ``linalg.lstsq``).

    Args:
        a: a tensor ``(..., m, n)`` of float32 or float64; integers are promoted to floatx.
        b: a tensor ``(..., m, k)``, or ``(..., m)`` of vectors.
        rcond: singular values of ``a`` up to ``rcond`` times the largest are taken as 0. None: ``max(m, n)`` times the
            machine epsilon of the dtype; a negative number: the machine epsilon.

    Returns:
        A tensor ``(..., n, k)``, or ``(..., n)`` of vectors.

    Raises:
        numpy.linalg.LinAlgError: NaN or infinite elements in ``a``.
        ValueError: the shapes do not fit.
        TypeError: another dtype, cast float16 and bfloat16 first; an ``rcond`` that is not a number.

    Source: Golub and Van Loan, Matrix Computations, 5.5.

    >>> from kbackend import K, ops
    >>> x = ops.lstsq(K.constant([[1., 0.], [1., 1.], [1., 2.]]), K.constant([1., 3., 5.]))
    >>> K.eval(x).round(4).tolist()
    [1.0, 2.0]
    """
    a, b = as_tensor(a), as_tensor(b)
    has_vectors = _has_vectors(a, b)
    common = dtypes.to_float(dtypes.promote(dtype_of(a), dtype_of(b)))
    a, b = cast(a, common), cast(b, common)
    if rcond is not None and common in WIDE and isinstance(rcond, (int, float)) and rcond < 0:
        rcond = float(np.finfo(common).eps)
    inverse = pinv(a, rcond)
    return squeeze_axis(inverse @ expand_dims(b, -1), -1) if has_vectors else inverse @ b


@derived(tolerance="exact", samples=lambda: [
    call(_drawn(2, 3, 4), dtypes=WIDE, gradient=False, expect=np.array([3, 3], np.int32)),
    call(In((2, 2), values=[[1.0, 2.0], [2.0, 4.0]]), dtypes=WIDE, gradient=False, name="rank 1",
         expect=np.array(1, np.int32)),
    call(In((2, 2), values=np.diag([3.0, 1.0])), 2.0, dtypes=WIDE, gradient=False, name="tol",
         expect=np.array(1, np.int32)),
    call(In((2, 0, 3)), dtypes=WIDE, gradient=False, name="no row", expect=np.zeros(2, np.int32)), *_wrong_rank()])
def matrix_rank(x: TensorLike, tol: Any = None) -> Any:
    """The ranks of matrices: the numbers of singular values above a threshold (NumPy's ``linalg.matrix_rank``).

    Args:
        x: a tensor ``(..., m, n)`` of float32 or float64; integers are promoted to floatx.
        tol: the threshold, a number or a tensor ``(...)``. None: the largest singular value times ``max(m, n)`` times
            the machine epsilon of the dtype.

    Returns:
        An int32 tensor ``(...)``, without gradient.

    Raises:
        numpy.linalg.LinAlgError: NaN or infinite elements.
        ValueError: a rank less than 2.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> int(K.eval(ops.matrix_rank(K.constant([[1., 2.], [2., 4.]]))))
    1
    """
    x = as_tensor(x)
    values = svd_values(stop_gradient(x))
    if tol is None:
        tol = _rounding_error(x, values)
    elif len(np.shape(tol) if not hasattr(tol, "shape") else tol.shape):
        tol = expand_dims(as_tensor(tol), -1)
    return sum_(cast(values > tol, "int32"), axis=-1)


def _rounding_error(x: Any, values: Any) -> Any:
    """The threshold up to which singular values are 0 within rounding."""
    if values.shape[-1] == 0:
        return 0.0
    m, n = length(x, -2), length(x, -1)
    eps = float(np.finfo(dtype_of(values)).eps)
    known = isinstance(m, int) and isinstance(n, int)
    relative = max(m, n) * eps if known else cast(maximum(m, n), dtype_of(values)) * eps
    if values.shape[-1] is None:  # there may be no singular value
        values = pad_constant(values, ((0, 0),) * (len(values.shape) - 1) + ((0, 1),))
    return reduce_max(values, axis=-1, keepdims=True) * relative


__all__ = ["lstsq", "matrix_rank", "pinv"]
