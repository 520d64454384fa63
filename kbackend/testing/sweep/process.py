"""The processes of a sweep: a child runs trials one after the other, and is looked through when it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: trials of one child; more are run in the next one
CHUNK = 200
#: seconds that a child may take for a chunk
LIMIT_S = 1800.0
#: glibc's checks of the heap, which end a process that wrote past its memory (since glibc 2.34 from a library of their
#: own), and large numbers in new memory, so that what is read before it is written shows in a result
_CHECKED_HEAP = {"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "165", "LD_PRELOAD": "libc_malloc_debug.so.0"}

#: a family and the number of a trial in it
Item = tuple[str, int]


class Fault(NamedTuple):
    """A trial that failed: its family and number, its configuration, and what is wrong."""

    family: str
    number: int
    trial: str
    message: str

    def __str__(self) -> str:
        return f"{self.family} {self.number}: {self.trial}: {self.message}"


@dataclass
class Outcome:
    """What a sweep found, and how many trials it ran."""

    ran: int = 0
    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


@dataclass
class _Ran:
    """What a child told before it ended: the items whose check began last, and how it ended."""

    done: int = 0
    faults: list[Fault] = field(default_factory=list)
    begun: list[tuple[str, int, str]] = field(default_factory=list)
    died: str | None = None


def sweep(
    backend: str,
    families: Sequence[str],
    trials: int,
    seed: int = 0,
    first: int = 0,
    environment: Mapping[str, str] | None = None,
    log: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Run trials of some families on a backend, in child processes.

    Args:
        backend: its name.
        families: keys of :data:`kbackend.testing.sweep.FAMILIES`.
        trials: how many of each, from the number ``first`` on.
        seed: equal seeds and numbers give equal trials.
        environment: variables of the child, such as ``{"ONEDNN_MAX_CPU_ISA": "AVX2"}``.
        log: is told of each fault as it is found.

    Raises:
        RuntimeError: a child ends before its first trial, with what it said.
    """
    items = [(family, number) for family in families for number in range(first, first + trials)]
    outcome = Outcome()
    while items:
        ran = _run(backend, seed, items[:CHUNK], environment)
        if ran.died is not None and not ran.done and not ran.begun:
            raise RuntimeError(f"the process of a sweep on {backend} {ran.died}")
        faults = ran.faults
        if ran.died is not None:
            faults = faults + _culprits(backend, seed, items[: ran.done + len(ran.begun)], ran, environment)
        used = ran.done + (len(ran.begun) if ran.died else 0)
        for fault in faults:
            log(str(fault))
        outcome.faults += faults
        outcome.ran += used
        items = items[used:]
    return outcome


def _culprits(backend: str, seed: int, items: Sequence[Item], ran: _Ran, environment: Any) -> list[Fault]:
    """The trials that end a process of their own: those begun last, or the last one before that does, whose damage to
    the memory showed late."""
    late = [(family, number) for family, number, _ in ran.begun]
    found = [fault for item in late if (fault := _alone(backend, seed, item, environment)) is not None]
    earlier = (item for item in reversed(items) if item not in late)
    while not found and (item := next(earlier, None)) is not None:
        fault = _alone(backend, seed, item, environment)
        found = [] if fault is None else [fault]
    if found:
        return found
    shown = "; ".join(trial for _, _, trial in ran.begun) or "the end"
    return [Fault(*items[-1], shown, f"the process {ran.died} here or after an earlier trial; none does so alone")]


def _alone(backend: str, seed: int, item: Item, environment: Any) -> Fault | None:
    """The fault of a trial that ends its process."""
    ran = _run(backend, seed, [item], environment)
    if ran.died is None:
        return None
    return Fault(*item, ran.begun[0][2] if ran.begun else "the trial", f"the process {ran.died}")


def _run(backend: str, seed: int, items: Sequence[Item], environment: Mapping[str, str] | None) -> _Ran:
    """Run items in one child."""
    command = [sys.executable, "-m", "kbackend.testing.sweep.child", backend, str(seed), json.dumps(items)]
    checked = _CHECKED_HEAP if sys.platform == "linux" else {}
    with subprocess.Popen(
        command, env={**checked, **os.environ, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as child:  # fmt: skip
        try:
            out, told = child.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            out, told = child.communicate()
            told = f"it took longer than {LIMIT_S:.0f} s"
    return _read(out, child.returncode, told)


def _read(out: str, code: int, told: str) -> _Ran:
    ran = _Ran()
    for line in out.splitlines():
        event, *rest = json.loads(line)
        if event == "begin":
            ran.begun = [tuple(item) for item in rest[0]]
        elif event == "fault":
            ran.faults.append(Fault(*rest))
        else:
            ran.done, ran.begun = rest[0], []
    if code:
        ran.died = f"{_ending(code)} ({_last(told)})"
    return ran


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with the status {code}"


def _last(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


__all__ = ["CHUNK", "Fault", "Outcome", "sweep"]
