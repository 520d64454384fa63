"""Tensors from values and back, tensors like others, and indexing by a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ops import creation, indexing, shaping
from kbackend.ops import elementwise as e
from kbackend.ops.arranging import as_tensor, lengths
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import dtype_of, to_numpy
from kbackend.ops.rules import In, call


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2,)), "int32", gradient=False),
    call(In((2, 3)), sparse=True, raises=ValueError, name="sparse")])
def convert_to_tensor(x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """``x`` as a tensor: symbolic ones stay, all else becomes a tensor of the active engine.

    Args:
        x: a tensor, array, number or list; a list may hold tensors of one shape.
        dtype: another dtype; None keeps it, Python's floats give floatx and integers int32.
        sparse, ragged: there are none; True is refused.

    Raises:
        ValueError: sparse or ragged. TypeError: an unknown dtype, or a value that is no tensor.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import convert_to_tensor
    >>> K.dtype(convert_to_tensor([1, 2], "float32"))
    'float32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported; give a dense value")
    if isinstance(x, (list, tuple)) and any(hasattr(v, "shape") for v in x):
        x = shaping.stack(list(x))
    x = as_tensor(x)
    if dtype is None:
        return x if isinstance(x, Tensor) else e.identity(x)
    return e.cast(x, dtypes.canonical(dtype))


@derived(name="array", samples=lambda: [call(In((2, 3))), call(In((2,)), "float64")])
def array(x: TensorLike, dtype: Any = None) -> Any:
    """``x`` as a tensor; arguments and errors as in :func:`convert_to_tensor`.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import array
    >>> K.eval(array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """``x`` as a NumPy array.

    Args:
        x: a number, list, array or engine's tensor; or a symbolic tensor that depends on no placeholder.

    Raises:
        ValueError: a symbolic tensor that depends on placeholders.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import convert_to_numpy
    >>> convert_to_numpy(K.constant([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return np.asarray(x) if isinstance(x, Tensor) else to_numpy(x)


@derived(samples=lambda: [call((2, 3)), call(4, "int32"), call((-1,), raises=ValueError)])
def empty(shape: Any, dtype: Any = None) -> Any:
    """A tensor of a shape; its elements are zeros, so that programs can be repeated.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import empty
    >>> K.int_shape(empty((2, 3)))
    (2, 3)
    """
    return creation.full(shape, 0, config.floatx() if dtype is None else dtype)


@derived(samples=lambda: [call(In((2, 3))), call(In((2, 0)), "int32")])
def empty_like(x: TensorLike, dtype: Any = None) -> Any:
    """A tensor with the shape of ``x``, and its dtype unless another is given; its elements are zeros.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import empty_like
    >>> K.int_shape(empty_like(K.zeros((2, 3))))
    (2, 3)
    """
    return creation.zeros_like(as_tensor(x), dtype)


@derived(name="full_like", samples=lambda: [
    call(In((2, 3)), 1.5), call(In((2, 3)), In((3,)), name="tensor"), call(In((2,)), 3, "int32"),
    call(In((2, 3)), In((2,)), raises=ValueError, name="shapes")])
def full_like(x: TensorLike, fill_value: Any, dtype: Any = None) -> Any:
    """``fill_value`` repeated to the shape of ``x`` (NumPy's ``full_like``).

    Args:
        x: a tensor.
        fill_value: a number, or a tensor that broadcasts to the shape.
        dtype: that of ``x`` when None.

    Raises:
        ValueError: shapes that do not broadcast.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import full_like
    >>> K.eval(full_like(K.zeros((2,)), 3)).tolist()
    [3.0, 3.0]
    """
    x = as_tensor(x)
    if isinstance(fill_value, (bool, int, float)):
        return creation.full_like(x, fill_value, dtype)
    value = e.cast(as_tensor(fill_value), dtype_of(x) if dtype is None else dtypes.canonical(dtype))
    return shaping.broadcast_to(value, lengths(x))


@derived(samples=lambda: [
    call(In((3, 4)), (slice(None), 1)), call(In((3, 4)), -1), call(In((3, 4)), 3, raises=IndexError, name="range")])
def get_item(x: TensorLike, key: Any) -> Any:
    """``x[key]``; what a key may be, and errors, as in :func:`kbackend.ops.indexing.getitem`.

    >>> from kbackend import K
    >>> from kbackend.ops.conversion import get_item
    >>> K.eval(get_item(K.constant([1, 2, 3]), slice(1, None))).tolist()
    [2.0, 3.0]
    """
    return indexing.getitem(x, key)


__all__ = [
    "array", "convert_to_numpy", "convert_to_tensor", "empty", "empty_like", "full_like", "get_item",
]
