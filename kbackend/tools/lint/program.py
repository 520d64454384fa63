"""Reads a program of Keras 1 or 2, and finds what it imports and calls that kbackend does not have."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from kbackend.compat import tensorflow
from kbackend.compat.modules import ROOT, find, full_name, names_of, refusal_of
from kbackend.compat.tree import TREE
from kbackend.ground.suggest import did_you_mean
from kbackend.models import Model
from kbackend.tools.arguments import file_name
from kbackend.tools.lint.members import attributes_of, keywords, method_keywords
from kbackend.tools.lint.scopes import Scoped, dotted

_TF = tensorflow.NAME
#: methods of models of Keras 0 that nothing else has
_GRAPH_METHODS = frozenset({"add_node", "add_shared_node"})
#: functions that return models, as those of keras.applications do
_MAKING_MODELS = frozenset(
    f"{ROOT}.models.{name}" for name in ("load_model", "model_from_json", "model_from_yaml", "clone_model")
)


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
    command.add_argument("scripts", type=file_name, nargs="+", metavar="script", help="Python files")


def run(options: argparse.Namespace) -> int:
    """Print what is not covered, one a line; return 1 where anything is, else 0."""
    count = 0
    for path in options.scripts:
        for finding in findings(_text(path)):
            count += 1
            print(f"{path}:{finding.line}: {finding.message}")
    if not count:
        print("all that the linter knows of is covered")
    return int(count > 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: it is no text in UTF-8: {error}") from None


def findings(source: str) -> list[Finding]:
    """What a program's text has that kbackend does not cover, by line.

    Imports of ``keras`` and ``tensorflow``, attributes of them, and keywords of calls are compared with what is there;
    so are methods of an object, and their keywords, where all that its name is bound to in the same scope are calls of
    classes of Keras.

    >>> findings("from keras.models import Graph")[0].message[:48]
    'keras.models.Graph is not covered by kbackend: m'
    >>> findings("from keras.layers import Dense\\nDense(3, activaton='relu')")[0].message
    "keras.layers.Dense has no argument 'activaton'. Did you mean 'activation'?"
    >>> findings("from keras.models import Sequential\\nmodel = Sequential()\\nmodel.fit(x, y, epoch=3)")[0].message
    "Sequential.fit has no argument 'epoch'. Did you mean 'epochs'?"
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [Finding(error.lineno or 1, f"no program of Python 3: {error.msg}; 2to3 or futurize may convert it")]
    program = _Program(_stored(tree))
    program.visit(tree)
    return sorted(set(program.found))


def _stored(tree: ast.AST) -> frozenset[str]:
    """The attributes that a program sets, of any object."""
    return frozenset(n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))


class _Program(Scoped):
    """Follows the names of a program that mean modules, classes, functions and objects of Keras or TensorFlow."""

    def __init__(self, stored: frozenset[str]) -> None:
        super().__init__()
        self.found: list[Finding] = []
        self._stored = stored
        self._meanings: dict[str, str] = {}  # name in the program -> dotted name
        self._values: dict[str, Any] = {}  # dotted name -> what it is

    def _report(self, node: ast.AST, message: str) -> None:
        if not self.is_caught:
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
            self._check_keywords(node, str(name), keywords(value))
        elif isinstance(node.func, ast.Attribute):
            self._check_method(node, node.func.attr, self._kinds(dotted(node.func.value)))
        self.generic_visit(node)

    def _name(self, node: ast.AST) -> str | None:
        """The dotted name of an expression, None where it starts with no name of Keras or TensorFlow."""
        if isinstance(node, ast.Name):
            scope = next((s for s in self.around() if node.id in s.values or node.id in s.imported), None)
            return None if scope is not None and node.id in scope.values else self._meanings.get(node.id)
        if isinstance(node, ast.Attribute):
            before = self._name(node.value)
            return None if before is None else _dotted(f"{before}.{node.attr}") or f"{before}.{node.attr}"
        return None

    def _meaning(self, name: str) -> Any:
        """What a dotted name means: a value, None where it is below an object, or a _NotCovered."""
        if name not in self._values:
            try:
                self._values[name] = _resolved(name)
            except _NotCovered as reason:
                self._values[name] = reason
        return self._values[name]

    def _value(self, node: ast.AST, name: str) -> Any:
        """What a dotted name means; None, after a report, where it is not covered or below an object."""
        found = self._meaning(name)
        if isinstance(found, _NotCovered):
            self._report(node, str(found))
            return None
        return found

    def _check_keywords(self, node: ast.Call, name: str, known: set[str] | None) -> None:
        for keyword in node.keywords:
            if known is not None and keyword.arg is not None and keyword.arg not in known:
                hint = did_you_mean(keyword.arg, known)
                self._report(node, f"{name} has no argument {keyword.arg!r}.{hint}".rstrip("."))

    # objects ------------------------------------------------------------------------------------------------

    def _kinds(self, name: str | None) -> Sequence[type]:
        """The classes of the objects that a name is bound to in this scope; none where one of them is not known."""
        kinds = [self._kind(value) for value in self.assigned(name or "")]
        return [] if None in kinds else list(dict.fromkeys(k for k in kinds if k is not None))

    def _kind(self, value: ast.expr | None) -> type | None:
        """The class of the value of an expression that calls a class of Keras, or a function that makes a model."""
        name = self._name(value.func) if isinstance(value, ast.Call) else None
        if name is None:
            return None
        found = self._meaning(name)
        if isinstance(found, type) and found.__module__.startswith("kbackend."):
            return found
        return Model if callable(found) and _makes_model(name) else None

    def _check_method(self, node: ast.Call, method: str, kinds: Sequence[type]) -> None:
        """Report a method that none of the classes has, or keywords that none of them takes."""
        known = [kind for kind in kinds if _has(kind, method)]
        if not kinds or method in self._stored:
            return
        if not known:
            kind = kinds[0]
            refusal = refusal_of("models", "Graph") if method in _GRAPH_METHODS else None
            if refusal is not None and issubclass(kind, Model):
                self._report(node, refusal.text(f"Graph.{method}"))
            else:
                hint = did_you_mean(method, [n for n in attributes_of(kind) or () if not n.startswith("_")])
                self._report(node, f"{kind.__name__} has no method {method!r}.{hint}".rstrip("."))
            return
        taken = [method_keywords(kind, method) for kind in known]
        every = None if None in taken else {name for names in taken for name in names or ()}
        self._check_keywords(node, f"{known[0].__name__}.{method}", every)


def _makes_model(name: str) -> bool:
    """Whether a function of keras.models or keras.applications returns a model, by its dotted name."""
    is_network = name.startswith(f"{ROOT}.applications.") and name.rpartition(".")[2][:1].isupper()
    return is_network or name in _MAKING_MODELS


def _has(kind: type, method: str) -> bool:
    known = attributes_of(kind)
    return known is None or method in known


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
        if below.startswith("__version__."):
            return None
        raise _NotCovered(tensorflow.refusal(below))
    if below in TREE:
        return ModuleType(name)
    parent, _, last = below.rpartition(".")
    if parent not in TREE:
        above = next((p for p in _parents(parent) if p in TREE), "")
        first = parent.partition(".")[0]
        if above == "" and first not in names_of("") and not first.startswith("__"):
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


__all__ = ["Finding", "add_arguments", "findings", "run"]
