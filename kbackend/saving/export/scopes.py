"""Names in syntax trees: which are bound inside a function, and what replaces those that are not."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from kbackend.saving.export.definitions import Unwritable
from kbackend.saving.export.trees import Transformer, children, walked

_FUNCTIONS = (ast.FunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(node: Any) -> set[str]:
    """The names that a function or comprehension binds itself, without those of what is nested in it."""
    found: set[str] = set()
    if isinstance(node, _FUNCTIONS):
        given = node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        found.update(a.arg for a in every if a is not None)
        waiting: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    else:
        waiting = [generator.target for generator in node.generators]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
            found.add(inner.name)
        elif isinstance(inner, (ast.Import, ast.ImportFrom)):
            found.update((a.asname or a.name).partition(".")[0] for a in inner.names)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
            found.add(inner.id)
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            found.add(inner.name)
        if isinstance(inner, _COMPREHENSIONS):  # its targets are its own, but not what := binds
            waiting.extend(n.target for n in walked(inner) if isinstance(n, ast.NamedExpr))
        elif not isinstance(inner, (*_FUNCTIONS, ast.ClassDef)):
            waiting += children(inner)
    return found


def all_bound(node: ast.AST) -> set[str]:
    """The names that a tree binds anywhere."""
    kinds = (*_FUNCTIONS, *_COMPREHENSIONS)
    return {name for inner in walked(node) if isinstance(inner, kinds) for name in bound(inner)}


class Free(Transformer):
    """Replaces the names that a tree does not bind, and leaves its annotations out.

    Args:
        replace: gives the expression for a name, a dotted name or a call of one of these; None leaves it.
    """

    def __init__(self, replace: Callable[[ast.expr], ast.AST | None]) -> None:
        self.replace = replace
        self.scopes: list[set[str]] = []

    def is_free(self, node: ast.expr) -> bool:
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        return isinstance(node, ast.Name) and not any(node.id in names for names in self.scopes)

    def _inside(self, node: Any, parts: str) -> Any:
        self.scopes.append(bound(node))
        for name in parts.split():
            value = getattr(node, name)
            if isinstance(value, list):
                found = [self._statement(v) for v in value]
                setattr(node, name, [v for v in found if v is not None])
            else:
                setattr(node, name, self.visit(value))
        self.scopes.pop()
        return node

    def _statement(self, node: Any) -> Any:
        try:
            return self.visit(node)
        except Unwritable as error:
            error.line = getattr(node, "lineno", None) if error.line is None else error.line
            raise

    def _defaults(self, node: Any) -> None:
        given = node.args
        given.defaults = [self.visit(d) for d in given.defaults]
        given.kw_defaults = [d and self.visit(d) for d in given.kw_defaults]
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if argument is not None:
                argument.annotation = None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.decorator_list = [d for d in (self.visit(d) for d in node.decorator_list) if d is not None]
        self._defaults(node)
        node.returns = None
        return self._inside(node, "body")

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        self._defaults(node)
        return self._inside(node, "body")

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        for member in node.body:
            if isinstance(member, ast.AnnAssign):  # the fields of a named tuple
                member.annotation = ast.Name("object", ast.Load())
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None or isinstance(node.annotation, ast.Name) and node.annotation.id == "object":
            return self.generic_visit(node)
        return self.visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_comprehension_of(self, node: Any) -> Any:
        return self._inside(node, "key value generators" if isinstance(node, ast.DictComp) else "elt generators")

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_comprehension_of

    def visit_Call(self, node: ast.Call) -> Any:
        if self.is_free(node.func):
            found = self.replace(node)
            if found is not None:
                return self.visit(found) if isinstance(found, (ast.Call, ast.Name)) and found is not node else found
        return self.generic_visit(node)

    def visit_part(self, node: Any) -> Any:
        if isinstance(node.ctx, ast.Load) and self.is_free(node):
            found = self.replace(node)
            if found is not None:
                return found
        return self.generic_visit(node)

    visit_Attribute = visit_Subscript = visit_part

    def visit_Name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Load) and self.is_free(node):
            return self.replace(node) or node
        return node
