"""``kbackend info``: engines, versions, devices, threads, settings; what is missing and how to install it."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import kbackend
from kbackend import config
from kbackend.tools.installed import EngineState, Extra, engine_states, extras


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = "The exit code is 1 where an installed engine does not load."
    parser.add_argument("--json", action="store_true", help="print JSON, for a report of an issue or a program")


def run(options: argparse.Namespace) -> int:
    """Print; return 0, or 1 where an engine that is installed does not load."""
    found, packages, settings = engine_states(), extras(), _settings()
    if options.json:
        whole = {"settings": settings, "engines": list(map(asdict, found)), "extras": list(map(asdict, packages))}
        print(json.dumps(whole, indent=2))
    else:
        _print(found, packages, settings)
    return int(any(state.error for state in found))


def _settings() -> dict[str, Any]:
    from kbackend.plugin import remembered
    from kbackend.plugin.threads.cores import usable

    path = config.config_path()
    return {
        "kbackend": kbackend.__version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {usable()} cores",
        "active engine": _active(),
        "threads": str(kbackend.threads()),
        "config file": f"{path}{'' if path.exists() else ' (none)'}",
        "measurements": str(remembered.path()),
        "environment": ", ".join(f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("KBACKEND")) or "-",
    }


def _active() -> str:
    from kbackend.plugin.select import active_target

    try:
        return active_target().key
    except RuntimeError as error:
        return f"none: {error}"


def _print(found: Sequence[EngineState], packages: Sequence[Extra], settings: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in settings.items():
        table.add_row(name, value)
    console.print(table, highlight=False)
    table = Table("engine", "version", "devices", "threads", box=None, pad_edge=False)
    for state in found:
        version = state.version or ("does not load" if state.error else "not installed")
        table.add_row(state.name, version, ", ".join(state.devices), str(state.threads or ""))
    console.print()
    console.print(table, highlight=False)
    table = Table("extra", "packages", box=None, pad_edge=False)
    for extra in packages:
        table.add_row(extra.name, ", ".join(f"{n} {v or 'not installed'}" for n, v in extra.packages.items()))
    console.print()
    console.print(table, highlight=False)
    for line in _advice(found, packages):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _advice(found: Sequence[EngineState], packages: Sequence[Extra]) -> list[str]:
    lines = [f"{s.name} does not load: {s.error}" for s in found if s.error]
    lines += [f"install {s.name}: {s.install}" for s in found if not s.version and not s.error and s.install]
    missing = [extra.name for extra in packages if None in extra.packages.values()]
    lines += [f"install the missing extras: pip install 'kbackend[{','.join(missing)}]'"] if missing else []
    return ["", *lines] if lines else []
