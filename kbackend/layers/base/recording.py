"""Losses, updates and metrics that layers add while a call runs, kept per thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from kbackend.graph.variable import recorder
from kbackend.ops.control.subgraph import on_copied
from kbackend.streams import trying


class Record(NamedTuple):
    """What a layer added: a loss, an update, or a result with the one that replaces it where the layer is frozen.

    Attributes:
        layer: the layer.
        tensor: what it added.
        around: the layers in whose calls the layer was called.
        inputs: the tensors on which it is said to depend, beside those that it is computed from.
    """

    layer: Any
    tensor: Any
    around: tuple[Any, ...] = ()
    inputs: tuple[Any, ...] = ()

    @property
    def trainable(self) -> bool:
        """Whether the layer and all layers around it are trainable now."""
        return self.layer.trainable and all(layer.trainable for layer in self.around)

    def inside(self, layer: Any) -> Record:
        """The record, with one more layer around."""
        return self._replace(around=(*self.around, layer))


class Measured(NamedTuple):
    """A batch that a metric takes during a call.

    Attributes:
        metric: the metric.
        args, kwargs: what its ``update_state`` takes.
        result: its value with this batch, as the call got it.
    """

    metric: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any = None


class Frame:
    """What the layers add during one call of a layer.

    Attributes:
        layer: the layer that is called, None where there is none.
        losses, updates: what was added.
        frozen: pairs (result, what replaces it where the layer is not trainable).
        metrics: what metrics take.
    """

    __slots__ = ("layer", "losses", "updates", "frozen", "metrics")

    def __init__(self, layer: Any = None) -> None:
        self.layer = layer
        self.losses: list[Record] = []
        self.updates: list[Record] = []
        self.frozen: list[Record] = []
        self.metrics: list[Measured] = []

    def add(self, inner: Frame) -> None:
        """Add what an inner call recorded."""
        self.losses += [r.inside(self.layer) for r in inner.losses]
        self.updates += [r.inside(self.layer) for r in inner.updates]
        self.frozen += [r.inside(self.layer) for r in inner.frozen]
        self.metrics += inner.metrics


class Root(Frame):
    """What is added around the outermost calls, while the ``call`` of a model or a step is traced, and these calls.

    Attributes:
        calls: the calls, in their order.
    """

    __slots__ = ("calls",)
    #: whether the losses of layers are those of the calls in it, which ``losses_of`` gives
    ends_losses = False

    def __init__(self, layer: Any = None) -> None:
        super().__init__(layer)
        self.calls: list[Any] = []

    def take(self, call: Any) -> Any:
        """Take an outermost call that has ended, and give its result."""
        self.calls.append(call)
        return call.structure

    def losses_of(self, layer: Any) -> list[Any]:
        """The losses that a layer has added."""
        return [r.tensor for r in self.losses if r.layer is layer]


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.root: Root | None = None


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
    """The frame of the innermost call running in this thread, or of what is traced around it."""
    return _stack.frames[-1] if _stack.frames else _stack.root


def root() -> Root | None:
    """What is traced around the outermost calls, None where nothing is."""
    return _stack.root


class recording:
    """A context for one call of a layer; an inner call passes its records to the outer one.

    Updates made inside are those of the call: a step that is traced around it takes them when the call has ended.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __enter__(self) -> Frame:
        frame = Frame(self.layer)
        _stack.frames.append(frame)
        self._token = None if recorder.get() is None else recorder.set(None)
        return frame

    def __exit__(self, kind: Any, *rest: Any) -> None:
        if self._token is not None:
            recorder.reset(self._token)
        frame = _stack.frames.pop()
        if kind is None and _stack.frames:
            _stack.frames[-1].add(frame)


class tracing:
    """A context in which calls are outermost ones and are kept, with what is added around them, in a root."""

    def __init__(self, kept: Root) -> None:
        self.root = kept

    def __enter__(self) -> Root:
        self._outer = _stack.frames, _stack.root
        _stack.frames, _stack.root = [], self.root
        return self.root

    def __exit__(self, *exc: Any) -> None:
        _stack.frames, _stack.root = self._outer


class outermost:
    """A context whose calls are inside no other call: layers build in it, so that models made there are whole."""

    def __enter__(self) -> None:
        self._kept = _stack.frames, _stack.root
        _stack.frames, _stack.root = [], None

    def __exit__(self, *exc: Any) -> None:
        _stack.frames, _stack.root = self._kept


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
