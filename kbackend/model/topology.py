"""The graph of a model as calls of layers and the raw ops between them, from its inputs to its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import DisconnectedGraph, depends_on, walk
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.input import InputLayer, is_held
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import unique_name
from kbackend.ops.core.gradients import gradient_flows

Unit = LayerCall | Node


def unit_of(tensor: Tensor) -> Unit:
    """The call of a layer that made the tensor, or else its node."""
    return tensor.history if tensor.history is not None else tensor.node


def sources_of(unit: Unit) -> Sequence[Tensor]:
    """The tensors that a unit reads."""
    return unit.sources if isinstance(unit, LayerCall) else unit.inputs


class Topology:
    """What lies between a model's inputs and outputs.

    Args:
        unique: whether the names of the layers must differ.

    Attributes:
        inputs, outputs: the tensors.
        input_layers: one for each input.
        units: calls of layers and raw nodes in an order in which they can run.
        layers: in order of traversal: those farthest from the outputs first, then as first met from the
            outputs.
        calls: the calls of layers among the units.

    Raises:
        DisconnectedGraph: an output depends on an input that is not among the inputs.
        ValueError: two layers with one name; an input twice, or the learning phase.
        TypeError: an input or output that is not a symbolic tensor.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], name: str, unique: bool = True) -> None:
        self.name = name
        self.inputs = _checked_inputs(inputs, name)
        self.outputs = _checked_outputs(outputs, name)
        self._input_ids = {id(t): i for i, t in enumerate(self.inputs)}
        self.units, met = self._walk()
        self.calls = [u for u in self.units if isinstance(u, LayerCall)]
        self.input_layers = [self._input_layer(t) for t in self.inputs]
        self.layers = self._sorted_layers(met)
        if unique:
            _check_names(self.layers, name)

    @cached_property
    def fed(self) -> list[int]:
        """The places of the inputs that take data: those that are no variables or constants."""
        return [place for place, tensor in enumerate(self.inputs) if not is_held(tensor)]

    @cached_property
    def fed_inputs(self) -> tuple[Tensor, ...]:
        """The inputs that take data."""
        return tuple(self.inputs[place] for place in self.fed)

    def _input_layer(self, tensor: Tensor) -> Layer:
        history = tensor.history
        if history is not None and isinstance(history.layer, InputLayer):
            return history.layer
        layer = InputLayer(input_tensor=tensor, name=unique_name("input"))
        tensor.history = history
        return layer

    # walking ------------------------------------------------------------------------------------------------

    def _walk(self) -> tuple[list[Unit], dict[int, int]]:
        """Units in topological order, and for each layer and input by id how early it is met from the
        outputs."""
        met: dict[int, int] = {}

        def made_by(tensors: Sequence[Tensor]) -> list[Tensor | Unit]:
            return [t if id(t) in self._input_ids else unit_of(t) for t in tensors]

        def behind(found: Tensor | Unit) -> Sequence[Tensor | Unit]:
            if isinstance(found, Tensor):
                met.setdefault(id(found), len(met))
                return ()
            self._check_reached(found)
            if isinstance(found, LayerCall):
                met.setdefault(id(found.layer), len(met))
            return made_by(sources_of(found))

        ordered = walk(made_by(self.outputs), behind, after=True)
        return [found for found in ordered if not isinstance(found, Tensor)], met

    def _check_reached(self, unit: Unit) -> None:
        is_input = isinstance(unit, LayerCall) and isinstance(unit.layer, InputLayer)
        if not is_input and not (isinstance(unit, Node) and unit.op.role is Role.PLACEHOLDER):
            return
        tensor = unit.outputs[0]
        given = ", ".join(f"{t.name!r} {t.shape}" for t in self.inputs)
        raise DisconnectedGraph(
            f"model {self.name}: the graph is disconnected: an output needs the tensor {tensor.name!r} of "
            f"shape {tensor.shape}, which is neither among the inputs ({given}) nor computed from them"
        )

    def _sorted_layers(self, met: dict[int, int]) -> list[Layer]:
        depths, layer_depths = self._depths()
        found: dict[int, tuple[int, int, Layer]] = {}
        for call in self.calls:
            found[id(call.layer)] = (-layer_depths[id(call.layer)], met[id(call.layer)], call.layer)
        for tensor, layer in zip(self.inputs, self.input_layers):
            found[id(layer)] = (-depths.get(id(tensor), 0), met.get(id(tensor), -1), layer)
        return [layer for _, _, layer in sorted(found.values(), key=lambda entry: entry[:2])]

    def _depths(self) -> tuple[dict[int, int], dict[int, int]]:
        """Distances from the outputs in layers: of units and inputs by id, and of layers by id."""
        depths: dict[int, int] = {}
        layer_depths: dict[int, int] = {}
        for unit in reversed(self.units):
            depth = depths.get(id(unit), 0)
            step = 0
            if isinstance(unit, LayerCall):
                step = 1
                depth = max(depth, layer_depths.get(id(unit.layer), 0))
                layer_depths[id(unit.layer)] = depth
                depths[id(unit)] = depth
            for tensor in sources_of(unit):
                key = id(tensor) if id(tensor) in self._input_ids else id(unit_of(tensor))
                depths[key] = max(depths.get(key, 0), depth + step)
        return depths, layer_depths

    # what it holds ------------------------------------------------------------------------------------------

    @cached_property
    def variables(self) -> list[Variable]:
        """The variables that belong to the model without being a layer's, in order of making.

        They are outputs, arguments of layers and operands of raw operations between the layers; what a layer's call
        reads from around itself is not among them, nor are counters and hyperparameters. An output depends on them
        through differentiable operations alone: ``K.stop_gradient`` keeps one out.
        """
        hidden = {id(v) for layer in self.layers for v in _hyperparameters(layer)}
        found: dict[int, Variable] = {}
        for unit in self.units:
            if not isinstance(unit, LayerCall):
                hidden.update(id(unit.args[unit.op.operands.index(name)]) for name in unit.op.hyperparameters)
            found.update((id(t), t) for t in sources_of(unit) if isinstance(t, Variable) and not t.counter)
        found.update((id(t), t) for t in self.outputs if isinstance(t, Variable))
        hidden.update(self._input_ids)
        chosen = sorted((v for k, v in found.items() if k not in hidden), key=lambda v: v.uid)
        return [v for v, used in zip(chosen, depends_on(self.outputs, chosen, gradient_flows)) if used]

    @property
    def ops(self) -> list[Node]:
        """The raw ops between the layers, without constants, variables and the learning phase."""
        hidden = (Role.CONSTANT, Role.VARIABLE, Role.PHASE)
        return [u for u in self.units if isinstance(u, Node) and u.op.role not in hidden]

    def origin(self, tensor: Tensor) -> str | None:
        """What makes a tensor: "layer[call][output]", or the name of an op or variable; None for a constant and the
        learning phase."""
        if id(tensor) in self._input_ids:
            return f"{self.input_layers[self._input_ids[id(tensor)]].name}[0][0]"
        if tensor.history is not None:
            call = tensor.history
            return f"{call.layer.name}[{call.index}][{call.output_index(tensor)}]"
        return None if tensor.node.op.role in (Role.CONSTANT, Role.PHASE) else tensor.name


def _hyperparameters(layer: Layer) -> list[Any]:
    """Variables that are no weights: live hyperparameters, and the states of stateful layers."""
    found: list[Any] = []
    for each in Inside(layer).layers:
        found += [getattr(each, key, None) for key in each.hyperparameters]
        if hasattr(each, "states") and each.stateful:
            found += each.states or ()
    return [v for v in found if isinstance(v, Variable)]


def _checked_inputs(inputs: Sequence[Any], name: str) -> tuple[Tensor, ...]:
    seen: set[int] = set()
    for position, tensor in enumerate(inputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"model {name}: input {position} must be a symbolic tensor, made by Input(shape), not "
                f"{tensor!r}"
            )
        if tensor.node.op.role is Role.PHASE:
            raise ValueError(
                f"model {name}: input {position} is the learning phase, which is no data; make one with Input(shape)"
            )
        if id(tensor) in seen:
            raise ValueError(f"model {name}: the input {tensor.name!r} is listed twice")
        seen.add(id(tensor))
    return tuple(inputs)


def _checked_outputs(outputs: Sequence[Any], name: str) -> tuple[Tensor, ...]:
    for position, tensor in enumerate(outputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"model {name}: output {position} must be a symbolic tensor computed from the inputs, not "
                f"{tensor!r}"
            )
    return tuple(outputs)


def _check_names(layers: Sequence[Layer], name: str) -> None:
    counts: dict[str, int] = {}
    for layer in layers:
        counts[layer.name] = counts.get(layer.name, 0) + 1
    for repeated, count in counts.items():
        if count > 1:
            raise ValueError(
                f"model {name}: the name {repeated!r} is used for {count} layers; names must be unique in "
                "a model"
            )
