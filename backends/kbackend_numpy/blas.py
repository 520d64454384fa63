"""The number of threads of NumPy's BLAS, as two functions."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

#: how builds of OpenBLAS decorate the names of its functions
_AFFIXES = [(before, after) for before in ("scipy_", "") for after in ("64_", "_64", "")]
#: what an OpenBLAS says of its threads: not OpenMP's, whose number holds for one thread of the program
_POSIX_THREADS = 1


@cache
def functions() -> tuple[Callable[[], int], Callable[[int], None]]:
    """Two functions that give and set the number of threads; a BLAS that cannot be asked has one."""
    for path in _beside_numpy():
        direct = _of_openblas(path)
        if direct is not None:
            return direct
    return _by_threadpoolctl()


def _beside_numpy() -> list[str]:
    """The files of an OpenBLAS that came with NumPy and has been loaded, if the system can say so."""
    loaded = getattr(os, "RTLD_NOLOAD", None)
    if loaded is None:
        return []
    package = Path(np.__file__).parent
    found = []
    for path in (*package.with_name("numpy.libs").glob("*openblas*"), *(package / ".dylibs").glob("*openblas*")):
        try:
            ctypes.PyDLL(str(path), mode=loaded | os.RTLD_NOW)
        except OSError:
            continue
        found.append(str(path))
    return found


def _by_threadpoolctl() -> tuple[Callable[[], int], Callable[[int], None]]:
    """The functions of a BLAS that did not come with NumPy."""
    from threadpoolctl import ThreadpoolController  # takes two megabytes, and as long as a tenth of NumPy

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    mine = [library for library in found if _is_of_numpy(library.filepath)] or found
    if not mine:
        return lambda: 1, lambda number: None
    library = mine[0]
    if library.internal_api == "openblas":
        direct = _of_openblas(library.filepath)
        if direct is not None:
            return direct
    return library.get_num_threads, library.set_num_threads


def _is_of_numpy(path: str) -> bool:
    """Whether a library came with NumPy: SciPy and others bring their own."""
    return not {"numpy", "numpy.libs"}.isdisjoint(Path(path).parts[-3:-1])


def _of_openblas(path: str) -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """The functions of an OpenBLAS with threads of its own, which take 0.04 and 0.3 microseconds; threadpoolctl's take
    0.5 and 1.4, and those that set the number do nothing in any thread but the first that used them."""
    library: Any = ctypes.PyDLL(path)  # which keeps Python's lock: the functions are shorter than its release
    for before, after in _AFFIXES:
        get = getattr(library, f"{before}openblas_get_num_threads{after}", None)
        put = getattr(library, f"{before}openblas_set_num_threads{after}", None)
        kind = getattr(library, f"{before}openblas_get_parallel{after}", None)
        if get is not None and put is not None and kind is not None and kind() == _POSIX_THREADS:
            get.argtypes, get.restype = (), ctypes.c_int
            put.argtypes, put.restype = (ctypes.c_int,), None
            return get, put
    return None


__all__ = ["functions"]
