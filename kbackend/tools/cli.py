"""The command ``kbackend``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import kbackend


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 for an error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    if options.command is None:
        _parser().print_help()
        return 2
    try:
        return options.run(options)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"kbackend: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kbackend", description="One neutral graph, run by any engine.")
    parser.add_argument("--version", action="version", version=f"kbackend {kbackend.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    demo = commands.add_parser(
        "demo", help="train two models on handwritten digits, on every installed engine"
    )
    demo.add_argument(
        "--engines",
        nargs="+",
        metavar="NAME",
        help="backends to use, divided by blanks or commas; all installed ones otherwise",
    )
    demo.add_argument("--epochs", type=_positive, default=8, help="epochs of each fit (default 8)")
    demo.add_argument(
        "--seed", type=int, default=7, help="the seed of weights, masks and shuffles (default 7)"
    )
    demo.add_argument("--out", type=Path, default=Path("kbackend-demo.png"), help="the file of the plot")
    demo.set_defaults(run=_demo)
    from kbackend.tools import diff

    diff.add_arguments(commands.add_parser("diff", help="name the nodes of a model where engines differ"))
    from kbackend.compat import running
    from kbackend.tools import lint

    running.add_arguments(commands.add_parser("run", help="run a program of Keras 1 or 2 as it is"))
    lint.add_arguments(commands.add_parser("lint", help="name what a program of Keras 1 or 2 calls and kbackend lacks"))
    commands.add_parser("backends", help="list the backends").set_defaults(run=_backends)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def _demo(options: argparse.Namespace) -> int:
    from kbackend.tools.demo import run

    engines = [name for text in options.engines or () for name in text.split(",") if name]
    return run(engines or kbackend.available_backends(), options.epochs, options.seed, options.out)


def _backends(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from kbackend.plugin import discover, select

    table = Table("backend", "engine", "devices", box=None, pad_edge=False)
    available = kbackend.available_backends()
    for name in sorted(
        discover.declared(), key=lambda n: (n not in available, available.index(n) if n in available else n)
    ):
        if name not in available:
            table.add_row(name, "not installed", "")
            continue
        try:
            backend = select.get_backend(name)
            table.add_row(name, backend.version(), ", ".join(backend.devices()))
        except RuntimeError as error:
            table.add_row(name, "broken", str(error).splitlines()[0])
    Console().print(table)
    return 0
