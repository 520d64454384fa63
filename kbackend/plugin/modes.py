"""Modes of the process: whose bits draws get, and whether kernels must give the same bits in every run.

Order of precedence: a call in the program, an environment variable, the config file, the default. A mode is remembered
without an engine, reaches each engine when that is loaded, and holds for programs made before it was chosen.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from kbackend import config

if TYPE_CHECKING:
    from kbackend.plugin.contract import Backend

PORTABLE, NATIVE = RNGS = ("portable", "native")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


class NotDeterministicError(RuntimeError):
    """Deterministic kernels were asked for and an op has none.

    Attributes:
        op: the name of the op, None where the engine does not tell.
        node: the name of its node, None for a concrete call.
        reason: what the engine says.
    """

    def __init__(self, message: str, op: str | None, node: str | None, reason: str) -> None:
        super().__init__(message)
        self.op, self.node, self.reason = op, node, reason


class _Modes:
    """The modes; programs are kept by ``key``, since other modes make other programs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.rng = PORTABLE
        self.deterministic = False
        self.key = ""
        self.loaded: dict[str, Backend] = {}
        self.switched: set[str] = set()
        self._read = False

    def read(self) -> _Modes:
        """Take the environment and the config file into account, once."""
        if not self._read:
            with self.lock:
                if not self._read:
                    file = config.read_config_file()
                    self.rng = _rng_setting(file)
                    self.deterministic = _deterministic_setting(file)
                    self._read = True
                    self.update()
        return self

    def update(self) -> None:
        self.key = " ".join(
            [NATIVE] * (self.rng == NATIVE) + ["deterministic"] * self.deterministic,
        )
        config.changes[0] += 1

    def switch(self, backend: Backend, on: bool) -> None:
        """Tell an engine; one that was never told to be deterministic is left as its user has it."""
        if on != (backend.name in self.switched):
            backend.set_deterministic(on)
            (self.switched.add if on else self.switched.discard)(backend.name)


modes = _Modes()


def prepare(backend: Backend) -> None:
    """Bring a backend that was just loaded into the modes of the process."""
    with modes.read().lock:
        modes.loaded[backend.name] = backend
        modes.switch(backend, modes.deterministic)


# ------------------------------------------------------------------------------------- determinism


def set_deterministic(on: bool = True) -> None:
    """Demand that two runs on one engine agree bit for bit: engines use deterministic kernels only, and all programs
    the same number of threads, on which the order of sums depends (:func:`kbackend.set_threads`, else all).

    No engine is imported: the choice reaches each when it is loaded, and those that are loaded at once. An op that has
    no deterministic kernel raises :class:`NotDeterministicError` when it runs. ``KBACKEND_DETERMINISTIC=1`` and
    ``"deterministic": true`` in the config file do the same. On CUDA cuBLAS needs the variable
    ``CUBLAS_WORKSPACE_CONFIG``, which is set here if it is not; it has no effect once cuBLAS has run.

    Args:
        on: False takes the demand back.

    Raises:
        RuntimeError: ``on`` is False and TensorFlow was made deterministic, which cannot be undone in a process.

    >>> import kbackend
    >>> kbackend.is_deterministic()
    False
    """
    on = bool(on)
    with modes.read().lock:
        final = [] if on else sorted(n for n in modes.switched if modes.loaded[n].deterministic_for_good)
        if final:
            raise RuntimeError(
                f"the engine of the backend {', '.join(final)} was made deterministic and cannot be switched back in "
                "this process; start another one"
            )
        for backend in modes.loaded.values():
            modes.switch(backend, on)
        modes.deterministic = on
        modes.update()


def is_deterministic() -> bool:
    """Whether deterministic kernels are demanded; see :func:`set_deterministic`.

    >>> import kbackend
    >>> kbackend.is_deterministic()
    False
    """
    return modes.read().deterministic


def reason_of(error: BaseException, backend: Backend) -> str | None:
    """What the engine says when the error is that a kernel is not deterministic, else None."""
    if not modes.deterministic or isinstance(error, NotDeterministicError):
        return None
    return backend.nondeterminism(error)


def refusal(subject: str, where: str, op: str | None, node: str | None, reason: str) -> NotDeterministicError:
    """The error for an op without deterministic kernel."""
    return NotDeterministicError(
        f"{subject} has no deterministic kernel on {where}: {reason.rstrip('. ')}. Use another op or another engine, "
        "or call kbackend.set_deterministic(False)",
        op,
        node,
        reason,
    )


# ------------------------------------------------------------------------------------- draws


def set_rng(kind: str) -> None:
    """Choose whose random numbers programs draw.

    Args:
        kind: "portable" (the default): one stream, the same bits on every engine. "native": the engine's own generator,
            seeded by :func:`kbackend.set_seed`; the bits differ from engine to engine. Initial values of weights and
            the order of batches stay portable.

    ``KBACKEND_RNG=native`` and ``"rng": "native"`` in the config file do the same. Functions and models make a program
    for each kind when they need it; a ``fit`` that runs keeps its kind.

    Raises:
        ValueError: another kind.

    >>> import kbackend
    >>> kbackend.rng()
    'portable'
    """
    checked = _checked_rng(kind, "the kind of random numbers")
    with modes.read().lock:
        modes.rng = checked
        modes.update()


def rng() -> str:
    """Whose random numbers programs draw: "portable" or "native"; see :func:`set_rng`.

    >>> import kbackend
    >>> kbackend.rng()
    'portable'
    """
    return modes.read().rng


def rng_of(backend: Backend) -> str:
    """Whose random numbers programs draw on a backend; one without native kernels draws portable ones."""
    return NATIVE if modes.read().rng == NATIVE and backend.native_kernels else PORTABLE


def _checked_rng(kind: Any, what: str) -> str:
    if kind not in RNGS:
        raise ValueError(f"{what} must be 'portable' or 'native', not {kind!r}")
    return str(kind)


def _rng_setting(file: dict[str, Any]) -> str:
    wanted = os.environ.get("KBACKEND_RNG")
    if wanted:
        return _checked_rng(wanted.lower(), "the environment variable KBACKEND_RNG")
    return _checked_rng(file.get("rng", PORTABLE), f"'rng' in {config.config_path()}")


def _deterministic_setting(file: dict[str, Any]) -> bool:
    wanted = os.environ.get("KBACKEND_DETERMINISTIC")
    if wanted is not None:
        if wanted.lower() not in _TRUE + _FALSE:
            raise ValueError(f"the environment variable KBACKEND_DETERMINISTIC must be 1 or 0, not {wanted!r}")
        return wanted.lower() in _TRUE
    found = file.get("deterministic", False)
    if not isinstance(found, bool):
        raise ValueError(f"'deterministic' in {config.config_path()} must be true or false, not {found!r}")
    return found
