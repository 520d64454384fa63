"""Graphs in which results are replaced by others that were made before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import map_args, reapply, walk


class Redirect:
    """Computes tensors again with some results replaced, in the replacements too. Nodes that do not change are shared,
    also between calls.

    Args:
        pairs: (result, replacement); the replacement was made before the result.
    """

    def __init__(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
        self._instead = {id(old): new for old, new in pairs}
        self._kept = [old for old, _ in pairs]  # an id is that of the tensor as long as the tensor is there
        self._made: dict[int, Tensor] = {}
        self._seen: set[int] = set()

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors with the results replaced."""
        if not self._instead:
            return list(tensors)
        for node in sorted(self._new_ancestors(tensors), key=lambda node: node.number):
            args = map_args(node.args, self._now)
            if any(self._now(t) is not t for t in node.inputs):
                self._made.update(zip(map(id, node.outputs), reapply(node, args)))
        return [self._now(t) for t in tensors]

    def _source(self, tensor: Tensor) -> Tensor:
        while id(tensor) in self._instead:
            tensor = self._instead[id(tensor)]
        return tensor

    def _now(self, tensor: Tensor) -> Tensor:
        source = self._source(tensor)
        return self._made.get(id(source), source)

    def _new_ancestors(self, tensors: Sequence[Tensor]) -> list[Node]:
        def makers(tensors: Sequence[Tensor]) -> list[Node]:
            return [node for t in tensors if (node := self._source(t).node).number not in self._seen]

        found = list(walk(makers(tensors), lambda node: makers(node.inputs)))
        self._seen.update(node.number for node in found)
        return found
