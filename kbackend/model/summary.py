"""``model.summary()``: the layers of a model as a table."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import flat_tensors
from kbackend.plugin import modes


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Print the table of a model's layers; see :meth:`kbackend.Model.summary`."""
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
    operands = _operands(model) if connected else {}
    for layer in model.layers:
        row = [f"{layer.name} ({type(layer).__name__})", _output_text(layer), f"{_count(layer.weights):,}"]
        table.add_row(*row, *([_origins_text(model, operands.get(id(layer), []))] if connected else []))
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
    """Whether each layer has one call, on the result of the layer before."""
    if model.is_chain:
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


def _operands(model: Any) -> dict[int, list[Tensor]]:
    """What each layer by id is called on."""
    found: dict[int, list[Tensor]] = {}
    for call in model._topology.calls:
        found.setdefault(id(call.layer), []).extend(call.operands)
    return found


def _origins_text(model: Any, operands: list[Tensor]) -> str:
    return ", ".join(f"{x.name}[{call}][{index}]" for x, call, index in model._topology.origins(operands))
