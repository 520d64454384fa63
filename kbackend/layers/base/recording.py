"""Losses and updates that layers add while a call runs, kept per thread."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from kbackend.streams import trying


class Record(NamedTuple):
    """A loss or an update that a layer added."""

    layer: Any
    tensor: Any


class Frame:
    """What the layers add during one call."""

    __slots__ = ("losses", "updates")

    def __init__(self) -> None:
        self.losses: list[Record] = []
        self.updates: list[Record] = []


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[Frame] = []


_stack = _Stack()


def depth() -> int:
    """How many calls of layers are running in this thread."""
    return len(_stack.frames)


def current() -> Frame | None:
    """The frame of the innermost call running in this thread."""
    return _stack.frames[-1] if _stack.frames else None


class recording:
    """A context for one call; an inner call passes its records to the outer one."""

    def __enter__(self) -> Frame:
        frame = Frame()
        _stack.frames.append(frame)
        return frame

    def __exit__(self, kind: Any, *rest: Any) -> None:
        frame = _stack.frames.pop()
        if kind is None and _stack.frames:
            outer = _stack.frames[-1]
            outer.losses += frame.losses
            outer.updates += frame.updates


class detached:
    """A context whose calls leave no trace: no history, no losses, no updates, no draws."""

    def __enter__(self) -> None:
        self._kept = _stack.frames
        _stack.frames = [Frame()]
        self._draws = trying()
        self._draws.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._draws.__exit__(*exc)
        _stack.frames = self._kept
