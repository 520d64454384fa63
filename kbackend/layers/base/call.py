"""What is remembered of a layer's calls: operands, results, and the losses and updates made inside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.streams import trying


class Record(NamedTuple):
    """A loss or an update that a layer made during a call."""

    layer: Any
    tensor: Any


class LayerCall:
    """One call of a layer on symbolic tensors, made outside all other layers' calls.

    Attributes:
        layer: the layer.
        inputs: the first argument: a tensor, or a list, tuple or dict of tensors.
        kwargs: the other arguments.
        index: which call of the layer this is.
        outputs: the tensors made.
        structure: the result as ``call`` returned it.
        losses, updates: what the layer and the layers inside it recorded.
    """

    __slots__ = (
        "layer",
        "inputs",
        "kwargs",
        "index",
        "outputs",
        "structure",
        "losses",
        "updates",
        "_sources",
    )

    def __init__(self, layer: Any, inputs: Any, kwargs: dict[str, Any], index: int) -> None:
        self.layer = layer
        self.inputs = inputs
        self.kwargs = kwargs
        self.index = index
        self.outputs: tuple[Tensor, ...] = ()
        self.structure: Any = None
        self.losses: list[Record] = []
        self.updates: list[Record] = []
        self._sources: tuple[Tensor, ...] | None = None

    @property
    def operands(self) -> list[Tensor]:
        """The symbolic tensors among the arguments."""
        return flat_tensors((self.inputs, self.kwargs))

    @property
    def captured(self) -> tuple[Tensor, ...]:
        """Tensors of the graph around that the call reads without having been given them (closures)."""
        return self.sources[len(self.operands) :]

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """The operands and then the captured tensors: everything from around that the results depend on."""
        if self._sources is None:
            given = self.operands
            self._sources = (*given, *_captured(self, given))
        return self._sources

    def output_index(self, tensor: Tensor) -> int:
        return next(i for i, t in enumerate(self.outputs) if t is tensor)

    def __repr__(self) -> str:
        return f"<call {self.index} of {self.layer.name}>"


def _captured(call: LayerCall, given: list[Tensor]) -> list[Tensor]:
    # masks come along with the operands that carry them
    stop = {id(t) for t in given} | {id(t._keras_mask) for t in given if t._keras_mask is not None}
    found: dict[int, Tensor] = {}
    seen: set[int] = set()
    results = [*call.outputs, *(r.tensor for r in call.losses)]
    stack: list[Node] = [t.node for t in results if id(t) not in stop]
    while stack:
        node = stack.pop()
        if node.number in seen:
            continue
        seen.add(node.number)
        for tensor in node.inputs:
            if id(tensor) in stop:
                continue
            outside = tensor.history is not None and tensor.history is not call
            if outside or tensor.node.op.role is Role.PLACEHOLDER:
                found[id(tensor)] = tensor
            elif tensor.node.number not in seen:
                stack.append(tensor.node)
    return list(found.values())


# ------------------------------------------------------------------------------------------------ recording


class _Frame:
    """What the layers record while one call runs."""

    __slots__ = ("losses", "updates")

    def __init__(self) -> None:
        self.losses: list[Record] = []
        self.updates: list[Record] = []


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[_Frame] = []


_stack = _Stack()


def depth() -> int:
    """How many calls of layers are under way in this thread."""
    return len(_stack.frames)


def current() -> _Frame | None:
    """The innermost call under way."""
    return _stack.frames[-1] if _stack.frames else None


class recording:
    """A context for one call; inside another call, what was recorded is handed on to that."""

    def __enter__(self) -> _Frame:
        frame = _Frame()
        _stack.frames.append(frame)
        return frame

    def __exit__(self, kind: Any, *rest: Any) -> None:
        frame = _stack.frames.pop()
        if kind is None and _stack.frames:
            outer = _stack.frames[-1]
            outer.losses += frame.losses
            outer.updates += frame.updates


class detached:
    """A context whose calls leave nothing behind: no calls of layers, no losses, no updates, no draws."""

    def __enter__(self) -> None:
        self._kept = _stack.frames
        _stack.frames = [_Frame()]
        self._draws = trying()
        self._draws.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._draws.__exit__(*exc)
        _stack.frames = self._kept


# ------------------------------------------------------------------------------------------------ structures


def leaves(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    else:
        yield value


def flat_tensors(value: Any) -> list[Tensor]:
    """The symbolic tensors in a structure."""
    if isinstance(value, Tensor):
        return [value]
    return [leaf for leaf in leaves(value) if isinstance(leaf, Tensor)]


def map_structure(function: Callable[[Any], Any], value: Any) -> Any:
    """The structure with ``function`` applied to each leaf."""
    if isinstance(value, (list, tuple)):
        parts = [map_structure(function, part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {key: map_structure(function, part) for key, part in value.items()}
    return function(value)


def as_list(value: Any) -> list[Any]:
    """The value in a list, unless it is one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def one_or_list(values: Any) -> Any:
    """The only value, or the list."""
    return values[0] if len(values) == 1 else list(values)
