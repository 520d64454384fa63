"""What is installed of the engines and optional packages, and the commands that install the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from kbackend.plugin.discover import available_backends, declared, engines
from kbackend.plugin.select import get_backend


@dataclass(frozen=True)
class EngineState:
    """An engine.

    Attributes:
        name: of its backend.
        version: None where it is not installed or does not load.
        devices: what it computes on.
        threads: of its kernels on the processor.
        error: why it does not load.
        install: the command that installs it.
    """

    name: str
    version: str | None = None
    devices: tuple[str, ...] = ()
    threads: int | None = None
    error: str | None = None
    install: str = ""


@dataclass(frozen=True)
class Extra:
    """Optional packages that belong together.

    Attributes:
        name: as in ``pip install 'kbackend[NAME]'``.
        packages: name -> version, None where it is not installed.
    """

    name: str
    packages: dict[str, str | None]


def engine_states() -> list[EngineState]:
    """All declared engines, those that are installed first and loaded."""
    available = available_backends()
    return [_state(name, name in available) for name in [*available, *sorted(set(declared()) - set(available))]]


def _state(name: str, available: bool) -> EngineState:
    known = engines().get(name)
    install = known.install if known else ""
    if not available:
        return EngineState(name, install=install)
    try:
        backend = get_backend(name)
    except RuntimeError as error:
        return EngineState(name, error=str(error), install=install)
    return EngineState(name, backend.version(), tuple(backend.devices()), backend.threads(), install=install)


def extras() -> list[Extra]:
    """The extras of kbackend that are no engine."""
    found: dict[str, dict[str, str | None]] = {}
    for package, extra in _requirements():
        found.setdefault(extra, {})[package] = _version(package)
    engine_packages = {known.module for known in engines().values()}
    return [Extra(n, p) for n, p in found.items() if not engine_packages & {name.partition("-")[0] for name in p}]


def _requirements() -> Iterator[tuple[str, str]]:
    """Each package with the extra that asks for it."""
    for line in metadata.requires("kbackend") or ():
        match = re.match(r"(?P<package>[\w.-]+)[^;]*;\s*extra == ['\"](?P<extra>[\w-]+)['\"]", line)
        if match and match["package"] != "kbackend":
            yield match["package"], match["extra"]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


__all__ = ["EngineState", "Extra", "engine_states", "extras"]
