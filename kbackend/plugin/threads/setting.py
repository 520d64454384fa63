"""The number of threads that the user chose: a number for all programs, or "auto", which measures it for each.

Order of precedence: a call in the program, an environment variable, the config file, the default. The choice is
remembered without an engine and reaches each engine when that is loaded, as modes do (:mod:`kbackend.plugin.modes`).
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Literal

from kbackend import config
from kbackend.ground.warn import warn_caller
from kbackend.plugin.threads.cores import usable

if TYPE_CHECKING:
    from kbackend.plugin.contract import Backend

AUTO: Literal["auto"] = "auto"


class _Setting:
    """The choice; ``config.changes`` tells programs of a new one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wanted: int | Literal["auto"] | None = None  # not read yet
        self.loaded: list[Backend] = []
        #: the number that an engine had of its own, by name
        self.own: dict[str, int] = {}
        #: whether this is the child of a fork, where an engine may lack the threads of its parent
        self.forked = False

    def read(self) -> int | Literal["auto"]:
        if self.wanted is None:
            self.wanted = _from_outside()
        return self.wanted


_setting = _Setting()


def set_threads(number: int | Literal["auto"]) -> None:
    """Choose how many threads an engine's kernels use on the processor.

    ``KBACKEND_THREADS=1`` and ``"threads": 1`` in the config file do the same.

    Args:
        number: "auto" (the default): one thread or all are measured in the first steps of each program, and again when
            its steps become several times slower. A number of 1 or more: this number, and nothing is measured. It is
            lowered to the number of cores that the process may use.

    TensorFlow takes a number before it is loaded only, and with "auto" its own number of threads.

    Raises:
        ValueError: neither "auto" nor an integer of 1 or more.

    >>> import kbackend
    >>> kbackend.threads()
    'auto'
    """
    checked = _checked(number, "the number of threads")
    with _setting.lock:
        before, _setting.wanted = _setting.read(), checked
        config.changes[0] += 1
        for backend in _setting.loaded:
            _tell(backend, before)


def threads() -> int | Literal["auto"]:
    """What :func:`set_threads` chose for this process: a number, or "auto".

    >>> import kbackend
    >>> kbackend.threads()
    'auto'
    """
    return _setting.read()


def prepare(backend: Backend) -> None:
    """Bring a backend that was just loaded to the chosen number."""
    with _setting.lock:
        _setting.loaded.append(backend)
        if backend.threads_scope == "start":
            _start(backend)
        else:
            _tell(backend, AUTO)


def own(backend: Backend) -> int:
    """The engine's own number: what it had when kbackend first needed to know."""
    found = _setting.own.get(backend.name)
    if found is None:
        with _setting.lock:
            found = _setting.own.setdefault(backend.name, backend.threads())
    return found


def most(backend: Backend) -> int:
    """The threads that programs of the backend use at most: those that the user chose or else the engine's own, and
    never more than there are cores."""
    wanted = _setting.read()
    if usable() == 1:
        return 1
    if wanted == AUTO or _setting.forked:
        return min(own(backend), usable(), usable() if wanted == AUTO else wanted)
    return min(wanted, usable())


def plan_key() -> tuple[Any, ...]:
    """What a program's number of threads depends on besides measurements."""
    return _setting.read(), _setting.forked, usable()


def _tell(backend: Backend, before: int | Literal["auto"]) -> None:
    """Set the engine's number outside programs too, or set it back."""
    wanted = _setting.read()
    if wanted == before or backend.threads_scope is None:
        return
    if backend.threads_scope == "start":
        if wanted != AUTO and min(wanted, usable()) != backend.threads():
            _warn(backend)
        return
    own(backend)
    backend.set_threads(most(backend) if wanted != AUTO else own(backend))


def _warn(backend: Backend) -> None:
    warn_caller(
        f"the engine of the backend {backend.name} has started with {backend.threads()} threads and keeps them; choose "
        "the number before it is loaded"
    )


def _start(backend: Backend) -> None:
    wanted = _setting.read()
    number = usable() if wanted == AUTO else min(wanted, usable())
    if number < backend.threads() or wanted != AUTO and number != backend.threads():
        backend.set_threads(number)
        if backend.threads() != number:
            _warn(backend)


def _from_outside() -> int | Literal["auto"]:
    wanted = os.environ.get("KBACKEND_THREADS")
    if wanted:
        number = int(wanted) if wanted.isascii() and wanted.isdigit() else wanted.lower()
        return _checked(number, "the environment variable KBACKEND_THREADS")
    return _checked(config.read_config_file().get("threads", AUTO), f"'threads' in {config.config_path()}")


def _checked(number: Any, what: str) -> int | Literal["auto"]:
    if number == AUTO:
        return AUTO
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"{what} must be 'auto' or an integer of 1 or more, not {number!r}")
    return number


def _in_child() -> None:
    """After a fork the engine says again how many threads it has: torch has one, since the others are gone."""
    _setting.own.clear()
    _setting.forked = True
    _setting.lock = threading.RLock()  # another thread of the parent may have held it
    config.changes[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


__all__ = ["AUTO", "most", "own", "plan_key", "prepare", "set_threads", "threads"]
