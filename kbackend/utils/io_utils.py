"""Arrays in HDF5 files, and questions before files are replaced."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.saving.keras.hdf5 import h5py, put_texts
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
            if key.stop is not None and key.stop > len(self):
                raise IndexError(f"row {key.stop - 1} does not lie in the {len(self)} that there are")
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
    """A dictionary in an HDF5 file: arrays are its datasets, nested dictionaries its groups, all else its attributes.

    Args:
        path: the file, an HDF5 file that is open, a group in one, or a dict that takes the place of a file.
        mode: 'r' to read, 'w' to write anew, 'a' to read and write.

    Raises:
        TypeError: ``path`` is nothing of these.
        ValueError: another mode, or a key is set where ``mode`` is 'r'.
        KeyError: a key is missing where ``mode`` is 'r'; else it becomes a group.
        ImportError: h5py is not installed; the message says how to install it.

    >>> from kbackend.utils.io_utils import H5Dict
    >>> held = {}
    >>> H5Dict(held, "w")["layer"]["name"] = "dense"
    >>> H5Dict(held, "r")["layer"]["name"], "other" in H5Dict(held)
    ('dense', False)
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        if mode not in ("r", "w", "a"):
            raise ValueError(f"mode must be 'r', 'w' or 'a', it is {mode!r}")
        self.read_only, self._file = mode == "r", None
        if isinstance(path, dict):
            self.data: Any = path
            if mode == "w":
                path.clear()
        elif isinstance(path, (str, os.PathLike)):
            self.data = self._file = h5py().File(path, mode)
        elif isinstance(path, h5py().Group):
            self.data = path
        else:
            raise TypeError(f"path must be a file, a group or a dict, it is of {type(path).__name__}")

    def __setitem__(self, key: str, value: Any) -> None:
        if self.read_only:
            raise ValueError(f"{key!r} is set in what was opened to be read")
        if isinstance(self.data, dict):
            self.data[key] = value
            return
        self._delete(key)
        if isinstance(value, np.ndarray):
            self.data.create_dataset(key, data=value)
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, bytes) for v in value):
            put_texts(self.data, key, [v.decode() for v in value])
        else:
            self.data.attrs[key] = value

    def __getitem__(self, key: str) -> Any:
        if isinstance(self.data, dict):
            found = self.data[key] if self.read_only else self.data.setdefault(key, {})
            return H5Dict(found, self._mode) if isinstance(found, dict) else found
        attributes = self.data.attrs
        if key in attributes:
            return _plain(attributes[key])
        parts = list(itertools.takewhile(attributes.__contains__, (f"{key}{i}" for i in itertools.count())))
        if parts:
            return [text for part in parts for text in attributes[part].tolist()]
        if key not in self.data:
            if self.read_only:
                raise KeyError(f"there is no {key!r}; there are {', '.join(self.keys()) or 'none'}")
            self.data.create_group(key)
        found = self.data[key]
        return H5Dict(found, self._mode) if isinstance(found, h5py().Group) else found[()]

    @property
    def _mode(self) -> str:
        return "r" if self.read_only else "a"

    def _delete(self, key: str) -> None:
        if key in self.data:
            del self.data[key]
        if key in self.data.attrs:
            del self.data.attrs[key]

    def keys(self) -> list[str]:
        """The names of arrays, groups and attributes."""
        return list(self.data) if isinstance(self.data, dict) else [*self.data, *self.data.attrs]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return key in self.keys() or f"{key}0" in self.keys()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, the default where there is none."""
        return self[key] if key in self else default

    def update(self, *others: Any, **more: Any) -> None:
        """Set the entries of other dictionaries."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def close(self) -> None:
        """Close the file where it was opened here."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _plain(value: Any) -> Any:
    """The value of an attribute: a text, or a list of texts, else as h5py has it."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, np.ndarray) and value.dtype.kind in "SO" else value


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
