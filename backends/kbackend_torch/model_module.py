"""Models as modules of torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from kbackend.graph.node import Role
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.modules.parts import ModelParts, paths
from kbackend.plugin.select import target
from kbackend_torch.dtypes import NAME, TORCH
from kbackend_torch.kernels.nn import dropout
from kbackend_torch.kernels.random import draws
from kbackend_torch.kernels.rnn import masked, recurrent


class ModelModule(torch.nn.Module):
    """A model of kbackend as a module. Parameters and buffers are the memory of its variables.

    ``train()`` and ``eval()`` choose the program of the phase. A forward pass in training replaces the buffers that the
    model updates, such as moving averages, and counts the draws of random numbers.
    """

    def __init__(self, parts: ModelParts) -> None:
        super().__init__()
        for kernels in (dropout, draws, masked, recurrent):
            kernels.leave_uncompiled()
        self._parts = _Shared(parts)
        held = {**parts.weights, **{f"state/{name}": v for name, v in parts.state.items()}}
        self._places = dict(zip(map(id, held.values()), paths(list(held), self._taken)))
        for variable in held.values():
            *folders, name = self._places[id(variable)]
            folder: torch.nn.Module = self
            for part in folders:
                if part not in folder._modules:
                    folder.add_module(part, torch.nn.Module())
                folder = folder.get_submodule(part)
            cell = variable.cell(parts.target)
            cell = torch.tensor(cell) if isinstance(cell, int) else cell
            if id(variable) in parts.trainable:
                folder.register_parameter(name, torch.nn.Parameter(cell))
            else:
                folder.register_buffer(name, cell.detach())
        self._programs = [_Run(program, parts.inputs, self._places) for program in parts.programs]
        self._share()

    def _taken(self, name: str) -> bool:
        return hasattr(torch.nn.Module, name) or name in self.__dict__ or name == "training"

    def forward(self, *inputs: Any) -> Any:
        """The outputs.

        Args:
            inputs: a tensor for each input, or one list or dict of them.

        Raises:
            TypeError: another number of inputs or other names, or no tensors.
            ValueError: an input of another shape.
        """
        parts = self._parts.parts
        if not torch.compiler.is_compiling():
            self._parts.fetch()
        outputs = self._programs[int(self.training)](self, parts.flat(inputs), parts)
        return parts.structured(outputs)

    # sharing ------------------------------------------------------------------------------------------------

    def _share(self) -> None:
        """Let the variables have the memory of the parameters and buffers, which may be new."""
        for variable in self._parts.variables():
            held = at(self, self._places[id(variable)])
            variable.share(self._parts.target_of(held), held.detach())

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        for held in (*self.parameters(), *self.buffers()):
            if fn(torch.empty(0, dtype=held.dtype)).dtype != held.dtype:
                name = self._parts.parts.name
                raise TypeError(f"{name}: the weights of a model keep their dtype ({NAME[held.dtype]})")
        super()._apply(fn, recurse)
        self._share()
        return self

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load_state_dict(*args, **kwargs)
        self._share()
        return found


class _Shared:
    """The model of a module; a copy of the module has weights of its own, which belong to no model."""

    def __init__(self, parts: ModelParts, owner: bool = True) -> None:
        self.parts, self._owner = parts, owner

    def variables(self) -> list[Any]:
        return [*self.parts.weights.values(), *self.parts.state.values()] if self._owner else []

    def target_of(self, tensor: torch.Tensor) -> Any:
        device, own = str(tensor.device), self.parts.target
        return own if device == own.device else target(own.backend.name, device)

    def fetch(self) -> None:
        """Get the values of variables that have been used on another engine since."""
        for variable in self.variables():
            if variable.home is not variable.shared:
                variable.cell(variable.shared)

    def __deepcopy__(self, memo: Any) -> _Shared:
        return _Shared(self.parts, owner=False)


class _Run:
    """A program as a function of the holders of a module."""

    def __init__(self, emitted: Any, inputs: Any, places: dict[int, tuple[str, ...]]) -> None:
        self.function = emitted.function
        changed = {id(v) for v in emitted.updated}
        self.read = [(places[id(v)], id(v) in changed) for v in emitted.variables]
        self.updated = [places[id(v)] for v in emitted.updated]
        self.counters = [places[id(v)] for v in emitted.counters]
        self.differentiates = any(n.op.role is Role.GRADIENTS for n in emitted.nodes.values())

    def __deepcopy__(self, memo: Any) -> _Run:
        return self

    def __call__(self, module: torch.nn.Module, inputs: Sequence[Any], parts: ModelParts) -> Sequence[Any]:
        feeds = [_fed(name, spec, value, parts) for (name, spec), value in zip(parts.inputs.items(), inputs)]
        recording = torch.is_grad_enabled()
        cells = [at(module, path) for path, _ in self.read]
        if recording:  # the backward pass may need the values from before the update
            cells = [cell.clone() if changed else cell for cell, (_, changed) in zip(cells, self.read)]
        with torch.set_grad_enabled(recording or self.differentiates):
            outputs, new = self.function(*feeds, cells)
        if not recording and self.differentiates:
            outputs = [t.detach() for t in outputs]
        with torch.no_grad():
            for path, value in zip(self.updated, new):
                at(module, path).copy_(value)
            for path in self.counters:
                at(module, path).add_(1)
        return outputs


def _fed(name: str, spec: TensorSpec, value: Any, parts: ModelParts) -> torch.Tensor:
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{parts.name}: the input {name!r} must be a tensor of torch, it is {type(value).__name__}")
    parts.check(name, spec, value.shape)
    wanted = TORCH[spec.dtype]
    if value.dtype == wanted:
        return value
    if value.dtype.is_floating_point and not wanted.is_floating_point:
        raise TypeError(f"{parts.name}: the input {name!r} is {spec.dtype}, it was given {NAME[value.dtype]}")
    return value.to(wanted)


def at(module: torch.nn.Module, path: Sequence[str]) -> Any:
    """The parameter or buffer at a path."""
    for part in path[:-1]:
        module = module._modules[part]  # type: ignore[assignment]
    found = module._parameters.get(path[-1])
    return module._buffers[path[-1]] if found is None else found
