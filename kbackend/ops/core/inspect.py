"""What is known of a tensor: shape, rank, dtype, number of elements, kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.shapes import product
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.plugin.select import owner_of


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """The shape as a tuple of ints, None where unknown; None when ``x`` has no shape.

    >>> from kbackend import K
    >>> K.int_shape(K.placeholder((None, 3)))
    (None, 3)
    """
    found = getattr(x, "shape", None)
    if found is None:
        return np.shape(x) if isinstance(x, (int, float, bool, list, tuple)) else None
    return tuple(None if d is None else int(d) for d in found)


def ndim(x: Any) -> int | None:
    """The number of dimensions; None when ``x`` has none."""
    found = int_shape(x)
    return None if found is None else len(found)


def dtype(x: Any) -> str:
    """The dtype as a string."""
    return x.dtype if getattr(x, "is_sparse", False) is True else dtype_of(x)


def count_params(x: Any) -> int:
    """The number of elements, which must be known.

    Raises:
        ValueError: a dimension is unknown.

    >>> from kbackend import K
    >>> K.count_params(K.zeros((2, 3)))
    6
    """
    found = product(int_shape(x) or ())
    if found is None:
        raise ValueError(f"the number of elements of {x!r} is not known while the graph is built; see K.size")
    return int(math.floor(found))


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a symbolic tensor, a variable or a tensor of a loaded engine."""
    if isinstance(x, Tensor):
        return True
    return not isinstance(x, (np.ndarray, np.generic)) and owner_of(x) is not None


def is_variable(x: Any) -> bool:
    """Whether ``x`` is a variable.

    >>> from kbackend import K
    >>> K.is_variable(K.zeros((2,)))
    True
    """
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Whether ``x`` is a placeholder.

    >>> from kbackend import K
    >>> K.is_placeholder(K.placeholder((2,)))
    True
    """
    return isinstance(x, Tensor) and x.node.op.role is Role.PLACEHOLDER


def is_keras_tensor(x: Any) -> bool:
    """Whether ``x`` came out of a layer or of ``Input``.

    Raises:
        ValueError: ``x`` is no tensor.

    >>> from kbackend import K
    >>> K.is_keras_tensor(K.placeholder((2,)))
    False
    """
    if not is_tensor(x):
        raise ValueError(f"K.is_keras_tensor needs a tensor, it was given {type(x).__name__}: {x!r}")
    return getattr(x, "history", None) is not None


__all__ = ["dtype", "is_tensor", "ndim"]
