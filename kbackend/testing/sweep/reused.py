"""Trials that use one result of an op several times: as a program, and op by op on the engine's own tensors.

Graph optimizers merge what is alike, and may confuse the results of one op. Gradients arrive as one result of another
op, and are compared with those where the same numbers arrive as an input.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.classic.state import placeholder
from kbackend.declare.tolerances import coarser, tolerance
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.ops.arrays.join import concatenate_last, stack
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.split import unstack_parts
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.cast import identity
from kbackend.ops.core.gradients import gradients
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.contract import Target
from kbackend.plugin.gaps import MissingKernel
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.checks.op import main_group
from kbackend.testing.compare import difference
from kbackend.testing.oracle import GRADIENT_GROUPS
from kbackend.testing.programs import gradient_places, total
from kbackend.testing.results import call_symbolic, draws, run_concrete
from kbackend.testing.samples import Case, all_ops, cases, groups
from kbackend.testing.tolerances import class_of


def _product(t: Any) -> Any:
    rank = len(t.shape)
    return matrix_multiply(t, permute_dimensions(t, (*range(rank - 2), rank - 1, rank - 2)))


#: name -> the use, and what it needs of a result: its least rank, and whether it must be a number or a float
USES: dict[str, tuple[Callable[[Any], Any], int, str]] = {
    "a stack": (lambda t: stack([t, t], axis=0), 0, "any"),
    "a stack along the last axis": (lambda t: stack([t, t, t], axis=-1), 0, "any"),
    "a stack of copies": (lambda t: stack([identity(t), reshape(t, tuple(t.shape))], axis=0), 0, "any"),
    "a stack of stacks": (lambda t: stack([stack([t, t], axis=0), stack([t, t], axis=0)], axis=0), 0, "any"),
    "both ends": (lambda t: concatenate_last([t, t], axis=-1), 1, "any"),
    "either branch": (lambda t: select_elements(np.True_, t, t), 0, "any"),
    "a sum": (lambda t: add(t, t), 0, "number"),
    "a product": (_product, 2, "float"),
}


@dataclass(frozen=True, eq=False)
class Trial:
    """A sample, the place of the result that is used, and the name of its use."""

    case: Case
    place: int
    use: str

    def __str__(self) -> str:
        return f"{self.use} of result {self.place} of {self.case.label}"


@cache
def usable_cases() -> tuple[tuple[Case, int], ...]:
    """The samples in their main dtype that give tensors, with the number of these; several results come first."""
    found = []
    for op in all_ops():
        for case in (c for group in groups(op) for c in cases(op, group)):
            if case.sample.raises is None and case.group == main_group(case):
                tensors = _symbolic(case)[1]
                if tensors and not draws(tensors) and all(None not in t.shape for t in tensors):
                    found.append((case, len(tensors)))
    return tuple(sorted(found, key=lambda pair: pair[1] < 2))


def _symbolic(case: Case) -> tuple[list[Tensor], list[Tensor]]:
    inputs = [placeholder(a.shape, dtype=dtypes.canonical(a.dtype)) for a in case.arrays]
    return inputs, [leaf for leaf in tree_leaves(call_symbolic(case, inputs)) if isinstance(leaf, Tensor)]


class Reused:
    """The family: half of its trials are of ops with several results."""

    def trial(self, rng: random.Random, number: int) -> Trial:
        known = usable_cases()
        several = sum(count > 1 for _, count in known)
        case, count = known[rng.randrange(several if number % 2 == 0 else len(known))]
        return Trial(case, rng.randrange(count), rng.choice(list(USES)))

    def check(self, trials: Sequence[Trial], target: Target) -> list[str | None]:
        graphs = [_Graph(t) for t in trials]
        try:
            values = _run(graphs, target)
        except Exception as error:  # one by one, to see whose it is
            if len(trials) > 1:
                return [self.check([trial], target)[0] for trial in trials]
            return [None if isinstance(error, MissingKernel) else f"{type(error).__name__}: {str(error)[:400]}"]
        return [_compared(g, v, target) for g, v in zip(graphs, values)]


class _Graph:
    """The use of a result, and gradients by a slope that is a result itself, and by one that is an input."""

    def __init__(self, trial: Trial) -> None:
        self.trial, case = trial, trial.case
        self.inputs, tensors = _symbolic(case)
        self.feeds = list(case.arrays)
        self.use = _fitting(trial.use, tensors[trial.place])
        self.outputs = [USES[self.use][0](tensors[trial.place])]
        self.slopes = 0
        alike = [t for t in tensors if t.spec == tensors[trial.place].spec and dtypes.is_float(t.dtype)]
        places = gradient_places(case)
        if alike and places and case.group in GRADIENT_GROUPS and case.op.differentiable and case.sample.gradient:
            self._differentiate(alike, [self.inputs[p] for p in places])

    def _differentiate(self, results: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
        shape, dtype = tuple(n or 0 for n in results[0].shape), results[0].dtype
        slope = np.random.default_rng(len(shape)).integers(16, 129, (2, *shape)) / 64
        pair, alone = placeholder((2, *shape), dtype=dtype), placeholder(shape, dtype=dtype)
        for given in (unstack_parts(pair, axis=0)[1], alone):
            found = gradients(total([sum_(multiply(t, given)) for t in results]), sources)
            self.outputs += [g for g in found if g is not None]
        self.slopes = (len(self.outputs) - 1) // 2
        self.inputs += [pair, alone]
        self.feeds += [slope, slope[1]]


def _fitting(use: str, result: Tensor) -> str:
    """The use, or a stack where the result has not the rank or dtype for it."""
    _, rank, kind = USES[use]
    number = dtypes.is_integer(result.dtype) or dtypes.is_inexact(result.dtype)
    fits = {"any": True, "number": number, "float": dtypes.is_float(result.dtype)}[kind]
    return use if fits and len(result.shape) >= rank else "a stack"


def _run(graphs: Sequence[_Graph], target: Target) -> list[list[np.ndarray]]:
    function = Function([t for g in graphs for t in g.inputs], [t for g in graphs for t in g.outputs], name="reused")
    with use_target(target):
        values = iter(function.run([a for g in graphs for a in g.feeds], target, 0))
        return [[target.backend.to_numpy(next(values)) for _ in g.outputs] for g in graphs]


def _compared(graph: _Graph, found: Sequence[np.ndarray], target: Target) -> str | None:
    trial, case = graph.trial, graph.trial.case
    result = run_concrete(case, target)
    with use_target(target):
        wanted = target.backend.to_numpy(USES[graph.use][0](result.tensors[trial.place]))
    dtype = result.dtypes[trial.place]
    precision = coarser(dtypes.real_of(dtype), case.group) if dtypes.is_inexact(dtype) else dtype
    bound = tolerance(class_of(case.op, case.sample), precision, case.arrays)
    if "product" in graph.use:
        bound = max(bound, tolerance("matmul", precision))
    message = difference(found[0], wanted, bound)
    if message is not None:
        return f"{graph.use}: {message}"
    middle = 1 + graph.slopes
    for place, (mine, right) in enumerate(zip(found[1:middle], found[middle:], strict=True)):
        message = difference(mine, right, tolerance("gradient", case.group))
        if message is not None:
            return f"gradient {place}, the slope a result of another op: {message}"
    return None


__all__ = ["USES", "Reused", "Trial", "usable_cases"]
