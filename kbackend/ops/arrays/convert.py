"""Conversion to and from tensors, and indexing as a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.arrays.join import stack
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, identity
from kbackend.ops.indexing.getitem import getitem


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2,)), "int32", gradient=False),
    call(In((2, 3)), sparse=True, raises=ValueError, name="sparse")])
def convert_to_tensor(x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """Convert a value to a tensor (Keras 3's ``convert_to_tensor``).

    Args:
        x: a tensor, array, number or list; a list may hold tensors of one shape, which are stacked.
        dtype: the dtype of the result; when None that of ``x``, floatx for Python floats and int32 for Python integers.
        sparse, ragged: not supported; True is refused.

    Returns:
        A symbolic tensor for a symbolic tensor, else a tensor of the active engine.

    Raises:
        ValueError: ``sparse`` or ``ragged``.
        TypeError: an unknown dtype, or a value that cannot become a tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import convert_to_tensor
    >>> K.dtype(convert_to_tensor([1, 2], "float32"))
    'float32'
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported; give a dense value")
    if isinstance(x, (list, tuple)) and any(hasattr(v, "shape") for v in x):
        x = stack(list(x))
    x = as_tensor(x)
    if dtype is None:
        return x if isinstance(x, Tensor) else identity(x)
    return cast(x, dtypes.canonical(dtype))


@derived(name="array", samples=lambda: [call(In((2, 3))), call(In((2,)), "float64")])
def array(x: TensorLike, dtype: Any = None) -> Any:
    """Convert a value to a tensor (NumPy's ``array``). Arguments and errors as in :func:`convert_to_tensor`.

    >>> from kbackend import K
    >>> from kbackend.ops import array
    >>> K.eval(array([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """Convert a value to a NumPy array.

    Args:
        x: a number, list, array, tensor of an engine, or symbolic tensor that depends on no placeholder.

    Returns:
        An array of the shape of ``x``.

    Raises:
        ValueError: a symbolic tensor that depends on placeholders.

    >>> from kbackend import K
    >>> from kbackend.ops import convert_to_numpy
    >>> convert_to_numpy(K.constant([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return np.asarray(x) if isinstance(x, Tensor) else to_numpy(x)


@derived(samples=lambda: [
    call(In((3, 4)), (slice(None), 1)), call(In((3, 4)), -1), call(In((3, 4)), 3, raises=IndexError, name="range")])
def get_item(x: TensorLike, key: Any) -> Any:
    """``x[key]`` as a function (Keras 3's ``get_item``).

    Args:
        x: a tensor of any shape.
        key: an index as in :func:`kbackend.ops.indexing.getitem.getitem`, whose errors apply.

    >>> from kbackend import K
    >>> from kbackend.ops import get_item
    >>> K.eval(get_item(K.constant([1, 2, 3]), slice(1, None))).tolist()
    [2.0, 3.0]
    """
    return getitem(x, key)


__all__ = ["array", "convert_to_numpy", "convert_to_tensor", "get_item"]
