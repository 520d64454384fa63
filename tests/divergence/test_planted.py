"""Faults planted in one kernel of an engine: the report names the op and the layer, and which engine is off."""

from __future__ import annotations

import re

import numpy as np
import pytest
from divergence.known import KNOWN
from divergence.models import MODELS, SEEDS, drawn

import kbackend
from kbackend import dtypes
from kbackend.divergence.sides import Side
from kbackend.plugin import select
from kbackend.plugin.contract import Specialized
from kbackend.testing import with_kernels

pytestmark = pytest.mark.usefixtures("fresh_session")

#: name -> model, op, layer, what is wrong: 'value', 'gradient' or 'nan'
FAULTS = {
    "convolution": ("images", "convolution", "stem", "value"),
    "gradient of a convolution": ("images", "convolution", "stem", "gradient"),
    "relu": ("images", "relu", "stem", "value"),
    "tanh": ("images", "tanh", "side", "value"),
    "gradient of tanh": ("images", "tanh", "side", "gradient"),
    "addition": ("images", "add", "join", "value"),
    "pooling": ("images", "max_pool", "pool", "value"),
    "gradient of pooling": ("images", "max_pool", "pool", "gradient"),
    "dense": ("images", "dense", "hidden", "value"),
    "gradient of dense": ("images", "dense", "hidden", "gradient"),
    "dropout": ("images", "dropout", "drop", "value"),
    "gradient of dropout": ("images", "dropout", "drop", "gradient"),
    "lstm": ("sequences", "lstm", "lstm", "value"),
    "gradient of an lstm": ("sequences", "lstm", "lstm", "gradient"),
    "embedding": ("sequences", "gather", "words", "value"),
    "gradient of an embedding": ("sequences", "gather", "words", "gradient"),
    "maximum": ("sequences", "max", "largest", "value"),
    "gradient of a maximum": ("sequences", "max", "largest", "gradient"),
    "mean": ("transformer", "mean", "average", "value"),
    "product": ("mixture", "multiply", "product", "value"),
    "gradient of a product": ("mixture", "multiply", "product", "gradient"),
    "concatenate": ("mixture", "concatenate", "both", "value"),
    "gradient of concatenate": ("mixture", "concatenate", "both", "gradient"),
}


#: what other ops of the models call too, so that these are named as well
ELSEWHERE = ("add", "mean", "multiply")


def wrong(kernel, backend, how):
    """The kernel with results that are off by a thousandth, or with gradients that are."""
    stop = backend.kernels["stop_gradient"]

    def bend(result):
        if isinstance(result, (tuple, list)):
            return type(result)([bend(result[0]), *result[1:]])
        if not dtypes.is_float(backend.dtype_of(result)):
            return result
        return result * 1.001 if how == "value" else result + (result - stop(result)) * 0.001

    if isinstance(kernel, Specialized):
        def factory(specs, **attrs):
            inner = kernel.factory(specs, **attrs)
            return lambda *args: bend(inner(*args))

        return Specialized(factory, kernel.memory)
    return lambda *args, **attrs: bend(kernel(*args, **attrs))


def sides(engine, **kernels):
    """NumPy, or torch where NumPy is the engine that is changed in a copy; and the changed engine."""
    target = select.target(engine)
    changed = with_kernels(target, f"{engine} changed", **kernels)
    return [Side(engine, target), Side(f"{engine} changed", changed)]


@pytest.mark.parametrize("model, op, layer, how", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_named(model, op, layer, how):
    backend = select.get_backend("numpy")
    made, x, y = MODELS[model]()
    report = made.diff(x, y, engines=sides("numpy", **{op: wrong(backend.kernels[op], backend, how)}))
    assert not report.ok
    named = next(r for r in report.failed if (r.op, r.layer, r.kind) == (op, layer, how))
    assert named.error == pytest.approx(1e-3, rel=0.2) and named.off == "numpy changed"
    if op not in ELSEWHERE:
        assert (report.first, report.worst.op) == (named, op)


#: composites that are made of changed ops where the engine has no kernel of their own
COMPOSED = {"adam_step", "random_normal"}
#: the faults of one model of one kind, which are planted together: nodes are compared alone, so that none hides another
TOGETHER = {(model, how): [(op, layer) for m, op, layer, h in FAULTS.values() if (m, h) == (model, how)]
            for model, _, _, how in FAULTS.values()}


#: on TensorFlow normalizations are composed of the mean, the only fault of the transformer
PLACES = [(*key, name) for name in ("torch", "tensorflow") for key in TOGETHER
          if (key[0], name) != ("transformer", "tensorflow")]


@pytest.mark.parametrize("model, how, engine_", [pytest.param(*p, marks=pytest.mark.engine(p[-1])) for p in PLACES])
def test_faults_planted_together_are_all_named(model, how, engine_):
    backend = select.get_backend(engine_)
    made, x, y = MODELS[model]()
    ops = {op for op, _ in TOGETHER[model, how]}
    changed = {op: wrong(backend.kernels[op], backend, how) for op in ops}
    report = made.diff(x, y, engines=sides(engine_, **changed))
    named = {(r.op, r.layer): r for r in report.failed if r.kind == how}
    assert set(TOGETHER[model, how]) <= named.keys() and {op for op, _ in named} <= ops | COMPOSED
    assert report.first.op in ops and {r.off for r in named.values()} == {f"{engine_} changed"}


@pytest.mark.engine("torch")
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_difference_is_named_with_its_row(name):
    found = KNOWN[name]
    made, x, y = MODELS["differences"]()
    changed = {found.op: found.kernel(select.get_backend("torch"))}
    report = made.diff(x, y, engines=sides("torch", **changed))
    assert (report.first.op, report.first.layer, report.first.off) == (found.op, found.layer, "torch changed")
    assert str(found.row) in re.findall(r"\d+", report.first.known) and {r.op for r in alone(report)} == {found.op}


@pytest.mark.engine("tensorflow")
def test_known_differences_are_named_together():
    made, x, y = MODELS["differences"]()
    backend = select.get_backend("tensorflow")
    report = made.diff(x, y, engines=sides("tensorflow", **{f.op: f.kernel(backend) for f in KNOWN.values()}))
    assert {(r.op, r.layer) for r in alone(report)} == {(f.op, f.layer) for f in KNOWN.values()}
    assert {r.off for r in alone(report)} == {"tensorflow changed"}


def alone(report):
    """The rows past their tolerance of nodes that were given the same operands."""
    return [r for r in report.failed if r.kind != "result"]


#: on NumPy and TensorFlow, of which the first is the reference and the second takes seconds to trace, fewer of the 16
DRAWN = {"numpy": SEEDS[::4], "torch": SEEDS, "tensorflow": SEEDS[::4]}


@pytest.mark.parametrize("model", [*MODELS, *SEEDS])
def test_nothing_is_named_in_a_clean_model(model, each_backend):
    if model not in MODELS and model not in DRAWN[each_backend]:
        return
    kbackend.set_seed(0)  # of the weights; those of model 0 have gradients that cancel to 0, which Adam makes large
    made, x, y = MODELS[model]() if model in MODELS else drawn(model)
    other = "numpy+float64" if each_backend == "numpy" else each_backend
    found = made.diff(x, y, engines=["numpy", other])
    assert found.ok, str(found)
    assert 30 <= len({row.number for row in found.rows}) <= 200 and not [row for row in found.rows if row.note]
    assert {row.kind for row in found.rows} == {"value", "gradient", "result"}


def test_nothing_is_named_in_a_prediction(each_backend):
    made, x, y = MODELS["mixture"]()
    other = "numpy+float64" if each_backend == "numpy" else each_backend
    assert made.diff(x, engines=["numpy", other]).ok


def test_the_first_nan_is_named(each_backend):
    K = kbackend.K
    x = K.placeholder((None, 3), name="x")
    y = K.log(K.relu(x - 1.0))
    z = K.sum(K.tanh(y) * 0.0 + y)
    report = kbackend.diff([x], [z], [np.array([[2.0, 1.0, 3.0]])], engines=["numpy", f"{each_backend}+float64"])
    assert report.first_nan.op == "log" and report.first_nan.place == (0, 1)
    assert "[0.0, 2.0]" in report.first_nan.note
