"""Run a program of Keras 1 or 2 as Python runs a script, with the hook installed."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType, TracebackType

import kbackend
from kbackend import compat
from kbackend.compat.reported import KNOWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``kbackend run`` and ``python -m kbackend.compat``."""
    parser.add_argument("--backend", metavar="E", help="the engine; KBACKEND or the first installed one otherwise")
    parser.add_argument("--report-backend", choices=KNOWN, help="what K.backend() answers; the engine otherwise")
    parser.add_argument("--tf-keras", action="store_true", help="whether tensorflow.keras means kbackend too")
    parser.add_argument("script", help="a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv")
    parser.set_defaults(run=run_command)


def run_command(options: argparse.Namespace) -> int:
    """Run the script of parsed arguments; see :func:`run`."""
    if not options.script:
        raise ValueError("the name of the script is empty")
    if options.backend is not None:
        kbackend.set_backend(options.backend)
    return run(options.script, options.arguments, options.report_backend, options.tf_keras)


def run(
    script: str, arguments: Sequence[str] = (), report_backend: str | None = None, tf_keras: bool = False
) -> int:
    """Run a script as ``__main__``; an error that it does not catch is printed as Python prints it.

    Args:
        script: the path of a Python file.
        arguments: the rest of ``sys.argv``.
        report_backend, tf_keras: see :func:`kbackend.compat.install`.

    Returns:
        The exit status: 0, 1 after an error, 130 after an interrupt.

    Raises:
        OSError: there is no such file.
        SystemExit: the script raised it.
    """
    with io.open_code(os.path.abspath(script)) as file:
        source = file.read()
    module = ModuleType("__main__")
    vars(module).update(__file__=script, __builtins__=__builtins__)
    with _as_main(module, [script, *arguments]):
        compat.install(report_backend, tf_keras)
        try:
            exec(compile(source, script, "exec", dont_inherit=True), vars(module))
        except SystemExit:
            raise
        except BaseException as error:
            error.__traceback__ = _of_script(error.__traceback__)
            sys.excepthook(type(error), error, error.__traceback__)
            return 130 if isinstance(error, KeyboardInterrupt) else 1
        finally:
            compat.uninstall()
    return 0


def _of_script(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frame of :func:`run`."""
    return traceback.tb_next if traceback is not None else None


@contextmanager
def _as_main(module: ModuleType, argv: Sequence[str]) -> Iterator[None]:
    """A context in which a module is ``__main__`` of a program with arguments, and its folder comes first in
    ``sys.path``."""
    before = sys.modules["__main__"], sys.argv, list(sys.path)
    sys.modules["__main__"], sys.argv = module, list(argv)
    sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = before[:2]
        sys.path[:] = before[2]


__all__ = ["add_arguments", "run"]
