"""Arrays in HDF5 files, and questions before files are replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.saving.keras.hdf5 import h5py
from kbackend.training.sources.rows import HasRows, Rows, Stored

__all__ = ["H5Dict", "HDF5Matrix", "ask_to_proceed_with_overwrite", "path_to_string"]


class HDF5Matrix(HasRows):
    """Rows of an array in an HDF5 file, read when they are indexed; models train on it as on an array.

    Args:
        datapath: the file.
        dataset: the name of the array in it.
        start, end: the first row, and the one after the last; all when None.
        normalizer: is called on what was read, None for nothing.

    Raises:
        ImportError: h5py is not installed; the message says how to install it.
        KeyError: there is no such array.
        IndexError: ``start`` and ``end`` that do not lie in the array.

    Attributes:
        shape, dtype, ndim, size: as of an array.

    >>> import pathlib, tempfile
    >>> import h5py
    >>> import numpy as np
    >>> from kbackend import utils
    >>> path = str(pathlib.Path(tempfile.mkdtemp(), "rows.h5"))
    >>> with h5py.File(path, "w") as file:
    ...     file["x"] = np.arange(6.0).reshape(3, 2)
    >>> rows = utils.HDF5Matrix(path, "x", start=1)
    >>> rows.shape, rows[0].tolist()
    ((2, 2), [2.0, 3.0])
    """

    def __init__(
        self,
        datapath: Any,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        self.file = h5py().File(datapath, "r")
        if dataset not in self.file:
            raise KeyError(f"{os.fspath(datapath)} has no array {dataset!r}; it has {', '.join(self.file)}")
        self.data = self.file[dataset]
        self.start, self.end = start, len(self.data) if end is None else end
        if not 0 <= self.start <= self.end <= len(self.data):
            raise IndexError(f"rows {self.start} to {self.end} do not lie in the {len(self.data)} of {dataset!r}")
        self.normalizer = normalizer
        self._stored = Stored(self.data, self.start, self.end)
        first = self._normalized(self.data[self.start : self.start + 1])
        self.dtype = first.dtype
        self.shape: tuple[int, ...] = (len(self), *first.shape[1:])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, (int, np.integer)):
            return self[[key]][0]
        if isinstance(key, slice):
            return self._normalized(np.asarray(self._stored[key]))
        numbers = np.asarray(key)
        if numbers.dtype == bool:
            numbers = np.flatnonzero(numbers)
        numbers = np.where(numbers < 0, numbers + len(self), numbers)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"rows {numbers.min()} to {numbers.max()} do not lie in the {len(self)} that there are")
        return self._normalized(self._stored[numbers])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def rows(self) -> Rows:
        """What training reads."""
        return Rows(self._stored, self._normalized, self.dtype)

    def _normalized(self, rows: np.ndarray) -> np.ndarray:
        return rows if self.normalizer is None else np.asarray(self.normalizer(rows))


class H5Dict:
    """Keras 2's dictionary in an HDF5 file, which kbackend does not have.

    Raises:
        NotImplementedError: always; the message says what to use.
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        raise NotImplementedError(
            "H5Dict is not there; model.save(path) and kbackend.models.load_model(path) write and read HDF5 files, and "
            "h5py opens all others"
        )


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Ask on standard input whether a file may be replaced."""
    while True:
        answer = input(f"{os.fspath(filepath)} exists; replace it? [y/n] ").strip().lower()
        if answer in ("y", "n"):
            return answer == "y"


def path_to_string(path: Any) -> Any:
    """A path as text, all else as it is."""
    return str(path) if isinstance(path, os.PathLike) else path


_suggest_in(__name__)
