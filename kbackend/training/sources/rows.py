"""Arrays whose rows are made when they are read: of files mapped into memory, and of sparse matrices."""

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
        data: a mapped array or a sparse matrix in rows.
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
        return Rows(self._data, convert, dtype)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[0 : len(self)], dtype)


def rows_of(value: Any) -> Rows | None:
    """The rows of a sparse matrix or array of scipy, None for all else."""
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
