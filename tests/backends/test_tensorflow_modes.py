"""Contexts of TensorFlow around our calls: graphs, eager functions, tapes, devices."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, ops, use_backend

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.engine("tensorflow")

DATA = np.random.default_rng(0).random((8, 3)).astype("float32")


def model():
    x = Input((3,))
    made = Model(x, layers.Dense(1)(layers.BatchNormalization()(layers.Dense(4, activation="relu")(x))))
    made.compile("adam", "mse")
    return made


def test_a_model_made_trained_and_used_inside_a_graph_is_the_same_outside():
    with use_backend("tensorflow"):
        with tf.Graph().as_default() as graph:
            m = model()
            m.fit(DATA, DATA[:, 0], verbose=0)
            inside = m.predict(DATA)
            v = K.variable([1.0])
            K.set_value(v, [2.0])
            assert K.get_value(v).tolist() == [2.0]
            assert ops.add(np.ones(2, "float32"), 1.0).numpy().tolist() == [2.0, 2.0]
            assert not graph.get_operations()
        np.testing.assert_allclose(m.predict(DATA), inside)
        m.fit(DATA, DATA[:, 0], verbose=0)


def test_threads_inside_graphs_of_their_own_use_one_model():
    with use_backend("tensorflow"):
        m = model()
        expected, found = m.predict(DATA), []

    def predict() -> None:
        with use_backend("tensorflow"), tf.Graph().as_default():
            found.append(m.predict(DATA))

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all((f == expected).all() for f in found)


def test_functions_run_eagerly_and_recorded_by_a_tape():
    with use_backend("tensorflow"):
        m = model()
        expected = m.predict(DATA)
        tf.config.run_functions_eagerly(True)
        try:
            other = model()
            other.set_weights(m.get_weights())
            np.testing.assert_allclose(other.predict(DATA), expected, rtol=1e-6, atol=1e-7)
            other.fit(DATA, DATA[:, 0], verbose=0)
        finally:
            tf.config.run_functions_eagerly(False)
        with tf.GradientTape():
            np.testing.assert_allclose(m.predict(DATA), expected, rtol=1e-6, atol=1e-7)
            m.fit(DATA, DATA[:, 0], verbose=0)
