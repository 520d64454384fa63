"""Modules of engines that layers wrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from kbackend.graph.tensor import TensorSpec


class ModuleWeight(NamedTuple):
    """A weight of a module.

    Attributes:
        name: in the module, unique.
        spec: shape and dtype.
        trainable: whether training changes it.
        cell: a holder for the variables of the backend, in the memory of the module.
        device: the backend's name of the device that it is on.
    """

    name: str
    spec: TensorSpec
    trainable: bool
    cell: Any
    device: str


class Signature(NamedTuple):
    """How a layer calls its module.

    Attributes:
        keys: the names of the inputs that are given by keyword, None where they are given by position.
        training: whether in training.
    """

    keys: tuple[str, ...] | None
    training: bool

    def arguments(self, inputs: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional arguments and the keywords."""
        return (tuple(inputs), {}) if self.keys is None else ((), dict(zip(self.keys, inputs)))


class WrappedModule(Protocol):
    """A module of an engine that a layer wraps.

    Attributes:
        engine: the name of the backend.
        label: the layer, for messages.
    """

    engine: str
    label: str

    def prepare(self, inputs: Sequence[TensorSpec], keys: tuple[str, ...] | None) -> None:
        """Let a module that makes weights at its first call make them."""

    def weights(self) -> list[ModuleWeight]:
        """All weights, those that a call in training replaces at the end."""

    def replaced(self) -> int:
        """How many weights a call in training gives new values of."""

    def infer(self, inputs: Sequence[TensorSpec], signature: Signature) -> Any:
        """The specs of the results, in the structure in which the module returns them.

        Raises:
            ValueError: the module fails; the message has what it said.
        """

    def runner(self, signature: Signature) -> Callable[..., tuple[Any, ...]]:
        """A function of the inputs and of the weights that gives the results, flat, and in training then the new values
        of the weights that are replaced."""


__all__ = ["ModuleWeight", "Signature", "WrappedModule"]
