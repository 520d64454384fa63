"""Code generation for a concrete call, as a function of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.show import identifier
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import Graph
from kbackend.lowering.emit import INDENT, Emitter, is_literal
from kbackend.lowering.plan import Plan, plan
from kbackend.plugin.contract import InPlace, Target


@dataclass
class Argument:
    """An argument of a concrete call.

    Attributes:
        value: its value in the trace: a symbolic tensor, a list of values, or the argument itself.
        entry: the function that converts it to a tensor of the engine; None if it is one.
        parts: the elements of a list that contains tensors.
    """

    value: Any
    entry: Callable[[Any], Any] | None = None
    parts: list[Argument] | None = None


@dataclass
class EmittedCall:
    """A concrete call as a function of its arguments.

    Attributes:
        function: takes the arguments of the call.
        nodes: (file, line) -> the node that the line computes.
        last: the last node; None where the result is an argument.
    """

    function: Callable[..., Any]
    nodes: dict[tuple[str, int], Node]
    last: Node | None


class _CallEmitter(Emitter):
    """Generates the function of a concrete call."""

    def unpacked(self, argument: Argument, name: str) -> str:
        """The name of an argument; emits the lines that unpack lists and convert values to tensors of the engine."""
        if argument.parts is not None:
            inner = [self.unpacked(part, f"{name}_{i}") for i, part in enumerate(argument.parts)]
            self.lines.insert(0, f"{INDENT}{''.join(f'{part}, ' for part in inner)}= {name}")
            return name
        if not isinstance(argument.value, Tensor):
            return name
        name = self.register(argument.value)
        if argument.entry is not None:
            self.line(f"{name} = {self.bind('entry', argument.entry)}({name})")
        return name

    def call(
        self, graph: Graph, positional: Sequence[Argument], named: Mapping[str, Argument], result: Any, name: str
    ) -> Callable[..., Any]:
        """Emit ``graph`` as a function of the arguments of a concrete call."""
        made = plan(graph, self.base)
        self.taken.update(named)
        self.registers |= {id(a.value): k for k, a in named.items() if isinstance(a.value, Tensor)}
        parameters = [self.unpacked(a, f"argument_{i}") for i, a in enumerate(positional)]
        parameters += [self.unpacked(a, key) for key, a in named.items()]
        self.body(graph, made, {})
        rest = iter(graph.outputs)
        text = self.structure(result, rest, made)
        self.record(False)
        self.line(f"return {text}")
        source = "\n".join([f"def {name}({', '.join(parameters)}):", *self.lines])
        return self.compiled(source, name)

    def whole_call(
        self, graph: Graph, nodes: Sequence[Node], positional: Sequence[Argument], named: Any, result: Any
    ) -> Callable[..., Any] | None:
        """The kernel itself, if its signature is that of the call; else None."""
        if named or len(nodes) != 1 or not isinstance(result, Tensor) or not nodes[0].single:
            return None
        operands = nodes[0].args
        plain = [a.value for a in positional if isinstance(a.value, Tensor) and a.entry is None]
        if len(plain) != len(positional) or len(operands) != len(plain) or graph.outputs[0] is not nodes[0].outputs[0]:
            return None
        if not all(map(is_, operands, plain)) or nodes[0].op.role is not Role.KERNEL:
            return None
        kernel, rest = self.kernel(nodes[0], Plan(list(nodes)))
        return None if rest or isinstance(kernel, InPlace) else kernel

    def structure(self, result: Any, tensors: Iterator[Tensor], made: Plan) -> str:
        """The source of a result, in which tensors are registers."""
        if isinstance(result, Tensor):
            return self.operand(next(tensors), (), made)
        if isinstance(result, (list, tuple)):
            inner = "".join(f"{self.structure(r, tensors, made)}, " for r in result)
            return f"[{inner}]" if isinstance(result, list) else f"({inner})"
        return repr(result) if is_literal(result) else self.bind("result", result)


def emit_call(
    graph: Graph,
    target: Target,
    kernels: Mapping[str, Any],
    positional: Sequence[Argument],
    named: Mapping[str, Argument],
    result: Any,
) -> EmittedCall:
    """Emit the rewritten graph of a concrete call.

    Args:
        positional, named: the arguments.
        result: the traced result; its tensors are the outputs of the graph before it was rewritten.
    """
    emitter = _CallEmitter(target, kernels, [], {}, immediate=True)
    nodes = graph.depth_first()
    kernel = emitter.whole_call(graph, nodes, positional, named, result)
    if kernel is None:
        name = identifier(graph.name)
        emitter.taken.add(name)
        kernel = emitter.call(graph, positional, named, result, name)
    return EmittedCall(kernel, emitter.nodes, nodes[-1] if nodes else None)
