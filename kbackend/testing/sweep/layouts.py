"""Trials of one call: forward and gradients against NumPy in float64, with tensors in either order of memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.classic.state import placeholder, variable
from kbackend.declare.sample import Sample
from kbackend.declare.tolerances import tolerance
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.gradients import gradients
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.reduction.reductions import sum_
from kbackend.plugin.contract import Target
from kbackend.plugin.gaps import MissingKernel
from kbackend.plugin.select import use_target
from kbackend.runtime.function import Function
from kbackend.testing.compare import difference
from kbackend.testing.oracle import reference_target
from kbackend.testing.programs import gradient_places, total
from kbackend.testing.samples import Case, find_op, make_case, named
from kbackend.testing.tolerances import class_of

#: how the gradient that arrives at a result lies in memory: like it, channels first, or one sample's for all samples
UPSTREAMS = ("alike", "channels_first", "stretched")
_GRADIENT_FLOOR = 1e-3  # see kbackend.testing.checks
#: the dtypes in which NumPy has gradients
_DIFFERENTIATED = ("float64", "float32", "float16")


@dataclass(frozen=True, eq=False)
class Trial:
    """One call.

    Attributes:
        case: the call with its arrays; the first is channels last.
        turned: the first input is fed channels first, and turned in the graph.
        held: the other inputs are variables, which backends keep in an order of memory of their own.
        upstream: one of :data:`UPSTREAMS`.
    """

    case: Case
    turned: bool
    held: bool
    upstream: str

    def __str__(self) -> str:
        fed = "channels first" if self.turned else "channels last"
        others = "variables" if self.held else "placeholders"
        return (f"{self.case.op.name}{self.case.sample.name} in {self.case.group}, fed {fed}, the others {others}, "
                f"upstream {self.upstream}")


@dataclass(frozen=True)
class Drawn:
    """The family of the calls that a function draws: the key of an op, and a sample in one dtype.

    Attributes:
        draw: the function.
        floor: results and gradients below it count as if they were so large: those that are 0 up to rounding.
    """

    draw: Callable[[random.Random], tuple[str, Sample]]
    floor: float = 0.0

    def trial(self, rng: random.Random, number: int) -> Trial:
        key, sample = self.draw(rng)
        case = make_case(find_op(key), number, named(sample), sample.dtypes[0])
        return Trial(case, rng.random() < 0.3, rng.random() < 0.5, rng.choice(UPSTREAMS))

    def check(self, trials: Sequence[Trial], target: Target) -> list[str | None]:
        return [_compared(trial, *found, self.floor) for trial, found in zip(trials, _results(trials, target))]


def _results(trials: Sequence[Trial], target: Target) -> list[tuple[Any, Any]]:
    """What the target gives for each trial, or the error, and what NumPy gives in float64."""
    wanted = [_ran([_Graph(t, t.case.widened())], reference_target())[0] for t in trials]
    try:
        return list(zip(_ran([_Graph(t, t.case.arrays) for t in trials], target), wanted))
    except Exception as error:  # one by one, to see whose it is
        if len(trials) == 1:
            return [(error, wanted[0])]
        return [_results([trial], target)[0] for trial in trials]


class _Graph:
    """The call of a trial on some arrays, with the gradients of a weighted sum of its results."""

    def __init__(self, trial: Trial, arrays: Sequence[np.ndarray]) -> None:
        case = trial.case
        self.inputs: list[Tensor] = []
        self.feeds: list[np.ndarray] = []
        x, *others = arrays
        fed = np.moveaxis(x, -1, 1) if trial.turned else x
        sources = [self._fed(fed)]
        sources += [variable(a, dtypes.canonical(a.dtype)) if trial.held else self._fed(a) for a in others]
        last = permute_dimensions(sources[0], (0, *range(2, x.ndim), 1)) if trial.turned else sources[0]
        self.results = [t for t in tree_leaves(case.call([last, *sources[1:]])) if isinstance(t, Tensor)]
        self.outputs = list(self.results)
        if case.group in _DIFFERENTIATED:
            loss = total([_weighted(t, trial.upstream, i) for i, t in enumerate(self.results)])
            found = gradients(loss, [sources[place] for place in gradient_places(case)])
            self.outputs += [g for g in found if g is not None]

    def _fed(self, array: np.ndarray) -> Any:
        self.inputs.append(placeholder(array.shape, dtype=dtypes.canonical(array.dtype)))
        self.feeds.append(np.ascontiguousarray(array))
        return self.inputs[-1]


def _weighted(result: Tensor, upstream: str, index: int) -> Tensor:
    """The sum of a result with weights that are exact in each float dtype, and positive, so that sums do not cancel."""
    if upstream == "stretched":
        result = sum_(result, axis=0)
    if upstream == "channels_first" and len(result.shape) > 2:
        result = permute_dimensions(result, (0, len(result.shape) - 1, *range(1, len(result.shape) - 1)))
    shape = [n for n in result.shape if n is not None]
    return sum_(multiply(result, constant(np.random.default_rng(index).integers(16, 129, shape) / 64, result.dtype)))


def _ran(graphs: Sequence[_Graph], target: Target) -> list[tuple[int, list[np.ndarray]]]:
    """For each graph the number of its results, and results and gradients."""
    function = Function([t for g in graphs for t in g.inputs], [t for g in graphs for t in g.outputs], name="sweep")
    with use_target(target):
        values = iter(function.run([a for g in graphs for a in g.feeds], target, 0))
        return [(len(g.results), [target.backend.to_numpy(next(values)) for _ in g.outputs]) for g in graphs]


def _compared(trial: Trial, found: Any, wanted: tuple[int, list[np.ndarray]], floor: float) -> str | None:
    if isinstance(found, MissingKernel):
        return None
    if isinstance(found, Exception):
        return f"{type(found).__name__}: {str(found)[:400]}"
    count, arrays = wanted
    of_values = tolerance(class_of(trial.case.op, trial.case.sample), trial.case.group)
    of_gradients = tolerance("gradient", trial.case.group)
    largest = max((float(np.max(np.abs(a))) for a in arrays[count:] if a.size), default=0.0)
    of_small = max(floor, _GRADIENT_FLOOR * largest)
    for place, (mine, right) in enumerate(zip(found[1], arrays, strict=True)):
        is_result = place < count
        message = difference(mine, right, *((of_values, floor) if is_result else (of_gradients, of_small)))
        if message is not None:
            return f"{'result' if is_result else 'gradient'} {place if is_result else place - count}: {message}"
    return None


__all__ = ["UPSTREAMS", "Drawn", "Trial"]
