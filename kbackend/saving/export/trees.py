"""Walks and copies of syntax trees, of which a program has thousands of nodes: those of :mod:`ast` and :mod:`copy` ask
each node for its fields, and take several times as long."""

from __future__ import annotations

import ast
from typing import Any

#: fields without nodes, or with those of operators and of what is done with a name, which have nothing below them
_PLAIN = frozenset({"arg", "attr", "conversion", "ctx", "id", "kind", "level", "module", "op", "ops", "type_comment"})


#: class of nodes -> its fields that may hold nodes
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(name for name in kind._fields if name not in _PLAIN)
    return _FIELDS[kind]


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes in the fields of a node, in their order, without operators.

    >>> [ast.unparse(part) for part in children(ast.parse("a + b", mode="eval").body)]
    ['a', 'b']
    """
    found: list[ast.AST] = []
    parts = vars(node)
    for name in _fields(node.__class__):
        value = parts.get(name)
        if isinstance(value, list):
            found += [part for part in value if isinstance(part, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walked(node: ast.AST) -> list[ast.AST]:
    """A node and all nodes below it but operators, each before those below it.

    >>> sum(isinstance(part, ast.Name) for part in walked(ast.parse("f(a, b)")))
    3
    """
    found = [node]
    for inner in found:
        found += children(inner)
    return found


def copied(node: Any) -> Any:
    """A copy of a node and of all below it; what marks a name as read or written is shared.

    >>> tree = ast.parse("f(a)")
    >>> copied(tree) is tree, ast.unparse(copied(tree))
    (False, 'f(a)')
    """
    made = node.__class__.__new__(node.__class__)  # without the checks of the constructor
    parts = vars(made)
    for name, value in vars(node).items():
        if isinstance(value, list):
            value = [copied(part) if isinstance(part, ast.AST) else part for part in value]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            value = copied(value)
        parts[name] = value
    return made


#: constants, and what has no fields: operators, and what is done with a name
_FIELDLESS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
_LEAVES = frozenset({ast.Constant, *(kind for base in _FIELDLESS for kind in base.__subclasses__())})


class Transformer(ast.NodeTransformer):
    """A transformer that leaves constants and operators as they are."""

    def visit(self, node: Any) -> Any:
        return node if node.__class__ in _LEAVES else super().visit(node)


__all__ = ["Transformer", "children", "copied", "walked"]
