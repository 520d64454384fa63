"""Simplification of syntax trees in which some names have become constants."""

from __future__ import annotations

import ast
import operator
from typing import Any

from kbackend.saving.export.scopes import bound
from kbackend.saving.export.trees import Transformer, walked

_COMPARED: dict[type, Any] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
#: functions of Python that do nothing but compute
_PURE = frozenset({"abs", "all", "any", "len", "max", "min", "range", "set", "sum", "tuple"})


class Folder(Transformer):
    """Takes the branches that constants decide."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = _truth(node.operand)
            if isinstance(node.operand, ast.Constant):
                return ast.Constant(not node.operand.value)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        decides = isinstance(node.op, ast.Or)  # the truth of a part that decides the whole
        kept: list[ast.expr] = []
        for value in node.values:
            if not isinstance(value, ast.Constant):
                kept.append(value)
            elif bool(value.value) == decides:
                kept.append(value)
                break
            elif value is node.values[-1] and not (kept and isinstance(kept[-1], ast.Compare)):
                kept.append(value)
        if len(kept) == 1:
            return kept[0]
        node.values = kept
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        compare = _COMPARED.get(type(node.ops[0]))
        if len(node.ops) != 1 or compare is None:
            return node
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            return ast.Constant(bool(compare(left.value, right.value)))
        return node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        node.test = _truth(node.test)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_If(self, node: ast.If) -> Any:
        self.generic_visit(node)
        node.test = _truth(node.test)
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_While(self, node: ast.While) -> Any:
        self.generic_visit(node)
        return [] if isinstance(node.test, ast.Constant) and not node.test.value else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                setattr(node, name, _reachable(block))
        if isinstance(getattr(node, "body", None), list) and not node.body:  # type: ignore[attr-defined]
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node


def _truth(test: ast.expr) -> ast.expr:
    """What has the same truth: the constant that decides ``part and False`` or ``part or True``, whose parts call
    nothing."""
    if not isinstance(test, ast.BoolOp) or any(isinstance(n, ast.Call) for n in walked(test)):
        return test
    decides = isinstance(test.op, ast.Or)
    found = (v for v in test.values if isinstance(v, ast.Constant) and bool(v.value) == decides)
    return next(found, test)


def _reachable(block: list[Any]) -> list[Any]:
    for place, statement in enumerate(block):
        if isinstance(statement, (ast.Return, ast.Raise)):
            return block[: place + 1]
    return block


def folded(node: Any) -> Any:
    """A function without the branches that are never taken and the assignments that nothing reads.

    The tree is changed.
    """
    node = Folder().visit(node)
    while _drop_unread(node):
        pass
    return ast.fix_missing_locations(node)


def _drop_unread(function: Any) -> bool:
    """Drop assignments of the function to names that nothing reads; whether there were any."""
    if not isinstance(function, ast.FunctionDef):
        return False
    read = {n.id for n in walked(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    dead = bound(function) - read - {a.arg for a in walked(function) if isinstance(a, ast.arg)}
    changed = False
    for inner in walked(function):
        body = getattr(inner, "body", None)
        if isinstance(inner, ast.ClassDef) or not isinstance(body, list):
            continue
        kept = [s for s in body if not _is_dead(s, dead)]
        if len(kept) < len(body):
            inner.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
            changed = True
    return changed


def _may_act(node: ast.AST) -> bool:
    """Whether it is a call of more than a function of Python that only computes."""
    return isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _PURE)


def _is_dead(statement: ast.stmt, dead: set[str]) -> bool:
    if isinstance(statement, ast.FunctionDef):
        return statement.name in dead
    if not isinstance(statement, ast.Assign) or any(_may_act(n) for n in walked(statement.value)):
        return False
    return all(isinstance(t, ast.Name) and t.id in dead for t in statement.targets)
