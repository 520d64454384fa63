"""docs/support.md against the registry and the tables of the backends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kbackend.ops  # noqa: F401 - the declarations
from kbackend import layers
from kbackend.declare.op import REGISTRY
from kbackend.plugin.contract import Backend
from kbackend.plugin.gaps import never
from kbackend.tools import layer_support
from kbackend.tools.support import state

PAGE = Path(__file__).parents[2] / "docs" / "support.md"


@pytest.mark.engine("torch", "tensorflow")
def test_the_page_is_current(fresh_python):
    made = fresh_python("from kbackend.tools.support import main; main([])")
    assert made == PAGE.read_text(encoding="utf-8"), "run python -m kbackend.tools.support > docs/support.md"


def test_the_page_lists_every_op(fresh_python):
    made = fresh_python("from kbackend.tools.support import main; main(['numpy'])")
    listed = re.findall(r"^\| `(\w+)` \| (primitive|composite) \| (.+) \|$", made, re.M)
    names = fresh_python(
        "import kbackend.ops\nfrom kbackend.declare.op import ops\n"
        "print(*(o.name for o in ops() if o.kind in ('primitive', 'composite')))"
    )
    assert sorted(name for name, _, _ in listed) == sorted(names.split())
    assert {cell for _, kind, cell in listed if kind == "primitive"} == {"kernel"}


def test_states_follow_the_table_and_the_gaps():
    class Sparse(Backend):
        name = "sparse"
        kernels = {"matmul": lambda x, y: x, "dense": lambda x, w: x}
        gaps = {"sum": never("no sums here")}

    states = {name: state(REGISTRY[name], Sparse()) for name in ("matmul", "dense", "sum", "std")}
    assert states == {"matmul": "kernel", "dense": "override", "sum": "never", "std": "composed"}


def test_every_layer_has_a_row(fresh_python, capsys):
    made = fresh_python("from kbackend.tools.support import main; main(['numpy'])")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (yes|) \| (yes|yes, .+) \|$", made, re.M)
    asked = "from kbackend import layers\nprint(*{kind.__name__ for kind in layers.built_in().values()})"
    kinds = fresh_python(asked).split()
    assert sorted(name for name, *_ in rows) == sorted(kinds) and f"{len(kinds)} classes" in made
    lstm = ("LSTM", "recurrent", "yes", "yes, `dense`, `dropout`, `greater`, `lstm`, `sigmoid`")
    assert {("Dense", "core", "yes", "yes, `dense`"), lstm} <= set(rows)
    with capsys.disabled():
        print(f"\nsupport: {len(rows)} layers")


def test_a_layer_needs_the_ops_that_it_calls():
    class Sparse(Backend):
        name = "sparse"
        kernels = {"lstm": lambda *args: args}
        gaps = {"max_pool": never("no windows here")}

    def cell(kind):
        return layer_support.cell(kind, Sparse(), state)

    assert (cell(layers.LSTM), cell(layers.Dense)) == ("yes, `lstm`", "yes")
    assert cell(layers.MaxPooling1D) == "needs `max_pool` never"


def test_every_name_of_k_and_ops_has_a_row(fresh_python):
    made = fresh_python("from kbackend.tools.support import main; main(['numpy'])")
    rows = re.findall(r"^\| `(\w+)` \| (K|ops|K, ops) \| (.+) \|$", made, re.M)
    public = "n for n, f in vars(ops).items() if callable(f) and n[0] != '_'"
    asked = fresh_python(f"from kbackend import ops\nprint(*({public}))").split()
    assert {name for name, place, _ in rows if "ops" in place} >= set(asked) and len(asked) >= 330
    assert {("repeat", "K", "yes"), ("repeat", "ops", "yes"), ("tanh", "K, ops", "kernel")} <= set(rows)
    assert {cell for _, _, cell in rows} <= {"yes", "kernel", "override", "composed", "in place"}
