"""The prediction program of a model for an engine, as it leaves kbackend."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

from kbackend.graph.node import Node, Role
from kbackend.graph.show import identifier
from kbackend.graph.variable import Variable
from kbackend.graph.walk import Graph
from kbackend.lowering.emit import Emitted, emit
from kbackend.lowering.rewrite import rewrite
from kbackend.plugin.contract import MissingKernel, Target
from kbackend.plugin.select import target, use_target
from kbackend.saving.export.written import Line


class ExportError(ValueError):
    """A model cannot leave in the form that is asked for; the message names the layer or op and the reason.

    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend.saving import ExportError
    >>> try:
    ...     model.export("model.onnx", format="onnx", engine="numpy")
    ... except ExportError as error:
    ...     print(isinstance(error, ValueError))
    True
    """


@dataclass
class Lowered:
    """A prediction program.

    Attributes:
        name: of the model.
        emitted: the program.
        target: the engine, on its CPU.
        weights: name -> variable, in the order of the program's cells.
        inputs: names of the inputs.
        outputs: how many there are.
    """

    name: str
    emitted: Emitted
    target: Target
    weights: dict[str, Variable]
    inputs: list[str]

    @property
    def updated(self) -> list[str]:
        """The names of the weights that a run changes, in the order of the new values."""
        names = {id(v): name for name, v in self.weights.items()}
        return [names[id(v)] for v in self.emitted.updated]

    def functions(self) -> dict[int, dict[int, Line]]:
        """id of a generated function -> what is known of its lines."""
        by_file: dict[str, dict[int, Line]] = {}
        for (file, line), node in self.emitted.nodes.items():
            shapes = ", ".join(str(t.spec) for t in node.outputs)
            by_file.setdefault(file, {})[line] = Line(shapes, place(node))
        waiting: list[Any] = [self.emitted.function]
        found: dict[int, dict[int, Line]] = {}
        seen: set[int] = set()
        while waiting:
            value = waiting.pop()
            if id(value) in seen or not isinstance(value, (types.FunctionType, tuple, list)):
                continue
            seen.add(id(value))
            if not isinstance(value, types.FunctionType):
                waiting += value
                continue
            if value.__globals__.get("__name__") is None:  # a namespace of a program, not of a module
                found[id(value)] = by_file.get(value.__code__.co_filename, {})
                waiting += value.__globals__.values()
            waiting += [cell.cell_contents for cell in value.__closure__ or ()]
        return found


def lowered(model: Any, engine: str, no_gradients: str = "") -> Lowered:
    """The prediction program of a model on the CPU of an engine.

    Args:
        no_gradients: why it must not take gradients.

    Raises:
        ExportError: an op that the engine has no kernel for, that draws random numbers, or takes a gradient.
        RuntimeError: the model is not built.
    """
    found = target(engine, "cpu")
    kernels = found.backend.table("portable")
    graph = rewrite(model._steps.predict().graph, kernels, 0)
    for node in _all_nodes(graph):
        if node.op.random:
            raise ExportError(
                f"{place(node)} draws random numbers in prediction, from kbackend's streams, which no other program has"
            )
        if no_gradients and node.op.role is Role.GRADIENTS:
            raise ExportError(f"{place(node)} takes a gradient in prediction: {no_gradients}")
    variables = graph.variables()
    try:
        with use_target(found):
            emitted = emit(graph, found, kernels, variables)
    except MissingKernel as error:
        raise ExportError(f"{model.name} cannot be exported to {engine}: {error}") from error
    return Lowered(model.name, emitted, found, _named(variables), list(model.input_names))


def place(node: Node) -> str:
    """The op of a node, with the scope that it is in: that of its layer."""
    scope = node.name.rpartition("/")[0]
    return f"{node.op.name} in {scope!r}" if scope else f"{node.op.name} ({node.name!r})"


def _all_nodes(graph: Graph) -> list[Node]:
    """The nodes of a graph and of the bodies in it."""
    found = graph.nodes()
    for node in tuple(found):
        for value in node.attrs.values():
            if isinstance(value, Graph):
                found += _all_nodes(value)
    return found


def _named(variables: list[Variable]) -> dict[str, Variable]:
    names: dict[str, Variable] = {}
    for variable in variables:
        base = name = identifier(variable.name)
        count = 1
        while name in names:
            count += 1
            name = f"{base}_{count}"
        names[name] = variable
    return names
