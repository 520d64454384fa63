"""Variables made by K: zeros, ones, identity matrices, random values."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.classic.state import variable
from kbackend.declare.decorate import derived
from kbackend.declare.sample import call
from kbackend.graph.variable import Variable
from kbackend.ops.core.arguments import chosen_dtype
from kbackend.ops.core.creation import filled_variable
from kbackend.ops.random.draws import Seed
from kbackend.ops.random.normal import random_normal
from kbackend.ops.random.uniform import random_uniform


@derived(name="classic_zeros",
    samples=lambda: [
        call((2, 3)),
        call(4, dtype="int32"),
        call((0, 2), dtype="float64"),
        call((-1,), name="negative", raises=ValueError),
    ]
)
def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of zeros; a plain tensor when a dimension is a symbolic scalar.

    Args:
        shape: ints or integer scalars, or an integer vector.
        dtype: floatx when None.
        name: a name.

    >>> from kbackend import K
    >>> K.eval(K.zeros((2,))).tolist()
    [0.0, 0.0]
    """
    return filled_variable(shape, 0, chosen_dtype(dtype), name)


@derived(name="classic_ones", samples=lambda: [call((2, 3)), call((), dtype="float16")])
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones; a plain tensor when a dimension is a symbolic scalar. See :func:`zeros`.

    >>> from kbackend import K
    >>> K.eval(K.ones((2,), dtype="int32")).tolist()
    [1, 1]
    """
    return filled_variable(shape, 1, chosen_dtype(dtype), name)


@derived(name="classic_eye", samples=lambda: [call(3), call((2, 3), dtype="float64"), call(0)])
def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with ones on the diagonal.

    Args:
        size: the number of rows and columns, or a pair (rows, columns).
        dtype: floatx when None.
        name: a name.

    >>> from kbackend import K
    >>> K.eval(K.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = size if isinstance(size, (tuple, list)) else (size, size)
    chosen = chosen_dtype(dtype)
    numpy_dtype = dtypes.numpy_dtype(chosen)
    return Variable(lambda: np.eye(rows, columns, dtype=numpy_dtype), (rows, columns), chosen, name)


@derived
def random_uniform_variable(shape: Any, low: Any, high: Any, dtype: Any = None, name: str | None = None,
                            seed: Seed = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_uniform`."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


@derived
def random_normal_variable(shape: Any, mean: Any, scale: Any, dtype: Any = None, name: str | None = None,
                           seed: Seed = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_normal`."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)
