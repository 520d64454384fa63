"""Python's garbage collector, at rest while many objects are made that stay."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_resting = 0
_was_on = False


@contextmanager
def collector_at_rest(lasting: bool = False) -> Iterator[None]:
    """A context without garbage collection, in all threads.

    Nodes and programs are made by the thousand and stay, and the collector visits all objects of the process each time
    their number has grown by a quarter. It is on again when the last of the contexts ends, if it was before the first.

    Args:
        lasting: what is made stays to the end of the process, as modules do. It is made old without a visit, which the
            next collection of young objects would pay for all of it.

    >>> with collector_at_rest():
    ...     gc.isenabled()
    False
    """
    global _resting, _was_on
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if lasting and not gc.get_freeze_count():  # of a program that froze objects itself, none is thawed
                gc.freeze()
                gc.unfreeze()  # to the oldest generation
            if not _resting and _was_on:
                gc.enable()
