"""Finding backends: entry points of the group ``kbackend.backends``, read by name and loaded on use."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from kbackend.ground import hooks
from kbackend.plugin import memory
from kbackend.plugin.contract import Backend, PluginError, validate

GROUP = "kbackend.backends"
PREFERENCE = ("torch", "tensorflow", "numpy")


class BackendError(RuntimeError):
    """The backend that was asked for is unknown, not installed or broken."""


def engine(module: str, install: str) -> Callable[[Callable[[], Backend]], Callable[[], Backend]]:
    """Mark a plugin's factory with the engine it needs, so that its absence is seen without importing it.

    Args:
        module: the import name of the engine.
        install: the command that installs it.
    """

    def mark(factory: Callable[[], Backend]) -> Callable[[], Backend]:
        factory.engine_module = module  # type: ignore[attr-defined]
        factory.engine_install = install  # type: ignore[attr-defined]
        return factory

    return mark


@cache
def declared() -> dict[str, EntryPoint]:
    """All declared backends by name; nothing is imported.

    Raises:
        BackendError: two packages claim one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.get(point.name)
        if other is not None and other.value != point.value:
            raise BackendError(
                f"two packages claim the backend name {point.name!r}: {_owner(other)} and {_owner(point)}; "
                "uninstall one of them"
            )
        found[point.name] = point
    return found


def _owner(point: EntryPoint) -> str:
    return f"{point.dist.name if point.dist else 'an unnamed package'} ({point.value})"


def available_backends() -> list[str]:
    """Names of the backends whose engine is installed, in order of preference. No engine is imported.

    >>> import kbackend
    >>> "numpy" in kbackend.available_backends()
    True
    """
    names = [name for name in declared() if _installed(name)]
    return sorted(names, key=lambda n: (PREFERENCE.index(n) if n in PREFERENCE else len(PREFERENCE), n))


def _factory(name: str) -> Callable[[], Backend]:
    point = declared().get(name)
    if point is None:
        raise BackendError(f"unknown backend {name!r}; available are {', '.join(available_backends())}")
    try:
        return point.load()
    except Exception as error:
        raise BackendError(
            f"the plugin of the backend {name!r} ({_owner(point)}) cannot be imported: {error}"
        ) from error


def _installed(name: str) -> bool:
    try:
        module = getattr(_factory(name), "engine_module", None)
    except BackendError:
        return False
    return module is None or importlib.util.find_spec(module) is not None


@cache
def load(name: str) -> Backend:
    """The backend, loaded and validated once.

    Raises:
        BackendError: unknown, its engine not installed, or broken at import.
        PluginError: the plugin's table is faulty; all faults are listed.
    """
    declared = hooks.declared_ops.load()
    factory = _factory(name)
    module: Any = getattr(factory, "engine_module", None)
    if module is not None and importlib.util.find_spec(module) is None:
        raise BackendError(
            f"the backend {name!r} needs the package {module}, which is not installed; install it with\n"
            f"    {factory.engine_install}\n"  # type: ignore[attr-defined]
            f"available now: {', '.join(available_backends())}"
        )
    try:
        backend = factory()
    except PluginError:
        raise
    except Exception as error:
        raise BackendError(
            f"the engine of the backend {name!r} fails at import: {type(error).__name__}: {error}"
        ) from error
    validate(backend, declared)
    if backend.uses_malloc:
        memory.keep_freed()
    return backend
