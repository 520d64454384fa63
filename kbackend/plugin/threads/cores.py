"""The cores that this process may use: what the scheduler allows it, and the quota of its control groups."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def usable() -> int:
    """The number of cores that the process may keep busy: at least 1.

    >>> usable() >= 1
    True
    """
    limit = quota(ROOT)
    return scheduled() if limit is None else min(scheduled(), limit)


def scheduled() -> int:
    """The number of cores that the scheduler may run the process on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def quota(root: Path) -> int | None:
    """Whole cores that the control groups of the process allow, at least 1; None where they set no limit.

    The least of the group's own quota and those of the groups around it. Read once: a process seldom moves.

    Args:
        root: the folder that holds ``proc`` and ``sys``.

    Source: the Linux kernel's documentation, "Control Group v2" (``cpu.max``) and "CFS Bandwidth Control" (version 1).
    """
    limits = [cores for folder in _groups(root) for cores in (_of_v2(folder), _of_v1(folder)) if cores is not None]
    return max(1, int(min(limits))) if limits else None


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the groups that limit the processor, from the innermost to the outermost."""
    mounted = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            mounts = [mounted]
        elif "cpu" in controllers.split(","):
            mounts = [mounted / controllers, mounted / "cpu"]
        else:
            continue
        group = PurePosixPath(path)
        for folder in (group, *group.parents):  # in a container the group's own path may not be there
            yield from (mount / str(folder).lstrip("/") for mount in mounts)


def _of_v2(folder: Path) -> float | None:
    """``cpu.max``: microseconds or "max", and the period."""
    return _cores(*_text(folder / "cpu.max").split()[:2])


def _of_v1(folder: Path) -> float | None:
    """Two files; a quota of -1 is none."""
    return _cores(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _cores(granted: str = "", period: str = "") -> float | None:
    try:
        cores = int(granted) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cores if cores > 0 else None


def contended(threads: int, root: Path = ROOT) -> bool:
    """Whether so many threads would share cores with other processes that are running now.

    Args:
        threads: those of an engine.
        root: the folder that holds ``proc``.

    Source: the Linux kernel's documentation of ``/proc/stat`` (``procs_running``); elsewhere the load of the last
    minute.
    """
    ours = _running(root)
    found = re.search(r"^procs_running (\d+)", _text(root / "proc" / "stat"), re.M)
    if found is None:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        return load - 0.5 > (os.cpu_count() or 1)  # the load contains this process
    most = int(found[1]) - (os.cpu_count() or 1) + threads
    # threads of engines that wait for work spin for a while: they may stop or begin between two readings
    return ours < most and _running(root) < most


def _running(root: Path) -> int:
    """The number of threads of this process that run or wait for a core."""
    tasks = (root / "proc" / "self" / "task").glob("*/stat")
    return sum(_text(task).rpartition(")")[2].split()[:1] == ["R"] for task in tasks)


def _text(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""


__all__ = ["contended", "quota", "scheduled", "usable"]
