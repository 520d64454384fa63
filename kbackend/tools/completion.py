"""Completion of the command line in shells, written by shtab."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that teaches a shell the commands of a parser, and to complete names of files.

    Raises:
        RuntimeError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise RuntimeError("completion is written by shtab: pip install 'kbackend[completion]'") from None
    from kbackend.tools.arguments import file_name  # which imports more than a call of another command needs

    for action in _actions(parser):
        if action.type is file_name:
            action.complete = shtab.FILE
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> list[Any]:
    found: list[Any] = []
    for action in parser._actions:
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found += _actions(command)
    return found
