"""Reports: JSON, HTML, printed tables; what sides may be; wrong calls."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from divergence.models import MODELS

import kbackend
from kbackend import K
from kbackend.divergence.errors import compare
from kbackend.divergence.report import Report, Row

pytestmark = pytest.mark.usefixtures("fresh_session")


def row(**changes):
    facts = {"kind": "value", "number": 3, "node": "tanh_3", "layer": "a<b", "op": "tanh", "operand": None,
             "engines": ("numpy", "torch"), "inputs": ((2, None),), "shape": (2, 3), "error": 0.5, "tolerance": 1e-6,
             "place": (1, 2), "values": (0.5, 1.0, 0.5), "off": "torch"}  # fmt: skip
    return Row(**{**facts, **changes})


def report():
    rows = [row(number=1, op="exp", error=0.0), row(), row(number=2, error=0.25, kind="gradient", operand=0)]
    return Report("graph", ("numpy", "torch"), rows, edges=[(1, 2), (2, 3), (1, 3)])


def test_the_first_is_that_of_the_first_node_and_the_worst_has_the_largest_error():
    found = report()
    assert not found.ok and found.first.number == 2 and found.worst.number == 3
    assert [r.number for r in found.failed] == [2, 3]
    text = str(found)
    assert "graph: numpy against torch; 3 values compared, 2 differ" in text
    assert "worst: value of a<b/tanh_3 (tanh): error 0.5, tolerance 1e-06; at (1, 2): numpy 0.5, torch 1.0" in text
    assert "torch is off" in text


def test_nodes_that_were_not_compared_alone_are_counted():
    found = Report("graph", ("numpy", "torch"), [row(error=0.0), row(number=4, error=0.0, note="no kernel")])
    assert [r.number for r in found.left_out] == [4]
    assert "1 values compared, 0 differ, 1 nodes not compared alone" in str(found)


def test_a_clean_report_has_neither():
    found = Report("graph", ("numpy", "torch"), [row(error=0.0)])
    assert found.ok and found.first is None and found.worst is None and json.loads(found.to_json())["ok"] is True


def test_json_has_all_rows():
    found = json.loads(report().to_json())
    assert found["first"] == "a<b/tanh_3 d/d operand 0" and [r["ok"] for r in found["rows"]] == [True, False, False]
    assert found["rows"][1]["values"] == [0.5, 1.0, 0.5] and found["engines"] == ["numpy", "torch"]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.nodes, self.sources = [], 0, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.nodes += "node" in (attrs.get("class") or "").split()
        self.sources += [v for k, v in attrs.items() if k in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_one_page_that_loads_nothing(tmp_path):
    report().to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not tags.open and tags.nodes == 3 and not tags.sources and "http" not in text.replace("http-equiv", "")
    assert "a&lt;b" in text and "a<b" not in text and 'class="node over"' in text


def test_real_reports_become_pages(tmp_path):
    model, x, y = MODELS["images"]()
    model.diff(x, y, engines="numpy,numpy+float64").to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size > 10_000


def test_dtypes_and_compilers_are_sides(each_backend):
    model, x, y = MODELS["mixture"]()
    found = model.diff(x, engines=[each_backend, f"{each_backend}+float16"])
    assert found.ok, str(found)
    assert max(r.error for r in found.rows) > 1e-5
    if each_backend == "tensorflow":
        assert model.diff(x, engines="tensorflow,tensorflow+jit").ok


def test_weights_part_a_little_over_steps(each_backend):
    model, x, y = MODELS["images"]()
    before = [w.tobytes() for w in model.get_weights()]
    other = "numpy+float64" if each_backend == "numpy" else each_backend
    found = model.diff(x, y, engines=["numpy", other], train=4) if other == each_backend else None
    if found is not None:
        assert len(found.steps) == 4 and 0 < found.steps[-1] < 1e-4
        assert "weights after 4 steps" in str(found)
    assert [w.tobytes() for w in model.get_weights()] == before


def test_results_of_random_ops_are_the_same_in_every_run():
    x = K.placeholder((4, 3))
    y = K.dropout(x, 0.5) + K.random_normal((4, 3))
    found = kbackend.diff([x], [y], [np.ones((4, 3))], engines="numpy,numpy+float64", phase=1)
    assert found.ok, str(found)


@pytest.mark.parametrize("engines, text", [
    ("numpy", "two different engines"), ([], "it was given none"), ("numpy,numpy", "two different"),
    ("numpy,numpy+fast", "'jit' or a float dtype, not 'fast'"), ("numpy,jax", "jax"),
    ("numpy,numpy:cuda", "no device")])  # fmt: skip
def test_wrong_sides_are_refused(engines, text):
    x = K.placeholder((2,))
    with pytest.raises((ValueError, RuntimeError), match=text):
        kbackend.diff([x], [x * 2.0], [[1.0, 2.0]], engines=engines)


def test_steps_need_targets():
    model, x, _ = MODELS["mixture"]()
    with pytest.raises(ValueError, match="pass y"):
        model.diff(x, engines="numpy,numpy+float64", train=3)


def test_feeds_are_checked():
    x = K.placeholder((2,), name="x")
    with pytest.raises(ValueError, match="takes 1 value"):
        kbackend.diff([x], [x * 2.0], [], engines="numpy,numpy+float64")


def test_constants_of_a_graph_are_operands_that_are_rounded_for_the_coarser_side():
    """Constants of the side with the graph's own dtypes once stayed as they were: `where` differed by a rounding."""
    x = K.placeholder((3,), name="x")
    y = x * K.where(K.sum(x) > 0, K.constant(0.99), K.constant(0.3))
    found = kbackend.diff([x], [y], [np.ones(3, "float32")], engines="numpy,numpy+float16")
    assert found.ok and all(r.error == 0 for r in found.rows if r.op == "where" and r.kind == "value"), str(found)


def test_what_is_nothing_but_roundings_is_no_scale():
    found = compare(np.array([1e-9]), np.array([-1e-9]), ("a", "b"), 1e-6, np.array([1e-18]), [np.array([2e-9])])
    assert found.error == pytest.approx(1.0) and found.error < found.tolerance < 20
