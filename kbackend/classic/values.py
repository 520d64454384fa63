"""The values of tensors and variables as NumPy arrays: ``K.eval``, ``K.get_value``, ``K.set_value``."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.classic.function import function
from kbackend.declare.call import to_numpy
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.graph.walk import ancestors
from kbackend.ops.indexing.sparse import SparseTensor, is_scipy
from kbackend.runtime.evaluate import evaluate


def eval(x: Any) -> np.ndarray:
    """The value of a tensor as a NumPy array.

    Args:
        x: a symbolic tensor or variable that depends on no placeholder, or a concrete tensor, array, list or number.
            Sparse tensors become dense.

    Returns:
        A new NumPy array.

    Raises:
        ValueError: ``x`` depends on placeholders; the message names them.

    >>> from kbackend import K
    >>> K.eval(K.constant([1.0, 2.0]) * 2).tolist()
    [2.0, 4.0]
    """
    if isinstance(x, SparseTensor):
        x = x.to_dense()
    if not isinstance(x, Tensor):
        return np.array(to_numpy(x.toarray() if is_scipy(x) else x))
    updates = [n for n in ancestors([x]) if n.op.role is Role.UPDATE]
    return function([], [x])([])[0] if updates else evaluate(x)


def get_value(x: Any) -> np.ndarray:
    """A copy of the value of a variable as a NumPy array.

    Args:
        x: a variable, or anything that :func:`eval` takes.

    Returns:
        A new NumPy array.

    Raises:
        ValueError: ``x`` depends on placeholders; the message names them.

    >>> from kbackend import K
    >>> float(K.get_value(K.variable(2.0)))
    2.0
    """
    return x.numpy() if isinstance(x, Variable) else eval(x)


def batch_get_value(ops: Any) -> list[np.ndarray]:
    """The values of several variables as NumPy arrays, all of one moment: no update of a program falls between them.

    Args:
        ops: variables, or anything that :func:`eval` takes.

    Returns:
        A list of new NumPy arrays.

    Raises:
        ValueError: one depends on placeholders; the message names them.

    >>> from kbackend import K
    >>> [float(v) for v in K.batch_get_value([K.variable(1.0), K.variable(2.0)])]
    [1.0, 2.0]
    """
    tensors = list(ops)
    found = iter(values_of([x for x in tensors if isinstance(x, Variable)]))
    return [next(found) if isinstance(x, Variable) else eval(x) for x in tensors]


def set_value(x: Variable, value: Any) -> None:
    """Set the value of a variable, without compiling any program again.

    Args:
        x: a variable.
        value: a number, list, array or tensor of the shape of the variable; it is cast to its dtype.

    Raises:
        TypeError: ``x`` is not a variable.
        ValueError: ``value`` has another shape.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> K.set_value(v, 3)
    >>> float(K.get_value(v))
    3.0
    """
    _variable("K.set_value", x).assign(to_numpy(value))


def batch_set_value(tuples: Any) -> None:
    """Set the values of several variables, after all values have been checked.

    Programs in other threads see all of the new values or none.

    Args:
        tuples: pairs (variable, value); see :func:`set_value`.

    Raises:
        TypeError: not a variable, or complex numbers for a variable of real numbers.
        ValueError: a value of another shape; no variable is changed then.

    >>> from kbackend import K
    >>> v, w = K.variable(1.0), K.variable(2.0)
    >>> K.batch_set_value([(v, 3.0), (w, 4.0)])
    >>> [float(x) for x in K.batch_get_value([v, w])]
    [3.0, 4.0]
    """
    pairs = [(_variable("K.batch_set_value", x), to_numpy(value)) for x, value in tuples]
    assign_all([x for x, _ in pairs], [value for _, value in pairs])


def _variable(function: str, x: Any) -> Variable:
    if not isinstance(x, Variable):
        raise TypeError(f"{function} needs variables, it was given {x!r}")
    return x
