"""A model as boxes and arrows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kbackend.drawing.boxes import Box, Diagram
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.input import InputLayer
from kbackend.layers.base.structures import flat_tensors
from kbackend.model.topology import Topology, sources_of, unit_of


@dataclass(frozen=True)
class Shown:
    """What the boxes of layers say beside their classes.

    Attributes:
        shapes, dtypes, names, activations, trainable: whether they do.
        nested: whether models inside a model are drawn with their layers.
    """

    shapes: bool = False
    dtypes: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False
    nested: bool = False


def diagram_of(model: Any, shown: Shown = Shown()) -> Diagram:
    """The diagram of a model: a box for each input, for each call of a layer, and for each operation between layers.

    A model whose shapes are not known yet is the chain of its layers.

    Raises:
        TypeError: it is no model.
    """
    if not (hasattr(model, "built") and hasattr(model, "layers")):
        raise TypeError(f"what is drawn must be a Model or Sequential, it is {model!r}")
    if not model.built:
        chain = [_layer_box(layer, None, replace(shown, shapes=False, dtypes=False)) for layer in model.layers]
        return Diagram(chain, [(i, i + 1) for i in range(len(chain) - 1)])
    return _Writer(model._topology, shown).diagram


class _Writer:
    def __init__(self, topology: Topology, shown: Shown) -> None:
        self.diagram, self.shown = Diagram(), shown
        self.numbers: dict[int, int] = {}
        self.calls: dict[int, int] = {}
        for call in topology.calls:
            self.calls[id(call.layer)] = self.calls.get(id(call.layer), 0) + 1
        for tensor, layer in zip(topology.inputs, topology.input_layers):
            self.numbers[id(tensor)] = self._add(self._input_box(layer, tensor))
        for unit in topology.units:
            if isinstance(unit, LayerCall):
                if not isinstance(unit.layer, InputLayer):
                    self._put(unit, self._call_box(unit))
            elif unit.op.role not in (Role.CONSTANT, Role.PHASE) and unit.inputs:
                self._put(unit, self._op_box(unit))

    def _add(self, box: Box) -> int:
        self.diagram.boxes.append(box)
        return len(self.diagram.boxes) - 1

    def _put(self, unit: Any, box: Box) -> None:
        number = self.numbers[id(unit)] = self._add(box)
        sources = (self._number(tensor) for tensor in sources_of(unit))
        self.diagram.edges += [(source, number) for source in dict.fromkeys(sources) if source is not None]

    def _number(self, tensor: Tensor) -> int | None:
        return self.numbers.get(id(tensor), self.numbers.get(id(unit_of(tensor))))

    def _input_box(self, layer: Any, tensor: Tensor) -> Box:
        rows = [layer.name] if self.shown.names else []
        return Box("Input", [*rows, *_tensor_rows([], [tensor], self.shown)], "input")

    def _call_box(self, call: LayerCall) -> Box:
        box = _layer_box(call.layer, call, self.shown)
        if self.calls[id(call.layer)] > 1 and box.inner is None:
            box.kind = "shared"
            box.rows.insert(0, f"shared, call {call.index + 1}")
        return box

    def _op_box(self, node: Node) -> Box:
        rows = _tensor_rows(node.inputs, node.outputs, self.shown)
        return Box(node.op.name, rows, "op")


def _layer_box(layer: Any, call: LayerCall | None, shown: Shown) -> Box:
    is_model = hasattr(layer, "_topology")
    rows = [layer.name] if shown.names else []
    activation = getattr(layer, "activation", None)
    if shown.activations and activation is not None:
        rows.append(f"activation: {getattr(activation, '__name__', type(activation).__name__)}")
    if shown.trainable and layer.weights:
        rows.append("trainable" if layer.trainable else "not trainable")
    if call is not None:
        rows += _tensor_rows(call.operands, flat_tensors(call.structure), shown)
    frozen = bool(layer.weights) and not layer.trainable
    kind = "model" if is_model else "frozen" if frozen else "layer"
    inner = diagram_of(layer, shown) if is_model and shown.nested else None
    return Box(type(layer).__name__, rows, kind, inner)


def _tensor_rows(given: Any, made: Any, shown: Shown) -> list[str]:
    rows = []
    for wanted, text in ((shown.shapes, lambda t: str(t.shape)), (shown.dtypes, lambda t: t.dtype)):
        if wanted:
            sides = [", ".join(dict.fromkeys(text(t) for t in side)) for side in (given, made)]
            rows.append(" → ".join(side for side in sides if side))
    return rows
