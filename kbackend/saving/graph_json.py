"""Graphs as JSON text and back.

A document holds nodes in an order in which each refers to earlier ones only. Ops go by name and are looked
up among the declared ones, so a document can name nothing that runs code; composites are made again from name
and attributes. Every field is checked before it is used.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import make_node
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.saving.errors import FormatError

FORMAT, VERSION = "kbackend graph", 1
#: whether values of variables are written, or names for variables by id
Values = bool | Mapping[int, str]
#: graphs inside graphs (bodies of loops and branches)
DEEPEST = 16


class GraphFormatError(FormatError):
    """A document that is no graph, or a graph that cannot become one; the message says where and why."""


# ---------------------------------------------------------------------- to text


def to_json(graph: Graph, values: Values = True) -> str:
    """The graph as JSON text.

    Args:
        graph: the graph. Tensors that are fed in the middle become placeholders of their name and type.
        values: whether the values of the variables are written; or the names that the document has for variables whose
            values are kept elsewhere, by id. Their constraints and regularizers never are written.

    Raises:
        GraphFormatError: an attribute that is no plain value, such as a Python function; a variable without a name
            where names are given.

    >>> from kbackend import K
    >>> x = K.placeholder((None, 2), name="x")
    >>> print(from_json(to_json(Graph([x], [K.reshape(x, (-1,))], name="f"))).outputs[0].shape)
    (None,)
    """
    head = {"format": FORMAT, "version": VERSION}
    return json.dumps(head | _graph_to_plain(graph, values), allow_nan=False, separators=(",", ":"))


def _graph_to_plain(graph: Graph, values: Values) -> dict[str, Any]:
    places: dict[int, tuple[int, int]] = {}
    nodes: list[dict[str, Any]] = []
    for tensor in graph.inputs:
        places[id(tensor)] = (len(nodes), 0)
        nodes.append(_input_to_plain(tensor))
    for node in graph.depth_first():
        for i, tensor in enumerate(node.outputs):
            places.setdefault(id(tensor), (len(nodes), i))
        nodes.append(_node_to_plain(node, places, values))
    for variable, _ in graph.updates:
        if id(variable) not in places:
            places[id(variable)] = (len(nodes), 0)
            nodes.append(_variable_to_plain(variable, values))
    return {
        "name": graph.name,
        "nodes": nodes,
        "inputs": [list(places[id(t)]) for t in graph.inputs],
        "outputs": [list(places[id(t)]) for t in graph.outputs],
        "updates": [[list(places[id(v)]), list(places[id(t)])] for v, t in graph.updates],
    }


def _input_to_plain(tensor: Tensor) -> dict[str, Any]:
    if tensor.node.op.role is Role.PHASE:
        return _node_to_plain(tensor.node, {}, False)
    attrs = {"shape": tensor.shape, "dtype": tensor.dtype, "name": tensor.name}
    return {
        "op": "placeholder",
        "args": [],
        "attrs": _attrs_to_plain(attrs, tensor.name, False),
        "results": [_spec_to_plain(tensor.spec)],
    }


def _node_to_plain(node: Node, places: Mapping[int, tuple[int, int]], values: Values) -> dict[str, Any]:
    if isinstance(node.outputs[0], Variable):
        return _variable_to_plain(node.outputs[0], values)
    attrs = dict(node.attrs)
    if node.op.role is Role.PLACEHOLDER:
        attrs["name"] = node.name
    return {
        "op": node.op.name,
        "args": [_arg_to_plain(a, places) for a in node.args],
        "attrs": _attrs_to_plain(attrs, node.name, values),
        "results": [_spec_to_plain(t.spec) for t in node.outputs],
    }


def _variable_to_plain(variable: Variable, values: Values) -> dict[str, Any]:
    named = not isinstance(values, bool)
    if named and id(variable) not in values:  # type: ignore[operator]
        raise GraphFormatError(f"no name is given for the variable {variable.name!r}")
    return {
        "op": "variable",
        "name": values[id(variable)] if named else variable.name,  # type: ignore[index]
        "shape": list(variable.shape),
        "dtype": variable.dtype,
        "trainable": bool(variable.trainable),
        "counter": bool(variable.counter),
        "host": bool(variable.host),
        "value": _array_to_plain(variable.numpy()) if values is True else None,
    }


def _spec_to_plain(spec: TensorSpec) -> list[Any]:
    return [spec.dtype, list(spec.shape)]


def _arg_to_plain(arg: Any, places: Mapping[int, tuple[int, int]]) -> Any:
    if isinstance(arg, Tensor):
        return list(places[id(arg)])
    return None if arg is None else {"list": [_arg_to_plain(a, places) for a in arg]}


def _attrs_to_plain(attrs: Mapping[str, Any], name: str, values: Values) -> dict[str, Any]:
    found = {}
    for key, value in attrs.items():
        try:
            found[key] = _value_to_plain(value, values)
        except TypeError as error:
            raise GraphFormatError(f"node {name!r}: the attribute {key} cannot be written: {error}") from None
    return found


def _value_to_plain(value: Any, values: Values) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.ndarray):
        return {"array": _array_to_plain(value)}
    if isinstance(value, TensorSpec):
        return {"spec": _spec_to_plain(value)}
    if isinstance(value, (tuple, list)):
        return {
            type(value).__name__ if type(value) in (tuple, list) else "tuple": [
                _value_to_plain(v, values) for v in value
            ]
        }
    if isinstance(value, Graph):
        return {"graph": _graph_to_plain(value, values)}
    raise TypeError(f"it is of type {type(value).__name__}")


def _array_to_plain(array: np.ndarray) -> list[Any]:
    array = np.asarray(array)
    if (array.dtype.byteorder == ">") != (sys.byteorder == "big" and array.dtype.byteorder == "="):
        array = array.byteswap()
    return [
        dtypes.canonical(array.dtype),
        list(array.shape),
        base64.b64encode(array.tobytes()).decode("ascii"),
    ]


# ---------------------------------------------------------------------- from text


def from_json(text: str | bytes, variables: Mapping[str, Variable] | None = None) -> Graph:
    """The graph that a document describes, made anew and verified on the way.

    Args:
        text: what :func:`to_json` gave.
        variables: variables by name that take the place of those in the document.

    Raises:
        GraphFormatError: anything that does not fit: no JSON, another version, an unknown op, a reference to
            the node itself or a later one (a cycle), an attribute, shape, dtype or length that is wrong, a
            variable that has a value neither in the document nor in ``variables``.
    """
    try:
        plain = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, TypeError) as error:
        raise GraphFormatError(f"this is not JSON: {error}") from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise GraphFormatError(f'this is not a graph: the field "format" is not {FORMAT!r}')
    if plain.get("version") != VERSION or isinstance(plain["version"], bool):
        raise GraphFormatError(
            f"the graph has format version {plain.get('version')!r}, this kbackend reads {VERSION}"
        )
    return _read_graph(
        {k: v for k, v in plain.items() if k not in ("format", "version")}, dict(variables or {}), 0
    )


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _read_graph(plain: Any, variables: Mapping[str, Variable], depth: int) -> Graph:
    if depth > DEEPEST:
        raise GraphFormatError(f"graphs are nested more than {DEEPEST} deep")
    _check_keys(plain, {"name", "nodes", "inputs", "outputs", "updates"}, "the graph")
    name = _checked(plain["name"], str, "the name of the graph")
    made: list[Sequence[Tensor]] = []
    for number, node in enumerate(_checked(plain["nodes"], list, "nodes")):
        made.append(_read_node(node, number, made, variables, depth))
    inputs = [_read_tensor(r, made, "inputs") for r in _checked(plain["inputs"], list, "inputs")]
    outputs = [_read_tensor(r, made, "outputs") for r in _checked(plain["outputs"], list, "outputs")]
    updates = [_read_update(u, made) for u in _checked(plain["updates"], list, "updates")]
    for tensor in inputs:
        if tensor.node.op.role not in (Role.PLACEHOLDER, Role.PHASE):
            raise GraphFormatError(f"the input {tensor.name!r} is a {tensor.node.op.name}, not a placeholder")
    if len({id(t) for t in inputs}) != len(inputs):
        raise GraphFormatError("an input stands twice")
    return Graph(inputs, outputs, updates, name)


def _read_update(plain: Any, made: list[Sequence[Tensor]]) -> tuple[Variable, Tensor]:
    if not isinstance(plain, list) or len(plain) != 2:
        raise GraphFormatError("an update is a pair of references")
    variable, value = (_read_tensor(r, made, "updates") for r in plain)
    if (
        not isinstance(variable, Variable)
        or value.dtype != variable.dtype
        or value.ndim != variable.ndim
        or any(d is not None and d != wanted for d, wanted in zip(value.shape, variable.shape, strict=True))
    ):
        raise GraphFormatError(f"{value!r} cannot be the new value of {variable!r}")
    return variable, value


def _read_node(
    plain: Any, number: int, made: list[Sequence[Tensor]], variables: Mapping[str, Variable], depth: int
) -> Sequence[Tensor]:
    where = f"node {number}"
    if not isinstance(plain, dict) or not isinstance(plain.get("op"), str):
        raise GraphFormatError(f"{where} is no node: it names no op")
    where = f"node {number} ({plain['op']})"
    if plain["op"] == "variable":
        return (_read_variable(plain, where, variables),)
    op = _registry().get(plain["op"])
    if op is None:
        raise GraphFormatError(f"{where}: {plain['op']!r} is not an op that this kbackend knows")
    _check_keys(plain, {"op", "args", "attrs", "results"}, where)
    args = _read_args(plain["args"], op, made, number, where)
    attrs = _checked(plain["attrs"], dict, f"{where}: attrs")
    if set(attrs) != set(op.attributes):
        raise GraphFormatError(
            f"{where}: its attributes are {sorted(attrs)}, they should be {sorted(op.attributes)}"
        )
    values = {key: _read_value(v, f"{where}: {key}", variables, depth) for key, v in attrs.items()}
    if values.get("name") is not None:
        _checked(values["name"], str, f"{where}: name")
    specs = [_read_spec(s, where) for s in _checked(plain["results"], list, f"{where}: results")]
    return _made_again(op, args, values, specs, where)


def _registry() -> Mapping[str, Any]:
    import kbackend.ops  # noqa: F401 - declares all ops
    return REGISTRY


def _made_again(op: Any, args: Any, attrs: Any, specs: list[TensorSpec], where: str) -> Sequence[Tensor]:
    try:
        found = make_node(op, args, attrs)
    except Exception as error:
        raise GraphFormatError(f"{where}: {error}") from error
    outputs = found if isinstance(found, list) else [found]
    inferred = [t.spec for t in outputs]
    if inferred != specs:
        raise GraphFormatError(
            f"{where} gives {', '.join(map(str, inferred))}, the document says {', '.join(map(str, specs))}"
        )
    return outputs


def _read_args(plain: Any, op: Any, made: list[Sequence[Tensor]], number: int, where: str) -> list[Any]:
    if len(_checked(plain, list, f"{where}: args")) != len(op.operands):
        raise GraphFormatError(f"{where}: it has {len(plain)} operands, it should have {len(op.operands)}")
    found: list[Any] = []
    for name, arg in zip(op.operands, plain, strict=True):
        here = f"{where}: {name}"
        if name in op.lists:
            if not isinstance(arg, dict) or list(arg) != ["list"]:
                raise GraphFormatError(f"{here} should be a list of tensors")
            found.append(
                tuple(_read_tensor(a, made, here, number) for a in _checked(arg["list"], list, here))
            )
        elif arg is None and name in op.optional:
            found.append(None)
        else:
            found.append(_read_tensor(arg, made, here, number))
    return found


def _read_tensor(plain: Any, made: list[Sequence[Tensor]], where: str, reader: int | None = None) -> Tensor:
    if not isinstance(plain, list) or len(plain) != 2 or not all(type(n) is int and n >= 0 for n in plain):
        raise GraphFormatError(f"{where}: a tensor is a pair [node, result], not {str(plain)[:80]}")
    node, result = plain
    if node >= len(made):
        later = "itself" if node == reader else f"node {node}, which comes later or does not exist"
        raise GraphFormatError(f"{where} refers to {later}: the graph would have a cycle")
    if result >= len(made[node]):
        raise GraphFormatError(
            f"{where} refers to result {result} of node {node}, which has {len(made[node])}"
        )
    return made[node][result]


def _read_variable(plain: dict[str, Any], where: str, variables: Mapping[str, Variable]) -> Variable:
    _check_keys(plain, {"op", "name", "shape", "dtype", "trainable", "counter", "host", "value"}, where)
    name = _checked(plain["name"], str, f"{where}: name")
    spec = _read_spec([plain["dtype"], plain["shape"]], where)
    if None in spec.shape:
        raise GraphFormatError(f"{where}: the variable {name!r} has an unknown dimension")
    flags = {key: _checked(plain[key], bool, f"{where}: {key}") for key in ("trainable", "counter", "host")}
    if name in variables:
        given = variables[name]
        if not isinstance(given, Variable) or given.spec != spec:
            raise GraphFormatError(f"{where}: {name!r} should be {spec}, it was given {given!r}")
        return given
    if plain["value"] is None:
        raise GraphFormatError(
            f"{where}: the document has no value for the variable {name!r}; give it in `variables`"
        )
    value = _read_array(plain["value"], f"{where}: value")
    if TensorSpec(value.shape, dtypes.canonical(value.dtype)) != spec:
        raise GraphFormatError(
            f"{where}: the value of {name!r} is {value.dtype}{list(value.shape)}, not {spec}"
        )
    return Variable(value, spec.shape, spec.dtype, name, **flags)


def _read_spec(plain: Any, where: str) -> TensorSpec:
    if not isinstance(plain, list) or len(plain) != 2 or not isinstance(plain[1], list):
        raise GraphFormatError(f"{where}: a result is a pair [dtype, shape]")
    dtype, shape = plain
    if dtype not in dtypes.ALL:
        raise GraphFormatError(f"{where}: {str(dtype)[:80]!r} is not a dtype")
    if not all(d is None or type(d) is int and d >= 0 for d in shape):
        raise GraphFormatError(f"{where}: {str(shape)[:80]} is not a shape")
    return TensorSpec(tuple(shape), dtype)


def _read_value(plain: Any, where: str, variables: Mapping[str, Variable], depth: int) -> Any:
    if plain is None or isinstance(plain, (bool, int, float, str)):
        return plain
    if not isinstance(plain, dict) or len(plain) != 1:
        raise GraphFormatError(f"{where}: an attribute is a plain value or one field with its kind")
    kind, body = next(iter(plain.items()))
    if kind == "float" and body in ("nan", "inf", "-inf"):
        return float(body)
    if kind in ("tuple", "list") and isinstance(body, list):
        found = [_read_value(v, where, variables, depth) for v in body]
        return tuple(found) if kind == "tuple" else found
    if kind == "array":
        return _read_array(body, where)
    if kind == "spec":
        return _read_spec(body, where)
    if kind == "graph":
        return _read_graph(body, variables, depth + 1)
    raise GraphFormatError(f"{where}: an attribute of the unknown kind {str(kind)[:80]!r}")


def _read_array(plain: Any, where: str) -> np.ndarray:
    if not isinstance(plain, list) or len(plain) != 3 or not isinstance(plain[2], str):
        raise GraphFormatError(f"{where}: an array is [dtype, shape, bytes]")
    spec = _read_spec(plain[:2], where)
    if None in spec.shape:
        raise GraphFormatError(f"{where}: an array has no unknown dimensions")
    dtype = dtypes.numpy_dtype(spec.dtype)
    try:
        raw = base64.b64decode(plain[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise GraphFormatError(f"{where}: the bytes of the array are not base64: {error}") from None
    wanted = math.prod(d for d in spec.shape if d is not None) * dtype.itemsize
    if len(raw) != wanted:
        raise GraphFormatError(f"{where}: {spec} needs {wanted} bytes, the document has {len(raw)}")
    if spec.dtype == dtypes.BOOL and raw.strip(b"\0\1"):
        raise GraphFormatError(f"{where}: a bool is neither 0 nor 1")
    array = np.frombuffer(raw, dtype=dtype).reshape([d for d in spec.shape if d is not None])
    return array.byteswap() if sys.byteorder == "big" else array.copy()


def _check_keys(plain: Any, wanted: set[str], where: str) -> None:
    if not isinstance(plain, dict) or set(plain) != wanted:
        found = sorted(plain) if isinstance(plain, dict) else type(plain).__name__
        raise GraphFormatError(f"{where} should have the fields {sorted(wanted)}, it has {found}")


def _checked(value: Any, kind: type, where: str) -> Any:
    if type(value) is not kind:
        raise GraphFormatError(f"{where} should be of type {kind.__name__}, it is {type(value).__name__}")
    return value
