"""Structures of HDF5 files on which the C library never ends, or takes all memory, checked before it reads them.

The library follows the free blocks of a local heap, and the objects of a global heap, from one to the next, and does
not see where a damaged file leads in a circle. For a text of variable length it takes as much memory as its reference
says. No signal and no thread ends it then.

Source: HDF5 File Format Specification 3.0, sections II (superblock), III.D (local heaps), III.E (global heaps), IV.A.1
(object headers), IV.A.2.m (attributes) and IV.A.2.v (where they lie).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kbackend.saving.errors import FormatError

_LOCAL = struct.Struct("<4sB3xQQQ")
_GLOBAL = struct.Struct("<4sB3xQ")
_BLOCK = struct.Struct("<QQ")
_OBJECT = struct.Struct("<HHIQ")
_REFERENCE = struct.Struct("<IQI")
_ATTRIBUTE, _CONTINUATION, _INFO, _VARIABLE = 0x0C, 0x10, 0x15, 9
#: an address that is none
_UNDEFINED = (1 << 64) - 1
#: a free list ends with this offset, by the specification and in files that are there
_ENDS = (1, _UNDEFINED)


def check_heaps(content: memoryview, member: str) -> None:
    """Refuse heaps that lead in a circle.

    Args:
        content: the file.
        member: its name in messages.

    Raises:
        FormatError: such a heap, a truncated file, or addresses of another size than 8 bytes, which no file of Keras
            has.
    """
    _check_superblock(content, member)
    for start in _found(content, b"HEAP"):
        _check_local(content, start, member)
    for start in _found(content, b"GCOL"):
        _check_global(content, start, member)


def _check_superblock(content: memoryview, member: str) -> None:
    if len(content) < 52:
        raise FormatError("the file is truncated: it is shorter than the head of an HDF5 file", member)
    version = content[8]
    sizes, base = (content[13:15], 24 + 4 * version) if version < 2 else (content[9:11], 12)
    (address,) = struct.unpack("<Q", content[base : base + 8])
    if version > 3 or bytes(sizes) != b"\x08\x08" or address:
        raise FormatError("its head is none that files of Keras have", member)
    (end,) = struct.unpack("<Q", content[base + 16 : base + 24])
    if end > len(content):
        raise FormatError(f"the file is truncated: it has {len(content):,} of {end:,} bytes", member)


def _found(content: memoryview, signature: bytes) -> list[int]:
    """Where a signature stands. Parts of the file are searched one after the other, so that it is not copied whole."""
    found, size, last = [], 1 << 24, len(signature) - 1
    for start in range(0, len(content), size):
        part = bytes(content[start : start + size + last])
        at = part.find(signature)
        while at >= 0:
            found.append(start + at)
            at = part.find(signature, at + 1)
    return found


def _check_local(content: memoryview, start: int, member: str) -> None:
    """Each free block of a heap names the offset of the next."""
    if start + _LOCAL.size > len(content):
        return
    _, version, size, free, address = _LOCAL.unpack_from(content, start)
    if version or address + size > len(content):
        return  # no heap: the signature stands in other data, or the library refuses it
    seen: set[int] = set()
    while free not in _ENDS:
        if free in seen or free + _BLOCK.size > size:
            raise FormatError(f"the free blocks of the heap at byte {start} lead in a circle or out of it", member)
        seen.add(free)
        free, _ = _BLOCK.unpack_from(content, address + free)


def _check_global(content: memoryview, start: int, member: str) -> None:
    """The objects of a collection lie one after the other; number 0 is the free space at its end."""
    if start + _GLOBAL.size > len(content):
        return
    _, version, size = _GLOBAL.unpack_from(content, start)
    if version != 1:
        return
    at, end = start + _GLOBAL.size, min(start + size, len(content))
    while at + _OBJECT.size <= end:
        number, _, _, length = _OBJECT.unpack_from(content, at)
        step = length if number == 0 else _OBJECT.size + -(-length // 8) * 8
        if not _OBJECT.size <= step <= end - at:  # the library's sum of the two would overflow, to 0 for some
            raise FormatError(f"an object of the heap at byte {start} has {length} bytes, which do not fit", member)
        at += step


# ------------------------------------------------------------------------------------- attributes


def check_texts(content: memoryview, address: int, where: str) -> None:
    """Refuse attributes of an object with texts of variable length that are longer than the file.

    Args:
        content: the file.
        address: of the header of the object.
        where: the object's name in messages.

    Raises:
        FormatError: such a text, attributes outside of the header, or a header that is damaged.
    """
    try:
        for kind, body in _messages(content, address):
            if kind == _INFO and _is_elsewhere(body):
                raise FormatError("its attributes lie in a heap of their own, as in no file of Keras", where)
            if kind == _ATTRIBUTE and any(length > len(content) for length in _lengths(body)):
                raise FormatError("an attribute has a text that is longer than the file", where)
    except (struct.error, IndexError):
        raise FormatError("the attributes are damaged", where) from None


def _is_elsewhere(body: memoryview) -> bool:
    """Whether the message on attributes says that they lie in a fractal heap."""
    at = 4 if body[1] & 1 else 2
    return struct.unpack_from("<Q", body, at) != (_UNDEFINED,)


def _messages(content: memoryview, address: int) -> Iterator[tuple[int, memoryview]]:
    """The messages of an object header, each with its kind; continuations are followed."""
    if bytes(content[address : address + 4]) == b"OHDR":
        flags, at = content[address + 5], address + 6 + (16 if content[address + 5] & 0x20 else 0)
        at += 4 if flags & 0x10 else 0
        width = 1 << (flags & 3)
        size = int.from_bytes(content[at : at + width], "little")
        head, parts = struct.Struct("<BHBH" if flags & 4 else "<BHB"), [(at + width, size)]
    else:
        (size,) = struct.unpack_from("<I", content, address + 8)
        head, parts = struct.Struct("<HHB3x"), [(address + 16, size)]
    seen = set(parts)
    while parts:
        at, size = parts.pop()
        end = min(at + size, len(content))
        while at + head.size <= end:
            kind, length, *_ = head.unpack_from(content, at)
            at += head.size
            body = content[at : min(at + length, end)]
            at += length
            yield kind, body
            if kind == _CONTINUATION:
                start, more = _BLOCK.unpack_from(body)
                if bytes(content[start : start + 4]) == b"OCHK":
                    start, more = start + 4, more - 8
                if (start, more) not in seen:
                    seen.add((start, more))
                    parts.append((start, more))


def _lengths(body: memoryview) -> list[int]:
    """The lengths of the texts of variable length of an attribute message; none for other types."""
    version = body[0]
    sizes = struct.unpack_from("<HHH", body, 2)
    at = 9 if version == 3 else 8
    padded = [-(-size // 8) * 8 for size in sizes] if version == 1 else list(sizes)
    kind = body[at + padded[0]] & 0x0F
    if kind != _VARIABLE:
        return []
    data = body[at + sum(padded) :]
    return [_REFERENCE.unpack_from(data, i)[0] for i in range(0, len(data) - _REFERENCE.size + 1, _REFERENCE.size)]
