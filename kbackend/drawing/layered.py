"""Places for the nodes of an acyclic graph in rows, so that edges go down and cross little.

Source: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981. Rows are
longest paths; the order within a row follows the means of the neighbours; the places minimise the squared distances to
the neighbours under the least distances within a row, by pooling adjacent violators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_SWEEPS = 8
#: how much a bend of an edge weighs against a node when places are chosen: long edges are to be straight
_BEND_WEIGHT = 8.0


class Layout(NamedTuple):
    """The places of nodes and edges; y grows downwards.

    Attributes:
        centres: of the nodes.
        routes: for each edge its points, from the lower border of one node to the upper border of the other.
        width, height: of the whole.
    """

    centres: list[tuple[float, float]]
    routes: list[list[tuple[float, float]]]
    width: float
    height: float


def layout(
    sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], gap: tuple[float, float]
) -> Layout:
    """Lay out an acyclic graph.

    Args:
        sizes: width and height of each node.
        edges: pairs of numbers of nodes.
        gap: the least distances within and between rows.

    Raises:
        ValueError: the graph has a cycle.

    >>> found = layout([(2.0, 1.0)] * 3, [(0, 1), (0, 2)], (1.0, 1.0))
    >>> found.centres
    [(2.5, 0.5), (1.0, 2.5), (4.0, 2.5)]
    >>> found.routes[0]
    [(2.5, 1.0), (1.0, 2.0)]
    """
    if not sizes:
        return Layout([], [], 0.0, 0.0)
    grid = _Grid(sizes, edges, gap[0])
    grid.order()
    xs = grid.places()
    rows = [[v for v in row if v < len(sizes)] for row in grid.rows]
    heights = [max((sizes[v][1] for v in row), default=0.0) for row in rows]
    tops, top = [], 0.0
    for height in heights:
        tops.append(top)
        top += height + gap[1]
    middles = [a + h / 2 for a, h in zip(tops, heights)]
    centres = [(xs[v], middles[grid.row_of[v]]) for v in range(len(sizes))]
    routes = []
    for chain in grid.chains:
        first, last = chain[0], chain[-1]
        route = [(xs[first], centres[first][1] + sizes[first][1] / 2)]
        for bend in chain[1:-1]:
            row = grid.row_of[bend]
            route += [(xs[bend], tops[row]), (xs[bend], tops[row] + heights[row])]
        route.append((xs[last], centres[last][1] - sizes[last][1] / 2))
        routes.append(route)
    right = max(xs[v] + grid.widths[v] / 2 for v in range(len(xs)))
    return Layout(centres, routes, right, top - gap[1])


def _rows(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each node: one below the lowest of those before it; nodes with none before stand near those after."""
    after: list[list[int]] = [[] for _ in range(count)]
    left = [0] * count
    for a, b in edges:
        after[a].append(b)
        left[b] += 1
    sources = [v for v in range(count) if not left[v]]
    ready, rows, done = list(sources), [0] * count, 0
    while ready:
        v = ready.pop()
        done += 1
        for w in after[v]:
            rows[w] = max(rows[w], rows[v] + 1)
            left[w] -= 1
            if not left[w]:
                ready.append(w)
    if done < count:
        raise ValueError("the graph has a cycle")
    for v in sources:
        rows[v] = min((rows[w] for w in after[v]), default=1) - 1
    return rows


class _Grid:
    """Nodes in rows, with a bend in each row that an edge passes. Bends are numbered after the nodes."""

    def __init__(self, sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], gap: float) -> None:
        self.row_of = _rows(len(sizes), edges)
        self.widths = [w for w, _ in sizes]
        self.gap = gap
        self.chains: list[list[int]] = []
        for a, b in edges:
            bends = range(len(self.row_of), len(self.row_of) + self.row_of[b] - self.row_of[a] - 1)
            self.row_of += range(self.row_of[a] + 1, self.row_of[b])
            self.widths += [0.0] * len(bends)
            self.chains.append([a, *bends, b])
        self.bends = [False] * len(sizes) + [True] * (len(self.row_of) - len(sizes))
        self.above: list[list[int]] = [[] for _ in self.row_of]
        self.below: list[list[int]] = [[] for _ in self.row_of]
        for chain in self.chains:
            for a, b in zip(chain, chain[1:]):
                self.below[a].append(b)
                self.above[b].append(a)
        self.rows: list[list[int]] = [[] for _ in range(max(self.row_of) + 1)]
        for v, row in enumerate(self.row_of):
            self.rows[row].append(v)

    def _sweeps(self) -> list[tuple[list[int], list[list[int]]]]:
        """The numbers of rows with the neighbours that count, down and up in turn."""
        down = (list(range(1, len(self.rows))), self.above)
        up = (list(range(len(self.rows) - 2, -1, -1)), self.below)
        return [down, up] * _SWEEPS + [down]

    def order(self) -> None:
        """Sort each row by the mean places of the neighbours in the row before."""
        place = [0.0] * len(self.row_of)
        for row in self.rows:
            for i, v in enumerate(row):
                place[v] = float(i)
        for numbers, near in self._sweeps():
            for number in numbers:
                row = self.rows[number]
                mean = {v: _mean([place[w] for w in near[v]], place[v]) for v in row}
                row.sort(key=mean.__getitem__)
                for i, v in enumerate(row):
                    place[v] = float(i)

    def places(self) -> list[float]:
        """The x of each node and bend, the leftmost border at 0."""
        xs = [0.0] * len(self.row_of)
        apart = [[(self.widths[a] + self.widths[b]) / 2 + self.gap for a, b in zip(r, r[1:])] for r in self.rows]
        for row, gaps in zip(self.rows, apart):
            for a, b, gap in zip(row, row[1:], gaps):
                xs[b] = xs[a] + gap
        for numbers, near in self._sweeps():
            for number in numbers:
                row = self.rows[number]
                wanted = [_mean([xs[w] for w in near[v]], xs[v]) for v in row]
                weights = [_BEND_WEIGHT if self.bends[v] else 1.0 + len(near[v]) for v in row]
                for v, x in zip(row, _spaced(wanted, weights, apart[number])):
                    xs[v] = x
        left = min(x - w / 2 for x, w in zip(xs, self.widths))
        return [x - left for x in xs]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spaced(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones, in weighted squares, that are at least ``apart`` from each other."""
    offsets = [0.0]
    for distance in apart:
        offsets.append(offsets[-1] + distance)
    blocks: list[list[float]] = []  # [mean, weight, count], the means in rising order
    for want, weight, offset in zip(wanted, weights, offsets):
        blocks.append([want - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, heavy, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += count
    means = [mean for mean, _, count in blocks for _ in range(int(count))]
    return [mean + offset for mean, offset in zip(means, offsets)]
