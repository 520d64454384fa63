"""Nested structures of tensors: dicts, lists and tuples, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a structure, and a function that builds one like it from other leaves.

    Dicts are walked in the order of their sorted keys; None holds no leaf, all else that is no dict, list or tuple is
    one.

    >>> from kbackend.declare.tree import flatten, rebuild
    >>> leaves, form = flatten({"b": 1, "a": (2, [3])})
    >>> leaves
    [2, 3, 1]
    >>> rebuild(form, [5, 6, 7])
    {'a': (5, [6]), 'b': 7}
    """
    if tree is None:
        return [], lambda leaves: None
    if isinstance(tree, dict):
        keys = sorted(tree)
        parts = [flatten(tree[k]) for k in keys]
        forms = [form for _, form in parts]
        return _leaves(parts), lambda leaves: {k: form(leaves) for k, form in zip(keys, forms)}
    if isinstance(tree, (list, tuple)):
        parts = [flatten(part) for part in tree]
        forms = [form for _, form in parts]
        make = _maker(tree)
        return _leaves(parts), lambda leaves: make([form(leaves) for form in forms])
    return [tree], lambda leaves: next(leaves)


def _leaves(parts: list[tuple[list[Any], Rebuild]]) -> list[Any]:
    return [leaf for leaves, _ in parts for leaf in leaves]


def _maker(tree: Any) -> Callable[[list[Any]], Any]:
    kind = type(tree)
    return (lambda parts: kind(*parts)) if hasattr(tree, "_fields") else kind


def rebuild(form: Rebuild, leaves: Any) -> Any:
    """The structure with these leaves."""
    return form(iter(leaves))


def structure(tree: Any) -> Any:
    """What two structures must have in common: equal for equal nesting, keys and lengths."""
    if isinstance(tree, dict):
        return ("dict", *((k, structure(tree[k])) for k in sorted(tree)))
    if isinstance(tree, (list, tuple)):
        return (type(tree).__name__, *(structure(part) for part in tree))
    return None if tree is None else "leaf"
