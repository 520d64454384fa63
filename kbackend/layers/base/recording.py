"""Losses and updates that layers add while a call runs, kept per thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from kbackend.ops.control.subgraph import on_copied
from kbackend.streams import trying


class Record(NamedTuple):
    """What a layer added: a loss, an update, or a result with the one that replaces it where the layer is frozen.

    Attributes:
        layer: the layer.
        tensor: what it added.
        around: the layers in whose calls the layer was called.
    """

    layer: Any
    tensor: Any
    around: tuple[Any, ...] = ()

    @property
    def trainable(self) -> bool:
        """Whether the layer and all layers around it are trainable now."""
        return self.layer.trainable and all(layer.trainable for layer in self.around)

    def inside(self, layer: Any) -> Record:
        """The record, with one more layer around."""
        return self._replace(around=(*self.around, layer))


class Frame:
    """What the layers add during one call of a layer.

    Attributes:
        layer: the layer that is called, None where there is none.
        losses, updates: what was added.
        frozen: pairs (result, what replaces it where the layer is not trainable).
    """

    __slots__ = ("layer", "losses", "updates", "frozen")

    def __init__(self, layer: Any = None) -> None:
        self.layer = layer
        self.losses: list[Record] = []
        self.updates: list[Record] = []
        self.frozen: list[Record] = []

    def add(self, inner: Frame) -> None:
        """Add what an inner call recorded."""
        self.losses += [r.inside(self.layer) for r in inner.losses]
        self.updates += [r.inside(self.layer) for r in inner.updates]
        self.frozen += [r.inside(self.layer) for r in inner.frozen]


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[Frame] = []


_stack = _Stack()


def _follow(copies: Mapping[int, Any]) -> None:
    """Record the copies of results, too, that stand for them in the body of a loop."""
    for frame in _stack.frames:
        found = [r for r in frame.frozen if id(r.tensor[0]) in copies]
        frame.frozen += [r._replace(tensor=tuple(copies.get(id(t), t) for t in r.tensor)) for r in found]


on_copied.append(_follow)


def depth() -> int:
    """How many calls of layers are running in this thread."""
    return len(_stack.frames)


def current() -> Frame | None:
    """The frame of the innermost call running in this thread."""
    return _stack.frames[-1] if _stack.frames else None


class recording:
    """A context for one call of a layer; an inner call passes its records to the outer one."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __enter__(self) -> Frame:
        frame = Frame(self.layer)
        _stack.frames.append(frame)
        return frame

    def __exit__(self, kind: Any, *rest: Any) -> None:
        frame = _stack.frames.pop()
        if kind is None and _stack.frames:
            _stack.frames[-1].add(frame)


class outermost:
    """A context whose calls are inside no other call: layers build in it, so that models made there are whole."""

    def __enter__(self) -> None:
        self._kept = _stack.frames
        _stack.frames = []

    def __exit__(self, *exc: Any) -> None:
        _stack.frames = self._kept


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
