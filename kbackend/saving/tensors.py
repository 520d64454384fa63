"""Named arrays in the safetensors format: written aligned, read without a copy, every field checked.

Source: the description of the format at https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.saving.documents import field, parsed
from kbackend.saving.errors import FormatError

_CODES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "float16": "F16",
    "bfloat16": "BF16", "uint32": "U32", "int32": "I32", "float32": "F32", "uint64": "U64", "int64": "I64",
    "float64": "F64", "complex64": "C64",
}  # fmt: skip
_NAMES = {code: name for name, code in _CODES.items()}
#: bytes of a header
_LARGEST_HEADER = 100_000_000
#: the key of a complex128 array is followed by this; the format has no such dtype, its float64 parts are stored
_PARTS = "#complex128"


def stored(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """Arrays as a safetensors file.

    Args:
        arrays: by name; of any dtype of kbackend.
        metadata: texts by name.
    """
    import json

    head: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts: list[bytes] = []
    end = 0
    # the largest items first, so that each array starts at a multiple of its item's size
    for name, array in sorted(map(_plain, arrays.items()), key=lambda entry: -entry[1].dtype.itemsize):
        content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        place = [end, end := end + len(content)]
        head[name] = {
            "dtype": _CODES[dtypes.canonical(array.dtype)], "shape": list(array.shape), "data_offsets": place,
        }
        parts.append(content)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def _plain(entry: tuple[str, Any]) -> tuple[str, np.ndarray]:
    name, array = entry[0], np.asarray(entry[1])
    if array.dtype == np.complex128:
        return name + _PARTS, np.ascontiguousarray(array).view(np.float64).reshape(*array.shape, 2)
    return name, array


def is_safetensors(content: memoryview) -> bool:
    """Whether the content begins as safetensors files do: the length of a header, and an object."""
    return len(content) > 9 and struct.unpack("<Q", content[:8])[0] < len(content) and content[8] == ord("{")


def arrays_in(content: memoryview, member: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a safetensors file and its metadata. The arrays are views of the content.

    Raises:
        FormatError: anything that is not as the format says: a header, name, dtype, shape or place.
    """
    if len(content) < 8:
        raise FormatError("the file is truncated: it is shorter than a header", member)
    (length,) = struct.unpack("<Q", content[:8])
    if length > _LARGEST_HEADER:
        raise FormatError(f"its header has {length} bytes, which is too many", member)
    if length > len(content) - 8:
        raise FormatError(f"the file is truncated: its header has {length} bytes, {len(content) - 8} follow", member)
    head = parsed(content[8 : 8 + length], member)
    if not isinstance(head, dict):
        raise FormatError("its header is no object", member)
    metadata = head.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise FormatError("its metadata must be texts", member)
    data = content[8 + length :]
    _check_places(head, len(data), member)
    return dict(_array(name, entry, data, member) for name, entry in head.items()), metadata


def _check_places(head: Mapping[str, Any], size: int, member: str) -> None:
    """Arrays lie one after the other, without gaps."""
    places = []
    for name, entry in head.items():
        place = field(entry, "data_offsets", list, f"{member}: {name}")
        if len(place) != 2 or not all(type(n) is int and n >= 0 for n in place):
            raise FormatError("data_offsets must be two numbers", f"{member}: {name}")
        places.append((place[0], place[1], name))
    end = 0
    for start, stop, name in sorted(places):
        if start != end or stop < start:
            raise FormatError(f"it starts at byte {start}, the array before it ends at {end}", f"{member}: {name}")
        end = stop
    if end > size:
        raise FormatError(f"the file is truncated: the arrays have {end} bytes, {size} follow", member)
    if end != size:
        raise FormatError(f"the arrays have {end} bytes, the header says so, there are {size}", member)


def _array(name: str, entry: Any, data: memoryview, member: str) -> tuple[str, np.ndarray]:
    where = f"{member}: {name}"
    code, shape = field(entry, "dtype", str, where), field(entry, "shape", list, where)
    if code not in _NAMES:
        raise FormatError(f"the dtype {code[:20]!r} is unknown", where)
    if len(shape) > 32 or not all(type(d) is int and 0 <= d < 1 << 48 for d in shape):
        raise FormatError(f"{str(shape)[:80]} is no shape", where)
    dtype = dtypes.numpy_dtype(_NAMES[code])
    start, stop = entry["data_offsets"]
    if math.prod(shape) * dtype.itemsize != stop - start:
        raise FormatError(f"{_NAMES[code]} {shape} needs another number of bytes than {stop - start}", where)
    part = data[start:stop]
    if code == "BOOL" and bytes(part).strip(b"\0\1"):
        raise FormatError("a bool is neither 0 nor 1", where)
    array = np.frombuffer(part, dtype.newbyteorder("<")).reshape(shape)
    if name.endswith(_PARTS):
        if code != "F64" or not shape or shape[-1] != 2:
            raise FormatError("a complex number has two parts of float64", where)
        return name.removesuffix(_PARTS), array.view(np.complex128).reshape(shape[:-1])
    return name, array
