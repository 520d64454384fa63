"""HDF5 files: only arrays that lie in the file itself, of sizes that it really has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.saving.archive import View
from kbackend.saving.errors import FormatError
from kbackend.saving.keras.heaps import check_heaps, check_texts

#: an array may be so much larger than what is stored of it; compressed weights are about as large as plain ones
_LARGEST_RATIO, _SMALL = 200, 1 << 20
#: groups and arrays that are looked up in a file, by paths that the model gives: groups inside themselves are no loop
_MOST = 1_000_000
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(content: memoryview) -> bool:
    """Whether the content begins as HDF5 files do."""
    return bytes(content[:8]) == _SIGNATURE


def h5py() -> Any:
    """The library.

    Raises:
        ImportError: it is not installed; the message says how to install it.
    """
    try:
        import h5py as found
    except ImportError:
        raise ImportError('files of Keras need h5py: pip install "kbackend[keras-files]"') from None
    return found


@contextmanager
def opened(content: memoryview, member: str) -> Iterator[Group]:
    """The root of the content of a file.

    Raises:
        FormatError: it is no HDF5 file, or damaged.
    """
    library = h5py()
    check_heaps(content, member)
    try:
        file = library.File(io.BufferedReader(View(content)), "r")
    except Exception as error:  # h5py turns the errors of the C library into many types
        raise FormatError(f"it is no HDF5 file: {error}", member) from None
    try:
        yield Group(file, _Reading(content, member, _MOST), "")
    except FormatError:
        raise
    except (RuntimeError, OSError, KeyError, ValueError, TypeError, UnicodeError, MemoryError) as error:
        raise FormatError(f"it is damaged: {error}", member) from None
    finally:
        file.close()


@dataclass
class _Reading:
    """A file that is read: its content, its name, and how many entries may still be looked up."""

    content: memoryview
    member: str
    left: int


class Group:
    """A group of a file, read within limits."""

    def __init__(self, group: Any, reading: _Reading, path: str) -> None:
        self._group, self._reading, self.path = group, reading, path

    def where(self, name: str = "") -> str:
        member = self._reading.member
        return f"{member}: {self.path}/{name}" if self.path or name else member

    @cached_property
    def _attributes(self) -> Any:
        address = h5py().h5o.get_info(self._group.id).addr
        check_texts(self._reading.content, address, self.where())
        return self._group.attrs

    def names(self) -> list[str]:
        return list(self._group)

    def attributes(self) -> list[str]:
        return list(self._attributes)

    def __contains__(self, name: str) -> bool:
        return name in self._group

    def has(self, path: str) -> bool:
        """Whether there is something at a path below."""
        found = self
        *groups, last = path.split("/")
        for name in groups:
            if name not in found or not isinstance(inner := found._found(name), h5py().Group):
                return False
            found = Group(inner, self._reading, f"{found.path}/{name}")
        return last in found

    def _found(self, name: str) -> Any:
        self._reading.left -= 1
        if self._reading.left < 0:
            raise FormatError(f"the file has more than {_MOST} entries", self._reading.member)
        link = self._group.get(name, getlink=True)
        if type(link) is not h5py().HardLink:
            kind = type(link).__name__
            raise FormatError(f"a {kind} leads elsewhere; only data in the file is read", self.where(name))
        return self._group[name]

    def group(self, path: str) -> Group:
        """The group at a path below.

        Raises:
            FormatError: none, or a link that leads elsewhere.
        """
        found = self
        for name in path.split("/") if path else ():
            if name not in found:
                raise FormatError("the group is missing", found.where(name))
            inner = found._found(name)
            if not isinstance(inner, h5py().Group):
                raise FormatError("it is no group", found.where(name))
            inside = f"{found.path}/{name}" if found.path else name
            found = Group(inner, self._reading, inside)
        return found

    def array(self, path: str) -> np.ndarray:
        """The array at a path below.

        Raises:
            FormatError: none; one that lies in another file or is made of others; one that is larger than what the
                file stores of it; values that are no numbers.
        """
        head, _, name = path.rpartition("/")
        group = self.group(head)
        if name not in group:
            raise FormatError("the array is missing", group.where(name))
        found = group._found(name)
        if not isinstance(found, h5py().Dataset):
            raise FormatError("it is no array", group.where(name))
        _check_dataset(found, group.where(name))
        array = np.asarray(found[()])
        return array.view(dtypes.numpy_dtype("bfloat16")) if _is_bfloat16(found) else array

    def text(self, name: str) -> str | None:
        """The text of an attribute, None where there is none."""
        if name not in self._attributes:
            return None
        value = self._attributes[name]
        if isinstance(value, bytes):
            value = value.decode()
        if not isinstance(value, str):
            raise FormatError(f"the attribute {name} must be a text", self.where())
        return value

    def texts(self, name: str) -> list[str]:
        """The texts of an attribute, which is cut into name0, name1 and so on where it is long."""
        attrs = self._attributes
        if name in attrs:
            parts = [attrs[name]]
        elif f"{name}0" in attrs:
            count = 0
            while f"{name}{count}" in attrs:
                count += 1
            parts = [attrs[f"{name}{i}"] for i in range(count)]
        else:
            raise FormatError(f"the attribute {name} is missing", self.where())
        values = [v for part in parts for v in np.ravel(part).tolist()]
        found = [v.decode() if isinstance(v, bytes) else v for v in values]
        if not all(isinstance(v, str) for v in found):
            raise FormatError(f"the attribute {name} must hold texts", self.where())
        return found


def _check_dataset(dataset: Any, where: str) -> None:
    if dataset.external:
        raise FormatError("the array lies in another file; only data in the file is read", where)
    if dataset.is_virtual:
        raise FormatError("the array is made of others; only data in the file is read", where)
    if dataset.dtype.kind not in "biufc" and not _is_bfloat16(dataset):
        raise FormatError(f"the array holds {dataset.dtype}, not numbers", where)
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > max(_SMALL if stored else 0, _LARGEST_RATIO * stored):
        raise FormatError(f"the array has {dataset.nbytes} bytes, of which the file stores {stored}", where)


def _is_bfloat16(dataset: Any) -> bool:
    return dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2


def put(group: Any, name: str, array: np.ndarray) -> None:
    """Write an array; bfloat16 as Keras does, as two bytes without a type."""
    if array.dtype == dtypes.numpy_dtype("bfloat16"):
        array = array.view("V2")
    group.create_dataset(name, data=array)


def put_texts(group: Any, name: str, texts: Sequence[str]) -> None:
    """Write texts as an attribute, in parts below the 64 KiB that an attribute may have."""
    values = [t.encode() for t in texts]
    limit = 60_000
    size = max((len(v) for v in values), default=1)
    count = max(1, limit // max(size, 1))
    parts = [values[i : i + count] for i in range(0, len(values), count)] or [[]]
    for i, part in enumerate(parts):
        group.attrs[name if len(parts) == 1 else f"{name}{i}"] = np.array(part, dtype=f"S{size}")
