"""The weights in the step of one process: where they enter the loss, their gradients are summed over the processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeVar

from kbackend import dtypes
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, ancestors, map_args
from kbackend.ops.collective.replicate import replicated

T = TypeVar("T", bound=Tensor)

#: bytes of gradients that travel together, where there are several, as in torch's DistributedDataParallel
BUCKET = 25 << 20


class Rebuilding:
    """A graph that is made again, node by node.

    Attributes:
        new: what each tensor was replaced by, by its id.
    """

    def __init__(self) -> None:
        self.new: dict[int, Any] = {}

    def tensor(self, old: Any) -> Any:
        """What a tensor was replaced by, or itself."""
        return self.new.get(id(old), old)

    def node(self, node: Node, args: Sequence[Any] | None = None) -> None:
        """Make a node again where an operand was replaced."""
        if args is None:
            if not any(id(t) in self.new for t in node.inputs):
                return
            args = map_args(node.args, self.tensor)
        self.put(node, node.op.apply(args, node.attrs))

    def put(self, node: Node, results: Any) -> None:
        """Replace the outputs of a node."""
        found = results if isinstance(results, (tuple, list)) else (results,)
        self.new.update(zip(map(id, node.outputs), found))


def outer_gradients(gradients: Sequence[Tensor]) -> dict[int, Node]:
    """The nodes that compute the gradients of an optimizer, by their numbers."""
    found = {n.number: n for n in ancestors(gradients) if n.op.role is Role.GRADIENTS}
    inside = {n.number for node in found.values() for n in ancestors([node.args[0]])}
    return {number: node for number, node in found.items() if number not in inside}


def sources_of(outer: Mapping[int, Node]) -> list[Tensor]:
    """The weights to which gradients are taken."""
    return list({id(source): source for node in outer.values() for source in node.args[1]}.values())


def in_order_of_use(nodes: Sequence[Node], tensors: Sequence[T]) -> list[T]:
    """Those of the tensors that nodes read, in the order in which they do."""
    known = {id(t): t for t in tensors}
    return list({id(t): known[id(t)] for node in nodes for t in node.inputs if id(t) in known}.values())


def buckets(tensors: Sequence[T], limit: int) -> list[list[T]]:
    """Tensors that travel together: neighbours of one dtype, up to a number of bytes where there are several."""
    found: list[list[T]] = []
    filled = 0
    for tensor in tensors:
        size = prod(d or 0 for d in tensor.shape) * dtypes.numpy_dtype(tensor.dtype).itemsize
        if not found or filled + size > limit or found[-1][0].dtype != tensor.dtype:
            found.append([])
            filled = 0
        found[-1].append(tensor)
        filled += size
    return found


def with_sums(graph: Graph, gradients: Sequence[Tensor]) -> Graph:
    """The step whose gradients are summed over the processes while the backward pass goes on.

    Args:
        graph: the step, with gradients of the contribution of this process.
        gradients: those that the optimizer takes.
    """
    outer = outer_gradients(gradients)
    sources = sources_of(outer)
    inside = {node.number for node in ancestors([node.args[0] for node in outer.values()])}
    forward, rest = Rebuilding(), Rebuilding()
    nodes = graph.nodes()
    for bucket in buckets(in_order_of_use([n for n in nodes if n.number in inside], sources), BUCKET):
        forward.new.update(zip(map(id, bucket), replicated(bucket)))
    for node in nodes:
        if node.number in inside:
            forward.node(node)
    weights = {id(source) for source in sources}
    rest.new.update((key, value) for key, value in forward.new.items() if key not in weights)
    for node in nodes:
        if node.number in outer:
            rest.node(node, (rest.tensor(node.args[0]), node.args[1]))
        elif node.number not in inside:
            rest.node(node)
    updates = [(variable, rest.tensor(value)) for variable, value in graph.updates]
    return Graph(graph.inputs, [rest.tensor(t) for t in graph.outputs], updates, graph.name)


__all__: list[str] = []
