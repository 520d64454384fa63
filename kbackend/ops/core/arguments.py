"""Arguments of derived functions: tensors from lists and numbers, integers, dtypes, shapes and ranks."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import integer_dtype, lifted_dtype, to_numpy
from kbackend.graph.tensor import Shape, Tensor, TensorSpec


def as_tensor(x: Any) -> Any:
    """``x`` itself if it has a shape; else an array of the dtype that the list or number has as an operand."""
    if hasattr(x, "shape"):
        return x
    array = to_numpy(x)
    if array.dtype == np.int64:
        return array.astype(integer_dtype(array))
    return array.astype(dtypes.numpy_dtype(lifted_dtype(dtypes.canonical(array.dtype))))


def integer(value: Any, what: str) -> int:
    """An integer attribute.

    Args:
        value: the argument.
        what: its name in error messages.

    Raises:
        TypeError: not an integer, or a symbolic tensor.
    """
    if isinstance(value, bool) or isinstance(value, Tensor):
        raise TypeError(f"{what} must be an integer known while the graph is built, it is {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, it is {value!r}") from None


def ranked(x: Any, least: int, name: str) -> Any:
    """:func:`as_tensor` of ``x``, checked to have rank ``least`` or more.

    Raises:
        ValueError: a smaller rank.
    """
    x = as_tensor(x)
    if len(x.shape) < least:
        raise ValueError(f"{name} needs a tensor of rank {least} or more, its shape is {tuple(x.shape)}")
    return x


def shape_of(x: Any) -> Shape:
    """The shape of a tensor, or of the array that a list or number becomes."""
    return tuple(x.shape) if hasattr(x, "shape") else to_numpy(x).shape


def rank_of(x: Any) -> int:
    """The rank of a tensor, or of the array that a list or number becomes."""
    return len(shape_of(x))


def known_size(x: TensorSpec, axis: int) -> int:
    """The size along an axis that an op with one result for each element needs.

    Raises:
        ValueError: the size is unknown.
    """
    size = x.shape[axis]
    if size is None:
        raise ValueError(
            f"axis {axis} of {x} has an unknown size, so the number of results is unknown; use K.map_fn or slices"
        )
    return size


def chosen_dtype(dtype: Any) -> str:
    """The canonical name of a dtype; floatx for None."""
    return config.floatx() if dtype is None else dtypes.canonical(dtype)
