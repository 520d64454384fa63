"""The command ``kbackend``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import kbackend
from kbackend.tools.commands import COMMANDS
from kbackend.tools.completion import SHELLS, script

_FOLDER = "kbackend.tools.commands"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    It is 0 for success, 1 where a command found what it looks for (engines that differ, a test that fails) and 2 for
    mistakes, such as a file that is missing or an engine that is not installed; these are one message on stderr.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:  # an interrupt may come while a command is imported
        parser = _parser(next((a for a in arguments if not a.startswith("-")), None))
        options = parser.parse_args(arguments)
        if options.print_completion:
            print(script(_parser(*COMMANDS), options.print_completion))
            return 0
        if options.command is None:
            parser.print_help()
            return 2
        return _module(options.command).run(options)
    except BrokenPipeError:  # the reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it flushes
        return 0
    except (RuntimeError, ValueError, OSError, ImportError, IndexError) as error:  # the last of data out of range
        print(f"kbackend: {_message(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _message(error: Exception) -> str:
    """The text of an error; of one of the system with the file first and without its number."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return str(error)


def _module(name: str) -> Any:
    return importlib.import_module(f"{_FOLDER}.{name}")


def _parser(*called: str | None) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of those that are called, so that no other is imported."""
    parser = argparse.ArgumentParser(
        prog="kbackend",
        description="One neutral graph, run by any engine.",
        epilog="kbackend COMMAND --help explains a command. Exit codes: 0, 1 for something found (engines that differ, "
        "tests that fail), 2 for mistakes.",
    )
    parser.add_argument("--version", action="version", version=f"kbackend {kbackend.__version__}")
    parser.add_argument(
        "--print-completion", choices=SHELLS, help="print the script that completes commands in a shell"
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name in called:
            _module(name).add_arguments(command)
    return parser
