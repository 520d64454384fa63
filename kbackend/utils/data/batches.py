"""Data sets whose batches are made when they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kbackend.training.sources.sequence import PyDataset


class MadeBatches(PyDataset):
    """Batches of samples in an order that is drawn anew for each pass, each made when it is read.

    Args:
        make: gives the batch of some samples by their numbers.
        samples: the numbers of the samples.
        batch_size: samples a batch, None for one sample a time without an axis for the batch.
        shuffle: whether the order is drawn.
        seed: of the order.
    """

    def __init__(
        self,
        make: Callable[[np.ndarray], Any],
        samples: np.ndarray,
        batch_size: int | None,
        shuffle: bool = False,
        seed: int | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be positive or None, it is {batch_size}")
        super().__init__()
        self._make, self._samples = make, samples
        self.batch_size = batch_size
        self._generator = np.random.default_rng(seed) if shuffle else None
        self._order = samples
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Draw the order of the next pass."""
        if self._generator is not None:
            self._order = self._generator.permutation(self._samples)

    def __len__(self) -> int:
        return -(-len(self._samples) // (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} batches, none has the number {index}")
        start = index % len(self) * (self.batch_size or 1)
        chosen = self._order[start : start + (self.batch_size or 1)]
        return self._make(chosen)

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()


def check_format(format: str) -> None:
    """Raise ValueError for a format of data sets that there is not."""
    if format not in ("tf", "grain", "numpy"):
        raise ValueError(f"format must be 'tf', 'grain' or 'numpy', it is {format!r}; all give NumPy arrays")


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> MadeBatches:
    """Windows over a series, with the targets at their beginnings.

    Args:
        data: an array whose first axis is time.
        targets: the target of the window that begins at each time, None for windows alone.
        sequence_length: steps of a window.
        sequence_stride: steps between two windows.
        sampling_rate: steps of the series between two steps of a window.
        batch_size: windows a batch; None for one window at a time.
        shuffle, seed: whether the order of the windows is drawn, and from which seed.
        start_index, end_index: the part of the series that is used.
        format: taken for Keras's sake; batches are arrays of NumPy.

    Returns:
        A sequence of batches: windows, or (windows, targets).

    Raises:
        ValueError: numbers that are not positive, or indices outside the series.

    >>> import numpy as np
    >>> from kbackend.utils import timeseries_dataset_from_array
    >>> [x.tolist() for x in timeseries_dataset_from_array(np.arange(5), None, 3, sequence_stride=2)]
    [[[0, 1, 2], [2, 3, 4]]]
    """
    check_format(format)
    numbers = {"sequence_length": sequence_length, "sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    for label, value in numbers.items():
        if value < 1:
            raise ValueError(f"{label} must be positive, it is {value}")
    series = np.asarray(data)
    begin, end = start_index or 0, len(series) if end_index is None else end_index
    if not 0 <= begin < end <= len(series):
        raise ValueError(f"the part from {begin} to {end} does not lie in the {len(series)} steps of the series")
    last = end - (sequence_length - 1) * sampling_rate
    wanted = None if targets is None else np.asarray(targets)
    if wanted is not None:
        last = min(last, len(wanted))
    starts = np.arange(begin, max(last, begin), sequence_stride)
    steps = np.arange(sequence_length) * sampling_rate

    def make(chosen: np.ndarray) -> Any:
        windows = series[chosen[:, None] + steps]
        found = (windows,) if wanted is None else (windows, wanted[chosen])
        if batch_size is None:
            found = tuple(part[0] for part in found)
        return found if wanted is not None else found[0]

    return MadeBatches(make, starts, batch_size, shuffle, seed)


def stacked(parts: Sequence[Any]) -> np.ndarray:
    """Arrays as one; those of different lengths are filled with zeros at their ends."""
    arrays = [np.asarray(part) for part in parts]
    if len({a.shape for a in arrays}) == 1:
        return np.stack(arrays)
    most = np.max([a.shape for a in arrays], axis=0)
    whole = np.zeros((len(arrays), *most), arrays[0].dtype)
    for place, array in zip(whole, arrays):
        place[tuple(slice(d) for d in array.shape)] = array
    return whole
