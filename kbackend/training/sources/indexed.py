"""Datasets whose batches, or samples, have numbers: PyDataset, Sequence, torch's Dataset."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kbackend.declare.call import to_numpy
from kbackend.training.sources.base import Reading

if TYPE_CHECKING:
    from kbackend.training.sources.workers import Workers

_NOTHING = object()


def _workers(data: Any, reading: Reading) -> Workers:
    from kbackend.training.sources.workers import Workers  # imports multiprocessing, which arrays do without

    return Workers(data, reading)


class NumberedBatches:
    """Batches of a PyDataset or Sequence, whose number is asked for again after each pass.

    Args:
        data: the dataset.
        reading: the arguments of ``fit``; the dataset's own where those are not given.
    """

    samples: int | None = None
    batch_size: int | None = None
    once = lists = False

    def __init__(self, data: Any, reading: Reading) -> None:
        self._data = data
        self.text = f"the dataset {type(data).__name__}"
        self.length = self.units = _number_of_batches(data)
        self.endless = self.length is None
        self._first: Any = _NOTHING
        self._workers = _workers(data, reading)
        self._begun = False

    def begin(self) -> None:
        """Call the dataset's ``on_epoch_begin``, once for each pass."""
        if not self._begun:
            self._begun = True
            _call(self._data, "on_epoch_begin")

    def end(self) -> None:
        """Call the dataset's ``on_epoch_end``, after which it may have another number of batches."""
        self._begun, self._first = False, _NOTHING
        _call(self._data, "on_epoch_end")
        self.length = self.units = _number_of_batches(self._data)

    def peek(self) -> Any:
        """Batch 0, which the first pass gives again.

        Raises:
            StopIteration: there is none.
        """
        if self.length == 0:
            raise StopIteration
        self.begin()
        self._first = self._data[0]
        return self._first

    def start(self, order: np.ndarray | None, skip: int = 0) -> Iterator[Any]:
        """The batches of a pass, in the order of their numbers in ``order``, but the first ``skip``."""
        indexes: Iterable[int] = itertools.count() if self.length is None else range(self.length)
        first, self._first = self._first, _NOTHING
        chosen = itertools.islice(indexes if order is None else map(int, order), skip, None)
        return self._workers.made(chosen, {} if first is _NOTHING else {0: first})

    def close(self) -> None:
        """End the workers."""
        self._workers.close()


def _number_of_batches(data: Any) -> int | None:
    """That of a pass; None where there is no end."""
    known: int | None = data.num_batches if hasattr(data, "num_batches") else len(data)
    return known


class NumberedSamples:
    """Batches of the samples of torch's ``Dataset``.

    Args:
        data: the dataset.
        batch_size: samples a batch.
        reading: the arguments of ``fit``.
    """

    once = endless = lists = False

    def __init__(self, data: Any, batch_size: int, reading: Reading) -> None:
        self._data = data
        self.text = f"the dataset {type(data).__name__}"
        self._count, self._size = len(data), batch_size
        self.samples: int | None = self._count
        self.units: int | None = self._count
        self.batch_size: int | None = batch_size
        self.length: int | None = -(-self._count // batch_size)
        self._workers = _workers(_Collated(data), reading)

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def peek(self) -> Any:
        """The first batch in the order of the data.

        Raises:
            StopIteration: there are no samples.
        """
        if not self._count:
            raise StopIteration
        return _Collated(self._data)[range(min(self._size, self._count))]

    def start(self, order: np.ndarray | None, skip: int = 0) -> Iterator[Any]:
        """The batches of a pass over the samples in the order of their numbers, but the first ``skip``."""
        chosen = np.arange(self._count) if order is None else order
        starts = range(skip * self._size, self._count, self._size)
        return self._workers.made((chosen[s : s + self._size].tolist() for s in starts), {})

    def close(self) -> None:
        """End the workers."""
        self._workers.close()


class _Collated:
    """Batches of samples, by the numbers of the samples."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getitem__(self, numbers: Sequence[int]) -> Any:
        return collated([self._data[number] for number in numbers])


def collated(samples: Sequence[Any]) -> Any:
    """One batch of samples, each an array, or a tuple, list or dict of them.

    >>> collated([(1.0, [1, 2]), (3.0, [4, 5])])[0].tolist()
    [1.0, 3.0]
    """
    first = samples[0]
    if isinstance(first, tuple):
        return tuple(map(collated, zip(*samples)))
    if isinstance(first, dict):
        return {name: collated([sample[name] for sample in samples]) for name in first}
    return np.stack([to_numpy(sample) for sample in samples])


def batched(samples: Iterator[Any], size: int) -> Iterator[Any]:
    """Batches of samples that come one after the other."""
    while some := list(itertools.islice(samples, size)):
        yield collated(some)


def _call(data: Any, name: str) -> None:
    method: Callable[[], Any] | None = getattr(data, name, None)
    if method is not None:
        method()
