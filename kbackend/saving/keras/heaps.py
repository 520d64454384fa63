"""Structures of HDF5 files on which the C library never ends, checked before it reads a file.

The library follows the free blocks of a local heap, and the objects of a global heap, from one to the next, and does not
see where a damaged file leads in a circle. No signal and no thread ends it then.

Source: HDF5 File Format Specification 3.0, sections II (superblock), III.D (local heaps) and III.E (global heaps).
"""

from __future__ import annotations

import struct

from kbackend.saving.errors import FormatError

_LOCAL = struct.Struct("<4sB3xQQQ")
_GLOBAL = struct.Struct("<4sB3xQ")
_BLOCK = struct.Struct("<QQ")
_OBJECT = struct.Struct("<HHIQ")
#: a free list ends with this offset, by the specification and in files that are there
_ENDS = (1, (1 << 64) - 1)


def check_heaps(content: memoryview, member: str) -> None:
    """Refuse heaps that lead in a circle.

    Args:
        content: the file.
        member: its name in messages.

    Raises:
        FormatError: such a heap, or addresses of another size than 8 bytes, which no file of Keras has.
    """
    _check_superblock(content, member)
    for start in _found(content, b"HEAP"):
        _check_local(content, start, member)
    for start in _found(content, b"GCOL"):
        _check_global(content, start, member)


def _check_superblock(content: memoryview, member: str) -> None:
    if len(content) < 40:
        raise FormatError("it is shorter than the head of an HDF5 file", member)
    version = content[8]
    sizes, base = (content[13:15], 24 + 4 * version) if version < 2 else (content[9:11], 12)
    (address,) = struct.unpack("<Q", content[base : base + 8])
    if version > 3 or bytes(sizes) != b"\x08\x08" or address:
        raise FormatError("its head is none that files of Keras have", member)


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
        if step < _OBJECT.size:
            raise FormatError(f"an object of the heap at byte {start} has {length} bytes, which ends nowhere", member)
        at += step
