"""One value or several: what layers take and return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.ground.tree import tree_leaves


def flat_tensors(tree: Any) -> list[Tensor]:
    """The symbolic tensors in nested lists, tuples and dicts."""
    if isinstance(tree, Tensor):
        return [tree]
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def as_list(value: Any) -> list[Any]:
    """The entries of a list or tuple; any other value alone in a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def one_or_list(values: Sequence[Any]) -> Any:
    """The only value, or the list."""
    return values[0] if len(values) == 1 else list(values)


def distinct(values: Sequence[Any]) -> list[Any]:
    """The values without repetitions, by identity."""
    return list({id(v): v for v in values}.values())
