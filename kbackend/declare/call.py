"""The call of an op: operands become symbolic tensors, the op's rule checks them, a node is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.kept import built
from kbackend.declare.op import REGISTRY, Op
from kbackend.graph.node import Node, beside
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ground import hooks
from kbackend.ground.active import autocast, building


class OpError(ValueError):
    """An op was given operands or attributes that it cannot take; the message names op, shapes and values."""


def call(op: Op, operands: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """Apply ``op``. Operands are tensors, lists of tensors, arrays, numbers or None."""
    for operand in operands:
        if isinstance(operand, Tensor):
            return make_node(op, operands, attrs)
        if type(operand) in (list, tuple) and any(isinstance(o, Tensor) for o in operand):
            return make_node(op, operands, attrs)
    if op.creates or not op.operands or building.get():
        return make_node(op, operands, attrs)
    return hooks.run_op(op, operands, attrs)


def make_node(op: Op, operands: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """The symbolic call: verify, infer, and make the node."""
    casting = autocast.get()
    if casting is not None and op.kind != "structural" and op.captures is None:
        operands = casting(list(operands))
    args = _lift_all(op, operands)
    if not all(isinstance(a, Tensor) for a in args):
        _refuse_missing(op, args)
    specs = [_spec_of(a) for a in args]
    try:
        if op.prepare is not None:
            attrs = op.prepare(specs, attrs)
        if not op.takes_complex:
            _refuse_complex(specs)
        rule = op.inference
        if rule is None:
            return _composite_node(op, args, attrs)
        result = rule(*specs, **attrs)
    except (OpError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise named(op, specs, attrs, error) from (error if not isinstance(error, OpError) else None)
    single = isinstance(result, TensorSpec)
    node = Node(op, args, attrs, (result,) if single else tuple(result), attrs.get("name"), single)
    return node.outputs[0] if single else list(node.outputs)


def _refuse_missing(op: Op, args: Sequence[Any]) -> None:
    """None stands for an operand that may be absent, and for no other one."""
    for place, arg in enumerate(args):
        if arg is not None and type(arg) is not tuple:
            continue
        name = op.operands[place]
        if arg is None and name not in op.optional or arg is not None and any(a is None for a in arg):
            raise TypeError(f"{op.name}: the operand {name} is None{' at a place' if arg else ''}; it must be a tensor")


def _refuse_complex(specs: Sequence[Any]) -> None:
    for spec in specs:
        if type(spec) is list:
            _refuse_complex(spec)
        elif type(spec) is TensorSpec and spec.dtype in dtypes.COMPLEX:
            raise TypeError(f"it does not take {spec.dtype}; real, imag, abs and angle make floats of it")


def _composite_node(op: Op, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
    result = op.function(*args, **attrs)
    single = not isinstance(result, (tuple, list))
    outputs = (result,) if single else tuple(result)
    if any(not isinstance(t, Tensor) for t in outputs):
        raise TypeError(
            f"the body of the composite {op.name} must return symbolic tensors for symbolic operands"
        )
    node = Node(op, args, attrs, [t.spec for t in outputs], attrs.get("name"), single)
    node.remember_expansion(outputs)
    return node.outputs[0] if single else list(node.outputs)


def expansion(node: Node) -> tuple[Tensor, ...]:
    """The tensors that a composite node stands for; its body runs at the first call."""
    if node.expansion is None:
        with beside(node):
            result = built(node.op.function, *node.args, **node.attrs)  # type: ignore[attr-defined]
        node.remember_expansion((result,) if isinstance(result, Tensor) else tuple(result))
    assert node.expansion is not None
    return node.expansion


def named(op: Op, specs: Sequence[Any], attrs: dict[str, Any], error: Exception) -> Exception:
    """The error with op and shapes in front, once; innermost op wins."""
    text = str(error)
    if getattr(error, "_kbackend_named", False):
        return error
    described = ", ".join(_describe(s) for s in specs)
    shown = ", ".join(f"{k}={v!r}" for k, v in attrs.items() if k != "name" and not isinstance(v, np.ndarray))
    message = f"{op.name}({described}{', ' if described and shown else ''}{shown}): {text}"
    kind = type(error) if type(error) in (TypeError, ValueError, IndexError, ZeroDivisionError) else OpError
    named = kind(message)
    named._kbackend_named = True  # type: ignore[attr-defined]
    return named


def _describe(spec: Any) -> str:
    if isinstance(spec, list):
        return "[" + ", ".join(_describe(s) for s in spec) + "]"
    return str(spec)


def _spec_of(arg: Any) -> Any:
    if isinstance(arg, Tensor):
        return TensorSpec(arg.shape, arg.dtype)
    if isinstance(arg, tuple):
        return [_spec_of(a) for a in arg]
    return arg


def _lift_all(op: Op, operands: Sequence[Any]) -> list[Any]:
    if op.promote is None:
        return [o if isinstance(o, Tensor) else _lift_operand(o) for o in operands]
    types = [t for o, use in zip(operands, op.is_promoted) if use for t in _operand_types(o)]
    common = dtypes.promote(*types) if types else config.floatx()
    if op.promote == "float":
        common = dtypes.to_float(common)
    return [
        o if isinstance(o, Tensor) and (not use or o.dtype == common) else _lift_operand(o, common if use else None)
        for o, use in zip(operands, op.is_promoted)
    ]


def _operand_types(operand: Any) -> list[Any]:
    if isinstance(operand, Tensor):
        return [operand.dtype]
    if operand is None:
        return []
    if isinstance(operand, (list, tuple)):
        return [t for o in operand for t in _operand_types(o)] if holds_tensors(operand) else [_list_type(operand)]
    if isinstance(operand, bool):
        return ["bool"]
    if isinstance(operand, int):
        return [dtypes.WEAK_INT]
    if isinstance(operand, float):
        return [dtypes.WEAK_FLOAT]
    if isinstance(operand, complex):
        return [dtypes.WEAK_COMPLEX]
    return [lifted_dtype(dtype_of(operand))]


def _list_type(numbers: Any) -> Any:
    kind = np.asarray(numbers).dtype.kind
    return {"c": dtypes.WEAK_COMPLEX, "f": dtypes.WEAK_FLOAT, "b": "bool"}.get(kind, "int32")


def holds_tensors(operand: Any) -> bool:
    plain = (int, float, bool, complex, list, tuple)
    return any(isinstance(o, np.generic) or not isinstance(o, plain) for o in operand)


def lifted_dtype(dtype: str) -> str:
    """The dtype that an array takes when it enters a graph: float64 becomes floatx (docs/semantics.md, row 36), and
    complex128 the complex of floatx."""
    if dtype == "complex128":
        return dtypes.complex_of(config.floatx())
    return config.floatx() if dtype == "float64" else dtype


def _lift_operand(operand: Any, dtype: str | None = None) -> Any:
    if operand is None:
        return None
    if isinstance(operand, (list, tuple)) and (not operand or holds_tensors(operand)):
        return tuple(_lift_operand(o, dtype) for o in operand)
    return lift(operand, dtype)


def lift(value: Any, dtype: str | None = None) -> Tensor:
    """A symbolic tensor for any value: itself, or a constant; cast to ``dtype`` when one is given."""
    if isinstance(value, Tensor):
        return (
            value
            if dtype is None or value.dtype == dtype
            else call(REGISTRY["cast"], (value,), {"dtype": dtype})
        )
    array = to_numpy(value)
    if dtype is None:
        dtype = _plain_dtype(value, array)
    spec = TensorSpec(array.shape, dtype)  # what the rule of constants infers
    attrs = {"value": dtypes.converted(array, dtype), "name": None}
    return Node(REGISTRY["constant"], (), attrs, (spec,)).outputs[0]


def _plain_dtype(value: Any, array: np.ndarray) -> str:
    if isinstance(value, (int, list, tuple)) and not isinstance(value, bool) and array.dtype == np.int64:
        return integer_dtype(array)
    return lifted_dtype(dtypes.canonical(array.dtype))


def integer_dtype(array: np.ndarray) -> str:
    """The dtype of Python integers that meet no tensor: int32, or int64 where a value needs it."""
    limits = np.iinfo(np.int32)
    return "int64" if array.size and (array.min() < limits.min or array.max() > limits.max) else "int32"


def is_number(value: Any) -> bool:
    """A Python number; NumPy's float64 scalar is one too and yet has a dtype of its own."""
    return isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic)


def dtype_of(value: Any) -> str:
    """The dtype of a symbolic tensor, an engine's tensor, an array or a number."""
    if isinstance(value, Tensor):
        return value.dtype
    if is_number(value):
        return dtypes.promote(*_operand_types(value))
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        dtype = np.asarray(value).dtype
        if dtype.kind in "OSU":
            raise TypeError(f"a value of type {type(value).__name__} cannot become a tensor")
    return dtypes.canonical(dtype)


def to_numpy(value: Any) -> np.ndarray:
    """Any concrete value as a NumPy array: numbers, lists, arrays, data frames, tensors of any loaded engine."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (bool, int, float, complex, np.generic)):
        return np.asarray(value)
    owner = hooks.owner_of(value)
    if owner is not None:
        return owner.to_numpy(value)
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    array = np.asarray(value)
    if array.dtype == object:
        raise TypeError(f"a value of type {type(value).__name__} cannot become a tensor")
    return array
