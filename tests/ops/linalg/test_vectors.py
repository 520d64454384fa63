"""Norms, distances, products and correlations of vectors against NumPy, on every engine."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K
from kbackend.ops.arrays.ranges import vander
from kbackend.ops.linalg.norms import cdist, norm
from kbackend.ops.linalg.vectors import cross, kron
from kbackend.ops.signal.correlate import correlate
from kbackend.ops.statistics.moments import corrcoef

RNG = np.random.RandomState(3)
NORMS = [(None, None), ("fro", None), ("nuc", None), *((o, None) for o in (np.inf, -np.inf, 1, -1, 2, -2)),
         *((o, a) for o in (None, 0, 1, 2, 3, 0.5, -1, -2.5, np.inf, -np.inf) for a in (0, -1)),
         *((o, a) for o in (None, "fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2) for a in ((0, 1), (1, 0), (-1, 0)))]


@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_are_those_of_numpy(each_backend, keepdims):
    cube, matrix = RNG.randn(2, 3, 4), RNG.randn(3, 4)
    for ord, axis in NORMS:
        at = matrix if axis is None else cube
        wanted = np.linalg.norm(at, ord, axis, keepdims)
        x = K.placeholder((None,) * at.ndim, dtype="float64")
        for found in (K.eval(norm(at, ord, axis, keepdims)),
                      K.function([x], [norm(x, ord, axis, keepdims)])([at])[0]):
            assert found.shape == wanted.shape, (ord, axis)
            np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=f"{ord} {axis}")
    np.testing.assert_allclose(K.eval(norm(cube, keepdims=keepdims)),
                               np.linalg.norm(cube, keepdims=keepdims), rtol=1e-12)
    for ord in (0, 3, -np.inf):
        np.testing.assert_allclose(K.eval(norm(cube[0, 0], ord, keepdims=keepdims)),
                                   np.linalg.norm(cube[0, 0], ord, keepdims=keepdims), rtol=1e-12)


def test_cross_products_are_those_of_numpy(each_backend):
    three, two = RNG.randn(4, 3), RNG.randn(4, 2)
    for a, b in ((three, three[::-1]), (three, two), (two, three)):
        np.testing.assert_allclose(K.eval(cross(a, b)), np.cross(padded(a), padded(b)), atol=1e-14)
    np.testing.assert_allclose(K.eval(cross(two, two[::-1])), np.cross(padded(two), padded(two[::-1]))[:, 2],
                               atol=1e-14)
    a, b = RNG.randn(3, 5, 2), RNG.randn(1, 2, 3)
    np.testing.assert_allclose(K.eval(cross(a, b, 0, 2, 1)), np.cross(a, b, 0, 2, 1), atol=1e-14)


def padded(x):
    return np.pad(x, [(0, 0), (0, 3 - x.shape[-1])])


def test_kron_vander_and_corrcoef_are_those_of_numpy(each_backend):
    for a, b in (((2, 3), (3, 2)), ((2,), (3, 1, 2)), ((2, 1, 2), (3,)), ((), (2, 2)), ((2, 0), (3, 2))):
        x, y = RNG.randn(*a), RNG.randn(*b)
        p, q = K.placeholder((None,) * len(a), dtype="float64"), K.placeholder((None,) * len(b), dtype="float64")
        np.testing.assert_allclose(K.function([p, q], [kron(p, q)])([x, y])[0], np.kron(x, y), rtol=1e-14)
    at = RNG.randn(4)
    for count in (None, 0, 1, 3, 6):
        for increasing in (False, True):
            np.testing.assert_allclose(K.eval(vander(at, count, increasing)),
                                       np.vander(at, count, increasing), rtol=1e-13)
    x = K.placeholder((None,), dtype="float64")
    np.testing.assert_allclose(K.function([x], [vander(x, 3)])([at])[0], np.vander(at, 3), rtol=1e-13)
    rows = RNG.randn(3, 8) * [[1.0], [100.0], [1e-3]] + 5.0
    np.testing.assert_allclose(K.eval(corrcoef(rows)), np.corrcoef(rows), atol=1e-12)
    assert np.isnan(K.eval(corrcoef(np.array([[1.0, 1.0], [1.0, 2.0]])))).tolist() == [[True, True],
                                                                                              [True, False]]


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_correlations_are_those_of_numpy(each_backend, mode):
    """All lengths up to 5, floats and integers."""
    for n in range(1, 6):
        for m in range(1, 6):
            a, b = RNG.randn(n), RNG.randn(m)
            np.testing.assert_allclose(K.eval(correlate(a, b, mode)), np.correlate(a, b, mode), atol=1e-13)
    i, j = np.array([1, 2, 3, 4], np.int32), np.array([5, -1, 2], np.int32)
    for a, b in ((i, j), (j, i)):
        found = K.eval(correlate(a, b, mode))
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, np.correlate(a, b, mode))


def test_distances_of_near_vectors_keep_their_digits(each_backend):
    x = np.full((1, 3), 1e4, np.float32)
    np.testing.assert_allclose(K.eval(cdist(x, x + np.float32(0.25))), [[0.25 * 3**0.5]], rtol=1e-6)
