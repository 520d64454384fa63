"""``kbackend diff``: where engines, two versions of a model, or kbackend and Keras 3 differ."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from kbackend.divergence.report import Report
from kbackend.divergence.sides import sides_of
from kbackend.divergence.versions import versions
from kbackend.plugin.discover import available_backends
from kbackend.saving import load_model
from kbackend.tools.data import add_data, arrays_of

_SAMPLES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", type=Path, help="a file of a model: .kb, .keras, .h5")
    parser.add_argument("other", type=Path, nargs="?", help="another version of it, to compare with on one engine")
    parser.add_argument("--engines", help="such as torch,tensorflow or torch,torch+jit (default: all installed)")
    parser.add_argument("--keras", action="store_true", help="compare each layer with Keras 3 (a .keras file)")
    add_data(parser)
    parser.add_argument("--train", type=int, default=0, metavar="STEPS", help="follow the weights for so many steps")
    parser.add_argument("--first-nan", action="store_true", help="name the first node that makes NaN or infinity")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")


def run(options: argparse.Namespace) -> int:
    """Compare and print; return 0, or 1 where something differs by more than it may."""
    model = load_model(options.model)
    x, y = arrays_of(model, options.data, _SAMPLES)
    report = _report(options, model, x, y)
    print(report)
    if options.json:
        options.json.write_text(report.to_json(), encoding="utf-8")
    if options.html:
        report.to_html(options.html)
    if options.first_nan:
        found = report.first_nan
        print("no node makes NaN or infinity" if found is None else f"first NaN or infinity: {found}; {found.note}")
        return int(found is not None or not report.ok)
    return int(not report.ok)


def _report(options: argparse.Namespace, model: Any, x: list[np.ndarray], y: Any) -> Report:
    if options.keras:
        from kbackend.tools.keras_layers import against_keras

        return against_keras(model, options.model, x)
    if options.other is not None:
        engine = (options.engines or available_backends()[0]).split(",")[0]
        side = sides_of([engine, f"{engine}+float64"])[0]
        other = load_model(options.other)
        first, second = (m._steps.graph("predict") for m in (model, other))
        return versions(first, second, x, side, (options.model.name, options.other.name))
    return model.diff(x if len(x) > 1 else x[0], y, engines=options.engines, train=options.train)
