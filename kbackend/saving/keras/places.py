"""Where models are written and read besides paths: HDF5 files that are open, groups in them, and streams of bytes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kbackend.ground.files import path_of, write_atomically
from kbackend.saving.archive import mapped
from kbackend.saving.errors import FormatError, inside
from kbackend.saving.keras.hdf5 import h5py


def is_group(place: Any) -> bool:
    """Whether a place is an HDF5 file that is open, or a group in one."""
    library = sys.modules.get("h5py")
    return library is not None and isinstance(place, library.Group)


def is_open(place: Any) -> bool:
    """Whether a place is no path, but a group or a stream of bytes."""
    return is_group(place) or hasattr(place, "read") or hasattr(place, "write")


def name_of(place: Any) -> str:
    """What messages call a place."""
    if is_group(place):
        return f"{place.file.filename}: {place.name}"
    return str(getattr(place, "name", type(place).__name__)) if is_open(place) else path_of(place)


@contextmanager
def content_of(place: Any) -> Iterator[tuple[memoryview, str]]:
    """The bytes of a file, and the path of the group in it that is meant; errors inside get the name of the place.

    Args:
        place: a path, an HDF5 file that is open, a group in one, or a stream, which is read from its position on.

    Raises:
        FileNotFoundError: no file.
        FormatError: an empty file, a stream of text, or one that has ended.
    """
    with inside(name_of(place)):
        if is_open(place):
            yield _content_of_open(place)
        else:
            with mapped(place) as content:
                yield content, ""


def _content_of_open(place: Any) -> tuple[memoryview, str]:
    if is_group(place):
        place.file.flush()
        return memoryview(place.file.id.get_file_image()), place.name.strip("/")
    content = place.read()
    if isinstance(content, str):
        raise FormatError("it is a stream of text; open files with mode 'rb'")
    if not content:
        raise FormatError("the stream is empty from its position on; stream.seek(0) goes back to its start")
    return memoryview(content), ""


def put_file(place: Any, fill: Callable[[Any], None]) -> None:
    """Write an HDF5 file, or what it holds into a group. What fails before it is complete changes nothing.

    Args:
        place: a path, a stream or a group.
        fill: is called with the root of the file.
    """
    content = made_file(fill)
    if is_group(place):
        _copy(content, place)
    elif is_open(place):
        place.write(content)
    else:
        write_atomically(place, content)


def made_file(fill: Callable[[Any], None]) -> bytes:
    """The content of an HDF5 file that a function fills."""
    out = io.BytesIO()
    with h5py().File(out, "w") as root:
        fill(root)
    return out.getvalue()


def _copy(content: bytes, group: Any) -> None:
    """Put what a file holds into a group, in place of what has the same names there."""
    with h5py().File(io.BytesIO(content), "r") as made:
        for name in made:
            if name in group:
                del group[name]
            made.copy(name, group)
        for name, value in made.attrs.items():
            group.attrs[name] = value
