"""Everything that a NumPy user types on a tensor: each public name of NumPy's arrays is there, with NumPy's meaning and
argument names, or is refused with a reason."""

from __future__ import annotations

import copy
import math
import operator

import numpy as np
import pytest

from kbackend import K
from kbackend.graph.tensor import Tensor
from kbackend.ops.tensor.methods import REFUSED

RNG = np.random.default_rng(3)
X = RNG.permutation(np.linspace(-2.7, 3.9, 24)).astype("float32").reshape(2, 3, 4)
INTEGERS = RNG.integers(-40, 40, (3, 4)).astype("int32")
SQUARE = RNG.uniform(-2, 2, (3, 3)).astype("float32")
ORDERED = np.array([-1.0, 0.5, 0.5, 2.0], "float32")
POSITIVE = X > 0

#: name: calls of a method or attribute; each takes the array or the tensor
CALLS = {
    "T": [(X, lambda x: x.T), (ORDERED, lambda x: x.T)],
    "mT": [(X, lambda x: x.mT)],
    "all": [
        (POSITIVE, lambda x: x.all()), (POSITIVE, lambda x: x.all(1, keepdims=True)),
        (POSITIVE, lambda x: x.all(axis=(0, 2))), (POSITIVE, lambda x: x.all(axis=0, where=POSITIVE[0])),
    ],
    "any": [(POSITIVE, lambda x: x.any(-1)), (POSITIVE, lambda x: x.any(axis=0, where=~POSITIVE[0]))],
    "argmax": [
        (X, lambda x: x.argmax()), (X, lambda x: x.argmax(-2)), (X, lambda x: x.argmax(axis=0, keepdims=True)),
        (X, lambda x: x.argmax(keepdims=True)),
    ],
    "argmin": [(X, lambda x: x.argmin()), (X, lambda x: x.argmin(axis=1))],
    "argsort": [(X, lambda x: x.argsort()), (X, lambda x: x.argsort(axis=0)), (X, lambda x: x.argsort(None)),
                (ORDERED, lambda x: x.argsort(kind="stable"))],
    "astype": [(X, lambda x: x.astype("int32")), (X, lambda x: x.astype(np.float16)), (X, lambda x: x.astype(bool)),
               (INTEGERS, lambda x: x.astype(dtype="int64", casting="safe", copy=False))],
    "clip": [(X, lambda x: x.clip(-1, 2)), (X, lambda x: x.clip(min=0.5)), (X, lambda x: x.clip(max=0.5)),
             (INTEGERS, lambda x: x.clip(-5, 5))],
    "compress": [(X, lambda x: x.compress([0, 1, 1], axis=1)), (X, lambda x: x.compress([True, False, True]))],
    "conj": [(X, lambda x: x.conj())],
    "conjugate": [(X, lambda x: x.conjugate())],
    "copy": [(X, lambda x: x.copy()), (X, lambda x: x.copy(order="C"))],
    "cumprod": [(X, lambda x: x.cumprod()), (X, lambda x: x.cumprod(axis=1)), (X, lambda x: x.cumprod(-1, "float64"))],
    "cumsum": [(X, lambda x: x.cumsum()), (X, lambda x: x.cumsum(axis=0)), (INTEGERS, lambda x: x.cumsum(1)),
               (POSITIVE, lambda x: x.cumsum(2))],
    "diagonal": [(SQUARE, lambda x: x.diagonal()), (INTEGERS, lambda x: x.diagonal(1)),
                 (X, lambda x: x.diagonal(offset=-1, axis1=1, axis2=2))],
    "dot": [(X, lambda x: x.dot(np.ones((4, 2), "float32"))), (ORDERED, lambda x: x.dot(b=ORDERED)),
            (ORDERED, lambda x: x.dot(2.0))],
    "flatten": [(X, lambda x: x.flatten()), (X, lambda x: x.flatten("F")), (X, lambda x: x.flatten(order="C"))],
    "imag": [(X, lambda x: x.imag)],
    "max": [(X, lambda x: x.max()), (X, lambda x: x.max(axis=(0, 1), keepdims=True)), (INTEGERS, lambda x: x.max(1)),
            (X, lambda x: x.max(axis=1, initial=1.5)), (X, lambda x: x.max(axis=0, initial=-9.0, where=POSITIVE))],
    "mean": [(X, lambda x: x.mean()), (X, lambda x: x.mean(1, keepdims=True)), (INTEGERS, lambda x: x.mean(axis=0)),
             (POSITIVE, lambda x: x.mean(axis=0)), (X, lambda x: x.mean(axis=2, dtype="float64")),
             (X, lambda x: x.mean(where=POSITIVE)),
             (X, lambda x: x.mean(axis=0, where=np.array([[[True]], [[False]]])))],
    "min": [(X, lambda x: x.min(-1)), (X, lambda x: x.min(axis=1, initial=-0.5))],
    "nonzero": [(POSITIVE, lambda x: x.nonzero()[1])],
    "prod": [(X, lambda x: x.prod(1)), (INTEGERS, lambda x: x.clip(1, 3).prod(axis=1, initial=2)),
             (X, lambda x: x.prod(axis=-1, where=POSITIVE, keepdims=True))],
    "ravel": [(X, lambda x: x.ravel()), (X, lambda x: x.ravel(order="F"))],
    "real": [(X, lambda x: x.real)],
    "repeat": [(X, lambda x: x.repeat(2)), (X, lambda x: x.repeat([2, 0, 1], axis=1)), (X, lambda x: x.repeat(3, -1))],
    "reshape": [(X, lambda x: x.reshape(4, -1)), (X, lambda x: x.reshape((3, 8))), (X, lambda x: x.reshape(-1)),
                (X, lambda x: x.reshape(4, 6, order="F"))],
    "round": [(X, lambda x: x.round()), (X, lambda x: x.round(1)), (X * 100, lambda x: x.round(decimals=-2)),
              (INTEGERS, lambda x: x.round(-1)), (INTEGERS, lambda x: x.round(2)),
              (np.array([-25, -15, 5, 15, 25, 26], "int32"), lambda x: x.round(-1))],
    "searchsorted": [(ORDERED, lambda x: x.searchsorted(SQUARE)), (ORDERED, lambda x: x.searchsorted(0.5, "right")),
                     (ORDERED[::-1].copy(), lambda x: x.searchsorted(SQUARE, sorter=np.array([3, 2, 1, 0])))],
    "squeeze": [(X, lambda x: x[:1, :, 2:3].squeeze()), (X, lambda x: x[:1, :, 2:3].squeeze((0, -1))),
                (X, lambda x: x[:1].squeeze(axis=0))],
    "std": [(X, lambda x: x.std()), (X, lambda x: x.std(1, ddof=1)),
            (INTEGERS, lambda x: x.std(axis=0, keepdims=True))],
    "sum": [(X, lambda x: x.sum()), (X, lambda x: x.sum((0, -1))), (X, lambda x: x.sum(axis=1, keepdims=True)),
            (INTEGERS, lambda x: x.sum(0)), (POSITIVE, lambda x: x.sum(axis=2)), (X, lambda x: x.sum(dtype="float64")),
            (X, lambda x: x.sum(axis=0, initial=3.0)), (X, lambda x: x.sum(axis=0, where=POSITIVE[0]))],
    "swapaxes": [(X, lambda x: x.swapaxes(0, -1)), (X, lambda x: x.swapaxes(2, 1))],
    "take": [(X, lambda x: x.take([1, 23, -1])), (X, lambda x: x.take(np.array([[0, 2], [-1, 1]]), axis=1)),
             (X, lambda x: x.take(1, axis=0)), (X, lambda x: x.take([5, -4], axis=1, mode="wrap")),
             (X, lambda x: x.take(indices=[5, -4], axis=1, mode="clip"))],
    "trace": [(SQUARE, lambda x: x.trace()), (X, lambda x: x.trace(1, axis1=1, axis2=2)),
              (INTEGERS, lambda x: x.trace(offset=-1))],
    "transpose": [(X, lambda x: x.transpose()), (X, lambda x: x.transpose(1, -1, 0)),
                  (X, lambda x: x.transpose((2, 0, 1))), (X, lambda x: x.transpose(None))],
    "var": [(X, lambda x: x.var()), (X, lambda x: x.var(axis=(0, 1), ddof=1)), (X, lambda x: x.var(0, ddof=0.5)),
            (X, lambda x: x.var(axis=0, dtype="float64", keepdims=True))],
    "view": [(INTEGERS, lambda x: x.view("float32"))],
}  # fmt: skip

#: names whose meaning is not a value that NumPy computes; the test of each stands below
OTHERS = {"argpartition", "dtype", "item", "itemsize", "ndim", "shape", "size", "sort", "tolist"}


def test_every_public_name_of_numpys_arrays_is_there_or_refused_with_a_reason():
    names = {name for name in dir(np.ndarray) if not name.startswith("_")}
    there = {name for name in names if hasattr(Tensor, name)} | {"dtype", "shape"}
    assert names - there - set(REFUSED) == set(), "neither there nor refused"
    assert there & set(REFUSED) == set(), "there and refused"
    assert names - set(REFUSED) == set(CALLS) | OTHERS, "no test"
    assert all(len(reason) > 10 for reason in REFUSED.values())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_name_says_why(name):
    with pytest.raises(AttributeError) as caught:
        getattr(K.placeholder((2,)), name)
    assert repr(name) in str(caught.value) and REFUSED[name] in str(caught.value)
    assert not hasattr(K.placeholder((2,)), name)


def results(function, array, dynamic):
    shape = (None, *array.shape[1:]) if dynamic else array.shape
    symbol = K.placeholder(shape, dtype=str(array.dtype))
    result = function(symbol)
    return result, K.function([symbol], [result])([array])[0]


def assert_same(result, value, wanted, name):
    wanted = np.asarray(wanted)
    assert value.shape == wanted.shape and len(result.shape) == wanted.ndim, name
    assert all(d in (None, n) for d, n in zip(result.shape, wanted.shape, strict=True)), name
    assert value.dtype.kind == wanted.dtype.kind and result.dtype == value.dtype.name, name
    np.testing.assert_allclose(
        np.asarray(value, "float64"), np.asarray(wanted, "float64"), rtol=2e-6, atol=2e-6, err_msg=name
    )


#: methods that need all sizes along the axes that they join, or positions, while the graph is built
STATIC = {("repeat", 1), ("diagonal", 0), ("trace", 0), ("diagonal", 1), ("trace", 2)}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_methods_have_numpys_meaning(each_backend, name):
    symbols, arrays, calls = [], [], []
    for number, (array, call) in enumerate(CALLS[name]):
        for dynamic in (False, True):
            if dynamic and ((name, number) in STATIC or name in ("squeeze", "view")):
                continue
            symbol = K.placeholder((None, *array.shape[1:]) if dynamic else array.shape, dtype=str(array.dtype))
            symbols.append(symbol)
            arrays.append(array)
            calls.append((call, call(symbol), f"{name} {number}{' dynamic' if dynamic else ''}"))
    values = K.function(symbols, [result for _, result, _ in calls])(arrays)
    for (call, result, text), array, value in zip(calls, arrays, values, strict=True):
        assert_same(result, value, call(array), text)


def test_sorting_gives_a_new_tensor(each_backend):
    for axis in (-1, 0, 1):
        assert_same(*results(lambda x, axis=axis: x.sort(axis), X, False), np.sort(X, axis), "sort")
        _, places = results(lambda x, axis=axis: x.argpartition(1, axis), X, False)
        parted = np.take_along_axis(X, places, axis)
        assert np.array_equal(np.take(parted, 1, axis), np.take(np.sort(X, axis), 1, axis))
    assert_same(*results(lambda x: x.sort(None), X, True), np.sort(X, None), "sort")


def test_attributes_and_values_of_tensors_without_placeholders(each_backend):
    c = K.constant([[1.5, 2.0], [3.0, 4.0]])
    assert (c.ndim, c.shape, c.dtype, c.itemsize) == (2, (2, 2), "float32", 4)
    assert int(c.size) == 4
    assert c.tolist() == [[1.5, 2.0], [3.0, 4.0]] and c.item(1) == c.item((0, 1)) == 2.0 and c[0, 0].item() == 1.5
    assert c.numpy().dtype == np.float32 and np.asarray(c, "float64").dtype == np.float64
    with pytest.raises(ValueError, match="'fed'"):
        K.placeholder((2,), name="fed").tolist()
    with pytest.raises(ValueError, match="'fed'"):
        K.placeholder((), name="fed").item()


# ------------------------------------------------------------------------------------- operators

BINARY = [
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lt", "le", "gt", "ge", "eq", "ne",
]  # fmt: skip
BITWISE = ["and_", "or_", "xor", "lshift", "rshift"]


def test_every_operator_of_numpys_arrays_is_there():
    missing = {name for name in dir(np.ndarray) if name.startswith("__") and not hasattr(Tensor, name)}
    in_place = {name for name in missing if name.startswith("__i") and f"__{name[3:-2]}__" in dir(Tensor)}
    assert missing - in_place - {"__buffer__"} == {  # which Python has from 3.12 on
        "__array_finalize__", "__array_function__", "__array_interface__", "__array_namespace__", "__array_struct__",
        "__array_wrap__", "__class_getitem__", "__copy__", "__deepcopy__", "__delitem__", "__dlpack__",
        "__dlpack_device__", "__setstate__",
    }  # fmt: skip


@pytest.mark.parametrize("name", [*BITWISE, "floordiv", "mod", "sub", "eq", "lt"])
def test_operators_of_integers_in_both_orders(each_backend, name):
    function = getattr(operator, name)
    counts = (np.abs(INTEGERS) % 5 + 1).astype("int32")
    for call in (lambda x: function(x, counts), lambda x: function(x, 3), lambda x: function(counts, x % 4 + 1),
                 lambda x: function(57, x % 4 + 1)):  # fmt: skip
        assert_same(*results(call, INTEGERS, True), call(INTEGERS), name)


def test_operators_that_python_makes_of_others(each_backend):
    for call in (
        lambda x: divmod(x, 2.5)[0], lambda x: divmod(x, 2.5)[1], lambda x: divmod(7.0, x)[1],
        lambda x: divmod(X[0], x)[0], lambda x: pow(x, 2), lambda x: pow(x, 2, None), lambda x: +x, lambda x: -x,
        abs, lambda x: [v for v in x][1],
    ):  # fmt: skip
        assert_same(*results(call, X, False), call(X), "operator")
    for digits in (None, 1):
        wanted = X.round(digits or 0)
        assert_same(*results(lambda x, digits=digits: round(x, digits), X, False), wanted, "round")

    def in_place(x):
        x = x + 0
        x += 1
        x *= x
        x -= 0.5
        return x

    assert_same(*results(in_place, X, True), in_place(X), "in place")
    assert_same(*results(operator.invert, INTEGERS, True), ~INTEGERS, "invert")


def test_numpys_functions_reach_the_methods():
    x = K.placeholder((None, 3), name="x")
    for function in (np.sum, np.mean, np.max, np.cumsum, np.argmax, np.std):
        assert isinstance(function(x, axis=1), Tensor), function
    assert np.reshape(x, (3, -1)).shape == (3, None) and np.transpose(x).shape == (3, None)


def test_conversions_to_python_numbers(each_backend):
    assert float(K.constant(2.5)) == 2.5 and int(K.constant(2.5)) == 2 and complex(K.constant([2.0])) == 2 + 0j
    assert bool(K.constant(2.0) > 1.0) is True and bool(K.constant(0.0)) is False
    assert [10, 20, 30][K.constant(2, dtype="int32")] == 30 and len(range(K.constant(3, dtype="int32"))) == 3
    assert math.floor(K.constant(1.5)) == 1 and f"{float(K.constant(1.5)):.2f}" == "1.50"


@pytest.mark.engine("numpy")
def test_conversions_that_cannot_be_say_why():
    fed = K.placeholder((), name="fed")
    for convert in (float, int, complex):
        with pytest.raises(TypeError, match="'fed'"):
            convert(fed)
        with pytest.raises(TypeError, match="one element"):
            convert(K.constant([1.0, 2.0]))
    with pytest.raises(TypeError, match="'counted'"):
        operator.index(K.placeholder((), dtype="int32", name="counted"))
    for wrong in (K.constant(1.0), K.constant([1], dtype="int32"), K.constant(True)):
        with pytest.raises(TypeError, match="integer scalar"):
            operator.index(wrong)
    for tensor in (fed, K.variable(1.0), K.variable(1.0) > 0.0, K.random_uniform((), seed=1)):
        with pytest.raises(TypeError, match="truth value"):
            bool(tensor)
    with pytest.raises(ValueError, match="more than one element"):
        bool(K.constant([1.0, 2.0]))


@pytest.mark.engine("numpy")
def test_what_tensors_refuse_says_what_to_do():
    x = K.placeholder((2, 3), name="x")
    with pytest.raises(TypeError, match="slice_update"):
        x[0] = 1.0
    with pytest.raises(TypeError, match=r"K\.any"):
        assert 1.0 in x
    with pytest.raises(TypeError, match="modulus"):
        pow(x, 2, 5)
    for call in (x.sum, x.clip, x.round, x.cumsum, x.argmax, x.std):
        with pytest.raises(TypeError, match="never changes"):
            call(out=np.zeros(3))
    with pytest.raises(TypeError, match="dtype|integers"):
        x << 1
    with pytest.raises(ValueError, match="order"):
        x.reshape(6, order="Z")
    with pytest.raises(ValueError, match="mode"):
        x.take([0], mode="no")
    with pytest.raises(ValueError, match="initial"):
        x.max(where=X[0, :2, :3] > 0)
    with pytest.raises(TypeError, match="safe"):
        x.astype("int32", casting="safe")
    with pytest.raises(TypeError, match="compress"):
        x.compress(K.placeholder((3,), dtype="bool"), axis=1)
    assert copy.deepcopy(K.variable(1.0)) is not None


# ------------------------------------------------------------------------------------- indexing with arrays

A = np.arange(120, dtype="float32").reshape(3, 4, 5, 2)
ROWS = np.array([[2, -1], [0, 1]])
ARRAYS = [
    [2, 0, -1], ROWS, ([0, -1], [1, -4]), (ROWS, [0, 1]), (slice(None), [3, 0]), (slice(None), ROWS, [1, -5]),
    ([0, 1], slice(None), [2, 3]), (0, slice(None), [2, 3]), ([0, 1], 2), (2, [0, 1]), (slice(None), 1, ROWS),
    (None, [0, 1]), ([0, 1], None, [1, 2]), (Ellipsis, [1, 0]), ([1, 2], Ellipsis, 0), (slice(2, 0, -1), [0, -2]),
    (slice(None), [0, 1], slice(None, None, -1), [1]), [], (slice(None), []), np.zeros((0, 2), int),
    A[:, 0, 0, 0] > 20, (slice(None), np.array([True, False, True, True])), A[..., 0, 0] > 30, A > 50,
    (np.array([True, False, True]), [1, 2]), (slice(None), A[0, ..., 0] > 12, 1), [True, False, False], ((0, 1),),
    (np.array([True, False, True]), slice(None), [0, 3]),
]  # fmt: skip


def test_indexing_with_arrays_is_numpys(each_backend):
    fixed, unknown = K.placeholder(A.shape), K.placeholder((None, None, 5, None))
    calls = [(fixed, index) for index in ARRAYS]
    calls += [(unknown, index) for index in ARRAYS if not _has_mask(index)]
    results = [x[index] for x, index in calls]
    for (x, index), result, value in zip(calls, results, K.function([fixed, unknown], results)([A, A]), strict=True):
        wanted = A[index]
        assert np.array_equal(value, wanted), (index, value.shape, wanted.shape)
        assert len(result.shape) == wanted.ndim, index
        assert all(d in (None, n) for d, n in zip(result.shape, wanted.shape, strict=True)), index
        assert x is unknown or result.shape == wanted.shape, index


def _has_mask(index):
    entries = index if isinstance(index, tuple) else (index,)
    return any(np.asarray(e).dtype == bool for e in entries if isinstance(e, (list, np.ndarray)))


def test_symbolic_positions_count_from_the_end_and_are_checked(each_backend):
    x, i, j = K.placeholder((None, 4)), K.placeholder((None,), dtype="int32"), K.placeholder((2, 1), dtype="int64")
    table = np.arange(12, dtype="float32").reshape(3, 4)
    rows, columns = np.array([-1, 0], "int32"), np.array([[3], [-4]])
    function = K.function([x, i, j], [x[i], x[:, i], x[i, j], x[i, 1], x[[K.shape(x)[0] - 1, 0]]])
    wanted = [table[rows], table[:, rows], table[rows, columns], table[rows, 1], table[[2, 0]]]
    for value, right in zip(function([table, rows, columns]), wanted, strict=True):
        assert np.array_equal(value, right)
    inner = np.array([-2, -2], "int32")  # a wrong column is then another row's right one
    for bad in ((np.array([3, 0], "int32"), columns), (inner, np.array([[4], [0]])), (inner, np.array([[-5], [0]]))):
        with pytest.raises(IndexError):
            function([table, *bad])
        with pytest.raises(IndexError):
            K.function([x, i, j], [x[i, j]])([table, *bad])


def test_gradients_of_indexing_with_arrays(each_backend):
    x = K.placeholder((None, 4))
    table = np.arange(12, dtype="float32").reshape(3, 4)
    part = x[[0, 0, -1], [1, 1, 2]]
    gradient = K.function([x], [K.gradients(K.sum(part * part), [x])[0]])([table])[0]
    wanted = np.zeros_like(table)
    np.add.at(wanted, ([0, 0, -1], [1, 1, 2]), 2 * table[[0, 0, -1], [1, 1, 2]])
    assert np.array_equal(gradient, wanted)


@pytest.mark.engine("numpy")
def test_arrays_that_cannot_be_indices_are_refused_while_the_graph_is_built():
    x = K.placeholder((None, 4))
    cases = {
        "index 4 is out of range for axis 1 of size 4": (slice(None), [0, 4]),
        "index -5 is out of range": ([0], [-5]),
        r"\(2,\) and \(3,\) do not broadcast": ([0, 1], [0, 1, 2]),
        "3 indices for a tensor of rank 2": ([0], 0, [0]),
        "only one Ellipsis": (..., [0], ...),
        "integers, not float": [0.5, 1.0],
        r"a bool mask of shape \(2,\) does not fit the dimensions \(4,\)": (0, np.array([True, False])),
        "not known while the graph is built": x > 0,
    }
    for message, index in cases.items():
        with pytest.raises(IndexError, match=message):
            assert x[index] is not None
