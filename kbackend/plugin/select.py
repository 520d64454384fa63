"""Which engine and device run now: environment, config file, ``set_backend``, ``use_backend``, ``K.device``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

from kbackend import config
from kbackend.ground.active import active as _active
from kbackend.ground.active import process_target as _process_target
from kbackend.plugin import modes, precision
from kbackend.plugin.contract import Backend, Target
from kbackend.plugin.discover import BackendError, available_backends, backend_of_module, declared, load
from kbackend.plugin.threads import setting


class DeviceError(BackendError):
    """The device that was asked for does not exist for this engine."""


_targets: dict[tuple[str, str], Target] = {}
_loaded: dict[str, Backend] = {}
_default: dict[str, str | None] = {"backend": None, "device": None}
#: whether ``KBACKEND=auto:fastest`` chose the backend of the process
fastest_wanted = [False]
_inside: ContextVar[tuple[str | None, str | None]] = ContextVar("kbackend_inside", default=(None, None))


def get_backend(name: str) -> Backend:
    """The loaded backend of that name."""
    if name not in _loaded:
        backend = load(name)
        modes.prepare(backend)
        precision.prepare(backend)
        setting.prepare(backend)
        _loaded[name] = backend
    return _loaded[name]


def target(name: str, device: str | None = None) -> Target:
    """The target for a backend and a device ("cpu", "cuda", "cuda:1"; None: the backend's first choice).

    Raises:
        BackendError: the backend is unknown or missing.
        DeviceError: the device is not there; the message lists those that are.
    """
    backend = get_backend(name)
    found = backend.default_device() if device is None else _checked_device(backend, device)
    key = (name, found)
    if key not in _targets:
        _targets[key] = Target(backend, found)
    return _targets[key]


def _checked_device(backend: Backend, device: str) -> str:
    found = _device_of(backend, device)
    if found is None:
        known = ", ".join(backend.devices())
        raise DeviceError(f"the backend {backend.name} has no device {device!r}; it has {known}")
    return found


def _device_of(backend: Backend, device: str) -> str | None:
    """The backend's own name of a device, None where it has no such device."""
    wanted = {"gpu": "cuda"}.get(device, device)
    devices = backend.devices()
    return next((name for name in (wanted, f"{wanted}:0") if name in devices), None)


def active_target() -> Target:
    """The engine and device that concrete calls and programs use now."""
    found = _active.get() or _process_target[0]
    return found if found is not None else _resolve()


def models_choose() -> bool:
    """Whether a model is to run on the engine that was measured to be its fastest: ``KBACKEND=auto:fastest``, and no
    call has chosen another since."""
    return fastest_wanted[0] and _default["backend"] is None and _active.get() is None


def known_target() -> Target | None:
    """What :func:`active_target` gives, or None where it would load an engine first."""
    return _active.get() or _process_target[0]


def _resolve() -> Target:
    name_inside, device_inside = _inside.get()
    name = name_inside or _default["backend"] or _chosen_name()
    found = target(name, device_inside or _preferred_device(name, strict=name_inside is None))
    if (name_inside, device_inside) == (None, None):
        _process_target[0] = found
    return found


def _preferred_device(name: str, strict: bool) -> str | None:
    """The device chosen for the process. It was chosen for the process's own backend: one that is used for a while
    (as NumPy is for initial weights) takes it only if it has it."""
    device = _default["device"] or os.environ.get("KBACKEND_DEVICE") or config.read_config_file().get("device")
    if device is not None and not strict and _device_of(get_backend(name), device) is None:
        return None
    return device


def _chosen_name() -> str:
    wanted = os.environ.get("KBACKEND")
    source = "the environment variable KBACKEND"
    if not wanted:
        wanted = config.read_config_file().get("backend")
        source = str(config.config_path())
    fastest_wanted[0] = wanted == "auto:fastest"
    if wanted and wanted not in ("auto", "auto:fastest"):
        if wanted not in declared():
            raise BackendError(
                f"{source} asks for the unknown backend {wanted!r}; available are {', '.join(available_backends())}"
            )
        return wanted
    names = available_backends()
    if not names:
        raise BackendError("no backend is installed; reinstall kbackend: pip install kbackend")
    return names[0]


def backend() -> str:
    """The name of the active backend.

    >>> import kbackend
    >>> with kbackend.use_backend("numpy"):
    ...     kbackend.backend()
    'numpy'
    """
    return active_target().backend.name


def device_name() -> str:
    """The active device, such as 'cpu' or 'cuda:0'."""
    return active_target().device


def set_backend(name: str) -> None:
    """Make ``name`` the backend of the process.

    Args:
        name: one of :func:`kbackend.available_backends`.

    Raises:
        BackendError: unknown, or its engine is not installed; the message has the install command.

    >>> import kbackend
    >>> try:
    ...     kbackend.set_backend("theano")
    ... except RuntimeError as error:
    ...     print(str(error).partition(";")[0])
    unknown backend 'theano'
    """
    backend = get_backend(name)
    _default["backend"] = name
    if _default["device"] is not None and _device_of(backend, _default["device"]) is None:
        _default["device"] = None
    _process_target[0] = None


def set_device(device: str | None) -> None:
    """Make ``device`` ("cpu", "cuda", "cuda:1") the device of the process; None: the backend's first choice.

    Args:
        device: a name of the engine for a device.

    Raises:
        DeviceError: the active backend has no such device; the message lists those that it has.

    >>> import kbackend
    >>> kbackend.set_device("cpu")
    >>> kbackend.set_device(None)
    """
    checked = target(active_target().backend.name, device).device
    _default["device"] = None if device is None else checked
    _process_target[0] = None


class _Inside:
    """A context in which another backend or device is active, for this thread or task only."""

    def __init__(self, backend_name: str | None, device: str | None) -> None:
        self._wanted = (backend_name, device)
        self._tokens: list[tuple[Token[Any], Token[Any]]] = []

    def __enter__(self) -> str:
        name, device = self._wanted
        old_name, old_device = _inside.get()
        merged = (name or old_name, device if name else device or old_device)
        where = _inside.set(merged)
        try:
            found = _resolve()
        except Exception:
            _inside.reset(where)
            raise
        self._tokens.append((where, _active.set(found)))
        return found.backend.name if name else found.device

    def __exit__(self, *exc: Any) -> None:
        where, active = self._tokens.pop()
        _active.reset(active)
        _inside.reset(where)


def use_backend(name: str, device: str | None = None) -> _Inside:
    """A context manager in which ``name`` is the active backend.

    Args:
        name: as :func:`kbackend.set_backend` takes it; a mistake is reported when the context is entered.
        device: as :func:`kbackend.set_device` takes it; the first choice of the backend when None.

    >>> import kbackend
    >>> from kbackend import K
    >>> with kbackend.use_backend("numpy"):
    ...     float(K.tanh(0.0))
    0.0
    """
    return _Inside(name, device)


def device(name: str) -> _Inside:
    """A context manager in which ``name`` is the active device ("cpu", "cuda", "cuda:1").

    Args:
        name: the device, as :func:`kbackend.set_device` takes it.

    >>> from kbackend import K
    >>> with K.device("cpu"):
    ...     x = K.tanh(0.0)
    >>> float(x)
    0.0
    """
    return _Inside(None, name)


@contextmanager
def use_target(wanted: Target) -> Iterator[Target]:
    """A context in which exactly this target is active; the conformance kit runs changed copies of backends so."""
    token = _active.set(wanted)
    try:
        yield wanted
    finally:
        _active.reset(token)


def owner_of(value: Any) -> Backend | None:
    """The backend whose tensor ``value`` is; it is loaded where its engine was imported and it was not."""
    for loaded in _loaded.values():
        if loaded.is_tensor(value):
            return loaded
    module = type(value).__module__
    name = None if module == "builtins" else backend_of_module(module)
    if name is None or name in _loaded:
        return None
    found = get_backend(name)
    return found if found.is_tensor(value) else None
