"""What a docstring of the reference says: arguments, shapes, errors, source; and the names that it leaves them to."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from kbackend.declare.op import Op
from support.places import ROOT

sys.path.insert(0, str(ROOT / "docs" / "site"))
import pages  # the reference lists what is public

sys.path.pop(0)

#: the parts of a docstring that another name's may stand for, by the words of the sentence that says so
PARTS = {"argument": "args", "result": "returns", "error": "raises", "shape": "shapes", "source": "source"}
_ROLE = r":(?:func|class|meth):`[^`]+`"
#: "Arguments, result and errors as in :func:`max`", "the mean of :func:`f`; arguments as there"
_SENTENCE = re.compile(
    rf"((?:argument|result|error|shape|source)s?\b[^.:`;]*?)\b(?:as|are those)(?: in| of| those of)? "
    rf"(there\b|(?:{_ROLE}(?:, (?:and )?| and )?)+)",
    re.I,
)
_SHAPE = re.compile(
    r"\bshapes?\b|\bscalars?\b|\bvectors?\b|\bmatri(?:x|ces)\b|\bof rank\b"
    r"|\([\w*.\[\] /+-]+,[\w*.\[\] ,/+-]*\)"
)
_FORMULA = re.compile(r"[\w)|] ?(?:\*\*?|[-+/@<>]|==?) ?[\w(|]|\b(?:max|min|sum|exp|log|tanh|sqrt|sign|sigmoid|mean)\(")
_ERROR = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt|Warning|StopIteration)): \S", re.M)


@cache
def signature(value: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a function or class by name; none for the errors."""
    try:
        return dict(inspect.signature(value).parameters)
    except ValueError:
        return {}


class Docstring:
    """The sections of a docstring.

    Attributes:
        sections: "args", "returns", "raises", "shapes" or "source" -> its text.
        args: a name -> its description, as written: names divided by commas, "a, ..., c" for all from a to c.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        text = inspect.getdoc(value) or ""
        self.text = re.sub(r"^>>> .*?(?:\n\n|\Z)", "", text, flags=re.M | re.S)
        self.sections = {
            name: textwrap.dedent(found[1])
            for name in ("args", "returns", "raises")
            if (found := re.search(rf"^{name}:\n((?: .*\n|\n(?= ))+)", f"{self.text}\n", re.M | re.I))
        }
        for name in ("shapes", "source"):
            beginning = rf"(?:^|(?<=[.;] )|(?<=[.;]\n)){name}: "
            if found := re.search(rf"{beginning}(\S.*?)(?=\n\n|\Z)", self.text, re.M | re.S | re.I):
                self.sections[name] = found[1]
        self.args = dict(re.findall(r"^([*\w][\w*., ]*): +(.*(?:\n+ +.*)*)", self.sections.get("args", ""), re.M))

    def refers(self, part: str) -> list[Any]:
        """The objects whose docstrings stand for a part of this one's."""
        found = []
        flat = " ".join(self.text.split())
        for words, targets in _SENTENCE.findall(flat):
            if any(PARTS[w] == part for w in re.findall("|".join(PARTS), words.lower())):
                text = re.search(_ROLE, flat)[0] if targets == "there" else targets  # type: ignore[index]
                found += [resolve(t, self.value) for t in re.findall(r"`~?([^`]+)`", text)]
        if self.same:
            found += [resolve(self.same[1], self.value)]
        return found

    @property
    def same(self) -> re.Match[str] | None:
        """The name whose docstring stands for this one whole: ":func:`dice` as an object", "Another name of ..."."""
        flat = " ".join(self.text.split())
        as_object = re.match(r":\w+:`~?([^`]+)` as an object", flat)
        return as_object or re.search(r"[Aa]nother name of :\w+:`~?([^`]+)`", flat)


@cache
def read(value: Any) -> Docstring:
    """The docstring of an object."""
    return Docstring(value)


def resolve(path: str, value: Any) -> Any:
    """What a reference in the docstring of ``value`` leads to: a full path, or a name of its own public modules.

    Raises:
        LookupError: nothing public.
    """
    module, _, name = path.rpartition(".")
    if module and not (outer := module.rpartition("."))[2][:1].isupper():
        if name not in (found := pages.public(importlib.import_module(module))):
            raise LookupError(f"{path}, to which {value.__name__} refers, is no public name")
        return found[name]
    if module:  # a method
        return getattr(getattr(importlib.import_module(outer[0]), outer[2]), name)
    homes = [m for m in pages.MODULES if f"{value.__module__}.".startswith(f"{m}.")]
    for place in [*sorted(homes, key=len, reverse=True), "kbackend.ops", "kbackend.backend"]:
        if path in (found := pages.public(importlib.import_module(place))):
            return found[path]
    raise LookupError(f"{path!r}, to which {value.__name__} refers, is no public name")


@cache
def described(value: Any) -> set[str]:
    """The parameters that a docstring describes, itself or by the names it refers to, those of its base classes too."""
    doc, order = read(value), list(signature(value))
    found: set[str] = set()
    for key, text in doc.args.items():
        names = [n.strip().lstrip("*") for n in key.split(",")]
        for i, name in enumerate(names):
            if name == "..." and 0 < i < len(names) - 1 and {names[i - 1], names[i + 1]} <= set(order):
                found |= set(order[order.index(names[i - 1]) : order.index(names[i + 1])])
            elif name == "others":
                for target in re.findall(r":\w+:`~?([^`]+)`", text):
                    found |= described(resolve(target, value))
            else:
                found.add(name)
    for target in doc.refers("args"):
        found |= described(target)
    if inspect.isclass(value):
        for base in value.__mro__[1:]:
            if base.__module__.startswith("kbackend") and base.__doc__:
                found |= described(base)
    return found


def named(value: Any) -> set[str]:
    """The parameters that the section of arguments itself names."""
    names = [n.strip().lstrip("*") for key in read(value).args for n in key.split(",")]
    return set(names) - {"...", "others"}


def has_shapes(value: Any) -> bool:
    """Whether operands, results or a sentence on shapes say a shape, here or where the docstring refers to."""
    doc = read(value)
    texts = [doc.sections.get("returns", ""), *doc.args.values()]
    if "shapes" in doc.sections or any(_SHAPE.search(text) for text in texts):
        return True
    return any(has_shapes(v) for kind in ("shapes", "args", "returns") for v in doc.refers(kind))


def has(value: Any, part: str) -> bool:
    """Whether a docstring has a section, itself or where it refers to."""
    doc = read(value)
    return part in doc.sections or any(has(v, part) for v in doc.refers(part))


def is_refused(value: Any) -> bool:
    """Whether a docstring says that a call always fails."""
    return ": always" in read(value).sections.get("raises", "")


def defined(value: Any) -> bool:
    """Whether a docstring has the source of what it describes: a paper, a formula, or the name that has it."""
    doc = read(value)
    if has(value, "source") or any(_FORMULA.search(text) for text in re.findall(r"``([^`]+)``", doc.text)):
        return True
    summary = doc.text.partition("\n\n")[0]
    return any(defined(resolve(t, value)) for t in re.findall(r":(?:func|class):`~?([^`]+)`", summary))


def whole(value: Any) -> str:
    """The text of a docstring, and of those that it refers to for its arguments."""
    doc = read(value)
    return "\n".join([doc.text, *(whole(v) for v in doc.refers("args"))])


def errors(value: Any) -> set[str]:
    """The errors that a docstring describes."""
    doc = read(value)
    found = set(_ERROR.findall(doc.sections.get("raises", "")))
    return found.union(*(errors(v) for v in doc.refers("raises")))


def raised(value: Any) -> dict[str, set[str]]:
    """The errors that the code of a function, or the own methods of a class, raise by themselves, with their bases."""
    found: dict[str, set[str]] = {}
    for function in _functions(value):
        for name in _raises(_tree(function)):
            kind = getattr(function, "__globals__", {}).get(name)
            found[name] = {c.__name__ for c in kind.__mro__} if inspect.isclass(kind) else {name}
    return found


def raised_by_helpers(value: Any) -> set[str]:
    """The errors of the private functions that the code calls by name: which of them can happen depends on the call."""
    return {
        name
        for function in _functions(value)
        for helper in _helpers(_tree(function), function)
        for name in _raises(_tree(helper))
    }


def _functions(value: Any) -> Iterator[Callable[..., Any]]:
    if inspect.isclass(value):
        for name in ("__init__", "__call__", "build", "call", "compute_output_shape"):
            if inspect.isfunction(method := value.__dict__.get(name)):
                yield inspect.unwrap(method)
        return
    op = getattr(value, "op", None)
    found = op.function if isinstance(op, Op) else value
    while (inner := inspect.unwrap(found)) is not found:
        found = inner
    if inspect.isfunction(found):
        yield found


def _tree(function: Callable[..., Any]) -> ast.AST:
    code = function.__code__
    return _definitions(code.co_filename).get(code.co_firstlineno) or ast.Module([], [])


@cache
def _definitions(file: str) -> dict[int, ast.AST]:
    """The functions of a file by their first line, that of a decorator where there is one."""
    if not file.endswith(".py"):
        return {}
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {min(n.lineno, *(d.lineno for d in n.decorator_list), n.lineno): n for n in found}


def _raises(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name[:1].isupper():
                yield name


def _helpers(tree: ast.AST, function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    space = getattr(function, "__globals__", {})
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            helper = space.get(node.func.id)
            if inspect.isfunction(helper) and helper.__module__.startswith("kbackend") and helper is not function:
                if helper.__name__.startswith("_"):
                    yield helper
