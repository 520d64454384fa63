"""Configurations of Keras 3 for models."""

from __future__ import annotations

from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_map
from kbackend.layers import GroupQueryAttention, InputLayer, Lambda, MultiHeadAttention
from kbackend.registry import plain, registered_name
from kbackend.saving.keras.objects import OTHER_ACTIVATIONS, to_keras
from kbackend.saving.keras.table import INNER, OWN, layer_classes
from kbackend.saving.keras.weights import refuse_own_call
from kbackend.saving.structure import is_model

_SEQUENTIAL = {"module": "keras", "class_name": "Sequential"}
_FUNCTIONAL = {"module": "keras.src.models.functional", "class_name": "Functional"}
#: ops between layers that Keras 3 has as operations
_OPS = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "Divide", "maximum": "Maximum",
    "minimum": "Minimum", "abs": "Absolute", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "square": "Square",
    "negative": "Negative", "sin": "Sin", "cos": "Cos",
}  # fmt: skip


def model_document(model: Any) -> dict[str, Any]:
    """The configuration of a model as Keras 3 has it.

    Raises:
        ValueError: a part that Keras has not; the message names it.
    """
    refuse_own_call(model)
    if model.is_chain:
        return {**_SEQUENTIAL, "config": _sequential(model), "registered_name": None}
    return {**_FUNCTIONAL, "config": _Functional(model).config(), "registered_name": "Functional"}


def _sequential(model: Any) -> dict[str, Any]:
    layers = [_entry(layer) for layer in model.layers]
    found: dict[str, Any] = {"name": model.name, "trainable": model.trainable, "dtype": model.dtype_policy.name,
                             "layers": layers}
    if model.built:
        first = model._tensors[0]
        layers.insert(0, _entry(first.history.layer))
        found["build_input_shape"] = list(first.shape)
    return found


def _entry(layer: Any) -> dict[str, Any]:
    if is_model(layer):
        return {**model_document(layer), "name": layer.name}
    if not type(layer).__module__.startswith("kbackend."):
        return _own_entry(layer)
    return {"module": "keras.layers", "class_name": type(layer).__name__, "config": _config(layer),
            "registered_name": None, "name": layer.name}


def _own_entry(layer: Any) -> dict[str, Any]:
    """The entry of a layer of a user's class, which a reader finds among its custom objects."""
    name = registered_name(type(layer))
    return {"module": None, "class_name": type(layer).__name__, "config": plain(layer.get_config()),
            "registered_name": name, "name": layer.name}


def _config(layer: Any) -> dict[str, Any]:
    if isinstance(layer, InputLayer):
        return {"batch_shape": list(layer._batch_input_shape or ()), "dtype": layer.dtype, "sparse": False,
                "ragged": False, "name": layer.name}
    if isinstance(layer, Lambda):  # by the name of its function, whose code is never written
        settings = layer.get_config()
        kept = {key: settings[key] for key in ("name", "trainable", "function", "arguments")}
        return {**kept, "function_type": "function"}
    if layer_classes().get(type(layer).__name__) is not type(layer):
        raise ValueError(f"the layer {layer.name} is a {type(layer).__name__}, which Keras has not")
    found = {
        key: _inner(getattr(layer, key)) if key in INNER else to_keras(key, value)
        for key, value in layer.get_config().items()
        if key not in OWN
    }
    for key, value in found.items():
        if key.endswith("activation") and value in OTHER_ACTIVATIONS:
            raise ValueError(f"the layer {layer.name}: {value} is another function in Keras 3")
    if type(layer).__name__.startswith(("Discretization", "SpatialDropout")):  # their constructors take none
        del found["trainable"]
    return found


def _inner(value: Any) -> Any:
    """The layers or cells that a layer holds."""
    return [_entry(layer) for layer in value] if isinstance(value, (list, tuple)) else _entry(value)


class _Functional:
    def __init__(self, model: Any) -> None:
        self.model, self.topology = model, model._topology
        self.places: dict[int, list[Any]] = {}
        for tensor, layer in zip(self.topology.inputs, self.topology.input_layers):
            self.places[id(tensor)] = [layer.name, 0, 0]
        self.nodes: dict[int, list[dict[str, Any]]] = {}

    def config(self) -> dict[str, Any]:
        ops = []
        for unit in self.topology.units:
            if isinstance(unit, Node):
                ops += self._op(unit)
            else:
                held = self.nodes.setdefault(id(unit.layer), [])
                for i, tensor in enumerate(unit.outputs):
                    self.places[id(tensor)] = [unit.layer.name, len(held), i]
                held.append(self._call(unit))
        model = self.model
        layers = [{**_entry(layer), "inbound_nodes": self.nodes.get(id(layer), [])} for layer in self.topology.layers]
        inputs, outputs = ([self.places[id(t)] for t in tensors]
                           for tensors in (self.topology.inputs, self.topology.outputs))
        return {
            "name": model.name,
            "trainable": model.trainable,
            "layers": layers + ops,
            "input_layers": inputs[0] if model._single_input else inputs,
            "output_layers": outputs[0] if model._single_output else outputs,
        }

    def _call(self, call: Any) -> dict[str, Any]:
        if call.captured:
            names = ", ".join(t.name for t in call.captured)
            raise ValueError(f"the layer {call.layer.name} reads {names} without having been given it")
        args = list(call.inputs) if isinstance(call.layer, (GroupQueryAttention, MultiHeadAttention)) else [call.inputs]
        kwargs = {k: v for k, v in call.kwargs.items() if k != "training"}
        return {"args": self._value(args), "kwargs": self._value(kwargs)}

    def _value(self, value: Any) -> Any:
        return tree_map(lambda v: self._tensor(v) if isinstance(v, Tensor) else plain(v), value)

    def _tensor(self, tensor: Tensor) -> dict[str, Any]:
        place = self.places.get(id(tensor))
        if place is None:
            raise ValueError(f"{tensor.name} is a variable or constant, which Keras has not between layers")
        config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": place}
        return {"class_name": "__keras_tensor__", "config": config}

    def _op(self, node: Node) -> list[dict[str, Any]]:
        """The entry of an op between layers; constants stand in the entries of the ops that read them."""
        if node.op.role is Role.CONSTANT:
            return []
        kind = _OPS.get(node.op.name)
        if kind is None:
            raise ValueError(
                f"model {self.model.name}: the op {node.op.name} ({node.name}) between layers cannot be written for "
                "Keras; put it into a layer that Keras has"
            )
        name = f"{node.op.name}_op_{node.number}"
        args = [self._operand(t) for t in node.inputs]
        self.places[id(node.outputs[0])] = [name, 0, 0]
        return [{"module": "keras.src.ops.numpy", "class_name": kind, "config": {"name": name}, "registered_name": kind,
                 "name": name, "inbound_nodes": [{"args": args, "kwargs": {}}]}]

    def _operand(self, tensor: Tensor) -> Any:
        if tensor.node.op.role is Role.CONSTANT:
            value = tensor.node.attrs["value"]
            if value.size != 1:
                raise ValueError(f"the constant {tensor.name} of shape {tensor.shape} cannot be written for Keras")
            return value.reshape(()).item()
        return self._tensor(tensor)
