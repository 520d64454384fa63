"""Weights that all processes hold; their gradients are summed while the backward pass goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from kbackend_torch import processes
from kbackend_torch.pending import PENDING


def replicated(tensors: Sequence[Any]) -> tuple[Any, ...]:
    group = processes.joined()
    if group is None or not torch.is_grad_enabled() or not any(t.requires_grad for t in tensors):
        return tuple(t.clone() for t in tensors)  # of its own memory
    return _recorded(group, tensors)


def _recorded(group: Any, tensors: Sequence[Any]) -> tuple[Any, ...]:
    bucket = _Bucket(group, tensors)
    PENDING.expect(bucket)
    return _Replicated.apply(bucket, *tensors)


class _Bucket:
    """Gradients that travel together, in one flat tensor."""

    def __init__(self, group: Any, sources: Sequence[Any]) -> None:
        self._group, self.sources = group, sources
        self._flat: Any = None
        self._work: Any = None

    @property
    def filled(self) -> bool:
        return self._flat is not None

    def fill(self, gradients: Sequence[Any] | None) -> None:
        self._flat = torch.cat([g.reshape(-1) for g in gradients or map(torch.zeros_like, self.sources)])

    def start(self) -> None:
        self._work = self._group.started("all_reduce", self._flat)

    def wait(self) -> None:
        self._group.done(self._work)

    def results(self) -> Sequence[Any]:
        parts = self._flat.split([t.numel() for t in self.sources])
        return [part.view(t.shape) for part, t in zip(parts, self.sources)]


class _Replicated(torch.autograd.Function):
    """The identity, whose gradient is a sum over the processes that may still be on its way."""

    @staticmethod
    def forward(ctx: Any, bucket: _Bucket, *tensors: Any) -> tuple[Any, ...]:
        ctx.bucket = bucket
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        return (None, *PENDING.filled(ctx.bucket, gradients))


def leave_uncompiled() -> None:
    """Exclude the transfers from torch.compile, since they are kept from one function to the next."""
    global _recorded
    if not hasattr(_recorded, "_torchdynamo_disable"):
        _recorded = torch.compiler.disable(_recorded)


KERNELS = {"replicated": replicated}
