"""Finding backends: entry points of the group ``kbackend.backends``, read by name and loaded on use."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from kbackend.ground import hooks
from kbackend.ground.collector import collector_at_rest
from kbackend.ground.suggest import did_you_mean
from kbackend.plugin import memory
from kbackend.plugin.contract import Backend, PluginError
from kbackend.plugin.validate import validate

GROUP = "kbackend.backends"
#: the distribution whose backends are the built-in ones
_OWN = "kbackend"
Factory = Callable[[], Backend]


class BackendError(RuntimeError):
    """The backend that was asked for is unknown, not installed or broken."""


@dataclass(frozen=True)
class Engine:
    """What is known of an engine before it is imported.

    Attributes:
        module: its import name.
        install: the command that installs it.
        preference: of the installed engines the one with the largest is taken where nothing is chosen.
        reference: it computes on NumPy's arrays and defines what ops mean; initial values are computed on it. There is
            one such engine.
    """

    module: str
    install: str
    preference: int = 0
    reference: bool = False


def engine(module: str, install: str, preference: int = 0, reference: bool = False) -> Callable[[Factory], Factory]:
    """Mark a plugin's factory with the engine it needs, so that its absence is seen without importing it.

    Args:
        module, install, preference, reference: see :class:`Engine`.
    """

    def mark(factory: Factory) -> Factory:
        factory.engine = Engine(module, install, preference, reference)  # type: ignore[attr-defined]
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


@cache
def engines() -> dict[str, Engine]:
    """The engines of all declared backends whose plugin can be imported, installed or not, by name of the backend.

    A factory without a mark stands for an engine of the backend's name that needs nothing installed.
    """
    found = {}
    for name in declared():
        try:
            factory = _factory(name)
        except BackendError:
            continue
        found[name] = getattr(factory, "engine", Engine(name, ""))
    return found


def available_backends() -> list[str]:
    """Names of the backends whose engine is installed, in order of preference. No engine is imported.

    >>> import kbackend
    >>> "numpy" in kbackend.available_backends()
    True
    """
    return [name for name in _preferred(engines()) if _installed(name)]


def built_in_backends() -> list[str]:
    """Names of the backends that come with kbackend, the reference first and then in order of preference."""
    own = [name for name in _preferred(engines()) if (dist := declared()[name].dist) and dist.name == _OWN]
    return sorted(own, key=lambda name: not engines()[name].reference)


def _preferred(names: Any) -> list[str]:
    return sorted(names, key=lambda name: (-engines()[name].preference, name))


@cache
def reference() -> str:
    """The name of the backend that defines what ops mean.

    Raises:
        BackendError: there is none, or there are several.
    """
    found = [name for name, engine in engines().items() if engine.reference]
    if len(found) != 1:
        raise BackendError(f"one backend must be the reference, there are {len(found)}: {', '.join(found)}")
    return found[0]


@cache
def _backends_by_module() -> dict[str, str]:
    return {engine.module: name for name, engine in engines().items() if not engine.reference}


def backend_of_module(module: str) -> str | None:
    """The name of the backend whose engine a module belongs to.

    None for NumPy's, too: its functions and arrays are no engine's of their own.
    """
    return _backends_by_module().get(module.partition(".")[0])


def _factory(name: str) -> Factory:
    point = declared().get(name)
    if point is None:
        known, hint = ", ".join(available_backends()), did_you_mean(name, declared())
        raise BackendError(f"unknown backend {name!r}; available are {known}.{hint}".rstrip("."))
    try:
        return point.load()
    except Exception as error:
        raise BackendError(
            f"the plugin of the backend {name!r} ({_owner(point)}) cannot be imported: {error}"
        ) from error


def _installed(name: str) -> bool:
    needed = getattr(_factory(name), "engine", None)
    return needed is None or importlib.util.find_spec(needed.module) is not None


def check_installed(name: str) -> None:
    """Refuse a backend that cannot be loaded because it is unknown or its engine is missing. No engine is imported.

    Raises:
        BackendError: the message has the command that installs it, or the names that there are.
    """
    if not _installed(name):
        needed = engines()[name]
        raise BackendError(
            f"the backend {name!r} needs the package {needed.module}, which is not installed; install it with\n"
            f"    {needed.install}\n"
            f"available now: {', '.join(available_backends())}"
        )


@cache
@collector_at_rest(lasting=True)
def load(name: str) -> Backend:
    """The backend, loaded and validated once.

    Raises:
        BackendError: unknown, its engine not installed, or broken at import.
        PluginError: the plugin does not keep the contract; all faults are listed.
    """
    ops = hooks.declared_ops.load()
    check_installed(name)
    factory = _factory(name)
    try:
        backend = factory()
    except PluginError:
        raise
    except Exception as error:
        raise BackendError(
            f"the engine of the backend {name!r} fails at import: {type(error).__name__}: {error}"
        ) from error
    validate(backend, ops)
    if backend.uses_malloc:
        memory.keep_freed()
    return backend
