"""Concrete calls: a call on concrete tensors is traced into a program, which is run and cached for its signature.

Tensors are replaced by placeholders of their dtype and shape, the function is called on these, and its graph is
rewritten and emitted like any other; the emitted function has the signature of the call. A function that depends on
values while it builds the graph (a size, a mask) is traced on constants instead, and its program is not cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import holds_tensors, is_number, make_node, to_numpy
from kbackend.declare.call import named as named_op
from kbackend.declare.kept import built
from kbackend.declare.op import REGISTRY, Op
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph, ancestors
from kbackend.ground.tree import tree_leaves
from kbackend.lowering.emit_call import Argument, EmittedCall, emit_call
from kbackend.lowering.rewrite import rewrite
from kbackend.plugin import modes
from kbackend.plugin.contract import Backend, Target
from kbackend.plugin.select import active_target, owner_of, use_target
from kbackend.streams import trying

Run = Callable[..., Any]


def run(
    op: Op,
    function: Run,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    kept: dict[Any, Run | None] | None = None,
    key: Any = None,
) -> Any:
    """The result of a concrete call, in tensors of the engine.

    A result that depends on a variable, the phase or a random stream is returned as a symbolic tensor.

    Args:
        op: the declaration of the function, with the names of its operands.
        function: the function that builds the symbolic result.
        kept, key: the cache of programs and the signature of the call; not cached if the key is None.
    """
    target = active_target()
    try:
        call = _traced(_Placeholders(op, target), function, args, kwargs)
    except Exception:  # it depends on values, or the call is wrong and fails on constants as well
        call, key = _traced(_Constants(op, target), function, args, kwargs), None
    if not call.is_concrete():
        if key is not None and kept is not None:
            kept[key] = None
        return function(*args, **kwargs)
    with use_target(target):
        emitted = call.emitted()
    result = _run(emitted, target, args, kwargs)
    if key is not None and kept is not None:
        kept[key] = emitted.function
    return result


def run_op(op: Op, operands: Sequence[Any], attrs: dict[str, Any]) -> Any:
    """A concrete call of an op with operands in order and attributes by name."""
    given = dict(zip(op.operands, operands))
    return run(op, lambda **found: make_node(op, [found[o] for o in op.operands], _attributes(op, found)), (),
               {**given, **attrs})


def _attributes(op: Op, found: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in found.items() if k not in op.operands}


class _Call:
    """A traced call: its arguments and its symbolic result."""

    def __init__(self, tracer: _Tracer, positional: list[Argument], named: dict[str, Argument], result: Any) -> None:
        self.tracer = tracer
        self.positional, self.named = positional, named
        self.result = result
        self.tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]

    def is_concrete(self) -> bool:
        """Whether the result depends on the arguments only."""
        own = {id(t) for t in self.tracer.placeholders}
        for node in ancestors(self.tensors, self.tracer.placeholders):
            if node.op.role in (Role.PHASE, Role.VARIABLE):
                return False
            if node.op.role is Role.PLACEHOLDER and id(node.outputs[0]) not in own:
                return False
        return bool(self.tensors)

    def emitted(self) -> EmittedCall:
        target = self.tracer.target
        rng = modes.rng_of(target.backend) if modes.modes.key else "portable"
        kernels = target.backend.table(rng)
        graph = Graph(self.tracer.placeholders, self.tensors, name=self.tracer.op.name)
        return emit_call(rewrite(graph, kernels, 0), target, kernels, self.positional, self.named, self.result)


def _traced(tracer: _Tracer, function: Run, args: Sequence[Any], kwargs: dict[str, Any]) -> _Call:
    names = tracer.op.positional
    positional = [
        tracer.argument(value, names[i] if i < len(names) else names[-1]) for i, value in enumerate(args)
    ]
    named = {name: tracer.argument(value, name) for name, value in kwargs.items()}
    with trying():  # a call that stays symbolic is repeated, and takes its random streams then
        result = built(function, *[a.value for a in positional], **{k: a.value for k, a in named.items()})
    return _Call(tracer, positional, named, result)


class _Tracer:
    """Converts the arguments of a concrete call to those of a symbolic call.

    Attributes:
        stands_for_attributes: whether arrays among the attributes are replaced as well.
    """

    stands_for_attributes = False

    def __init__(self, op: Op, target: Target) -> None:
        self.op = op
        self.target = target
        self.placeholders: list[Tensor] = []

    def argument(self, value: Any, name: str) -> Argument:
        operand = name in self.op.operands
        backend = self.target.backend
        if isinstance(value, (list, tuple)) and (not operand or not value or holds_tensors(value)):
            parts = [self.argument(v, name) for v in value]
            if all(p.value is v for p, v in zip(parts, value)):
                return Argument(value)
            return Argument(type(value)([p.value for p in parts]), parts=parts)
        if value is None or is_number(value) or callable(value) or isinstance(value, (str, list, tuple)):
            return Argument(value)
        if isinstance(value, (np.ndarray, np.generic)):
            kind = self.target.tensor_type
            if not operand and not (self.stands_for_attributes and kind is not None and isinstance(value, kind)):
                return Argument(value)
            entry: Callable[[Any], Any] | None = None if backend.is_tensor(value) else self.target.from_numpy
        elif backend.is_tensor(value):
            entry = None if self.target.place(value) is value else self.target.place
        elif owner_of(value) is not None or operand and (hasattr(value, "to_numpy") or hasattr(value, "__array__")):
            entry = self._converted
        else:
            return Argument(value)
        tensor = value if entry is None else entry(value)
        return Argument(self.stand_in(tensor, name), entry=entry)

    def _converted(self, value: Any) -> Any:
        return self.target.from_numpy(to_numpy(value))

    def stand_in(self, tensor: Any, name: str) -> Tensor:
        raise NotImplementedError


class _Placeholders(_Tracer):
    """Replaces tensors by placeholders."""

    stands_for_attributes = True

    def stand_in(self, tensor: Any, name: str) -> Tensor:
        spec = self.target.backend.spec(tensor)
        made = make_node(REGISTRY["placeholder"], (), {"shape": spec.shape, "dtype": spec.dtype, "name": name})
        self.placeholders.append(made)
        return made


class _Constants(_Tracer):
    """Replaces tensors by constants, whose values are available to the function."""

    def stand_in(self, tensor: Any, name: str) -> Tensor:
        value = np.array(self.target.backend.to_numpy(tensor))
        return make_node(REGISTRY["constant"], (), {"value": value, "name": name})


def _run(emitted: EmittedCall, target: Target, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of the emitted function; errors of kernels are raised with the op and the shapes."""
    backend = target.backend
    try:
        return backend.guarded(emitted.function, *args, **kwargs)
    except Exception as error:
        reason = modes.reason_of(error, backend)
        if reason is None and type(error) not in (ValueError, IndexError, ZeroDivisionError):
            raise
        node = _failed(emitted, error, backend)
        if reason is None:
            raise named_op(node.op, [_spec(a) for a in node.args], dict(node.attrs), error) from error
        raise modes.refusal(node.op.name, target.key, node.op.name, None, reason) from error


def _failed(emitted: EmittedCall, error: Exception, backend: Backend) -> Any:
    """The node whose kernel raised an error."""
    places = backend.places(error, None, ())
    nodes: list[Node] = [emitted.nodes[place] for place in places if place in emitted.nodes]
    return nodes[-1] if nodes else emitted.last


def _spec(arg: Any) -> Any:
    if isinstance(arg, tuple):
        return [_spec(a) for a in arg]
    return TensorSpec(arg.shape, arg.dtype) if isinstance(arg, Tensor) else arg
