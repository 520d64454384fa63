"""Models that leave: as one readable program, or in a format of their engine."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from kbackend.ground.files import check_overwrite, path_of
from kbackend.plugin.discover import available_backends
from kbackend.plugin.exporting import Exporting, Leaving, NotExportable
from kbackend.plugin.select import get_backend
from kbackend.saving.export.lowered import ExportError, Lowered, lowered
from kbackend.saving.export.module import write_module

__all__ = ["ExportError", "export_model"]

#: the format of a program as a file of Python, which every engine has that can leave
PYTHON = "python"


def export_model(
    model: Any,
    path: str | os.PathLike[str],
    format: str | None = None,
    engine: str | None = None,
    overwrite: bool = True,
) -> None:
    """Write a model for use without kbackend.

    Other arguments and errors as :meth:`kbackend.Model.export`.

    Args:
        model: a Model or Sequential.

    >>> import pathlib, tempfile
    >>> from kbackend import Input, Model, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(2)(x))
    >>> from kbackend import saving
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.py")
    >>> saving.export_model(model, path, engine="numpy")
    >>> "def load(" in path.read_text()
    True
    """
    where = Path(path_of(path))
    format = format or (PYTHON if where.suffix == ".py" else None)
    if format is None:
        formats = ", ".join(_engines_by_format())
        raise ExportError(f"{where} needs a format, which is one of {formats}; a path that ends in .py has 'python'")
    engine = engine or _engine_for(format, model.engine.partition(":")[0])
    exporting = _exporting(engine, format)
    if format == PYTHON and (where.suffix != ".py" or not where.stem.isidentifier()):
        raise ExportError(f"a program must be a file that Python can import, such as model.py; it is {where.name!r}")
    check_overwrite(path, overwrite)
    made = lowered(model, engine, exporting.spelling.no_gradients)
    if format == PYTHON:
        write_module(made, exporting.spelling, where)
    else:
        _write_format(made, exporting, format, where)


def _write_format(made: Lowered, exporting: Exporting, format: str, path: Path) -> None:
    graph = made.emitted.graph
    inputs = {name: (t.shape, t.dtype) for name, t in zip(made.inputs, graph.inputs)}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.py"
        write_module(made, exporting.spellings.get(format, exporting.spelling), program)
        try:
            with _module(f"kbackend program {made.name}", program) as module:
                leaving = Leaving(made.name, module.load(), inputs, bool(made.updated))
                exporting.formats[format](leaving, str(path))
        except NotExportable as error:
            where = _line_of(error, program)
            raise ExportError(f"{error}; it failed in the line {where!r}" if where else str(error)) from error


@contextmanager
def _module(name: str, program: Path) -> Iterator[Any]:
    """A written program as a module that can be imported meanwhile: torch looks for the functions of loops there."""
    module = ModuleType(name)
    module.__file__ = str(program)
    sys.modules[name] = module
    try:
        exec(compile(program.read_text(), str(program), "exec"), vars(module))
        yield module
    finally:
        sys.modules.pop(name, None)  # two threads may export one name


def _line_of(error: BaseException | None, program: Path) -> str:
    """The line of a written program that an error comes from: its names tell the layer and the op."""
    while error is not None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(program)]
        said = f"{error}\n{getattr(error, 'trace', '')}"
        told = re.findall(rf'File "{re.escape(str(program))}", line (\d+), in \w+_predict', said)
        lines = [f.lineno or 0 for f in frames if f.name.endswith("_predict")] + [int(n) for n in told]
        if lines:
            return program.read_text().splitlines()[lines[0] - 1].strip()
        error = error.__cause__ or error.__context__
    return ""


def _exporting(engine: str, format: str) -> Exporting:
    """How an engine's programs leave in a format.

    Raises:
        ExportError: it has no such format; the message says which engines have.
    """
    found = get_backend(engine).exporting()
    if found is not None and (format == PYTHON or format in found.formats):
        return found
    known = _engines_by_format()
    if format not in known:
        raise ExportError(f"unknown format {format!r}; there are {', '.join(known)}")
    raise ExportError(f"{engine} has no format {format!r}; give engine={' or '.join(map(repr, known[format]))}")


def _engine_for(format: str, own: str) -> str:
    """The model's engine if it has a format, or the only one that has."""
    exporting = get_backend(own).exporting()
    if exporting is not None and (format == PYTHON or format in exporting.formats):
        return own
    engines = _engines_by_format().get(format, [])
    return engines[0] if len(engines) == 1 else own


def _engines_by_format() -> dict[str, list[str]]:
    """Format -> the installed engines that have it."""
    found: dict[str, list[str]] = {PYTHON: []}
    for name in available_backends():
        exporting = get_backend(name).exporting()
        for format in (PYTHON, *exporting.formats) if exporting else ():
            found.setdefault(format, []).append(name)
    return found
