"""``model.summary()``: the layers of a model, and the operations between them, as a table."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import flat_tensors
from kbackend.model.topology import Topology, sources_of, unit_of
from kbackend.plugin import modes


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of a model's layers and operations. Other arguments as :meth:`kbackend.Model.summary`.

    Args:
        model: a Model or Sequential.

    >>> from kbackend import Input, Model, layers, utils
    >>> x = Input((3,), name="x")
    >>> model = Model(x, layers.Dense(2, name="two")(x))
    >>> lines = []
    >>> utils.print_summary(model, print_fn=lines.append)
    >>> "two (Dense)" in "".join(lines)
    True
    """
    for line in summary_text(model, line_length).splitlines():
        (print_fn or print)(line)


def summary_text(model: Any, line_length: int | None = None) -> str:
    """The table and the totals as text."""
    from rich.console import Console
    from rich.table import Table

    connected = not _is_chain(model)
    table = Table(title=f'Model "{model.name}"', title_justify="left", show_lines=False)
    table.add_column("Layer (type)")
    table.add_column("Output shape")
    table.add_column("Parameters", justify="right")
    if connected:
        table.add_column("Connected to")
    for row in _connected_rows(model) if connected else map(_layer_row, model.layers):
        table.add_row(*row)
    text = io.StringIO()
    Console(
        file=text,
        width=line_length or (100 if connected else 78),
        color_system=None,
        legacy_windows=False,
        force_terminal=False,
        force_jupyter=False,
        markup=False,
        highlight=False,
    ).print(table)
    return "\n".join([text.getvalue().rstrip("\n"), _totals(model), *_draws(model)])


def _count(weights: Any) -> int:
    total = 0
    for variable in weights:
        size = 1
        for d in variable.shape:
            size *= d
        total += size
    return total


def _totals(model: Any) -> str:
    trainable, whole = _count(model.trainable_weights), _count(model.weights)
    lines = [
        f"Total parameters: {whole:,}",
        f"Trainable: {trainable:,}",
        f"Non-trainable: {whole - trainable:,}",
    ]
    loose = _count(model.weights) - _count({id(v): v for x in model.layers for v in x.weights}.values())
    return "\n".join([*lines, *([f"Of these in ops between layers: {loose:,}"] if loose else [])])


def _draws(model: Any) -> list[str]:
    """A line on whose random numbers are drawn, where the user chose so. No engine is loaded to tell."""
    if modes.rng() != modes.NATIVE:
        return []
    target = model._steps.placement.known()
    if target is None:
        return ["Random draws: native, by the engine's own generator"]
    if modes.rng_of(target.backend) == modes.NATIVE:
        return [f"Random draws: native, by the own generator of {target.backend.name}"]
    return [f"Random draws: portable; {target.backend.name} has no native ones"]


def _is_chain(model: Any) -> bool:
    """Whether each layer has one call, on the result of the layer before, or no calls of layers are known."""
    if model.is_chain or model.has_own_call and not model._topology.calls:
        return True
    topology = model._topology
    if (
        len(topology.inputs) > 1
        or len(topology.units) != len(topology.calls)
        or len(topology.calls) != len(model.layers) - 1
    ):
        return False
    before = topology.inputs[0]
    for call in topology.calls:
        if len(call.operands) != 1 or call.operands[0] is not before:
            return False
        before = call.outputs[0]
    return True


def _output_text(layer: Layer) -> str:
    if not layer._calls:
        return "?"
    shapes = [_shape_text(call.structure) for call in layer._calls]
    return shapes[0] if all(s == shapes[0] for s in shapes) else "several"


def _shape_text(structure: Any) -> str:
    return ", ".join(str(t.shape) for t in flat_tensors(structure))


def _layer_row(layer: Layer) -> list[str]:
    return [f"{layer.name} ({type(layer).__name__})", _output_text(layer), f"{_count(layer.weights):,}"]


def _connected_rows(model: Any) -> list[list[str]]:
    """Rows of layers and of the operations between them, each operation before the first layer that needs it."""
    topology = model._topology
    operands: dict[int, list[Tensor]] = {}
    for call in topology.calls:
        operands.setdefault(id(call.layer), []).extend(call.operands)
    before: dict[int, list[Node]] = {}
    for node, place in _places(topology):
        before.setdefault(place, []).append(node)
    known: set[int] = set()
    rows: list[list[str]] = []
    for place, layer in enumerate([*topology.layers, None]):
        rows += [_op_row(topology, node, known) for node in before.get(place, ())]
        if layer is not None:
            rows.append([*_layer_row(layer), _origins_text(topology, operands.get(id(layer), []))])
    return rows


def _places(topology: Topology) -> list[tuple[Node, int]]:
    """Each operation with the place of the first layer that needs it, behind all layers where none does."""
    number = {id(layer): place for place, layer in enumerate(topology.layers)}
    needed: dict[int, int] = {}
    for unit in reversed(topology.units):
        place = needed.get(id(unit), len(number))
        if isinstance(unit, LayerCall):
            place = number[id(unit.layer)]
        for tensor in sources_of(unit):
            source = id(unit_of(tensor))
            needed[source] = min(place, needed.get(source, place))
    return [(node, needed.get(id(node), len(number))) for node in topology.ops]


def _op_row(topology: Topology, node: Node, known: set[int]) -> list[str]:
    """The row of an operation; a variable counts where it is read first."""
    read = [t for t in node.inputs if isinstance(t, Variable) and id(t) not in known]
    known.update(map(id, read))
    shapes = ", ".join(str(t.shape) for t in node.outputs)
    return [f"{node.name} ({node.op.name})", shapes, f"{_count(read):,}", _origins_text(topology, node.inputs)]


def _origins_text(topology: Topology, operands: Sequence[Tensor]) -> str:
    return ", ".join(dict.fromkeys(name for t in operands if (name := topology.origin(t)) is not None))
