"""``kbackend diff``: where engines, two versions of a model, or kbackend and Keras 3 differ."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any

import numpy as np

from kbackend.divergence.report import Report
from kbackend.divergence.sides import sides_of
from kbackend.divergence.versions import versions
from kbackend.plugin.discover import available_backends
from kbackend.plugin.select import use_backend
from kbackend.saving import load_model
from kbackend.tools.arguments import file_name, not_negative
from kbackend.tools.data import add_data, arrays_of, drawn_targets

_SAMPLES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", type=file_name, help="a file of a model: .kb, .keras, .h5")
    parser.add_argument(
        "other", type=file_name, nargs="?", help="another version of it, to compare with on one engine"
    )
    parser.add_argument("--engines", help="such as torch,tensorflow or torch,torch+jit (default: all installed)")
    parser.add_argument("--keras", action="store_true", help="compare each layer with Keras 3 (a .keras file)")
    add_data(parser)
    parser.add_argument(
        "--train", type=not_negative, default=0, metavar="STEPS", help="follow the weights for so many steps"
    )
    parser.add_argument("--first-nan", action="store_true", help="name the first node that makes NaN or infinity")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--html", type=file_name, metavar="FILE", help="write the report as a page")


def run(options: argparse.Namespace) -> int:
    """Compare and print; return 0, or 1 where something differs by more than it may."""
    model = load_model(options.model)
    x, y = arrays_of(model, options.data, _SAMPLES)
    if options.train and y is None:
        y = _targets(options, model, x)
    report = _report(options, model, x, y)
    print(report)
    if options.json:
        options.json.write_text(report.to_json(), encoding="utf-8")
    if options.html:
        report.to_html(options.html)
    if options.first_nan:
        found = report.first_nan
        print("no node makes NaN or infinity" if found is None else f"first NaN or infinity: {found}; {found.note}")
        for name in _not_finite(model, x):
            print(f"the data of {name} has NaN or infinity itself")
        return int(found is not None or not report.ok)
    return int(not report.ok)


def _targets(options: argparse.Namespace, model: Any, x: list[np.ndarray]) -> Any:
    """Drawn targets for drawn inputs.

    Raises:
        ValueError: the model has no loss, or inputs are from a file without targets.
    """
    if model.optimizer is None:
        raise ValueError(f"--train follows steps of training, for which {options.model} must hold a compiled model")
    if options.data is not None:
        raise ValueError(f"--train needs targets: {options.data} has no array y")
    return drawn_targets(model, len(x[0]))


def _not_finite(model: Any, x: list[np.ndarray]) -> list[str]:
    """The inputs whose data has what is hunted."""
    return [t.name for t, a in zip(model.inputs, x) if a.dtype.kind in "fc" and not np.isfinite(a).all()]


def _report(options: argparse.Namespace, model: Any, x: list[np.ndarray], y: Any) -> Report:
    engine = (options.engines or available_backends()[0]).split(",")[0]
    if options.keras:
        from kbackend.tools.keras_layers import against_keras

        if options.other is not None:
            raise ValueError("--keras compares one file with Keras; leave the other file out")
        with use_backend(engine) if options.engines else nullcontext():
            return against_keras(model, options.model, x)
    if options.other is not None:
        side = sides_of([engine, f"{engine}+float64"])[0]
        other = load_model(options.other)
        first, second = (m._steps.graph("predict") for m in (model, other))
        return versions(first, second, x, side, (options.model.name, options.other.name))
    return model.diff(x if len(x) > 1 else x[0], y, engines=options.engines, train=options.train)
