"""What is known of small integer tensors while the graph is built: ``K.shape(x)[0] * 2`` and the like.

Declarations name these functions as their ``static_value``: of a node, an object array with None for the elements that
are not known, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor

#: tensors with more elements count as unknown: shapes are short
LIMIT = 64


def static_value(tensor: Any) -> Any:
    """The known part of an integer tensor.

    Args:
        tensor: a symbolic integer tensor that shapes and numbers are made into, or a number or list.

    Returns:
        A list (nested as the tensor is) with None for each element that is not known while the graph is
        built; for a scalar an int or None; None for a tensor of which nothing is known.

    >>> from kbackend import K
    >>> static_value(K.shape(K.placeholder((None, 3))))
    [None, 3]
    """
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor).tolist()
    found = _partial(tensor)
    return None if found is None else found.tolist()


def _partial(tensor: Tensor) -> np.ndarray | None:
    """An object array with None for the unknown elements, or None."""
    size = 1
    for d in tensor.shape:
        if d is None:
            return None
        size *= d
    if size > LIMIT or not dtypes.is_integer(tensor.dtype):
        return None
    evaluate = tensor.node.op.static_value
    found = None if evaluate is None else evaluate(tensor.node)
    return _unknown(tensor) if found is None or found.shape != tensor.shape else found


def _unknown(tensor: Tensor) -> np.ndarray:
    return _objects(None, tensor.shape)


def _objects(values: Any, shape: Any) -> np.ndarray:
    result = np.empty(shape, dtype=object)
    result[...] = values
    return result


def of_constant(node: Node) -> np.ndarray:
    return node.attrs["value"].astype(object)


def of_shape(node: Node) -> np.ndarray:
    shape = node.args[0].shape
    return _objects(shape, (len(shape),))


def of_extent(node: Node) -> np.ndarray:
    result = 1
    for axis in node.attrs["axes"]:
        d = node.args[0].shape[axis]
        if d is None:
            return _objects(None, ())
        result *= d
    return _objects(result, ())


def same(node: Node) -> np.ndarray | None:
    return _partial(node.args[0])


def reshaped(node: Node) -> np.ndarray | None:
    found = _partial(node.args[0])
    return None if found is None else np.reshape(found, node.outputs[0].shape)  # type: ignore[arg-type]


def stacked(node: Node) -> np.ndarray | None:
    parts = [_partial(t) for t in node.args[0]]
    if any(p is None for p in parts):
        return None
    return np.stack(parts, axis=node.attrs["axis"])  # type: ignore[arg-type]


def concatenated(node: Node) -> np.ndarray | None:
    parts = [_partial(t) for t in node.args[0]]
    if any(p is None for p in parts):
        return None
    return np.concatenate(parts, axis=node.attrs["axis"])  # type: ignore[arg-type]


def indexed(node: Node) -> np.ndarray | None:
    found = _partial(node.args[0])
    if found is None:
        return None
    index = tuple(slice(*i) if isinstance(i, tuple) else i for i in node.attrs["index"])
    return _objects(found[index], node.outputs[0].shape)


def reversed_(node: Node) -> np.ndarray | None:
    found = _partial(node.args[0])
    return None if found is None else np.flip(found, node.attrs["axes"])


def reduced(function: Callable[..., Any]) -> Callable[[Node], np.ndarray | None]:
    """Of a reduction, by NumPy's function for it."""

    def evaluate(node: Node) -> np.ndarray | None:
        found = _partial(node.args[0])
        if found is None or any(v is None for v in found.flat):
            return None
        return _objects(function(found.astype(np.int64), axis=node.attrs["axis"]), node.outputs[0].shape)

    return evaluate


def elementwise(function: Callable[..., int]) -> Callable[[Node], np.ndarray | None]:
    """Of an elementwise op, by a function of Python integers."""

    def known(*values: Any) -> Any:
        return None if any(v is None for v in values) else function(*values)

    def evaluate(node: Node) -> np.ndarray | None:
        parts = [_partial(t) for t in node.inputs]
        if any(p is None for p in parts):
            return None
        try:
            return _objects(np.frompyfunc(known, len(parts), 1)(*parts), node.outputs[0].shape)
        except ZeroDivisionError:
            return None

    return evaluate
