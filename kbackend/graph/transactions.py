"""Updates of variables that other threads see as a whole.

Variables that a program updates, or that are set together, belong to one group. A group has a lock, which a program
that updates it holds while it runs, and a version, which is odd meanwhile. A program that only reads does not lock: it
runs again, with the lock held, if a version has changed under it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from kbackend.graph.variable import Variable

T = TypeVar("T")

_numbers = itertools.count()
_joining = threading.RLock()


class Group:
    """Variables that change together.

    Attributes:
        lock: held by whoever changes them.
        version: grows with each change; odd while one is under way.
        number: the order in which several locks are acquired.
        into: the group that took this one's variables, or None.
        tracked: whether programs update the variables, or they were set together.
    """

    __slots__ = ("lock", "version", "number", "into", "tracked")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.number = next(_numbers)
        self.into: Group | None = None
        self.tracked = False

    def change(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function that changes variables of the group; the caller holds the lock."""
        version = self.version | 1  # it is odd already if an interrupt came between the lines below
        self.version = version
        try:
            return function(*args)
        finally:
            self.version = version + 1


class _Joins:
    """How often groups were joined."""

    count = 0


def _group(variable: Variable) -> Group:
    group = variable.group
    while group.into is not None:
        group = group.into
    variable.group = group
    return group


def _groups(variables: Iterable[Variable]) -> list[Group]:
    return sorted({_group(v) for v in variables}, key=lambda g: g.number)


def alone(variable: Variable, function: Callable[..., T], *args: Any) -> T:
    """Call a function while no program updates the variable."""
    while True:
        group = _group(variable)
        with group.lock:
            if group.into is None:
                return function(*args)


def changing(variable: Variable, function: Callable[..., T], *args: Any) -> T:
    """Call a function that changes the variable, while no program updates it."""
    return alone(variable, lambda: _group(variable).change(function, *args))


def join(variables: Sequence[Variable]) -> None:
    """Make one group of the groups of the variables, once no program that updates one of them runs."""
    if not variables or len({*map(_group, variables)}) == 1 and _group(variables[0]).tracked:
        return
    with _joining:
        first, *others = _groups(variables)
        with first.lock:
            first.tracked = True
            for group in others:
                with group.lock:
                    group.into = first
                    group.version |= 1
        _Joins.count += 1


def together(variables: Sequence[Variable], function: Callable[[], T]) -> T:
    """Call a function that sets variables; programs in other threads see all of the new values or none."""
    join(variables)
    return changing(variables[0], function) if variables else function()


def unchanged(variables: Sequence[Variable], function: Callable[[], T]) -> T:
    """Call a function while nothing changes the variables."""
    while True:
        joins = _Joins.count
        groups = _groups(variables)
        with ExitStack() as stack:
            for group in groups:
                stack.enter_context(group.lock)
            if _Joins.count == joins:
                return function()


class Access:
    """How a program accesses its variables.

    Args:
        variables: those that it reads or updates.
        updated: those that it updates.
    """

    __slots__ = ("_variables", "_updated", "_known")

    def __init__(self, variables: Sequence[Variable], updated: Sequence[Variable]) -> None:
        join(updated)
        self._variables = variables
        self._updated = updated
        self._known: tuple[int, list[Group]] = (-1, [])

    def _found(self) -> tuple[int, list[Group]]:
        """How often groups have been joined, and the groups."""
        joins = _Joins.count
        self._known = joins, [g for g in _groups(self._variables) if g.tracked]
        return self._known

    def update(self, run: Callable[[Any], T], feeds: Any) -> T:
        """Call a function of feeds that updates variables."""
        joins, groups = self._known
        if joins != _Joins.count:
            joins, groups = self._found()
        if len(groups) == 1:
            with groups[0].lock:
                if _Joins.count == joins:
                    return groups[0].change(run, feeds)
        return unchanged(self._variables, lambda: _group(self._updated[0]).change(run, feeds))

    def read(self, run: Callable[[Any], T], feeds: Any) -> T:
        """Call a function of feeds that only reads variables."""
        joins, groups = self._known
        if joins != _Joins.count:
            joins, groups = self._found()
        before = _state(groups)
        if before >= 0:
            try:
                found = run(feeds)
            except Exception:
                if _Joins.count == joins and _state(groups) == before:
                    raise
            else:
                if _Joins.count == joins and _state(groups) == before:
                    return found
        return unchanged(self._variables, lambda: run(feeds))


def _state(groups: list[Group]) -> int:
    """The sum of the versions, which grow only, so that it is the same where each is; -1 while a change is under way.
    """
    total = 0
    for group in groups:
        version = group.version
        if version & 1:
            return -1
        total += version
    return total


def access(variables: Sequence[Variable], updated: Sequence[Variable]) -> Callable[[Callable[[Any], T], Any], T]:
    """A function that calls a function of feeds, which reads variables and updates some of them."""
    made = Access(variables, updated)
    return made.update if updated else made.read
