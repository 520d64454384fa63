"""Decompositions of matrices. TensorFlow's gradients of QR and SVD need matrices of known size; others get ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

_turned = tf.linalg.matrix_transpose


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
    """Of matrices with as many rows as columns or more, and of any size."""

    def gradient(gq: Any, gr: Any) -> Any:
        q, r = _tall_qr(x)
        inner = tf.matmul(r, gr, transpose_b=True) - tf.matmul(gq, q, transpose_a=True)
        lower = tf.linalg.band_part(inner, -1, 0)
        mirrored = lower + _turned(lower - tf.linalg.band_part(inner, 0, 0))
        return _turned(tf.linalg.triangular_solve(r, _turned(gq + tf.matmul(q, mirrored)), lower=False))

    q, r = tf.linalg.qr(x)
    return (q, r), gradient


def orthogonal_complement(x: Any) -> Any:
    # On the result: a gradient that arrives at TensorFlow's full QR is an error, even if it goes nowhere.
    return tf.stop_gradient(tf.linalg.qr(x, full_matrices=True)[0][..., tf.shape(x)[-1] :])


def _found(s: Any) -> Any:
    """Singular values; an error where there are none, as other engines have it."""
    failed = tf.reduce_any(tf.math.is_nan(s))
    with tf.control_dependencies([tf.debugging.Assert(~failed, ["the singular values did not converge"])]):
        return tf.identity(s)


def svd_reduced(x: Any) -> Any:
    if None in x.shape[-2:]:
        return _svd_of_any_size(x)
    s, u, v = tf.linalg.svd(x)
    return u, _found(s), _turned(v)


@tf.custom_gradient
def _svd_of_any_size(x: Any) -> Any:
    def gradient(gu: Any, gs: Any, gvh: Any) -> Any:
        u, s, vh = _svd_of_any_size(x)
        gaps = _inverses((s[..., None, :] - s[..., :, None]) * (s[..., None, :] + s[..., :, None]))
        in_u, in_v = tf.matmul(u, gu, transpose_a=True), tf.matmul(vh, gvh, transpose_b=True)
        middle = gaps * (in_u - _turned(in_u)) * s[..., None, :] + tf.linalg.diag(gs)
        middle += s[..., :, None] * (gaps * (in_v - _turned(in_v)))
        inverse = _inverses(s)[..., None, :]
        left = tf.matmul(u, middle) + (gu - tf.matmul(u, in_u)) * inverse
        return tf.matmul(left, vh) + tf.matmul(u * inverse, gvh - tf.matmul(in_v, vh, transpose_a=True))

    s, u, v = tf.linalg.svd(x)
    return (u, _found(s), _turned(v)), gradient


@tf.custom_gradient
def svd_values(x: Any) -> Any:
    def gradient(g: Any) -> Any:
        u, _, vh = svd_reduced(x)
        return tf.matmul(u * g[..., None, :], vh)

    return _found(tf.linalg.svd(x, compute_uv=False)), gradient


def pinv(x: Any, rcond: float | None) -> Any:
    @tf.custom_gradient
    def inverted(a: Any) -> Any:
        def gradient(g: Any) -> Any:
            # Made anew from a, for the gradient of this gradient.
            p = pinv(a, rcond)
            right = tf.matmul(tf.matmul(g, p, transpose_a=True), p, transpose_b=True)
            left = tf.matmul(tf.matmul(p, p, transpose_a=True), g, transpose_b=True)
            found = right - tf.matmul(a, tf.matmul(p, right)) + left - tf.matmul(tf.matmul(left, p), a)
            return found - tf.matmul(tf.matmul(p, g, transpose_a=True), p, transpose_b=True)

        return _pinv(a, rcond), gradient

    return inverted(x)


def _pinv(x: Any, rcond: float | None) -> Any:
    s, u, v = tf.linalg.svd(x)
    s = _found(s)
    if rcond is None:
        limit = tf.cast(tf.reduce_max(tf.shape(x)[-2:]), x.dtype) * np.finfo(x.dtype.as_numpy_dtype).eps
    else:
        limit = tf.constant(rcond, x.dtype)
    kept = s > limit * tf.reduce_max(s, axis=-1, keepdims=True)
    inverse = tf.where(kept, 1 / tf.where(kept, s, tf.ones_like(s)), tf.zeros_like(s))
    return tf.matmul(v * inverse[..., None, :], u, transpose_b=True)


def _with_numbers(x: Any) -> tuple[Any, Any]:
    """``x`` with the identity for matrices that are not finite, which TensorFlow refuses; what to add to results."""
    finite = tf.reduce_all(tf.math.is_finite(x), axis=[-2, -1], keepdims=True)
    nothing = tf.where(finite, tf.zeros((), x.dtype), tf.constant(np.nan, x.dtype))
    return tf.where(finite, x, tf.eye(tf.shape(x)[-1], dtype=x.dtype)), nothing


def eigh_lower(x: Any) -> Any:
    x, nothing = _with_numbers(x)
    values, vectors = tf.linalg.eigh(x)
    return values + nothing[..., 0], vectors + nothing


def eig(x: Any) -> Any:
    values, vectors = tf.linalg.eig(x)
    return values, vectors


@tf.custom_gradient
def _lu(x: Any) -> Any:
    """The factors in one matrix, and the order in which the rows of ``x`` are their product."""

    def gradient(g: Any, _: Any) -> Any:
        factors, order = _lu(x)
        lower = tf.linalg.set_diag(tf.linalg.band_part(factors, -1, 0), tf.ones_like(factors[..., 0]))
        upper = tf.linalg.band_part(factors, 0, -1)
        below = tf.linalg.band_part(g, -1, 0) - tf.linalg.band_part(g, 0, 0)
        inner = tf.matmul(lower, below, transpose_a=True)
        middle = tf.linalg.band_part(inner, -1, 0) - tf.linalg.band_part(inner, 0, 0)
        middle += tf.linalg.band_part(tf.matmul(tf.linalg.band_part(g, 0, -1), upper, transpose_b=True), 0, -1)
        found = tf.linalg.triangular_solve(lower, middle, lower=True, adjoint=True)
        found = tf.linalg.triangular_solve(upper, _turned(found), lower=False)
        return tf.gather(_turned(found), tf.argsort(order, axis=-1), axis=-2,
                         batch_dims=x.shape.rank - 2)

    return tf.linalg.lu(x), gradient


def lu_factor(x: Any) -> Any:
    x, nothing = _with_numbers(x)
    factors, order = _lu(x)
    return factors + nothing, _pivots(order)


def _pivots(order: Any) -> Any:
    """LAPACK's exchanges: row ``i`` changed places with row ``pivots[i]``, one after the other."""
    shape = tf.shape(order)
    n = shape[-1]
    # Not -1: it cannot be inferred when n is 0.
    wanted = tf.reshape(order, [tf.reduce_prod(shape[:-1]), n])
    places = tf.range(n)[None, :]

    def exchange(i: Any, rows: Any, pivots: Any) -> Any:
        place = tf.argmax(tf.equal(rows, wanted[:, i, None]), axis=1, output_type=tf.int32)[:, None]
        rows = tf.where(places == place, rows[:, i, None], rows)
        return i + 1, tf.where(places == i, -1, rows), tf.where(places == i, place, pivots)

    start = (tf.constant(0), tf.zeros_like(wanted) + places, tf.zeros_like(wanted))
    return tf.reshape(tf.while_loop(lambda i, *_: i < n, exchange, start)[2], shape)


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
