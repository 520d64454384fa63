"""The tables of names in docs/coming_from name what exists."""

from __future__ import annotations

import importlib
import re

import pytest
from support.places import ROOT

import kbackend
from kbackend.testing import counts

pytestmark = pytest.mark.tree
PAGES = {p.stem: p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs" / "coming_from").glob("*.md"))}
ROW = re.compile(r"^\| (?P<theirs>.+?) \| (?P<ours>.+) \|$", re.M)
PATH = re.compile(r"(?<![\w.])(?:kbackend|K|ops|layers|losses|metrics|optimizers|callbacks|utils)(?:\.\w+)+")
IMPORT = re.compile(r"from (kbackend[\w.]*) import ([\w, ]+)")


def found(path: str) -> bool:
    first, *rest = path.split(".")
    value = kbackend if first == "kbackend" else getattr(kbackend, first)
    for name in rest:
        if not hasattr(value, name):
            return False
        value = getattr(value, name)
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_name_exists(page):
    ours = [row["ours"] for row in ROW.finditer(PAGES[page])]
    code = [text for cell in ours for text in re.findall(r"`([^`]+)`", cell)]
    paths = {path for text in code for path in PATH.findall(text)}
    imported = {(module, name) for text in code for module, names in IMPORT.findall(text) for name in names.split(", ")}
    assert len(paths) + len(imported) >= 8
    assert not [path for path in sorted(paths) if not found(path)]
    assert not [f"{m}.{n}" for m, n in sorted(imported) if n != "K" and not hasattr(importlib.import_module(m), n)]


def test_there_is_a_page_for_each():
    assert sorted(PAGES) == ["keras2", "keras3", "tensorflow", "torch"]


def test_the_page_of_semantics_has_the_rows_that_samples_and_diffs_name():
    page = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ([\d, ]+) \| ", page, re.M)
    numbers = [int(n) for cell in cells for n in cell.split(", ")]
    assert sorted(set(numbers)) == list(counts.ROWS) and set(counts.rows_of_samples()) <= set(numbers)
