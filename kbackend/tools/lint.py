"""``kbackend lint``: what a program of Keras 1 or 2 imports and calls that kbackend does not have."""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from kbackend.compat import behaviour, tensorflow
from kbackend.compat.modules import ROOT, find, full_name, names_of, refusal_of
from kbackend.compat.switching import Renamed
from kbackend.compat.tree import TREE
from kbackend.ground.arguments import keywords_of
from kbackend.ground.suggest import did_you_mean
from kbackend.layers.base.configuration import KNOWN_ARGUMENTS
from kbackend.layers.base.layer import Layer
from kbackend.layers.legacy import SPELLINGS

_TF = tensorflow.NAME
#: methods of models of Keras 0 that nothing else has
_GRAPH_METHODS = frozenset({"add_node", "add_shared_node"})


class Finding(NamedTuple):
    """Something that is not covered.

    Attributes:
        line: where, from 1.
        message: what, why, and what to write instead.
    """

    line: int
    message: str


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    command.add_argument("scripts", type=Path, nargs="+", metavar="script", help="Python files")


def run(options: argparse.Namespace) -> int:
    """Print what is not covered, one a line; return 1 where anything is, else 0."""
    count = 0
    for path in options.scripts:
        for finding in findings(path.read_text(encoding="utf-8")):
            count += 1
            print(f"{path}:{finding.line}: {finding.message}")
    if not count:
        print("all that the linter knows of is covered")
    return int(count > 0)


def findings(source: str) -> list[Finding]:
    """What a program's text has that kbackend does not cover, by line.

    Imports of ``keras`` and ``tensorflow``, attributes of them, and keywords of calls are compared with what is there;
    methods of objects that a program makes are not, but for those of Graph.

    >>> findings("from keras.models import Graph")[0].message[:48]
    'keras.models.Graph is not covered by kbackend: m'
    >>> findings("from keras.layers import Dense\\nDense(3, activaton='relu')")[0].message
    "keras.layers.Dense has no argument 'activaton'. Did you mean 'activation'?"
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [Finding(error.lineno or 1, f"no program of Python 3: {error.msg}; 2to3 or futurize may convert it")]
    program = _Program()
    program.visit(tree)
    return sorted(set(program.found))


class _Program(ast.NodeVisitor):
    """Follows the names of a program that mean modules, classes and functions of Keras or TensorFlow."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self._meanings: dict[str, str] = {}  # name in the program -> dotted name
        self._values: dict[str, Any] = {}  # dotted name -> what it is

    def _report(self, node: ast.AST, message: str) -> None:
        self.found.append(Finding(getattr(node, "lineno", 1), message))

    # imports ------------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = _dotted(alias.name)
            if name is None:
                continue
            if self._value(node, name) is not None or name == _TF:
                bound = alias.asname or alias.name.partition(".")[0]
                self._meanings[bound] = name if alias.asname else bound

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        name = _dotted(node.module or "") if not node.level else None
        if name is None:
            return
        for alias in node.names:
            if alias.name == "*":
                path = name.partition(".")[2]
                self._meanings |= {n: f"{name}.{n}" for n in (names_of(path) if path in TREE else ())}
                continue
            full = _dotted(f"{name}.{alias.name}") or ""
            if self._value(node, full) is not None:
                self._meanings[alias.asname or alias.name] = full

    # uses ---------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._name(node)
        if name is not None:
            self._value(node, name)
            return
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._name(node.func)
        value = None if name is None else self._value(node, name)
        if callable(value):
            self._check_keywords(node, str(name), value)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _GRAPH_METHODS and self._meanings:
            refusal = refusal_of("models", "Graph")
            assert refusal is not None
            self._report(node, refusal.text(f"Graph.{node.func.attr}"))
        self.generic_visit(node)

    def _name(self, node: ast.AST) -> str | None:
        """The dotted name of an expression, None where it starts with no name of Keras or TensorFlow."""
        if isinstance(node, ast.Name):
            return self._meanings.get(node.id)
        if isinstance(node, ast.Attribute):
            before = self._name(node.value)
            return None if before is None else _dotted(f"{before}.{node.attr}") or f"{before}.{node.attr}"
        return None

    def _value(self, node: ast.AST, name: str) -> Any:
        """What a dotted name means; None, after a report, where it is not covered or below an object."""
        if name not in self._values:
            try:
                self._values[name] = _resolved(name)
            except _NotCovered as reason:
                self._values[name] = reason
        found = self._values[name]
        if isinstance(found, _NotCovered):
            self._report(node, str(found))
            return None
        return found

    def _check_keywords(self, node: ast.Call, name: str, value: Any) -> None:
        known = _keywords(value)
        if known is None:
            return
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg not in known:
                hint = did_you_mean(keyword.arg, known)
                self._report(node, f"{name} has no argument {keyword.arg!r}.{hint}".rstrip("."))


class _NotCovered(Exception):
    """A name that is not covered; the message says why."""


def _dotted(name: str) -> str | None:
    """A name of keras; that of tensorflow.keras as one of keras; None for other packages."""
    for prefix in (f"{_TF}.python.{ROOT}", f"{_TF}.{ROOT}"):
        if f"{name}.".startswith(f"{prefix}."):
            return ROOT + name[len(prefix) :]
    return name if name.partition(".")[0] in (ROOT, _TF) else None


def _resolved(name: str) -> Any:
    root, _, below = name.partition(".")
    if root == _TF:
        if not below or below in ("__version__", "python"):
            return ModuleType(name)
        raise _NotCovered(tensorflow.refusal(below))
    if below in TREE:
        return ModuleType(name)
    parent, _, last = below.rpartition(".")
    if parent not in TREE:
        above = next((p for p in _parents(parent) if p in TREE), "")
        if above == "":
            raise _NotCovered(f"there is no module {full_name(parent)} in Keras 2.3 as kbackend has it")
        return None  # an attribute of an object
    if last.startswith("__"):
        return None
    refusal = refusal_of(parent, last)
    if refusal is not None:
        raise _NotCovered(refusal.text(name))
    try:
        return find(parent, last)
    except (AttributeError, LookupError, ImportError) as error:
        raise _NotCovered(str(error.args[0])) from None


def _parents(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition(".")[0]
        yield path


def _old_names() -> Mapping[str, set[str]]:
    """Class -> the arguments that the hook takes under old names."""
    found: dict[str, set[str]] = {name: {w for s in spellings for w in s.old} for name, spellings in SPELLINGS.items()}
    for row in behaviour.TABLE:
        for change in row.changes:
            if isinstance(change, Renamed):
                found.setdefault(change.where.rpartition(":")[2], set()).update(change.names)
    return found


def _keywords(value: Any) -> set[str] | None:
    """The keywords that a class or function takes; None where any are."""
    if isinstance(value, type):
        if not value.__module__.startswith("kbackend."):
            return None
        named = [c.__name__ for c in value.__mro__]
        every = KNOWN_ARGUMENTS if issubclass(value, Layer) else frozenset()
        return keywords_of(value) | every | {word for name in named for word in _old_names().get(name, ())}
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters}


__all__ = ["Finding", "add_arguments", "findings", "run"]
