"""Decompositions of matrices: autograd primitives whose gradients have gradients themselves.

A primitive returns one array, the factors one below the other, because gradients of tuples do not add up on the tape.
"""

from __future__ import annotations

import math
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive

from kbackend_numpy.kernels.elementwise.complex import conj, real, to_complex
from kbackend_numpy.kernels.linalg.matmul import _swapped, matmul
from kbackend_numpy.kernels.linalg.solve import _solve
from kbackend_numpy.kernels.reduction.reductions import value_of


def _inverses(d: Any) -> Any:
    """``1 / d``, and 0 where ``d`` is 0."""
    zero = (value_of(d) == 0).astype(d.dtype)
    return 1 / (d + zero) - zero


def _finite(x: Any) -> Any:
    """``x``; LAPACK may search for singular values for ever where an element is infinite."""
    if not np.isfinite(x).all():
        raise np.linalg.LinAlgError("a matrix has NaN or infinite elements: there are no singular values")
    return x


def _differences(values: Any) -> Any:
    """``values[j] - values[i]`` at place (i, j)."""
    return values[..., None, :] - values[..., :, None]


def _diagonal(values: Any) -> Any:
    return values[..., None, :] * np.eye(values.shape[-1], dtype=values.dtype)


# ------------------------------------------------------------------------------------- QR


@primitive
def _tall_qr(x: Any) -> Any:
    """Q above R, of matrices with as many rows as columns or more."""
    return np.concatenate(np.linalg.qr(x), axis=-2)


def _tall_qr_gradient(ans: Any, x: Any) -> Any:
    m, n = x.shape[-2:]
    lower, below = np.tril(np.ones((n, n), x.dtype)), np.tril(np.ones((n, n), x.dtype), -1)

    def gradient(g: Any) -> Any:
        q, r = ans[..., :m, :], ans[..., m:, :]
        gq, gr = g[..., :m, :], g[..., m:, :]
        inner = matmul(r, _swapped(gr)) - matmul(_swapped(gq), q)
        mirrored = inner * lower + _swapped(inner * below)
        return _swapped(_solve(r, _swapped(gq + matmul(q, mirrored))))

    return gradient


defvjp(_tall_qr, _tall_qr_gradient)


def qr_reduced(x: Any) -> Any:
    m, n = x.shape[-2:]
    if m >= n:
        packed = _tall_qr(x)
        return packed[..., :m, :], packed[..., m:, :]
    packed = _tall_qr(x[..., :m])
    q, r = packed[..., :m, :], packed[..., m:, :]
    return q, anp.concatenate([r, matmul(_swapped(q), x[..., m:])], axis=-1)


def orthogonal_complement(x: Any) -> Any:
    found = value_of(x)
    return np.linalg.qr(found, mode="complete")[0][..., found.shape[-1] :]


# ------------------------------------------------------------------------------------- SVD


@primitive
def _svd(x: Any) -> Any:
    """U above S above V."""
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
        in_u, in_v = matmul(_swapped(u), gu), matmul(_swapped(v), gv)
        middle = gaps * (in_u - _swapped(in_u)) * s[..., None, :] + _diagonal(gs)
        middle = middle + s[..., :, None] * (gaps * (in_v - _swapped(in_v)))
        left, inverse = matmul(u, middle), _inverses(s)[..., None, :]
        if m > k:
            left = left + (gu - matmul(u, in_u)) * inverse
        found = matmul(left, _swapped(v))
        return found + matmul(u * inverse, _swapped(gv - matmul(v, in_v))) if n > k else found

    return gradient


defvjp(_svd, _svd_gradient)


def svd_reduced(x: Any) -> Any:
    u, s, v = _cut(_svd(x), x.shape[-2])
    return u, s, _swapped(v)


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
        turned, across = _swapped(ans), _swapped(g)
        right = matmul(matmul(across, ans), turned)
        left = matmul(matmul(turned, ans), across)
        found = right - matmul(x, matmul(ans, right)) + left - matmul(matmul(left, ans), x)
        return found - matmul(matmul(turned, g), turned)

    return gradient


defvjp(_pinv, _pinv_gradient)


def pinv(x: Any, rcond: float | None) -> Any:
    return _pinv(x, max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if rcond is None else rcond)


# ------------------------------------------------------------------------------------- eigenvalues


@primitive
def _eigh(x: Any) -> Any:
    """Eigenvectors above eigenvalues; NaN for matrices that are not finite, with which LAPACK may come to no end."""
    finite = np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    values, vectors = np.linalg.eigh(x if finite.all() else np.where(finite, x, x.dtype.type(0)))
    found = np.concatenate([vectors, values[..., None, :]], axis=-2)
    return found if finite.all() else np.where(finite, found, x.dtype.type(np.nan))


def _eigh_gradient(ans: Any, x: Any) -> Any:
    def gradient(g: Any) -> Any:
        vectors, values = ans[..., :-1, :], ans[..., -1, :]
        turned = _swapped(vectors)
        middle = _inverses(_differences(values)) * matmul(turned, g[..., :-1, :]) + _diagonal(g[..., -1, :])
        return matmul(matmul(vectors, middle), turned)

    return gradient


defvjp(_eigh, _eigh_gradient)


def eigh_lower(x: Any) -> Any:
    packed = _eigh(x)
    return packed[..., -1, :], packed[..., :-1, :]


@primitive
def _eig(x: Any) -> Any:
    """Eigenvectors above eigenvalues, of complex matrices."""
    values, vectors = np.linalg.eig(x)
    found = np.concatenate([vectors, values[..., None, :]], axis=-2)
    return found.astype(np.result_type(x.dtype, np.complex64), copy=False)


def _eig_gradient(ans: Any, x: Any) -> Any:
    """With cotangents ``dL/dx - i dL/dy``, as everywhere on the tape; vectors keep the length 1."""

    def gradient(g: Any) -> Any:
        vectors, values = ans[..., :-1, :], ans[..., -1, :]
        turned = _swapped(vectors)
        inner = matmul(turned, g[..., :-1, :])
        eye = np.eye(x.shape[-1], dtype=ans.dtype)
        lengths = matmul(matmul(turned, conj(vectors)), to_complex(real(inner), ans.dtype) * eye)
        middle = _inverses(_differences(values)) * (inner - lengths) + _diagonal(g[..., -1, :])
        found = _solve(turned, matmul(middle, turned))
        return real(found) if x.dtype.kind == "f" else found

    return gradient


defvjp(_eig, _eig_gradient)


def eig(x: Any) -> Any:
    packed = _eig(x)
    return packed[..., -1, :], packed[..., :-1, :]


# ------------------------------------------------------------------------------------- LU


_PANEL = 32


def _eliminated(x: Any) -> tuple[Any, Any]:
    """The factors in one matrix and the pivots; for the whole batch, a column at a time within panels of columns."""
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
    """Bring the largest element below (i, i) there; gives the rows in which they were."""
    rows, place = np.arange(len(a)), i + np.argmax(np.abs(a[:, i:, i]), axis=1)
    chosen = a[rows, place]
    a[rows, place] = a[:, i]
    a[:, i] = chosen
    if not a[:, i, i].all():
        raise np.linalg.LinAlgError(f"a matrix is singular: column {i} has no pivot")
    return place


def _row_exchange(pivots: Any, dtype: Any) -> Any:
    """The matrices ``P`` of ``P @ L @ U``."""
    n = pivots.shape[-1]
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), n)
    order = np.tile(np.arange(n), (len(flat), 1))
    rows = np.arange(len(flat))
    for i in range(n):
        order[rows, i], order[rows, flat[:, i]] = order[rows, flat[:, i]], order[rows, i].copy()
    found = np.zeros((len(flat), n, n), dtype)
    found[rows[:, None], order, np.arange(n)] = 1
    return found.reshape(*pivots.shape, n)


@primitive
def _lu(x: Any, factors: Any, pivots: Any) -> Any:
    return factors


def _lu_gradient(ans: Any, x: Any, factors: Any, pivots: Any) -> Any:
    n = x.shape[-1]
    upper = np.triu(np.ones((n, n), x.dtype))
    below, eye = 1 - upper, np.eye(n, dtype=x.dtype)

    def gradient(g: Any) -> Any:
        lower, high = _swapped(ans * below + eye), _swapped(ans * upper)
        middle = matmul(lower, g * below) * below + matmul(g * upper, high) * upper
        found = _solve(lower, middle)
        found = _swapped(_solve(_swapped(high), _swapped(found)))
        return matmul(_row_exchange(pivots, x.dtype), found)

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
