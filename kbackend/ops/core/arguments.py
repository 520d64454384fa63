"""Arguments as they come: tensors from anything with values, integers, ranks."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import lifted_dtype, to_numpy
from kbackend.graph.tensor import Tensor, TensorSpec


def as_tensor(x: Any) -> Any:
    """Something with a shape: a list or number becomes an array of the dtype that it has as an operand."""
    if hasattr(x, "shape"):
        return x
    array = to_numpy(x)
    if array.dtype == np.int64:
        return array.astype(np.int32)
    return array.astype(dtypes.numpy_dtype(lifted_dtype(dtypes.canonical(array.dtype))))


def integer(value: Any, what: str) -> int:
    """An integer attribute.

    Raises:
        TypeError: no integer, or one that is known only when the program runs.
    """
    if isinstance(value, bool) or isinstance(value, Tensor):
        raise TypeError(f"{what} must be an integer known while the graph is built, it is {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, it is {value!r}") from None


def ranked(x: Any, least: int, name: str) -> Any:
    """``x`` as a tensor of rank ``least`` or more."""
    x = as_tensor(x)
    if len(x.shape) < least:
        raise ValueError(f"{name} needs a tensor of rank {least} or more, its shape is {tuple(x.shape)}")
    return x


def _known(x: TensorSpec, axis: int) -> int:
    found = x.shape[axis]
    if found is None:
        raise ValueError(
            f"axis {axis} of {x} is unknown, so the number of results is; use K.map_fn, or slices"
        )
    return found
