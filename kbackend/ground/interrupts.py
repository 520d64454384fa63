"""Interrupts that wait until an update of variables is complete."""

from __future__ import annotations

import signal
import threading
from typing import Any

try:  # the same functions without conversions of enums, which take ten times as long
    from _signal import getsignal  # type: ignore[import-not-found]
    from _signal import signal as set_handler
except ImportError:
    from signal import getsignal
    from signal import signal as set_handler

_SIGINT = int(signal.SIGINT)
_main = threading.main_thread().ident
_held: list[list[Any]] = []


def hold_interrupts() -> None:
    """Let SIGINT wait for :func:`release_interrupts`. Nothing happens in threads other than the main one, which gets
    none, and where the handler is not Python's."""
    if threading.get_ident() == _main and not _held:
        handler = getsignal(_SIGINT)
        if callable(handler):
            waiting: list[Any] = [handler]
            set_handler(_SIGINT, lambda *arrived: waiting.append(arrived))
            _held.append(waiting)


def release_interrupts() -> None:
    """Call the handler if an interrupt came since :func:`hold_interrupts`."""
    if _held and threading.get_ident() == _main:
        waiting = _held.pop()
        set_handler(_SIGINT, waiting[0])
        for arrived in waiting[1:2]:
            waiting[0](*arrived)
