"""Measuring the steps of a model: which way they run fastest, and where their time goes."""

from __future__ import annotations

from typing import Any

from kbackend.graph.walk import Graph
from kbackend.plugin import select
from kbackend.training.arrays import Groups
from kbackend.training.measuring import profiling, tuning
from kbackend.training.placement import JitChoice
from kbackend.training.steps import Steps

#: rounds of the measurement of jit="auto"
_ROUNDS = 5


def settle(steps: Steps, kind: str, groups: Groups, size: int) -> None:
    """With ``jit="auto"``, find out before the first program of a kind whether it is to be compiled: as remembered on
    disk, else measured on the first batch.

    Args:
        kind: 'train' or 'predict'.
        size: samples a batch.
    """
    if steps.jit.setting != "auto" or not len(groups.inputs[0]):
        return
    target = steps.target()
    if (kind, target.key) in steps.jit.found:
        return
    found = tuning.mode(steps.graph(kind, groups.form), target, size)
    if found is None and target.backend.compiler:
        alone = kind == "predict" and not steps.model.own_predict
        tuned = _measured(steps, _inputs_alone(groups) if alone else groups, [target], size, _ROUNDS, kind)
        found = any(kind in c.milliseconds for c in tuned.candidates) and tuned.best(kind).jit
    steps.jit.found[kind, target.key] = bool(found)


def tune(steps: Steps, groups: Groups, engines: Any, size: int, rounds: int) -> tuning.Tuned:
    """See :meth:`kbackend.Model.tune`."""
    current = steps.target()
    names = tuning.names_of(engines, current.backend.name)
    targets = [current if current.backend.name == name else select.target(name) for name in names]
    tuned = _measured(steps, groups, targets, size, rounds)
    found = dict(steps.jit.found)
    for candidate in tuned.candidates:
        for kind in candidate.milliseconds:
            found[kind, candidate.engine] = tuned.best(kind, candidate.engine).jit
    steps.use_jit(JitChoice("auto", found))
    return tuned


def profile(steps: Steps, groups: Groups, size: int, rounds: int) -> profiling.Profile:
    """See :meth:`kbackend.Model.profile`."""
    graph = steps.graph("train" if groups.targets else "predict", groups.form)
    arrays = [a[:size] for a in groups.flat]
    return profiling.profile(graph, int(bool(groups.targets)), steps.variables(), steps.target(), arrays, rounds)


def _measured(
    steps: Steps, groups: Groups, targets: list[Any], size: int, rounds: int, kind: str | None = None
) -> tuning.Tuned:
    graphs = _graphs(steps, groups, kind)
    predicted = [a[:size] for a in groups.inputs]
    feeds = {"train": [a[:size] for a in groups.flat], "predict": predicted}
    tuned = tuning.tune(graphs, steps.variables(), targets, feeds, size, rounds)
    tuning.keep(graphs, tuned)
    return tuned


def _graphs(steps: Steps, groups: Groups, kind: str | None) -> dict[str, Graph]:
    if steps.own_fit or steps.model.own_predict:  # data of the one is not data of the other
        kind = kind or "train"
        return {kind: steps.graph(kind, groups.form)}
    kinds = ("train", "predict") if groups.targets else ("predict",)
    return {kind: steps.graph(kind, groups.form) for kind in kinds}


def _inputs_alone(groups: Groups) -> Groups:
    return Groups(groups.inputs, [], [])
