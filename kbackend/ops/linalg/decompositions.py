"""Decompositions of matrices over the last two axes: QR, singular values, eigenvalues and LU.

Singular vectors and eigenvectors are unique up to sign, or phase, and engines may choose different ones. Gradients are
those of functions that do not depend on this choice. The dtype must be float32 or float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length, part
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.linalg.solve import _checked, _regular, _square, _transposed, _wrong


def _drawn(*shape: int, seed: int = 0) -> In:
    """Matrices with well-separated singular values."""
    rng = np.random.default_rng(seed + 7 * len(shape) + shape[-1])
    m, n = shape[-2:]
    u, _, vh = np.linalg.svd(rng.uniform(-1, 1, shape), full_matrices=False)
    return In(shape, values=u * np.linspace(1.0, 3.0, min(m, n)) @ vh)


def _symmetric(*shape: int) -> In:
    drawn = np.asarray(_drawn(*shape).values)
    return In(shape, values=drawn + np.swapaxes(drawn, -1, -2))


def _close(found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    bound = {"f": 1e-5, "F": 1e-5}.get(found.dtype.char, 1e-12)
    assert found.shape == wanted.shape, f"{what}: the shape is {found.shape}, it should be {wanted.shape}"
    largest = float(np.max(np.abs(wanted), initial=0.0)) or 1.0
    error = float(np.max(np.abs(found - wanted), initial=0.0)) / largest
    assert error <= bound, f"{what}: the error is {error:.3g}, the bound {bound:.3g}"


def _orthonormal(q: np.ndarray, what: str) -> None:
    transposed = np.swapaxes(q, -1, -2)
    eye = np.broadcast_to(np.eye(q.shape[-1], dtype=q.dtype), (*q.shape[:-2], q.shape[-1], q.shape[-1]))
    _close(transposed @ q, eye, f"the products of the columns of {what}")


def _same_shapes(found: Any, wanted: Any) -> None:
    shapes = [[a.shape for a in result] for result in (found, wanted)]
    assert shapes[0] == shapes[1], f"the shapes are {shapes[0]}, they should be {shapes[1]}"


def _same_svd(found: Any, wanted: Any) -> None:
    """Equal singular values and ``U @ diag(S) @ Vh``; orthonormal columns of U and rows of Vh."""
    _same_shapes(found, wanted)
    u, s, vh = found
    k = s.shape[-1]
    _close(s, wanted[1], "singular values")
    _close(u[..., :k] * s[..., None, :] @ vh[..., :k, :],
           wanted[0][..., :k] * wanted[1][..., None, :] @ wanted[2][..., :k, :], "U @ diag(S) @ Vh")
    _orthonormal(u, "U")
    _orthonormal(np.swapaxes(vh, -1, -2), "V")


def _same_qr(found: Any, wanted: Any) -> None:
    _same_shapes(found, wanted)
    _close(found[0] @ found[1], wanted[0] @ wanted[1], "Q @ R")
    _orthonormal(found[0], "Q")
    assert not np.tril(found[1], -1).any(), "R has elements below its diagonal"


def _same_r(found: Any, wanted: Any) -> None:
    first, second = (np.swapaxes(r, -1, -2) @ r for r in (found, wanted))
    _close(first, second, "R.T @ R")


def _same_span(found: Any, wanted: Any) -> None:
    """Orthonormal columns that span the same space."""
    first, second = (q @ np.swapaxes(q, -1, -2) for q in (found, wanted))
    _close(first, second, "the projection")
    _orthonormal(found, "the complement")


def _same_eigh(found: Any, wanted: Any) -> None:
    _same_shapes(found, wanted)
    _close(found[0], wanted[0], "eigenvalues")
    first, second = (v * w[..., None, :] @ np.swapaxes(v, -1, -2) for w, v in (found, wanted))
    _close(first, second, "V @ diag(w) @ V.T")
    _orthonormal(found[1], "V")


def _same_eig(found: Any, wanted: Any) -> None:
    """Equal eigenvalues in any order, vectors of norm 1, and equal ``V @ diag(w) @ inv(V)``."""
    _same_shapes(found, wanted)
    _close(np.sort_complex(found[0].round(4)), np.sort_complex(wanted[0].round(4)), "eigenvalues")
    _close(np.abs(np.linalg.norm(found[1], axis=-2)), np.ones(found[0].shape), "norms of vectors")
    first, second = (v * w[..., None, :] @ np.linalg.inv(v) for w, v in (found, wanted))
    _close(first, second, "V @ diag(w) @ inv(V)")


def _wrong_rank() -> list[Sample]:
    return [
        call(In((3,)), name="a vector", dtypes=WIDE, raises=ValueError, dynamic=False),
        call(In((2, 2)), name="float16", dtypes=("float16",), raises=TypeError, dynamic=False),
    ]


def _smaller_size(x: TensorSpec) -> int | None:
    """The smaller of the numbers of rows and columns."""
    m, n = x.shape[-2:]
    return 0 if 0 in (m, n) else None if m is None or n is None else min(m, n)


def _factors(options: dict[str, Any], *extra: Sample) -> Any:
    """Samples of tall, wide and square matrices, and of an empty batch."""
    return lambda: [
        call(_drawn(4, 3), dtypes=WIDE, **options), call(_drawn(2, 2, 4), dtypes=WIDE, name="wide, a batch", **options),
        call(_drawn(1, 2, 2), dtypes=WIDE, name="square", **options),
        call(In((0, 3, 2)), dtypes=WIDE, name="no matrix", **options), *extra, *_wrong_rank()]


@primitive(promote="float", tolerance="matmul", samples=_factors({"gradient": False, "compare": _same_qr}))
def qr_reduced(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """The factors Q ``(..., m, k)`` and R ``(..., k, n)`` of ``x = Q @ R``, with ``k = min(m, n)``."""
    _checked(x)
    k = _smaller_size(x)
    return TensorSpec((*x.shape[:-1], k), x.dtype), TensorSpec((*x.shape[:-2], k, x.shape[-1]), x.dtype)


@primitive(promote="float", tolerance="matmul", differentiable=False, samples=lambda: [
    call(In((4, 2), values=np.linalg.qr(np.arange(8.0).reshape(4, 2) ** 2)[0]), dtypes=WIDE, compare=_same_span,
         dynamic=False),
    call(In((2, 2, 2), values=[np.eye(2)] * 2), dtypes=WIDE, name="nothing is left", compare=_same_span)])
def orthogonal_complement(x: TensorLike) -> TensorSpec:
    """An orthonormal basis of the complement of the space that the orthonormal columns of ``x`` span."""
    _checked(x)
    m, k = x.shape[-2:]
    rest = None if m is None or k is None else max(m - k, 0)
    return TensorSpec((*x.shape[:-1], rest), x.dtype)


@primitive(promote="float", tolerance="matmul", samples=_factors({"gradient": False, "compare": _same_svd}))
def svd_reduced(x: TensorLike) -> tuple[TensorSpec, TensorSpec, TensorSpec]:
    """U ``(..., m, k)``, S ``(..., k)`` and Vh ``(..., k, n)`` of ``x = U @ diag(S) @ Vh``, with ``k = min(m, n)``."""
    _checked(x)
    batch, (m, n), k = x.shape[:-2], x.shape[-2:], _smaller_size(x)
    return TensorSpec((*batch, m, k), x.dtype), TensorSpec((*batch, k), x.dtype), TensorSpec((*batch, k, n), x.dtype)


@primitive(promote="float", tolerance="matmul", samples=_factors({}))
def svd_values(x: TensorLike) -> TensorSpec:
    """Singular values ``(..., k)`` in descending order; the gradient is finite where they are equal."""
    _checked(x)
    return TensorSpec((*x.shape[:-2], _smaller_size(x)), x.dtype)


def _completed(q: Any) -> Any:
    """An orthogonal matrix whose first columns are ``q``.

    The added columns have corrections of value 0 whose first and second derivatives keep them orthonormal and
    orthogonal to ``q`` when ``q`` changes.
    """
    m, k = q.shape[-2:]
    if m is not None and m == k:
        return q
    rest = orthogonal_complement(stop_gradient(q))
    overlap = _transposed(q) @ rest
    orthogonal = rest - q @ overlap
    scale_correction = rest @ (_transposed(overlap) @ overlap) * 0.5
    return concatenate_last([q, orthogonal + scale_correction], -1)


@derived(tolerance="matmul", samples=lambda: [
    call(_drawn(4, 2), dtypes=WIDE, gradient=False, compare=_same_qr),
    call(_drawn(2, 4, 3), "complete", dtypes=WIDE, gradient=False, compare=_same_qr, name="complete"),
    call(_drawn(2, 2, 3), "r", dtypes=WIDE, gradient=False, compare=_same_r, name="r"),
    call(In((2, 2)), "raw", dtypes=WIDE, raises=ValueError, name="mode"), *_wrong_rank()])
def qr(x: TensorLike, mode: str = "reduced") -> Any:
    """The QR decomposition ``x = Q @ R`` with orthonormal columns of Q and upper triangular R (NumPy's ``linalg.qr``).

    Args:
        x: a tensor ``(..., m, n)`` of float32 or float64; integers are promoted to floatx.
        mode: 'reduced': Q ``(..., m, k)`` and R ``(..., k, n)``, with ``k = min(m, n)``; 'complete': Q ``(..., m, m)``
            and R ``(..., m, n)``; 'r': R ``(..., k, n)`` only.

    Returns:
        ``(Q, R)``, or R. The signs of the columns of Q are not unique. The gradient needs linearly independent first k
        columns.

    Raises:
        ValueError: another mode, or a rank less than 2.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 5.2.

    >>> from kbackend import K, ops
    >>> q, r = ops.qr(K.constant([[3., 1.], [4., 2.]]))
    >>> K.eval(K.dot(q, r)).round(5).tolist()
    [[3.0, 1.0], [4.0, 2.0]]
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"the mode of qr must be 'reduced', 'complete' or 'r', it is {mode!r}")
    x = as_tensor(x)
    q, r = qr_reduced(x)
    if mode == "r":
        return r
    if mode == "reduced" or q.shape[-1] is not None and q.shape[-1] == q.shape[-2]:
        return q, r
    full = _completed(q)
    added = _transposed(part(full, len(full.shape) - 1, length(q, -1), None)) @ cast(x, dtype_of(q))
    return full, concatenate_last([r, zeros_like(added)], -2)


@derived(tolerance="matmul", samples=lambda: [
    call(_drawn(3, 4), False, dtypes=WIDE, gradient=False, compare=_same_svd, row=51, name="U, S, V^H"),
    call(_drawn(2, 5, 3), dtypes=WIDE, gradient=False, compare=_same_svd, name="full, tall"),
    call(_drawn(2, 3), dtypes=WIDE, gradient=False, compare=_same_svd, name="full, wide"),
    call(_drawn(2, 3, 2), compute_uv=False, dtypes=WIDE, name="values"),
    call(In((3, 3), values=np.eye(3)), compute_uv=False, dtypes=WIDE, name="equal values", expect=np.ones(3),
         expect_gradient=np.eye(3)), *_wrong_rank()])
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition ``x = U @ diag(S) @ Vh`` (NumPy's ``linalg.svd``).

    Args:
        x: a tensor ``(..., m, n)`` of float32 or float64; integers are promoted to floatx.
        full_matrices: whether U is ``(..., m, m)`` and Vh ``(..., n, n)`` instead of ``(..., m, k)`` and
            ``(..., k, n)``, with ``k = min(m, n)``.
        compute_uv: whether to return U and Vh with S.

    Returns:
        ``(U, S, Vh)``, or S ``(..., k)`` in descending order. The sign of each pair of vectors is not unique. The
        gradients of U and Vh need singular values that are distinct and not 0; that of S does not.

    Raises:
        numpy.linalg.LinAlgError: NaN or infinite elements.
        ValueError: a rank less than 2.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 2.4.

    >>> from kbackend import K, ops
    >>> K.eval(ops.svd(K.constant([[0., 2.], [1., 0.]]), compute_uv=False)).round(5).tolist()
    [2.0, 1.0]
    """
    if not compute_uv:
        return svd_values(x)
    u, s, vh = svd_reduced(x)
    return (_completed(u), s, _transposed(_completed(_transposed(vh)))) if full_matrices else (u, s, vh)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(_symmetric(3, 3), dtypes=WIDE, gradient=False, compare=_same_eigh), *_wrong()])
def eigh_lower(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """Eigenvalues ``(..., n)`` and eigenvectors ``(..., n, n)`` of the lower triangle."""
    return TensorSpec(_square(x).shape[:-1], x.dtype), TensorSpec(x.shape, x.dtype)


def _with_symmetric_gradient(x: Any) -> Any:
    """``x`` itself, with the symmetric part of the gradient."""
    mean = (x + _transposed(x)) * 0.5
    return stop_gradient(x) + (mean - stop_gradient(mean))


@derived(tolerance="matmul", samples=lambda: [
    call(_symmetric(2, 3, 3), dtypes=WIDE, gradient=False, compare=_same_eigh),
    call(In((2, 2), values=[[1.0, 9.0], [2.0, 1.0]]), dtypes=WIDE, gradient=False, compare=_same_eigh,
         name="the lower triangle counts"),
    call(In((0, 2, 2)), dtypes=WIDE, gradient=False, compare=_same_eigh, name="no matrix"), *_wrong()])
def eigh(x: TensorLike) -> tuple[Any, Any]:
    """The eigenvalues and eigenvectors of symmetric matrices: ``x = V @ diag(w) @ V.T`` (NumPy's ``linalg.eigh``).

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64, of which only the lower triangle is read; integers are
            promoted to floatx.

    Returns:
        ``(w, V)``: eigenvalues ``(..., n)`` in ascending order, and V ``(..., n, n)``, whose columns are eigenvectors
        of norm 1 and unique up to sign; NaN for a matrix with elements that are not finite. The gradient is symmetric;
        that of V needs distinct eigenvalues.

    Raises:
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 8.1.

    >>> from kbackend import K, ops
    >>> K.eval(ops.eigh(K.constant([[0., 1.], [1., 0.]]))[0]).round(5).tolist()
    [-1.0, 1.0]
    """
    x = as_tensor(x)
    if len(x.shape) < 2 or None not in x.shape[-2:] and x.shape[-1] != x.shape[-2]:
        raise ValueError(f"eigh needs square matrices, this tensor has shape {tuple(x.shape)}")
    w, v = eigh_lower(_with_symmetric_gradient(cast(x, dtypes.to_float(dtype_of(x)))))
    return w, v


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(_regular(2), dtypes=WIDE, gradient=False, compare=_same_eig),
    call(In((2, 2), values=[[0.0, 1.0], [-1.0, 0.0]]), dtypes=WIDE, gradient=False, compare=_same_eig, name="a turn"),
    *_wrong()])
def eig(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """The eigenvalues and eigenvectors of square matrices: ``x @ V = V @ diag(w)`` (NumPy's ``linalg.eig``).

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        ``[w, V]``: eigenvalues ``(..., n)`` in any order, and V ``(..., n, n)``, whose columns are eigenvectors of
        norm 1 and unique up to phase; complex64 for float32 and complex128 for float64, even if all are real.
        Gradients need distinct eigenvalues and a function that does not depend on the phases.

    Raises:
        numpy.linalg.LinAlgError: NaN or infinite elements.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 7.1.

    >>> from kbackend import K, ops
    >>> w, v = ops.eig(K.constant([[0., 1.], [-1., 0.]]))
    >>> sorted(K.eval(w).imag.round(5).tolist())
    [-1.0, 1.0]
    """
    _square(x)
    wide = dtypes.complex_of(x.dtype)
    return TensorSpec(x.shape[:-1], wide), TensorSpec(x.shape, wide)


@primitive(promote="float", tolerance="matmul", samples=lambda: [
    call(In((3, 3), values=[[1.0, 2.0, 0.5], [4.0, 1.0, 1.5], [-2.0, 3.0, 1.0]]), dtypes=WIDE),
    call(_drawn(2, 2, 4, 4), dtypes=WIDE, name="a batch of batches"),
    call(In((0, 2, 2)), dtypes=WIDE, name="no matrix"),
    call(In((2, 2), values=[[0.0, 2.0], [3.0, 6.0]]), dtypes=WIDE, name="an exchange",
         expect=(np.array([[3.0, 6.0], [0.0, 2.0]]), np.array([1, 1], np.int32))),
    call(In((2, 2), values=[[1.0, 2.0], [2.0, 4.0]]), dtypes=WIDE, name="singular", raises=np.linalg.LinAlgError),
    *_wrong()])
def lu_factor(x: TensorLike) -> tuple[TensorSpec, TensorSpec]:
    """The LU decomposition with partial pivoting: ``P @ x = L @ U``.

    Args:
        x: a tensor ``(..., n, n)`` of float32 or float64; integers are promoted to floatx.

    Returns:
        ``[LU, pivots]``: LU ``(..., n, n)`` has U in the upper triangle and L, whose diagonal is 1, below it; pivots is
        int32 ``(..., n)``: in step i row i is exchanged with row ``pivots[i]``.

    Raises:
        numpy.linalg.LinAlgError: a matrix is singular.
        ValueError: the matrices are not square.
        TypeError: another dtype; cast float16 and bfloat16 first.

    Source: Golub and Van Loan, Matrix Computations, 3.4.

    >>> from kbackend import K, ops
    >>> factors, pivots = ops.lu_factor(K.constant([[1., 2.], [2., 8.]]))
    >>> K.eval(factors).tolist(), K.eval(pivots).tolist()
    ([[2.0, 8.0], [0.5, -2.0]], [1, 1])
    """
    return TensorSpec(_square(x).shape, x.dtype), TensorSpec(x.shape[:-1], "int32")


__all__ = ["eig", "eigh", "lu_factor", "qr", "svd"]
