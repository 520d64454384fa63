"""Static facts about a tensor: shape, rank, dtype, number of elements and kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.shapes import product
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.plugin.select import owner_of


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """The static shape (Keras's ``K.int_shape``).

    Args:
        x: a tensor, variable, array, list or number.

    Returns:
        A tuple of integers, None for an unknown dimension; or None for an object without a shape.

    >>> from kbackend import K
    >>> K.int_shape(K.placeholder((None, 3)))
    (None, 3)
    """
    shape = getattr(x, "shape", None)
    if shape is None:
        return np.shape(x) if isinstance(x, (int, float, bool, list, tuple)) else None
    return tuple(None if d is None else int(d) for d in shape)


def ndim(x: Any) -> int | None:
    """The rank; None for an object without a shape. Arguments as in :func:`int_shape`.

    >>> from kbackend import K
    >>> K.ndim(K.placeholder((None, 3)))
    2
    """
    shape = int_shape(x)
    return None if shape is None else len(shape)


def dtype(x: Any) -> str:
    """The dtype as a string.

    Args:
        x: a tensor, sparse tensor, variable, array or number.

    >>> from kbackend import K
    >>> K.dtype(K.placeholder((2,)))
    'float32'
    """
    return x.dtype if getattr(x, "is_sparse", False) is True else dtype_of(x)


def count_params(x: Any) -> int:
    """The number of elements (Keras's ``K.count_params``).

    Args:
        x: a tensor, variable, array, list or number.

    Raises:
        ValueError: an unknown dimension.

    >>> from kbackend import K
    >>> K.count_params(K.zeros((2, 3)))
    6
    """
    count = product(int_shape(x) or ())
    if count is None:
        raise ValueError(f"the number of elements of {x!r} is not known while the graph is built; use K.size")
    return count


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a symbolic tensor, a variable or a tensor of an engine that is loaded; False for a NumPy array.

    Args:
        x: any value.

    >>> from kbackend import K
    >>> K.is_tensor(K.constant(1)), K.is_tensor(1)
    (True, False)
    """
    if isinstance(x, Tensor):
        return True
    return not isinstance(x, (np.ndarray, np.generic)) and owner_of(x) is not None


def is_variable(x: Any) -> bool:
    """Whether ``x`` is a variable.

    Args:
        x: any value.

    >>> from kbackend import K
    >>> K.is_variable(K.zeros((2,)))
    True
    """
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether ``x`` is a placeholder, which is fed when a function runs.

    Args:
        x: any value.

    >>> from kbackend import K
    >>> K.is_placeholder(K.placeholder((2,)))
    True
    """
    return isinstance(x, Tensor) and x.node.op.role is Role.PLACEHOLDER


def is_keras_tensor(x: Any) -> bool:
    """Whether ``x`` is the output of a layer or of ``Input`` (Keras's ``K.is_keras_tensor``).

    Args:
        x: a symbolic tensor or variable.

    Raises:
        ValueError: ``x`` is not a tensor.

    >>> from kbackend import K
    >>> K.is_keras_tensor(K.placeholder((2,)))
    False
    """
    if not is_tensor(x):
        raise ValueError(f"K.is_keras_tensor needs a tensor, it was given {type(x).__name__}: {x!r}")
    return getattr(x, "history", None) is not None


__all__ = ["dtype", "is_tensor", "ndim"]
