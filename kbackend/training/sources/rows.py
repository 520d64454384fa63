"""Arrays whose rows are made when they are read: of files mapped into memory, of HDF5 files, of sparse matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Convert = Callable[[np.ndarray], np.ndarray]


def _same(array: np.ndarray) -> np.ndarray:
    return array


class Rows:
    """What training needs of an array, without the whole of it in memory.

    Args:
        data: a mapped array, a :class:`Stored` one, or a sparse matrix in rows.
        convert: makes rows what the model takes.
        dtype: that of the rows then, the one of the data when None.
    """

    def __init__(self, data: Any, convert: Convert = _same, dtype: Any = None) -> None:
        self._data = data
        self._convert = convert
        self.shape: tuple[int, ...] = tuple(data.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(data.dtype if dtype is None else dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def _dense(self, rows: Any) -> np.ndarray:
        return self._convert(rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows))

    def __getitem__(self, index: slice) -> np.ndarray:
        return self._dense(self._data[index])

    def take(self, numbers: np.ndarray, axis: int = 0) -> np.ndarray:
        """The rows with these numbers."""
        return self._dense(self._data[numbers])

    def part(self, start: int, stop: int) -> Rows:
        """Some of the rows, not read yet."""
        return Rows(self._data[start:stop], self._convert, self.dtype)

    def converted(self, convert: Convert, dtype: Any) -> Rows:
        """The same rows, of another dtype."""
        before = self._convert
        return Rows(self._data, convert if before is _same else lambda rows: convert(before(rows)), dtype)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[0 : len(self)], dtype)


class Stored:
    """Some rows of a data set of h5py, which are read from its file when they are indexed.

    Args:
        data: the data set.
        start, stop: the first row, and the one after the last.
    """

    def __init__(self, data: Any, start: int = 0, stop: int | None = None) -> None:
        self._data, self._start = data, start
        self._stop = len(data) if stop is None else stop
        self.shape = (self._stop - start, *data.shape[1:])
        self.dtype = data.dtype

    def __getitem__(self, index: Any) -> Any:
        """A slice of rows is not read yet, numbers of rows and all else are."""
        if isinstance(index, slice):
            start, stop, step = index.indices(self.shape[0])
            if step == 1:
                return Stored(self._data, self._start + start, self._start + max(start, stop))
        if isinstance(index, np.ndarray) and index.dtype.kind in "iu":
            wanted, places = np.unique(index, return_inverse=True)  # h5py reads rows in their order, each once
            return self._data[wanted + self._start][places]
        return np.asarray(self)[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self._data[self._start : self._stop], dtype)


class HasRows:
    """The base of what is no array and has rows all the same."""

    def rows(self) -> Rows:
        """The rows."""
        raise NotImplementedError(f"{type(self).__name__} needs a method rows(self)")


def rows_of(value: Any) -> Rows | None:
    """The rows of a sparse matrix or array of scipy, of a data set of h5py, or of our own kind; None for all else."""
    if isinstance(value, HasRows):
        return value.rows()
    if ("h5py", "Dataset") in {(t.__module__.partition(".")[0], t.__name__) for t in type(value).__mro__}:
        return Rows(Stored(value)) if value.shape else None
    if hasattr(value, "tocsr") and getattr(value, "ndim", 0) == 2:
        return Rows(value.tocsr())
    return None


def is_mapped(array: np.ndarray) -> bool:
    """Whether the memory of an array is a file."""
    found: Any = array
    while found is not None:
        if isinstance(found, np.memmap):
            return True
        found = getattr(found, "base", None)
    return False


def part(array: Any, start: int, stop: int) -> Any:
    """Some of the rows of an array: a view."""
    return array.part(start, stop) if isinstance(array, Rows) else array[start:stop]
