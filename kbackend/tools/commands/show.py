"""``kbackend show``: the summary, the program or a picture of a model in a file."""

from __future__ import annotations

import argparse
from typing import Any

from kbackend.plugin.discover import check_installed
from kbackend.tools.arguments import file_name
from kbackend.tools.files import add_model, read_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = "Without options it prints the summary."
    add_model(parser)
    parser.add_argument("--source", action="store_true", help="print the program of a step")
    parser.add_argument(
        "--step", choices=("predict", "train", "test"), default="predict", help="of which step (default predict)"
    )
    parser.add_argument("--engine", help="the engine whose program is printed (default: the active one)")
    parser.add_argument("--config", action="store_true", help="print the structure as JSON")
    parser.add_argument(
        "--picture", type=file_name, metavar="FILE", help="draw it: .png, .svg, .pdf, .jpg, or .dot for Graphviz"
    )
    parser.add_argument("--nested", action="store_true", help="draw models inside the model with their layers")


def run(options: argparse.Namespace) -> int:
    """Print or draw what was asked for."""
    model = read_model(options.model)
    if options.source:
        print(_source(model, options.step, options.engine))
    if options.config:
        print(model.to_json(indent=2))
    if options.picture:
        from kbackend.utils import plot_model

        plot_model(
            model, options.picture, show_shapes=True, show_layer_names=True, expand_nested=options.nested, dpi=100
        )
    if not (options.source or options.config or options.picture):
        model.summary()
    return 0


def _source(model: Any, kind: str, engine: str | None) -> str:
    if engine is not None:
        check_installed(engine)
        model.to(engine)
    return model.source(kind)
