"""The syntax trees of functions and classes that are in memory, found in the text that they were compiled from."""

from __future__ import annotations

import ast
import linecache
import sys
import types
from functools import lru_cache
from typing import Any

from kbackend.saving.export.trees import copied, walked


class Unwritable(ValueError):
    """A value that has no form as text; the message says why.

    Attributes:
        line: that of the statement of a program which needs it, once it is known.
    """

    line: int | None = None


@lru_cache(maxsize=512)
def _definitions(file: str, text: str) -> dict[int, list[ast.AST]]:
    """First line -> the functions, lambdas and classes that start there."""
    found: dict[int, list[ast.AST]] = {}
    for node in walked(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            decorators = getattr(node, "decorator_list", [])
            found.setdefault(min([node.lineno, *(d.lineno for d in decorators)]), []).append(node)
    return found


def _in_file(file: str) -> dict[int, list[ast.AST]]:
    text = "".join(linecache.getlines(file))
    if not text:
        raise Unwritable(f"the source of {file} is not there")
    return _definitions(file, text)


def of_function(function: types.FunctionType) -> ast.FunctionDef | ast.Lambda:
    """A copy of the definition of a function or lambda.

    Raises:
        Unwritable: its source is not there, or does not tell it from others.
    """
    code = function.__code__
    there = _in_file(code.co_filename).get(code.co_firstlineno, [])
    if code.co_name != "<lambda>":
        named: list[Any] = [n for n in there if isinstance(n, ast.FunctionDef) and n.name == code.co_name]
    else:
        named = [n for n in there if isinstance(n, ast.Lambda) and _holds(n.body, code)]
        named.sort(key=lambda n: _length(n.body))  # a lambda inside another one is the shorter of the two
    if not named:
        raise Unwritable(f"no source is found for {function.__qualname__}")
    return copied(named[0])


def of_class(kind: type) -> ast.ClassDef:
    """A copy of the definition of a class.

    Raises:
        Unwritable: its source is not there.
    """
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    codes = [f.__code__ for f in map(_plain, vars(kind).values()) if isinstance(f, types.FunctionType)]
    own = [code.co_firstlineno for code in codes if code.co_filename == file]  # others are generated
    for nodes in _in_file(file).values() if file else ():
        for node in nodes:
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                if all(node.lineno < line <= (node.end_lineno or 0) for line in own):
                    return copied(node)
    raise Unwritable(f"no source is found for the class {kind.__qualname__}")


def _plain(member: Any) -> Any:
    return member.__func__ if isinstance(member, (staticmethod, classmethod)) else member


def _holds(body: ast.expr, code: types.CodeType) -> bool:
    """Whether the instructions of a code object lie inside an expression."""
    start, end = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
    for line, last, column, last_column in code.co_positions():
        if line is None or column is None or (line, column) == (code.co_firstlineno, 0):  # the entry of the function
            continue
        if (line, column) < start or (last or 0, last_column or 0) > end:
            return False
    return True


def _length(node: ast.expr) -> int:
    return len(ast.unparse(node))
