"""The check of serialization: the graph of each sample is unchanged by a round trip through JSON."""

from __future__ import annotations

from kbackend.declare.op import Op
from kbackend.graph.walk import Graph
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.saving.graph_json import from_json, to_json
from kbackend.testing.checks.op import main_group
from kbackend.testing.compare import difference
from kbackend.testing.oracle import reference_target
from kbackend.testing.programs import Built, build
from kbackend.testing.report import Report
from kbackend.testing.samples import cases, groups


def check_round_trip(op: Op) -> Report:
    """Write the graph of each sample as JSON and read it: the text and the results on NumPy must be equal."""
    report = Report(reference_target().backend)
    for group in groups(op):
        for case in cases(op, group):
            if case.sample.raises is None and group == main_group(case):
                with report.guarded(case, "JSON"):
                    built = build(case)
                    if built.tensors:
                        report.expect(case, "JSON", _lost(built))
    return report


def _lost(built: Built) -> str | None:
    graph = Graph(built.inputs, built.tensors, name=built.case.op.name)
    text = to_json(graph)
    again = from_json(text)
    if to_json(again) != text:
        return "the graph that was read is written as another text"
    with use_target(reference_target()):
        first, second = (
            Function(g.inputs, g.outputs, name=g.name).run(built.case.arrays, reference_target(), 0)
            for g in (graph, again)
        )
    return next((m for a, b in zip(first, second) if (m := difference(b, a, 0.0)) is not None), None)
