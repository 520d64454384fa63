"""Which unknown sizes of tensors in a traced graph are equal.

TensorFlow says of a size that it is unknown, and no more: a batch and its activation are both of shape (None, 8), and
their sum might broadcast either. Here an unknown size is a symbol, which passes from an operand to the result of an
operation that keeps it; two sizes with one symbol are equal whenever the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import tensorflow as tf

from kbackend_tensorflow.gradients.rules import RULES, Size, Sizes, Symbol, is_partly_known

#: graph -> name of a tensor -> its sizes
_KNOWN: WeakKeyDictionary[Any, dict[str, Sizes]] = WeakKeyDictionary()
#: graph -> name of a tensor -> the name of its shape as a tensor; a tensor would hold the graph for ever
_SHAPES: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def sizes_of(tensor: Any) -> Sizes | None:
    """The size of each axis, a number or a symbol; None where the rank is unknown."""
    if not is_partly_known(tensor):
        return tensor._shape_tuple()
    known = _KNOWN.setdefault(tensor.graph, {})
    name = tensor.name
    if name not in known:
        _find(tensor, known)
    return known[name]


def note(tensor: Any, sizes: Sizes | None) -> None:
    """Set the sizes of a tensor that were found otherwise than from the operation that made it."""
    if sizes is not None and len(sizes) == tensor.shape.rank:
        _KNOWN.setdefault(tensor.graph, {}).setdefault(tensor.name, sizes)


def shape_of(tensor: Any) -> Any:
    """The shape of a tensor as a tensor, by one operation however often it is needed in a graph."""
    graph = tf.compat.v1.get_default_graph()
    if tensor.graph is not graph:
        return tf.shape(tensor)
    made = _SHAPES.setdefault(graph, {})
    name = tensor.name
    if name in made:
        return graph.get_tensor_by_name(made[name])
    shape = tf.shape(tensor)
    made[name] = shape.name
    return shape


def forget(graph: Any) -> None:
    """Drop what was found in a graph that is traced to its end."""
    _KNOWN.pop(graph, None)
    _SHAPES.pop(graph, None)


def _find(tensor: Any, known: dict[str, Sizes]) -> None:
    """Find the sizes of a tensor, those of operands first; without recursion, as graphs are thousands of nodes deep."""
    waiting = [tensor]
    while waiting:
        last = waiting[-1]
        if last.name in known:
            waiting.pop()
            continue
        rule = RULES.get(last.op.type)
        operands = rule.operands(last) if rule is not None else []
        unknown = [t for t in operands if is_partly_known(t) and t.name not in known]
        if unknown:
            waiting += unknown
            continue
        found = [known[t.name] if is_partly_known(t) else t._shape_tuple() for t in operands]
        passed = rule.sizes(last.op, found) if rule is not None and found and None not in found else None
        known[waiting.pop().name] = _named(last, passed)


def _named(tensor: Any, passed: Sequence[Size] | None) -> Sizes:
    """The sizes that TensorFlow knows, and for each other the symbol that passed or one of its own."""
    shape = tensor._shape_tuple()
    if passed is None or len(passed) != len(shape):
        passed = (0,) * len(shape)
    return tuple(
        size if size is not None else other if isinstance(other, Symbol) else Symbol()
        for size, other in zip(shape, passed)
    )
