"""Graphs as values: walking, slicing between any tensors, copying with substitutions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from kbackend.graph.node import Node, flat_tensors
from kbackend.graph.show import graph_source
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground import hooks

T = TypeVar("T", bound=Hashable)


class DisconnectedGraph(ValueError):
    """A tensor that is asked for cannot be computed from the tensors that are given."""


_PASSED: Any = object()


def walk(starts: Sequence[T], edges: Callable[[T], Sequence[T]], after: bool = False) -> Iterator[T]:
    """All that edges lead to from some nodes, tensors or other items, each once and depth first.

    It is iterative, so that deep graphs do not exhaust the stack, and takes time in proportion to the edges.

    Args:
        starts: where it begins.
        edges: what follows an item; called once for each, when the walk goes on from it.
        after: whether an item comes after all that follows it, which is a topological order where edges lead to
            operands; otherwise before.

    >>> operands = {"product": ("x", "sum"), "sum": ("x",), "x": ()}
    >>> list(walk(["product"], operands.__getitem__)), list(walk(["product"], operands.__getitem__, after=True))
    (['product', 'x', 'sum'], ['x', 'sum', 'product'])
    """
    seen: set[T] = set()
    stack = list(reversed(starts))
    while stack:
        item = stack.pop()
        if item is _PASSED:
            yield stack.pop()
        elif item not in seen:
            seen.add(item)
            if after:
                stack += (item, _PASSED)
            else:
                yield item
            stack.extend(reversed(edges(item)))


def ancestors(outputs: Iterable[Tensor], stop: Iterable[Tensor] = (), start: int = 0) -> list[Node]:
    """The nodes that the outputs need, in topological order.

    Args:
        stop: tensors whose operands are left out.
        start: the least number of a node; what was made before is left out. Since numbers grow along edges, nothing
            that was made before a tensor depends on it.
    """
    given = {id(t) for t in stop}

    def makers(tensors: Iterable[Tensor]) -> list[Node]:
        if not given and not start:
            return [t.node for t in tensors]
        return [t.node for t in tensors if id(t) not in given and t.node.number >= start]

    return sorted(walk(makers(outputs), lambda node: makers(node.inputs)), key=_number)


_number = operator.attrgetter("number")


def depends_on(
    outputs: Sequence[Tensor],
    sources: Sequence[Tensor],
    through: Callable[[Node, Tensor], bool] = lambda n, t: True,
) -> list[bool]:
    """For each source, whether an output depends on it along edges that ``through(node, operand)`` allows.

    It walks what the outputs need and was made after the first source.
    """
    reached = {id(t) for t in outputs}
    first = min((source.node.number for source in sources), default=0)
    for node in reversed(ancestors(outputs, start=first)):
        if any(id(t) in reached for t in node.outputs):
            reached.update(id(t) for t in node.inputs if through(node, t))
    return [id(source) in reached for source in sources]


def dependents(outputs: Sequence[Tensor], sources: Sequence[Tensor]) -> list[Tensor]:
    """The outputs that depend on a source, found in one walk for all."""
    reached = {id(t) for t in sources}
    for node in ancestors(outputs):
        if any(id(t) in reached for t in node.inputs):
            reached.update(id(t) for t in node.outputs)
    return [t for t in outputs if id(t) in reached]


class Graph:
    """Inputs, outputs, updates and the nodes between.

    Args:
        inputs: tensors whose values are given from outside; any tensors, not only placeholders.
        outputs: tensors that are wanted.
        updates: pairs (variable, new value).
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        updates: Sequence[tuple[Any, Tensor]] = (),
        name: str = "graph",
    ) -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.updates = tuple(updates)
        self.name = name

    @property
    def results(self) -> tuple[Tensor, ...]:
        return self.outputs + tuple(value for _, value in self.updates)

    def nodes(self) -> list[Node]:
        """The nodes between inputs and results in topological order."""
        return ancestors(self.results, self.inputs)

    def size(self) -> int:
        """The number of nodes, those of graphs inside (of branches and loops) included."""
        nodes = self.nodes()
        inside = [v for node in nodes for v in node.attrs.values() if isinstance(v, Graph)]
        return len(nodes) + sum(graph.size() for graph in inside)

    def depth_first(self) -> list[Node]:
        """The nodes between inputs and results in the topological order in which each is next to what it needs."""
        given = {id(t) for t in self.inputs}

        def makers(tensors: Iterable[Tensor]) -> list[Node]:
            return [t.node for t in tensors if id(t) not in given]

        return list(walk(makers(self.results), lambda node: makers(node.inputs), after=True))

    def leaves(self) -> list[Tensor]:
        """Tensors without operands that are not among the inputs: variables, constants, placeholders."""
        given = {id(t) for t in self.inputs}
        return [t for n in self.nodes() if not n.inputs for t in n.outputs if id(t) not in given]

    def variables(self) -> list[Any]:
        found = {id(t): t for t in self.leaves() if isinstance(t, Variable)}
        for variable, _ in self.updates:
            found.setdefault(id(variable), variable)
        return list(found.values())

    def between(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Graph:
        """The part of the graph between any of its tensors.

        Raises:
            DisconnectedGraph: an input that no output depends on.
        """
        for tensor, used in zip(inputs, depends_on(outputs, inputs)):
            if not used:
                raise DisconnectedGraph(f"no output depends on {tensor!r}")
        return Graph(inputs, outputs, name=self.name)

    def substitute(self, mapping: Mapping[Tensor, Any]) -> Graph:
        """A copy in which each key of ``mapping`` is replaced; shapes and dtypes are inferred anew."""
        values = copy_tensors(self.results, mapping)
        count = len(self.outputs)
        return Graph(
            [mapping.get(t, t) for t in self.inputs],
            values[:count],
            [(variable, value) for (variable, _), value in zip(self.updates, values[count:])],
            self.name,
        )

    def __str__(self) -> str:
        return graph_source(self)

    def to_json(self) -> str:
        """The graph as JSON text; see :func:`kbackend.saving.graph_json.to_json`."""
        return hooks.graph_to_json(self)

    def __reduce__(self) -> Any:
        """Pickled and copied as JSON, with the values of the variables."""
        return _graph_from_json, (self.to_json(),)


def _graph_from_json(text: str) -> Any:
    return hooks.graph_from_json(text)


def copy_tensors(
    outputs: Sequence[Tensor], mapping: Mapping[Tensor, Any], copies: dict[int, Any] | None = None
) -> list[Any]:
    """The outputs computed again with the keys of ``mapping`` replaced. Nodes that do not change are shared.

    Args:
        copies: gets what each tensor was replaced by, by the id of the tensor.
    """
    new: dict[int, Any] = {} if copies is None else copies
    new.update((id(old), value) for old, value in mapping.items())
    for node in ancestors(outputs, mapping):
        if not any(new.get(id(t), t) is not t for t in node.inputs):
            continue
        results = reapply(node, map_args(node.args, lambda t: new.get(id(t), t)))
        for old, result in zip(node.outputs, results):
            new.setdefault(id(old), result)
    return [new.get(id(t), t) for t in outputs]


def map_args(args: Any, function: Callable[[Tensor], Any]) -> Any:
    if isinstance(args, Tensor):
        return function(args)
    if isinstance(args, (tuple, list)):
        return tuple([function(a) if isinstance(a, Tensor) else map_args(a, function) for a in args])
    return args


def reapply(node: Node, args: Sequence[Any]) -> tuple[Any, ...]:
    """Apply the node's op to other operands, with shapes and dtypes inferred anew."""
    result = node.op.apply(args, node.attrs)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


__all__ = [
    "DisconnectedGraph",
    "Graph",
    "ancestors",
    "copy_tensors",
    "dependents",
    "depends_on",
    "flat_tensors",
    "map_args",
    "reapply",
    "walk",
]
