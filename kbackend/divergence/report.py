"""The result of a comparison: a row for each value that was compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

#: rows of a printed table
_SHOWN = 20


@dataclass
class Row:
    """One node, or one result, on two sides.

    Attributes:
        kind: 'value', 'gradient' (with respect to an operand), 'result' (an output or an update, end to end).
        number: the place of the node in the program.
        node: its name, without the layer's.
        layer: the names of the layers around it, '' for what belongs to no layer.
        op: the op.
        operand: for gradients the place of the operand, else None.
        engines: the two sides.
        inputs, shape: shapes of the operands and of the value.
        error: ``max|a - b| / max|reference|`` where both sides were given the same operands; for results end to end.
        tolerance: what the error may be.
        drift: the error of the value in a run end to end, where it differs from ``error``; None where there is none.
        place: the index of the worst element.
        values: what the two sides and the reference, None where it cannot be computed, have there.
        off: the side that differs from NumPy in float64 by more than it may; '' for none, both names for both.
        known: the rows of docs/semantics.md about the op.
        note: why a node was not compared alone.
    """

    kind: str
    number: int
    node: str
    layer: str
    op: str
    operand: int | None
    engines: tuple[str, str]
    inputs: tuple[tuple[int | None, ...], ...]
    shape: tuple[int, ...]
    error: float
    tolerance: float
    drift: float | None = None
    place: tuple[int, ...] = ()
    values: tuple[Any, Any, Any] = (None, None, None)
    off: str = ""
    known: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance."""
        return self.error <= self.tolerance

    @property
    def label(self) -> str:
        """The node, and the operand of a gradient."""
        path = f"{self.layer}/{self.node}" if self.layer else self.node
        return path if self.operand is None else f"{path} d/d operand {self.operand}"

    def __str__(self) -> str:
        text = f"{self.kind} of {self.label} ({self.op}): error {self.error:.3g}, tolerance {self.tolerance:.3g}"
        if self.place or self.values[0] is not None:
            pairs = zip((*self.engines, "NumPy in float64"), self.values)
            found = ", ".join(f"{name} {value!r}" for name, value in pairs if value is not None)
            text += f"; at {self.place}: {found}"
        return text + (f"; {self.off} is off" if self.off else "") + (f"; see {self.known}" if self.known else "")


@dataclass
class Report:
    """What :func:`kbackend.diff` found; printing it shows the rows with the largest errors.

    Attributes:
        name: what was compared.
        engines: the names of the sides.
        rows: a row for each node and quantity, in the order of the program.
        steps: for ``train``: the largest relative difference of the weights after each step.
        edges: pairs of numbers of nodes, from operand to result.
        first_nan: the first node that makes a NaN or an infinity of finite operands, None where none does; its note has
            the ranges of the operands.
    """

    name: str
    engines: tuple[str, ...]
    rows: list[Row]
    steps: list[float] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    first_nan: Row | None = None

    @property
    def failed(self) -> list[Row]:
        """The rows past their tolerance; nodes compared alone come before results end to end."""
        failed = [r for r in self.rows if not r.ok]
        return sorted(failed, key=lambda r: (r.kind == "result", r.number, r.kind != "value"))

    @property
    def left_out(self) -> list[Row]:
        """The rows of nodes that could not be compared alone; their notes say why. Results end to end cover them."""
        return [r for r in self.rows if r.kind == "value" and r.note]

    @property
    def ok(self) -> bool:
        """Whether all errors are within their tolerances."""
        return not self.failed

    @property
    def first(self) -> Row | None:
        """The first row past its tolerance, None where there is none."""
        return self.failed[0] if self.failed else None

    @property
    def worst(self) -> Row | None:
        """The row furthest past its tolerance, None where there is none."""
        nodes = [r for r in self.failed if r.kind != "result"] or self.failed
        return max(nodes, key=lambda r: r.error / (r.tolerance or 1e-300), default=None)

    def to_json(self) -> str:
        """The report as JSON text."""
        rows = [{**asdict(r), "ok": r.ok} for r in self.rows]
        found = {"name": self.name, "engines": self.engines, "ok": self.ok, "steps": self.steps, "rows": rows}
        found |= {"first": None if self.first is None else self.first.label}
        found |= {"first_nan": None if self.first_nan is None else asdict(self.first_nan)}
        return json.dumps(found, default=str, indent=1)

    def to_html(self, path: Any) -> None:
        """Write one self-contained page with the graph, coloured by error."""
        from kbackend.divergence.page import page

        Path(path).write_text(page(self), encoding="utf-8")

    def table(self, rows: Sequence[Row] | None = None) -> Any:
        """A table of rich of some rows; None: those past their tolerance and those with the largest errors."""
        from rich.table import Table

        shown = self._shown() if rows is None else rows
        table = Table("layer", "node", "op", "of", "shape", "error", "tolerance", "drift", "off", box=None)
        for r in shown:
            node = r.node if r.operand is None else f"{r.node} [{r.operand}]"
            drift = "" if r.drift is None else f"{r.drift:.2g}"
            cells = (r.layer, node, r.op, r.kind, str(r.shape), f"{r.error:.2g}", f"{r.tolerance:.2g}", drift, r.off)
            table.add_row(*cells, style=None if r.ok else "bold red")
        return table

    def _shown(self) -> list[Row]:
        rest = sorted((r for r in self.rows if r.ok and r.error), key=lambda r: -r.error / (r.tolerance or 1.0))
        return (self.failed + rest)[:_SHOWN]

    def __str__(self) -> str:
        import io

        from rich.console import Console

        text = io.StringIO()
        console = Console(file=text, width=150, color_system=None)
        failed = len(self.failed)
        engines, count = " against ".join(self.engines), len(self.rows)
        apart = f", {len(self.left_out)} nodes not compared alone" if self.left_out else ""
        console.print(f"{self.name}: {engines}; {count - len(self.left_out)} values compared, {failed} differ{apart}")
        console.print(self.table())
        for title, row in (("first", self.first), ("worst", self.worst)):
            if row is not None:
                console.print(f"{title}: {row}", soft_wrap=True)
        if self.steps:
            after = f"{len(self.steps)} step{'s' if len(self.steps) > 1 else ''}"
            console.print(f"weights after {after} differ by {self.steps[-1]:.2g}")
        return text.getvalue().rstrip()
