"""Sums over the processes of a run of torch.distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from kbackend_torch import processes


def all_reduce(tensors: Sequence[Any]) -> tuple[Any, ...]:
    group = processes.joined()
    if group is None:
        return tuple(t.clone() for t in tensors)  # of its own memory
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        return _Recorded.apply(*tensors)
    return group.sums(tensors)


class _Recorded(torch.autograd.Function):
    """The sums as an operation that the tape knows; its gradient is one, too."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> tuple[Any, ...]:
        group = processes.joined()
        assert group is not None
        return group.sums(tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        return all_reduce(gradients)


KERNELS = {"all_reduce": all_reduce}
