"""Models for modules of engines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kbackend.graph.tensor import TensorSpec

if TYPE_CHECKING:
    from kbackend.graph.variable import Variable
    from kbackend.plugin.contract import Target


@dataclass(frozen=True)
class ModelParts:
    """A model for a module of an engine.

    Attributes:
        name: of the model.
        target: the engine and the device that hold the weights.
        inputs: the inputs' specs by name, in their order.
        outputs: the outputs' names.
        single: whether the model gives a tensor, not a list of them.
        named: whether the module is to give a dict by the outputs' names instead.
        programs: the emitted programs of the test and the training phase; each knows the variables that it reads and
            updates.
        weights: the weights by their names with dots; those that ``Variable.trainable`` says are parameters.
        trainable: the ids of the weights that training changes now.
        state: the other variables that the programs read, by name: counters of draws, states, live hyperparameters.
    """

    name: str
    target: Target
    inputs: Mapping[str, TensorSpec]
    outputs: Sequence[str]
    single: bool
    named: bool
    programs: tuple[Any, Any]
    weights: Mapping[str, Variable]
    trainable: frozenset[int]
    state: Mapping[str, Variable]

    def flat(self, values: Sequence[Any]) -> list[Any]:
        """The inputs in their order, from the arguments of a call: one for each, or a list or dict of them.

        Raises:
            TypeError: another number, or other names.
        """
        given = values[0] if len(values) == 1 and isinstance(values[0], (list, tuple, Mapping)) else values
        if isinstance(given, Mapping):
            if given.keys() != self.inputs.keys():
                raise TypeError(f"{self.name} has the inputs {list(self.inputs)}, it was given {list(given)}")
            return [given[name] for name in self.inputs]
        if len(given) != len(self.inputs):
            raise TypeError(f"{self.name} takes {len(self.inputs)} inputs ({', '.join(self.inputs)}), "
                            f"it was given {len(given)}")
        return list(given)

    def structured(self, outputs: Sequence[Any]) -> Any:
        """The outputs as a call returns them."""
        if self.named:
            return dict(zip(self.outputs, outputs))
        return outputs[0] if self.single else list(outputs)

    def check(self, name: str, spec: TensorSpec, shape: Sequence[int | None]) -> None:
        """Refuse an input of another shape.

        Raises:
            ValueError: it is.
        """
        wanted = spec.shape
        if len(wanted) != len(shape) or any(None not in (w, s) and w != s for w, s in zip(wanted, shape)):
            raise ValueError(f"{self.name}: the input {name!r} has shape {wanted}, it was given one of {tuple(shape)}")


def paths(names: Sequence[str], taken: Callable[[str], bool]) -> list[tuple[str, ...]]:
    """Paths of attributes for names with slashes or dots, such that no path is another's beginning.

    Args:
        taken: whether modules of the engine have an attribute of that name themselves.

    >>> paths(["dense/kernel", "dense", "forward/kernel"], {"forward"}.__contains__)
    [('dense', 'kernel'), ('dense_',), ('forward_', 'kernel')]
    """
    wanted = [
        tuple(f"{part}_" if taken(part) or not part else part for part in re.split("[/.]", name.replace("#", "_")))
        for name in names
    ]
    folders = {path[:n] for path in wanted for n in range(1, len(path))}
    found: list[tuple[str, ...]] = []
    used: set[tuple[str, ...]] = set()
    for path in wanted:
        while path in used or path in folders:
            path = (*path[:-1], f"{path[-1]}_")
        used.add(path)
        found.append(path)
    return found


__all__ = ["ModelParts", "paths"]
