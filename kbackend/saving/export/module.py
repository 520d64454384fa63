"""A model as one Python file that needs its engine and safetensors alone, and a file of its weights."""

from __future__ import annotations

import ast
import string
import sys
from pathlib import Path
from typing import Any

from kbackend.graph.variable import values_of
from kbackend.ground.files import write_atomically
from kbackend.plugin.exporting import Spelling
from kbackend.saving.export.definitions import Unwritable
from kbackend.saving.export.layout import formatted, lines_of, named, with_names
from kbackend.saving.export.lowered import ExportError, Lowered
from kbackend.saving.export.written import CONSTANTS, Definition, Writing
from kbackend.saving.tensors import stored

#: names in every file
_TAKEN = {"INPUTS", "WEIGHTS", "UPDATED", CONSTANTS, "Model", "load", "load_file", "Path"}


def write_module(made: Lowered, spelling: Spelling, path: Path) -> None:
    """Write the program and its weights, each at once.

    Raises:
        ExportError: a kernel that cannot be written out.
    """
    text, arrays = module_text(made, spelling)
    values = dict(zip(made.weights, values_of(list(made.weights.values()))))
    write_atomically(path.with_suffix(".safetensors"), stored({**values, **arrays}))
    write_atomically(path, text.encode())


def module_text(made: Lowered, spelling: Spelling) -> tuple[str, dict[str, Any]]:
    """The text of the file, and the large constants by name."""
    backend = made.target.backend
    packages = {"kbackend", type(backend).__module__.partition(".")[0]}
    writing = Writing(spelling, packages, made.functions())
    try:
        program = writing.expression(made.emitted.function, made.name)
        extras = {name: writing.expression(value, name) for name, value in spelling.extras.items()}
    except Unwritable as error:
        raise ExportError(f"{made.name} cannot be written for {backend.name}: {error}") from error
    taken = {*_TAKEN, *(alias for _, _, alias in writing.imports), *spelling.modules}
    names = named(writing.definitions, taken)
    blocks = [lines_of(d, with_names(d, names)) for d in writing.definitions]
    blocks = _joined(writing.definitions, blocks)
    filled = {name: names[ast.unparse(expr)] for name, expr in {"program": program, **extras}.items()}
    kept = f"{CONSTANTS}.update((name, value) for name, value in arrays.items() if name not in WEIGHTS)\n    "
    loader = string.Template(spelling.loader.strip()).substitute(filled, constants=kept if writing.stored else "")
    head = [*_imports(writing.imports, spelling), "", *_tables(made, spelling, bool(writing.stored))]
    text = "\n\n\n".join(["\n".join(head), *("\n".join(block) for block in blocks), loader])
    return f'"""{_title(made)}"""\n\n{text}\n', writing.stored


def _title(made: Lowered) -> str:
    graph, backend = made.emitted.graph, made.target.backend
    takes = [f"    {name}: {t.spec}" for name, t in zip(made.inputs, graph.inputs)]
    gives = [f"    {t.spec}" for t in graph.outputs]
    return "\n".join([
        f"The model {made.name} for {backend.name} {backend.version()}, written by kbackend. It takes", "", *takes, "",
        "and gives", "", *gives, "",
        "where ? is any size. load() makes it, with the weights of the .safetensors file beside this one.",
        "",
    ])  # fmt: skip


def _imports(found: set[tuple[str, str, str]], spelling: Spelling) -> list[str]:
    """Import statements as isort sorts them."""
    always = {(spelling.modules[alias], "", alias) for alias in spelling.always}
    named = {("pathlib", "Path", "Path"), (spelling.loads, "load_file", "load_file")}
    plain: tuple[list[str], list[str]] = ([], [])
    lists: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    for module, name, alias in sorted(found | always | named):
        outside = module.partition(".")[0] not in sys.stdlib_module_names
        if name:
            lists[outside].setdefault(module, []).append(name)
        else:
            here = module == alias or module.startswith(f"{alias}.")
            plain[outside].append(f"import {module}" if here else f"import {module} as {alias}")
    lines = [[*p, *(f"from {m} import {', '.join(n)}" for m, n in f.items())] for p, f in zip(plain, lists)]
    return [*lines[0], "", *lines[1]]


def _tables(made: Lowered, spelling: Spelling, constants: bool) -> list[str]:
    graph = made.emitted.graph
    inputs = [f"    {n!r}: {spelling.input(t.shape, t.dtype)}," for n, t in zip(made.inputs, graph.inputs)]
    lines = ["#: name of an input -> what it must be", "INPUTS = {", *inputs, "}"]
    weights = [f"    {name!r}: {v.trainable},  # {v.spec}" for name, v in made.weights.items()]
    lines += ["#: name of a weight -> whether it is trained"]
    lines += ["WEIGHTS = {", *weights, "}"] if weights else ["WEIGHTS = {}"]
    lines += ["#: the weights that a prediction changes", *formatted(f"UPDATED = {tuple(made.updated)!r}")]
    return lines + (["#: large constants, which load() reads", f"{CONSTANTS} = {{}}"] if constants else [])


def _joined(definitions: list[Definition], blocks: list[list[str]]) -> list[list[str]]:
    """Assignments beside each other as one block."""
    found: list[list[str]] = []
    before = False
    for definition, block in zip(definitions, blocks):
        assigned = isinstance(definition.node, ast.Assign)
        if assigned and before:
            found[-1] += block
        else:
            found.append(list(block))
        before = assigned
    return found
