"""Graph rewriting for a backend and phase.

Dead code is pruned, the phase selected, composites without a kernel are expanded, common subexpressions eliminated and
stable forms substituted.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import expansion, make_node
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Node, Role, beside, flat_tensors
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph, map_args
from kbackend.plugin.contract import InPlace


class Rewriter:
    """Rebuilds the part of a graph that its results depend on.

    Args:
        has_kernel: whether the backend has a kernel for a node.
        phase: 0 (test) or 1 (train).
    """

    def __init__(self, has_kernel: Callable[[Node], bool], phase: int) -> None:
        self.has_kernel = has_kernel
        self.phase = phase
        self.new: dict[int, Tensor] = {}
        self._keep: list[Any] = []  # old tensors, alive as long as their ids are keys
        self._shared: dict[Any, Node] = {}
        self._stable: dict[int, Sequence[Tensor] | None] = {}
        self._given: set[int] = set()

    def rewrite(self, graph: Graph) -> Graph:
        # Stable forms must not bypass a tensor that is fed or with respect to which a gradient is taken.
        sources = (t for n in graph.nodes() if n.op.role is Role.GRADIENTS for t in n.args[1])
        self._given = {id(t) for t in (*graph.inputs, *sources) if t.node.inputs}
        for tensor in graph.inputs:
            self._map(tensor, tensor)
        results = [self.resolve(t) for t in graph.results]
        count = len(graph.outputs)
        updates = [(variable, value) for (variable, _), value in zip(graph.updates, results[count:])]
        return Graph(graph.inputs, results[:count], updates, graph.name)

    def resolve(self, wanted: Tensor) -> Tensor:
        """The tensor that replaces ``wanted``; iterative, so that deep graphs do not exhaust the stack."""
        stack: list[Tensor] = [wanted]
        while stack:
            tensor = stack[-1]
            if id(tensor) in self.new:
                stack.pop()
                continue
            replacement = self._replacement(tensor)
            needed = (replacement,) if replacement is not None else tensor.node.inputs
            missing = [t for t in needed if id(t) not in self.new]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if replacement is not None:
                self._map(tensor, self._own(tensor, self.new[id(replacement)]))
            else:
                self._rebuild(tensor.node)
        return self.new[id(wanted)]

    def _map(self, old: Tensor, new: Tensor) -> None:
        self.new[id(old)] = new
        self._keep.append(old)

    def _own(self, old: Tensor, new: Tensor) -> Tensor:
        """``new``, or a copy of it if a gradient is taken with respect to ``old``.

        Other nodes may use ``new`` as well, and paths through them are not a part of that gradient.
        """
        if id(old) not in self._given:
            return new
        return Node(REGISTRY["identity"], (new,), {"name": None}, [new.spec], old.name, True).outputs[0]

    def _replacement(self, tensor: Tensor) -> Tensor | None:
        """The tensor of the old graph that replaces this one, or None if its node is to be rebuilt."""
        node = tensor.node
        if node.op.role is Role.PHASE_SELECT:
            return node.args[0] if self.phase else node.args[1]
        if node.op.role is Role.UPDATE:
            return node.args[1]
        if node.number not in self._stable:
            self._stable[node.number] = self._stable_form(node)
        stable = self._stable[node.number]
        if stable is not None:
            return stable[tensor.index]
        if node.op.kind == "composite" and not self.has_kernel(node):
            return expansion(node)[tensor.index]
        return None

    def _stable_form(self, node: Node) -> Sequence[Tensor] | None:
        form = node.op.stable_form
        # It depends on the node of an operand, which is not computed for an operand that is fed.
        if form is None or any(id(t) in self._given for t in node.inputs):
            return None
        with beside(node):
            return form(node)

    def _rebuild(self, node: Node) -> None:
        if node.op.role is Role.PHASE:
            self._map(
                node.outputs[0],
                make_node(
                    REGISTRY["constant"], (), {"value": np.asarray(self.phase, np.int32), "name": None}
                ),
            )
            return
        args = map_args(node.args, lambda t: self.new[id(t)])
        attrs = {k: self._subgraph(v) if isinstance(v, Graph) else v for k, v in node.attrs.items()}
        if any(isinstance(v, Graph) for v in attrs.values()):
            args, attrs = _without_unused_captures(node, args, attrs)
        apart = any(id(t) in self._given for t in node.outputs)  # see _own
        key = None if apart else _sharing_key(node, args, attrs)
        made = self._shared.get(key) if key is not None else None
        if made is None:
            operands = list(flat_tensors(args))
            same = len(operands) == len(node.inputs) and all(map(operator.is_, operands, node.inputs))
            specs = [t.spec for t in node.outputs]
            made = (
                node
                if same and attrs == node.attrs
                else Node(node.op, args, attrs, specs, node.name, node.single)
            )
            if key is not None:
                self._shared[key] = made
        for old, new in zip(node.outputs, made.outputs):
            self._map(old, new)

    def _subgraph(self, graph: Graph) -> Graph:
        return Rewriter(self.has_kernel, self.phase).rewrite(graph)


def _without_unused_captures(node: Node, args: Any, attrs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Operands and attributes of a loop or branch without the captured tensors that its bodies do not read."""
    assert node.op.captures is not None
    place = node.op.operands.index(node.op.captures)
    count = len(args[place])
    bodies = {k: v for k, v in attrs.items() if isinstance(v, Graph)}
    read: set[int] = set()
    for body in bodies.values():
        read.update(id(t) for t in body.outputs)
        read.update(id(t) for n in body.nodes() for t in n.inputs)
    outer = [v.inputs[len(v.inputs) - count :] for v in bodies.values()]  # bodies loaded from a file have distinct ones
    keep = [i for i in range(count) if any(id(captures[i]) in read for captures in outer)]
    kept = {}
    for k, v in bodies.items():
        formals, captures = v.inputs[: len(v.inputs) - count], v.inputs[len(v.inputs) - count :]
        kept[k] = Graph([*formals, *(captures[i] for i in keep)], v.outputs, v.updates, v.name)
    args = tuple(tuple(a[i] for i in keep) if n == place else a for n, a in enumerate(args))
    return args, {**attrs, **kept}


def _sharing_key(node: Node, args: Any, attrs: Mapping[str, Any]) -> Any:
    """The key of common subexpression elimination; None for nodes that are not shared."""
    if not node.op.pure or not node.inputs and node.op.role is not Role.CONSTANT:
        return None
    try:
        frozen = tuple(sorted((k, _frozen(v)) for k, v in attrs.items() if k != "name"))
        key = (node.op.name, map_args(args, id), frozen)
        hash(key)
        return key
    except TypeError:
        return None


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.size > 64:
            raise TypeError("large constants are not compared")
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(v) for v in value)
    # 0.0 and -0.0 are equal and not alike
    return (type(value).__name__, repr(value) if isinstance(value, (float, complex)) else value)


def rewrite(graph: Graph, kernels: Mapping[str, Any], phase: int) -> Graph:
    """The graph rewritten for a backend with these kernels."""
    in_place = _updating_nodes(graph)

    def has_kernel(node: Node) -> bool:
        kernel = kernels.get(node.op.name)
        return kernel is not None and (not isinstance(kernel, InPlace) or node.number in in_place)

    return Rewriter(has_kernel, phase).rewrite(graph)


def _updating_nodes(graph: Graph) -> set[int]:
    """Numbers of the nodes each of whose outputs is only used as the new value of one variable.

    The variables must be operands of the node in the order of its outputs, since a kernel in place reads the variables
    that it updates.
    """
    used = {id(t) for node in graph.nodes() for t in node.inputs} | {id(t) for t in graph.outputs}
    times = Counter(id(value) for _, value in graph.updates)
    updated = {id(value): variable for variable, value in graph.updates}
    candidates = {value.node.number: value.node for _, value in graph.updates}
    return {
        number
        for number, node in candidates.items()
        if all(times[id(t)] == 1 and id(t) not in used for t in node.outputs)
        and _in_order([updated[id(t)] for t in node.outputs], node.inputs)
    }


def _in_order(variables: Sequence[Any], operands: Sequence[Tensor]) -> bool:
    """Whether the variables are a subsequence of the operands."""
    rest = iter(operands)
    return all(any(t is variable for t in rest) for variable in variables)


def feeds_of(graph: Graph) -> Sequence[Tensor]:
    """The placeholders that the graph depends on and that are not among its inputs."""
    return [t for t in graph.leaves() if t.node.op.role is Role.PLACEHOLDER]
