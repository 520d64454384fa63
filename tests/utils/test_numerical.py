"""Arrays of classes, of unit length and of equal length, against Keras 3; data sets in parts."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, utils

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("x", "count"), [
    ([0, 2, 1], None), ([0, 2, 1], 5), ([[1], [0]], None), ([[1, 2], [0, 3]], None), (np.array([1.0, 0.0]), None),
    ([1], 2),
])  # fmt: skip
def test_classes_are_those_of_keras(keras, x, count):
    found = utils.to_categorical(x, count)
    np.testing.assert_array_equal(found, keras.utils.to_categorical(x, count))
    assert found.dtype == np.float32


def test_classes_of_symbolic_tensors(each_backend):
    x = Input((1,))
    f = K.function([x], [utils.to_categorical(x, 3)])
    np.testing.assert_array_equal(f([[[2], [0]]])[0], [[0, 0, 1], [1, 0, 0]])


def test_classes_that_do_not_fit():
    for x, count, message in (([3], 3, "in 0 ... 2"), ([-1], 3, "they lie in -1"), ([0.5], None, "whole")):
        with pytest.raises(ValueError, match=message):
            utils.to_categorical(x, count)
    with pytest.raises(ValueError, match="needs num_classes"):
        utils.to_categorical(Input((1,)))
    assert utils.to_categorical(np.zeros((0,), int), 3).shape == (0, 3)


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_vectors_of_unit_length(each_backend, keras, axis, order):
    x = RNG.normal(size=(3, 4))
    x[1] = 0
    norm = (np.abs(x) ** order).sum(axis, keepdims=True) ** (1 / order)
    np.testing.assert_allclose(utils.normalize(x, axis, order), x / np.where(norm == 0, 1, norm), rtol=1e-12)
    if axis:  # Keras 3.15 fails for the first axis
        np.testing.assert_allclose(utils.normalize(x, axis, order), keras.utils.normalize(x, axis, order), rtol=1e-12)
    given = Input((4,))
    made = K.function([given], [utils.normalize(given, axis, order)])([x.astype("float32")])[0]
    np.testing.assert_allclose(made, utils.normalize(x, axis, order), rtol=1e-5, atol=1e-6)


def test_an_order_that_is_no_norm():
    with pytest.raises(ValueError, match="order must be a positive number, it is 0"):
        utils.normalize([1.0], order=0)


SEQUENCES = [[1, 2, 3], [4], [], [5, 6, 7, 8]]


@pytest.mark.parametrize("options", [
    {}, {"maxlen": 2}, {"maxlen": 6}, {"padding": "post"}, {"truncating": "post", "maxlen": 3}, {"value": 9},
    {"dtype": "float32", "value": 0.5}, {"maxlen": 2, "padding": "post", "truncating": "post"},
])  # fmt: skip
def test_padded_sequences_are_those_of_keras(keras, options):
    found = utils.pad_sequences(SEQUENCES, **options)
    expected = keras.utils.pad_sequences(SEQUENCES, **options)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_padded_sequences_of_vectors_and_of_text(keras):
    vectors = [np.ones((n, 2)) for n in (1, 3)]
    np.testing.assert_array_equal(utils.pad_sequences(vectors), keras.utils.pad_sequences(vectors))
    words = utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="pad")
    assert words.tolist() == [["pad", "a"], ["b", "c"]]
    assert utils.pad_sequences([["long"]], maxlen=2, dtype=str, value="x").tolist() == [["x", "long"]]


def test_sequences_that_do_not_fit():
    for arguments, message in (
        (([[1]], None, "int32", "left"), "padding must be 'pre' or 'post'"),
        (([np.ones((1, 2)), np.ones((1, 3))],), "one shape"),
        (([1, 2],), "sequence of sequences"),
        (([[1]], None, "int32", "pre", "pre", "x"), "use dtype=object"),
    ):
        with pytest.raises(ValueError, match=message):
            utils.pad_sequences(*arguments)


@pytest.mark.parametrize("options", [
    {"sequence_length": 4}, {"sequence_length": 3, "sequence_stride": 2}, {"sequence_length": 3, "sampling_rate": 2},
    {"sequence_length": 4, "batch_size": 3}, {"sequence_length": 2, "start_index": 3, "end_index": 12},
    {"sequence_length": 5, "sampling_rate": 2, "sequence_stride": 3, "start_index": 1},
])  # fmt: skip
@pytest.mark.parametrize("with_targets", [True, False])
def test_windows_are_those_of_keras(keras, options, with_targets):
    data = np.arange(40).reshape(20, 2)
    targets = np.arange(20) * 10 if with_targets else None
    ours = list(utils.timeseries_dataset_from_array(data, targets, **options))
    theirs = list(keras.utils.timeseries_dataset_from_array(data, targets, **options))
    assert len(ours) == len(theirs) > 0
    for a, b in zip(ours, theirs):
        for x, y in zip(a if with_targets else [a], b if with_targets else [b], strict=True):
            np.testing.assert_array_equal(x, np.asarray(y))


def test_windows_in_another_order_are_the_same_windows():
    made = utils.timeseries_dataset_from_array(np.arange(30), np.arange(30), 3, batch_size=4, shuffle=True, seed=1)
    first, second = ([int(y) for _, batch in made for y in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(28)) and first != second != sorted(second)
    assert all((x[:, 0] == y).all() for x, y in made)
    one = utils.timeseries_dataset_from_array(np.arange(5), None, 3, batch_size=None)
    assert [x.tolist() for x in one] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert len(made) == 7 and made[-1][0].shape == (4, 3)
    with pytest.raises(IndexError):
        made[7]


def test_windows_that_do_not_fit():
    for options, message in (
        ({"sequence_length": 0}, "sequence_length must be positive"),
        ({"sequence_length": 2, "start_index": 9}, "does not lie in the 5 steps"),
        ({"sequence_length": 2, "format": "csv"}, "format must be"),
    ):
        with pytest.raises(ValueError, match=message):
            utils.timeseries_dataset_from_array(np.arange(5), None, **options)


def test_batches_are_packed_and_unpacked(keras):
    for arguments in ((1,), ([1],), (1, 2), (1, 2, 3), ((1, 2),)):
        packed = utils.pack_x_y_sample_weight(*arguments)
        assert packed == keras.utils.pack_x_y_sample_weight(*arguments)
        assert utils.unpack_x_y_sample_weight(packed) == keras.utils.unpack_x_y_sample_weight(packed)
    assert utils.pack_x_y_sample_weight(1, None, 3) == (1, None, 3)  # Keras 3.15 loses the weights
    with pytest.raises(ValueError, match="it has 4 parts"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_data_in_two_parts():
    x = np.arange(10)
    left, right = utils.split_dataset(x, right_size=3)
    assert left.tolist() == list(range(7)) and right.tolist() == [7, 8, 9]
    (a, b), (c, d) = utils.split_dataset((x, x * 2), left_size=0.3, right_size=0.2, shuffle=True, seed=1)
    assert len(a) == 3 and len(c) == 2 and (b == 2 * a).all() and not set(a) & set(c)
    assert utils.split_dataset({"x": x}, left_size=4)[0]["x"].tolist() == [0, 1, 2, 3]
    assert utils.split_dataset(iter("abcd"), left_size=1) == (["a"], ["b", "c", "d"])
    windows = utils.timeseries_dataset_from_array(x, None, 2, batch_size=3)
    assert [len(part) for part in utils.split_dataset(windows, left_size=2)] == [2, 1]
    for options in ({}, {"left_size": 10}, {"left_size": 6, "right_size": 6}, {"left_size": 1.5}):
        with pytest.raises(ValueError):
            utils.split_dataset(x, **options)
    with pytest.raises(ValueError, match="different numbers"):
        utils.split_dataset((x, x[:3]), left_size=2)
