"""Where a model's steps differ between engines; see :meth:`kbackend.Model.diff`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.divergence.between import diff as diff_graph
from kbackend.divergence.report import Report
from kbackend.divergence.sides import Side, sides_of
from kbackend.lowering.measure import untouched
from kbackend.runtime.function import Function
from kbackend.training.arrays import Groups
from kbackend.training.steps import Steps


def diff(steps: Steps, groups: Groups, engines: Any, size: int, train: int) -> Report:
    """Compare a step node by node on the first batch, and the weights over ``train`` steps."""
    kind = "train" if groups.targets else "predict"
    graph, phase = steps.graph(kind, groups.form), int(bool(groups.targets))
    first = [a[:size] for a in groups.flat]
    report = diff_graph(
        graph.inputs, graph.outputs, first, engines=engines, updates=graph.updates, phase=phase, name=graph.name
    )
    if train and not groups.targets:
        raise ValueError("train counts steps of training, which need targets: pass y")
    if train:
        report.steps = _drift(steps, groups, sides_of(engines), size, train)
    return report


def _drift(steps: Steps, groups: Groups, sides: Sequence[Side], size: int, count: int) -> list[float]:
    """The largest relative difference of the weights from the first side's, after each step."""
    first, *others = (_weights(steps, groups, side, size, count) for side in sides)
    return [max(_difference(weights, other[step]) for other in others) for step, weights in enumerate(first)]


def _weights(steps: Steps, groups: Groups, side: Side, size: int, count: int) -> list[list[np.ndarray]]:
    """The weights after each of ``count`` steps on the batches in their order, from the weights that the model has."""
    graph = steps.graph("train", groups.form)
    function = Function(graph.inputs, graph.outputs, graph.updates, graph.name, side.jit, 1)
    batches = max(len(groups.flat[0]) // size, 1)
    found = []
    with untouched([*steps.variables(), *graph.variables()]):
        for step in range(count):
            at = step % batches * size
            function.run([a[at : at + size] for a in groups.flat], side.target, 1)
            found.append([w.numpy() for w in steps.model.weights])
    return found


def _difference(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """The norm of the difference over the norm, of all weights together."""
    norm = sum(float(np.sum(np.square(x, dtype=np.float64))) for x in a)
    gap = sum(float(np.sum(np.square(x.astype(np.float64) - y))) for x, y in zip(a, b))
    return (gap / (norm or 1.0)) ** 0.5
