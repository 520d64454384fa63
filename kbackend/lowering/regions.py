"""The part of a graph that a gradient is taken through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kbackend import dtypes
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import walk


@dataclass
class Region:
    """What lies between the tensors of a gradient and its loss.

    Attributes:
        nodes: in order of execution.
        tensors: ids of the tensors on a path that a gradient may flow along, of the other outputs of the nodes that
            make them, and of the gradient's tensors.
    """

    nodes: list[Node]
    tensors: set[int]


class Regions:
    """Finds the regions of the gradients in a graph.

    A region costs time in proportion to the smaller of two parts of the graph: what depends on the gradient's tensors,
    and what its loss depends on.

    Args:
        nodes: the graph's nodes in order of execution.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._place = {node.number: i for i, node in enumerate(nodes)}
        self._users: dict[int, list[Node]] = {}
        for node in nodes:
            for tensor in node.inputs:
                self._users.setdefault(id(tensor), []).append(node)

    def of(self, gradient: Node) -> Region:
        """The region of a gradient node."""
        loss, sources = gradient.args
        reached = self._reached(sources, loss, self._first_complete(loss, sources))
        inside: dict[int, Tensor] = {}
        for _ in self._behind(loss, sources, inside, reached):
            pass
        made_by = {t.node.number: t.node for t in inside.values() if t.node.number in self._place}
        nodes = sorted(made_by.values(), key=lambda node: self._place[node.number])
        tensors = set(inside)
        for node in nodes:
            if any(id(t) in tensors for t in node.inputs):
                tensors.update(id(t) for t in node.outputs)
        tensors.update(id(t) for t in sources)
        return Region(nodes, tensors)

    def _first_complete(self, loss: Tensor, sources: Sequence[Tensor]) -> dict[int, Tensor]:
        """What the loss depends on or what depends on the sources: both are collected in turns, a node each time, until
        one is complete."""
        behind: dict[int, Tensor] = {}
        ahead: dict[int, Tensor] = {}
        backward = self._behind(loss, sources, behind)
        forward = self._ahead(loss, sources, ahead)
        while True:
            if next(backward, None) is None:
                return behind
            if next(forward, None) is None:
                return ahead

    def _reached(
        self, sources: Sequence[Tensor], loss: Tensor, within: dict[int, Tensor]
    ) -> dict[int, Tensor]:
        found: dict[int, Tensor] = {}
        for _ in self._ahead(loss, sources, found, within):
            pass
        return found

    def _ahead(
        self,
        loss: Tensor,
        sources: Sequence[Tensor],
        found: dict[int, Tensor],
        within: dict[int, Tensor] | None = None,
    ) -> Iterator[Any]:
        """Collect the tensors that a gradient may flow from to the sources, a step each time."""
        end = self._place.get(loss.node.number, len(self._place))
        found.update((id(t), t) for t in sources)

        def after(node: Node) -> list[Node]:
            users: list[Node] = []
            if not node.op.differentiable or self._place[node.number] > end:
                return users
            for tensor in node.outputs:
                key = id(tensor)
                if (within is None or key in within) and dtypes.is_inexact(tensor.dtype):
                    found[key] = tensor
                    users += self._users.get(key, ())
            return users

        return walk([node for t in sources for node in self._users.get(id(t), ())], after)

    def _behind(
        self,
        loss: Tensor,
        sources: Sequence[Tensor],
        found: dict[int, Tensor],
        within: dict[int, Tensor] | None = None,
    ) -> Iterator[Any]:
        """Collect the tensors that a gradient may flow to from the loss and that are made after the first source, a
        step each time."""
        start = min(self._place.get(t.node.number, -1) for t in sources)
        found[id(loss)] = loss

        def before(node: Node) -> Sequence[Node]:
            makers = []
            for tensor in node.inputs if node.op.differentiable else ():
                place = self._place.get(tensor.node.number, -1)
                if place < start or within is not None and id(tensor) not in within:
                    continue
                found[id(tensor)] = tensor
                if place >= 0:
                    makers.append(tensor.node)
            return makers

        return walk([loss.node], before)
