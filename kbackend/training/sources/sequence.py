"""Datasets of batches by number: Keras 2's Sequence, Keras 3's PyDataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kbackend.ground.public import Public


class PyDataset(Public):
    """Batches by number. A subclass has ``__getitem__(index)``, which returns (x,), (x, y) or (x, y, sample_weight),
    and ``__len__()``, the number of batches.

    Args:
        workers: threads or processes that make batches; those of ``fit`` go first where they are not 1.
        use_multiprocessing: whether they are processes. The dataset is pickled for them.
        max_queue_size: batches made ahead; that of ``fit`` goes first where it is not 10.

    ``fit`` calls ``on_epoch_begin`` and ``on_epoch_end`` between passes over the batches. Batches may be asked for in
    any order and by several threads.

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         x = np.full((2, 1), index)
    ...         return x, x**2
    >>> [int(y[0, 0]) for x, y in Squares()]
    [0, 1, 4]
    """

    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index) that returns a batch")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__(self), the number of batches")

    @property
    def num_batches(self) -> int | None:
        """The number of batches; a subclass may return None where there is no end, and then needs no ``__len__``."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """A pass over the batches is about to begin."""

    def on_epoch_end(self) -> None:
        """All batches of a pass were used."""

    def __iter__(self) -> Iterator[Any]:
        """The batches of one pass."""
        return (self[index] for index in range(len(self)))


#: Keras 2's name
Sequence = PyDataset
