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


@pytest.fixture(scope="module")
def trained(keras):
    model = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,), name="d")])
    model.compile("rmsprop", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    return model


def test_files_of_any_name_are_hdf5(keras, trained, tmp_path):
    trained.save(filepath=str(tmp_path / "model"))
    trained.save_weights(filepath=str(tmp_path / "w.weights.h5"))
    assert h5py.is_hdf5(tmp_path / "model") and h5py.is_hdf5(tmp_path / "w.weights.h5")
    again = keras.models.load_model(filepath=str(tmp_path / "model"))
    for model in (again, trained):
        model.train_on_batch(np.ones((2, 3)), np.zeros((2, 2)))
    np.testing.assert_array_equal(again.get_weights()[0], trained.get_weights()[0])
    assert again.load_weights(str(tmp_path / "w.weights.h5"), by_name=True) == []  # names, unlike those of Keras 3


def test_files_are_replaced_after_a_question(keras, trained, tmp_path, monkeypatch):
    path = tmp_path / "m.h5"
    answers, questions = ["n", "maybe", "y"], []
    monkeypatch.setattr("builtins.input", lambda text: questions.append(text) or answers.pop(0))
    keras.models.save_model(trained, str(path), overwrite=False)
    before = path.stat().st_ino
    assert not questions
    trained.save(str(path), overwrite=False)
    assert path.stat().st_ino == before and len(questions) == 1
    trained.save_weights(str(path), False)
    assert path.stat().st_ino != before and len(questions) == 3


def test_the_state_of_an_optimizer_is_set_before_training(keras, trained):
    fresh = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    with pytest.raises(RuntimeError, match="is not compiled"):
        fresh._make_train_function()
    fresh.compile("rmsprop", "mse")
    fresh._make_train_function()
    fresh._make_test_function()
    fresh._make_predict_function()
    fresh.optimizer.set_weights(trained.optimizer.get_weights())
    np.testing.assert_array_equal(fresh.optimizer.get_weights()[1], trained.optimizer.get_weights()[1])


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_optimizers_with_a_decay_go_on_where_they_were(keras, ending, tmp_path):
    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(keras.optimizers.Adam(lr=0.1, decay=0.5), "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model.train_on_batch(x, y)
    path = str(tmp_path / f"m.{ending}")
    model.save(path)
    again = keras.models.load_model(path)
    assert again.optimizer.get_config()["decay"] == 0.5
    losses = [[each.train_on_batch(x, y) for _ in range(3)] for each in (model, again)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_processes_that_make_batches_import_keras(keras, tmp_path, monkeypatch):
    (tmp_path / "batches_of_keras_2.py").write_text(
        "import numpy as np\n"
        "from keras.utils import GeneratorEnqueuer, Sequence\n"  # the first of which Keras 3 has not
        "class Batches(Sequence):\n"
        "    def __len__(self):\n"
        "        return 2\n"
        "    def __getitem__(self, index):\n"
        "        return np.full((1, 3), index), np.ones((1, 2))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import batches_of_keras_2

    queue = keras.utils.OrderedEnqueuer(batches_of_keras_2.Batches(), use_multiprocessing=True)
    queue.start(workers=1)
    batches = queue.get()
    found = [next(batches)[0][0, 0] for _ in range(3)]
    queue.stop()
    assert found == [0, 1, 0]


def test_gpus_are_listed_as_programs_ask_for_them(keras):
    from keras import backend as K

    assert K.tensorflow_backend._get_available_gpus() == K._get_available_gpus()
    assert "cpu" not in K._get_available_gpus()
