"""Tensors of which each process holds one piece: gathered for a program, their gradients scattered.

What autograd keeps of a gathered tensor is where it came from; the backward pass gathers it once more, so that a
process holds few whole tensors at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.functional import pad

from kbackend_torch import processes
from kbackend_torch.pending import PENDING

Shapes = tuple[tuple[int, ...], ...]
#: storage -> what was gathered into it, while a program runs. The weak references keep its number from being used again
_gathered: dict[int, tuple[StorageWeakRef, _Bucket, int]] = {}


def gather_pieces(pieces: Sequence[Any], shapes: Shapes, kept: bool = False) -> tuple[Any, ...]:
    group = processes.joined()
    if group is None:
        return tuple(p[: prod(shape)].clone().view(shape) for p, shape in zip(pieces, shapes))
    recorded = torch.is_grad_enabled() and any(p.requires_grad for p in pieces)
    bucket = _Bucket(group, pieces, shapes, recorded)
    if recorded:
        PENDING.expect(bucket)
    found = _Gathered.apply(bucket, *pieces) if recorded else tuple(bucket.whole())
    if not kept:
        for place, tensor in enumerate(found):
            storage = StorageWeakRef(tensor.untyped_storage())
            _gathered[storage.cdata] = storage, bucket, place
    return found


def own_piece(x: Any, count: int) -> Any:
    group = processes.joined()
    first = 0 if group is None else group.rank * count
    piece = x.reshape(-1)[first : first + count]
    return pad(piece, (0, count - piece.numel())) if piece.numel() < count else piece.clone()


def clear_padding(piece: Any, size: int) -> Any:
    group, count = processes.joined(), piece.numel()
    own = min(max(size - (0 if group is None else group.rank * count), 0), count)
    return pad(piece[:own], (0, count - own))


class _Bucket:
    """Pieces that travel together, and their gradients.

    A row of the tensor that travels is what one process has: a piece of each tensor.
    """

    def __init__(self, group: Any, pieces: Sequence[Any], shapes: Shapes, recorded: bool) -> None:
        self._group, self.sources, self._shapes, self._recorded = group, pieces, shapes, recorded
        self._counts = [p.numel() for p in pieces]
        self._again: list[Any] | None = None
        self._sent: Any = None
        self._sums: Any = None
        self._work: Any = None

    def whole(self) -> list[Any]:
        """The tensors, gathered now."""
        own = [p.detach() for p in self.sources]
        flat = torch.cat(own) if len(own) > 1 else own[0]
        rows = flat.new_empty((self._group.size, flat.numel()))
        self._group.done(self._group.started("all_gather", rows.view(-1), flat.contiguous()))
        parts = rows.split(self._counts, 1)
        return [p.reshape(-1)[: prod(shape)].view(shape) for p, shape in zip(parts, self._shapes)]

    def again(self, place: int) -> Any:
        """One of the tensors, gathered once more for the backward pass; where they have gradients, until those of all
        are there."""
        if not self._recorded:
            return self.whole()[place]
        if self._again is None:
            self._again = self.whole()
        return self._again[place]

    @property
    def filled(self) -> bool:
        return self._sums is not None

    def fill(self, gradients: Sequence[Any] | None) -> None:
        self._again = None
        self._sums = self.sources[0].new_empty(sum(self._counts))
        shape = (self._group.size, self._sums.numel())
        if gradients and len(gradients) == 1 and gradients[0].numel() == prod(shape):
            self._sent = gradients[0].reshape(-1)
            return
        rows = self._sums.new_zeros(shape)
        for part, gradient in zip(rows.split(self._counts, 1), gradients or ()):
            flat = gradient.reshape(-1)
            part.copy_(pad(flat, (0, part.numel() - flat.numel())).view(part.shape))
        self._sent = rows.view(-1)

    def start(self) -> None:
        self._work = self._group.started("reduce_scatter", self._sums, self._sent)

    def wait(self) -> None:
        self._group.done(self._work)
        self._sent = self._work = None

    def results(self) -> Sequence[Any]:
        return self._sums.split(self._counts)


class _Gathered(torch.autograd.Function):
    """The whole tensors, whose gradients are summed and scattered."""

    @staticmethod
    def forward(ctx: Any, bucket: _Bucket, *pieces: Any) -> tuple[Any, ...]:
        ctx.bucket = bucket
        return tuple(bucket.whole())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        return (None, *PENDING.filled(ctx.bucket, gradients))


def _packed(tensor: Any) -> Any:
    known = _gathered.get(tensor.untyped_storage()._cdata)
    if known is None:
        return tensor
    return known[1], known[2], tensor.size(), tensor.stride(), tensor.storage_offset()


def _unpacked(kept: Any) -> Any:
    if isinstance(kept, torch.Tensor):
        return kept
    bucket, place, *strides = kept
    return bucket.again(place).as_strided(*strides)


def gathering(run: Any) -> Any:
    """The runner of a program that gathers pieces."""

    def gathered(feeds: Sequence[Any]) -> Sequence[Any]:
        try:
            with torch.autograd.graph.saved_tensors_hooks(_packed, _unpacked):
                return run(feeds)
        finally:
            _gathered.clear()

    return gathered


KERNELS = {"gather_pieces": gather_pieces, "own_piece": own_piece, "clear_padding": clear_padding}
