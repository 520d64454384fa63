"""Generators, iterators and iterables of batches; torch's DataLoader and tf.data, known by their classes' names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np


class Iterables:
    """Batches that an iterable gives one after the other.

    Args:
        data: the iterable.
        text: what it is, for messages.
        lists: whether a list stands for (x, y, sample_weight).
    """

    units: int | None = None
    samples: int | None = None
    batch_size: int | None = None

    def __init__(self, data: Any, text: str, lists: bool = False) -> None:
        self._data = data
        self.text = text
        self.lists = lists
        self.once = isinstance(data, Iterator)
        self.endless = isinstance(data, (itertools.count, itertools.cycle, itertools.repeat))
        self.length: int | None = None if self.once else _length(data)
        self._peeked: Iterator[Any] | None = None

    def _iterator(self) -> Iterator[Any]:
        return iter(self._data)

    def peek(self) -> Any:
        """The first batch, which the first pass gives again.

        Raises:
            StopIteration: there is none.
        """
        iterator = self._iterator()
        first = next(iterator)
        self._peeked = itertools.chain([first], iterator)
        return first

    def start(self, order: np.ndarray | None, skip: int = 0) -> Iterator[Any]:
        """The batches of a pass but the first ``skip``, which are made all the same."""
        peeked, self._peeked = self._peeked, None
        return itertools.islice(self._iterator() if peeked is None else peeked, skip, None)

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None:
        """Let go of an iterator that was begun, and with it of the workers of a DataLoader."""
        self._peeked = None


class TensorFlowDataset(Iterables):
    """Batches of a ``tf.data.Dataset``."""

    def __init__(self, data: Any) -> None:
        super().__init__(data, "a tf.data.Dataset")
        known = int(data.cardinality())
        self.length = known if known >= 0 else None
        self.endless = known == -1

    def _iterator(self) -> Iterator[Any]:
        return iter(self._data.as_numpy_iterator())


def _length(data: Any) -> int | None:
    try:
        return len(data)
    except (TypeError, NotImplementedError):
        return None
