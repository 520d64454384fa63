"""model.profile: a row a node, whatever the engine, and a model that is the same afterwards."""

from __future__ import annotations

import numpy as np

from kbackend import Input, Model, layers
from kbackend.plugin.select import active_target
from kbackend.training.measuring import profiling

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 8, 8, 1)).astype("float32"), RNG.integers(0, 3, 6)


def model():
    x = Input((8, 8, 1))
    h = layers.MaxPooling2D(2, name="pool")(layers.Conv2D(4, 3, activation="relu", name="maps")(x))
    made = Model(x, layers.Dense(3, activation="softmax", name="classes")(layers.Flatten(name="flat")(h)))
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


def test_every_node_of_a_prediction_has_a_row(each_backend, capsys):
    found = model().profile(X, rounds=3)
    assert [r.op for r in found.rows] == ["convolution", "max_pool", "relu", "reshape", "dense", "softmax"]
    assert all(r.microseconds > 0 for r in found.rows) and found.step > 0
    assert found.rows[0].layer == "maps" and found.rows[0].shape == (None, 6, 6, 4)
    assert found.rows[0].inputs[:2] == ((None, 8, 8, 1), (3, 3, 1, 4)) and found.rows[4].layer == "classes"
    shown = capsys.readouterr().out
    assert found.engine in shown and all(r.op in shown for r in found.rows)
    assert "(None,8,8,1) (3,3,1,4)" in shown and "-> (None,6,6,4)" in shown


def test_training_has_the_gradient_and_the_update(each_backend):
    made = model()
    before = made.get_weights()
    found = made.profile(X, Y, rounds=3, verbose=0)
    ops = [r.op for r in found.rows]
    assert ops.count("gradients") == 1 and ops.index("gradients") > ops.index("dense")
    assert "convolution" in ops and (each_backend == "tensorflow" or "adam_step" in ops or each_backend == "numpy")
    for a, b in zip(before, made.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_rows_hold_the_medians_of_the_clock(monkeypatch):
    """Each reading of the clock is a second after the last, so that each node takes one."""
    import kbackend

    seconds = iter(range(10**6))
    with kbackend.use_backend("numpy"):
        graph = model()._steps.graph("predict")
        clock = lambda: float(next(seconds))  # noqa: E731
        found = profiling.profile(graph, 0, [], active_target(), [X], 3, clock)
    assert {r.microseconds for r in found.rows} <= {1e6, 2e6} and found.step == 1e6
    assert f"{100 / len(found.rows):.1f}%" in str(found)


def test_rows_name_the_layers_around_a_node():
    import kbackend

    x = Input((4,), name="inside")
    inner = Model(x, layers.Dense(5, activation="tanh", name="hidden")(x), name="inner")
    y = Input((4,))
    with kbackend.use_backend("numpy"):
        rows = Model(y, layers.Dense(2, name="last")(inner(y))).profile(np.ones((3, 4), "float32"), verbose=0).rows
    assert [(r.layer, r.op) for r in rows] == [("inner/hidden", "dense"), ("inner/hidden", "tanh"), ("last", "dense")]


def test_rows_of_rewritten_nodes_keep_their_layer(each_backend):
    """Pooling goes before the activation, and a composite that an engine has no kernel for is expanded."""
    rows = model().profile(X, verbose=0).rows
    assert [r.layer for r in rows] == ["maps", "pool", "pool", "flat", "classes", "classes"]
    x = Input((4,))
    normed = Model(x, layers.LayerNormalization(name="norm")(x))
    assert {r.layer for r in normed.profile(np.ones((3, 4), "float32"), verbose=0).rows} == {"norm"}
