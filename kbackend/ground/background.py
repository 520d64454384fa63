"""Files written in a thread beside the steps of a training."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs functions one after the other in a thread. While one runs, one more waits: the last that was given.

    >>> written = []
    >>> beside = Background()
    >>> beside.put(lambda: written.append("a file"))
    >>> beside.wait()
    >>> written
    ['a file']
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._next: Callable[[], object] | None = None
        self._error: Exception | None = None

    def put(self, function: Callable[[], object]) -> None:
        """Run a function now, or after the one that runs, in place of one that waits."""
        with self._lock:
            self._next = function
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="kbackend-checkpoint")
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                function, self._next = self._next, None
                if function is None:
                    self._thread = None
                    return
            try:
                function()
            except Exception as error:
                self._error = error

    def error(self) -> Exception | None:
        """What a function has raised since the last call, None for nothing."""
        error, self._error = self._error, None
        return error

    def wait(self) -> None:
        """Wait until nothing runs or waits."""
        thread = self._thread
        if thread is not None:
            thread.join()
