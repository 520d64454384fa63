"""The size of rooms, and that kernels stand in the family of their op."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from pathlib import Path

import pytest
from support.places import ROOT

import kbackend.ops  # noqa: F401 - the declarations
from kbackend.declare.op import REGISTRY

pytestmark = pytest.mark.tree

MOST_FILES, MOST_LINES = 16, 500
TREES = ("kbackend", "backends", "tests", "benchmarks")


def sources() -> list[Path]:
    found = [p for tree in TREES for p in (ROOT / tree).rglob("*.py") if "__pycache__" not in p.parts]
    if not found:
        pytest.skip("there is no checkout beside the tests")
    return found


def test_no_folder_is_too_wide():
    counts = Counter(path.parent for path in sources())
    wide = {str(folder.relative_to(ROOT)): n for folder, n in counts.items() if n > MOST_FILES}
    assert not wide, f"more than {MOST_FILES} files; two families in one folder?"


def test_no_file_is_too_long():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in sources()}
    long = {name: n for name, n in lengths.items() if n > MOST_LINES}
    assert not long, f"more than {MOST_LINES} lines; two rooms in one?"


def test_every_file_of_declarations_says_what_it_exports():
    silent = []
    for path in (ROOT / "kbackend" / "ops").glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        declares = any(
            isinstance(node, ast.FunctionDef) and getattr(d.func if isinstance(d, ast.Call) else d, "id", "") in KINDS
            for node in ast.parse(text).body
            for d in getattr(node, "decorator_list", ())
        )
        if declares and "__all__" not in text:
            silent.append(str(path.relative_to(ROOT)))
    assert not silent


KINDS = ("primitive", "composite", "derived", "structural")


@pytest.mark.parametrize("engine", [
    "numpy", *(pytest.param(name, marks=pytest.mark.engine(name)) for name in ("torch", "tensorflow"))
])
def test_kernels_stand_in_the_family_of_their_op(engine):
    package = f"kbackend_{engine}.kernels"
    folder = Path(importlib.import_module(package).__file__).parent
    astray = []
    for path in folder.glob("*/*.py"):
        if path.name == "__init__.py":
            continue
        table = importlib.import_module(f"{package}.{path.parent.name}.{path.stem}").KERNELS
        for name in table:
            family = REGISTRY[name].function.__module__.split(".")[2]
            if family != path.parent.name:
                astray.append(f"{name}: declared in ops/{family}, its kernel is in kernels/{path.parent.name}")
    assert not astray

