"""The names that a program's scopes bind, and to what: for the linter."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

#: what a name is bound to that is not the value of a plain assignment
OTHER = None
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OWN_SCOPE = (*_FUNCTIONS, ast.Lambda, ast.ClassDef)
_TO_IMPORT_ERROR = {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"}


class Scope:
    """A module, a function or the body of a class.

    Args:
        node: its node.

    Attributes:
        values: name, or dotted name such as ``self.model``, -> the values that are assigned to it, with OTHER for
            what binds it otherwise: a parameter, a loop, ``with``, an unpacking.
        imported: the names that imports bind.
        is_class: whether functions inside do not see its names.
    """

    def __init__(self, node: ast.AST) -> None:
        self.is_class = isinstance(node, ast.ClassDef)
        self.values: dict[str, list[ast.expr | None]] = {}
        self.imported: set[str] = set()
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    self._bind(argument.arg, OTHER)
        body = node.body if isinstance(getattr(node, "body", None), list) else [node.body]  # type: ignore[attr-defined]
        for statement in body:
            self._read(statement)

    def _bind(self, name: str | None, value: ast.expr | None) -> None:
        if name is not None:
            self.values.setdefault(name, []).append(value)

    def _read(self, node: ast.AST) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self.imported |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node.name, OTHER)
                return
            case ast.Lambda():
                return
            case ast.Assign():
                for target in node.targets:
                    self._assign(target, node.value)
            case ast.AnnAssign() if node.value is not None:
                self._assign(node.target, node.value)
            case ast.Global() | ast.Nonlocal():
                for name in node.names:
                    self._bind(name, OTHER)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                self._bind(node.name, OTHER)
            case ast.Name(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                self._bind(dotted(node), OTHER)
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_plain(node, child)):
                self._read(child)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, (ast.Name, ast.Attribute)):
            self._bind(dotted(target), value)


def _is_plain(node: ast.Assign | ast.AnnAssign, child: ast.AST) -> bool:
    """Whether a child of an assignment is a target that :meth:`Scope._assign` has read."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return child in targets and isinstance(child, (ast.Name, ast.Attribute))


def dotted(node: ast.AST) -> str | None:
    """``a.b.c`` of an expression of names and attributes, None for others.

    >>> import ast
    >>> dotted(ast.parse("self.model.fit", mode="eval").body)
    'self.model.fit'
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return None if before is None else f"{before}.{node.attr}"
    return None


class Scoped(ast.NodeVisitor):
    """A visitor that knows the scopes around a node, and whether an import that fails there is caught."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self._caught = 0

    @property
    def is_caught(self) -> bool:
        """Whether the node stands in a ``try`` that catches failed imports."""
        return self._caught > 0

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, (ast.Module, *_OWN_SCOPE)):
            super().generic_visit(node)
            return
        self.scopes.append(Scope(node))
        super().generic_visit(node)
        self.scopes.pop()

    def visit_Try(self, node: ast.Try) -> None:
        catches = any(_catches_imports(handler) for handler in node.handlers)
        self._caught += catches
        for statement in node.body:
            self.visit(statement)
        self._caught -= catches
        for other in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(other)

    def around(self) -> Iterator[Scope]:
        """The scopes from the innermost on whose names can be seen."""
        return (s for s in reversed(self.scopes) if s is self.scopes[-1] or not s.is_class)

    def assigned(self, name: str) -> Sequence[ast.expr | None]:
        """The values that the innermost scope binds a name to; none where it does not."""
        return self.scopes[-1].values.get(name, ()) if self.scopes else ()


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in _TO_IMPORT_ERROR for kind in kinds)


__all__ = ["OTHER", "Scope", "Scoped", "dotted"]
