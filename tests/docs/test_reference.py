"""The reference says of every public name what its arguments, shapes, errors, sources and units are.

A docstring may leave a part to another public name: "Arguments and errors as :func:`x`". `support.docstrings` follows
these sentences, and the base classes of a class, and fails where they lead to no public name.
"""

from __future__ import annotations

import importlib
import inspect
import re

import pytest
from support import docstrings
from support.docstrings import pages

from kbackend import constraints, initializers, losses, metrics, optimizers, regularizers
from kbackend.layers import Layer

pytestmark = pytest.mark.tree

#: for those who write backends; docs/guide/backends.md describes them
KIT = "kbackend.testing"
#: classes whose subclasses compute by a formula
COMPUTED = (
    losses.Loss, metrics.Metric, optimizers.Optimizer, optimizers.schedules.LearningRateSchedule,
    initializers.Initializer, regularizers.Regularizer, constraints.Constraint,
)  # fmt: skip
#: files of layers that come from papers
FROM_PAPERS = re.compile(r"kbackend\.layers\.(recurrent|normalization|attention|activation)|noise|dropout")
#: what has neither a formula nor a paper -> why
NO_SOURCE = {
    "LossFunctionWrapper": "computes what its function does", "MeanMetricWrapper": "computes what its function does",
    "SensitivitySpecificityBase": "its subclasses have the formulas", "MultiOptimizer": "its optimizers have them",
    "TFOptimizer": "is refused", "Zeros": "one value", "Ones": "one value", "Constant": "one value",
    "RNN": "computes what its cell does", "StackedRNNCells": "compute what their cells do",
    "TimeDistributed": "computes what its layer does", "linear": "the identity",
}  # fmt: skip
#: names of arguments -> the unit, in the words of their descriptions
UNITS = {
    r"interval|timeout|seconds": r"\bseconds\b",
    r"(min|max)_freq": r"\bhertz\b",
    r"sampling_rate": r"\bsamples per second\b|\bsteps\b",
    r"(fft|frame)_length|sequence_stride": r"\bsamples\b|\bsteps\b",
    r"patience|cooldown|period": r"\bepochs\b",
    r"(save|update|histogram|embeddings)_freq": r"\bepoch|\bbatch",
    r"\w+_steps|ema_overwrite_frequency": r"\bsteps\b|\biterations\b",
    r"theta|shear|(rotation|shear)_range|angle": r"\bdegrees\b|\bradians\b|\bthreshold\b",
    r"(image|target)_size": r"\bpixels\b|see ",
    r"max_queue_size": r"\bbatches\b",
}
#: functions of angles
ANGLES = ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "angle", "deg2rad", "rad2deg", "polar")


def public() -> list[tuple[str, str, object]]:
    """Each object once, under the name where the reference describes it."""
    modules = {name: pages.public(importlib.import_module(name)) for name in pages.MODULES if name != KIT}
    homes = pages.homes_of(modules)
    return [(m, n, v) for m, found in modules.items() for n, v in found.items() if homes[id(v)] == (m, n)]


PUBLIC = public()


def test_every_argument_is_described_and_no_other():
    missing, extra = [], []
    for module, name, value in PUBLIC:
        given, described = docstrings.signature(value), docstrings.described(value)
        open_ended = {n for n, p in given.items() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        for n in given:  # ``**kwargs`` is described by its own name or by those that it takes
            if n not in described and not (n in open_ended and described - set(given)):
                missing.append(f"{module}.{name}: {n}")
        if given and not open_ended:
            extra += [f"{module}.{name}: {n}" for n in docstrings.named(value) - set(given)]
    assert not missing and not extra


def takes_tensors(module: str, value: object) -> bool:
    if inspect.isclass(value):
        return issubclass(value, Layer) and value.__module__.startswith("kbackend.layers")
    given = docstrings.signature(value)
    typed = any(re.search(r"Tensor|Variable", str(p.annotation)) for p in given.values())
    return typed or (module == "kbackend.activations" and list(given)[:1] == ["x"])


def test_shapes_are_named():
    silent = [f"{m}.{n}" for m, n, v in PUBLIC
              if takes_tensors(m, v) and not docstrings.has_shapes(v) and not docstrings.is_refused(v)]
    assert not silent


def test_errors_are_described():
    silent = []
    for module, name, value in PUBLIC:
        described = docstrings.errors(value)
        own = [n for n, bases in docstrings.raised(value).items() if not bases & described]
        if own or (not described and docstrings.raised_by_helpers(value)):
            silent.append(f"{module}.{name}: {own or 'of its helpers'}")
    assert not silent


def needs_source(module: str, name: str, value: object) -> bool:
    if name in NO_SOURCE:
        return False
    if inspect.isclass(value):
        computed = issubclass(value, COMPUTED) and value not in COMPUTED
        return computed or (issubclass(value, Layer) and bool(FROM_PAPERS.search(value.__module__)))
    first = list(docstrings.signature(value))[:2]
    return first == ["y_true", "y_pred"] or (module == "kbackend.activations" and first[:1] == ["x"])


def test_what_comes_from_a_paper_or_a_formula_names_it():
    assert not [f"{m}.{n}" for m, n, v in PUBLIC if needs_source(m, n, v) and not docstrings.defined(v)]


def test_numbers_have_units():
    silent, checked = [], 0
    for module, name, value in PUBLIC:
        for key, text in docstrings.read(value).args.items():
            wanted = [unit for n in key.split(", ") for names, unit in UNITS.items() if re.fullmatch(names, n)]
            checked += len(wanted)
            if not re.search(r":\w+:`|see\s+``|without effect", text):  # another name's description, checked there
                silent += [f"{module}.{name}: {key}" for unit in wanted if not re.search(unit, text)]
    assert checked > 35 and not silent
    ops = importlib.import_module("kbackend.ops")
    assert not [n for n in ANGLES if not re.search("radian|degree", docstrings.whole(getattr(ops, n)))]


@pytest.mark.parametrize("text, part", [
    ("Sums.\n\nArgs:\n    x: a tensor.", "args"), ("Sums.\n\nArgs:\n    x: a tensor.\n    z: none.", "extra"),
    ("Sums.\n\nArguments as :func:`kbackend.ops.sum_`.", "reference"),
])  # fmt: skip
def test_docstrings_that_lack_something_are_found(text, part):
    def made(x, y):
        raise ValueError

    made.__doc__ = text
    if part == "reference":
        with pytest.raises(LookupError):
            docstrings.described(made)
        return
    assert set(docstrings.signature(made)) - docstrings.described(made) == {"y"}
    assert (docstrings.named(made) - {"x", "y"}) == ({"z"} if part == "extra" else set())
    assert not docstrings.has_shapes(made) and not docstrings.defined(made)
    assert set(docstrings.raised(made)) == {"ValueError"} and not docstrings.errors(made)
