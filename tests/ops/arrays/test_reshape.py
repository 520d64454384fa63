"""Shapes known in part, reshaping, products, creation and questions, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.running import run

from kbackend import K
from kbackend.declare.static_values import static_value
from kbackend.ops.linalg.batch_dot import batch_dot

RNG = np.random.default_rng(0)


# ---------------------------------------------------------------------- sizes known in part


@pytest.mark.engine("numpy")
def test_what_is_known_of_shapes_while_the_graph_is_built():
    x = K.placeholder((None, 3, 4))
    shape = K.shape(x)
    assert static_value(shape) == [None, 3, 4]
    assert static_value(shape[1]) == 3 and static_value(shape[0]) is None
    assert static_value(shape[1] * shape[2] - 2) == 10
    assert static_value(K.concatenate([shape[:1], [7], shape[:0:-1]], axis=0)) == [None, 7, 4, 3]
    assert static_value(K.stack([shape[0], shape[2] // 2, 5])) == [None, 2, 5]
    assert static_value(K.prod(shape[1:])) == 12 and static_value(K.prod(shape)) is None
    assert static_value(K.cast(shape, "int64")) == [None, 3, 4]
    assert static_value(K.reverse(shape, 0)) == [4, 3, None]
    assert static_value(K.maximum(shape, 4)) == [None, 4, 4]
    assert static_value(K.size(K.placeholder((2, 5)))) == 10
    assert static_value(K.placeholder((2,), dtype="int32")) == [None, None]
    assert static_value(K.placeholder((None,), dtype="int32")) is None
    assert static_value(shape[1] // (shape[1] - 3)) is None, "a division by zero is left to the run"


RESHAPES = {
    "first and a number": (lambda x, s: [s[0], 12], (None, 12)),
    "all but one unknown": (lambda x, s: (s[0], s[2], s[1]), (None, 4, 3)),
    "-1 beside a symbol": (lambda x, s: (s[0], -1), (None, None)),
    "products": (lambda x, s: (s[0] * s[1], s[2]), (None, 4)),
    "another tensor's shape": (lambda x, s: K.shape(K.placeholder((4, 9))), (4, 9)),
    "a vector of pieces": (lambda x, s: K.concatenate([s[:1], [2, 6]], axis=0), (None, 2, 6)),
    "known numbers": (lambda x, s: (-1, s[1] * s[2]), (None, 12)),
}


@pytest.mark.parametrize("name", RESHAPES)
def test_reshape_by_symbolic_shapes(each_backend, name):
    shape, static = RESHAPES[name]
    x = K.placeholder((None, 3, 4))
    y = K.reshape(x, shape(x, K.shape(x)))
    assert y.shape == static
    rows = 3 if static == (4, 9) else 5
    given = RNG.normal(size=(rows, 3, 4)).astype("float32")
    value = K.function([x], [y])([given])[0]
    assert np.array_equal(value.ravel(), given.ravel())
    assert all(d in (None, n) for d, n in zip(static, value.shape, strict=True))


def test_reshape_by_the_size_of_another_tensor_checks_it(each_backend):
    x, y = K.placeholder((None, 2)), K.placeholder((None, 3))
    function = K.function([x, y], [K.reshape(x, (K.shape(y)[0], 2))])
    assert function([np.ones((4, 2)), np.ones((4, 3))])[0].shape == (4, 2)
    if each_backend != "tensorflow":  # its graph optimizer infers a single unknown
        with pytest.raises((ValueError, RuntimeError)):
            function([np.ones((4, 2)), np.ones((5, 3))])


@pytest.mark.parametrize("rows", [0, 3])
def test_sizes_read_at_run_time(each_backend, rows):
    x = K.placeholder((None, 2))
    n = K.shape(x)[0]
    outputs = [
        K.zeros((n, 3)),
        K.ones(K.shape(x), dtype="int32"),
        K.full((2, n), 1.5),
        K.arange(n),
        K.broadcast_to(x, (2, n, 2)),
        K.tile(x, (2, n)),
        K.tile(x, n),
        K.arange(0, n, 2, dtype="float32"),
        K.batch_flatten(K.expand_dims(x, 1)),
        n,
        K.cast(n, "float32") * K.constant([1.0, 2.0]),
    ]
    given = RNG.normal(size=(rows, 2)).astype("float32")
    wanted = [
        np.zeros((rows, 3), "float32"),
        np.ones((rows, 2), "int32"),
        np.full((2, rows), 1.5, "float32"),
        np.arange(rows, dtype="int32"),
        np.broadcast_to(given, (2, rows, 2)),
        np.tile(given, (2, rows)),
        np.tile(given, rows),
        np.arange(0, rows, 2, dtype="float32"),
        given,
        np.int32(rows),
        np.array([rows, 2 * rows], "float32"),
    ]
    for value, expected in zip(K.function([x], outputs)([given]), wanted, strict=True):
        assert value.dtype == expected.dtype and np.array_equal(value, expected)


def test_batch_flatten_of_unknown_inner_dimensions(each_backend):
    x = K.placeholder((None, None, 2))
    y = K.batch_flatten(x)
    assert y.shape == (None, None)
    for shape in ((3, 4, 2), (0, 4, 2), (3, 0, 2)):
        assert K.function([x], [y])([np.zeros(shape, "float32")])[0].shape == (shape[0], shape[1] * 2)


@pytest.mark.engine("numpy")
def test_shapes_that_cannot_be_say_why():
    x = K.placeholder((None, 3))
    with pytest.raises(ValueError, match=r"use -1.*K\.shape"):
        K.reshape(x, (None, 3))
    with pytest.raises(TypeError, match="integer"):
        K.reshape(x, (1.5, 2))
    with pytest.raises(ValueError, match="at most one -1"):
        K.reshape(x, (-1, -1))
    with pytest.raises(ValueError, match="6 elements of shape"):
        K.reshape(K.placeholder((2, 3)), (4, 2))
    with pytest.raises(TypeError, match="integers"):
        K.reshape(x, K.placeholder((2,)))


# ---------------------------------------------------------------------- products

BATCH_DOTS = [
    ((3, 4), (3, 4), 1),
    ((3, 4), (3, 4), None),
    ((3, 2, 4), (3, 4), None),
    ((3, 4), (3, 4, 5), None),
    ((3, 2, 4), (3, 4, 5), None),
    ((3, 2, 4), (3, 5, 4), 2),
    ((3, 4, 2), (3, 4, 5), 1),
    ((3, 4, 2), (3, 5, 4), (1, 2)),
    ((3, 2, 5, 4), (3, 4, 6), (3, 1)),
    ((3, 2, 5, 4), (3, 6, 4, 2), (-1, 2)),
    ((3, 2, 5, 4), (3, 5), (2, 1)),
    ((3, 5), (3, 2, 5, 4), (1, -2)),
]


@pytest.mark.parametrize(("left", "right", "axes"), BATCH_DOTS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_batch_dot_is_a_product_for_each_sample(each_backend, left, right, axes, dynamic):
    x, y = RNG.normal(size=left).astype("float32"), RNG.normal(size=right).astype("float32")
    a, b = axes if isinstance(axes, tuple) else (axes, axes)
    if axes is None:
        a, b = len(left) - 1, max(len(right) - 2, 1)
    each = [np.tensordot(p, q, (a % len(left) - 1, b % len(right) - 1)) for p, q in zip(x, y, strict=True)]
    wanted = np.stack(each).reshape(3, -1) if len(left) == len(right) == 2 else np.stack(each)
    symbol, value = run(lambda s, t: batch_dot(s, t, axes), x, y, dynamic=dynamic)
    assert symbol.shape == (None if dynamic else 3, *wanted.shape[1:])
    np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-5)


def test_batch_dot_of_unknown_dimensions(each_backend):
    x, y = K.placeholder((None, None, None, None)), K.placeholder((None, None, None))
    z = K.batch_dot(x, y, (3, 2))
    p, q = RNG.normal(size=(2, 3, 4, 5)).astype("float32"), RNG.normal(size=(2, 6, 5)).astype("float32")
    np.testing.assert_allclose(
        K.function([x, y], [z])([p, q])[0], np.einsum("nabk,nck->nabc", p, q), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((2, 3), (3, 4)),
        ((2, 5, 3), (3, 4)),
        ((2, 3), (4, 3, 5)),
        ((2, 2, 3), (2, 4, 3, 5)),
        ((3,), (3,)),
        ((3,), (2, 3, 4)),
    ],
)
def test_dot_is_numpys(each_backend, left, right):
    x, y = RNG.normal(size=left).astype("float32"), RNG.normal(size=right).astype("float32")
    symbol, value = run(K.dot, x, y)
    assert symbol.shape == np.dot(x, y).shape
    np.testing.assert_allclose(value, np.dot(x, y), rtol=1e-5, atol=1e-6)


def test_dot_of_unknown_dimensions(each_backend):
    x, y = K.placeholder((None, None)), K.placeholder((None, None, None))
    p, q = RNG.normal(size=(2, 3)).astype("float32"), RNG.normal(size=(4, 3, 5)).astype("float32")
    np.testing.assert_allclose(
        K.function([x, y], [K.dot(x, y)])([p, q])[0], np.dot(p, q), rtol=1e-5, atol=1e-6
    )


# ---------------------------------------------------------------------- questions and creation


@pytest.mark.engine("numpy")
def test_questions():
    x, v = K.placeholder((None, 3)), K.zeros((2, 3))
    assert K.int_shape(x) == (None, 3) and K.int_shape(v) == (2, 3) and K.int_shape(np.zeros((4,))) == (4,)
    assert K.ndim(x) == 2 and K.dtype(K.cast(x, "int32")) == "int32" and K.dtype(v) == "float32"
    assert K.count_params(v) == 6
    with pytest.raises(ValueError, match="not known"):
        K.count_params(x)
    assert K.is_tensor(x) and K.is_tensor(v) and not K.is_tensor(np.zeros(2)) and not K.is_tensor([1.0])
    assert K.is_variable(v) and not K.is_variable(x)
    assert K.is_placeholder(x) and not K.is_placeholder(v) and not K.is_placeholder(3)
    assert not K.is_keras_tensor(x) and not K.is_keras_tensor(v) and not K.is_sparse(x)
    for other in (np.zeros(2), 1.0, "x", None):
        with pytest.raises(ValueError, match="needs a tensor"):
            K.is_keras_tensor(other)


def test_zeros_ones_and_eye_are_variables(each_backend):
    for made, wanted in (
        (K.zeros((2, 3)), np.zeros((2, 3), "float32")),
        (K.ones((2,), dtype="int32"), np.ones(2, "int32")),
        (K.eye(3), np.eye(3, dtype="float32")),
        (K.eye((2, 3), dtype="float64"), np.eye(2, 3)),
    ):
        assert K.is_variable(made)
        assert K.get_value(made).dtype == wanted.dtype and np.array_equal(K.get_value(made), wanted)


def test_likes_follow_their_operand(each_backend):
    x = K.placeholder((None, 2), dtype="int32")
    zeros, ones = K.function([x], [K.zeros_like(x), K.ones_like(x, dtype="float32")])(
        [np.ones((3, 2), "int32")]
    )
    assert zeros.dtype == np.int32 and np.array_equal(zeros, np.zeros((3, 2)))
    assert ones.dtype == np.float32 and np.array_equal(ones, np.ones((3, 2)))
    concrete = K.ones_like(np.zeros((2, 2), "float32"))
    assert not hasattr(concrete, "node") and np.array_equal(K.eval(concrete), np.ones((2, 2)))


@pytest.mark.parametrize(
    "given", [(5,), (2, 5), (5, 2, -1), (0, 1, 0.25, "float32"), (3, None, 1, "float64"), (0,)]
)
def test_ranges_are_numpys(each_backend, given):
    start, stop, *rest = (*given, None) if len(given) == 1 else given
    step, dtype = (*rest, *(1, "int32")[len(rest) :])
    wanted = np.arange(*((start, stop, step) if stop is not None else (0, start, step))).astype(dtype)
    value = K.eval(K.arange(*given))
    assert value.dtype == wanted.dtype and np.array_equal(value, wanted)


def test_numbers_can_be_stacked(each_backend):
    assert K.eval(K.stack([1, 2, 3])).tolist() == [1, 2, 3]
    x = K.placeholder(())
    assert K.function([x], [K.stack([x, 2.0])])([1.0])[0].tolist() == [1.0, 2.0]


@pytest.mark.engine("numpy")
def test_lists_are_asked_for_where_lists_are_needed():
    x = K.placeholder((2,))
    for function in (K.concatenate, K.stack):
        with pytest.raises(TypeError, match="list of tensors"):
            function(x)
        with pytest.raises(TypeError, match="non-empty"):
            function([])


def test_lists_of_one_are_joined_alike_at_each_call(each_backend):
    x = K.eval(K.constant([[1.0, 2.0]]))
    tensor = K.identity(x)  # the engine's own
    for function, wanted in ((K.concatenate, (1, 2)), (K.stack, (1, 1, 2))):
        for axis in (0, -1):
            shapes = {tuple(function([tensor], axis).shape) for _ in range(3)}
            assert shapes == {wanted if axis == 0 or function is K.concatenate else (1, 2, 1)}
