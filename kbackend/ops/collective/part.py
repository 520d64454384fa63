"""The part of a batch that one process computes, while the graph of its step is built.

A loss of the whole batch is a mean of the losses of the parts, weighted by their *shares*: the samples of a part over
those of the batch. What is no mean over samples says so with the functions below, which change nothing outside of such
a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from kbackend.declare.call import dtype_of
from kbackend.ops.collective.reduce import all_reduce
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import divide_no_nan


class Part:
    """What a step knows of its part.

    Attributes:
        share: a float scalar, the samples of this part over those of the batch; 0 where a process has none, which then
            gets one of another part, so that no tensor is empty.
        row: an integer scalar, the place of the first sample in the batch.
        of_batch: gives a number that sums and means over samples make, for the whole batch.
        overlaps: whether gradients are summed where the weights enter the loss, which the step is rewritten for.
        gradients: those that were asked for, None before.
    """

    def __init__(self, share: Any, row: Any, of_batch: Callable[[Any], Any], overlaps: bool) -> None:
        self.share, self.row, self.of_batch, self.overlaps = share, row, of_batch, overlaps
        self.gradients: list[Any] | None = None

    def share_of(self, value: Any) -> Any:
        """A mean over the samples of this part times its share, which gives the mean over the batch as a sum."""
        return value * cast(self.share, dtype_of(value))

    def present(self, value: Any) -> Any:
        """A sum over the samples of this part; 0 where it has none."""
        return value * cast(self.share > 0, dtype_of(value))


_part: ContextVar[Part | None] = ContextVar("kbackend_part", default=None)


@contextmanager
def building(part: Part) -> Iterator[None]:
    """A context in which losses and gradients are those of a part."""
    token = _part.set(part)
    try:
        yield
    finally:
        _part.reset(token)


def over_processes(total: Any) -> Any:
    """The sum over the samples of the batch, from one over those of the part."""
    part = _part.get()
    return total if part is None else all_reduce([part.present(total)])[0]


def mean_of_batch(value: Any) -> Any:
    """The mean over the samples of the batch, from one over those of the part."""
    part = _part.get()
    return value if part is None else all_reduce([part.share_of(value)])[0]


def number_of_batch(value: Any) -> Any:
    """A scalar as it is for the whole batch, where sums and means over samples made it; other tensors stay."""
    part = _part.get()
    return value if part is None or value.shape != () else part.of_batch(value)


def as_mean(total: Any) -> Any:
    """A sum over the samples of the part, as a number whose mean over the parts is the sum over the batch."""
    part = _part.get()
    return total if part is None else divide_no_nan(total, cast(part.share, dtype_of(total)))


def summed_gradients(gradients: Sequence[Any]) -> list[Any]:
    """The gradients of the loss of the batch, from those of the part's contribution; None stays."""
    part = _part.get()
    if part is None:
        return list(gradients)
    part.gradients = [*(part.gradients or ()), *(g for g in gradients if g is not None)]
    if part.overlaps:
        return list(gradients)
    sums = iter(all_reduce([g for g in gradients if g is not None]))
    return [None if g is None else next(sums) for g in gradients]


__all__: list[str] = []
