"""Metrics of many batches in one call.

Metrics take some dozens of small ops a step, more than the step of a small network itself. The states of most are sums
over samples, and so are values such as accuracy, which give the same for the samples of many batches at
once: the step leaves them out and returns what they take, and they are made for several batches together, at the latest
when somebody reads a metric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph, walk
from kbackend.metrics.base import Metric
from kbackend.runtime.function import Function

#: how many batches are joined at most, and how many elements of theirs are kept for it
_BATCHES, _ELEMENTS = 128, 1 << 18


class Value(NamedTuple):
    """A value of a step.

    Attributes:
        tensor: the mean over the batch, or a sum over its samples.
        mass: its weight in an epoch's mean; None for the batch size.
        numbers: of how many numbers of each sample it is the sum; None for a mean.
    """

    tensor: Tensor
    mass: Tensor | None
    numbers: int | None

    @property
    def tensors(self) -> list[Tensor]:
        return [self.tensor] if self.mass is None else [self.tensor, self.mass]


def outputs_of(values: Sequence[Value]) -> list[Tensor]:
    """What a step gives for values: these, then their masses."""
    return [*(value.tensor for value in values), *(value.mass for value in values if value.mass is not None)]


class Apart(NamedTuple):
    """A step, and its metrics as a function of their own.

    Attributes:
        step: the step without them; after its outputs it gives what they take and no input is.
        taking: values of metrics, and updates of their states, as a function of what they take.
        fed: the places among the inputs of the step of what ``taking`` takes after what the step gives.
        places: of the values that ``taking`` gives.
    """

    step: Function
    taking: Function
    fed: tuple[int, ...]
    places: tuple[int, ...]

    @classmethod
    def of(
        cls, function: Function, states: Sequence[Metric], values: Sequence[Value], phase: int
    ) -> Apart | None:
        """The parts of a step, None where no metric can be taken apart.

        Args:
            states: the metrics whose updates are among those of the function.
            values: the values that the function gives.
            phase: 1 for training, 0 for tests.
        """
        graph = function.graph
        owner = {variable: state for state in states if state.additive for variable in state.variables}
        others = [(v, value) for v, value in graph.updates if v not in owner]
        kept = [t for value in values if value.numbers is None for t in value.tensors]
        shared = {id(t) for node in Graph(graph.inputs, kept, others).nodes() for t in node.outputs}
        shared |= {id(t) for t in graph.inputs}
        taken: dict[int, Tensor] = {}
        places: list[int] = []
        for place, value in enumerate(values):
            found = None if value.numbers is None else _taken(value.tensors, shared, set())
            if found is not None:
                places.append(place)
                taken |= {id(t): t for t in found}
        apart: list[Any] = []
        for state in dict.fromkeys(owner.values()):
            own = [(v, value) for v, value in graph.updates if owner.get(v) is state]
            found = _taken([value for _, value in own], shared, set(state.variables))
            if found is None:
                others += own
            else:
                apart += own
                taken |= {id(t): t for t in found}
        if not taken:
            return None
        inputs = {id(t): place for place, t in enumerate(graph.inputs)}
        fed = [key for key in taken if key in inputs]
        given = [t for key, t in taken.items() if key not in inputs]
        outputs = outputs_of([value for place, value in enumerate(values) if place not in places])
        step = Function(graph.inputs, [*outputs, *given], others, graph.name, function.jit, phase)
        outputs, name = outputs_of([values[place] for place in places]), f"{graph.name}_metrics"
        taking = Function([*given, *map(taken.get, fed)], outputs, apart, name, False, phase)
        return cls(step, taking, tuple(map(inputs.__getitem__, fed)), tuple(places))


def _taken(values: Sequence[Tensor], shared: set[int], own: set[Variable]) -> list[Tensor] | None:
    """What the new values of a metric's variables are computed from, None where that is no list of tensors with a row
    for each sample and sizes that are the same in each batch. Of an activation such as sigmoid that is what it is
    computed from: losses take this too where they can, and the step does without the activation then."""
    found: dict[int, Tensor] = {}

    def operands(tensor: Tensor) -> Sequence[Tensor]:
        if id(tensor) not in shared or not _of_samples(tensor) or _is_of_rows(tensor.node):
            return tensor.node.inputs
        found[id(tensor)] = tensor
        return ()

    needed = list(walk(values, operands))
    if all(id(tensor) in found or _repeatable(tensor.node, own) for tensor in needed):
        return list(found.values())
    return None


def _of_samples(tensor: Tensor) -> bool:
    return bool(tensor.shape) and tensor.shape[0] is None and None not in tensor.shape[1:]


def _is_of_rows(node: Node) -> bool:
    return node.op.rowwise and node.attrs.get("axis") != 0 and all(_of_samples(t) for t in node.inputs)


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
        places: of the values that :meth:`values` gives.
    """

    def __init__(self, apart: Apart, target: Any, phase: int, shapes: Any, copied: bool) -> None:
        self._program = apart.step.program(target, phase, shapes=shapes)
        self._taking = apart.taking.program(target, phase)
        self._backend, self._copied = target.backend, copied
        self._fed = apart.fed
        self._count = len(apart.step.outputs) + len(apart.fed) - len(apart.taking.inputs)
        self._kept: list[Sequence[Any]] = []
        self._values: list[tuple[int, Sequence[Any]]] = []
        self.places = apart.places
        self._next = 1
        kernel = self._backend.table("portable")["concatenate"]
        self._concatenate = lambda parts: self._backend.guarded(kernel, tuple(parts), axis=0)
        self.rng = self._program.rng

    def __call__(self, feeds: Sequence[Any]) -> Sequence[Any]:
        found = self._program(feeds)
        fed = [feeds[place] for place in self._fed]
        self._kept.append((*found[self._count :], *(map(self._backend.copy, fed) if self._copied else fed)))
        if len(self._kept) >= self._next:
            self._next *= 2
            if self._next > self._room(self._kept[-1]):
                self._take()
        return found[: self._count]

    def flush(self) -> None:
        """Take the batches that are kept."""
        if self._kept:
            self._take()

    def values(self) -> Sequence[tuple[int, Sequence[Any]]]:
        """The number of samples and the values of all batches since the last call, of several at once."""
        self.flush()
        found, self._values = self._values, []
        return found

    def _take(self) -> None:
        several = len(self._kept) > 1
        joined = [self._concatenate(parts) for parts in zip(*self._kept)] if several else self._kept[0]
        values = self._taking(joined)
        if self.places:
            self._values.append((self._backend.spec(joined[0]).shape[0], values))
        self._kept.clear()
        self._next = 1

    def _room(self, batch: Sequence[Any]) -> int:
        """How many batches of this size are joined."""
        elements = sum(math.prod(length or 0 for length in self._backend.spec(t).shape) for t in batch)
        return min(_BATCHES, _ELEMENTS // max(elements, 1))
