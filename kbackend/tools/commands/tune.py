"""``kbackend tune``: whether compiled steps of a model are faster here, and on which engine; remembered on disk."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from kbackend.tools.arguments import checked_engines, file_name, positive
from kbackend.tools.data import add_data, arrays_of, drawn_targets
from kbackend.tools.files import add_model, read_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = (
        'The result is remembered for models that are compiled with jit="auto", and for KBACKEND=auto:fastest, as '
        "that of model.tune is. Without --data, numbers are drawn."
    )
    add_model(parser)
    parser.add_argument("--engines", nargs="+", metavar="NAME", help="engines to try (default: all installed)")
    parser.add_argument("--batch", type=positive, default=32, help="samples a batch (default 32)")
    parser.add_argument("--rounds", type=positive, default=7, help="how often each way takes its turn (default 7)")
    add_data(parser)
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the table as JSON")


def run(options: argparse.Namespace) -> int:
    """Measure and print; return 0, or 1 where a way did not run."""
    engines = checked_engines(options.engines)
    model = read_model(options.model)
    x, y = arrays_of(model, options.data, options.batch)
    if model.optimizer is None:
        y = None
        print("the model is not compiled: its predictions are timed")
    elif y is None:
        y = drawn_targets(model, len(x[0]))
    tuned = model.tune(
        x if len(x) > 1 else x[0], y, engines=engines, batch_size=options.batch, rounds=options.rounds
    )
    if options.json:
        options.json.write_text(json.dumps(asdict(tuned), indent=2), encoding="utf-8")
    return int(any(c.error for c in tuned.candidates))
