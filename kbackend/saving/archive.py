"""Zip archives of members that are stored as they are, each with its SHA-256 in a manifest.

Members start at multiples of 64 bytes, so that arrays in them can be mapped. Nothing is ever extracted to a folder.
"""

from __future__ import annotations

import io
import mmap
import os
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kbackend.saving.documents import checksum, field, parsed, written
from kbackend.saving.errors import FormatError

MANIFEST = "manifest.json"
ALIGNMENT = 64
#: members of an archive
MOST_MEMBERS = 64
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
#: the id of the extra field of a member's header that pads it, as Android's zipalign writes it
_PADDING = 0xD935


# ------------------------------------------------------------------------------------- writing


def packed(members: Mapping[str, bytes], head: Mapping[str, Any]) -> bytes:
    """An archive of members.

    Args:
        members: contents by name.
        head: further entries of the manifest, such as the format and its version.
    """
    described = {name: {"sha256": checksum(content), "size": len(content)} for name, content in members.items()}
    manifest = written({**head, "members": described})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: manifest, **members}.items():
            archive.writestr(_entry(name, out.tell()), content)
        archive.comment = checksum(manifest).encode()
    return out.getvalue()


def _entry(name: str, start: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of the year 1980: equal models give equal bytes
    entry.external_attr = 0o644 << 16
    data = start + _LOCAL_HEADER.size + len(name.encode()) + 4
    missing = -data % ALIGNMENT
    entry.extra = struct.pack("<HH", _PADDING, missing) + bytes(missing)
    return entry


# ------------------------------------------------------------------------------------- reading


@contextmanager
def mapped(path: str | os.PathLike[str]) -> Iterator[memoryview]:
    """The content of a file, mapped into memory; private to the process.

    The map stays as long as arrays made from it.

    Raises:
        FileNotFoundError: no file.
        FormatError: an empty file.
    """
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise FormatError("the file is empty")
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def is_archive(content: memoryview) -> bool:
    """Whether the content begins as zip archives do."""
    return bytes(content[:4]) == b"PK\x03\x04"


def has(content: memoryview, name: str) -> bool:
    """Whether an archive has a member.

    Raises:
        FormatError: no archive.
    """
    return any(info.filename == name for info in _listed(content)[0])


def unpacked(content: memoryview, wanted: Mapping[str, Any], known: set[str]) -> dict[str, memoryview]:
    """The members of an archive, checked against its manifest.

    Args:
        content: the file.
        wanted: entries that the manifest must have.
        known: names of members that may be there.

    Raises:
        FormatError: no such archive; a member that is missing, unknown, compressed, encrypted, there twice or not what
            the manifest says.
    """
    entries, comment = _entries(content)
    if MANIFEST not in entries:
        raise FormatError("the archive has no manifest", MANIFEST)
    head = entries.pop(MANIFEST)
    right = checksum(head).encode()
    if comment != right and right.startswith(comment):
        raise FormatError("the file is truncated: it ends in its checksum", MANIFEST)
    if comment != right:
        raise FormatError("it does not have the checksum at the end of the file", MANIFEST)
    manifest = parsed(head, MANIFEST)
    for key, value in wanted.items():
        if field(manifest, key, type(value), MANIFEST) != value:
            raise FormatError(f"{key} is {manifest[key]!r}, this kbackend reads {value!r}", MANIFEST)
    described = field(manifest, "members", dict, MANIFEST)
    for name in {**described, **entries}:
        if name not in known:
            raise FormatError("no such member is known", str(name)[:80])
        if name not in entries or name not in described:
            where = "archive" if name not in entries else "manifest"
            raise FormatError(f"it is missing in the {where}", name)
    for name, member in entries.items():
        if field(described[name], "sha256", str, MANIFEST) != checksum(member):
            raise FormatError("it does not have the checksum in the manifest", name)
    return entries


def no_archive(content: memoryview, error: Exception) -> FormatError:
    """The error for a content that is no zip archive, or the beginning of one: its list of members is at the end."""
    if bytes(content[:4]) == b"PK\x03\x04" and "not a zip file" in str(error):
        return FormatError(f"the file is truncated: it has {len(content):,} bytes, without the end of a zip archive")
    return FormatError(f"the file is no zip archive: {error}")


def _listed(content: memoryview) -> tuple[list[zipfile.ZipInfo], bytes]:
    try:
        with zipfile.ZipFile(View(content)) as archive:
            return archive.infolist(), archive.comment
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, OSError, IndexError) as error:
        raise no_archive(content, error) from None


def _entries(content: memoryview) -> tuple[dict[str, memoryview], bytes]:
    """The members of a zip file, not copied, and its comment."""
    infos, comment = _listed(content)
    if len(infos) > MOST_MEMBERS:
        raise FormatError(f"the archive has {len(infos)} members, more than {MOST_MEMBERS}")
    found: dict[str, memoryview] = {}
    taken: list[tuple[int, int, str]] = []
    for info in infos:
        check_name(info.filename)
        if info.filename in found:
            raise FormatError("it is in the archive twice", info.filename)
        start, end = _place(content, info)
        taken.append((info.header_offset, end, info.filename))
        found[info.filename] = content[start:end]
    _check_apart(taken)
    return found, comment


def check_name(name: str) -> None:
    """Refuse names of members that could lead out of the archive.

    Raises:
        FormatError: an absolute name, one with "..", a drive, a backslash or a control character, or an empty one.
    """
    parts = name.split("/")
    if not name or any(p in ("", ".", "..") for p in parts) or any(c in '\\:"' or ord(c) < 32 for c in name):
        raise FormatError("the name of the member is not a plain path inside the archive", repr(name)[:80])


def _place(content: memoryview, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Where the bytes of a stored member lie."""
    name = info.filename
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise FormatError("it is compressed; members are stored as they are", name)
    if info.flag_bits & 0x1:
        raise FormatError("it is encrypted", name)
    header = bytes(content[info.header_offset : info.header_offset + _LOCAL_HEADER.size])
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise FormatError("it has no header", name)
    *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    first = info.header_offset + _LOCAL_HEADER.size
    if bytes(content[first : first + name_length]) != info.orig_filename.encode():
        raise FormatError("its header has another name", name)
    start = first + name_length + extra_length
    end = start + info.file_size
    if end > len(content):
        raise FormatError(f"it has {info.file_size} bytes, the file ends before", name)
    return start, end


def _check_apart(taken: list[tuple[int, int, str]]) -> None:
    taken.sort()
    for (_, end, _), (start, _, name) in zip(taken, taken[1:]):
        if start < end:
            raise FormatError("it lies over another member", name)


class View(io.RawIOBase):
    """Memory as a file."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._at = content, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, len(self._content))[whence]
        if self._at < 0:
            raise OSError("a place before the start of the file")
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._content[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
