"""Integers that do not fit the dtype they go into are refused, and never wrap."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, dtypes, layers, metrics, ops, use_backend

BIG = 2**32 + 3


def test_converted_keeps_every_value():
    assert dtypes.converted(np.array([-128, 127]), "int8").tolist() == [-128, 127]
    assert dtypes.converted(np.array([], np.int64), "int8").dtype == np.int8
    assert dtypes.converted(np.array([2**63], np.uint64), "uint64").tolist() == [2**63]
    for value, dtype in ((128, "int8"), (-129, "int8"), (-1, "uint64"), (256, "uint8"), (2**31, "int32")):
        with pytest.raises(OverflowError, match=f"{value} does not fit {dtype}"):
            dtypes.converted(np.array([0, value]), dtype)
    with pytest.raises(OverflowError):
        dtypes.converted(np.array([2**63], np.uint64), "int64")


@pytest.mark.parametrize("make", [
    lambda: K.constant([BIG], dtype="int32"), lambda: K.variable(np.array([BIG]), dtype="int32"),
    lambda: K.arange(BIG, BIG + 2), lambda: ops.full((2,), BIG, dtype="int32"),
    lambda: K.placeholder((2,), dtype="int32") + BIG, lambda: ops.add(np.array([1], np.uint8), -300),
    lambda: ops.where(np.array([True]), np.array([3], np.int32), BIG),
    lambda: ops.pad(np.array([3], np.int32), 1, constant_values=BIG),
    lambda: K.set_value(K.variable([1], dtype="int32"), np.array([BIG]))])
@pytest.mark.engine("numpy")
def test_a_constant_outside_its_dtype_is_refused(make):
    with pytest.raises(OverflowError):
        make()


@pytest.mark.engine("numpy")
def test_numbers_that_meet_no_tensor_are_int64_where_they_need_it():
    with use_backend("numpy"):
        assert ops.convert_to_tensor([BIG]).tolist() == [BIG]
        assert ops.cast(BIG, "int64") == BIG
        assert ops.convert_to_tensor([3]).dtype == np.int32
        assert K.eval(K.zeros((1,), dtype="int64") + K.cast(BIG, "int64")).tolist() == [BIG]


@pytest.mark.engine("numpy")
def test_bounds_of_random_integers_must_fit_the_dtype():
    with pytest.raises(ValueError, match="do not fit int32"):
        kbackend.random.randint((2,), BIG, BIG + 5)
    assert K.eval(kbackend.random.randint((2,), 255, 256, "uint8")).tolist() == [255, 255]


def test_feeds_outside_the_dtype_of_an_input_are_refused(each_backend):
    x = K.placeholder((2,), dtype="int32", name="x")
    f = K.function([x], [x + 0])
    engine_tensor = ops.cast(np.array([BIG, 1]), "int64")
    for value in (np.array([BIG, 1]), [BIG, 1], engine_tensor):
        with pytest.raises(ValueError, match=f"'x': {BIG} does not fit int32"):
            f([value])
    assert f([np.array([2**31 - 1, -(2**31)])])[0].tolist() == [2**31 - 1, -(2**31)]
    wide = K.placeholder((2,), dtype="int64")
    assert K.function([wide], [wide % 1000])([np.array([2**40 + 7, 5])])[0].tolist() == [(2**40 + 7) % 1000, 5]


def test_data_and_labels_outside_their_dtype_are_refused(each_backend):
    ids = Input((1,), dtype="int32")
    with pytest.raises(ValueError, match=f"{BIG} does not fit int32"):
        Model(ids, layers.Embedding(5, 2)(ids)).predict(np.array([[BIG]]))
    x = Input((3,))
    model = Model(x, layers.Dense(5, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=f"{BIG} does not fit int32"):
        model.train_on_batch(np.ones((1, 3)), np.array([BIG]))


#: 2**32 more than a position that is there: cut to 32 bits it would be that position
WRAPPING = np.array([2**32 + 1, 2])


@pytest.mark.parametrize("call,expected", [
    (lambda: ops.scatter(WRAPPING[:, None], np.ones(2, "f"), (4,)), [0, 0, 1, 0]),
    (lambda: ops.scatter_update(np.zeros(4, "f"), WRAPPING[:, None], np.ones(2, "f")), [0, 0, 1, 0]),
    (lambda: ops.segment_sum(np.ones(2, "f"), WRAPPING, num_segments=4), [0, 0, 1, 0]),
    (lambda: K.one_hot(WRAPPING, 4), [[0, 0, 0, 0], [0, 0, 1, 0]]),
    (lambda: K.in_top_k(np.eye(4, dtype="f")[:2], WRAPPING - 1, 1), [False, True]),
    (lambda: metrics.MeanIoU(3)(WRAPPING, np.array([1, 2])), 1.0),
    (lambda: ops.fori_loop(2**32, 2**32 + 3, lambda i, x: x + 1.0, np.float32(0)), 3),
    (lambda: metrics.SparseCategoricalAccuracy()(WRAPPING, np.eye(4, dtype="f")[1:3]), 0.5),
])  # fmt: skip
def test_positions_and_labels_keep_their_digits(each_backend, call, expected):
    np.testing.assert_allclose(K.eval(K.constant(np.asarray(call()))), expected, rtol=1e-5)


@pytest.mark.parametrize("call", [
    lambda: K.gather(np.eye(4, dtype="f"), WRAPPING), lambda: ops.take(np.eye(4, dtype="f"), WRAPPING, axis=0),
    lambda: ops.take_along_axis(np.eye(4, dtype="f"), WRAPPING[None], axis=1),
    lambda: K.sparse_categorical_crossentropy(WRAPPING, np.ones((2, 4), "f")),
    lambda: K.ctc_batch_cost(WRAPPING[None] - 1, np.ones((1, 5, 3), "f"), np.array([[5]]), np.array([[2]])),
    lambda: K.ctc_batch_cost((WRAPPING[None] - 1.0), np.ones((1, 5, 3), "f"), np.array([[5]]), np.array([[2]])),
])  # fmt: skip
def test_positions_and_labels_out_of_range_are_refused(each_backend, call):
    with pytest.raises((IndexError, ValueError, OverflowError)):
        call()
