"""Files that programs of Keras 2 write with the hook are those of Keras 2, also of layers that Keras 3 has not."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from kbackend import compat

h5py = pytest.importorskip("h5py")

SHAPES = {
    "LocallyConnected1D": ((5, 2), (3, 2)), "ThresholdedReLU": ((4,), (0.1,)), "CuDNNLSTM": ((4, 3), (2,)),
    "CuDNNGRU": ((4, 3), (2,)), "Highway": ((4,), ()), "MaxoutDense": ((4,), (3,)),
    "ConvLSTM2D": ((2, 4, 4, 1), (2, 2)),
    "Convolution2D": ((4, 4, 1), (2, 3, 2)), "AtrousConvolution1D": ((6, 2), (3, 2)),
    "Deconvolution2D": ((4, 4, 1), (2, 3, 2)),
}  # fmt: skip
WRITTEN = {"Convolution2D": "Conv2D", "AtrousConvolution1D": "Conv1D", "Deconvolution2D": "Conv2DTranspose"}


@pytest.fixture(scope="module")
def keras():
    compat.install()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import keras

            yield keras
    finally:
        compat.uninstall()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", SHAPES)
def test_a_layer_of_keras_2_is_saved_and_read(keras, name, tmp_path):
    shape, given = SHAPES[name]
    x = keras.layers.Input(shape)
    model = keras.models.Model(x, getattr(keras.layers, name)(*given)(x))
    data = np.random.default_rng(1).normal(size=(2, *shape))
    for ending in ("h5", "keras"):
        path = tmp_path / f"m.{ending}"
        model.save(str(path))
        again = keras.models.load_model(str(path))
        np.testing.assert_allclose(again.predict(data), model.predict(data), rtol=1e-5, atol=1e-6)
    with h5py.File(tmp_path / "m.h5") as file:
        assert file.attrs["keras_version"].startswith("2.")
        entries = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert entries[-1]["class_name"] == WRITTEN.get(name, name)
