"""Pickles that hold arrays, numbers, texts, lists and dicts, and can do nothing else.

CIFAR and the lists of words of IMDB and Reuters are pickled. What a pickle names is looked up in a table of stand-ins
that only take data; no function or class of Python, or of NumPy, is ever called for it.
"""

from __future__ import annotations

import codecs
import math
import pickle
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from kbackend.saving.errors import FormatError

_KINDS = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8".split())


class _Dtype:
    """What a pickle says of a dtype: numbers, or objects."""

    def __init__(self, name: Any, *options: Any) -> None:
        self.name = name.decode() if isinstance(name, bytes) else str(name)
        self.order = "|"
        if self.name not in _KINDS and self.name not in ("O", "O8"):
            raise FormatError(f"arrays of {self.name!r} are not read")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1].decode() if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "="):
            raise FormatError(f"{order!r} is no order of bytes")
        self.order = order


class _Array:
    """What a pickle says of an array."""

    value: np.ndarray

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, data = state
        shape = tuple(int(d) for d in shape)
        if not isinstance(dtype, _Dtype) or any(d < 0 for d in shape):
            raise FormatError("an array has no shape or no dtype")
        if dtype.name in _KINDS:
            raw = data.encode("latin1") if isinstance(data, str) else data
            flat = np.frombuffer(raw, np.dtype(dtype.order + dtype.name)).copy()
        else:
            flat = np.empty(len(data), object)
            flat[:] = data
        if flat.size != math.prod(shape):
            raise FormatError(f"an array of the shape {shape} has {flat.size} elements")
        self.value = flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: Any, shape: Any, letter: Any) -> _Array:
    return _Array()


def _ndarray(*args: Any) -> Any:
    raise FormatError("an array is made in a way that is not read")


def _encode(text: Any, encoding: Any) -> bytes:
    """How Python 3 writes bytes where pickles of Python 2 have none."""
    if not isinstance(text, str) or encoding != "latin1":
        raise FormatError("bytes are written in a way that is not read")
    return codecs.encode(text, "latin1")


_KNOWN = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise FormatError(f"it wants {module}.{name}; data sets hold arrays and numbers alone")
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise FormatError("it refers to something outside of it")


def read(file: IO[bytes]) -> Any:
    """What a pickle holds; texts of Python 2 are bytes.

    Raises:
        FormatError: it wants anything but data, or is no pickle.
    """
    try:
        return _plain(_Reader(file, encoding="bytes").load())
    except FormatError:
        raise
    except Exception as error:  # a damaged pickle raises what it likes
        raise FormatError(f"it is no pickle of data: {error}") from error


def array_in(file: IO[bytes]) -> np.ndarray:
    """The array of a .npy file, of numbers or of lists of numbers.

    Raises:
        FormatError: it is none.
    """
    try:
        header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(file)]
        shape, fortran, dtype = header(file)
    except (ValueError, KeyError) as error:
        raise FormatError(f"it is no array of NumPy: {error}") from None
    if not dtype.hasobject:
        flat = np.frombuffer(file.read(), dtype).copy()
        return flat.reshape(shape, order="F" if fortran else "C")
    found = read(file)
    if not isinstance(found, np.ndarray) or found.shape != shape:
        raise FormatError(f"it says that it has the shape {shape}, and has not")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (_Dtype, type)) or callable(value):
        raise FormatError(f"it holds {value!r} in place of data")
    return value
