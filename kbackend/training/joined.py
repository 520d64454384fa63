"""Metrics of many batches in one call.

Metrics take some dozens of small ops a step, more than the step of a small network itself. The states of most are sums
over samples, which give the same for the samples of many batches at once: the step leaves these updates out and returns
what they take, and they are made for several batches together, at the latest when somebody reads a metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, walk
from kbackend.metrics.base import Metric
from kbackend.runtime.function import Function

#: how many batches are joined at most, and how many elements of theirs are kept for it
_BATCHES, _ELEMENTS = 32, 1 << 18


class Apart(NamedTuple):
    """A step, and the updates of its metrics as a function of their own.

    Attributes:
        step: the step without them; after its outputs it gives what they take and no input is.
        taking: the updates, as a function of what they take.
        fed: for each input of ``taking`` its place among the inputs of the step, None for those that the step gives.
    """

    step: Function
    taking: Function
    fed: tuple[int | None, ...]

    @classmethod
    def of(cls, function: Function, states: Sequence[Metric], phase: int) -> Apart | None:
        """The parts of a step, None where no metric can be taken apart.

        Args:
            states: the metrics whose updates are among those of the function.
            phase: 1 for training, 0 for tests.
        """
        graph = function.graph
        owner = {variable: state for state in states if state.additive for variable in state.variables}
        others = [(v, value) for v, value in graph.updates if v not in owner]
        shared = {id(t) for node in Graph(graph.inputs, graph.outputs, others).nodes() for t in node.outputs}
        shared |= {id(t) for t in graph.inputs}
        taken: dict[int, Tensor] = {}
        apart: list[Any] = []
        for state in dict.fromkeys(owner.values()):
            own = [(v, value) for v, value in graph.updates if owner.get(v) is state]
            found = _taken([value for _, value in own], shared, set(state.variables))
            if found is None:
                others += own
            else:
                apart += own
                taken |= {id(t): t for t in found}
        if not apart:
            return None
        places = {id(t): place for place, t in enumerate(graph.inputs)}
        fed = tuple(places.get(key) for key in taken)
        given = [t for t, place in zip(taken.values(), fed) if place is None]
        step = Function(graph.inputs, [*graph.outputs, *given], others, graph.name, function.jit, phase)
        return cls(step, Function(list(taken.values()), [], apart, f"{graph.name}_metrics", False, phase), fed)


def _taken(values: Sequence[Tensor], shared: set[int], own: set[Variable]) -> list[Tensor] | None:
    """What the new values of a metric's variables are computed from, None where that is no list of tensors with a row
    for each sample and sizes that are the same in each batch."""
    found: dict[int, Tensor] = {}

    def operands(tensor: Tensor) -> Sequence[Tensor]:
        if id(tensor) in shared and _of_samples(tensor):
            found[id(tensor)] = tensor
            return ()
        return tensor.node.inputs

    needed = list(walk(values, operands))
    if all(id(tensor) in found or _repeatable(tensor.node, own) for tensor in needed):
        return list(found.values())
    return None


def _of_samples(tensor: Tensor) -> bool:
    return bool(tensor.shape) and tensor.shape[0] is None and None not in tensor.shape[1:]


def _repeatable(node: Node, own: set[Variable]) -> bool:
    """Whether a node gives the same later, as far as the metric's own variables and the operands are the same."""
    if node.inputs:
        return node.op.pure and not node.op.random
    return node.op.role is Role.CONSTANT or any(isinstance(t, Variable) and t in own for t in node.outputs)


class Joined:
    """The program of a step for batches that follow one another, with the metrics of several taken at once.

    Args:
        apart: the step.
        target: where it runs.
        phase: 1 for training, 0 for tests.
        shapes: of the arrays of every batch, None where they may differ.
        copied: whether the memory of what is fed may change after the step.

    Attributes:
        rng: how the program draws, 'portable' or 'native'.
    """

    def __init__(self, apart: Apart, target: Any, phase: int, shapes: Any, copied: bool) -> None:
        self._program = apart.step.program(target, phase, shapes=shapes)
        self._taking = apart.taking.program(target, phase)
        self._backend, self._copied = target.backend, copied
        self._fed, self._given = apart.fed, sum(place is None for place in apart.fed)
        self._count = len(apart.step.outputs) - self._given
        self._kept: list[list[Any]] = []
        self._most = 1
        kernel = self._backend.table("portable")["concatenate"]
        self._concatenate = lambda parts: self._backend.guarded(kernel, tuple(parts), axis=0)
        self.rng = self._program.rng

    def __call__(self, feeds: Sequence[Any]) -> Sequence[Any]:
        found = self._program(feeds)
        given = iter(found[self._count :])
        self._kept.append([next(given) if place is None else self._own(feeds[place]) for place in self._fed])
        if len(self._kept) >= self._most:
            self.flush()
        return found[: self._count]

    def _own(self, fed: Any) -> Any:
        return self._backend.copy(fed) if self._copied else fed

    def flush(self) -> None:
        """Take the batches that are kept."""
        if not self._kept:
            return
        if len(self._kept) == 1:
            joined = self._kept[0]
            elements = sum(self._size(tensor) for tensor in joined)
            self._most = max(1, min(_BATCHES, _ELEMENTS // max(elements, 1)))
        else:
            joined = [self._concatenate(parts) for parts in zip(*self._kept)]
        self._taking(joined)
        self._kept.clear()

    def _size(self, tensor: Any) -> int:
        size = 1
        for length in self._backend.spec(tensor).shape:
            size *= length or 0
        return size
