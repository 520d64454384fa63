"""Configurations of Keras 3 for models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kbackend import registry
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_map
from kbackend.layers import GroupQueryAttention, InputLayer, Lambda, MultiHeadAttention
from kbackend.registry import plain, registered_name
from kbackend.saving.keras.objects import OTHER_ACTIVATIONS, to_keras
from kbackend.saving.keras.table import INNER, OWN, has_layer, layer_classes, written_name
from kbackend.saving.keras.weights import refuse_own_call
from kbackend.saving.structure import is_model

#: the operands of ops between layers, as places of tensors or as numbers
Operands = list[Any]


class Form:
    """How Keras 3 writes models, layers and calls.

    Attributes:
        keras, version: the version of Keras, as a number and as its files name it.
        operations: the ops between layers that Keras has, by kbackend's names.
        sequential, functional: the entries of the classes of models.
        also: layers that are written though that version has not them.
    """

    keras, version = 3, "3.0.0"
    also: ClassVar[frozenset[str]] = frozenset()
    operations: ClassVar[Mapping[str, str]] = {
        "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "divide": "Divide", "maximum": "Maximum",
        "minimum": "Minimum", "abs": "Absolute", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "square": "Square",
        "negative": "Negative", "sin": "Sin", "cos": "Cos",
    }  # fmt: skip
    sequential: ClassVar[Mapping[str, Any]] = {"module": "keras", "class_name": "Sequential", "registered_name": None}
    functional: ClassVar[Mapping[str, Any]] = {
        "module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
    }  # fmt: skip

    def document(self, model: Any) -> dict[str, Any]:
        """The configuration of a model.

        Raises:
            ValueError: a part that Keras has not; the message names it.
        """
        refuse_own_call(model)
        if model.is_chain:
            return {**self.sequential, "config": self._chain(model)}
        return {**self.functional, "config": _Functional(model, self).config()}

    def _chain(self, model: Any) -> dict[str, Any]:
        layers = [self.entry(layer) for layer in model.layers]
        found: dict[str, Any] = {"name": model.name, "trainable": model.trainable, "dtype": model.dtype_policy.name,
                                 "layers": layers}
        if model.built:
            first = model._tensors[0]
            layers.insert(0, self.entry(first.history.layer))
            found["build_input_shape"] = list(first.shape)
        return found

    def entry(self, layer: Any) -> dict[str, Any]:
        """A layer or a model inside another."""
        if is_model(layer):
            return {**self.document(layer), "name": layer.name}
        if not type(layer).__module__.startswith("kbackend.") or type(layer) in registry.registered().values():
            return _own_entry(layer)
        return {"module": "keras.layers", "class_name": written_name(layer), "config": self._config(layer),
                "registered_name": None, "name": layer.name}

    def _config(self, layer: Any) -> dict[str, Any]:
        if isinstance(layer, InputLayer):
            return self.input_config(layer)
        if isinstance(layer, Lambda):  # by the name of its function, whose code is never written
            settings = layer.get_config()
            kept = {key: settings[key] for key in ("name", "trainable", "function", "arguments")}
            return {**kept, "function_type": "function"}
        kind = written_name(layer)
        has_kind = has_layer(kind, self.keras) or kind in self.also
        if layer_classes().get(type(layer).__name__) is not type(layer) or not has_kind:
            raise ValueError(f"the layer {layer.name} is a {kind}, which Keras {self.keras} has not")
        settings = layer.get_config()
        if layer._policies is not None:  # of the whole map, the layer needs its own policy
            settings["dtype"] = layer.dtype_policy.name
        if str(settings.get("dtype")).startswith("float8/"):  # no name of Keras's says how long its histories are
            mode, _, source = settings["dtype"].partition("_from_")
            config = {"mode": "float8", "source_name": source, "amax_history_length": int(mode.partition("/")[2])}
            settings["dtype"] = {"module": "keras", "class_name": "QuantizedFloat8DTypePolicy", "config": config,
                                 "registered_name": None}
        found = {
            key: self._inner(getattr(layer, key)) if key in INNER else to_keras(key, value)
            for key, value in settings.items()
            if key not in OWN
        }
        return self.arguments(layer, found)

    def _inner(self, value: Any) -> Any:
        """The layers or cells that a layer holds."""
        return [self.entry(layer) for layer in value] if isinstance(value, (list, tuple)) else self.entry(value)

    # what another version writes otherwise

    def input_config(self, layer: Any) -> dict[str, Any]:
        return {"batch_shape": list(layer._batch_input_shape or ()), "dtype": layer.dtype, "sparse": False,
                "ragged": False, "name": layer.name}

    def arguments(self, layer: Any, config: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a layer, from those of kbackend's.

        Raises:
            ValueError: one that Keras's layer has not, or that is another thing there.
        """
        for key, value in config.items():
            if key.endswith("activation") and value in OTHER_ACTIVATIONS:
                raise ValueError(f"the layer {layer.name}: {value} is another function in Keras 3")
        if type(layer).__name__.startswith(("Discretization", "SpatialDropout")):  # their constructors take none
            del config["trainable"]
        return config

    def first_call(self, layer: Any) -> int:
        """The number of the first call of a layer."""
        return 0

    def tensor(self, tensor: Tensor, place: list[Any]) -> Any:
        config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": place}
        return {"class_name": "__keras_tensor__", "config": config}

    def call(self, layer: Any, inputs: list[Any], kwargs: dict[str, Any], several: bool) -> Any:
        """A call of a layer, from what :meth:`tensor` gives and plain values; ``several`` inputs are a list."""
        apart = not several or isinstance(layer, (GroupQueryAttention, MultiHeadAttention))
        return {"args": inputs if apart else [inputs], "kwargs": kwargs}

    def operation(self, name: str, kind: str, operands: Operands) -> dict[str, Any]:
        """The entry of an op between layers."""
        return {"module": "keras.src.ops.numpy", "class_name": kind, "config": {"name": name}, "registered_name": kind,
                "name": name, "inbound_nodes": [{"args": operands, "kwargs": {}}]}


class _Functional:
    def __init__(self, model: Any, form: Form) -> None:
        self.model, self.topology, self.form = model, model._topology, form
        self.places: dict[int, list[Any]] = {}
        for tensor, layer in zip(self.topology.inputs, self.topology.input_layers):
            self.places[id(tensor)] = [layer.name, 0, 0]
        self.nodes: dict[int, list[Any]] = {}

    def config(self) -> dict[str, Any]:
        ops = []
        for unit in self.topology.units:
            if isinstance(unit, Node):
                ops += self._op(unit)
            else:
                held = self.nodes.setdefault(id(unit.layer), [])
                number = len(held) + self.form.first_call(unit.layer)
                for i, tensor in enumerate(unit.outputs):
                    self.places[id(tensor)] = [unit.layer.name, number, i]
                held.append(self._call(unit))
        model = self.model
        layers = [
            {**self.form.entry(layer), "inbound_nodes": self.nodes.get(id(layer), [])} for layer in self.topology.layers
        ]
        inputs, outputs = ([self.places[id(t)] for t in tensors]
                           for tensors in (self.topology.inputs, self.topology.outputs))
        return {
            "name": model.name,
            "trainable": model.trainable,
            "layers": layers + ops,
            "input_layers": inputs[0] if model._single_input else inputs,
            "output_layers": outputs[0] if model._single_output else outputs,
        }

    def _call(self, call: Any) -> Any:
        if call.captured:
            names = ", ".join(t.name for t in call.captured)
            raise ValueError(f"the layer {call.layer.name} reads {names} without having been given it")
        kwargs = {k: v for k, v in call.kwargs.items() if k != "training"}
        several = isinstance(call.inputs, (list, tuple))
        inputs = self._value(list(call.inputs) if several else [call.inputs])
        return self.form.call(call.layer, inputs, self._value(kwargs), several)

    def _value(self, value: Any) -> Any:
        return tree_map(lambda v: self._tensor(v) if isinstance(v, Tensor) else plain(v), value)

    def _tensor(self, tensor: Tensor) -> Any:
        place = self.places.get(id(tensor))
        if place is None:
            raise ValueError(f"{tensor.name} is a variable or constant, which Keras has not between layers")
        return self.form.tensor(tensor, place)

    def _op(self, node: Node) -> list[dict[str, Any]]:
        """The entry of an op between layers; constants stand in the entries of the ops that read them."""
        if node.op.role is Role.CONSTANT:
            return []
        kind = self.form.operations.get(node.op.name)
        if kind is None:
            raise ValueError(
                f"model {self.model.name}: the op {node.op.name} ({node.name}) between layers cannot be written for "
                "Keras; put it into a layer that Keras has"
            )
        name = f"{node.op.name}_op_{node.number}"
        operands = [self._operand(t) for t in node.inputs]
        self.places[id(node.outputs[0])] = [name, 0, 0]
        return [self.form.operation(name, kind, operands)]

    def _operand(self, tensor: Tensor) -> Any:
        if tensor.node.op.role is Role.CONSTANT:
            value = tensor.node.attrs["value"]
            if value.size != 1:
                raise ValueError(f"the constant {tensor.name} of shape {tensor.shape} cannot be written for Keras")
            return value.reshape(()).item()
        return self._tensor(tensor)



def _own_entry(layer: Any) -> dict[str, Any]:
    """The entry of a layer of a user's class, which a reader finds among its custom objects."""
    name = registered_name(type(layer))
    return {"module": None, "class_name": type(layer).__name__, "config": plain(layer.get_config()),
            "registered_name": name, "name": layer.name}
