"""Matrix product kernels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import Specialized


def matmul(x: Any, y: Any) -> Any:
    if x.shape.rank > 2 and y.shape.rank == 2:
        return _over_rows(x, y, lambda rows: tf.matmul(rows, y))
    return tf.matmul(x, y)


def _over_rows(x: Any, y: Any, function: Any) -> Any:
    """One product of all rows of a batch instead of one for each sample."""
    shape = [*x.shape[:-1], y.shape[1]]
    if shape.count(None) < 2 and 0 not in (*shape, x.shape[-1]) and shape[-1] is not None and x.shape[-1]:
        open_shape = [-1 if d is None else d for d in shape]  # TensorFlow infers the one unknown size
        return tf.reshape(function(tf.reshape(x, [-1, x.shape[-1]])), open_shape)
    dims = [d if d is not None else tf.shape(x)[i] for i, d in enumerate(x.shape)]
    rows = dims[0]
    for d in dims[1:-1]:
        rows = rows * d
    result = tf.reshape(function(tf.reshape(x, [rows, dims[-1]])), [*dims[:-1], tf.shape(y)[1]])
    result.set_shape([*x.shape[:-1], y.shape[1]])
    return result


def _dense(specs: Any) -> Any:
    x, _, bias = specs
    if bias is None or bias.shape == (0,):  # TensorFlow's fused product crashes the process for 0 columns
        return lambda x, kernel, bias: matmul(x, kernel)
    if len(x.shape) == 2:
        return lambda x, kernel, bias: affine(x, kernel, bias)
    return lambda x, kernel, bias: _over_rows(x, kernel, lambda rows: affine(rows, kernel, bias))


def affine(x: Any, kernel: Any, bias: Any) -> Any:
    """The product of matrices with a vector added to each row."""
    product = tf.matmul(x, kernel)
    # without columns, which the fused product of bias_add does not survive
    fused = product.dtype.is_floating and bias.shape[0] is not None
    return tf.nn.bias_add(product, bias) if fused else product + bias


KERNELS = {"matmul": matmul, "dense": Specialized(_dense)}
