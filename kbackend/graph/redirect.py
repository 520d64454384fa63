"""Graphs in which results are replaced by others that were made before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, map_args, walk


class Redirect:
    """Computes tensors again with some results replaced, in the replacements and in the bodies of loops and branches
    too. Nodes that do not change are shared, also between calls.

    Args:
        pairs: (result, replacement); the replacement was made before the result.
    """

    def __init__(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
        self._kept = list(pairs)  # an id is that of the tensor as long as the tensor is there
        self._instead = {id(old): new for old, new in self._kept}
        self._given: set[int] = set()
        self._made: dict[int, Tensor] = {}
        self._seen: set[int] = set()

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors with the results replaced."""
        if not self._instead:
            return list(tensors)
        for node in sorted(self._new_ancestors(tensors), key=lambda node: node.number):
            args, attrs = self._in_bodies(node, map_args(node.args, self._now))
            if attrs is not node.attrs or any(self._now(t) is not t for t in node.inputs):
                result = node.op.apply(args, attrs)
                made = result if isinstance(result, (tuple, list)) else (result,)
                self._made.update(zip(map(id, node.outputs), made))
        return [self._now(t) for t in tensors]

    def _source(self, tensor: Tensor) -> Tensor:
        while id(tensor) in self._instead and id(tensor) not in self._given:
            tensor = self._instead[id(tensor)]
        return tensor

    def _now(self, tensor: Tensor) -> Tensor:
        source = self._source(tensor)
        return self._made.get(id(source), source)

    def _in_bodies(self, node: Node, args: Any) -> tuple[Any, Mapping[str, Any]]:
        """Operands and attributes with the bodies computed again. Variables that only the replacements read become
        captures."""
        bodies = {k: v for k, v in node.attrs.items() if isinstance(v, Graph)}
        changed = {k: Graph(v.inputs, self._in_body(v), (), v.name) for k, v in bodies.items()}
        if all(new is old for k, v in bodies.items() for new, old in zip(changed[k].outputs, v.outputs)):
            return args, node.attrs
        more = {id(v): v for body in changed.values() for v in Graph(body.inputs, body.outputs).variables()}
        inputs = {id(t) for body in changed.values() for t in body.inputs}
        captures = tuple(v for key, v in more.items() if key not in inputs)
        place = node.op.operands.index(node.op.captures)
        args = tuple((*a, *captures) if n == place else a for n, a in enumerate(args))
        taken = {k: Graph((*v.inputs, *captures), v.outputs, (), v.name) for k, v in changed.items()}
        return args, {**node.attrs, **taken}

    def _in_body(self, body: Graph) -> list[Tensor]:
        """The outputs of a body computed again from its inputs."""
        inner = Redirect(())
        inner._instead, inner._given = self._instead, {id(t) for t in body.inputs}
        return inner(body.outputs)

    def _new_ancestors(self, tensors: Sequence[Tensor]) -> list[Node]:
        def makers(tensors: Sequence[Tensor]) -> list[Node]:
            sources = [s for t in tensors if id(s := self._source(t)) not in self._given]
            return [s.node for s in sources if s.node.number not in self._seen]

        found = list(walk(makers(tensors), lambda node: makers(node.inputs)))
        self._seen.update(node.number for node in found)
        return found
