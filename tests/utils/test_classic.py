"""Modules of Keras 2's keras.utils."""

from __future__ import annotations

import importlib
import time

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers, utils
from kbackend.utils import conv_utils, generic_utils, layer_utils, np_utils, vis_utils

MODULES = "classic conv_utils data_utils generic_utils io_utils layer_utils multi_gpu_utils np_utils vis_utils".split()


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_what_it_says(module):
    found = importlib.import_module(f"kbackend.utils.{module}")
    assert found.__all__ and not [name for name in found.__all__ if not hasattr(found, name)]
    with pytest.raises(AttributeError, match="has no attribute"):
        found.no_such_name  # noqa: B018


def test_lengths_are_those_of_convolutions():
    x = Input((11, 2))
    for padding in ("valid", "same", "causal"):
        for stride, dilation in ((1, 1), (2, 1), (3, 1), (1, 2)):
            made = layers.Conv1D(1, 3, strides=stride, dilation_rate=dilation, padding=padding)(x).shape[1]
            assert conv_utils.conv_output_length(11, 3, padding, stride, dilation) == made
    assert conv_utils.conv_output_length(11, 3, "full", 2) == 7
    image = Input((5, 5, 1))
    for padding in ("valid", "same"):
        for stride, extra in ((1, None), (2, None), (3, None), (2, 1)):
            layer = layers.Conv2DTranspose(1, 3, strides=stride, padding=padding, output_padding=extra)
            assert conv_utils.deconv_length(5, stride, 3, padding, extra) == layer(image).shape[1]
    assert conv_utils.deconv_length(5, 2, 3, "full", None) == 7 and conv_utils.deconv_length(5, 2, 3, "full", 1) == 8
    assert conv_utils.conv_input_length(5, 3, "valid", 2) == 11 and conv_utils.conv_input_length(5, 3, "same", 2) == 9
    unknown = [conv_utils.conv_output_length(None, 3, "same", 1), conv_utils.deconv_length(None, 1, 3, "same", None)]
    assert unknown == [None, None] and conv_utils.conv_input_length(None, 3, "same", 1) is None


def test_arguments_of_convolutions():
    assert conv_utils.normalize_tuple([1, np.int64(2)], 2, "strides") == (1, 2)
    assert conv_utils.normalize_padding("SAME") == "same"
    for call, message in (
        (lambda: conv_utils.normalize_tuple((1, 2, 3), 2, "strides"), "strides must be an integer or 2 integers"),
        (lambda: conv_utils.normalize_tuple(1.5, 2, "strides"), "strides must be an integer or 2 integers"),
        (lambda: conv_utils.normalize_padding("full"), "padding must be 'valid', 'same' or 'causal'"),
        (lambda: conv_utils.conv_output_length(3, 3, "wide", 1), "padding must be one of"),
        (lambda: conv_utils.conv_input_length(3, 3, "causal", 1), "it is 'causal'"),
        (lambda: conv_utils.deconv_length(3, 1, 3, "causal", None), "it is 'causal'"),
        (lambda: conv_utils.convert_kernel(np.zeros((2, 2))), "a kernel has three to five axes"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_kernels_are_mirrored_and_back():
    model = Sequential([layers.Conv2D(2, (2, 3), input_shape=(4, 4, 3)), layers.Flatten(), layers.Dense(2)])
    before = model.get_weights()
    layer_utils.convert_all_kernels_in_model(model)
    np.testing.assert_array_equal(model.get_weights()[0], before[0][::-1, ::-1])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
    assert layer_utils.count_params([*model.weights, model.weights[0]]) == sum(w.size for w in before)


def test_rows_of_dense_follow_the_layout():
    features = np.arange(12.0).reshape(1, 2, 2, 3)
    flat = layers.Dense(2, use_bias=False)
    last = Sequential([layers.Flatten(input_shape=(2, 2, 3)), flat])
    wanted = last.predict(features)
    layer_utils.convert_dense_weights_data_format(flat, (3, 2, 2), "channels_first")
    np.testing.assert_allclose(last.predict(features.transpose(0, 3, 1, 2).reshape(1, 2, 2, 3)), wanted, rtol=1e-5)
    layer_utils.convert_dense_weights_data_format(flat, (2, 2, 3), "channels_last")
    np.testing.assert_allclose(last.predict(features), wanted, rtol=1e-5)


def test_objects_by_name():
    config = generic_utils.serialize_keras_object(layers.Dense(3, name="d"))
    assert config["class_name"] == "Dense" and generic_utils.serialize_keras_object(None) is None
    assert generic_utils.deserialize_keras_object(config, {"Dense": layers.Dense}).units == 3
    assert isinstance(generic_utils.deserialize_keras_object("Flatten", {"Flatten": layers.Flatten}), layers.Flatten)
    assert generic_utils.deserialize_keras_object("f", custom_objects={"f": len}) is len
    with generic_utils.custom_object_scope({"f": len}, {"g": max}):
        assert generic_utils.deserialize_keras_object("g") is max
    for identifier, message in (
        ("Dens", "unknown layer 'Dens'; pass it in custom_objects. Did you mean 'Dense'"),
        (3, "no configuration of a layer"),
        ({"class_name": "Dense"}, "no configuration of a layer"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            generic_utils.deserialize_keras_object(identifier, {"Dense": layers.Dense}, printable_module_name="layer")
    with pytest.raises(ValueError, match="neither get_config nor a name"):
        generic_utils.serialize_keras_object(3)


def test_what_is_refused_says_what_to_do():
    for call, message in (
        (lambda: generic_utils.func_dump(len), "register_keras_serializable"),
        (lambda: generic_utils.func_load("code"), "pass it in custom_objects"),
        (lambda: utils.multi_gpu_model(None, 2), "set_device"),
    ):
        with pytest.raises(NotImplementedError, match=message):
            call()


def test_small_helpers():
    assert generic_utils.unpack_singleton([1]) == 1 and generic_utils.unpack_singleton([1, 2]) == [1, 2]
    assert generic_utils.is_all_none((None, None)) and not generic_utils.is_all_none([1])
    assert generic_utils.object_list_uid(len) == str(id(len))
    assert generic_utils.slice_arrays(None) == [None]
    assert generic_utils.slice_arrays([np.arange(3), None], [2, 0])[0].tolist() == [2, 0]
    assert generic_utils.transpose_shape((1, 2, 3), "channels_last", (1,)) == (1, 2, 3)
    assert generic_utils.has_arg(lambda **options: 0, "x", accept_all=True)
    assert generic_utils.getargspec(lambda x, y=1: x).args == ["x", "y"]
    with pytest.raises(ValueError, match=r"options has unknown keys \['b'\]"):
        generic_utils.check_for_unexpected_keys("options", {"a": 1, "b": 2}, ["a"])
    assert np_utils.to_categorical([1], 3, dtype="int8").dtype == np.int8


def test_models_are_drawn_with_the_old_arguments(tmp_path):
    x = Input((3,), name="given")
    vis_utils.plot_model(Model(x, layers.Dense(2, name="dense")(x)), tmp_path / "m.dot", True, True, "LR")
    text = (tmp_path / "m.dot").read_text()
    assert "LR" in text and "given" in text and "dense" in text


class Numbered(utils.Sequence):
    def __init__(self):
        super().__init__()
        self.passes = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        time.sleep(0.01 * (2 - index))
        return 10 * self.passes + index

    def on_epoch_end(self):
        self.passes += 1


def test_batches_come_in_order_whatever_worker_made_them():
    queue = utils.OrderedEnqueuer(Numbered())
    with pytest.raises(RuntimeError, match="call start"):
        queue.get()
    queue.start(workers=3, max_queue_size=4)
    assert queue.is_running() and [next(queue.get()) for _ in range(7)] == [0, 1, 2, 10, 11, 12, 20]
    queue.stop()
    assert not queue.is_running()
    shuffled = utils.OrderedEnqueuer(Numbered(), shuffle=True)
    shuffled.start()
    assert sorted(next(shuffled.get()) for _ in range(3)) == [0, 1, 2]
    shuffled.stop()


def test_errors_of_generators_reach_who_asks():
    def broken():
        yield 1
        raise KeyError("lost")

    queue = utils.GeneratorEnqueuer(broken())
    queue.start()
    assert next(queue.get()) == 1
    with pytest.raises(KeyError, match="lost"):
        next(queue.get())
    queue.stop()
    with pytest.raises(ValueError, match="cannot be given to a process"):
        utils.GeneratorEnqueuer(broken(), use_multiprocessing=True)


def test_rows_of_hdf5_files(tmp_path, engine):
    h5py = pytest.importorskip("h5py")
    values = np.arange(40, dtype="float64").reshape(10, 4)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = values, values[:, :1]
    rows = utils.HDF5Matrix(tmp_path / "data.h5", "x", 2, 8, normalizer=lambda a: (a / 10).astype("float32"))
    assert rows.shape == (6, 4) and rows.dtype == np.float32 and (rows.ndim, rows.size, len(rows)) == (2, 24, 6)
    whole = (values[2:8] / 10).astype("float32")
    for key in (0, -1, slice(1, 3), slice(None, None, 2), [4, 0, 0], np.array([True, False] * 3)):
        np.testing.assert_array_equal(rows[key], whole[key])
    np.testing.assert_array_equal(np.asarray(rows), whole)
    with pytest.raises(IndexError, match="do not lie in the 6"):
        rows[6]
    with pytest.raises(KeyError, match="has no array 'z'; it has x, y"):
        utils.HDF5Matrix(tmp_path / "data.h5", "z")
    with pytest.raises(IndexError, match="rows 4 to 11"):
        utils.HDF5Matrix(tmp_path / "data.h5", "x", 4, 11)
    model = Sequential([layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    model.fit(rows, utils.HDF5Matrix(tmp_path / "data.h5", "y", 2, 8), shuffle="batch", batch_size=2, verbose=0)
    np.testing.assert_allclose(model.predict(rows), model.predict(whole), rtol=1e-6)


@pytest.mark.parametrize("kind", ["file", "dict", "group"])
def test_a_dictionary_in_a_file(kind, tmp_path):
    h5py = pytest.importorskip("h5py")
    H5Dict = utils.io_utils.H5Dict
    memory = h5py.File("in memory", "w", driver="core", backing_store=False)
    place = {"file": tmp_path / "d.h5", "dict": {"old": 1}, "group": memory.create_group("g")}[kind]
    with H5Dict(place, "w") as held:
        held["name"], held["count"], held["array"] = "dense", 3, np.eye(3)
        held["names"] = [b"a" * 50_000, b"b" * 50_000]
        held["inner"]["deep"]["array"] = np.ones((2, 2))
        held.update({"name": "other"}, rate=0.5)
        with pytest.raises(ValueError, match="mode must be"):
            H5Dict(place, "x")
    with H5Dict(place, "r") as held:
        assert (held["name"], held["count"], held["rate"]) == ("other", 3, 0.5)
        assert list(held["names"]) == [b"a" * 50_000, b"b" * 50_000]
        assert held["array"].tolist() == np.eye(3).tolist() and held["inner"]["deep"]["array"].sum() == 4
        assert "names" in held and "old" not in held and held.get("absent", 7) == 7
        with pytest.raises(KeyError):
            held["absent"]
        with pytest.raises(ValueError, match="opened to be read"):
            held["inner"]["x"] = 1
    with pytest.raises(TypeError, match="it is of int"):
        H5Dict(3)


def test_rows_past_the_end_of_an_array_in_a_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.arange(5)
    rows = utils.HDF5Matrix(tmp_path / "x.h5", "x", end=4)
    assert rows[2:4].tolist() == rows[2:].tolist() == [2, 3]
    with pytest.raises(IndexError, match="row 4 does not lie in the 4"):
        rows[2:5]


def test_what_is_no_model_no_list_and_no_shape_is_said_to_be_none(tmp_path):
    for wrong in (3, [1], layers.Dense(2)):
        with pytest.raises(TypeError, match="must be a Model or Sequential, it is"):
            utils.plot_model(wrong, tmp_path / "m.png")
    with pytest.raises(ValueError, match="a sequence of sequences"):
        utils.pad_sequences(3)
    with pytest.raises(TypeError, match=r"must be a list or tuple, it is 3; a vector's is \(3,\)"):
        K.placeholder(3)
