"""Models and weights in open HDF5 files, groups in them, and streams of bytes; weights that do not fit."""

import io

import numpy as np
import pytest

from kbackend import Input, Model, layers
from kbackend.models import load_model
from kbackend.saving import FormatError

h5py = pytest.importorskip("h5py")
DATA = np.arange(6.0).reshape(2, 3) / 6


def made(units=2, name="second"):
    x = Input((3,))
    return Model(x, layers.Dense(units, name=name)(layers.Dense(4, name="first")(x)))


@pytest.fixture(scope="module")
def model():
    found = made()
    found.compile("sgd", "mse")
    return found


def same(first, second):
    return np.array_equal(first.predict(DATA), second.predict(DATA))


def test_an_open_file_and_groups_in_it(model, tmp_path):
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        file["other"] = [1.0]
        for place in (file, file.create_group("runs/best")):
            model.save(place)
            model.save(place)  # in place of the first
            assert same(load_model(place), model)
        assert list(file["other"]) == [1.0] and "model_weights" in file["runs/best"]
        model.save_weights(file.create_group("weights"))
        again = made()
        assert again.load_weights(file["weights"], by_name=True) == [] and same(again, model)
    with pytest.raises(FormatError, match=r"x\.h5: /g: h5: g: the attribute|x\.h5: /g: .*weights alone"):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            load_model(file.create_group("g"))


def test_streams(model, tmp_path):
    stream = io.BytesIO()
    model.save(stream)
    with pytest.raises(FormatError, match=r"BytesIO: the stream is empty from its position on; stream\.seek\(0\)"):
        load_model(stream)
    stream.seek(0)
    assert same(load_model(stream), model)
    with open(tmp_path / "m.h5", "wb") as file:
        model.save(file)
    assert same(load_model(tmp_path / "m.h5"), model)
    model.save(tmp_path / "m.kb")
    with open(tmp_path / "m.kb", "rb") as file:
        assert same(load_model(file), model)
    with open(tmp_path / "m.kb", encoding="latin1") as file:
        with pytest.raises(FormatError, match=r"m\.kb: it is a stream of text"):
            load_model(file)


def test_what_cannot_be_written_leaves_the_group(model):
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        model.save(file)
        with pytest.raises(ValueError, match="keras_version must be 2 or 3"):
            model.save(file, keras_version=1)
        assert same(load_model(file), model)


def test_weights_by_layer_in_h5(model, tmp_path):
    path = tmp_path / "w.h5"
    model.save_weights(path)
    with h5py.File(path) as file:
        assert [name.decode() for name in file.attrs["layer_names"]][1:] == ["first", "second"]
    other = made(name="third")
    assert other.load_weights(path, by_name=True) == ["third"]
    assert other.load_weights(path) == [] and same(other, model)


def test_layers_that_are_skipped_are_named_in_a_warning(model, tmp_path):
    model.save_weights(tmp_path / "w.h5")
    other = made(units=3)
    with pytest.warns(UserWarning, match=r"second: second/kernel has shape \(4, 3\), the file has \(4, 2\)"):
        assert other.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True) == ["second"]


def test_weights_of_another_shape_are_reshaped_where_that_is_asked_for(tmp_path):
    x = Input((1, 1, 3))
    dense = Model(x, layers.Dense(2, name="last")(layers.Flatten()(x)))
    conv = Model(x, layers.Flatten()(layers.Conv2D(2, 1, name="last")(x)))
    larger = Model(x, layers.Conv2D(4, 1, name="last")(x))
    data = DATA.reshape(2, 1, 1, 3)
    for name in ("w.h5", "w.safetensors"):
        dense.save_weights(tmp_path / name)
        with pytest.raises(FormatError, match=r"last/kernel has shape \(1, 1, 3, 2\), the file has \(3, 2\)"):
            conv.load_weights(tmp_path / name, by_name=True)
        assert conv.load_weights(tmp_path / name, by_name=True, reshape=True) == []
        np.testing.assert_allclose(conv.predict(data), dense.predict(data), rtol=1e-6)
        with pytest.raises(FormatError, match=r"\(1, 1, 3, 4\)"):
            larger.load_weights(tmp_path / name, reshape=True)
