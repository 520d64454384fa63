"""Faults planted in one kernel of an engine: the report names the op and the layer, and which engine is off."""

from __future__ import annotations

import numpy as np
import pytest
from divergence.models import MODELS

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
def test_a_planted_fault_is_named(model, op, layer, how, each_backend):
    backend = select.get_backend(each_backend)
    made, x, y = MODELS[model]()
    report = made.diff(x, y, engines=sides(each_backend, **{op: wrong(backend.kernels[op], backend, how)}))
    assert not report.ok
    named = next(r for r in report.failed if (r.op, r.layer, r.kind) == (op, layer, how))
    assert named.error == pytest.approx(1e-3, rel=0.2) and named.off == f"{each_backend} changed"
    if op not in ELSEWHERE:
        assert (report.first, report.worst.op) == (named, op)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_named_in_a_clean_model(model, each_backend):
    made, x, y = MODELS[model]()
    other = "numpy+float64" if each_backend == "numpy" else each_backend
    found = made.diff(x, y, engines=["numpy", other])
    assert found.ok, str(found)
    nodes = {row.number for row in found.rows if row.kind != "result"}
    assert len(nodes) > 10 and not [row for row in found.rows if row.note]
    assert {row.kind for row in found.rows} == {"value", "gradient", "result"}
    found = made.diff(x, engines=["numpy", other])
    assert found.ok, str(found)


def test_the_first_nan_is_named(each_backend):
    K = kbackend.K
    x = K.placeholder((None, 3), name="x")
    y = K.log(K.relu(x - 1.0))
    z = K.sum(K.tanh(y) * 0.0 + y)
    report = kbackend.diff([x], [z], [np.array([[2.0, 1.0, 3.0]])], engines=["numpy", f"{each_backend}+float64"])
    assert report.first_nan.op == "log" and report.first_nan.place == (0, 1)
    assert "[0.0, 2.0]" in report.first_nan.note
