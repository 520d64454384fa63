"""Models from configurations of Keras 1, 2 and 3."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kbackend.graph.tensor import Tensor
from kbackend.ground import hooks
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers import Input, InputLayer
from kbackend.registry import custom_object_scope
from kbackend.saving.errors import FormatError, reading
from kbackend.saving.keras import old
from kbackend.saving.keras.objects import Names, custom_object, dtype_name, from_keras
from kbackend.saving.keras.table import (
    INNER,
    MODELS,
    NEUTRAL,
    arguments_of,
    layer_classes,
    op_function,
    without_neutral,
)
from kbackend.saving.structure import is_model

#: what the configuration of a functional model says of its ends
_ENDS = ("input_layers", "output_layers")


class Reference(NamedTuple):
    """A result of a call of a layer."""

    layer: str
    call: int
    result: int


class Op(NamedTuple):
    """An op between layers, which Keras 3 lists among the layers."""

    name: str
    function: Any
    config: Mapping[str, Any]


def is_configuration(document: Any) -> bool:
    """Whether a document is the configuration of a model of Keras: Keras 1 and 2 write a version, Keras 3 modules."""
    return isinstance(document, dict) and ("keras_version" in document or "module" in document)


def model_from(document: Any, custom: Mapping[str, Any] | None = None, keras_3: bool = False) -> Any:
    """The model of a configuration ``{"class_name": ..., "config": ...}``, with fresh weights.

    Args:
        document: the configuration.
        custom: classes and functions by name.
        keras_3: whether Keras 3 wrote it.

    Raises:
        FormatError: what cannot be read; the message names the layer.
    """
    if not isinstance(document, dict) or document.get("class_name") not in MODELS:
        name = document.get("class_name") if isinstance(document, dict) else document
        raise FormatError(f"{str(name)[:80]!r} is no Sequential or functional model; models with code of their own "
                          "cannot be read")
    names = Names(custom or {})
    names.keras_3 = keras_3
    with reading("model"), custom_object_scope(custom):
        return _model(document, names)


def _model(document: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    config = document.get("config")
    if document["class_name"] == "Sequential":
        settings = {"layers": config} if isinstance(config, list) else config
        return _sequential(_object(settings, "config"), custom)
    return _Functional(_object(config, "config"), custom).model()


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(f"{what} must be an object, it is {type(value).__name__}")
    return value


def _entries(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = config.get("layers")
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise FormatError("layers must be a list of objects")
    return found


def name_of(entry: Mapping[str, Any]) -> str:
    """The name of the layer of an entry."""
    config = entry.get("config")
    name = entry.get("name") or (config.get("name") if isinstance(config, dict) else None)
    if not isinstance(name, str) or not name or name.startswith("/") or ".." in name.split("/"):
        raise FormatError(f"the name of a layer must be a text and no path, it is {str(name)[:80]!r}")
    return name


# ------------------------------------------------------------------------------------- layers


#: layers of Keras 2 that are operations of TensorFlow
_OF_TENSORFLOW = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")


def _layer(entry: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    name, kind = name_of(entry), entry.get("class_name")
    with reading(f"layer {name!r}"):
        if not isinstance(kind, str):
            raise FormatError("class_name must be a text")
        if kind in MODELS:
            return _model(entry, custom)
        settings = _object(entry.get("config"), "config")
        found = None if kind == "Lambda" else custom_object(entry, custom)
        if found is not None:
            plain = _own_settings(settings, found, custom)
            takes = "custom_objects" in inspect.signature(found.from_config).parameters
            return found.from_config(plain, custom_objects=dict(custom)) if takes else found.from_config(plain)
        config = old.arguments(kind, settings)
        if kind == "Lambda":
            return _lambda(name, config, custom)
        if kind in _OF_TENSORFLOW:
            raise FormatError(
                f"it is an operation of TensorFlow ({str(config.get('function') or config.get('node_def'))[:60]}); "
                f"give a function for it in custom_objects={{{name!r}: function}}"
            )
        return _builtin(kind, name, config, custom)


def _own_settings(settings: Mapping[str, Any], layer: Any, custom: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration for a class of the caller's. Objects in it that are not known here, such as layers, are left to
    the ``from_config`` of the class."""
    found = {}
    for key, value in settings.items():
        if not _is_for(key, value, layer):
            continue
        try:
            found[key] = from_keras(key, value, custom)
        except FormatError:
            found[key] = value
    return found


def _is_for(key: str, value: Any, layer: Any) -> bool:
    """Whether an argument is given to a layer of the caller's: not if it changes nothing and the layer has it not."""
    neutral = key in NEUTRAL and (NEUTRAL[key] is None or value in NEUTRAL[key])
    return not neutral or not isinstance(layer, type) or key in arguments_of(layer)


def _builtin(kind: str, name: str, config: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    found = layer_classes().get(kind)
    if found is None:
        raise FormatError(
            f"no layer {kind!r} is known; give its class in custom_objects={{{kind!r}: class}}"
        )
    if found is InputLayer:
        return _input_layer(name, config)
    chosen = {
        key: _inner(value, custom) if key in INNER else from_keras(key, value, custom)
        for key, value in without_neutral(config, found).items()
    }
    if isinstance(chosen.get("axis"), list) and len(chosen["axis"]) == 1:
        chosen["axis"] = chosen["axis"][0]
    return found.from_config({key: value for key, value in chosen.items() if key != "dtype" or value is not None})


def _inner(value: Any, custom: Mapping[str, Any]) -> Any:
    """The layers or cells that an argument of a layer holds."""
    if isinstance(value, list):
        return [_inner(entry, custom) for entry in value]
    return None if value is None else _layer(_object(value, "a layer"), custom)


def _input_layer(name: str, config: Mapping[str, Any]) -> InputLayer:
    if config.get("sparse") or config.get("ragged"):
        raise FormatError("sparse and ragged inputs are not supported")
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if not isinstance(shape, list) or not all(d is None or type(d) is int and d >= 0 for d in shape):
        raise FormatError(f"{str(shape)[:80]} is no shape")
    return InputLayer(batch_input_shape=tuple(shape), dtype=dtype_name(config.get("dtype")), name=name)


def _lambda(name: str, config: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    function = config.get("function")
    found = custom.get(name)
    if found is None and isinstance(function, Mapping) and function.get("class_name") != "__lambda__":
        found = custom_object(function, custom)
    if found is None and isinstance(function, str) and config.get("function_type") == "function":
        found = custom_object(function, custom)
    if found is None:
        raise FormatError(
            f"it is a Lambda with code of Python, which is never run; give the function in custom_objects={{{name!r}: "
            "function}"
        )
    arguments = config.get("arguments") or {}
    return layer_classes()["Lambda"](
        found, arguments={k: from_keras("", v, custom) for k, v in _object(arguments, "arguments").items()}, name=name
    )


# ------------------------------------------------------------------------------------- Sequential


def _sequential(config: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
    model = hooks.model_classes.load()["Sequential"](name=config.get("name"))
    shape = config.get("build_input_shape", config.get("batch_input_shape"))
    chain = [(name_of(entry), _layer(entry, custom)) for entry in _entries(config)]
    started = bool(chain) and (isinstance(chain[0][1], InputLayer) or chain[0][1]._batch_input_shape is not None)
    if chain and not started and isinstance(shape, list):
        with reading("build_input_shape"):
            model.add(Input(batch_shape=shape, dtype=chain[0][1]._input_dtype()))
    for name, layer in chain:
        with reading(f"layer {name!r}"):
            model.add(layer)
    if config.get("trainable") is False:
        model.trainable = False
    return model


# ------------------------------------------------------------------------------------- functional


class _Functional:
    """The calls of a functional model, made again."""

    def __init__(self, config: Mapping[str, Any], custom: Mapping[str, Any]) -> None:
        self.config = config
        self.units: dict[str, Any] = {}
        self.first: dict[str, int] = {}
        self.calls: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.made: dict[tuple[str, int], Sequence[Tensor]] = {}
        for entry in _entries(config):
            name = name_of(entry)
            if name in self.units:
                raise FormatError(f"two layers are named {name!r}")
            self.units[name] = self._unit(entry, custom)
            with reading(f"layer {name!r}"):
                for number, node in enumerate(_list(entry.get("inbound_nodes", []), "inbound_nodes")):
                    self.calls[name, number] = _arguments(node, custom)
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        """Keras 2 counts the calls of a model inside another from 1: 0 was the one that made it."""
        places = tree_leaves([list(self.calls.values()), *(_with_references(self.config.get(k)) for k in _ENDS)],
                             _is_reference)  # fmt: skip
        used: dict[str, set[int]] = {}
        for place in filter(_is_reference, places):
            used.setdefault(place.layer, set()).add(place.call)
        for name, calls in used.items():
            if 0 not in calls and is_model(self.units.get(name)) and (name, max(calls)) not in self.calls:
                self.first[name] = 1

    def _unit(self, entry: Mapping[str, Any], custom: Mapping[str, Any]) -> Any:
        kind = entry.get("class_name")
        if kind in _OF_TENSORFLOW and name_of(entry) in custom:
            return Op(name_of(entry), custom[name_of(entry)], {})
        if not is_op(entry):
            return _layer(entry, custom)
        function = op_function(str(kind))
        name = name_of(entry)
        if name in custom:
            function = custom[name]
        if function is None:
            raise FormatError(
                f"the operation {str(kind)[:40]} between layers is not supported; give a function for it in "
                f"custom_objects={{{name!r}: function}}",
                f"layer {name!r}",
            )
        return Op(name, function, _object(entry.get("config"), "config"))

    def model(self) -> Any:
        config = self.config
        inputs, outputs = map(self._places, _ENDS)
        for place in tree_leaves(inputs, _is_reference):
            layer = self.units.get(place.layer)
            if not isinstance(layer, InputLayer):
                raise FormatError(f"{place.layer!r} is no input", "input_layers")
            self.made[place.layer, place.call] = [layer.get_output_at(0)]
        self._make_all()
        x, y = (_flat([self._tensor(p) for p in tree_leaves(places, _is_reference)], places)
                for places in (inputs, outputs))
        made = hooks.model_classes.load()["Functional"](x, y, name=config.get("name"))
        if config.get("trainable") is False:
            made.trainable = False
        return made

    def _places(self, key: str) -> Any:
        found = _with_references(self.config.get(key))
        places = tree_leaves(found, _is_reference)
        if not places or not all(_is_reference(p) for p in places):
            raise FormatError("it must hold [layer, call, result]", key)
        return found

    def _make_all(self) -> None:
        needs = {key: self._needs(key) for key in self.calls if key not in self.made}
        users: dict[Any, list[Any]] = {}
        left = {}
        for key, wanted in needs.items():
            missing = wanted - set(self.made)
            left[key] = len(missing)
            for need in missing:
                users.setdefault(need, []).append(key)
        ready = [key for key in needs if not left[key]][::-1]
        while ready:
            key = ready.pop()
            self._make(key)
            for user in users.get(key, ()):
                left[user] -= 1
                if not left[user]:
                    ready.append(user)
        lost = [key for key in needs if key not in self.made]
        if lost:
            raise FormatError("it depends on itself, or on something that is not there", f"layer {lost[0][0]!r}")

    def _needs(self, key: tuple[str, int]) -> set[tuple[str, int]]:
        before = {(key[0], key[1] - 1)} if key[1] else set()
        places = tree_leaves(self.calls[key], _is_reference)
        return {self._key(p) for p in places if _is_reference(p)} | before

    def _key(self, place: Reference) -> tuple[str, int]:
        return place.layer, place.call - self.first.get(place.layer, 0)

    def _tensor(self, place: Reference) -> Tensor:
        made = self.made.get(self._key(place), ())
        if place.result >= len(made):
            raise FormatError(f"{list(place)} is not there", f"layer {place.layer!r}")
        return made[place.result]

    def _make(self, key: tuple[str, int]) -> None:
        unit, (args, kwargs) = self.units[key[0]], self.calls[key]
        with reading(f"layer {key[0]!r}"):
            args, kwargs = (
                tree_map(lambda v: self._tensor(v) if _is_reference(v) else v, value, _is_reference)
                for value in (args, kwargs)
            )
            if isinstance(unit, Op):
                config = {k: from_keras("", v, {}) for k, v in unit.config.items() if k not in ("name", "dtype")}
                found = unit.function(*args, **{**config, **kwargs})
            else:
                found = unit(*args, **kwargs)
            self.made[key] = tree_leaves(found)


def _flat(tensors: list[Tensor], places: Any) -> Any:
    return tensors[0] if _is_reference(places) else tensors


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise FormatError(f"{what} must be a list, it is {type(value).__name__}")
    return value


def _is_reference(value: Any) -> bool:
    return isinstance(value, Reference)


def _reference(value: Any) -> Reference | None:
    match value:
        case [str(layer), int(call), int(result)] if call >= 0 and result >= 0:
            return Reference(layer, call, result)
    return None


def _with_references(value: Any) -> Any:
    """The value with each [layer, call, result] in it as a reference; Keras 3 leaves out lists of one."""
    found = _reference(value)
    if found is not None:
        return found
    return [_with_references(v) for v in value] if isinstance(value, list) else value


def _arguments(node: Any, custom: Mapping[str, Any]) -> tuple[Any, Any]:
    """The arguments of a call."""
    if isinstance(node, dict):
        args, kwargs = (_keras_3(node.get(key), custom) for key in ("args", "kwargs"))
        # Keras 3 gives the phase of the step in its place
        kept = {k: v for k, v in _object(kwargs, "kwargs").items() if k != "training" and v is not None}
        return _list(args, "args"), kept
    places: list[Any] = []
    kwargs = {}
    entries = _list(node, "inbound_nodes")
    if entries and isinstance(entries[0], str):  # of an operation of TensorFlow, which keeps the structure of its input
        entries = [entries]
    for entry in entries:
        match entry:
            case [str(layer), int(call), int(result), dict(more)] if call >= 0 and result >= 0:
                places.append(Reference(layer, call, result))
                kwargs |= {k: _keras_2(v) for k, v in more.items() if v is not None}
            case [str(layer), int(call), int(result)] if call >= 0 and result >= 0:
                places.append(Reference(layer, call, result))
            case ["_CONSTANT_VALUE", -1, int() | float() as value, dict(more)]:  # of an operation of TensorFlow
                places.append(value)
                kwargs |= {k: _keras_2(v) for k, v in more.items() if v is not None}
            case _:
                raise FormatError(f"a call is a list of [layer, call, result, arguments], not {str(entry)[:80]}")
    return [places[0] if len(places) == 1 else places], kwargs


def _keras_3(value: Any, custom: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_keras_3(v, custom) for v in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        found = _reference(config.get("keras_history")) if isinstance(config, dict) else None
        if found is None:
            raise FormatError("a tensor without a right keras_history")
        return found
    if "class_name" in value:
        return from_keras("", value, custom)
    return {k: _keras_3(v, custom) for k, v in value.items()}


def _keras_2(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _keras_2(v) for k, v in value.items()}
    return _with_references(value)


def is_op(entry: Mapping[str, Any]) -> bool:
    """Whether the entry of a layer is an operation of Keras 3. Where no module is named, layers are told by arguments
    that operations have not."""
    module = entry.get("module")
    if module is not None:
        return str(module).startswith(("keras.src.ops.", "keras.ops"))
    config = entry.get("config")
    plain = isinstance(config, dict) and "trainable" not in config and "dtype" not in config
    return plain and op_function(str(entry.get("class_name"))) is not None
