"""Batches of datasets and generators, made ahead by threads or processes: Keras 2's queues."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from kbackend.ground.public import Public
from kbackend.training.sources.base import Reading
from kbackend.training.sources.prefetch import prefetched
from kbackend.training.sources.workers import Workers


class SequenceEnqueuer(Public):
    """The base of queues: ``start`` begins to make batches, ``get`` gives them, ``stop`` ends it.

    Args:
        sequence: where batches come from.
        use_multiprocessing: whether processes make them; the sequence is pickled for them.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence, self.use_multiprocessing = sequence, use_multiprocessing
        self._batches: Iterator[Any] | None = None

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to make batches.

        Args:
            workers: threads or processes.
            max_queue_size: batches made ahead.
        """
        self.stop()
        reading = Reading.of(max(workers, 1), self.use_multiprocessing, max_queue_size)
        self._batches = prefetched(self._made(reading), reading.max_queue_size)

    def is_running(self) -> bool:
        """Whether batches are made."""
        return self._batches is not None

    def stop(self, timeout: float | None = None) -> None:
        """Make no more batches.

        Args:
            timeout: taken for Keras's sake; a batch that is being made is waited for two seconds.
        """
        if self._batches is not None:
            self._batches.close()  # type: ignore[attr-defined]
        self._batches = None

    def get(self) -> Iterator[Any]:
        """The batches.

        Raises:
            RuntimeError: ``start`` was not called.
        """
        if self._batches is None:
            raise RuntimeError(f"{type(self).__name__} makes no batches; call start() first")
        return self._batches

    def _made(self, reading: Reading) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a method _made(self, reading) that makes the batches")


class OrderedEnqueuer(SequenceEnqueuer):
    """A queue of the batches of a dataset, in order, pass after pass without end.

    Args:
        sequence: a :class:`kbackend.utils.Sequence`; ``on_epoch_end`` is called between passes.
        use_multiprocessing: whether processes make the batches.
        shuffle: whether each pass has its batches in another order, by Python's ``random``.

    >>> from kbackend.utils import OrderedEnqueuer, Sequence
    >>> class Squares(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return index**2
    >>> queue = OrderedEnqueuer(Squares())
    >>> queue.start(workers=2)
    >>> [next(queue.get()) for _ in range(5)]
    [0, 1, 0, 1, 0]
    >>> queue.stop()
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _made(self, reading: Reading) -> Iterator[Any]:
        with closing(Workers(self.sequence, reading)) as workers:
            while True:
                numbers = list(range(len(self.sequence)))
                if not numbers:
                    raise ValueError(f"{type(self.sequence).__name__} has no batches")
                if self.shuffle:
                    random.shuffle(numbers)
                yield from workers.made(numbers, {})
                if hasattr(self.sequence, "on_epoch_end"):
                    self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """A queue of what a generator gives, made by one thread: generators cannot run in several.

    Args:
        sequence: the generator.
        use_multiprocessing: refused; a generator cannot be given to a process.
        wait_time, random_seed: taken for Keras's sake.

    Raises:
        ValueError: ``use_multiprocessing``.

    >>> from kbackend.utils import GeneratorEnqueuer
    >>> queue = GeneratorEnqueuer(iter("abc"))
    >>> queue.start()
    >>> list(queue.get())
    ['a', 'b', 'c']
    """

    def __init__(
        self,
        sequence: Iterable[Any],
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        if use_multiprocessing:
            raise ValueError(
                "a generator cannot be given to a process; make it a kbackend.utils.Sequence, or leave "
                "use_multiprocessing out"
            )
        super().__init__(sequence)

    def _made(self, reading: Reading) -> Iterator[Any]:
        return iter(self.sequence)
