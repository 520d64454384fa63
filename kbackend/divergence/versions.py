"""Two versions of one graph, such as two saved models: their weights, and the values end to end on one engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.tolerances import tolerance
from kbackend.divergence.alone import computed, is_fixed
from kbackend.divergence.errors import compare, dtype_of
from kbackend.divergence.report import Report, Row
from kbackend.divergence.run import end_to_end
from kbackend.divergence.sides import Side
from kbackend.graph.node import Node
from kbackend.graph.walk import Graph
from kbackend.lowering.rewrite import Rewriter


def versions(first: Graph, second: Graph, feeds: Sequence[Any], side: Side, names: tuple[str, str]) -> Report:
    """Compare two graphs that have the same nodes.

    Args:
        first, second: the graphs; only their outputs are compared.
        feeds: a value for each input.
        side: where both run.
        names: what the report calls them.

    Raises:
        ValueError: the graphs differ; the message names the first node that does.
    """
    graphs = [Rewriter(lambda node: True, 0).rewrite(Graph(g.inputs, g.outputs, (), g.name)) for g in (first, second)]
    nodes = [computed(g.nodes()) for g in graphs]
    _check(*nodes)
    values = []
    for graph, found in zip(graphs, nodes):
        wanted = [t for n in found for t in n.outputs if not is_fixed(t)]
        given = [np.asarray(f, t.dtype) for f, t in zip(feeds, graph.inputs)]
        values.append(iter(end_to_end(graph, wanted, given, side, 0)))
    rows = [_weight(a, b, names) for a, b in zip(graphs[0].variables(), graphs[1].variables())]
    for node in nodes[0]:
        for _ in node.outputs:
            rows.append(_row("value", node, next(values[0]), next(values[1]), names))
    return Report(f"{first.name} on {side.name}", names, rows)


def _check(first: list[Node], second: list[Node]) -> None:
    for a, b in zip(first, second):
        if a.op.name != b.op.name:
            raise ValueError(f"the models differ: {a.name!r} is {a.op.name}, in the other {b.name!r} is {b.op.name}")
    if len(first) != len(second):
        raise ValueError(f"the models differ: one has {len(first)} nodes, the other {len(second)}")


def _weight(a: Any, b: Any, names: tuple[str, str]) -> Row:
    row = _row("weight", a.node, a.numpy(), b.numpy(), names)
    row.layer, _, row.node = a.name.rpartition("/")
    row.op = "variable"
    return row


def _row(kind: str, node: Node, a: np.ndarray, b: np.ndarray, names: tuple[str, str]) -> Row:
    layer, _, name = node.name.rpartition("/")
    bound = 0.0 if kind == "weight" else tolerance("model", dtype_of(a))
    found = compare(a, b, names, bound)
    return Row(kind, node.number, name, layer, node.op.name, None, names, tuple(t.shape for t in node.inputs), a.shape,
               found.error, bound, None, found.place, found.values)
