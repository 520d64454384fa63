"""Models from plain values, as :mod:`kbackend.model.configuration` writes them.

A document may come from anywhere: each field is checked before it is used, and every error names its place, as in
"layers[2] (dense_1): config: ...".
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.op import REGISTRY
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers import deserialize
from kbackend.layers.base.input import InputLayer
from kbackend.layers.base.layer import Layer
from kbackend.model.configuration import TENSOR, ConfigurationError

_NAMES = {dict: "an object", list: "a list", str: "a string", int: "an integer", bool: "true or false"}
_OWN_WORDS = (ValueError, TypeError, RuntimeError)
#: the first parts of the keys of ops and variables; those of calls are names of layers
_OP, _VARIABLE = ("op",), ("variable",)


@contextmanager
def at(place: str) -> Iterator[None]:
    """A context in which any error becomes a ConfigurationError that names a place in the document.

    Constructors and ops may raise whatever they like on values that they do not expect; here these come from the
    document.
    """
    try:
        yield
    except Exception as error:
        text = str(error) if isinstance(error, _OWN_WORDS) else f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{place}: {text}") from error


def field(entry: Any, key: str, kind: type, place: str = "") -> Any:
    """A field of an object of a document, of a kind.

    Raises:
        ConfigurationError: no object, no such field, or another kind.
    """
    label = f"{place}: {key}" if place else key
    held = of_kind(entry, dict, place or "the configuration")
    if key not in held:
        raise ConfigurationError(f"{label} is missing")
    return of_kind(held[key], kind, label)


def of_kind(value: Any, kind: type, place: str) -> Any:
    """A value of a document, of a kind; tuples pass for lists, as configurations need not come from text.

    Raises:
        ConfigurationError: it is of another kind.
    """
    plain = list if isinstance(value, tuple) else dict if isinstance(value, Mapping) else type(value)
    if plain is not kind:
        found = "null" if value is None else _NAMES.get(plain, f"of type {type(value).__name__}")
        raise ConfigurationError(f"{place} must be {_NAMES[kind]}, it is {found}")
    return value


def layer_from(entry: Any, place: str) -> Layer:
    """The layer of an entry of "layers".

    Raises:
        ConfigurationError: the entry is wrong, the class unknown, or the layer's constructor refuses its arguments.
    """
    label = _label(entry, place)
    field(entry, "class_name", str, label)
    field(entry, "config", dict, label)
    with at(f"{label}: config"):
        layer = deserialize(entry)
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"{entry['class_name']} is no layer")
    return layer


def _label(entry: Any, place: str) -> str:
    """The place of a layer with its name, where the entry has one."""
    config = of_kind(entry, dict, place).get("config")
    name = entry.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    return f"{place} ({name})" if isinstance(name, str) else place


def model_from(cls: Any, config: Mapping[str, Any], make_layer: Callable[[Any], Any] | None = None) -> Any:
    """A model of class ``cls`` from what :func:`kbackend.model.configuration.model_config` gave.

    Args:
        make_layer: makes the layer of an entry of "layers"; the registry's when None.

    Raises:
        ConfigurationError: anything that does not fit; the message names the place.
    """
    return _Reader(config, make_layer).model(cls)


class _Call:
    """An entry of "inbound_nodes" or "ops", checked.

    Attributes:
        place: for messages.
        args: the positional arguments of an op, the first one of a layer's call.
        options: the other ones.
    """

    def __init__(self, entry: Any, place: str, args: str, kind: type | None, options: str) -> None:
        self.place = place
        self.options: Any = field(entry, options, dict, place)
        if args not in entry:
            raise ConfigurationError(f"{place}: {args} is missing")
        self.args: Any = entry[args] if kind is None else of_kind(entry[args], kind, f"{place}: {args}")

    @property
    def tensors(self) -> list[Any]:
        """The references to tensors."""
        leaves = tree_leaves((self.args, self.options), _is_reference)
        return [leaf[TENSOR] for leaf in leaves if _is_reference(leaf)]


class _Reader:
    def __init__(self, config: Any, make_layer: Callable[[Any], Any] | None) -> None:
        self.config = config
        self.made: dict[Any, Sequence[Tensor]] = {}
        self.layers: dict[str, Any] = {}
        self.calls: dict[Any, _Call] = {}
        for i, entry in enumerate(field(config, "layers", list)):
            self._read_layer(entry, f"layers[{i}]", make_layer)
        self.ops: list[str] = []
        for i, entry in enumerate(of_kind(config.get("ops", []), list, "ops")):
            self._read_op(entry, i)
        variables = of_kind(config.get("variables", []), list, "variables")
        self.variables = [_variable_from(v, f"variables[{i}]") for i, v in enumerate(variables)]

    def _read_layer(self, entry: Any, place: str, make_layer: Callable[[Any], Any] | None) -> None:
        place = _label(entry, place)
        name = field(entry, "name", str, place)
        if name in self.layers:
            raise ConfigurationError(f"{place}: the name is that of another layer too")
        self.layers[name] = layer_from(entry, place.partition(" ")[0]) if make_layer is None else make_layer(entry)
        for j, call in enumerate(field(entry, "inbound_nodes", list, place)):
            self.calls[(name, j)] = _Call(call, f"{place}: inbound_nodes[{j}]", "inputs", None, "kwargs")

    def _read_op(self, entry: Any, number: int) -> None:
        name = field(entry, "op", str, f"ops[{number}]")
        place = f"ops[{number}] ({name})"
        if name not in REGISTRY:
            raise ConfigurationError(f"{place}: unknown op {name!r}")
        call = _Call(entry, place, "args", list, "attrs")
        op = REGISTRY[name]
        wanted = sorted(set(op.attributes) - {"name"})
        if sorted(call.options) != wanted:
            raise ConfigurationError(f"{place}: its attributes are {sorted(call.options)}, they should be {wanted}")
        if len(call.args) != len(op.operands):
            raise ConfigurationError(f"{place}: it has {len(call.args)} operands, it should have {len(op.operands)}")
        self.ops.append(name)
        self.calls[(_OP, number)] = call

    def model(self, cls: Any) -> Any:
        config = self.config
        inputs, outputs = (field(config, key, list) for key in ("input_layers", "output_layers"))
        single = of_kind(config.get("single", [len(inputs) == 1, len(outputs) == 1]), list, "single")
        if len(single) != 2:
            raise ConfigurationError(f"single must have 2 entries, it has {len(single)}")
        one_in, one_out = (of_kind(flag, bool, "single") for flag in single)
        if not inputs or not outputs:
            raise ConfigurationError("a model needs an input and an output, input_layers or output_layers is empty")
        self._take_inputs(inputs)
        self._make_all()
        x, y = ([self.tensor(p, f"{key}[{i}]") for i, p in enumerate(places)]
                for key, places in (("input_layers", inputs), ("output_layers", outputs)))
        name = config.get("name")
        with at("the model" if name is None else f"the model {of_kind(name, str, 'name')}"):
            return cls(x[0] if one_in else x, y[0] if one_out else y, name=name)

    def _take_inputs(self, places: Sequence[Any]) -> None:
        for i, place in enumerate(places):
            key, _ = _reference(place, f"input_layers[{i}]")
            layer = self.layers.get(key[0])
            if not isinstance(layer, InputLayer) or key[1] != 0:
                raise ConfigurationError(f"input_layers[{i}]: {key[0]!r} is no input of this model")
            self.made[key] = [layer.get_output_at(0)]

    def _make_all(self) -> None:
        needs = {key: self._needs(key, call) for key, call in self.calls.items()}
        for key in _in_order(needs, set(self.made)):
            self.made[key] = self.make(key, self.calls[key])
        missing = [key for key in self.calls if key not in self.made]
        if missing:
            key = missing[0]
            lost = [k for k in needs[key] if k not in self.made]
            raise ConfigurationError(
                f"{self.calls[key].place} refers to something that is not there, or to itself: "
                f"{', '.join(map(_key_text, lost))}"
            )

    def _needs(self, key: Any, call: _Call) -> set[Any]:
        """The keys of the calls and ops that must be made before one."""
        found = {_reference(place, call.place)[0] for place in call.tensors}
        # calls of one layer are made in their order, so that their numbers stay
        before = {(key[0], key[1] - 1)} if key[0] != _OP and key[1] else set()
        return {k for k in found if k[0] != _VARIABLE} | before

    def tensor(self, place: Any, where: str) -> Tensor:
        key, index = _reference(place, where)
        made: Any = self.made.get(key)
        if key[0] == _VARIABLE and key[1] < len(self.variables):
            made = [self.variables[key[1]]]
        if made is None or index >= len(made):
            raise ConfigurationError(f"{where} refers to something that is not there: {place}")
        return made[index]

    def value(self, value: Any, where: str) -> Any:
        return tree_map(
            lambda leaf: self.tensor(leaf[TENSOR], where) if _is_reference(leaf) else leaf, value, _is_reference
        )

    def make(self, key: Any, call: _Call) -> Sequence[Tensor]:
        args = self.value(call.args, call.place)
        if key[0] == _OP:
            return self._op(REGISTRY[self.ops[key[1]]], args, call)
        options = self.value(call.options, call.place)
        with at(call.place):
            return tree_leaves(self.layers[key[0]](args, **options))

    def _op(self, op: Any, args: Sequence[Any], call: _Call) -> Sequence[Tensor]:
        attrs = {k: _attribute_from(v, f"{call.place}: {k}") for k, v in call.options.items()}
        if "name" in op.attributes:
            attrs["name"] = None
        for name, arg in zip(op.operands, args, strict=True):
            is_list = isinstance(arg, (list, tuple))
            if is_list != (name in op.lists) or arg is None and name not in op.optional:
                raise ConfigurationError(f"{call.place}: {name} is not what the op takes")
        with at(call.place):
            result = op.apply([tuple(a) if isinstance(a, list) else a for a in args], attrs)
        return list(result) if isinstance(result, (list, tuple)) else [result]


def _is_reference(value: Any) -> bool:
    """Whether a value of a configuration stands for a tensor."""
    return isinstance(value, Mapping) and TENSOR in value


def _reference(place: Any, where: str) -> tuple[Any, int]:
    """The key of a call, op or variable, and which of its results is meant."""
    key: Any
    match place:
        case [str(name), int(number), int(index)]:
            key = (name, number)
        case [["op", int(number)], int(index)]:
            key = (_OP, number)
        case [["variable", int(number)], int(index)]:
            key = (_VARIABLE, number)
        case _:
            raise ConfigurationError(f"{where}: a tensor is [layer, call, result], not {str(place)[:80]}")
    if isinstance(number, bool) or isinstance(index, bool) or number < 0 or index < 0:
        raise ConfigurationError(f"{where}: a tensor is [layer, call, result], not {str(place)[:80]}")
    return key, index


def _key_text(key: Any) -> str:
    return f"op {key[1]}" if key[0] == _OP else f"call {key[1]} of {key[0]!r}"


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


def _attribute_from(value: Any, place: str) -> Any:
    match value:
        case {"array": body, "dtype": dtype, "shape": shape}:
            return _array_from(body, dtype, shape, place)
        case {"tuple": list(parts)}:
            return tuple(_attribute_from(v, place) for v in parts)
        case {"slice": [start, stop, step]}:
            return slice(*(v if v is None else of_kind(v, int, place) for v in (start, stop, step)))
        case {"ellipsis": True}:
            return Ellipsis
        case None | bool() | int() | float() | str():
            return value
    raise ConfigurationError(f"{place} is of an unknown kind: {str(value)[:80]}")


def _array_from(body: Any, dtype: Any, shape: Any, place: str) -> np.ndarray:
    if dtype not in dtypes.ALL:
        raise ConfigurationError(f"{place}: {str(dtype)[:80]!r} is not a dtype")
    sizes = [of_kind(d, int, f"{place}: shape") for d in of_kind(shape, list, f"{place}: shape")]
    taken: Any = (bool,) if dtype == dtypes.BOOL else (int,) if dtypes.is_integer(dtype) else (int, float)
    if not all(type(v) in taken for v in tree_leaves(body)):
        raise ConfigurationError(f"{place}: the values are not all {dtype}")
    with at(place):
        return np.array(body, dtype=dtypes.numpy_dtype(dtype)).reshape(sizes)


def _variable_from(entry: Any, place: str) -> Variable:
    name = field(entry, "name", str, place)
    place = f"{place} ({name})"
    dtype, shape = field(entry, "dtype", str, place), field(entry, "shape", list, place)
    trainable, counter = (field(entry, key, bool, place) for key in ("trainable", "counter"))
    if "value" not in entry:
        raise ConfigurationError(f"{place}: value is missing")
    value = _array_from(entry["value"], dtype, shape, place)
    return Variable(value, tuple(shape), dtype, name, trainable=trainable, counter=counter)
