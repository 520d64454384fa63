"""The examples in the docstrings of kbackend run, on NumPy and from a known seed."""

from __future__ import annotations

import ast
import doctest
import importlib
import linecache
from pathlib import Path
from types import ModuleType

import pytest

import kbackend
from kbackend.declare.op import Op

PACKAGE = Path(kbackend.__file__).parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def written(path: Path) -> int:
    """How many examples the docstrings of a file hold, whatever doctest finds of them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]
    return sum(line.lstrip().startswith(">>> ") for text in texts for line in text.splitlines())


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


#: the files that may hold examples; what they hold is counted in the tests, as it takes seconds for all files
FILES = {module_name(p): p for p in sorted(PACKAGE.rglob("*.py")) if ">>> " in p.read_text(encoding="utf-8")}


def found(module: ModuleType) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = {test.name: test for test in finder.find(module, module.__name__)}
    # A primitive or composite is wrapped by its declaration; not every doctest looks through that.
    for name, value in vars(module).items():
        op = getattr(value, "op", None)
        if isinstance(op, Op) and op.kind != "derived" and op.function.__module__ == module.__name__:
            path = f"{module.__name__}.{name}"
            tests |= {test.name: test for test in finder.find(op.function, path, module=module)}
    places = {(test.lineno, test.docstring): test for test in tests.values() if test.examples}  # a name may be an alias
    return list(places.values())


@pytest.fixture
def files_that_stay(monkeypatch):
    """The debugger that doctest makes for each docstring asks the system whether any file has changed that was read for
    its lines; there are a thousand of programs."""
    monkeypatch.setattr(linecache, "checkcache", lambda filename=None: None)


@pytest.mark.parametrize("name", FILES)
def test_examples_of_the_module_run(name, files_that_stay):
    tests = found(importlib.import_module(name))
    assert sum(len(test.examples) for test in tests) == written(FILES[name])
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    printed: list[str] = []
    with kbackend.use_backend("numpy"):
        for test in tests:
            kbackend.set_seed(7)
            runner.run(test, out=printed.append)
    assert not runner.failures, "".join(printed)
