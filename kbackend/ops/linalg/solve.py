"""Inverses, determinants, linear systems and Cholesky factors of matrices over the last two axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.diagonal import tril, triu
from kbackend.ops.arrays.transpose import swapaxes


def _checked(x: TensorSpec) -> None:
    if x.ndim < 2:
        raise ValueError(f"a matrix needs rank 2 or more, this tensor has shape {x.shape}")
    if x.dtype not in WIDE:
        raise TypeError(f"linear algebra needs float32 or float64, not {x.dtype}; cast it first")


def _square(x: TensorSpec) -> TensorSpec:
    """``x``, checked to be square matrices."""
    _checked(x)
    rows, columns = x.shape[-2:]
    if rows is not None and columns is not None and rows != columns:
        raise ValueError(f"a matrix must be square, this tensor has shape {x.shape}")
    return x


def _transposed(x: Any) -> Any:
    return swapaxes(x, -1, -2)


def _regular(*batch: int, n: int = 3) -> In:
    """Well-conditioned matrices."""
    drawn = np.random.default_rng(n + 10 * len(batch)).uniform(-1, 1, (*batch, n, n))
    return In((*batch, n, n), values=drawn + 3 * np.eye(n))


def _definite(*batch: int, n: int = 3) -> In:
    drawn = np.random.default_rng(n + len(batch)).uniform(-1, 1, (*batch, n, n))
    return In((*batch, n, n), values=drawn @ np.swapaxes(drawn, -1, -2) + 2 * np.eye(n))


def _wrong() -> list[Sample]:
    return [
        call(In((2, 3)), name="not square", dtypes=WIDE, raises=ValueError, dynamic=False),
        call(In((3,)), name="a vector", dtypes=WIDE, raises=ValueError, dynamic=False),
        call(In((2, 2)), name="float16", dtypes=("float16",), raises=TypeError, dynamic=False),
    ]


def _same(x: TensorSpec, **attrs: Any) -> TensorSpec:
    return TensorSpec(_square(x).shape, x.dtype)


def _cholesky_samples() -> list[Sample]:
    # The gradient is the symmetric one of symmetric matrices; finite differences of single elements are not symmetric.
    return [
        call(_definite(), dtypes=WIDE, gradient=False),
        call(_definite(2), dtypes=WIDE, upper=True, name="upper, a batch", gradient=False),
        call(In((1, 2, 2), values=[[[1.0, 2.0], [2.0, 1.0]]]), dtypes=WIDE, name="not positive definite", row=50,
             raises=np.linalg.LinAlgError),
        *_wrong(),
    ]


def _cholesky_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "upper": bool(attrs["upper"])}


@primitive(promote="float", prepare=_cholesky_attrs, tolerance="matmul", samples=_cholesky_samples)
def cholesky(x: TensorLike, upper: bool = False) -> TensorSpec:
    """The Cholesky factors of symmetric positive definite matrices: ``x = L @ L.T`` or ``x = U.T @ U``.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64, of which only the lower triangle is read; integers are
            promoted to floatx.
        upper: whether to return U instead of L.

    Returns:
        A tensor of the shape of ``x``. The gradient is symmetric.

    Raises:
        numpy.linalg.LinAlgError: a matrix is not positive definite.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 4.2.

    >>> from kbackend import K, ops
    >>> K.eval(ops.cholesky(K.constant([[4., 2.], [2., 5.]]))).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return _same(x)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(_regular(), dtypes=WIDE),
    call(_regular(2, n=2), dtypes=WIDE, name="a batch"),
    call(In((2, 2), values=[[1.0, 2.0], [2.0, 4.0]]), dtypes=WIDE, name="singular", raises=np.linalg.LinAlgError),
    *_wrong(),
])
def inv(x: TensorLike) -> TensorSpec:
    """The inverses of square matrices.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        A tensor of the shape of ``x``.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> K.eval(ops.inv(K.constant([[2., 0.], [0., 4.]]))).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return _same(x)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(_regular(), dtypes=WIDE),
    call(_regular(2, n=2), dtypes=WIDE, name="a batch"),
    call(_regular(n=1), dtypes=WIDE, name="one element"),
    *_wrong(),
])
def det(x: TensorLike) -> TensorSpec:
    """The determinants of square matrices.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        A tensor ``(...)``.

    Raises:
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> float(K.eval(ops.det(K.constant([[2., 0.], [0., 4.]]))))
    8.0
    """
    return TensorSpec(_square(x).shape[:-2], x.dtype)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(_regular(), dtypes=WIDE),
    call(_regular(2, n=2), dtypes=WIDE, name="a batch"),
    *_wrong(),
])
def slogdet(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """The signs of the determinants and the logarithms of their absolute values (NumPy's ``linalg.slogdet``).

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        ``[sign, logarithm]``, two tensors ``(...)``.

    Raises:
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> sign, log = ops.slogdet(K.constant([[0., 1.], [1., 0.]]))
    >>> float(K.eval(sign)), float(K.eval(log))
    (-1.0, 0.0)
    """
    result = TensorSpec(_square(x).shape[:-2], x.dtype)
    return result, result


@composite(promote="float", tolerance="matmul", samples=lambda: [
    call(_definite(), dtypes=WIDE, gradient=False),
    call(_definite(2), dtypes=WIDE, name="a batch", gradient=False), *_wrong()])
def logdet(x: TensorLike) -> Any:
    """The logarithms of the determinants of symmetric positive definite matrices.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        A tensor ``(...)``.

    Raises:
        numpy.linalg.LinAlgError: a matrix is not positive definite.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> float(K.eval(ops.logdet(K.constant([[1., 0.], [0., 1.]]))))
    0.0
    """
    return slogdet(cholesky(x))[1] * 2


def _solve_rule(a: TensorSpec, b: TensorSpec, **attrs: Any) -> TensorSpec:
    _square(a)
    if b.ndim not in (a.ndim, a.ndim - 1) or b.ndim < 1:
        raise ValueError(f"b must have the rank of a or one less, a has shape {a.shape} and b {b.shape}")
    shape = a.shape[:-1] if b.ndim < a.ndim else a.shape[:-1] + b.shape[-1:]
    expected = a.shape[:-1] + b.shape[a.ndim - 1 :]
    if any(x is not None and y is not None and x != y for x, y in zip(expected, b.shape)):
        raise ValueError(f"a of shape {a.shape} and b of shape {b.shape} do not fit")
    return TensorSpec(shape, a.dtype)


def _solve_samples() -> list[Sample]:
    return [
        call(_regular(), In((3, 2)), dtypes=WIDE, dynamic=False),
        call(_regular(2), In((2, 3, 1)), dtypes=WIDE, name="a batch"),
        call(_regular(2), In((2, 3)), dtypes=WIDE, name="vectors"),
        call(_regular(), In((3,)), dtypes=WIDE, name="a vector", dynamic=False),
        call(_regular(), In((2, 2)), name="rows", dtypes=WIDE, raises=ValueError, dynamic=False),
    ]


@primitive(promote="float", tolerance="matmul", samples=_solve_samples)
def solve(a: TensorLike, b: TensorLike) -> TensorSpec:
    """The solutions ``x`` of ``a @ x = b``.

    Args:
        a: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.
        b: a tensor ``(..., n, m)``, or ``(..., n)`` of vectors.

    Returns:
        A tensor of the shape of ``b``.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular.
        ValueError: the shapes do not fit.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> K.eval(ops.solve(K.constant([[2., 0.], [0., 4.]]), K.constant([2., 2.]))).tolist()
    [1.0, 0.5]
    """
    return _solve_rule(a, b)


@composite(promote="float", tolerance="matmul", rule=_solve_rule, samples=lambda: [
    *_solve_samples(),
    call(_regular(), In((3, 2)), lower=True, dtypes=WIDE, name="lower", dynamic=False)])
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Any:
    """The solutions ``x`` of ``a @ x = b`` for triangular ``a``.

    Args:
        a: a tensor ``(..., n, n)`` of float32 or float64, whose other triangle is ignored; integers are promoted to
            floatx.
        b: a tensor ``(..., n, m)``, or ``(..., n)`` of vectors.
        lower: whether ``a`` is lower triangular instead of upper triangular.

    Returns:
        A tensor of the shape of ``b``.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular.
        ValueError: the shapes do not fit.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> K.eval(ops.solve_triangular(K.constant([[2., 0.], [9., 4.]]), K.constant([2., 2.]))).tolist()
    [1.0, 0.5]
    """
    return solve(tril(a) if lower else triu(a), b)


@composite(promote="float", prepare=_cholesky_attrs, rule=_same, tolerance="matmul", samples=lambda: [
    call(_regular(), dtypes=WIDE), call(_regular(2), upper=True, dtypes=WIDE, name="upper"), *_wrong()])
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Any:
    """The inverses of matrices from their Cholesky factors.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64, the factors that :func:`cholesky` returns.
        upper: whether the factors are upper triangular.

    Returns:
        A tensor of the shape of ``x``.

    Raises:
        numpy.linalg.LinAlgError: a factor is singular.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    >>> from kbackend import K, ops
    >>> K.eval(ops.cholesky_inverse(K.constant([[2., 0.], [0., 1.]]))).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    inverse = inv(triu(x) if upper else tril(x))
    return inverse @ _transposed(inverse) if upper else _transposed(inverse) @ inverse


__all__ = ["cholesky", "cholesky_inverse", "det", "inv", "logdet", "slogdet", "solve", "solve_triangular"]
