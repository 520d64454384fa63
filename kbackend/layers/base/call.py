"""One call of a layer: its operands, its results, and the losses and updates added inside."""

from __future__ import annotations

from typing import Any, NamedTuple

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import walk
from kbackend.layers.base.recording import Frame, Measured, Record
from kbackend.layers.base.structures import flat_tensors
from kbackend.streams import Stream


class Place(NamedTuple):
    """Where a tensor comes from, as ``_keras_history`` of Keras 2: the layer, which of its calls, and which result."""

    layer: Any
    node_index: int
    tensor_index: int


class LayerCall:
    """One call of a layer on symbolic tensors, made outside all other layers' calls.

    Attributes:
        layer: the layer.
        inputs: the first argument: a tensor, or a list, tuple or dict of tensors.
        kwargs: the other arguments.
        index: which call of the layer this is.
        outputs: the tensors made.
        structure: the result as ``call`` returned it.
        losses, updates, frozen, metrics: what the layer and the layers inside it added; see
            :class:`kbackend.layers.base.recording.Frame`.
        draws: the streams of the random draws made inside, without those of initial values.
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
        "frozen",
        "metrics",
        "draws",
        "_sources",
        "__weakref__",
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
        self.frozen: list[Record] = []
        self.metrics: list[Measured] = []
        self.draws: list[Stream] = []
        self._sources: tuple[Tensor, ...] | None = None

    def take(self, frame: Frame) -> None:
        """Keep what was added during the call."""
        self.losses, self.updates, self.frozen, self.metrics = frame.losses, frame.updates, frame.frozen, frame.metrics

    @property
    def operands(self) -> list[Tensor]:
        """The symbolic tensors among the arguments."""
        if not self.kwargs:
            return flat_tensors(self.inputs)
        return flat_tensors((self.inputs, self.kwargs))

    @property
    def input_tensors(self) -> list[Tensor]:
        """The operands, by Keras's name."""
        return self.operands

    @property
    def output_tensors(self) -> list[Tensor]:
        """The tensors made, by Keras's name."""
        return list(self.outputs)

    # what else nodes of Keras 2 have

    @property
    def outbound_layer(self) -> Any:
        """The layer."""
        return self.layer

    @property
    def inbound_layers(self) -> list[Any]:
        """The layers that the operands come from, None for one of an operation outside layers."""
        return [None if t.history is None else t.history.layer for t in self.operands]

    @property
    def node_indices(self) -> list[int]:
        """Which call of its layer each operand comes from; 0 where it comes from none."""
        return [0 if t.history is None else t.history.index for t in self.operands]

    @property
    def tensor_indices(self) -> list[int]:
        """Which result of that call each operand is; 0 where there is none."""
        return [0 if t.history is None else t.history.output_index(t) for t in self.operands]

    @property
    def input_shapes(self) -> list[Any]:
        return [t.shape for t in self.operands]

    @property
    def output_shapes(self) -> list[Any]:
        return [t.shape for t in self.outputs]

    @property
    def input_masks(self) -> list[Any]:
        return [t._keras_mask for t in self.operands]

    @property
    def output_masks(self) -> list[Any]:
        return [t._keras_mask for t in self.outputs]

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments."""
        return self.kwargs

    def place_of(self, tensor: Tensor) -> Place:
        """What ``_keras_history`` of a result is."""
        return Place(self.layer, self.index, self.output_index(tensor))

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

    def behind(node: Node) -> list[Node]:
        makers = []
        for tensor in node.inputs:
            if id(tensor) in stop:
                continue
            outside = tensor.history is not None and tensor.history is not call
            if outside or tensor.node.op.role is Role.PLACEHOLDER:
                found[id(tensor)] = tensor
            elif tensor.node.inputs:
                makers.append(tensor.node)
        return makers[::-1]

    measured = flat_tensors([(*m.args, *m.kwargs.values()) for m in call.metrics]) if call.metrics else []
    results = [*call.outputs, *(r.tensor for r in call.losses), *measured]
    for _ in walk([t.node for t in results[::-1] if id(t) not in stop], behind):
        pass
    return list(found.values())
