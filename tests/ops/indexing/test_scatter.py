"""Segments, scattering, searching and counting against loops and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K, ops
from kbackend.ops.indexing.scatter import scatter, scatter_update
from kbackend.ops.indexing.searching import nonzero, searchsorted
from kbackend.ops.indexing.segment import segment_prod, segment_sum
from kbackend.ops.indexing.sorting import argpartition
from kbackend.ops.statistics.membership import bincount, digitize, histogram, unique

IDS = np.array([2, 0, 2, -1, 5, 2, 0], np.int32)
DATA = np.random.RandomState(0).randn(7, 3)
UFUNCS = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min}
EMPTY = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}


def by_hand(how, data, ids, count):
    return np.stack([UFUNCS[how](data[ids == i], axis=0) if (ids == i).any() else
                     np.full(data.shape[1:], EMPTY[how]) for i in range(count)])


@pytest.mark.parametrize("how", UFUNCS)
def test_segments_are_those_of_a_loop(each_backend, how):
    x, ids = K.placeholder((None, 3), dtype="float64"), K.placeholder((None,), dtype="int32")
    function = getattr(ops, f"segment_{how}")
    fixed, free = K.function([x, ids], [function(x, ids, 4), function(x, ids)])([DATA, IDS])
    np.testing.assert_allclose(fixed, by_hand(how, DATA, IDS, 4), rtol=1e-12)
    np.testing.assert_allclose(free, by_hand(how, DATA, IDS, 6), rtol=1e-12)


@pytest.mark.parametrize("how", UFUNCS)
def test_second_derivatives_of_segments(each_backend, how):
    """The gradient of the gradient's squares, by central differences of the gradient."""
    x = K.placeholder((5,), dtype="float64")
    out = getattr(ops, f"segment_{how}")(x * x, np.array([1, 0, 1, 1, 0], np.int32), 2)
    (slope,) = K.gradients(K.sum(out), [x])
    (second,) = K.gradients(K.sum(slope * slope), [x])
    at = np.array([0.5, 1.5, 0.7, -1.1, 0.9])
    value = K.function([x], [K.sum(slope * slope)])
    steps = np.eye(5) * 1e-5
    wanted = [(float(value([at + d])[0]) - float(value([at - d])[0])) / 2e-5 for d in steps]
    np.testing.assert_allclose(K.function([x], [second])([at])[0], wanted, rtol=1e-6, atol=1e-6)


def test_a_product_with_two_zeros_has_no_gradient(each_backend):
    x = K.placeholder((4,), dtype="float64")
    (slope,) = K.gradients(K.sum(segment_prod(x, np.array([0, 0, 0, 1], np.int32), 2)), [x])
    np.testing.assert_array_equal(K.function([x], [slope])([np.array([0.0, 0.0, 3.0, 2.0])])[0], [0, 0, 0, 1])


def test_sums_of_float16_accumulate_in_float32(each_backend):
    data = np.full(4096, 0.25, np.float16)
    assert float(K.eval(segment_sum(data, np.zeros(4096, np.int32), 1))[0]) == 1024.0


@pytest.mark.parametrize("how", [None, "add", "max", "min", "mul"])
def test_scatter_update_is_a_loop(each_backend, how):
    rng = np.random.RandomState(1)
    x, new, at = rng.randn(3, 4), rng.randn(20), rng.randint(0, 3, (20, 2)).astype("int32")
    at[3] = (1, 9)
    work = {None: lambda old, n: n, "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[how]
    wanted = x.copy()
    for (i, j), n in zip(at, new):
        if j < 4:
            wanted[i, j] = work(wanted[i, j], n)
    a, b, c = (K.placeholder((None, *v.shape[1:]), dtype=str(v.dtype)) for v in (x, at, new))
    found = K.function([a, b, c], [scatter_update(a, b, c, how)])([x, at, new])[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    np.testing.assert_allclose(K.eval(scatter_update(x, at, new, how)), wanted, rtol=1e-12)


def test_scatter_takes_symbolic_dimensions(each_backend):
    n = K.placeholder((), dtype="int32")
    found = scatter(np.array([[0], [2], [0]], np.int32), K.constant([1.0, 2.0, 4.0]), (n,))
    np.testing.assert_array_equal(K.function([n], [found])([4])[0], [5, 0, 2, 0])


def test_bincount(each_backend):
    x, w = np.array([3, 1, 1, 0], np.int32), np.array([0.5, 1.0, 2.0, 4.0], np.float32)
    np.testing.assert_array_equal(K.eval(bincount(x)), np.bincount(x))
    np.testing.assert_array_equal(K.eval(bincount(x, w, 6)), np.bincount(x, w, 6))
    rows = K.placeholder((None, 4), dtype="int32")
    found = K.function([rows], [bincount(rows)])([np.stack([x, x + 1])])[0]
    np.testing.assert_array_equal(found, [np.bincount(x, minlength=5), np.bincount(x + 1)])
    with pytest.raises(ValueError, match="sparse"):
        bincount(x, sparse=True)


SORTED = np.array([-np.inf, -2.0, 0.0, 0.0, 1.5, np.inf, np.nan])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_is_numpys(each_backend, dtype, side):
    edges = SORTED.astype(dtype)
    wanted = np.searchsorted(edges, np.append(edges, edges[1:] / 2), side)
    np.testing.assert_array_equal(K.eval(searchsorted(edges, np.append(edges, edges[1:] / 2), side)), wanted)


def test_searchsorted_of_large_integers(each_backend):
    edges = np.array([2**60, 2**60 + 1, 2**60 + 2])
    np.testing.assert_array_equal(K.eval(searchsorted(edges, edges, "right")), [1, 2, 3])


def test_nonzero_of_floats_and_bools(each_backend):
    x = np.array([[0.0, np.nan, 2.0], [-0.0, 0.0, -np.inf]], np.float32)
    for given in (x, x != 0):
        for found, wanted in zip(nonzero(given), np.nonzero(given)):
            np.testing.assert_array_equal(K.eval(found), wanted)
    assert [v.shape for v in nonzero(K.placeholder((2, 3)))] == [(None,), (None,)]


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_unique_is_numpys(each_backend, axis):
    x = np.random.RandomState(2).randint(0, 2, (6, 2)).astype("float32")
    wanted = np.unique(x, True, True, True, axis=axis)
    found = [K.eval(v) for v in unique(x, True, True, True, True, axis=axis)]
    for one, other in zip(found, wanted):
        np.testing.assert_array_equal(one.reshape(other.shape), other)


def test_unique_of_a_fed_vector(each_backend):
    x = K.placeholder((None,))
    free = unique(x)
    assert free.shape == (None,) and unique(x, size=4).shape == (4,)
    run = K.function([x], [free, *unique(x, size=4, return_counts=True, fill_value=-1)])
    given = np.array([np.nan, 2.0, 1.0, np.nan, 2.0], np.float32)
    free, cut, counts = run([given])
    np.testing.assert_array_equal(free, [1, 2, np.nan])
    np.testing.assert_array_equal(cut, [1, 2, np.nan, -1])
    np.testing.assert_array_equal(counts, [1, 2, 2, 0])


def test_gradients_flow_through_the_elements_of_unique(each_backend):
    x = K.placeholder((4,))
    (slope,) = K.gradients(K.sum(unique(x) * np.array([1.0, 10.0, 100.0], np.float32)), [x])
    np.testing.assert_array_equal(K.function([x], [slope])([np.array([5.0, 1.0, 3.0, 1.0], "float32")])[0],
                                  [100, 1, 10, 0])


@pytest.mark.parametrize("limits", [None, (-1.0, 2.0)])
def test_histogram_is_numpys(each_backend, limits):
    x = np.random.RandomState(3).randn(200).astype("float32")
    counts, edges = np.histogram(x, 7, limits)
    x_ = K.placeholder((None,))
    for found in ([K.eval(v) for v in histogram(x, 7, limits)], K.function([x_], histogram(x_, 7, limits))([x])):
        np.testing.assert_array_equal(found[0], counts)
        np.testing.assert_allclose(found[1], edges, rtol=1e-5, atol=1e-6)


def test_digitize_and_argpartition(each_backend):
    x, edges = np.array([[-5.0, 0.0], [1.0, 7.0]], np.float32), np.array([0.0, 1.0, 2.0], np.float32)
    np.testing.assert_array_equal(K.eval(digitize(x, edges)), np.digitize(x, edges))
    row = np.random.RandomState(4).randn(3, 9).astype("float32")
    parted = np.take_along_axis(row, K.eval(argpartition(row, 4)), -1)
    assert (parted[:, :4].max(1) <= parted[:, 4]).all() and (parted[:, 5:].min(1) >= parted[:, 4]).all()
