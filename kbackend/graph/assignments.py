"""Assignments to variables while a graph is built, recorded as updates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kbackend.graph.node import next_number
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, recorder
from kbackend.graph.walk import ancestors, map_args, reapply


class Assignments:
    """The assignments made since recording began.

    A node that was made after an assignment reads the assigned value, a node that was made before it the value from
    before, as if every line of the program had run at once.
    """

    def __init__(self) -> None:
        self._log: dict[Variable, list[tuple[int, Any]]] = {}

    def put(self, variable: Variable, value: Any) -> None:
        """Record ``variable = value``; the value is a tensor, array or number."""
        value = self.current(value)
        self._log.setdefault(variable, []).append((next_number(), value))

    def updates(self) -> list[tuple[Variable, Any]]:
        """The last value of each variable, in order of the first assignments."""
        return [(variable, log[-1][1]) for variable, log in self._log.items()]

    def current(self, value: Any) -> Any:
        """``value`` computed from the assigned values where its nodes read variables after their assignment."""
        if not self._log or not isinstance(value, Tensor):
            return value
        if isinstance(value, Variable):
            return self._read(value, None)
        new: dict[int, Any] = {}
        first = next(iter(self._log.values()))[0][0]
        for node in ancestors([value], start=first):
            def operand(tensor: Tensor, number: int = node.number) -> Any:
                if isinstance(tensor, Variable):
                    return self._read(tensor, number)
                return new.get(id(tensor), tensor)

            args = map_args(node.args, operand)
            if any(operand(t) is not t for t in node.inputs):
                for old, result in zip(node.outputs, reapply(node, args)):
                    new[id(old)] = result
        return new.get(id(value), value)

    def _read(self, variable: Variable, number: int | None) -> Any:
        """The value of a variable for a node of a number; the last value for None."""
        seen = [value for made, value in self._log.get(variable, ()) if number is None or made < number]
        return seen[-1] if seen else variable


@contextmanager
def recording() -> Iterator[Assignments]:
    """A context in which ``assign`` and ``K.update`` of variables change nothing and are recorded.

    >>> from kbackend import K
    >>> v = K.variable(1.0)
    >>> with recording() as made:
    ...     v.assign_add(2.0)
    ...     v.assign(v * 10.0)
    >>> _ = K.function([], [], updates=made.updates())([])
    >>> float(K.get_value(v))
    30.0
    """
    made = Assignments()
    token = recorder.set(made)
    try:
        yield made
    finally:
        recorder.reset(token)
