"""A line on what a program does when it is made or first run for more than a second and nothing has been said.

In an interactive terminal the line goes to stderr; elsewhere it goes to the logger "kbackend" at the level INFO, so
that files and pipes hold only what was asked for. Where neither would show it, no timer runs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: seconds after which it is said
PATIENCE = 1.0


@contextmanager
def announced(name: str, engine: str) -> Iterator[None]:
    """A context for work on a program that may take long.

    Args:
        name: of the program.
        engine: the engine and device, as in messages.
    """
    interactive = _is_interactive()
    if not interactive and not _is_logged():
        yield
        return
    text = f"kbackend: making and first running the program {name} on {engine}, which may compile it; later runs do not"
    timer = threading.Timer(PATIENCE, _say, (text, interactive))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_interactive() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _is_logged() -> bool:
    """Whether the logger takes the level INFO, as it does not in a program that has not set up logging."""
    logging = sys.modules.get("logging")
    return logging is not None and logging.getLogger("kbackend").isEnabledFor(logging.INFO)


def _say(text: str, interactive: bool) -> None:
    if interactive:
        print(text, file=sys.stderr, flush=True)
    else:
        import logging

        logging.getLogger("kbackend").info(text)
