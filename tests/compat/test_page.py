"""docs/guide/keras2.md has the tables of the code."""

from __future__ import annotations

import pytest
from support.places import ROOT

from kbackend.compat import behaviour, refused
from kbackend.compat.modules import full_name
from kbackend.tools.lint import findings

pytestmark = pytest.mark.tree
PAGE = ROOT / "docs" / "guide" / "keras2.md"


def test_the_page_has_the_table_of_behaviour():
    assert behaviour.as_markdown() in PAGE.read_text(encoding="utf-8")


def test_the_page_has_what_is_refused():
    text = PAGE.read_text(encoding="utf-8")
    rows = [(full_name(module, name), r) for module, names in refused.REFUSED.items() for name, r in names.items()]
    assert len(rows) > 15
    for name, row in rows:
        assert f"| `{name}` | {row.reason} | {row.instead} |" in text


def test_the_linter_names_each_of_them():
    for module, names in refused.REFUSED.items():
        for name, row in names.items():
            found = findings(f"from {full_name(module)} import {name}")
            assert found and row.reason in found[0].message, (module, name)
