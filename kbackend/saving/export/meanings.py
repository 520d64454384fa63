"""What names mean in functions that are in memory."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Mapping, Sequence
from typing import Any


class Names:
    """What names mean in functions of a module.

    Args:
        functions: those whose cells are known.
        module: the names of the module.
    """

    def __init__(self, functions: Sequence[types.FunctionType], module: Mapping[str, Any]) -> None:
        self._module = module
        self._cells = {n: cell for f in functions for n, cell in zip(f.__code__.co_freevars, f.__closure__ or ())}

    @classmethod
    def of_function(cls, function: types.FunctionType) -> Names:
        return cls([function], function.__globals__)

    def around(self, name: str) -> bool:
        """Whether a name is one of a function around."""
        return name in self._cells

    def of(self, node: ast.expr) -> Any:
        """The value of a name, of an attribute of a module, or of an element of a table under a constant.

        Raises:
            KeyError: another expression, or a name that has no value.
        """
        if isinstance(node, ast.Name):
            if node.id in self._cells:
                return self._cells[node.id].cell_contents
            return self._module[node.id] if node.id in self._module else vars(builtins)[node.id]
        if isinstance(node, ast.Attribute):
            held = self.of(node.value)
            if isinstance(held, types.ModuleType):
                return getattr(held, node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            table: Any = self.of(node.value)
            if type(table) in (dict, list, tuple):
                return table[node.slice.value]
        raise KeyError(ast.dump(node))


def hint_of(node: ast.expr) -> str:
    """A name for the value of a name, an attribute or an element."""
    if isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return key if isinstance(key, str) and key.isidentifier() else hint_of(node.value)
    assert isinstance(node, (ast.Name, ast.Attribute))
    return node.id if isinstance(node, ast.Name) else node.attr
