"""A warning where engines take turns within one process, so that their threads hinder each other.

Each engine keeps threads, which wait for more work by spinning for a while: on two cores a step of torch and one of
NumPy, in turns, took three times as long as alone. Nothing is changed for the user; the warning comes once, from
programs that really run in turns.
"""

from __future__ import annotations

import os
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

from kbackend.ground.warn import warn_caller

if TYPE_CHECKING:
    from kbackend.plugin.contract import Target

#: so many changes from one engine to another
_TURNS = 50
#: in so many seconds are no accident
_WITHIN = 1.0

#: the target that ran last
last: list[Target | None] = [None]
_changes: deque[float] = deque(maxlen=_TURNS)
_told = [False]


def changed(target: Target) -> None:
    """Note that a program runs on another target than the last one did."""
    before, last[0] = last[0], target
    if _told[0] or before is None or before.backend is target.backend:
        return
    _changes.append(perf_counter())
    if len(_changes) < _TURNS or _changes[-1] - _changes[0] > _WITHIN:
        return
    _told[0] = True
    backends = sorted((before.backend, target.backend), key=lambda b: b.name)
    threads = {b.name: b.threads() for b in backends}
    cores = _cores()
    if min(threads.values()) > 1 and sum(threads.values()) > cores:
        shown = " and ".join(f"{name} ({n} threads)" for name, n in threads.items())
        variables = dict.fromkeys(f"{b.threads_variable}=1" for b in backends)
        warn_caller(
            f"{shown} take turns on {cores} cores, and the waiting threads of one slow the other down. "
            f"{' and '.join(variables)}, set before the start, or a process for each engine avoids that"
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


__all__ = ["changed", "last"]
