"""Matrix product kernels: own autograd primitives that compute all rows of a batch in one BLAS call."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp

from kbackend.plugin.contract import Specialized
from kbackend_numpy.kernels.arrays.arrangement import _summed, permute_dimensions, reshape
from kbackend_numpy.recording import primitive


@primitive
def matmul(x: Any, y: Any) -> Any:
    if x.ndim > 2 and y.ndim == 2:
        # Not -1: it cannot be inferred when the inner dimension is 0.
        rows = 1
        for d in x.shape[:-1]:
            rows *= d
        return _product(x.reshape(rows, x.shape[-1]), y).reshape(*x.shape[:-1], y.shape[-1])
    return _product(x, y)


def _product(x: Any, y: Any) -> Any:
    result = np.matmul(x, y)
    return result if result.dtype == x.dtype else result.astype(x.dtype)  # NumPy returns float32 for bfloat16


def _transposed(x: Any) -> Any:
    n = x.ndim
    return permute_dimensions(x, (*range(n - 2), n - 1, n - 2))


def _unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    if g.shape == shape:
        return g
    front = g.ndim - len(shape)
    axes = (*range(front), *(front + i for i, d in enumerate(shape) if d == 1 and g.shape[front + i] != 1))
    return reshape(_summed(g, axes), shape) if axes else g


def _rows(x: Any) -> Any:
    dims = x.shape
    if len(dims) == 2:
        return x
    count = 1
    for d in dims[:-1]:
        count *= d
    return reshape(x, (count, dims[-1]))


def _matmul_left(ans: Any, x: Any, y: Any) -> Any:
    dims = x.shape
    return lambda g: _unbroadcast(matmul(g, _transposed(y)), dims)


def _matmul_right(ans: Any, x: Any, y: Any) -> Any:
    dims = y.shape
    if len(dims) == 2:
        return lambda g: matmul(_transposed(_rows(x)), _rows(g))
    return lambda g: _unbroadcast(matmul(_transposed(x), g), dims)


defvjp(matmul, _matmul_left, _matmul_right)


@primitive
def _dense(x: Any, kernel: Any, bias: Any) -> Any:
    if x.ndim == 2:
        result = _product(x, kernel)
    else:
        result = _product(_rows(x), kernel).reshape(*x.shape[:-1], kernel.shape[1])
    result += bias
    return result


def _dense_bias(ans: Any, x: Any, kernel: Any, bias: Any) -> Any:
    axes = tuple(range(x.ndim - 1))
    return lambda g: _summed(g, axes)


defvjp(
    _dense,
    lambda ans, x, kernel, bias: _matmul_left(ans, x, kernel),
    lambda ans, x, kernel, bias: _matmul_right(ans, x, kernel),
    _dense_bias,
)


def dense(specs: Any) -> Any:
    return (lambda x, kernel, bias: matmul(x, kernel)) if specs[2] is None else _dense


KERNELS = {"matmul": matmul, "dense": Specialized(dense)}
