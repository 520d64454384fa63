"""Memory that a step frees stays with the process, for the next step.

Engines that take arrays from the C library's malloc give them back at each step. glibc returns large ones to the system
at once, which hands them out again page by page, each filled with zeros first: on two cores, at batch 256, that was a
third of a training step on torch and on NumPy. See docs/decisions/0013-freed-memory.md.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

#: numbers of mallopt's parameters, from malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: bytes: larger arrays still go back to the system at once, and so does what is free at the end of the heap beyond this
_LARGEST, _KEPT = 64 << 20, 1 << 30
_OWN_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_")


@cache
def keep_freed() -> bool:
    """Ask glibc to keep freed memory; whether it does.

    Not where the user has set malloc's own variables or ``KBACKEND_KEEP_MEMORY=0``, nor with another C library.
    """
    chosen = any(name in os.environ for name in _OWN_SETTINGS) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if chosen or os.environ.get("KBACKEND_KEEP_MEMORY") == "0" or sys.platform != "linux":
        return False
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  # other C libraries lack it
        return bool(library.mallopt(_MMAP_THRESHOLD, _LARGEST) and library.mallopt(_TRIM_THRESHOLD, _KEPT))
    except (OSError, AttributeError):
        return False


__all__ = ["keep_freed"]
