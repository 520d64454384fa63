"""Creation functions of K that make variables: zeros, ones, identity matrices, random values."""

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
    """A variable of zeros.

    Args:
        shape: ints or integer scalars, or an integer vector.
        dtype: the dtype; None for floatx.
        name: the name of the variable; None for a generated name.

    Returns:
        A variable, or a tensor if a dimension is a symbolic scalar.

    Raises:
        ValueError: a negative dimension.

    >>> from kbackend import K
    >>> K.eval(K.zeros((2,))).tolist()
    [0.0, 0.0]
    """
    return filled_variable(shape, 0, chosen_dtype(dtype), name)


@derived(name="classic_ones", samples=lambda: [call((2, 3)), call((), dtype="float16")])
def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable of ones. Arguments, result and errors are those of :func:`zeros`.

    Args:
        name: the name of the variable.

    >>> from kbackend import K
    >>> K.eval(K.ones((2,), dtype="int32")).tolist()
    [1, 1]
    """
    return filled_variable(shape, 1, chosen_dtype(dtype), name)


@derived(name="classic_eye", samples=lambda: [call(3), call((2, 3), dtype="float64"), call(0)])
def eye(size: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A variable with ones on the diagonal and zeros elsewhere.

    Args:
        size: the number of rows and columns, or a pair (rows, columns).
        dtype: the dtype; None for floatx.
        name: the name of the variable; None for a generated name.

    Returns:
        A variable (rows, columns).

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
    """A variable whose initial value is uniform in ``[low, high)``.

    Args:
        shape: a tuple of ints.
        low, high: the bounds, numbers.
        dtype: the dtype; None for floatx.
        name: the name of the variable; None for a generated name.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A variable of that shape, drawn once when its value is first needed.

    Raises:
        ValueError: ``low`` above ``high``, or a negative dimension.

    >>> from kbackend import K
    >>> v = K.random_uniform_variable((2, 3), -1.0, 1.0)
    >>> K.int_shape(v), bool(abs(K.get_value(v)).max() <= 1.0)
    ((2, 3), True)
    """
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


@derived
def random_normal_variable(shape: Any, mean: Any, scale: Any, dtype: Any = None, name: str | None = None,
                           seed: Seed = None) -> Variable:
    """A variable whose initial value is normally distributed.

    Args:
        shape: a tuple of ints.
        mean, scale: mean and standard deviation, numbers.
        dtype: a float dtype; None for floatx.
        name: the name of the variable; None for a generated name.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A variable of that shape, drawn once when its value is first needed.

    Raises:
        ValueError: a negative dimension.
        TypeError: ``dtype`` is not a float dtype.

    >>> from kbackend import K
    >>> K.int_shape(K.random_normal_variable((2, 3), 0.0, 1.0))
    (2, 3)
    """
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)
