"""Decompositions of matrices, with own gradients of QR and SVD where sizes that TensorFlow's need are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from kbackend_tensorflow.grappler import with_graphs

_transposed = tf.linalg.matrix_transpose


def _inverses(d: Any) -> Any:
    """``1 / d``, and 0 where ``d`` is 0."""
    return tf.math.divide_no_nan(tf.ones_like(d), d)


def qr_reduced(x: Any) -> Any:
    if None not in x.shape[-2:]:
        q, r = tf.linalg.qr(x)
        return q, r
    k = tf.minimum(tf.shape(x)[-2], tf.shape(x)[-1])
    q, r = _tall_qr(x[..., :k])
    return q, tf.concat([r, tf.matmul(q, x[..., k:], transpose_a=True)], axis=-1)


@tf.custom_gradient
def _tall_qr(x: Any) -> Any:
    """QR of matrices of unknown size with at least as many rows as columns."""

    def gradient(gq: Any, gr: Any) -> Any:
        q, r = _tall_qr(x)
        inner = tf.matmul(r, gr, transpose_b=True) - tf.matmul(gq, q, transpose_a=True)
        lower = tf.linalg.band_part(inner, -1, 0)
        mirrored = lower + _transposed(lower - tf.linalg.band_part(inner, 0, 0))
        return _transposed(tf.linalg.triangular_solve(r, _transposed(gq + tf.matmul(q, mirrored)), lower=False))

    q, r = tf.linalg.qr(x)
    return (q, r), gradient


def orthogonal_complement(x: Any) -> Any:
    # TensorFlow raises an error for any gradient of the full QR, so it is stopped after it, not before.
    return tf.stop_gradient(tf.linalg.qr(x, full_matrices=True)[0][..., tf.shape(x)[-1] :])


def _converged(s: Any) -> Any:
    """Singular values, checked: no convergence is an error, as on other engines."""
    failed = tf.reduce_any(tf.math.is_nan(s))
    with tf.control_dependencies([tf.debugging.Assert(~failed, ["the singular values did not converge"])]):
        return tf.identity(s)


def svd_reduced(x: Any) -> Any:
    if None in x.shape[-2:]:
        return _svd_of_any_size(x)
    s, u, v = tf.linalg.svd(x)
    return u, _converged(s), _transposed(v)


@tf.custom_gradient
def _svd_of_any_size(x: Any) -> Any:
    def gradient(gu: Any, gs: Any, gvh: Any) -> Any:
        u, s, vh = _svd_of_any_size(x)
        gaps = _inverses((s[..., None, :] - s[..., :, None]) * (s[..., None, :] + s[..., :, None]))
        in_u, in_v = tf.matmul(u, gu, transpose_a=True), tf.matmul(vh, gvh, transpose_b=True)
        middle = gaps * (in_u - _transposed(in_u)) * s[..., None, :] + tf.linalg.diag(gs)
        middle += s[..., :, None] * (gaps * (in_v - _transposed(in_v)))
        inverse = _inverses(s)[..., None, :]
        left = tf.matmul(u, middle) + (gu - tf.matmul(u, in_u)) * inverse
        return tf.matmul(left, vh) + tf.matmul(u * inverse, gvh - tf.matmul(in_v, vh, transpose_a=True))

    s, u, v = tf.linalg.svd(x)
    return (u, _converged(s), _transposed(v)), gradient


@tf.custom_gradient
def svd_values(x: Any) -> Any:
    def gradient(g: Any) -> Any:
        u, _, vh = svd_reduced(x)
        return tf.matmul(u * g[..., None, :], vh)

    return _converged(tf.linalg.svd(x, compute_uv=False)), gradient


def pinv(x: Any, rcond: float | None) -> Any:
    @tf.custom_gradient
    def inverted(a: Any) -> Any:
        def gradient(g: Any) -> Any:
            # Computed again from ``a``, so that this gradient has a gradient.
            p = pinv(a, rcond)
            right = tf.matmul(tf.matmul(g, p, transpose_a=True), p, transpose_b=True)
            left = tf.matmul(tf.matmul(p, p, transpose_a=True), g, transpose_b=True)
            result = right - tf.matmul(a, tf.matmul(p, right)) + left - tf.matmul(tf.matmul(left, p), a)
            return result - tf.matmul(tf.matmul(p, g, transpose_a=True), p, transpose_b=True)

        return _pinv(a, rcond), gradient

    return inverted(x)


def _pinv(x: Any, rcond: float | None) -> Any:
    s, u, v = tf.linalg.svd(x)
    s = _converged(s)
    if rcond is None:
        limit = tf.cast(tf.reduce_max(tf.shape(x)[-2:]), x.dtype) * np.finfo(x.dtype.as_numpy_dtype).eps
    else:
        limit = tf.constant(rcond, x.dtype)
    kept = s > limit * tf.reduce_max(s, axis=-1, keepdims=True)
    inverse = tf.where(kept, 1 / tf.where(kept, s, tf.ones_like(s)), tf.zeros_like(s))
    return tf.matmul(v * inverse[..., None, :], u, transpose_b=True)


def _finite(x: Any) -> tuple[Any, Any]:
    """``x`` with the identity for matrices that are not finite, which TensorFlow refuses; and NaN for these, else 0."""
    finite = tf.reduce_all(tf.math.is_finite(x), axis=[-2, -1], keepdims=True)
    nan_or_zero = tf.where(finite, tf.zeros((), x.dtype), tf.constant(np.nan, x.dtype))
    return tf.where(finite, x, tf.eye(tf.shape(x)[-1], dtype=x.dtype)), nan_or_zero


def eigh_lower(x: Any) -> Any:
    x, nan_or_zero = _finite(x)
    values, vectors = tf.linalg.eigh(x)
    return values + nan_or_zero[..., 0], vectors + nan_or_zero


def eig(x: Any) -> Any:
    values, vectors = tf.linalg.eig(x)
    return values, vectors


@tf.custom_gradient
def _lu(x: Any) -> Any:
    """L and U in one matrix, and the order of the rows of ``x`` in their product."""

    def gradient(g: Any, _: Any) -> Any:
        factors, order = _lu(x)
        lower = tf.linalg.set_diag(tf.linalg.band_part(factors, -1, 0), tf.ones_like(factors[..., 0]))
        upper = tf.linalg.band_part(factors, 0, -1)
        below = tf.linalg.band_part(g, -1, 0) - tf.linalg.band_part(g, 0, 0)
        inner = tf.matmul(lower, below, transpose_a=True)
        middle = tf.linalg.band_part(inner, -1, 0) - tf.linalg.band_part(inner, 0, 0)
        middle += tf.linalg.band_part(tf.matmul(tf.linalg.band_part(g, 0, -1), upper, transpose_b=True), 0, -1)
        result = tf.linalg.triangular_solve(lower, middle, lower=True, adjoint=True)
        result = tf.linalg.triangular_solve(upper, _transposed(result), lower=False)
        return tf.gather(_transposed(result), tf.argsort(order, axis=-1), axis=-2, batch_dims=x.shape.rank - 2)

    return tf.linalg.lu(x), gradient


def lu_factor(x: Any) -> Any:
    x, nan_or_zero = _finite(x)
    factors, order = _lu(x)
    return factors + nan_or_zero, _pivots(order)


def _pivots(order: Any) -> Any:
    """The pivots of LAPACK: in step i row i is exchanged with row ``pivots[i]``."""
    shape = tf.shape(order)
    n = shape[-1]
    # Not -1: it cannot be inferred when n is 0.
    wanted = tf.reshape(order, [tf.reduce_prod(shape[:-1]), n])
    positions = tf.range(n)[None, :]

    def exchange(i: Any, rows: Any, pivots: Any) -> Any:
        pivot = tf.argmax(tf.equal(rows, wanted[:, i, None]), axis=1, output_type=tf.int32)[:, None]
        rows = tf.where(positions == pivot, rows[:, i, None], rows)
        return i + 1, tf.where(positions == i, -1, rows), tf.where(positions == i, pivot, pivots)

    start = (tf.constant(0), tf.zeros_like(wanted) + positions, tf.zeros_like(wanted))
    return tf.reshape(with_graphs(tf.while_loop, lambda i, *_: i < n, exchange, start)[2], shape)


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
