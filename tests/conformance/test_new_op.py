"""A new composite is one declaration: it then works on every engine, symbolic and concrete, and the kit checks it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kbackend import K
from kbackend.declare.decorate import composite
from kbackend.declare.op import REGISTRY, TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.walk import Graph
from kbackend.ops.elementwise.arithmetic import multiply, negative
from kbackend.ops.elementwise.exponential import exp
from kbackend.ops.elementwise.power import square
from kbackend.plugin.select import active_target
from kbackend.saving.graph_json import from_json
from kbackend.testing import check_op, groups


@pytest.fixture
def declared():
    @composite(samples=lambda: [call(In((3, 4)), 2.0), call(In((0, 2)), 0.5, name="empty"),
                                call(In((2,), kind="int32"), 1.0, name="integers", gradient=False)], promote="float")
    def bumped(x: TensorLike, height: float) -> Any:
        """``height * exp(-x**2)``."""
        return multiply(exp(negative(square(x))), height)

    yield bumped
    del REGISTRY["bumped"]


def test_a_composite_takes_one_declaration(declared, each_backend):
    target = active_target()
    for group in groups(declared.op):
        report = check_op(declared.op, target, group)
        assert not report.faults and report.checked, report.faults
    x = K.placeholder((None, 2), name="x")
    y = declared(x, 3.0)
    graph = Graph([x], [y, *K.gradients(K.sum(y), [x])])
    rows = np.array([[0.0, 1.0], [-1.0, 2.0]], np.float32)
    expected = [3 * np.exp(-rows**2), -6 * rows * np.exp(-rows**2)]
    for made in (graph, from_json(graph.to_json())):
        for found, wanted in zip(K.function(list(made.inputs), list(made.outputs))([rows]), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-5)
    concrete = target.backend.to_numpy(declared(target.from_numpy(rows), 3.0))
    np.testing.assert_allclose(concrete, expected[0], rtol=1e-5)
