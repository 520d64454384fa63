"""Trees: nested lists, tuples and dicts, whose other values are leaves.

The names are those of the package optree, which this module does not use: docs/decisions/0018-trees.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

IsLeaf = Callable[[Any], bool]
#: takes the leaves of one tree from an iterator and returns the tree
TreeSpec = Callable[[Iterator[Any]], Any]


def tree_leaves(tree: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """The leaves in the order in which they are written; None is one.

    Args:
        tree: any value.
        is_leaf: whether a list, tuple or dict is a leaf.

    >>> tree_leaves({"b": 1, "a": (2, [None])})
    [1, 2, None]
    """
    found: list[Any] = []
    _collect(tree, is_leaf, found)
    return found


def _collect(tree: Any, is_leaf: IsLeaf | None, found: list[Any]) -> None:
    if isinstance(tree, (list, tuple)) and (is_leaf is None or not is_leaf(tree)):
        for part in tree:
            _collect(part, is_leaf, found)
    elif isinstance(tree, dict) and (is_leaf is None or not is_leaf(tree)):
        for part in tree.values():
            _collect(part, is_leaf, found)
    else:
        found.append(tree)


def tree_map(function: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """A tree of plain lists, tuples and dicts with ``function`` applied to each leaf of :func:`tree_leaves`.

    >>> tree_map(str, {"b": 1, "a": (2, [None])})
    {'b': '1', 'a': ('2', ['None'])}
    """
    if isinstance(tree, (list, tuple)) and (is_leaf is None or not is_leaf(tree)):
        parts = [tree_map(function, part, is_leaf) for part in tree]
        return parts if isinstance(tree, list) else tuple(parts)
    if isinstance(tree, dict) and (is_leaf is None or not is_leaf(tree)):
        return {key: tree_map(function, part, is_leaf) for key, part in tree.items()}
    return function(tree)


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves in an order that is the same for equal structures, and what :func:`tree_unflatten` needs.

    Dicts are walked in the order of their sorted keys. None is no leaf. Namedtuples and other subclasses of list and
    tuple are made again as what they are, dicts as plain ones.

    >>> leaves, spec = tree_flatten({"b": 1, "a": (2, [3], None)})
    >>> leaves
    [2, 3, 1]
    >>> tree_unflatten(spec, [5, 6, 7])
    {'a': (5, [6], None), 'b': 7}
    """
    if tree is None:
        return [], lambda leaves: None
    if isinstance(tree, dict):
        keys = sorted(tree)
        parts = [tree_flatten(tree[key]) for key in keys]
        specs = [spec for _, spec in parts]
        return _joined(parts), lambda leaves: {key: spec(leaves) for key, spec in zip(keys, specs)}
    if isinstance(tree, (list, tuple)):
        parts = [tree_flatten(part) for part in tree]
        specs = [spec for _, spec in parts]
        make = _maker(tree)
        return _joined(parts), lambda leaves: make([spec(leaves) for spec in specs])
    return [tree], lambda leaves: next(leaves)


def tree_unflatten(spec: TreeSpec, leaves: Iterable[Any]) -> Any:
    """The tree with these leaves; see :func:`tree_flatten`."""
    return spec(iter(leaves))


def tree_structure(tree: Any) -> Any:
    """A value that is equal for trees of equal nesting, types, keys and lengths, in the sense of :func:`tree_flatten`.

    >>> tree_structure({"a": 1, "b": [2]}) == tree_structure({"b": [3], "a": 4})
    True
    >>> tree_structure([1, 2]) == tree_structure((1, 2))
    False
    """
    if isinstance(tree, dict):
        return ("dict", *((key, tree_structure(tree[key])) for key in sorted(tree)))
    if isinstance(tree, (list, tuple)):
        return (type(tree).__name__, *(tree_structure(part) for part in tree))
    return None if tree is None else "leaf"


def _joined(parts: list[tuple[list[Any], TreeSpec]]) -> list[Any]:
    return [leaf for leaves, _ in parts for leaf in leaves]


def _maker(tree: Any) -> Callable[[list[Any]], Any]:
    kind = type(tree)
    return (lambda parts: kind(*parts)) if hasattr(tree, "_fields") else kind
