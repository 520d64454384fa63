"""Trials of samples with some axes cut to size 0: what each op makes of nothing, or which error it raises.

NumPy gives what is right, at once, as a program that knows the sizes, as one that does not, and for the gradient.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kbackend import dtypes
from kbackend.classic.state import placeholder
from kbackend.declare.tolerances import tolerance
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import ancestors
from kbackend.ground.tree import tree_leaves
from kbackend.ops.core.gradients import gradients
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.contract import Target
from kbackend.plugin.gaps import MissingKernel
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.checks.op import main_group
from kbackend.testing.compare import difference
from kbackend.testing.oracle import GRADIENT_GROUPS, reference_target
from kbackend.testing.programs import gradient_places, real_parts, total
from kbackend.testing.results import Result, call_symbolic, run_concrete
from kbackend.testing.samples import Case, all_ops, cases, groups
from kbackend.testing.tolerances import class_of

#: of an input, and of its axis
Place = tuple[int, int]
MODES = ("at once", "sizes known", "sizes not known", "only these known", "no size known", "gradient")
#: those in which NumPy's program must give what it gives at once, and those in which sizes besides 0 are not known
_TOLD, _OPEN = MODES[1:3], MODES[3:5]
#: the errors that are told apart, the more special first
_ERRORS = (np.linalg.LinAlgError, ZeroDivisionError, IndexError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class Trial:
    """A sample whose arrays are cut to size 0 at some places."""

    case: Case
    places: frozenset[Place]

    def __str__(self) -> str:
        return f"{self.case.label} of the shapes {', '.join(str(a.shape) for a in self.case.arrays)}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out: a result, or the name of an error and what it says."""

    result: Result | None = None
    error: str = ""
    said: str = ""


@cache
def all_trials() -> tuple[Trial, ...]:
    """Each sample with each axis of each input in turn cut to 0, alone and with the axes of that size in other inputs
    that stand at the same place from the front or the end."""
    return tuple(
        trial
        for op in all_ops()
        for group in groups(op)
        for case in cases(op, group)
        if case.sample.raises is None and group == main_group(case)
        for trial in _cut(case)
    )


def _cut(case: Case) -> Iterator[Trial]:
    seen: set[frozenset[Place]] = set()
    for place, array in enumerate(case.arrays):
        for axis, size in enumerate(array.shape):
            alone = frozenset({(place, axis)})
            for places in (alone, alone | _alike(case, array.ndim, axis, size)):
                if size and places not in seen:
                    seen.add(places)
                    arrays = [_emptied(a, [x for p, x in places if p == i]) for i, a in enumerate(case.arrays)]
                    yield Trial(case.with_arrays(arrays), places)


def _alike(case: Case, rank: int, axis: int, size: int) -> frozenset[Place]:
    return frozenset(
        (place, other)
        for place, array in enumerate(case.arrays)
        for other, n in enumerate(array.shape)
        if n == size and (other == axis or array.ndim - other == rank - axis)
    )


def _emptied(array: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    return array[tuple(slice(0, 0 if axis in axes else None) for axis in range(array.ndim))]


class Empty:
    """The family; as many trials as :func:`all_trials` has, from the number 0 on, are all of them once."""

    def trial(self, rng: random.Random, number: int) -> Trial:
        known = all_trials()
        step = next(n for n in range(len(known) * 5 // 8, len(known)) if np.gcd(n, len(known)) == 1)
        return known[number * step % len(known)]  # neighbours are of different ops

    def check(self, trials: Sequence[Trial], target: Target) -> list[str | None]:
        chosen = [t for t in trials if not _declared(t, target)]
        wanted = [[_outcome(t, mode, reference_target()) for mode in MODES] for t in chosen]
        found = _outcomes(chosen, wanted, target)
        faults = {id(t): _first_fault(t, *parts) for t, *parts in zip(chosen, found, wanted)}
        return [faults.get(id(t)) for t in trials]


def _declared(trial: Trial, target: Target) -> bool:
    """Whether the backend declares that an op behind the trial fails on an empty batch."""
    failing = {name for name, gap in target.backend.gaps.items() if "empty batch" in gap.samples}
    if not failing or not any(axis == 0 for _, axis in trial.places):
        return False
    try:
        graph = _Graph(trial, "sizes known")
    except Exception:  # refused while it is built, as it is to be on each backend
        return False
    return any(node.op.name in failing for node in ancestors(graph.outputs))


def _first_fault(trial: Trial, found: Sequence[Outcome | None], wanted: Sequence[Outcome | None]) -> str | None:
    at_once = wanted[0]
    assert at_once is not None
    for mode, mine, right in zip(MODES, found, wanted):
        if mine is None or right is None or mode in _OPEN and right.error and at_once.result:
            continue  # an op may refuse a size that is not known, and an engine may not need to
        message = _differ(trial, mine, right, mode)
        if message is None and mode in _TOLD and right.result and at_once.result:
            message = _differ(trial, right, at_once, mode)  # NumPy's program against what it gives at once
        if message is not None:
            return f"{mode}: {message}"
    return None


def _differ(trial: Trial, found: Outcome, wanted: Outcome, mode: str) -> str | None:
    if found.result is None or wanted.result is None:
        if found.error == wanted.error:
            return None
        return f"{_said(found)} instead of {_said(wanted)}"
    mine, right = found.result, wanted.result
    if mine.dtypes != right.dtypes or [a.shape for a in mine.arrays] != [a.shape for a in right.arrays]:
        return f"{_said(found)} instead of {_said(wanted)}"
    if callable(trial.case.sample.compare):
        return None
    name = "gradient" if mode == "gradient" else class_of(trial.case.op, trial.case.sample)
    for one, other, dtype in zip(mine.arrays, right.arrays, right.dtypes):
        message = difference(one, other, tolerance(name, dtype, trial.case.arrays), 1.0)
        if message is not None:
            return message
    return None


def _said(outcome: Outcome) -> str:
    if outcome.result is None:
        return f"{outcome.error} ({outcome.said})"
    return ", ".join(f"{d}{list(a.shape)}" for a, d in zip(outcome.result.arrays, outcome.result.dtypes)) or "no tensor"


# ------------------------------------------------------------------------------------------------- running


def _outcomes(
    trials: Sequence[Trial], wanted: Sequence[Sequence[Outcome | None]], target: Target
) -> list[list[Outcome | None]]:
    """What the target gives; graphs that are to run go into one program, since each costs much where it is compiled."""
    found: list[list[Outcome | None]] = [[_outcome(t, MODES[0], target), *[None] * (len(MODES) - 1)] for t in trials]
    places = [
        (row, mode) for row, right in enumerate(wanted) for mode in range(1, len(MODES)) if right[mode] is not None
    ]
    together = [p for p in places if wanted[p[0]][p[1]].result is not None]  # type: ignore[union-attr]
    try:
        graphs = [_Graph(trials[row], MODES[mode]) for row, mode in together]
        for (row, mode), outcome in zip(together, _run(graphs, target)):
            found[row][mode] = outcome
    except Exception:  # one by one, to see whose it is
        together = []
    for row, mode in (p for p in places if p not in together):
        found[row][mode] = _outcome(trials[row], MODES[mode], target)
    return found


def _outcome(trial: Trial, mode: str, target: Target) -> Outcome | None:
    """What one trial gives in a mode; None where there is nothing to run."""
    try:
        if mode == "at once":
            return Outcome(run_concrete(trial.case, target))
        with use_target(target):
            graph = _Graph(trial, mode)
        return _run([graph], target)[0] if graph.outputs else None
    except MissingKernel:
        return None
    except Exception as error:
        kind = next((k.__name__ for k in _ERRORS if isinstance(error, k)), type(error).__name__)
        return Outcome(error=kind, said=str(error).split("\n")[0][:200])


class _Graph:
    """The call of a trial, or the gradients of the sum of its results."""

    def __init__(self, trial: Trial, mode: str) -> None:
        case = trial.case
        self.feeds = list(case.arrays)
        self.inputs = [
            placeholder(_told(i, a.shape, trial.places, mode), dtype=dtypes.canonical(a.dtype))
            for i, a in enumerate(case.arrays)
        ]
        found = list(tree_leaves(call_symbolic(case, self.inputs)))
        self.outputs = [leaf for leaf in found if isinstance(leaf, Tensor)]
        if mode == "gradient":  # with the results: an engine may not run an op that no gradient needs
            found = self._gradients(case)
            self.outputs = [*self.outputs, *found] if found else []

    def _gradients(self, case: Case) -> list[Tensor]:
        parts = [part for t in self.outputs for part in real_parts(t)]
        places = gradient_places(case)
        if not parts or not places or case.group not in GRADIENT_GROUPS or not case.op.differentiable:
            return []
        if not case.sample.gradient:
            return []
        found = gradients(total([sum_(part) for part in parts]), [self.inputs[p] for p in places])
        return [g for g in found if g is not None]


def _told(place: int, shape: Sequence[int], empty: frozenset[Place], mode: str) -> tuple[int | None, ...]:
    """What a mode tells of the shape of an input; ``empty``: the places of size 0."""
    if mode == "no size known":
        return (None,) * len(shape)
    hidden = {"sizes known": (), "only these known": (False,)}.get(mode, (True,))
    return tuple(None if ((place, axis) in empty) in hidden else n for axis, n in enumerate(shape))


def _run(graphs: Sequence[_Graph], target: Target) -> list[Outcome]:
    if not graphs:
        return []
    function = Function([t for g in graphs for t in g.inputs], [t for g in graphs for t in g.outputs], name="empty")
    with use_target(target):
        values = iter(function.run([a for g in graphs for a in g.feeds], target, 0))
        found = []
        for graph in graphs:
            result = Result()
            for _ in graph.outputs:
                result.add(next(values), target)
            found.append(Outcome(result))
    return found


__all__ = ["MODES", "Empty", "Outcome", "Trial", "all_trials"]
