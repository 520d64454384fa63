"""What an editor completes after ``kbackend.``: names that are imported on use are imported for type checkers too."""

from __future__ import annotations

import ast
from pathlib import Path

import kbackend

FILE = Path(kbackend.__file__)


def test_names_that_are_imported_on_use_are_known_to_type_checkers():
    (block,) = [n for n in ast.parse(FILE.read_text(encoding="utf-8")).body
                if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    known = {a.asname or a.name for n in block.body for a in n.names}
    assert known == {*kbackend._NAMES, *kbackend._MODULES}


def test_public_names_can_be_imported():
    assert set(kbackend.__all__) <= set(dir(kbackend)) and set(kbackend._NAMES) <= set(kbackend.__all__)
    assert all(getattr(kbackend, name) is not None for name in kbackend.__all__)


def test_the_package_says_that_it_is_typed():
    assert (FILE.parent / "py.typed").exists()
