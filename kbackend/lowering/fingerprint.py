"""A hash of the computation of a graph, independent of names and seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from kbackend.declare.op import DRAW
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, map_args


def fingerprint(graph: Graph) -> str:
    """A hash of ops, attributes, shapes, dtypes and edges, not of the values of variables: 32 hexadecimal digits.

    >>> from kbackend import K
    >>> from kbackend.graph.walk import Graph
    >>> def graph(name):
    ...     x = K.placeholder((None, 2), name=name)
    ...     return Graph([x], [K.tanh(x)])
    >>> fingerprint(graph("a")) == fingerprint(graph("b"))
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(graph):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _parts(graph: Graph) -> Iterator[str]:
    places: dict[int, int] = {}

    def place(tensor: Tensor) -> int:
        return places.setdefault(id(tensor), len(places))

    for tensor in graph.inputs:
        yield f"input {place(tensor)} {tensor.spec}"
    for node in graph.depth_first():  # by edges, since numbers of nodes depend on the order in which they were built
        operands = map_args(node.args, place)
        yield f"{node.op.name} {operands} {[(place(t), t.spec) for t in node.outputs]}"
        ignored = ("name", *DRAW) if node.op.random else ("name",)
        for key in sorted(node.attrs.keys() - ignored):
            yield key
            yield from _value(node.attrs[key])
    yield f"results {[place(t) for t in graph.outputs]} {[(place(v), place(t)) for v, t in graph.updates]}"


def _value(value: Any) -> Iterator[str]:
    if isinstance(value, Graph):
        yield from _parts(value)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape} {hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    else:
        yield repr(value) if not callable(value) else getattr(value, "__qualname__", type(value).__name__)
