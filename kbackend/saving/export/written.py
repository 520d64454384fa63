"""Python values as text: functions are written out with all that they use, values of packages are named.

A function of the packages to be written becomes a definition of its own. What it has from the functions around it
stands in it as constants; what it has from its module becomes a definition too. What several functions use is written
once.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import inspect
import math
import sys
import types
from collections import Counter
from collections.abc import Container, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kbackend.plugin.exporting import KNOWN_CALLS, Argument, Spelling
from kbackend.saving.export import definitions
from kbackend.saving.export.definitions import Unwritable
from kbackend.saving.export.folding import folded
from kbackend.saving.export.meanings import Names, hint_of
from kbackend.saving.export.scopes import Free
from kbackend.saving.export.trees import walked

#: constants with more elements are stored beside the text
MOST_ELEMENTS = 64
#: the longest text of a constant that stands where it is used
_SHORT = 40
_REF = "__ref_"
#: the dictionary in the file that holds large constants
CONSTANTS = "CONSTANTS"


#: what stands for itself wherever it is used
_REFERENCES = (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)
#: the code of every function that contextlib.contextmanager makes
_CONTEXT_MANAGER = contextlib.contextmanager(lambda: iter(())).__code__


@dataclass(frozen=True)
class Line:
    """What is known of a line of a program: the shapes of its results, and its op and layer."""

    shapes: str
    place: str


@dataclass
class Definition:
    """A name in the file and what it stands for.

    Attributes:
        hint: the name that it would have by itself.
        node: a function, class or assignment, in which other definitions are names that start with a mark.
        lines: line of a statement -> what is known of it.
        program: whether it is a part of the program and not a kernel.
    """

    hint: str
    node: Any = None
    lines: Mapping[int, Line] = field(default_factory=dict)
    program: bool = False

    @property
    def mark(self) -> str:
        """What stands for its name until all names are known."""
        return f"{_REF}{id(self)}"


class Writing:
    """Collects definitions.

    Args:
        spelling: how an engine's values are written.
        packages: the first parts of modules whose functions are written out.
        programs: id of a generated function -> what is known of its lines.
    """

    def __init__(self, spelling: Spelling, packages: set[str], programs: Mapping[int, Mapping[int, Line]]) -> None:
        self.spelling = spelling
        self.packages = packages
        self.programs = programs
        self.definitions: list[Definition] = []
        self.imports: set[tuple[str, str, str]] = set()  # module, name in it or "", alias
        self.stored: dict[str, Any] = {}
        self._roots = {name.partition(".")[0] for name in spelling.modules.values()}
        self._of: dict[int, ast.expr] = {}
        self._same: dict[Any, ast.expr] = {}
        self._keep: list[Any] = []
        self._within: list[str] = []

    # values -----------------------------------------------------------------------------------------------

    def expression(self, value: Any, hint: str) -> ast.expr:
        """The expression of a value.

        Raises:
            Unwritable: it has none.
        """
        value = self._plain(value)
        literal = self._literal(value, hint)
        if literal is not None:
            return literal
        if id(value) not in self._of:
            self._keep.append(value)
            made = self._made(value, hint)
            self._of[id(value)] = made
        return self._of[id(value)]

    def _plain(self, value: Any) -> Any:
        """What stands for a value in the file."""
        while (other := self.spelling.replaced(value)) is not value:
            value = other
        return value

    def _literal(self, value: Any, hint: str) -> ast.expr | None:
        if value is None or value is Ellipsis or type(value) in (bool, int, str, bytes):
            return ast.Constant(value)
        if type(value) in (float, complex):
            return self._number(value)
        if type(value) in (tuple, list, set, frozenset):
            return self._collection(value, hint)
        if isinstance(value, tuple) and hasattr(value, "_fields") and self._is_ours(type(value)):
            made = _called(self.expression(type(value), hint))
            made.keywords = [ast.keyword(k, self.expression(v, k)) for k, v in zip(value._fields, value)]
            return made
        if type(value) is dict:
            pairs = [(self.expression(k, hint), self.expression(v, hint)) for k, v in value.items()]
            return ast.Dict([k for k, _ in pairs], [v for _, v in pairs])
        if isinstance(value, slice):
            return _called("slice", *(self.expression(v, hint) for v in (value.start, value.stop, value.step)))
        if isinstance(value, range):
            return _called("range", *(self.expression(v, hint) for v in (value.start, value.stop, value.step)))
        return None

    def _number(self, value: Any) -> ast.expr:
        if isinstance(value, complex) or math.isfinite(value):
            return ast.parse(repr(value), mode="eval").body
        return ast.parse(f"float({str(value)!r})", mode="eval").body

    def _collection(self, value: Any, hint: str) -> ast.expr:
        ordered = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        parts = [self.expression(v, hint) for v in ordered]
        if type(value) is tuple:
            return ast.Tuple(parts, ast.Load())
        if type(value) is list:
            return ast.List(parts, ast.Load())
        inner = ast.Set(parts) if parts else _called("set")
        return _called("frozenset", inner) if isinstance(value, frozenset) else inner

    def _made(self, value: Any, hint: str) -> ast.expr:
        if isinstance(value, types.ModuleType):
            return self._module(value)
        spelled = self.spelling.spelled(value)
        if spelled is not None:
            return self._text(spelled)
        if isinstance(value, np.dtype):
            return _called(self._text("np.dtype"), ast.Constant(value.name))
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(np.asarray(value), hint)
        if isinstance(value, functools.partial):
            made = _called(self._text("functools.partial"), self.expression(value.func, hint),
                            *(self.expression(a, hint) for a in value.args))
            made.keywords = [ast.keyword(k, self.expression(v, k)) for k, v in value.keywords.items()]
            return self._assigned(made, hint)
        array = self.spelling.array(value)
        if array is not None:
            return self.kept(array, hint)
        decorated = self._decorated(value)
        if decorated is not None:
            return self._function(decorated[1], hint, decorated[0], value)
        if isinstance(value, types.FunctionType) and self._is_ours(value):
            return self._function(value, hint)
        if isinstance(value, types.MethodType) and self._is_ours(value.__func__):
            return self._method(value, hint)
        if isinstance(value, type) and self._is_ours(value):
            return self._class(value)
        owner = getattr(value, "__self__", None) if isinstance(value, types.BuiltinMethodType) else None
        if owner is not None and not isinstance(owner, types.ModuleType):
            return ast.Attribute(self.expression(owner, hint), value.__name__, ast.Load())
        return self._imported(value, hint)

    def _decorated(self, value: Any) -> tuple[str, Any] | None:
        """The name of a decorator that made a value, and the function that it got."""
        if isinstance(value, functools._lru_cache_wrapper) and self._is_ours(value.__wrapped__):
            return "functools.cache", value.__wrapped__
        if getattr(value, "__code__", None) is _CONTEXT_MANAGER and self._is_ours(value.__wrapped__):
            return "contextlib.contextmanager", value.__wrapped__
        return self.spelling.decorated(value)

    def _is_ours(self, value: Any) -> bool:
        return id(value) in self.programs or (value.__module__ or "").partition(".")[0] in self.packages

    def _text(self, text: str) -> ast.expr:
        """A dotted name whose first part is imported."""
        alias = text.partition(".")[0]
        self.imports.add((self.spelling.modules.get(alias, alias), "", alias))
        return ast.parse(text, mode="eval").body

    def _module(self, module: types.ModuleType) -> ast.expr:
        for alias, name in self.spelling.modules.items():
            if name == module.__name__:
                return self._text(alias)
        root = module.__name__.partition(".")[0]
        if root in self.packages:
            raise Unwritable(f"the module {module.__name__} is used as a value")
        return self._from(*module.__name__.rpartition(".")[::2])

    def _from(self, module: str, name: str) -> ast.expr:
        """A name that is imported from a module."""
        if not module or module in sys.stdlib_module_names:
            return self._text(f"{module}.{name}".strip("."))
        self.imports.add((module, name, name))
        return ast.Name(name, ast.Load())

    def _imported(self, value: Any, hint: str) -> ast.expr:
        """A value that has a name in a module of the standard library."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if module is None and inspect.isbuiltin(value):
            module = getattr(value.__self__, "__name__", None)
        if module in sys.modules and name and getattr(sys.modules[module], name, None) is value:
            root = module.partition(".")[0]
            if root == "builtins":
                return ast.Name(name, ast.Load())
            if root in sys.stdlib_module_names or root in self._roots:
                if root in sys.stdlib_module_names:
                    module = module.removeprefix("_")
                return self._from(module, name)
        if isinstance(value, types.FunctionType) and module not in sys.builtin_module_names:
            raise Unwritable(f"it calls the Python function {name} of {module}, which is not written out{self._path()}")
        raise Unwritable(f"{hint} is {_described(value)}, which has no form as text{self._path()}")

    def _array(self, array: np.ndarray, hint: str) -> ast.expr:
        dtype = ast.Constant(array.dtype.name)
        if array.size > MOST_ELEMENTS:
            return self.kept(array, hint)
        made = _called(self._text("np.array"), self.expression(array.tolist(), hint), dtype)
        return self._assigned(made, hint)

    def kept(self, array: np.ndarray, hint: str) -> ast.expr:
        """A large constant, which is an array of the file of weights."""
        name = f"{hint}_{len(self.stored) + 1}"
        self.stored[name] = array
        return ast.parse(f"{CONSTANTS}[{name!r}]", mode="eval").body

    # definitions ------------------------------------------------------------------------------------------

    def _define(self, definition: Definition) -> ast.expr:
        self.definitions.append(definition)
        return ast.Name(definition.mark, ast.Load())

    def _assigned(self, made: ast.expr, hint: str) -> ast.expr:
        key = (hint, ast.dump(made))
        if key not in self._same:
            target = ast.Name("", ast.Store())
            self._same[key] = self._define(Definition(hint, ast.Assign([target], made)))
        return self._same[key]

    def _function(
        self, function: types.FunctionType, hint: str, decorator: str | None = None, decorated: Any = None
    ) -> ast.expr:
        node = definitions.of_function(function)
        if isinstance(node, ast.Lambda):
            body: list[Any] = [ast.copy_location(ast.Return(node.body), node)]
            node = ast.copy_location(ast.FunctionDef("", node.args, body, [], None), node)
        node.decorator_list = []
        program = id(function) in self.programs
        own = function.__code__.co_name
        definition = Definition(own if program else hint, None, self.programs.get(id(function), {}), program)
        place = ast.Name(definition.mark, ast.Load())
        self._of[id(function)] = place
        if decorated is not None:
            self._of[id(decorated)] = place
        self._within.append(own if not own.startswith("<") else hint)
        names = Names.of_function(function)
        try:
            if program and self.spelling.numbers:
                self._give_numbers(node, names)
            definition.node = self._resolved(node, names)
        except Unwritable as error:
            if program:
                line = definition.lines.get(error.line or 0)
                raise Unwritable(f"{line.place}: {error}" if line else str(error)) from error
            error.line = None
            raise
        if decorator is not None:
            definition.node.decorator_list = [self._text(decorator)]
        self._within.pop()
        key = None if program else ast.dump(definition.node).replace(repr(definition.node.name), "", 1)
        if key is not None and key in self._same:
            self._of[id(function)] = self._same[key]
            return self._same[key]
        self.definitions.append(definition)
        if key is not None:
            self._same[key] = place
        return place

    def _give_numbers(self, program: ast.FunctionDef, names: Names) -> None:
        """Let kernels whose results are all read as numbers give numbers."""
        read: Counter[str] = Counter()
        as_numbers: Counter[str] = Counter()
        for node in walked(program):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                read[node.id] += 1
            elif self._calls(node, names, self.spelling.takes_numbers):
                lists = [a for a in node.args if isinstance(a, ast.Tuple)]  # type: ignore[attr-defined]
                as_numbers.update(e.id for a in lists for e in a.elts if isinstance(e, ast.Name))
        for statement in program.body:
            if isinstance(statement, ast.Assign) and self._calls(statement.value, names, self.spelling.numbers):
                target, call = statement.targets[0], statement.value
                assert isinstance(target, ast.Name) and isinstance(call, ast.Call)
                if read[target.id] == as_numbers[target.id]:
                    number = self.spelling.numbers[names.of(call.func)]
                    call.func = self.expression(number, number.__name__)

    def _calls(self, node: ast.AST, names: Names, functions: Container[Any]) -> bool:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return False
        try:
            value = names.of(node.func)
        except KeyError:
            return False
        return isinstance(value, Hashable) and value in functions

    def _method(self, method: types.MethodType, hint: str) -> ast.expr:
        """A method that does not read its object, as a function."""
        function = inspect.unwrap(method.__func__)
        node = definitions.of_function(function)
        if not isinstance(node, ast.FunctionDef):
            raise Unwritable(f"{hint} is {_described(method)}")
        held = node.args.args.pop(0).arg
        node.decorator_list = []
        if any(isinstance(n, ast.Name) and n.id == held for n in walked(node)):
            raise Unwritable(f"{hint} reads {_described(method.__self__)}{self._path()}")
        return self._define(Definition(hint, self._resolved(node, Names.of_function(function))))

    def _class(self, kind: type) -> ast.expr:
        definition = Definition(kind.__name__)
        self._of[id(kind)] = place = ast.Name(definition.mark, ast.Load())
        node = definitions.of_class(kind)
        members = [getattr(member, "__func__", member) for member in vars(kind).values()]
        functions = [m for m in members if isinstance(m, types.FunctionType)]
        definition.node = self._resolved(node, Names(functions, vars(sys.modules[kind.__module__])))
        self.definitions.append(definition)
        return place

    # names inside definitions -----------------------------------------------------------------------------

    def _resolved(self, node: Any, names: Names) -> Any:
        """A definition in which free names are constants or references."""
        known = Free(lambda expr: self._constant(expr, names)).visit(node)
        return Free(lambda expr: self._reference(expr, names)).visit(folded(known))

    def _constant(self, node: ast.expr, names: Names) -> ast.AST | None:
        """What is constant in the file: calls that are known, and short values of names from around a function."""
        try:
            value = names.of(node.func if isinstance(node, ast.Call) else node)
        except KeyError:
            return None
        if isinstance(node, ast.Call):
            return self._known(node, value, names)
        value = self._plain(value)
        plain = value is None or type(value) in (bool, int, str) or type(value) is float and math.isfinite(value)
        return ast.Constant(value) if plain and isinstance(node, ast.Name) and names.around(node.id) else None

    def _known(self, node: ast.Call, function: Any, names: Names) -> ast.expr | None:
        """The value of a call, if it is known; that of any(map(function, values)) too."""
        known = {**KNOWN_CALLS, **self.spelling.known_calls}
        if isinstance(function, Hashable) and function in known:
            found = known[function]
            return node.args[found.position] if isinstance(found, Argument) else ast.Constant(found)
        if function is any and isinstance(node.args[0], ast.Call) and isinstance(node.args[0].args[0], ast.Name):
            mapped = node.args[0]
            try:
                each = names.of(mapped.args[0])
            except KeyError:
                return None
            if isinstance(mapped.func, ast.Name) and mapped.func.id == "map" and known.get(each) is False:
                return ast.Constant(False)
        return None

    def _reference(self, node: ast.expr, names: Names) -> ast.AST | None:
        if isinstance(node, ast.Call) or isinstance(node, ast.Name) and node.id.startswith(_REF):
            return None
        try:
            value = names.of(node)
        except KeyError:
            return None
        if isinstance(node, ast.Name) and getattr(builtins, node.id, self) is value:
            return None
        if isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] in self.packages:
            return None  # its attributes are asked for
        hint = hint_of(node)
        made = self.expression(value, hint)
        short = len(ast.unparse(made)) <= _SHORT and not hint.isupper()
        return made if short or isinstance(made, _REFERENCES) else self._assigned(made, hint)

    def _path(self) -> str:
        return f" (in {' in '.join(reversed(self._within))})" if self._within else ""


def _described(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__} {getattr(value, '__qualname__', value)!r}"


def _called(function: ast.expr | str, *args: ast.expr) -> ast.Call:
    called = ast.Name(function, ast.Load()) if isinstance(function, str) else function
    return ast.Call(called, list(args), [])
