"""Graphs as boxes and arrows: the diagram, its picture, and its text in the language DOT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kbackend.drawing.layered import Layout, layout

_TITLE, _ROW = 10.0, 8.0  # points
_PAD, _GAP, _FRAME = 8.0, (16.0, 26.0), 14.0
_COLOURS = {
    "input": ("#d9e2ec", "#52606d"),
    "layer": ("#d6e6f7", "#2c6fb3"),
    "shared": ("#d8efdc", "#2f8545"),
    "frozen": ("#ececec", "#7b7b7b"),
    "op": ("#fdf1dc", "#b4791f"),
    "model": ("#fafafa", "#8a8a8a"),
}


@dataclass
class Box:
    """A node of a diagram.

    Attributes:
        title: the first line.
        rows: the other lines.
        kind: 'input', 'layer', 'shared', 'frozen', 'op' or 'model', for the colour.
        inner: what a box shows inside; None for none.
    """

    title: str
    rows: list[str] = field(default_factory=list)
    kind: str = "layer"
    inner: Diagram | None = None


@dataclass
class Diagram:
    """Boxes, and pairs of numbers of boxes."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    def ends(self, side: int) -> list[int]:
        """The boxes without an edge into them (side 1) or out of them (side 0)."""
        met = {edge[side] for edge in self.edges}
        return [i for i in range(len(self.boxes)) if i not in met]


class _Placed:
    """A diagram with sizes and places, in points; sideways where rows are columns."""

    def __init__(self, diagram: Diagram, measure: Any, sideways: bool) -> None:
        self.diagram, self.sideways = diagram, sideways
        self.inner = [None if b.inner is None else _Placed(b.inner, measure, sideways) for b in diagram.boxes]
        self.sizes = [self._size(b, inner, measure) for b, inner in zip(diagram.boxes, self.inner)]
        turned = [(h, w) for w, h in self.sizes] if sideways else self.sizes
        self.layout: Layout = layout(turned, diagram.edges, _GAP)

    @staticmethod
    def _size(box: Box, inner: _Placed | None, measure: Any) -> tuple[float, float]:
        width = max([measure(box.title, _TITLE, True), *(measure(row, _ROW, False) for row in box.rows)])
        height = _TITLE * 1.3 + len(box.rows) * _ROW * 1.4
        if inner is not None:
            width = max(width, inner.extent[0] + 2 * _FRAME)
            height += inner.extent[1] + 2 * _FRAME
        return width + 2 * _PAD, height + 2 * _PAD

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the layout in the picture's directions."""
        return (y, x) if self.sideways else (x, y)

    @property
    def extent(self) -> tuple[float, float]:
        return self.point(self.layout.width, self.layout.height)


def picture(diagram: Diagram, rankdir: str = "TB") -> Any:
    """The diagram as a :class:`kbackend.drawing.picture.Picture`.

    Args:
        diagram: an acyclic diagram.
        rankdir: where arrows go: 'TB' (down), 'BT', 'LR' or 'RL'.

    Raises:
        ValueError: another direction.
    """
    from kbackend.drawing.picture import Picture

    if rankdir not in ("TB", "BT", "LR", "RL"):
        raise ValueError(f"rankdir must be 'TB', 'BT', 'LR' or 'RL', it is {rankdir!r}")
    placed = _Placed(diagram, _measure(), rankdir in ("LR", "RL"))
    width, height = (side + 2 * _FRAME for side in placed.extent)
    figure = Picture(figsize=(max(width, 1.0) / 72, max(height, 1.0) / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    _Painter(axes, rankdir, (width, height)).paint(placed, _FRAME, _FRAME)
    return figure


def _measure() -> Any:
    """A function of a text, its size and whether it is bold, that gives its width in points."""
    from functools import cache

    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    path = TextToPath()

    @cache
    def measure(text: str, size: float, bold: bool) -> float:
        font = FontProperties(weight="bold" if bold else "normal", size=size)
        return float(path.get_text_width_height_descent(text, font, ismath=False)[0])

    return measure


class _Painter:
    """Draws on axes whose unit is a point; y grows downwards."""

    def __init__(self, axes: Any, rankdir: str, extent: tuple[float, float]) -> None:
        self.axes = axes
        self.flip_x, self.flip_y = rankdir == "RL", rankdir == "BT"
        self.extent = extent

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (self.extent[0] - x if self.flip_x else x, self.extent[1] - y if self.flip_y else y)

    def paint(self, placed: _Placed, left: float, top: float, depth: int = 0) -> None:
        for route in placed.layout.routes:
            points = [placed.point(*p) for p in route]
            self._arrow([(left + x, top + y) for x, y in points], placed.sideways, 3 * depth)
        for box, inner, size, centre in zip(placed.diagram.boxes, placed.inner, placed.sizes, placed.layout.centres):
            x, y = placed.point(*centre)
            self._box(box, inner, size, (left + x, top + y), depth)

    def _arrow(self, points: Sequence[tuple[float, float]], sideways: bool, level: int) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        vertices, codes = [self.at(*points[0])], [Path.MOVETO]
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            bends = [(x, y0), (x, y1)] if sideways else [(x0, y), (x1, y)]
            vertices += [self.at(*p) for p in (*bends, (x1, y1))]
            codes += [Path.CURVE4] * 3
        arrow = FancyArrowPatch(
            path=Path(vertices, codes), arrowstyle="-|>", mutation_scale=8, color="#555555", linewidth=0.9,
            shrinkA=0, shrinkB=0, zorder=level,
        )  # fmt: skip
        self.axes.add_artist(arrow)

    def _box(
        self, box: Box, inner: _Placed | None, size: tuple[float, float], place: tuple[float, float], depth: int
    ) -> None:
        from matplotlib.patches import FancyBboxPatch

        width, height = size
        fill, line = _COLOURS[box.kind]
        x, y = place
        centre = self.at(x, y)
        corner = (centre[0] - width / 2, centre[1] - height / 2)
        self.axes.add_artist(
            FancyBboxPatch(
                corner, width, height, boxstyle=f"round,pad=0,rounding_size={8 if box.kind == 'op' else 3}",
                facecolor=fill, edgecolor=line, linewidth=1.0, zorder=3 * depth + 1,
            )  # fmt: skip
        )
        text = dict(ha="center", va="center", zorder=3 * depth + 2, color="#1b1b1b", parse_math=False)
        at = corner[1] + _PAD + _TITLE * 0.65
        self.axes.text(centre[0], at, box.title, fontsize=_TITLE, weight="bold", **text)
        at += _TITLE * 0.65
        for row in box.rows:
            self.axes.text(centre[0], at + _ROW * 0.7, row, fontsize=_ROW, **text)
            at += _ROW * 1.4
        if inner is not None:
            head = at - corner[1]
            left, top = x - inner.extent[0] / 2, y - height / 2 + (_PAD if self.flip_y else head) + _FRAME
            self.paint(inner, left, top, depth + 1)


# ------------------------------------------------------------------------------------------------- as text


def dot_text(diagram: Diagram, rankdir: str = "TB", dpi: int = 200, splines: str = "ortho") -> str:
    """The diagram as a program for Graphviz.

    >>> print(dot_text(Diagram([Box("A"), Box("B", ["(None, 2)"])], [(0, 1)])))
    digraph model {
      graph [rankdir=TB, dpi=200, splines=ortho];
      node [shape=box, style=filled, fontname=Helvetica];
      n0 [label="A", fillcolor="#d6e6f7"];
      n1 [label="B\\n(None, 2)", fillcolor="#d6e6f7"];
      n0 -> n1;
    }
    """
    lines = ["digraph model {", f"  graph [rankdir={rankdir}, dpi={dpi}, splines={splines}];"]
    lines += ["  node [shape=box, style=filled, fontname=Helvetica];", *_dot_lines(diagram, "n", "  "), "}"]
    return "\n".join(lines)


def _dot_lines(diagram: Diagram, prefix: str, indent: str) -> list[str]:
    lines = []
    for i, box in enumerate(diagram.boxes):
        label = "\\n".join(t.replace("\\", "\\\\").replace('"', '\\"') for t in (box.title, *box.rows))
        if box.inner is None:
            lines.append(f'{indent}{prefix}{i} [label="{label}", fillcolor="{_COLOURS[box.kind][0]}"];')
        else:
            lines += [f"{indent}subgraph cluster_{prefix}{i} {{", f'{indent}  label="{label}";']
            lines += [*_dot_lines(box.inner, f"{prefix}{i}_", f"{indent}  "), f"{indent}}}"]
    for a, b in diagram.edges:
        heads, tails = _dot_names(diagram, b, prefix, 1), _dot_names(diagram, a, prefix, 0)
        lines += [f"{indent}{tail} -> {head};" for tail in tails for head in heads]
    return lines


def _dot_names(diagram: Diagram, number: int, prefix: str, side: int) -> list[str]:
    """The names of a box, or of the outermost boxes inside it."""
    inner = diagram.boxes[number].inner
    if inner is None:
        return [f"{prefix}{number}"]
    return [name for i in inner.ends(side) for name in _dot_names(inner, i, f"{prefix}{number}_", side)]
