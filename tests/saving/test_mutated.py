"""Graph documents with one thing changed: a graph, or a GraphFormatError that names the place."""

import json

import numpy as np
import pytest

from kbackend import K
from kbackend.graph.walk import Graph
from kbackend.saving import FormatError
from kbackend.saving.graph_json import from_json, to_json
from tests.support.mutations import mutations

pytestmark = pytest.mark.engine("numpy")
PLACES = ("node ", "the graph", "inputs", "outputs", "updates", "nodes", '"format"', "version", "an input", "an update",
          "new value")  # fmt: skip


def network():
    x = K.placeholder((None, 4), name="x")
    w = K.variable(np.ones((4, 3)), name="w")
    h = K.tanh(K.dot(x, w)) * 2.0
    parts = K.concatenate([h[:, ::-1], K.reshape(x, (-1, 4))], axis=-1)
    loss = K.sum(K.square(parts))
    (gradient,) = K.gradients(loss, [w])
    return Graph([x], [parts, loss], [(w, w - 0.1 * gradient)], "network")


def loops():
    x = K.placeholder((5, 2), name="x")
    total = K.foldl(lambda a, b: a + b, x)
    noise = K.dropout(x, 0.5, seed=3)
    return Graph([x], [K.map_fn(K.square, x), total, noise, K.switch(K.sum(x) > 0.0, x, -x)], [], "loops")


@pytest.mark.parametrize("make", [network, loops])
def test_a_changed_graph_is_refused_at_its_place_or_is_a_graph(make):
    refused = 0
    for what, changed in mutations(json.loads(to_json(make())), 250, seed=5):
        try:
            made = from_json(json.dumps(changed))
        except FormatError as error:
            refused += 1
            assert any(place in str(error) for place in PLACES), f"{what}: {error}"
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
        else:
            assert isinstance(made, Graph), what
    assert refused > 150
