"""The region of a gradient: which tensors it holds, and that finding it costs the region alone."""

from __future__ import annotations

import random

import pytest

from kbackend import K, dtypes
from kbackend.graph.node import Node
from kbackend.graph.walk import Graph
from kbackend.lowering.regions import Regions


@pytest.fixture
def visits(monkeypatch):
    """Counts how often the operands of a node are taken."""
    taken = []
    inputs = Node.inputs
    counted = property(lambda node: taken.append(node) or inputs.__get__(node), inputs.__set__)
    monkeypatch.setattr(Node, "inputs", counted)

    def count(call):
        taken.clear()
        call()
        return len(taken)

    return count


def chain(nodes):
    tensors = [K.placeholder((2,))]
    for _ in range(nodes):
        tensors.append(K.tanh(tensors[-1]))
    return tensors


@pytest.mark.parametrize("place", [0.05, 0.9])
def test_a_gradient_of_a_small_part_costs_that_part(visits, place):
    """A loss with few ancestors early in the graph, and a source with few users late in it."""
    calls, regions = [], []
    for nodes in (200, 2_000, 20_000):
        tensors = chain(nodes)
        first = int(place * nodes)
        loss = K.sum(tensors[first + 8])
        calls.append(visits(lambda: K.gradients(loss, [tensors[first]])))  # noqa: B023 - called at once
        (gradient,) = K.gradients(loss, [tensors[first]])
        found = Regions(Graph(tensors[:1], [tensors[-1], gradient]).depth_first())
        regions.append(visits(lambda: found.of(gradient.node)))  # noqa: B023 - called at once
    assert len(set(calls)) == len(set(regions)) == 1, "the count grows with the graph"
    assert 8 <= calls[0] <= 60 and 8 <= regions[0] <= 60


def test_a_source_with_few_users_costs_these(visits):
    """The loss depends on all of the graph, on most of it beside the source."""
    counts = []
    for nodes in (200, 2_000, 20_000):
        source, others = K.placeholder((2,)), chain(nodes)
        loss = K.sum(K.tanh(source) + others[-1])
        (gradient,) = K.gradients(loss, [source])
        found = Regions(Graph([source, others[0]], [gradient]).depth_first())
        counts.append(visits(lambda: found.of(gradient.node)))  # noqa: B023 - called at once
    assert len(set(counts)) == 1 and counts[0] < 40


def test_gradients_by_many_tensors_walk_the_graph_once(visits):
    counts = []
    for nodes in (20, 200, 2_000):
        tensors = chain(nodes)
        counts.append(visits(lambda: K.gradients(K.sum(tensors[-1]), tensors[1:])))  # noqa: B023 - called at once
    assert counts[2] < 11 * counts[1] < 121 * counts[0]


def drawn(rng, nodes):
    """A random graph: tensors that gradients flow through or stop at, some of integers, some nodes with two outputs."""
    tensors = [K.placeholder((2, 2)) for _ in range(2)]
    for _ in range(nodes):
        x, y = (rng.choice(tensors[-8:]) for _ in range(2))
        kind = rng.randrange(6)
        if kind == 0:
            tensors.append(K.stop_gradient(x))
        elif kind == 1:
            tensors.append(K.cast(K.cast(x, "int32"), "float32"))
        elif kind == 2:
            tensors.extend(K.unstack(x + y)[0] * z for z in K.unstack(y))
            tensors[-2:] = [K.stack(tensors[-2:])]
        elif kind == 3:
            values, indices = K.top_k(x, 2)
            tensors.append(values + K.cast(indices, "float32"))
        else:
            tensors.append(x * y)
    return tensors


def flows(node, tensor):
    return node.op.differentiable and dtypes.is_inexact(tensor.dtype)


@pytest.mark.parametrize("seed", range(30))
def test_regions_hold_the_paths(seed):
    rng = random.Random(seed)
    tensors = drawn(rng, 40)
    sources = rng.sample(tensors[:30], 3)
    loss = K.sum(tensors[-1] + tensors[-3])
    found = [g for g in K.gradients(loss, sources) if g is not None]
    if not found:
        return
    gradient = found[0].node
    nodes = Graph([], [gradient.outputs[0], *tensors]).depth_first()
    wanted = on_paths(nodes, gradient)
    for node in nodes:
        if any(id(t) in wanted for t in node.outputs) and any(id(t) in wanted for t in node.inputs):
            wanted.update(id(t) for t in node.outputs)
    region = Regions(nodes).of(gradient)
    assert region.tensors == wanted | {id(t) for t in gradient.args[1]}
    assert [n.number for n in region.nodes] == [
        n.number for n in nodes if any(id(t) in on_paths(nodes, gradient) for t in n.outputs)]


def on_paths(nodes, gradient):
    """ids of the tensors that a path from a source to the loss holds, along which a gradient flows all the way."""
    loss, sources = gradient.args
    forward = {id(t) for t in sources}
    for node in nodes:
        if any(id(t) in forward for t in node.inputs):
            forward.update(id(t) for t in node.outputs if flows(node, t))
    backward = {id(loss)} & forward
    for node in reversed(nodes):
        if any(id(t) in backward for t in node.outputs):
            backward.update(id(t) for t in node.inputs if id(t) in forward and node.op.differentiable)
    return backward


def test_nothing_behind_a_source_without_gradient_is_inside():
    x = K.placeholder((2,))
    h = K.tanh(x)
    stopped = K.stop_gradient(h)
    first, _ = K.gradients(K.sum(stopped * x), [x, stopped])
    assert id(h) not in Regions(Graph([x], [first]).depth_first()).of(first.node).tensors
