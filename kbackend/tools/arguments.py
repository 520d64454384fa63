"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from kbackend.plugin.discover import available_backends, check_installed


def positive(text: str) -> int:
    """A number that is at least 1, as the ``type`` of an argument."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def engine_names(given: Sequence[str] | None) -> list[str]:
    """Names of engines that were divided by blanks or commas."""
    return [name for text in given or () for name in text.split(",") if name]


def checked_engines(given: Sequence[str] | None) -> list[str]:
    """The engines that were named, all that are installed where none was.

    Raises:
        BackendError: one is unknown or not installed; the message says how to install it.
    """
    names = engine_names(given)
    for name in names:
        check_installed(name)
    return names or available_backends()
