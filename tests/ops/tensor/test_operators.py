"""Operators, indexing and NumPy-style methods of symbolic tensors against NumPy, on every engine."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from support.running import run

from kbackend import K

RNG = np.random.default_rng(0)
A = RNG.uniform(0.5, 3.0, (2, 3)).astype("float32")
B = RNG.uniform(0.5, 3.0, (2, 3)).astype("float32")


# ---------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
def test_arithmetic_in_both_orders_and_with_numbers_and_arrays(each_backend, name):
    function = getattr(operator, name)
    for call in (
        lambda x: function(x, 2.0),
        lambda x: function(2.0, x),
        lambda x: function(x, 2),
        lambda x: function(3, x),
        lambda x: function(x, B),
        lambda x: function(B, x),
    ):
        symbol, value = run(call, A)
        assert symbol.dtype == "float32" and value.dtype == np.float32
        np.testing.assert_allclose(value, call(A), rtol=1e-5)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_comparisons(each_backend, name):
    function = getattr(operator, name)
    mixed = np.where(B > 1.5, A, B)
    for call in (lambda x: function(x, mixed), lambda x: function(x, 1.5), lambda x: function(1.5, x)):
        symbol, value = run(call, A)
        assert symbol.dtype == "bool"
        assert np.array_equal(value, call(A))


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_logic_of_bools(each_backend, name):
    function = getattr(operator, name)
    p, q = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert np.array_equal(run(function, p, q)[1], function(p, q))
    assert np.array_equal(run(lambda x: function(x, q), p)[1], function(p, q))
    assert np.array_equal(run(lambda x: ~x, p)[1], ~p)


def test_unary(each_backend):
    x = np.array([-1.5, -0.5, 0.5, 1.5, 2.5], "float32")
    for function in (operator.neg, operator.pos, abs, round):
        assert np.array_equal(run(function, x)[1], np.round(x) if function is round else function(x))


@pytest.mark.engine("numpy")
def test_comparing_with_what_is_no_tensor_is_left_to_python():
    x = K.placeholder((2,))
    for other in (None, "x", dict, {}):
        assert (x == other) is False
        assert (x != other) is True


@pytest.mark.engine("numpy")
def test_equal_of_shapes_that_do_not_broadcast_is_an_error():
    x, y = K.placeholder((2,)), K.placeholder((3,))
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\) do not broadcast"):
        assert x == y


@pytest.mark.engine("numpy")
def test_arithmetic_on_bools_is_an_error_that_names_the_op():
    p = K.placeholder((2,), dtype="bool")
    with pytest.raises(TypeError, match=r"add\(bool\[2\], bool\[2\]\)"):
        assert p + p


# ---------------------------------------------------------------------- @

MATMULS = [
    ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)),
    ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((0, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), MATMULS)
def test_matmul_operator_is_numpys(each_backend, left, right):
    x, y = RNG.normal(size=left).astype("float32"), RNG.normal(size=right).astype("float32")
    symbol, value = run(operator.matmul, x, y)
    assert symbol.shape == (x @ y).shape
    np.testing.assert_allclose(value, x @ y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(lambda t: t @ y, x)[1], x @ y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(lambda t: x @ t, y)[1], x @ y, rtol=1e-5, atol=1e-6)


@pytest.mark.engine("numpy")
def test_matmul_of_a_scalar_is_an_error():
    with pytest.raises(ValueError, match=r"use \*"):
        assert K.placeholder((2,)) @ 2.0


# ---------------------------------------------------------------------- indexing

ARRAY = np.arange(60, dtype="float32").reshape(3, 4, 5)
INDICES = [
    0, -1, slice(None), slice(1, None), slice(None, -1), slice(None, None, -1), slice(2, 0, -1), slice(0, 0),
    slice(-2, None), slice(0, 9, 2), slice(5, 2), None, Ellipsis, (), (1, 2), (1, 2, 3), (-1, slice(None), 0),
    (Ellipsis, 1), (slice(None), None, 2), (None, Ellipsis, None), (0, Ellipsis, slice(None, None, -1)),
    (slice(None), slice(3, None, -2), slice(None, None, 3)), np.int64(2),
    (slice(np.int32(1), None), np.int8(-1)),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
@pytest.mark.parametrize("dynamic", [False, True])
def test_indexing_is_numpys(each_backend, index, dynamic):
    symbol, value = run(lambda x: x[index], ARRAY, dynamic=dynamic)
    wanted = ARRAY[index]
    assert np.array_equal(value, wanted) and value.dtype == wanted.dtype
    assert len(symbol.shape) == wanted.ndim
    assert all(d in (None, n) for d, n in zip(symbol.shape, wanted.shape, strict=True))
    assert dynamic or symbol.shape == wanted.shape


@pytest.mark.parametrize(
    "index", [0, (slice(None), 2), (slice(2, 0, -1), slice(None), None), (Ellipsis, -1)], ids=repr
)
def test_gradients_of_indexing_go_where_the_elements_came_from(each_backend, index):
    x = K.placeholder((None, 4, 5))
    part = x[index]
    first = K.gradients(K.sum(part * part * part), [x])[0]
    second = K.gradients(K.sum(first * first), [x])[0]
    found = K.function([x], [first, second])([ARRAY / 10])
    wanted = np.zeros_like(ARRAY)
    wanted[index] = 1
    np.testing.assert_allclose(found[0], wanted * 3 * (ARRAY / 10) ** 2, rtol=1e-5)
    np.testing.assert_allclose(found[1], wanted * 36 * (ARRAY / 10) ** 3, rtol=1e-5)


def test_symbolic_integers_in_indices(each_backend):
    i = K.placeholder((), dtype="int32")
    x = K.placeholder((None, 4, 5))
    calls = [
        lambda x, i: x[i],
        lambda x, i: x[:, i],
        lambda x, i: x[i:],
        lambda x, i: x[:i, None],
        lambda x, i: x[::-1, i:3],
        lambda x, i: x[i::-1],
        lambda x, i: x[:-i],
        lambda x, i: x[i, ..., -1],
        lambda x, i: x[i, i, i:],
    ]
    symbols = [call(x, i) for call in calls]
    function = K.function([x, i], symbols)
    for number in (1, 2):
        for call, value in zip(calls, function([ARRAY, number]), strict=True):
            assert np.array_equal(value, call(ARRAY, number))
    with pytest.raises(IndexError):
        K.function([x, i], [x[i]])([ARRAY, 3])


def test_the_middle_of_an_unknown_length(each_backend):
    symbol, value = run(lambda x: x[K.shape(x)[0] // 2 :], ARRAY, dynamic=True)
    assert symbol.shape == (None, 4, 5)
    assert np.array_equal(value, ARRAY[1:])


def test_rows_by_integer_tensors_and_lists(each_backend):
    for rows in ([2, 0], np.array([[1, 1], [0, 2]], "int32")):
        assert np.array_equal(run(lambda x, rows=rows: x[rows], ARRAY)[1], ARRAY[rows])
    rows = np.array([2, 2, 1], "int64")
    assert np.array_equal(run(lambda x, r: x[r], ARRAY, rows)[1], ARRAY[rows])


@pytest.mark.engine("numpy")
def test_indices_that_cannot_be_are_refused_while_the_graph_is_built():
    x = K.placeholder((None, 4))
    with pytest.raises(IndexError, match="index 4 is out of range for axis 1 of size 4"):
        assert x[:, 4] is not None
    with pytest.raises(IndexError, match="3 indices for a tensor of rank 2"):
        assert x[0, 0, 0] is not None
    with pytest.raises(IndexError, match="only one Ellipsis"):
        assert x[..., ...] is not None
    with pytest.raises(IndexError, match="integers"):
        assert x[1.5] is not None
    with pytest.raises(ValueError, match="step"):
        assert x[::0] is not None
    for mask in (x > 0, np.array([True, False]), True, [True, False]):
        with pytest.raises(IndexError, match="bool|K.gather"):
            assert x[mask] is not None


@pytest.mark.parametrize("number", [3, -1])
def test_gather_out_of_range_and_minus_one_raise_index_error_and_change_nothing(each_backend, number):
    x, rows = K.placeholder((None, 2)), K.placeholder((None,), dtype="int32")
    steps = K.variable(0.0)
    function = K.function([x, rows], [K.gather(x, rows)], updates=[(steps, steps + 1.0)])
    with pytest.raises(IndexError):
        function([np.zeros((3, 2), "float32"), np.array([0, number], "int32")])
    assert K.get_value(steps) == 0.0
    with pytest.raises(IndexError):
        K.gather(np.zeros((3, 2), "float32"), np.array([0, number], "int32"))


@pytest.mark.engine("torch")
def test_gather_on_a_device_gives_nan_for_rows_that_are_not_there():
    import torch

    from kbackend_torch.kernels.indexing.gather import gather_without_waiting

    for shape in ((3, 2), (3,), (3, 2, 2)):
        table = torch.arange(float(np.prod(shape))).reshape(shape).requires_grad_()
        found = gather_without_waiting(table, torch.tensor([[2, -1], [3, 0]]))
        assert torch.equal(found[0, 0], table[2]) and torch.equal(found[1, 1], table[0])
        assert found[0, 1].isnan().all() and found[1, 0].isnan().all()
        gradient = torch.autograd.grad(found.nansum(), table)[0]
        assert torch.equal(gradient[1], torch.zeros_like(gradient[1])) and gradient.isfinite().all()


def test_gradients_of_gather_add_up_repeated_rows(each_backend):
    x, rows = K.placeholder((None, 2)), K.placeholder((None, 2), dtype="int32")
    picked = K.gather(x, rows)
    gradient = K.gradients(K.sum(picked * picked), [x])[0]
    table = RNG.normal(size=(4, 2)).astype("float32")
    numbers = np.array([[3, 0], [3, 3]], "int32")
    wanted = np.zeros_like(table)
    np.add.at(wanted, numbers, 2 * table[numbers])
    found = K.function([x, rows], [gradient])([table, numbers])[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    empty = K.function([x, rows], [gradient])([table, np.zeros((0, 2), "int32")])[0]
    assert np.array_equal(empty, np.zeros_like(table))


# ---------------------------------------------------------------------- methods

METHODS = {
    "sum": lambda x: x.sum(),
    "sum of an axis": lambda x: x.sum(axis=1),
    "kept": lambda x: x.sum(0, keepdims=True),
    "mean": lambda x: x.mean(-1),
    "max": lambda x: x.max((0, 1)),
    "min": lambda x: x.min(axis=2),
    "prod": lambda x: (x / 30).prod(1),
    "std": lambda x: x.std(0),
    "var": lambda x: x.var(),
    "any": lambda x: (x > 58).any(axis=0),
    "all": lambda x: (x > 5).all(axis=(1, 2)),
    "argmax": lambda x: x.argmax(),
    "argmin of an axis": lambda x: x.argmin(axis=-1),
    "reshape": lambda x: x.reshape(4, -1),
    "reshape by a tuple": lambda x: x.reshape((5, 12)),
    "T": lambda x: x.T,
    "transpose": lambda x: x.transpose(),
    "transpose of axes": lambda x: x.transpose(1, -1, 0),
    "transpose by a tuple": lambda x: x.transpose((0, 2, 1)),
    "flatten": lambda x: x.flatten(),
    "ravel": lambda x: x.ravel(),
    "astype": lambda x: x.astype("int32"),
    "clip": lambda x: x.clip(3, 9),
    "squeeze": lambda x: x[:1, :, 2:3].squeeze(),
    "squeeze an axis": lambda x: x[:1, :1].squeeze(axis=-2),
    "squeeze axes": lambda x: x[:1, :1].squeeze((0, -2)),
    "dot": lambda x: x.dot(np.ones((5, 2), "float32")),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_numpys(each_backend, name):
    symbol, value = run(METHODS[name], ARRAY)
    wanted = np.asarray(METHODS[name](ARRAY))
    assert value.shape == wanted.shape == symbol.shape
    np.testing.assert_allclose(value, wanted, rtol=1e-5)


def test_ndim_size_and_shape(each_backend):
    x = K.placeholder((None, 4, 5))
    assert x.ndim == 3 and x.shape == (None, 4, 5)
    assert K.function([x], [x.size])([ARRAY])[0] == 60
