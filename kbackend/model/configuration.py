"""The structure of a model as plain values, and back.

The form is Keras's: layers with the calls made of each ("inbound_nodes"), references [layer, call, output].
Beside
it stand the raw ops ("ops"), whose results are referred to as [["op", number], output], and the variables
that they
read, as [["variable", number], 0].
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers import deserialize
from kbackend.layers.base.call import LayerCall
from kbackend.model.topology import Topology
from kbackend.registry import plain, registered_name

_TENSOR = "tensor"


class ConfigurationError(ValueError):
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
        if isinstance(tensor, Variable):
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
        return tree_map(lambda v: {_TENSOR: self.place(v)} if isinstance(v, Tensor) else plain(v), value)

    def op(self, node: Node) -> dict[str, Any]:
        attrs = {k: _attribute(k, v, node, self.name) for k, v in node.attrs.items() if k != "name"}
        return {"op": node.op.name, "args": [self.argument(a) for a in node.args], "attrs": attrs}

    def argument(self, arg: Any) -> Any:
        if isinstance(arg, Tensor):
            return {_TENSOR: self.place(arg)}
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


def _is_place(value: Any) -> bool:
    """Whether a value of a configuration stands for a tensor."""
    return isinstance(value, Mapping) and _TENSOR in value


def _attribute_from(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "array" in value:
        return np.array(value["array"], dtype=value["dtype"]).reshape(value["shape"])
    if "tuple" in value:
        return tuple(_attribute_from(v) for v in value["tuple"])
    if "slice" in value:
        return slice(*value["slice"])
    return Ellipsis


# ------------------------------------------------------------------------------------------------ reading


def model_from(cls: Any, config: Mapping[str, Any], make_layer: Callable[[Any], Any] | None = None) -> Any:
    """A model of class ``cls`` from what :func:`model_config` gave.

    Args:
        make_layer: makes the layer of an entry of "layers"; the registry's when None.

    Raises:
        ConfigurationError: references that lead nowhere.
    """
    return _Reader(config, make_layer).model(cls)


class _Reader:
    def __init__(self, config: Mapping[str, Any], make_layer: Callable[[Any], Any] | None) -> None:
        self.config = config
        self.made: dict[Any, Sequence[Tensor]] = {}
        self.layers = {entry["name"]: (make_layer or deserialize)(entry) for entry in config["layers"]}
        self.variables = [_variable_from(v) for v in config.get("variables", ())]

    def model(self, cls: Any) -> Any:
        config = self.config
        for name, *_ in config["input_layers"]:
            self.made[(name, 0)] = [self.layers[name].get_output_at(0)]
        entries: dict[Any, Any] = {("op", i): entry for i, entry in enumerate(config.get("ops", ()))}
        for entry in config["layers"]:
            entries |= {(entry["name"], i): call for i, call in enumerate(entry["inbound_nodes"])}
        needs = {key: self.needs(key, entry) for key, entry in entries.items()}
        for key in _in_order(needs, set(self.made)):
            self.made[key] = self.make(key, entries[key])
        missing = [key for key in entries if key not in self.made]
        if missing:
            raise ConfigurationError(
                f"model {config.get('name')}: {missing[0]} refers to something that is not there"
            )
        inputs = [self.tensor(p) for p in config["input_layers"]]
        outputs = [self.tensor(p) for p in config["output_layers"]]
        one_in, one_out = config.get("single", (len(inputs) == 1, len(outputs) == 1))
        return cls(
            inputs[0] if one_in else inputs, outputs[0] if one_out else outputs, name=config.get("name")
        )

    def key(self, place: Any) -> Any:
        return tuple(place[0]) if isinstance(place[0], list) else (place[0], place[1])

    def tensor(self, place: Any) -> Tensor:
        key = self.key(place)
        if key[0] == "variable":
            return self.variables[key[1]]
        return self.made[key][place[-1]]

    def needs(self, key: Any, entry: Mapping[str, Any]) -> set[Any]:
        """The keys of the calls and ops that must be made before one."""
        leaves = tree_leaves(entry["args"] if "op" in entry else entry, _is_place)
        found = {self.key(leaf[_TENSOR]) for leaf in leaves if _is_place(leaf)}
        # calls of one layer are made in their order, so that their numbers stay
        before = {(key[0], key[1] - 1)} if "op" not in entry and key[1] else set()
        return {k for k in found if k[0] != "variable"} | before

    def value(self, value: Any) -> Any:
        return tree_map(lambda leaf: self.tensor(leaf[_TENSOR]) if _is_place(leaf) else leaf, value, _is_place)

    def make(self, key: Any, entry: Mapping[str, Any]) -> Sequence[Tensor]:
        if "op" in entry:
            return self.op(entry)
        return tree_leaves(self.layers[key[0]](self.value(entry["inputs"]), **self.value(entry["kwargs"])))

    def op(self, entry: Mapping[str, Any]) -> Sequence[Tensor]:
        if entry["op"] not in REGISTRY:
            raise ConfigurationError(f"unknown op {entry['op']!r}")
        args = [tuple(self.value(a)) if isinstance(a, list) else self.value(a) for a in entry["args"]]
        attrs = {k: _attribute_from(v) for k, v in entry["attrs"].items()}
        op = REGISTRY[entry["op"]]
        if "name" in op.attributes:
            attrs.setdefault("name", None)
        result = op.apply(args, attrs)
        return list(result) if isinstance(result, (list, tuple)) else [result]


def _in_order(needs: Mapping[Any, set[Any]], made: set[Any]) -> Iterator[Any]:
    """The keys that can be made, each after those it needs, in the order of repeated passes over all of them."""
    places = {key: place for place, key in enumerate(needs)}
    users: dict[Any, list[Any]] = {}
    left: dict[Any, int] = {}
    for key, wanted in needs.items():
        left[key] = len(wanted - made)
        for need in wanted - made:
            users.setdefault(need, []).append(key)
    passes = dict.fromkeys(needs, 0)
    ready = [(0, places[key], key) for key in needs if not left[key]]
    while ready:
        number, place, key = heapq.heappop(ready)
        yield key
        for user in users.get(key, ()):
            passes[user] = max(passes[user], number + (place > places[user]))
            left[user] -= 1
            if not left[user]:
                heapq.heappush(ready, (passes[user], places[user], user))


def _variable_from(entry: Mapping[str, Any]) -> Variable:
    value = np.array(entry["value"], dtype=dtypes.numpy_dtype(entry["dtype"])).reshape(entry["shape"])
    return Variable(
        value,
        tuple(entry["shape"]),
        entry["dtype"],
        entry["name"],
        trainable=entry["trainable"],
        counter=entry["counter"],
    )
