"""``kbackend backends``: the declared backends, their engines and devices."""

from __future__ import annotations

import argparse

from kbackend.tools.installed import engine_states


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    """Print a row for each backend, those that are installed first."""
    from rich.console import Console
    from rich.table import Table

    table = Table("backend", "engine", "devices", box=None, pad_edge=False)
    for state in engine_states():
        devices = ", ".join(state.devices) or (state.error or "").partition("\n")[0]
        table.add_row(state.name, state.version or ("broken" if state.error else "not installed"), devices)
    Console().print(table)
    return 0
