"""What the loops of training read their batches from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from kbackend.training.arrays import Groups
from kbackend.training.data import DataError

#: puts an array where the step runs
Feed = Callable[[np.ndarray], Any]
#: (samples, what the step takes) for each batch
Fed = Generator[tuple[int, list[Any]], None, None]


class Source(Protocol):
    """Batches for the epochs of a ``fit``, or for one ``evaluate`` or ``predict``.

    Attributes:
        sample: data as in the first batch, or all of it, which tells what the steps look like.
        steps: batches of an epoch, None where it is not known.
        samples: samples of an epoch, None where it is not known.
        batch_size: of all batches but the last, None where they have sizes of their own.
        units: how many things the order of an epoch arranges; None where the order is that of the data.
        shapes: of the arrays of every batch, None where they may differ.
        held: all arrays, None where they are not in memory.
        goes_on: whether an epoch goes on where the one before ended, so that its batches depend on those before it.
    """

    @property
    def sample(self) -> Groups: ...
    @property
    def steps(self) -> int | None: ...
    @property
    def samples(self) -> int | None: ...
    @property
    def batch_size(self) -> int | None: ...
    @property
    def units(self) -> int | None: ...
    @property
    def shapes(self) -> tuple[tuple[int, ...], ...] | None: ...
    @property
    def held(self) -> Groups | None: ...
    @property
    def goes_on(self) -> bool: ...

    def epoch(self, feed: Feed, order: np.ndarray | None = None, skip: int = 0) -> Fed:
        """(samples, what the step takes) for each batch of the next epoch but the first ``skip``. Who leaves before the
        end closes it."""

    def pass_over(self, order: Callable[[], np.ndarray | None]) -> None:
        """Leave out an epoch, as if its batches had been read in an order."""

    def close(self) -> None:
        """End what reads ahead."""


class Reading(NamedTuple):
    """How batches are read while steps run.

    Attributes:
        workers: threads or processes that make the batches of a dataset; 0 to make each between two steps.
        use_multiprocessing: whether they are processes.
        max_queue_size: how many batches are read ahead.
    """

    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    @classmethod
    def of(cls, workers: Any, use_multiprocessing: Any, max_queue_size: Any) -> Reading:
        """Check the arguments of ``fit``.

        Raises:
            DataError: they are not integers of at least 0 and 1.
        """
        if type(workers) is int is type(max_queue_size) and (workers, max_queue_size) == (1, 10):
            if use_multiprocessing is False:
                return _USUAL
        for name, value, least in (("workers", workers, 0), ("max_queue_size", max_queue_size, 1)):
            if not isinstance(value, (int, np.integer)) or value < least:
                raise DataError(f"{name} must be an integer of at least {least}, it is {value!r}")
        return cls(int(workers), bool(use_multiprocessing), int(max_queue_size))


_USUAL = Reading(1, False, 10)


class Passes(Protocol):
    """Raw batches, read from the first to the last again and again.

    Attributes:
        text: what it is, for messages.
        length: batches of a pass, None where it is not known.
        units, samples, batch_size: see :class:`Source`.
        once: whether there is one pass only.
        endless: whether a pass has no end.
        lists: whether a list stands for (x, y, sample_weight) in every case.
    """

    text: str
    length: int | None
    units: int | None
    samples: int | None
    batch_size: int | None
    once: bool
    endless: bool
    lists: bool

    def begin(self) -> None:
        """A pass is about to be read."""

    def end(self) -> None:
        """A pass was read to its end."""

    def peek(self) -> Any:
        """A batch like the first one. Where batches can be read only once, it is not lost."""

    def start(self, order: np.ndarray | None, skip: int = 0) -> Iterator[Any]:
        """The batches of a pass but the first ``skip``."""

    def close(self) -> None:
        """End what reads ahead."""
