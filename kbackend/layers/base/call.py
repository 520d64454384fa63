"""One call of a layer: its operands, its results, and the losses and updates added inside."""

from __future__ import annotations

from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import walk
from kbackend.layers.base.recording import Frame, Measured, Record
from kbackend.layers.base.structures import flat_tensors
from kbackend.streams import Stream


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
        return flat_tensors((self.inputs, self.kwargs))

    @property
    def input_tensors(self) -> list[Tensor]:
        """The operands, by Keras's name."""
        return self.operands

    @property
    def output_tensors(self) -> list[Tensor]:
        """The tensors made, by Keras's name."""
        return list(self.outputs)

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
            else:
                makers.append(tensor.node)
        return makers[::-1]

    measured = flat_tensors([(*m.args, *m.kwargs.values()) for m in call.metrics])
    results = [*call.outputs, *(r.tensor for r in call.losses), *measured]
    for _ in walk([t.node for t in results[::-1] if id(t) not in stop], behind):
        pass
    return list(found.values())
