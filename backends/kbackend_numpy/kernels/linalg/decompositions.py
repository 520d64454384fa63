"""Decompositions of matrices: autograd primitives with gradients of any order.

A primitive returns one array of all factors, joined along the rows, because autograd cannot add gradients of tuples.
"""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp

from kbackend_numpy.kernels.elementwise.complex import conj, real, to_complex
from kbackend_numpy.kernels.linalg.matmul import _transposed, matmul
from kbackend_numpy.kernels.linalg.solve import _solve
from kbackend_numpy.kernels.reduction.reductions import value_of
from kbackend_numpy.recording import primitive


def _inverses(d: Any) -> Any:
    """``1 / d``, and 0 where ``d`` is 0."""
    zero = (value_of(d) == 0).astype(d.dtype)
    return 1 / (d + zero) - zero


def _finite(x: Any) -> Any:
    """``x``, checked: LAPACK may not terminate for infinite elements."""
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError("a matrix has NaN or infinite elements, so it has no singular values")
    return x


def _differences(values: Any) -> Any:
    """The matrix of ``values[j] - values[i]`` in row i and column j."""
    return values[..., None, :] - values[..., :, None]


def _diagonal(values: Any) -> Any:
    return values[..., None, :] * np.eye(values.shape[-1], dtype=values.dtype)


# ------------------------------------------------------------------------------------- QR


@primitive
def _tall_qr(x: Any) -> Any:
    """Q and R, joined along the rows, of matrices with at least as many rows as columns."""
    return np.concatenate(np.linalg.qr(x), axis=-2)


def _tall_qr_gradient(ans: Any, x: Any) -> Any:
    m, n = x.shape[-2:]
    lower, below = np.tril(np.ones((n, n), x.dtype)), np.tril(np.ones((n, n), x.dtype), -1)

    def gradient(g: Any) -> Any:
        q, r = ans[..., :m, :], ans[..., m:, :]
        gq, gr = g[..., :m, :], g[..., m:, :]
        inner = matmul(r, _transposed(gr)) - matmul(_transposed(gq), q)
        mirrored = inner * lower + _transposed(inner * below)
        return _transposed(_solve(r, _transposed(gq + matmul(q, mirrored))))

    return gradient


defvjp(_tall_qr, _tall_qr_gradient)


def qr_reduced(x: Any) -> Any:
    m, n = x.shape[-2:]
    if m >= n:
        packed = _tall_qr(x)
        return packed[..., :m, :], packed[..., m:, :]
    packed = _tall_qr(x[..., :m])
    q, r = packed[..., :m, :], packed[..., m:, :]
    return q, anp.concatenate([r, matmul(_transposed(q), x[..., m:])], axis=-1)


def orthogonal_complement(x: Any) -> Any:
    x = value_of(x)
    return np.linalg.qr(x, mode="complete")[0][..., x.shape[-1] :]


# ------------------------------------------------------------------------------------- SVD


@primitive
def _svd(x: Any) -> Any:
    """U, S and V, joined along the rows."""
    u, s, vh = np.linalg.svd(_finite(x), full_matrices=False)
    return np.concatenate([u, s[..., None, :], np.swapaxes(vh, -1, -2)], axis=-2)


def _cut(packed: Any, m: int) -> tuple[Any, Any, Any]:
    return packed[..., :m, :], packed[..., m, :], packed[..., m + 1 :, :]


def _svd_gradient(ans: Any, x: Any) -> Any:
    m, n = x.shape[-2:]
    k = min(m, n)

    def gradient(g: Any) -> Any:
        (u, s, v), (gu, gs, gv) = _cut(ans, m), _cut(g, m)
        gaps = _inverses(_differences(s)) * _inverses(s[..., None, :] + s[..., :, None])
        in_u, in_v = matmul(_transposed(u), gu), matmul(_transposed(v), gv)
        middle = gaps * (in_u - _transposed(in_u)) * s[..., None, :] + _diagonal(gs)
        middle = middle + s[..., :, None] * (gaps * (in_v - _transposed(in_v)))
        left, inverse = matmul(u, middle), _inverses(s)[..., None, :]
        if m > k:
            left = left + (gu - matmul(u, in_u)) * inverse
        result = matmul(left, _transposed(v))
        return result + matmul(u * inverse, _transposed(gv - matmul(v, in_v))) if n > k else result

    return gradient


defvjp(_svd, _svd_gradient)


def svd_reduced(x: Any) -> Any:
    u, s, v = _cut(_svd(x), x.shape[-2])
    return u, s, _transposed(v)


@primitive
def svd_values(x: Any) -> Any:
    return np.linalg.svd(_finite(x), compute_uv=False)


def _svd_values_gradient(ans: Any, x: Any) -> Any:
    def gradient(g: Any) -> Any:
        u, _, vh = svd_reduced(x)
        return matmul(u * g[..., None, :], vh)

    return gradient


defvjp(svd_values, _svd_values_gradient)


@primitive
def _pinv(x: Any, rcond: float) -> Any:
    return np.linalg.pinv(_finite(x), rcond=rcond).astype(x.dtype, copy=False)


def _pinv_gradient(ans: Any, x: Any, rcond: float) -> Any:
    def gradient(g: Any) -> Any:
        ans_t, g_t = _transposed(ans), _transposed(g)
        right = matmul(matmul(g_t, ans), ans_t)
        left = matmul(matmul(ans_t, ans), g_t)
        result = right - matmul(x, matmul(ans, right)) + left - matmul(matmul(left, ans), x)
        return result - matmul(matmul(ans_t, g), ans_t)

    return gradient


defvjp(_pinv, _pinv_gradient)


def pinv(x: Any, rcond: float | None) -> Any:
    return _pinv(x, max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if rcond is None else rcond)


# ------------------------------------------------------------------------------------- eigenvalues


@primitive
def _eigh(x: Any) -> Any:
    """Eigenvectors and eigenvalues, joined; NaN for matrices that are not finite, as LAPACK may not terminate."""
    finite = np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    values, vectors = np.linalg.eigh(x if finite.all() else np.where(finite, x, x.dtype.type(0)))
    joined = np.concatenate([vectors, values[..., None, :]], axis=-2)
    return joined if finite.all() else np.where(finite, joined, x.dtype.type(np.nan))


def _eigh_gradient(ans: Any, x: Any) -> Any:
    def gradient(g: Any) -> Any:
        vectors, values = ans[..., :-1, :], ans[..., -1, :]
        vectors_t = _transposed(vectors)
        middle = _inverses(_differences(values)) * matmul(vectors_t, g[..., :-1, :]) + _diagonal(g[..., -1, :])
        return matmul(matmul(vectors, middle), vectors_t)

    return gradient


defvjp(_eigh, _eigh_gradient)


def eigh_lower(x: Any) -> Any:
    packed = _eigh(x)
    return packed[..., -1, :], packed[..., :-1, :]


@primitive
def _eig(x: Any) -> Any:
    """Complex eigenvectors and eigenvalues, joined along the rows."""
    values, vectors = np.linalg.eig(x)
    joined = np.concatenate([vectors, values[..., None, :]], axis=-2)
    return joined.astype(np.result_type(x.dtype, np.complex64), copy=False)


def _eig_gradient(ans: Any, x: Any) -> Any:
    """The gradient in the convention ``dL/dx - i dL/dy`` of the tape, under the constraint that vectors have norm 1."""

    def gradient(g: Any) -> Any:
        vectors, values = ans[..., :-1, :], ans[..., -1, :]
        vectors_t = _transposed(vectors)
        inner = matmul(vectors_t, g[..., :-1, :])
        eye = np.eye(x.shape[-1], dtype=ans.dtype)
        norms = matmul(matmul(vectors_t, conj(vectors)), to_complex(real(inner), ans.dtype) * eye)
        middle = _inverses(_differences(values)) * (inner - norms) + _diagonal(g[..., -1, :])
        result = _solve(vectors_t, matmul(middle, vectors_t))
        return real(result) if x.dtype.kind == "f" else result

    return gradient


defvjp(_eig, _eig_gradient)


def eig(x: Any) -> Any:
    packed = _eig(x)
    return packed[..., -1, :], packed[..., :-1, :]


# ------------------------------------------------------------------------------------- LU


_PANEL = 32


def _eliminated(x: Any) -> tuple[Any, Any]:
    """L and U in one matrix, and the pivots, by blocked elimination of the whole batch at once."""
    n, batch = x.shape[-1], x.shape[:-2]
    count = math.prod(batch)
    a = np.array(x).reshape(count, n, n)
    pivots = np.empty((count, n), np.int32)
    for start in range(0, n, _PANEL):
        stop = min(start + _PANEL, n)
        for i in range(start, stop):
            pivots[:, i] = _exchange(a, i)
            a[:, i + 1 :, i] /= a[:, i, i, None]
            a[:, i + 1 :, i + 1 : stop] -= a[:, i + 1 :, i, None] * a[:, i, None, i + 1 : stop]
        lower = np.tril(a[:, start:stop, start:stop], -1) + np.eye(stop - start, dtype=a.dtype)
        a[:, start:stop, stop:] = np.linalg.solve(lower, a[:, start:stop, stop:])
        a[:, stop:, stop:] -= a[:, stop:, start:stop] @ a[:, start:stop, stop:]
    return a.reshape(x.shape), pivots.reshape(*batch, n)


def _exchange(a: Any, i: int) -> Any:
    """Exchange row i in place with the pivot row, that of the largest element in column i; returns the pivot rows."""
    matrices, pivot = np.arange(len(a)), i + np.argmax(np.abs(a[:, i:, i]), axis=1)
    pivot_rows = a[matrices, pivot]
    a[matrices, pivot] = a[:, i]
    a[:, i] = pivot_rows
    if not a[:, i, i].all():
        raise np.linalg.LinAlgError(f"a matrix is singular: column {i} has no nonzero pivot")
    return pivot


def _permutation(pivots: Any, dtype: Any) -> Any:
    """The permutation matrices ``P`` of ``x = P @ L @ U``."""
    n = pivots.shape[-1]
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), n)
    order = np.tile(np.arange(n), (len(flat), 1))
    rows = np.arange(len(flat))
    for i in range(n):
        order[rows, i], order[rows, flat[:, i]] = order[rows, flat[:, i]], order[rows, i].copy()
    permutation = np.zeros((len(flat), n, n), dtype)
    permutation[rows[:, None], order, np.arange(n)] = 1
    return permutation.reshape(*pivots.shape, n)


@primitive
def _lu(x: Any, factors: Any, pivots: Any) -> Any:
    return factors


def _lu_gradient(ans: Any, x: Any, factors: Any, pivots: Any) -> Any:
    n = x.shape[-1]
    upper = np.triu(np.ones((n, n), x.dtype))
    below, eye = 1 - upper, np.eye(n, dtype=x.dtype)

    def gradient(g: Any) -> Any:
        lower, high = _transposed(ans * below + eye), _transposed(ans * upper)
        middle = matmul(lower, g * below) * below + matmul(g * upper, high) * upper
        result = _solve(lower, middle)
        result = _transposed(_solve(_transposed(high), _transposed(result)))
        return matmul(_permutation(pivots, x.dtype), result)

    return gradient


defvjp(_lu, _lu_gradient)


def lu_factor(x: Any) -> Any:
    factors, pivots = _eliminated(value_of(x))
    return _lu(x, factors, pivots), pivots


KERNELS = {
    "eig": eig,
    "eigh_lower": eigh_lower,
    "lu_factor": lu_factor,
    "orthogonal_complement": orthogonal_complement,
    "pinv": pinv,
    "qr_reduced": qr_reduced,
    "svd_reduced": svd_reduced,
    "svd_values": svd_values,
}
