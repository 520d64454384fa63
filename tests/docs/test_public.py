"""Every public name has a summary, an example and, where they apply, its arguments, results and errors."""

from __future__ import annotations

import importlib
import inspect
import re
import sys

import pytest
from support.places import ROOT

from kbackend.declare.op import Op

sys.path.insert(0, str(ROOT / "docs" / "site"))
import pages  # the reference lists what is public

sys.path.pop(0)

pytestmark = pytest.mark.tree
#: names of Keras that only raise an error, and what they name instead
REFUSED = {"FeatureSpace", "FlaxLayer", "JaxLayer", "OrbaxCheckpoint", "TFOptimizer", "multi_gpu_model"}
#: base classes whose subclasses have the examples
BASES = {"SequenceEnqueuer"}
#: for those who write backends; the examples are those of `kbackend.testing` itself and of docs/guide/backends.md
OF_THE_KIT = set(importlib.import_module("kbackend.testing").__all__)
PUBLIC = [(name, key) for name in pages.MODULES for key in pages.public(importlib.import_module(name))]


def texts(module: str, key: str) -> tuple[object, str]:
    value = getattr(importlib.import_module(module), key)
    return value, inspect.getdoc(value) or ""


def test_the_reference_has_all_modules():
    assert len(PUBLIC) > 1200
    assert {"kbackend.backend", "kbackend.ops", "kbackend.layers"} < set(pages.MODULES)


@pytest.mark.parametrize("module", pages.MODULES)
def test_every_name_has_a_summary_and_an_example(module):
    no_summary, no_example = [], []
    for key in (k for m, k in PUBLIC if m == module):
        value, text = texts(module, key)
        own = value.__dict__.get("__doc__") if inspect.isclass(value) else text
        summary = text.partition("\n\n")[0]
        no_summary += [] if own and re.search(r"[\w`)\]|]", summary) and len(summary) < 400 else [key]
        no_example += [] if ">>> " in text or key in REFUSED | BASES | OF_THE_KIT else [key]
    assert not no_summary and not no_example


def test_what_is_refused_is_refused():
    for module, key in PUBLIC:
        if key in REFUSED:
            with pytest.raises((NotImplementedError, ImportError, ValueError, TypeError, RuntimeError)):
                getattr(importlib.import_module(module), key)(None)


def test_errors_of_rules_are_described():
    """An op that raises an error in its own declaration says which, or refers to the function that does."""
    silent = []
    for module in ("kbackend.backend", "kbackend.ops"):
        for key in (k for m, k in PUBLIC if m == module):
            value, text = texts(module, key)
            op = getattr(value, "op", None)
            function = op.function if isinstance(op, Op) else inspect.unwrap(value)
            raises = re.search(r"^ +raise (ValueError|TypeError|IndexError)", inspect.getsource(function), re.M)
            if raises and not re.search(r"Raises:|rror|refuse|:func:|must", text):
                silent.append(key)
    assert not silent
