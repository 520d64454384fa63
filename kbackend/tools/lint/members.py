"""What classes and functions take, and which attributes classes have, while the hook is installed: for the linter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from kbackend.compat import behaviour
from kbackend.compat.contents.methods import SAMPLES
from kbackend.compat.switching import Attribute, Renamed, Wrapped, named
from kbackend.ground.arguments import keywords_of
from kbackend.layers.base.configuration import KNOWN_ARGUMENTS
from kbackend.layers.base.layer import Layer
from kbackend.layers.spellings import SPELLINGS

#: a room whose classes take the arguments of other functions
_ANY = "kbackend.wrappers."


@cache
def _old_names() -> Mapping[str, frozenset[str]]:
    """Class, or ``Class.method`` -> the arguments that are taken under old names."""
    found: dict[str, set[str]] = {name: {w for s in spellings for w in s.old} for name, spellings in SPELLINGS.items()}
    for row in behaviour.TABLE:
        for change in row.changes:
            if isinstance(change, Renamed):
                found.setdefault(change.where.rpartition(":")[2], set()).update(change.names)
            elif isinstance(change, Wrapped) and change.around.endswith(":counting_samples"):
                found.setdefault(change.where.rpartition(":")[2], set()).update(SAMPLES)
    return {name: frozenset(words) for name, words in found.items()}


@cache
def _added() -> Mapping[str, Mapping[str, Any]]:
    """Class -> the attributes that the hook adds, and what they become."""
    found: dict[str, dict[str, Any]] = {}
    for row in behaviour.TABLE:
        for change in row.changes:
            if isinstance(change, Attribute):
                found.setdefault(change.where.rpartition(":")[2], {})[change.name] = named(change.value)
    return found


def keywords(value: Any) -> set[str] | None:
    """The keywords that a class or function takes; None where any are.

    >>> from kbackend import K
    >>> sorted(keywords(K.sum))
    ['axis', 'keepdims', 'x']
    """
    if not isinstance(value, type):
        return _of_function(value)
    if not value.__module__.startswith("kbackend.") or value.__module__.startswith(_ANY):
        return None
    every = KNOWN_ARGUMENTS if issubclass(value, Layer) else frozenset()
    old = {word for c in value.__mro__ for word in _old_names().get(c.__name__, ())}
    return keywords_of(value) | _taken_out(value) | every | old


def _taken_out(kind: type) -> set[str]:
    """The words that the constructors of a class take out of their further keywords."""
    sources = [inspect.getsource(vars(c)["__init__"]) for c in kind.__mro__ if _has_own_constructor(c)]
    return {word for source in sources for word in re.findall(r"\w+\.pop\([\"'](\w+)[\"']", source)}


def _has_own_constructor(kind: type) -> bool:
    own = vars(kind).get("__init__")
    return kind.__module__.startswith("kbackend.") and inspect.isfunction(own) and own.__module__ == kind.__module__


def method_keywords(kind: type, method: str) -> set[str] | None:
    """The keywords that a method of a class takes; None where any are, or where it is no method.

    >>> from kbackend.models import Sequential
    >>> {"epochs", "nb_epoch"} <= method_keywords(Sequential, "fit")
    True
    """
    added = next((_added()[c.__name__][method] for c in kind.__mro__ if method in _added().get(c.__name__, ())), None)
    function = added or inspect.getattr_static(kind, method, None)
    function = getattr(function, "__func__", function)
    known = _of_function(function) if inspect.isfunction(function) else None
    if known is None:
        return None
    return known | {w for c in kind.__mro__ for w in _old_names().get(f"{c.__name__}.{method}", ())}


def _of_function(function: Any) -> set[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters}


@cache
def attributes_of(kind: type) -> frozenset[str] | None:
    """The names of the attributes of the objects of a class: its own, those that its methods or the hook set, and its
    arguments. None where a class finds names otherwise, or its source is not there.

    >>> from kbackend.models import Sequential
    >>> {"add", "optimizer", "predict_classes"} <= attributes_of(Sequential), "add_node" in attributes_of(Sequential)
    (True, False)
    """
    bases = kind.__mro__[:-1]
    if any("__getattr__" in vars(c) and not c.__module__.startswith("kbackend.ground.") for c in bases):
        return None
    found = {*dir(kind), *keywords_of(kind)}
    for base in bases:
        found |= set(_added().get(base.__name__, ()))
        if base.__module__.startswith("kbackend."):
            try:
                found |= set(re.findall(r"\bself\.(\w+)", inspect.getsource(base)))
            except OSError:
                return None
    return frozenset(found)


__all__ = ["attributes_of", "keywords", "method_keywords"]
