"""The structure of a model as plain values.

The form is Keras's: layers with the calls made of each ("inbound_nodes"), references [layer, call, output]. Beside it
stand the raw ops ("ops"), whose results are referred to as [["op", number], output], and the variables that they read,
as [["variable", number], 0]. :mod:`kbackend.model.reading` makes models from it.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.model.topology import Topology
from kbackend.registry import plain, registered_name
from kbackend.saving.errors import FormatError

#: the key of an object that stands for a tensor
TENSOR = "tensor"


class ConfigurationError(FormatError):
    """A model's structure cannot be written or read; the message says which part."""


def model_config(model: Any) -> dict[str, Any]:
    """See :meth:`kbackend.Model.get_config`."""
    return _Writer(model._topology, model.name).config(model)


class _Writer:
    def __init__(self, topology: Topology, name: str) -> None:
        self.topology = topology
        self.name = name
        self.places: dict[int, Any] = {}
        self.variables: list[Variable] = []
        self.numbers: dict[int, int] = {}
        self.calls: dict[int, list[LayerCall]] = {}
        for tensor, layer in zip(topology.inputs, topology.input_layers):
            self.places[id(tensor)] = [layer.name, 0, 0]
        self.nodes = [u for u in topology.units if isinstance(u, Node) and not _is_variable(u)]
        for call in sorted(topology.calls, key=lambda c: c.index):
            held = self.calls.setdefault(id(call.layer), [])
            for i, tensor in enumerate(call.outputs):
                self.places[id(tensor)] = [call.layer.name, len(held), i]
            held.append(call)
        for number, node in enumerate(self.nodes):
            for i, tensor in enumerate(node.outputs):
                self.places[id(tensor)] = [["op", number], i]

    def config(self, model: Any) -> dict[str, Any]:
        layers = [self.layer(layer) for layer in self.topology.layers]
        ops = [self.op(node) for node in self.nodes]
        found = {
            "name": model.name,
            "layers": layers,
            "input_layers": [self.place(t) for t in self.topology.inputs],
            "output_layers": [self.place(t) for t in self.topology.outputs],
            "single": [model._single_input, model._single_output],
        }
        if ops or self.variables:
            found["ops"] = ops
            found["variables"] = [_variable_config(v) for v in self.variables]
        return found

    def place(self, tensor: Tensor) -> Any:
        if isinstance(tensor, Variable) and id(tensor) not in self.places:
            number = self.numbers.setdefault(id(tensor), len(self.variables))
            if number == len(self.variables):
                self.variables.append(tensor)
            return [["variable", number], 0]
        return copy.deepcopy(self.places[id(tensor)])  # a configuration shares no lists within itself

    def layer(self, layer: Any) -> dict[str, Any]:
        calls = self.calls.get(id(layer), [])
        return {
            "name": layer.name,
            "class_name": registered_name(type(layer)),
            "config": layer.get_config(),
            "inbound_nodes": [self.call(call) for call in calls],
        }

    def call(self, call: LayerCall) -> dict[str, Any]:
        if call.captured:
            names = ", ".join(t.name for t in call.captured)
            raise ConfigurationError(
                f"model {self.name}: the layer {call.layer.name} reads {names} without having been "
                "given it; pass it as an argument so that the model can be written"
            )
        return {"inputs": self.value(call.inputs), "kwargs": self.value(call.kwargs)}

    def value(self, value: Any) -> Any:
        return tree_map(lambda v: {TENSOR: self.place(v)} if isinstance(v, Tensor) else plain(v), value)

    def op(self, node: Node) -> dict[str, Any]:
        attrs = {k: _attribute(k, v, node, self.name) for k, v in node.attrs.items() if k != "name"}
        return {"op": node.op.name, "args": [self.argument(a) for a in node.args], "attrs": attrs}

    def argument(self, arg: Any) -> Any:
        if isinstance(arg, Tensor):
            return {TENSOR: self.place(arg)}
        return [self.argument(a) for a in arg] if isinstance(arg, tuple) else None


def _is_variable(unit: Node) -> bool:
    return any(isinstance(t, Variable) for t in unit.outputs)


def _variable_config(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "dtype": variable.dtype,
        "trainable": variable.trainable,
        "shape": list(variable.shape),
        "counter": variable.counter,
        "value": variable.numpy().tolist(),
    }


def _attribute(key: str, value: Any, node: Node, model: str) -> Any:
    """An op's attribute as a plain value; tuples, arrays and slices are marked."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, (tuple, list)):
        return {"tuple": [_attribute(key, v, node, model) for v in value]}
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"ellipsis": True}
    raise ConfigurationError(
        f"model {model}: the op {node.name} has the attribute {key} of type {type(value).__name__}, "
        "which cannot be written; put the op into a Layer of your own"
    )
