"""``kbackend backends``: the declared backends, their engines and devices."""

from __future__ import annotations

import argparse

from kbackend.plugin.discover import available_backends, declared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    """Print a row for each backend, those that are installed first."""
    from rich.console import Console
    from rich.table import Table

    from kbackend.plugin.select import get_backend

    table = Table("backend", "engine", "devices", box=None, pad_edge=False)
    available = available_backends()
    for name in [*available, *sorted(set(declared()) - set(available))]:
        if name not in available:
            table.add_row(name, "not installed", "")
            continue
        try:
            backend = get_backend(name)
            table.add_row(name, backend.version(), ", ".join(backend.devices()))
        except RuntimeError as error:
            table.add_row(name, "broken", str(error).splitlines()[0])
    Console().print(table)
    return 0
