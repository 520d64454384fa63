"""Running programs with a number of threads, and the engine's own number again afterwards."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from kbackend.config import changes
from kbackend.plugin.modes import is_deterministic
from kbackend.plugin.threads.choice import NEVER, Choice
from kbackend.plugin.threads.cores import contended, scheduled, usable
from kbackend.plugin.threads.setting import AUTO, most, plan_key

if TYPE_CHECKING:
    from kbackend.plugin.contract import Backend, Target

Runner = Callable[[Sequence[Any]], Sequence[Any]]
#: seconds to set a number for a call and to set it back, by what the number reaches: of torch and of OpenBLAS
_PRICES = {"thread": 2e-7, "process": 2e-6}


class Plan:
    """The number of threads of one program, fixed or measured, while the settings of the process stay as they are.

    A plan is never changed from fixed to measured or back: another takes its place, so that a thread that still times a
    step of the old one disturbs nothing.

    Attributes:
        number: for calls that are not timed; None leaves the engine's own.
        left: untimed calls until the next timed one; threads may count it down together, it need not be exact.
        seen: the settings that it was made for, as ``config.changes`` counts them.
    """

    __slots__ = ("number", "left", "seen", "_key", "_choice", "_timing")

    def __init__(self, backend: Backend, measured: bool, seen: int, key: Any) -> None:
        self.seen, self._key = seen, key
        self._timing = threading.Lock()
        self._choice: Choice | None = None
        if measured and key[0] == AUTO and not is_deterministic():
            self._choice = Choice(
                lambda: most(backend), _PRICES[str(backend.threads_scope)], contended=contended)
        fixed = self._choice is None or usable() < scheduled()
        self.number = most(backend) if fixed else None
        self.left = NEVER if self._choice is None else 0

    def timed(self, run: Callable[[int | None], tuple[Sequence[Any], float | None]]) -> Sequence[Any]:
        """Time a call, unless another thread does: then the call is an ordinary one.

        Args:
            run: makes the call with a number of threads; the outputs and the seconds, None if it had another number.
        """
        choice = self._choice
        if choice is None or not self._timing.acquire(blocking=False):
            return run(self.number)[0]
        try:
            outputs, seconds = run(self.number if choice.wanted is None else choice.wanted)
            if seconds is not None:
                choice.took(seconds)
                self.number = self.number if choice.number is None else choice.number
                self.left = choice.left
            return outputs
        finally:
            self._timing.release()


def _plan(backend: Backend, measured: bool, before: Plan | None = None) -> Plan:
    """The plan for the settings as they are; the one before where they are the same."""
    seen = changes[0]
    key = (*plan_key(), is_deterministic())
    if before is not None and before._key == key:
        before.seen = seen
        return before
    return Plan(backend, measured, seen, key)


def with_threads(runner: Runner, target: Target, measured: bool) -> Runner:
    """The runner of a program with its number of threads, where the engine's can be changed.

    Args:
        measured: whether the number may be measured; else all threads are used.
    """
    backend = target.backend
    if backend.threads_scope not in ("thread", "process") or target.device != "cpu":
        return runner
    make = _in_this_thread if backend.threads_scope == "thread" else _in_the_process
    return make(runner, backend, measured)


def _in_this_thread(runner: Runner, backend: Backend, measured: bool) -> Runner:
    """For engines that keep a number for each thread of Python's."""
    plan = _plan(backend, measured)
    get, put = backend.threads, backend.set_threads

    def run(feeds: Sequence[Any]) -> Sequence[Any]:
        nonlocal plan
        if plan.seen != changes[0]:
            plan = _plan(backend, measured, plan)
        plan.left -= 1
        if plan.left < 0:
            return plan.timed(lambda number: timed(number, feeds))
        number = plan.number
        if number is None or (before := get()) == number:
            return runner(feeds)
        put(number)
        try:
            return runner(feeds)
        finally:
            put(before)

    def timed(number: int | None, feeds: Sequence[Any]) -> tuple[Sequence[Any], float | None]:
        before = get()
        wanted = before if number is None else number
        if wanted != before:  # once torch is given a number, even its own, its attention kernel takes one thread
            put(wanted)
        try:
            start = perf_counter()
            outputs = runner(feeds)
            return outputs, perf_counter() - start
        finally:
            if wanted != before:
                put(before)

    return run


class _Held:
    """The number of an engine that has one for the process, while programs hold it: the first sets it, the last sets it
    back, and those between run with the number that is there."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.release_all()

    def release_all(self) -> None:
        self._lock = threading.Lock()
        self.programs = 0
        self._before = 0

    def begin(self, number: int) -> bool:
        """Whether the number is the wanted one."""
        with self._lock:
            self.programs += 1
            if self.programs > 1:
                return self._backend.threads() == number
            self._before = self._backend.threads()
            self._backend.set_threads(number)
            return True

    def end(self) -> None:
        with self._lock:
            self.programs -= 1
            if self.programs == 0:
                self._backend.set_threads(self._before)


_held: dict[str, _Held] = {}


def _in_the_process(runner: Runner, backend: Backend, measured: bool) -> Runner:
    plan = _plan(backend, measured)
    held = _held.setdefault(backend.name, _Held(backend))

    def run(feeds: Sequence[Any]) -> Sequence[Any]:
        nonlocal plan
        if plan.seen != changes[0]:
            plan = _plan(backend, measured, plan)
        plan.left -= 1
        if plan.left < 0:
            return plan.timed(lambda number: timed(number, feeds))
        number = plan.number
        if number is None or held.programs == 0 and backend.threads() == number:
            return runner(feeds)
        held.begin(number)
        try:
            return runner(feeds)
        finally:
            held.end()

    def timed(number: int | None, feeds: Sequence[Any]) -> tuple[Sequence[Any], float | None]:
        if number is None:
            start = perf_counter()
            return runner(feeds), perf_counter() - start
        alone = held.begin(number)
        try:
            start = perf_counter()
            outputs = runner(feeds)
            seconds = perf_counter() - start
            return outputs, seconds if alone else None
        finally:
            held.end()

    return run


def _in_child() -> None:
    for held in _held.values():
        held.release_all()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


__all__ = ["with_threads"]
