"""What was measured on this machine, kept on disk: which way a program runs fastest.

One JSON file in the folder that ``KBACKEND_CACHE`` names, else in ``kbackend`` under the user's cache folder. A file
that cannot be read counts as empty, one that cannot be written is left alone: nothing but time depends on it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

from kbackend.ground.files import write_atomically

_LIMIT = 1000


def path() -> Path:
    """The file."""
    folder = os.environ.get("KBACKEND_CACHE")
    if folder:
        return Path(folder) / "tuned.json"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kbackend" / "tuned.json"


def recall(*key: str) -> Any:
    """What was remembered for a key, else None."""
    return _read().get(_joined(key))


def remember(value: Any, *key: str) -> None:
    """Keep a value, which JSON can hold; the oldest ones give way."""
    entries = _read()
    entries.pop(_joined(key), None)
    entries[_joined(key)] = value
    kept = dict(list(entries.items())[-_LIMIT:])
    with contextlib.suppress(OSError):
        path().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path(), json.dumps(kept, indent=1).encode())


def _joined(key: tuple[str, ...]) -> str:
    return " | ".join((*key, machine()))


def _read() -> dict[str, Any]:
    try:
        found = json.loads(path().read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def magnitude(size: int) -> str:
    """A size for a key, to a power of two: what is faster for 32 samples need not be for 1 or for 256.

    >>> magnitude(32) == magnitude(63), magnitude(32) == magnitude(64)
    (True, False)
    """
    return f"size {1 << max(size.bit_length() - 1, 0)}"


@cache
def machine() -> str:
    """The processor and how many of its cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()} x{cores}"


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
