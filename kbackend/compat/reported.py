"""What ``K.backend()`` answers while the hook is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.plugin import select

KNOWN = ("tensorflow", "theano", "cntk")
_reported: list[str | None] = [None]


def checked(name: Any) -> str | None:
    """A name that Keras 2.3 had, or None.

    Raises:
        ValueError: another.
    """
    if name is not None and name not in KNOWN:
        raise ValueError(f"report_backend must be {', '.join(map(repr, KNOWN))} or None, it is {name!r}")
    return name


def report(name: str | None) -> Callable[[], None]:
    """Answer with a name from now on; returns what undoes it."""
    _reported[0] = name
    return lambda: _reported.__setitem__(0, None)


def reported() -> str | None:
    """The name that is answered; None for that of the engine."""
    return _reported[0]


def backend() -> str:
    """The name that a program is told: the one that was chosen, or that of the engine."""
    return _reported[0] or select.backend()
