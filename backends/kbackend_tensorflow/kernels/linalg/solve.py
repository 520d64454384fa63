"""Linear algebra kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def cholesky(x: Any, upper: bool) -> Any:
    factor = tf.linalg.cholesky(x)
    failed = tf.reduce_any(tf.math.is_nan(factor)) & ~tf.reduce_any(tf.math.is_nan(x))
    with tf.control_dependencies([tf.debugging.Assert(~failed, ["the matrix is not positive definite"])]):
        factor = tf.identity(factor)
    return tf.linalg.matrix_transpose(factor) if upper else factor


def solve(a: Any, b: Any) -> Any:
    if b.shape.rank == a.shape.rank:
        return tf.linalg.solve(a, b)
    return tf.linalg.solve(a, b[..., None])[..., 0]


def slogdet(x: Any) -> Any:
    sign, log = tf.linalg.slogdet(x)
    return sign, log


def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    if b.shape.rank == a.shape.rank:
        return tf.linalg.triangular_solve(a, b, lower=lower)
    return tf.linalg.triangular_solve(a, b[..., None], lower=lower)[..., 0]


def einsum(operands: Any, subscripts: str) -> Any:
    return tf.einsum(subscripts, *operands)


KERNELS = {
    "cholesky": cholesky,
    "det": tf.linalg.det,
    "einsum": einsum,
    "inv": tf.linalg.inv,
    "slogdet": slogdet,
    "solve": solve,
    "solve_triangular": solve_triangular,
}
