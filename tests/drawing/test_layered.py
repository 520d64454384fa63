"""Where nodes of graphs stand."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kbackend.drawing.layered import layout

GAP = (4.0, 6.0)


def random_graph(seed, count=30):
    rng = np.random.default_rng(seed)
    sizes = [(float(w), float(h)) for w, h in rng.integers(5, 40, (count, 2))]
    edges = {(int(a), int(b)) for a, b in rng.integers(0, count, (2 * count, 2)) if a < b}
    return sizes, sorted(edges)


@pytest.mark.parametrize("seed", range(5))
def test_boxes_are_apart_and_edges_go_down(seed):
    sizes, edges = random_graph(seed)
    found = layout(sizes, edges, GAP)
    boxes = np.array([(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(found.centres, sizes)])
    assert boxes[:, :2].min() >= -1e-6 and boxes[:, 2].max() <= found.width + 1e-6
    assert boxes[:, 3].max() <= found.height + 1e-6
    for i in range(len(boxes)):
        for j in range(i):
            a, b = boxes[i], boxes[j]
            beside = a[2] + GAP[0] <= b[0] + 1e-6 or b[2] + GAP[0] <= a[0] + 1e-6
            assert beside or a[3] <= b[1] + 1e-6 or b[3] <= a[1] + 1e-6
    for (a, b), route in zip(edges, found.routes):
        assert route[0] == (found.centres[a][0], pytest.approx(boxes[a, 3]))
        assert route[-1] == (found.centres[b][0], pytest.approx(boxes[b, 1]))
        heights = [y for _, y in route]
        assert heights == sorted(heights)


@pytest.mark.parametrize("seed", range(5))
def test_long_edges_pass_beside_the_boxes(seed):
    sizes, edges = random_graph(seed)
    found = layout(sizes, edges, GAP)
    for route in found.routes:
        for x, y in route[1:-1]:
            inside = [
                abs(x - cx) < w / 2 and abs(y - cy) < h / 2 for (cx, cy), (w, h) in zip(found.centres, sizes)
            ]
            assert not any(inside)


def test_two_crossing_edges_are_untangled():
    """Two chains whose second nodes are listed in the other order."""
    found = layout([(10.0, 5.0)] * 4, [(0, 3), (1, 2)], GAP)
    x = [centre[0] for centre in found.centres]
    assert x[0] == x[3] and x[1] == x[2] and x[0] != x[1]


def test_a_chain_is_straight_and_a_skip_stands_beside_it():
    found = layout([(10.0, 5.0)] * 4, [(0, 1), (1, 2), (2, 3), (0, 3)], GAP)
    xs = [x for x, _ in found.centres]
    assert xs[1] == pytest.approx(xs[2])
    bends = {round(x, 6) for x, _ in found.routes[3][1:-1]}
    assert len(bends) == 1


def test_nothing_and_cycles():
    assert layout([], [], GAP).centres == []
    with pytest.raises(ValueError, match="has a cycle"):
        layout([(1.0, 1.0)] * 2, [(0, 1), (1, 0)], GAP)


def test_work_grows_as_the_graph():
    """The lines that run are counted, since times vary."""
    def lines(count):
        edges = [(i, i + 1) for i in range(count - 1)] + [(i, i + 3) for i in range(0, count - 3, 5)]
        found = 0

        def line(frame, event, _):
            nonlocal found
            found += event == "line"
            return line

        before = sys.gettrace()
        sys.settrace(line)
        try:
            layout([(50.0, 20.0)] * count, edges, GAP)
        finally:
            sys.settrace(before)
        return found

    few = lines(60)
    assert few > 1000 and lines(600) < 11 * few
