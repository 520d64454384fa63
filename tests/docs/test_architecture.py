"""docs/architecture.md names what exists, and its tables follow the calls in their order."""

from __future__ import annotations

import ast
import json
import re

from support.places import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<file>[\w/]+\.py)` \| (?P<names>`[^|]+`) \| (?P<what>[^|]+) \|$", re.M)
SECTIONS = {m[1]: m[2] for m in re.finditer(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)}


def rows(text: str) -> list[tuple[str, str]]:
    """The pairs of file and function of a table."""
    return [(m["file"], name) for m in ROW.finditer(text) for name in re.findall(r"`([\w.]+)`", m["names"])]


TABLES = {title: rows(text) for title, text in SECTIONS.items() if rows(text)}

#: the calls that the tables follow, in order; every function that they enter is listed
CALLS = """
import json, sys
import numpy as np
import kbackend.models
from kbackend import Input, K, Model, layers

def entered(call):
    found = {}  # in order
    def note(frame, event, _):
        if event == "call":
            code = frame.f_code
            found.setdefault((code.co_filename, code.co_qualname.split(".<locals>")[0]))
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return [f"{file} {name}" for file, name in found]

x, w = K.placeholder((None, 3)), K.variable(np.ones((3, 2)))
a, b = np.ones((4, 3), "float32"), np.ones((3, 2), "float32")
y = []
i = Input((3,))
model = Model(i, layers.Dense(2)(i))
model.compile("sgd", "mse")
calls = [lambda: y.append(K.dot(x, w)), lambda: K.function([x], y)([a]), lambda: K.dot(a, b),
         lambda: model.fit(a, np.ones((4, 2)), verbose=0)]
print(json.dumps([entered(call) for call in calls]))
"""


def test_every_path_exists():
    named = set(re.findall(r"`((?:kbackend|backends|tests|benchmarks)(?:/[\w.]+)*)`", PAGE))
    assert len(named) > 50 and not {name for name in named if not (ROOT / name).exists()}


def test_every_name_is_in_its_file():
    missing = []
    for file, name in {row for table in TABLES.values() for row in table}:
        scope: list[ast.stmt] = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("."):
            kinds = (ast.FunctionDef, ast.ClassDef)
            found = [n for n in scope if isinstance(n, kinds) and n.name == part]
            if not found:
                missing.append(f"{file}: {name}")
                break
            scope = found[0].body
    assert not missing




def test_the_tables_follow_the_calls(fresh_python):
    assert len(TABLES) == 4
    calls = json.loads(fresh_python(CALLS, env={"KBACKEND": "numpy"}))
    for (title, table), entered in zip(TABLES.items(), calls, strict=True):
        places: list[tuple[int, str]] = []
        absent: list[str] = []
        for file, name in table:
            path = file.removeprefix("backends/")
            at = next((i for i, line in enumerate(entered) if matches(line, path, name)), None)
            absent += [f"{file}: {name}"] if at is None else []
            places += [] if at is None else [(at, f"{file}: {name}")]
        assert not absent, title
        assert places == sorted(places), f"{title}: in another order:\n" + "\n".join(name for _, name in sorted(places))


def matches(line: str, path: str, name: str) -> bool:
    """Whether a function entered is the one of a row; a class stands for its constructor."""
    file, called = line.rsplit(" ", 1)
    return file.replace("\\", "/").endswith(path) and called in (name, f"{name}.__init__")
