"""Differentiation through torch.autograd.grad; programs run with recording off except where it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.compiler import is_compiling

from kbackend.plugin.contract import Tape

try:  # without the checks of torch.autograd.grad; private, and so maybe gone in another release
    from torch.autograd.graph import _engine_run_backward as _backward
except ImportError:  # pragma: no cover
    _backward = None  # type: ignore[assignment]


class TorchTape(Tape):
    """Torch records all levels on one graph; nesting is ``create_graph``."""

    switches = True

    def watch(self, level: int, tensor: Any) -> Any:
        if tensor.requires_grad:
            return tensor
        return tensor.detach().requires_grad_()

    def enter(self, tensor: Any) -> Any:
        return tensor.view_as(tensor)

    def plain(self, tensor: Any, levels: tuple[int, ...]) -> Any:
        return tensor if levels else tensor.detach()

    def gradients(
        self, level: int, loss: Any, tensors: Sequence[Any], nested: bool, last: bool
    ) -> Sequence[Any]:
        if not loss.requires_grad:
            return tuple(torch.zeros_like(t) for t in tensors)
        keeps = nested or not last
        if _backward and type(loss) is torch.Tensor and loss.is_floating_point() and not is_compiling():
            seeds, wanted = (torch.ones_like(loss),), (*tensors,)
            found = _backward((loss,), seeds, keeps, nested, wanted, True, accumulate_grad=False)
        else:
            seed = None if loss.ndim == 0 else torch.ones_like(loss)
            found = torch.autograd.grad(
                loss, tensors, seed, retain_graph=keeps, create_graph=nested, allow_unused=True
            )
        for gradient in found:  # "None in found" would compare the elements of each tensor
            if gradient is None:
                return tuple(torch.zeros_like(t) if g is None else g for g, t in zip(found, tensors))
        return found

    def record(self, on: bool) -> None:
        torch._C._set_grad_enabled(on)
