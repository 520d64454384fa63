"""``kbackend demo``: two models trained on handwritten digits, on every installed engine."""

from __future__ import annotations

import argparse
from pathlib import Path

from kbackend.tools.arguments import checked_engines, file_name, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "--engines",
        nargs="+",
        metavar="NAME",
        help="backends to use, divided by blanks or commas; all installed ones otherwise",
    )
    parser.add_argument("--epochs", type=positive, default=8, help="epochs of each fit (default 8)")
    parser.add_argument("--seed", type=int, default=7, help="the seed of weights, masks and shuffles (default 7)")
    parser.add_argument("--out", type=file_name, default=Path("kbackend-demo.png"), help="the file of the plot")


def run(options: argparse.Namespace) -> int:
    """Train and print."""
    from kbackend.tools.demo import run as train

    return train(checked_engines(options.engines), options.epochs, options.seed, options.out)
