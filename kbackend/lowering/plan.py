"""Planning of a program: tape levels of gradients, order of execution and lifetimes of registers."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph
from kbackend.lowering.regions import Regions


@dataclass
class Plan:
    """The order of execution of a graph's nodes and the tape levels of its tensors.

    Attributes:
        nodes: in order of execution.
        levels: id(tensor) -> the levels at which it is recorded.
        watched: id(tensor) -> the levels of the gradients with respect to it.
        level_of: number of a gradient node -> its level.
        nested: numbers of gradient nodes whose results are differentiated.
    """

    nodes: list[Node]
    levels: dict[int, tuple[int, ...]] = field(default_factory=dict)
    watched: dict[int, tuple[int, ...]] = field(default_factory=dict)
    level_of: dict[int, int] = field(default_factory=dict)
    nested: set[int] = field(default_factory=set)

    def recorded(self, node: Node) -> tuple[int, ...]:
        return self.levels.get(id(node.outputs[0]), ()) if node.outputs else ()


def plan(graph: Graph, base_level: int = 0) -> Plan:
    """The plan of a rewritten graph; ``base_level`` is the number of levels open around a subgraph."""
    nodes = graph.depth_first()
    gradient_nodes = [n for n in nodes if n.op.role is Role.GRADIENTS]
    made = Plan(nodes)
    if not gradient_nodes:
        return made
    regions = Regions(nodes)
    found = {g.number: regions.of(g) for g in gradient_nodes}
    around: dict[int, list[Node]] = {}
    for outer in gradient_nodes:
        for node in found[outer.number].nodes:
            if node.op.role is Role.GRADIENTS:
                around.setdefault(node.number, []).append(outer)
    for g in reversed(gradient_nodes):
        outer_levels = [made.level_of[h.number] for h in around.get(g.number, ())]
        made.level_of[g.number] = 1 + max(outer_levels, default=base_level - 1)
        if outer_levels:
            made.nested.add(g.number)
    for g in gradient_nodes:
        level = made.level_of[g.number]
        for key in found[g.number].tensors:
            made.levels[key] = tuple(sorted({*made.levels.get(key, ()), level}))
        for t in g.args[1]:
            made.watched[id(t)] = tuple(sorted({*made.watched.get(id(t), ()), level}))
    made.nodes = _grouped(nodes, made)
    return made


def _grouped(nodes: list[Node], made: Plan) -> list[Node]:
    """A topological order that groups recorded and unrecorded nodes, so that recording is seldom switched."""
    produced = {id(t): n for n in nodes for t in n.outputs}
    waiting = {n.number: len({produced[id(t)].number for t in n.inputs if id(t) in produced}) for n in nodes}
    users: dict[int, list[Node]] = {}
    for n in nodes:
        for number in {produced[id(t)].number for t in n.inputs if id(t) in produced}:
            users.setdefault(number, []).append(n)
    position = {n.number: i for i, n in enumerate(nodes)}
    by_position = dict(enumerate(nodes))
    ready: dict[bool, list[int]] = {True: [], False: []}
    for n in nodes:
        if waiting[n.number] == 0:
            heapq.heappush(ready[_on(n, made)], position[n.number])
    result, mode = [], True
    while ready[True] or ready[False]:
        if not ready[mode]:
            mode = not mode
        node = by_position[heapq.heappop(ready[mode])]
        result.append(node)
        for user in users.get(node.number, ()):
            waiting[user.number] -= 1
            if waiting[user.number] == 0:
                heapq.heappush(ready[_on(user, made)], position[user.number])
    return result


def _on(node: Node, made: Plan) -> bool:
    return bool(made.recorded(node)) or node.op.role is Role.GRADIENTS and node.number in made.nested


def last_uses(nodes: list[Node], results: tuple[Tensor, ...]) -> dict[int, int]:
    """id(tensor) -> the index of the last node that reads it, without the results."""
    last: dict[int, int] = {}
    for index, node in enumerate(nodes):
        for t in node.inputs:
            last[id(t)] = index
    for t in results:
        last.pop(id(t), None)
    return last
