"""Several cells as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from kbackend.graph.node import name_scope, scoped
from kbackend.ground.arguments import accepts
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.naming import described
from kbackend.layers.base.nested import HasLayers
from kbackend.layers.base.serialization import deserialize
from kbackend.layers.base.structures import as_list
from kbackend.layers.recurrent.cell import (
    build_cell,
    cell_twin,
    first_states,
    output_size_of,
    state_shapes_of,
    stepper_of,
)


class StackedRNNCells(HasLayers):
    """Cells one upon the other: each takes the output of the one before.

    Args:
        cells: the cells, as :class:`RNN` takes them.
        reverse_state_order: whether the states of the last cell come first, as before Keras 2.2.

    The states are those of all cells in one list, the first cell's first.

    Shapes: (batch, features) and the states, to (batch, output size of the last cell) and the states.

    Raises:
        ValueError: no cells, or cells without ``call`` or ``state_size``.

    >>> from kbackend import Input, layers
    >>> cell = layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)])
    >>> cell.state_size
    (3, 3, 2)
    >>> layers.RNN(cell)(Input((7, 5))).shape
    (None, 2)
    """

    arguments = ("cells",)

    def __init__(self, cells: Sequence[Any], reverse_state_order: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reverse_state_order = bool(reverse_state_order)
        self.cells: list[Any] = list(cells) if isinstance(cells, (list, tuple)) else [cells]
        if not self.cells:
            raise ValueError(f"{described(self)} needs one cell or more, it was given {cells!r}")
        for cell in self.cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise ValueError(f"{described(self)}: a cell has call(inputs, states) and state_size, {cell!r} has not")

    def _ordered(self, values: Sequence[Any]) -> Sequence[Any]:
        """What belongs to each cell, in the order of their states."""
        return values[::-1] if self.reverse_state_order else values

    @property
    def state_size(self) -> tuple[Any, ...]:
        return tuple(size for cell in self._ordered(self.cells) for size in as_list(cell.state_size))

    @property
    def output_size(self) -> Any:
        size = output_size_of(self.cells[-1])
        return size[0] if len(size) == 1 else size

    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shape of each state of a sample."""
        return [shape for cell in self._ordered(self.cells) for shape in state_shapes_of(cell)]

    def build(self, input_shape: Any) -> None:
        several = isinstance(input_shape, list)
        step, constants = (input_shape[0], input_shape[1:]) if several else (input_shape, [])
        for cell in self.cells:
            name = getattr(cell, "name", type(cell).__name__)
            path = scoped(name)
            with name_scope(name):
                told = constants if accepts(type(cell).call, "constants") else []
                build_cell(cell, [step, *told] if told else step, path)
            step = (step[0], *output_size_of(cell))

    def __call__(self, inputs: Any, states: Any = None, **kwargs: Any) -> Any:
        """Apply the cells to one step: (output, new states)."""
        return super().__call__(inputs, states=tree_leaves(states), **kwargs)

    def call(self, inputs: Any, states: Any, training: Any = None, constants: Any = None) -> Any:
        return self._stepper(inputs, training, constants or ())(inputs, tree_leaves(states))

    def stepper(self, like: Any, training: Any) -> Any:
        """See :meth:`kbackend.layers.recurrent.cell.Cell.stepper`."""
        return self._stepper(like, training, ())

    def _stepper(self, like: Any, training: Any, constants: Any) -> Any:
        steps = []
        for cell in self.cells:
            takes = constants if not hasattr(cell, "stepper") else ()
            steps.append((stepper_of(cell, like, training, takes), len(state_shapes_of(cell))))

        def step(inputs: Any, states: Any) -> tuple[Any, list[Any]]:
            rest, new = iter(states), []
            before = [list(islice(rest, count)) for _, count in self._ordered(steps)]
            for (advance, _), own in zip(steps, self._ordered(before)):
                inputs, after = advance(inputs, own)
                new.append(after)
            return inputs, [state for after in self._ordered(new) for state in after]

        return step

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> list[Any]:
        """The states that the cells begin with."""
        return [state for cell in self._ordered(self.cells) for state in first_states(cell, inputs, batch_size)]

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        return found | {"reverse_state_order": True} if self.reverse_state_order else found

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Cells from the result of ``get_config``, without weights. Entries of ``cells`` may be cells, too."""
        cells = [deserialize(c) if isinstance(c, Mapping) else c for c in config["cells"]]
        return cls(**{**config, "cells": cells})

    def _twin(self, **changes: Any) -> Any:
        return super()._twin(cells=[cell_twin(cell) for cell in self.cells], **changes)


__all__ = ["StackedRNNCells"]
