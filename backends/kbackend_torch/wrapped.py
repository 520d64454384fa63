"""Modules of torch that layers wrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call
from torch.nn.parameter import UninitializedTensorMixin

from kbackend.graph.tensor import TensorSpec
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.plugin.modules.wrapped import ModuleWeight, Signature
from kbackend_torch.dtypes import NAME, TORCH

#: sizes tried for unknown dimensions; dimensions of the results that differ between the two are unknown
_TRIED_SIZES = (2, 3)


class TorchWrapped:
    """A ``torch.nn.Module``. Its parameters and persistent buffers are weights; training replaces the latter."""

    engine = "torch"

    def __init__(self, module: torch.nn.Module, label: str) -> None:
        self.module = module
        self.label = label
        self._names: list[str] = []
        self._buffers: list[str] = []
        self._inferred: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<module {type(self.module).__name__}>"

    def prepare(self, inputs: Sequence[TensorSpec], keys: tuple[str, ...] | None) -> None:
        held = (*self.module.parameters(), *self.module.buffers())
        if any(isinstance(t, UninitializedTensorMixin) for t in held):
            args, kwargs = Signature(keys, False).arguments(self._zeros(inputs, 2))
            with torch.no_grad(), self._mode(False):
                self.module(*args, **kwargs)
        kept = self.module.state_dict(keep_vars=True)
        self._buffers = [name for name, _ in self.module.named_buffers() if name in kept]
        self._names = [*(name for name, _ in self.module.named_parameters()), *self._buffers]

    def weights(self) -> list[ModuleWeight]:
        held = dict((*self.module.named_parameters(), *self.module.named_buffers()))
        return [
            ModuleWeight(
                name, TensorSpec(tuple(t.shape), NAME[t.dtype]), t.requires_grad, t.detach(), str(t.device)
            )
            for name, t in ((name, held[name]) for name in self._names)
        ]

    def replaced(self) -> int:
        return len(self._buffers)

    def infer(self, inputs: Sequence[TensorSpec], signature: Signature) -> Any:
        """By calls on tensors without values, which change nothing."""
        key = (tuple(inputs), signature)
        if key not in self._inferred:
            self._inferred[key] = self._by_trials(inputs, signature)
        return self._inferred[key]

    def _by_trials(self, inputs: Sequence[TensorSpec], signature: Signature) -> Any:
        small, large = (self._tried(inputs, signature, size) for size in _TRIED_SIZES)
        sizes = iter(tree_leaves(large, _is_spec))

        def joined(spec: TensorSpec) -> TensorSpec:
            shape = zip(spec.shape, next(sizes).shape)
            return TensorSpec(tuple(a if a == b else None for a, b in shape), spec.dtype)

        return tree_map(joined, small, _is_spec)

    def _tried(self, inputs: Sequence[TensorSpec], signature: Signature, size: int) -> Any:
        held = dict((*self.module.named_parameters(), *self.module.named_buffers()))
        with self._mode(signature.training), FakeTensorMode(allow_non_fake_inputs=True) as mode, torch.no_grad():
            fakes = {name: mode.from_tensor(t.detach()) for name, t in held.items()}
            args, kwargs = signature.arguments(self._zeros(inputs, size))
            try:
                found = functional_call(self.module, fakes, args, kwargs)
            except Exception as error:
                shapes = ", ".join(str(s) for s in inputs)
                raise ValueError(
                    f"{type(self.module).__name__} failed on tensors without values like {shapes} (give output_shape "
                    f"where it needs values): {str(error).strip().splitlines()[0] if str(error) else error!r}"
                ) from error
        return tree_map(self._spec, _plain(found))

    def _spec(self, value: Any) -> TensorSpec:
        if not isinstance(value, torch.Tensor):
            raise ValueError(f"{type(self.module).__name__} must return tensors, it returned {value!r}")
        return TensorSpec(tuple(value.shape), NAME[value.dtype])

    def _zeros(self, inputs: Sequence[TensorSpec], size: int) -> list[torch.Tensor]:
        """Inputs on the module's device, with unknown dimensions of a size."""
        held = next(iter((*self.module.parameters(), *self.module.buffers())), None)
        device = "cpu" if held is None else held.device
        shapes = [[size if d is None else d for d in s.shape] for s in inputs]
        return [torch.zeros(shape, dtype=TORCH[s.dtype], device=device) for shape, s in zip(shapes, inputs)]

    @contextmanager
    def _mode(self, training: bool) -> Iterator[None]:
        before = self.module.training
        _set_mode(self.module, training)
        try:
            yield
        finally:
            _set_mode(self.module, before)

    def runner(self, signature: Signature) -> Callable[..., tuple[Any, ...]]:
        module, names, buffers, training = self.module, self._names, self._buffers, signature.training

        def run(inputs: Sequence[Any], weights: Sequence[Any]) -> tuple[Any, ...]:
            _set_mode(module, training)
            held = dict(zip(names, weights))
            if training:  # the module writes into them, and the program updates them when all has gone well
                held.update((name, held[name].clone()) for name in buffers)
            args, kwargs = signature.arguments(inputs)
            found = tree_leaves(_plain(functional_call(module, held, args, kwargs)))
            results = tuple(_own(t, (*inputs, *weights)) for t in found)
            return (*results, *(held[name] for name in buffers)) if training else results

        return run


def _set_mode(module: torch.nn.Module, training: bool) -> None:
    if module.training != training:
        module.train(training)


def _plain(value: Any) -> Any:
    """Results that are dataclasses or mappings, as those of Hugging Face's models, as dicts."""
    if hasattr(value, "items") and not isinstance(value, (dict, torch.Tensor)):
        return dict(value.items())
    return dict(value) if type(value) is not dict and isinstance(value, dict) else value


def _own(result: Any, operands: Sequence[Any]) -> Any:
    """A result, in memory of its own."""
    base = result if result._base is None else result._base
    return result.clone() if any(base is (x if x._base is None else x._base) for x in operands) else result


def _is_spec(value: Any) -> bool:
    return isinstance(value, TensorSpec)
