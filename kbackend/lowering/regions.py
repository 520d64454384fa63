"""The part of a graph that a gradient is taken through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbackend import dtypes
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor


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
        _run(self._behind(loss, sources, inside, reached))
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
            if next(backward, True):
                return behind
            if next(forward, True):
                return ahead

    def _reached(
        self, sources: Sequence[Tensor], loss: Tensor, within: dict[int, Tensor]
    ) -> dict[int, Tensor]:
        found: dict[int, Tensor] = {}
        _run(self._ahead(loss, sources, found, within))
        return found

    def _ahead(
        self,
        loss: Tensor,
        sources: Sequence[Tensor],
        found: dict[int, Tensor],
        within: dict[int, Tensor] | None = None,
    ) -> Iterator[bool]:
        """Collect the tensors that a gradient may flow from to the sources; yields False for each node."""
        end = self._place.get(loss.node.number, len(self._place))
        found.update((id(t), t) for t in sources)
        waiting = list(sources)
        while waiting:
            for node in self._users.get(id(waiting.pop()), ()):
                yield False
                if not node.op.differentiable or self._place[node.number] > end:
                    continue
                for tensor in node.outputs:
                    key = id(tensor)
                    if key not in found and (within is None or key in within) and dtypes.is_inexact(tensor.dtype):
                        found[key] = tensor
                        waiting.append(tensor)

    def _behind(
        self,
        loss: Tensor,
        sources: Sequence[Tensor],
        found: dict[int, Tensor],
        within: dict[int, Tensor] | None = None,
    ) -> Iterator[bool]:
        """Collect the tensors that a gradient may flow to from the loss and that are made after the first source;
        yields False for each node."""
        start = min(self._place.get(t.node.number, -1) for t in sources)
        found[id(loss)] = loss
        waiting = [loss.node]
        done = {loss.node.number}
        while waiting:
            yield False
            node = waiting.pop()
            for tensor in node.inputs if node.op.differentiable else ():
                place = self._place.get(tensor.node.number, -1)
                if place < start or within is not None and id(tensor) not in within:
                    continue
                found[id(tensor)] = tensor
                if place >= 0 and tensor.node.number not in done:
                    done.add(tensor.node.number)
                    waiting.append(tensor.node)


def _run(steps: Iterator[bool]) -> None:
    for _ in steps:
        pass
