"""Checking a graph as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import DisconnectedGraph, Graph, depends_on


class InvalidGraph(ValueError):
    """A graph that contradicts itself; the message names the tensors."""


def verify(graph: Graph) -> None:
    """Check a graph before it is lowered or saved.

    Raises:
        InvalidGraph: two inputs of one name, an input that stands twice, two updates of one variable, an
            update of another shape or dtype, a node whose results do not follow from operands and attributes.
        DisconnectedGraph: inputs that nothing depends on, or placeholders that are needed and not among the
            inputs; all of them are listed.

    >>> from kbackend import K
    >>> x, y = K.placeholder((2,), name="x"), K.placeholder((2,), name="y")
    >>> verify(Graph([x, y], [x]))
    Traceback (most recent call last):
    kbackend.graph.walk.DisconnectedGraph: graph: nothing depends on the input 'y'
    """
    _check_names(graph)
    _check_connections(graph)
    _check_updates(graph)
    for node in graph.nodes():
        check_node(node)


def _check_names(graph: Graph) -> None:
    seen: dict[str, Tensor] = {}
    for tensor in graph.inputs:
        other = seen.setdefault(tensor.name, tensor)
        if other is not tensor:
            raise InvalidGraph(
                f"{graph.name}: two inputs are named {tensor.name!r}: {other!r} and {tensor!r}"
            )
    if len(seen) != len(graph.inputs):
        twice = [t.name for i, t in enumerate(graph.inputs) if any(t is s for s in graph.inputs[:i])]
        raise InvalidGraph(f"{graph.name}: the inputs {', '.join(map(repr, twice))} stand twice")


def _check_connections(graph: Graph) -> None:
    used = depends_on(graph.results, graph.inputs)
    unused = [t.name for t, is_used in zip(graph.inputs, used, strict=True) if not is_used]
    if unused:
        raise DisconnectedGraph(f"{graph.name}: nothing depends on the input{_list(unused)}")
    unfed = [t.name for t in graph.leaves() if t.node.op.role is Role.PLACEHOLDER]
    if unfed:
        raise DisconnectedGraph(
            f"{graph.name}: these placeholders are needed and are no inputs:{_list(unfed)}"
        )


def _list(names: Sequence[str]) -> str:
    return f"{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"


def _check_updates(graph: Graph) -> None:
    seen: dict[int, Tensor] = {}
    for variable, value in graph.updates:
        if seen.setdefault(id(variable), value) is not value:
            raise InvalidGraph(f"{graph.name}: the variable {variable.name!r} has two different updates")
        if value.dtype != variable.dtype or not _fits(value.shape, variable.shape):
            raise InvalidGraph(f"{graph.name}: {value!r} cannot be the new value of {variable!r}")


def _fits(shape: Sequence[int | None], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(a is None or a == b for a, b in zip(shape, wanted, strict=True))


def check_node(node: Node) -> None:
    """Infer a node's results again and compare.

    Raises:
        InvalidGraph: the op refuses the operands, or gives other shapes or dtypes than the node has.
    """
    specs = [t.spec for t in node.outputs]
    try:
        inferred = _inferred(node)
    except (TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise InvalidGraph(f"{node!r}: the op refuses it: {error}") from error
    if inferred is not None and inferred != specs:
        raise InvalidGraph(f"{node!r}: the op gives {', '.join(map(str, inferred))}")


def _inferred(node: Node) -> list[TensorSpec] | None:
    """The results by the op's own rule; None for variables, which have none."""
    rule = node.op.inference
    if rule is None:
        return None if node.expansion is None else [t.spec for t in node.expansion]
    specs = [_spec_of(a) for a in node.args]
    found = rule(*specs, **node.op.prepared(specs, node.attrs))
    return [found] if isinstance(found, TensorSpec) else list(found)


def _spec_of(arg: Any) -> Any:
    if isinstance(arg, Tensor):
        return arg.spec
    return [_spec_of(a) for a in arg] if isinstance(arg, tuple) else arg


__all__ = ["DisconnectedGraph", "InvalidGraph", "check_node", "verify"]
