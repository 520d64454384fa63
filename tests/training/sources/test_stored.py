"""Data sets of h5py as data: read a batch at a time, and what arrays give."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from kbackend import K, Sequential, layers

h5py = pytest.importorskip("h5py")
ROWS, WIDTH = 4_000, 256
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, WIDTH)).astype("float32")
Y = X[:, :1] * 0.5


@pytest.fixture
def stored(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.create_dataset("x", data=X, chunks=(100, WIDTH))
        file.create_dataset("wide", data=X.astype("float64"))
        file.create_dataset("y", data=Y[:, 0])
        yield file


def made():
    K.clear_session()
    K.set_seed(3)
    model = Sequential([layers.Dense(1, input_shape=(WIDTH,))])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("options", [
    {}, {"shuffle": False}, {"shuffle": "batch"}, {"validation_split": 0.25}, {"steps_per_epoch": 3},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", ["x", "wide"])
def test_fit_gives_what_arrays_give(each_backend, stored, options, name):
    one, other = (
        made().fit(x, y, batch_size=500, epochs=2, verbose=0, **options).history
        for x, y in ((X, Y), (stored[name], stored["y"]))
    )
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(one[key], other[key], rtol=1e-5)


def test_predict_evaluate_and_single_batches(each_backend, stored):
    model = made()
    np.testing.assert_allclose(model.predict(stored["x"], batch_size=300), model.predict(X, batch_size=300), rtol=1e-5)
    assert model.evaluate(stored["x"], stored["y"]) == pytest.approx(model.evaluate(X, Y), rel=1e-5)
    np.testing.assert_array_equal(model.predict_on_batch(stored["x"]), model.predict_on_batch(X))
    assert model.test_on_batch(stored["x"], stored["y"]) == pytest.approx(model.test_on_batch(X, Y), rel=1e-5)


@pytest.mark.parametrize("use", [
    lambda m, x, y: m.predict(x, batch_size=100),
    lambda m, x, y: m.evaluate(x, y, batch_size=100),
    lambda m, x, y: m.fit(x, y, batch_size=100, verbose=0),
    lambda m, x, y: m.fit(x, y, batch_size=100, verbose=0, shuffle="batch", validation_split=0.5),
], ids=["predict", "evaluate", "fit", "split"])  # fmt: skip
def test_a_batch_at_a_time_is_in_memory(stored, use):
    model = made()
    use(model, X[:200], Y[:200])
    tracemalloc.start()
    try:
        use(model, stored["x"], stored["y"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2


def test_data_that_does_not_fit_is_refused(stored):
    with pytest.raises(ValueError, match=r"input 'dense_1_input' must have the shape \(None, 256\), it has \(4000,\)"):
        made().predict(stored["y"])
