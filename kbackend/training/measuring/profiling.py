"""Where the time of a step goes: a row for each node of the program."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.walk import Graph
from kbackend.lowering.emit import Emitted, compile_source
from kbackend.lowering.measure import untouched
from kbackend.lowering.program import Program
from kbackend.runtime.function import Function

_WARM = 2


@dataclass
class Row:
    """The time of one node.

    Attributes:
        node: its name, without the layer's.
        layer: the names of the layers around it, '' for what belongs to the step and not to a layer.
        op: the op.
        inputs: the shapes of its operands; None is the batch.
        shape: the shape of its first result.
        microseconds: the median of the rounds.
    """

    node: str
    layer: str
    op: str
    inputs: tuple[tuple[int | None, ...], ...]
    shape: tuple[int | None, ...]
    microseconds: float


@dataclass
class Profile:
    """What :meth:`Model.profile` measured; printing it shows a table, slowest first.

    Attributes:
        engine: the engine and device.
        rows: a row a node, in the order of the program.
        step: microseconds of the whole step without the clock's readings in it, the median of the rounds.
    """

    engine: str
    rows: list[Row]
    step: float

    def __str__(self) -> str:
        total = sum(r.microseconds for r in self.rows) or 1.0
        lines = [f"{self.engine}: a step takes {self.step:.0f} us, its nodes one by one {total:.0f} us",
                 f"{'layer':26} {'node':24} {'op':18} {'shapes':44} {'us':>9} {'share':>6}"]
        for r in sorted(self.rows, key=lambda r: -r.microseconds):
            lines.append(f"{r.layer[-26:]:26} {r.node[:24]:24} {r.op[:18]:18} {_shapes(r):44.44} {r.microseconds:9.1f} "
                         f"{r.microseconds / total:6.1%}")
        return "\n".join(lines)


def profile(
    graph: Graph,
    phase: int,
    variables: Sequence[Any],
    target: Any,
    arrays: Sequence[Any],
    rounds: int,
    clock: Callable[[], float] = perf_counter,
) -> Profile:
    """Run the graph of a step on a batch, with the clock read after each node.

    Args:
        graph: the step.
        phase: 1 for training.
        variables: these and those of the graph are the same to the bit afterwards.
        target: where it runs.
        arrays: a batch, in the order of the graph's inputs.
        rounds: how often it runs.
    """
    with untouched([*variables, *graph.variables()]):
        program = Function(graph.inputs, graph.outputs, graph.updates, graph.name, None, phase).program(target, phase)
        feeds = [target.feed(a) for a in arrays]
        step = _median(lambda: _synchronised(program, feeds, target), rounds, clock)
        if target.backend.eager:
            rows = [_row(*measured) for measured in _measured(program, feeds, target, rounds, clock)]
        else:
            rows = _rows_of_graph(graph, phase, feeds, target, rounds, clock, step)
    return Profile(target.key, rows, step * 1e6)


def _synchronised(program: Program, feeds: Sequence[Any], target: Any) -> None:
    outputs = program(feeds)
    if outputs:
        target.backend.to_numpy(outputs[0])
    target.backend.synchronize(target.device)


def _median(call: Callable[[], None], rounds: int, clock: Callable[[], float]) -> float:
    for _ in range(_WARM):
        call()
    times = []
    for _ in range(rounds):
        start = clock()
        call()
        times.append(clock() - start)
    from statistics import median  # late: a process that only predicts never needs it

    return median(times)


def _measured(
    program: Program, feeds: Sequence[Any], target: Any, rounds: int, clock: Callable[[], float]
) -> list[tuple[Node, float]]:
    """The nodes of a program and the microseconds that each takes."""
    emitted = program.emitted
    marked, marks = _marked(emitted, target, clock)
    if target.backend.eager:
        run = target.backend.compile(replace(emitted, function=marked), target, None)
    else:
        run = lambda feeds: marked(*feeds, [v.cell(target) for v in emitted.variables])  # noqa: E731
    file, nodes = emitted.function.__code__.co_filename, {}
    times: dict[int, list[float]] = {}
    for turn in range(_WARM + rounds):
        marks.clear()
        start = clock()
        run(feeds)
        spent: dict[int, float] = {}
        for place, at in marks:
            node = emitted.nodes.get((file, place))
            if node is not None:  # some nodes have two lines
                nodes[node.number] = node
                spent[node.number] = spent.get(node.number, 0.0) + at - start
            start = at
        if turn >= _WARM:
            for number, seconds in spent.items():
                times.setdefault(number, []).append(seconds)
    from statistics import median

    return [(nodes[number], median(found) * 1e6) for number, found in times.items()]


def _row(node: Node, microseconds: float) -> Row:
    layer, _, name = (node.name or node.op.name).rpartition("/")
    shapes = tuple(t.shape for t in node.inputs)
    return Row(name, layer, node.op.name, shapes, node.outputs[0].shape if node.outputs else (), microseconds)


def _shapes(row: Row) -> str:
    """The first operands' shapes and the result's; steps of optimizers have dozens of operands."""
    given = [str(s) for s in row.inputs[:2]] + ["..."] * (len(row.inputs) > 2)
    return f"{' '.join(given)} -> {row.shape}".replace(", ", ",")


def _marked(emitted: Emitted, target: Any, clock: Callable[[], float]) -> tuple[Callable[..., Any], list[Any]]:
    """The program with the clock read after each line, and the list of lines and times that it fills."""
    marks: list[tuple[int, float]] = []
    file = emitted.function.__code__.co_filename
    lines = "".join(linecache.getlines(file)).splitlines()
    waits = target.device != "cpu"

    def mark(place: int) -> None:
        if waits:
            target.backend.synchronize(target.device)
        marks.append((place, clock()))

    source = [lines[0]]
    for place, line in enumerate(lines[1:], 2):
        source.append(line)
        if not line.lstrip().startswith("return"):
            source.append(f"    mark_of_line({place})")
    namespace = {**emitted.namespace, "mark_of_line": mark}
    return compile_source("\n".join(source), emitted.function.__name__, namespace), marks


def _rows_of_graph(
    graph: Graph, phase: int, feeds: Sequence[Any], target: Any, rounds: int, clock: Callable[[], float], step: float
) -> list[Row]:
    """For engines that trace programs: the nodes forward one by one, as eager calls; gradients and updates as the
    difference between the whole step and the program of its outputs."""
    forward = Graph(graph.inputs, graph.outputs, (), graph.name)
    program = Program(forward, target, phase, None, "portable")
    measured = _measured(program, feeds, target, rounds, clock)
    rows = [_row(node, microseconds) for node, microseconds in measured if node.op.role is not Role.GRADIENTS]
    if graph.updates:
        alone = _median(lambda: _synchronised(program, feeds, target), rounds, clock)
        rows.append(Row("gradients and updates", "", "gradients", (), (), max(step - alone, 0.0) * 1e6))
    return rows
