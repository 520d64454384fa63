"""The command ``kbackend``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

import kbackend
from kbackend.tools.commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    It is 0 for success, 1 where a command found what it looks for (engines that differ, a test that fails) and 2 for
    wrong usage, such as a file that is missing or an engine that is not installed.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser(arguments)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return importlib.import_module(f"{_FOLDER}.{options.command}").run(options)
    except (RuntimeError, ValueError, OSError, ImportError) as error:
        print(f"kbackend: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


_FOLDER = "kbackend.tools.commands"


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of the one that is called, so that no other is imported."""
    parser = argparse.ArgumentParser(prog="kbackend", description="One neutral graph, run by any engine.")
    parser.add_argument("--version", action="version", version=f"kbackend {kbackend.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    called = next((a for a in arguments if not a.startswith("-")), None)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == called:
            importlib.import_module(f"{_FOLDER}.{name}").add_arguments(command)
    return parser
