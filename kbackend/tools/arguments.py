"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kbackend.plugin.discover import available_backends, check_installed


def positive(text: str) -> int:
    """A number that is at least 1, as the ``type`` of an argument."""
    return _at_least(1, text, "is not positive")


def not_negative(text: str) -> int:
    """A number that is at least 0, as the ``type`` of an argument."""
    return _at_least(0, text, "is negative")


def _at_least(least: int, text: str, complaint: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no integer") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"{number} {complaint}")
    return number


def file_name(text: str) -> Path:
    """A path, as the ``type`` of an argument. An empty text would be the working directory as a ``Path``."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return Path(text)


def engine_names(given: Sequence[str] | None) -> list[str]:
    """Names of engines that were divided by blanks or commas."""
    return [name for text in given or () for name in text.split(",") if name]


def checked_engines(given: Sequence[str] | None) -> list[str]:
    """The engines that were named, all that are installed where none was.

    Raises:
        BackendError: one is unknown or not installed; the message says how to install it.
        ValueError: no name in what was given.
    """
    names = engine_names(given)
    if given and not names:
        raise ValueError("no engine is named; installed are " + ", ".join(available_backends()))
    for name in names:
        check_installed(name)
    return names or available_backends()
