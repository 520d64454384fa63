"""The step of one process where weights and the state of the optimizer are divided: it holds a piece of each.

A weight is gathered where it enters the loss, and the gradient of its piece is taken. What the optimizer computes
element by element is computed of pieces; sums over all elements are summed over the processes; anything else gathers
its operands, so that any optimizer gives what it gives in one process.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from kbackend.distribution.pieces import Pieces
from kbackend.distribution.weights import Rebuilding, buckets, in_order_of_use, outer_gradients, sources_of
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, ancestors, map_args
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.collective.pieces import clear_padding, gather_pieces, own_piece
from kbackend.ops.collective.reduce import all_reduce
from kbackend.ops.collective.replicate import replicated
from kbackend.ops.control.cond import _cond, classic_cond
from kbackend.ops.core.cast import cast, identity, stop_gradient
from kbackend.ops.core.creation import fill_like
from kbackend.ops.elementwise import arithmetic
from kbackend.ops.elementwise.comparison import equal
from kbackend.ops.elementwise.logical import logical_not
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.nn import optimizer_steps
from kbackend.ops.reduction.reductions import all_, mean, sum_

#: bytes of weights that are gathered together, where there are several
BUCKET = 4 << 20
_ELEMENTWISE = arithmetic.__name__.rpartition(".")[0] + "."
_ALSO_ELEMENTWISE = {cast.op, identity.op, stop_gradient.op, fill_like.op}


class Divisible(NamedTuple):
    """The variables of a step that may be divided.

    Attributes:
        weights: of the model; those are divided that training may change, if not in this model.
        states: of the optimizer; those are divided that have the shape of such a weight.
    """

    weights: Sequence[Variable] = ()
    states: Sequence[Variable] = ()


NOTHING = Divisible()


def in_pieces(graph: Graph, gradients: Sequence[Tensor], variables: Divisible, pieces: Pieces) -> Graph:
    """The step on pieces of its variables.

    Args:
        graph: the step, with gradients of the contribution of this process.
        gradients: those that the optimizer takes; none in a step that trains nothing.
        variables: those that may be divided.
        pieces: their home.
    """
    divided = [v for v in variables.weights if v.trainable and pieces.divisible(v)]
    shapes = {v.shape for v in divided}
    divided += [v for v in variables.states if v.shape in shapes and pieces.divisible(v)]
    outer = outer_gradients(gradients)
    nodes = graph.nodes()
    inside = {n.number for n in (ancestors([n.args[0] for n in outer.values()]) if outer else nodes)}
    loss = [n for n in nodes if n.number in inside]
    forward = Rebuilding()
    forward.new = entered = _entered(loss, divided, sources_of(outer), pieces)
    weights = set(entered)
    for node in loss:
        forward.node(node)
    rest = OnPieces({id(v): pieces.of(v) for v in divided}, pieces, shapes)
    rest.new.update((key, value) for key, value in forward.new.items() if key not in weights)
    for node in nodes:
        if node.number in outer:
            rest.gradients(node)
        elif node.number not in inside:
            rest.node(node)
    return _with_pieces(graph, rest, divided, pieces)


def _with_pieces(graph: Graph, rest: OnPieces, divided: Sequence[Variable], pieces: Pieces) -> Graph:
    known = {id(v) for v in divided}
    updates = [
        (pieces.of(v), rest.own(value)) if id(v) in known else (v, rest.tensor(value)) for v, value in graph.updates
    ]
    return Graph(graph.inputs, [rest.tensor(t) for t in graph.outputs], updates, graph.name)


def _entered(
    nodes: Sequence[Node], divided: Sequence[Variable], sources: Sequence[Tensor], pieces: Pieces
) -> dict[int, Any]:
    """The weights as they enter the loss: whole, and with gradients that are summed over the processes."""
    known, trained = {id(v) for v in divided}, {id(s) for s in sources}
    used = in_order_of_use(nodes, divided)
    kept = any(node.op.captures is not None for node in nodes)  # processes may take other branches of a condition
    found: dict[int, Any] = {}
    apart = [[v for v in used if (id(v) in trained) is also] for also in (True, False)]
    for bucket in itertools.chain(*(buckets(some, BUCKET) for some in apart)):
        shapes = tuple(tuple(d or 0 for d in v.shape) for v in bucket)
        found.update(zip(map(id, bucket), gather_pieces([pieces.of(v) for v in bucket], shapes=shapes, kept=kept)))
    whole = [s for s in sources if id(s) not in known]
    if whole:
        found.update(zip(map(id, whole), replicated(whole)))
    return found


class OnPieces(Rebuilding):
    """What an optimizer computes, of pieces where that is possible.

    Args:
        own: the pieces of tensors, by their ids.
        pieces: the home of the variables.
        shapes: of the divided weights.
    """

    def __init__(self, own: dict[int, Any], pieces: Pieces, shapes: set[Any]) -> None:
        super().__init__()
        self._own, self._pieces, self._shapes = own, pieces, shapes

    def tensor(self, old: Any) -> Any:
        """The whole tensor."""
        if id(old) not in self.new and id(old) in self._own:
            shape = tuple(d or 0 for d in old.shape)
            self.new[id(old)] = gather_pieces([self._own[id(old)]], shapes=(shape,))[0]
        return super().tensor(old)

    def own(self, old: Any) -> Any:
        """The piece of a tensor."""
        if id(old) not in self._own:
            self._own[id(old)] = own_piece(self.tensor(old), count=self._pieces.count(old))
        return self._own[id(old)]

    def gradients(self, node: Node) -> None:
        """Take the gradients of an optimizer, of pieces."""
        loss, sources = node.args
        divided = [id(s) in self._own for s in sources]
        taken = [self._own[id(s)] if own else s for s, own in zip(sources, divided)]
        for old, new, own in zip(node.outputs, node.op.apply((self.tensor(loss), taken), node.attrs), divided):
            (self._own if own else self.new)[id(old)] = new

    def node(self, node: Node, args: Sequence[Any] | None = None) -> None:
        if not any(id(t) in self._own for t in node.inputs):
            super().node(node, args)
        elif self._is_elementwise(node):
            self._elementwise(node)
        elif node.op in _STEPS:
            self._step(node)
        elif node.op in _OVER_ALL and len(node.attrs["axis"]) == node.inputs[0].ndim:
            total = _OVER_ALL[node.op](self._own[id(node.inputs[0])], prod(d or 0 for d in node.inputs[0].shape))
            self.put(node, reshape(total, node.outputs[0].shape))
        elif node.op is _cond.op:
            self._branches(node)
        else:
            self.put(node, node.op.apply(map_args(node.args, self.tensor), node.attrs))

    def _is_elementwise(self, node: Node) -> bool:
        shape = node.outputs[0].shape
        declared = getattr(node.op, "function", None)
        known = node.op in _ALSO_ELEMENTWISE or getattr(declared, "__module__", "").startswith(_ELEMENTWISE)
        return known and node.single and all(t.shape == shape for t in node.inputs if id(t) in self._own)

    def _elementwise(self, node: Node) -> None:
        result = node.outputs[0]

        def operand(old: Tensor) -> Any:
            if old.shape == result.shape:
                return self.own(old)
            if prod(d or 0 for d in old.shape) == 1:
                return reshape(self.tensor(old), ())
            stretched = broadcast_to(self.tensor(old), result.shape)
            return own_piece(stretched, count=self._pieces.count(result))

        self._own[id(result)] = node.op.apply(map_args(node.args, operand), node.attrs)

    def _step(self, node: Node) -> None:
        """A step of an optimizer of all weights at once, of which some are divided."""
        lists = [arg for arg in node.args if isinstance(arg, tuple)]
        divided = [any(id(t) in self._own for t in row) for row in zip(*lists)]
        args = [
            tuple(self.own(t) if own else self.tensor(t) for t, own in zip(arg, divided))
            if isinstance(arg, tuple)
            else map_args(arg, self.tensor)
            for arg in node.args
        ]
        for place, (old, new) in enumerate(zip(node.outputs, node.op.apply(args, node.attrs))):
            (self._own if divided[place % len(divided)] else self.new)[id(old)] = new

    def _branches(self, node: Node) -> None:
        """A condition, of whose results those are divided that have the shape of a divided weight."""
        pred, captures = node.args
        divided = [t.shape in self._shapes for t in node.outputs]

        def branch(graph: Graph) -> list[Any]:
            inner = OnPieces(dict(self._own), self._pieces, self._shapes)
            inner.new.update(self.new)
            for formal, capture in zip(graph.inputs, captures):
                for known in (inner.new, inner._own):
                    if id(capture) in known:
                        known[id(formal)] = known[id(capture)]
            for each in graph.nodes():
                inner.node(each)
            return [inner.own(t) if own else inner.tensor(t) for t, own in zip(graph.outputs, divided)]

        graphs = node.attrs["then_graph"], node.attrs["else_graph"]
        found = classic_cond(self.tensor(pred), *(lambda graph=graph: branch(graph) for graph in graphs))
        for old, new, own in zip(node.outputs, found, divided):
            (self._own if own else self.new)[id(old)] = new


def _sum(piece: Any, size: int) -> Any:
    wide = as_dtype(clear_padding(piece, size=size), wide_dtype(piece.dtype))
    return as_dtype(all_reduce([sum_(wide)])[0], piece.dtype)


def _mean(piece: Any, size: int) -> Any:
    wide = as_dtype(piece, wide_dtype(piece.dtype))
    return as_dtype(_sum(wide, size) / size, piece.dtype)


def _all(piece: Any, size: int) -> Any:
    return equal(_sum(cast(logical_not(piece), "float32"), size), 0.0)


_OVER_ALL: dict[Any, Any] = {sum_.op: _sum, mean.op: _mean, all_.op: _all}
_STEPS = {getattr(optimizer_steps, name).op for name in dir(optimizer_steps) if name.endswith("_step")}

__all__: list[str] = []
