"""Sparse placeholders and variables, fed and made from SciPy's matrices."""

import numpy as np
import pytest
import scipy.sparse
from support.arrays import rows

from kbackend import K

DENSE = np.array([[0, 2, 0], [0, 0, 0], [1, 0, -3], [0, 4, 0]], np.float32)
FORMATS = ["csr", "csc", "coo", "lil"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_sparse_placeholder_takes_scipys_matrices(each_backend, format):
    x = K.placeholder((None, 3), sparse=True, name="x")
    assert K.is_sparse(x) and K.int_shape(x) == (None, 3) and K.ndim(x) == 2 and K.dtype(x) == "float32"
    f = K.function([x], [K.to_dense(x)])
    np.testing.assert_array_equal(f([scipy.sparse.csr_matrix(DENSE).asformat(format)])[0], DENSE)
    np.testing.assert_array_equal(f([DENSE[:2]])[0], DENSE[:2])
    np.testing.assert_array_equal(f([scipy.sparse.coo_array((5, 3))])[0], np.zeros((5, 3)))


def test_equal_places_add_up(each_backend):
    twice = scipy.sparse.coo_matrix(([1.0, 2.0, 5.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    x = K.placeholder((2, 2), sparse=True)
    assert K.function([x], [K.to_dense(x)])([twice])[0].tolist() == [[0, 3], [5, 0]]


def test_products_with_dense_tensors_and_their_gradients(each_backend):
    x, w, v = K.placeholder((None, 3), sparse=True), K.variable(rows(3, 2)), K.variable(rows(3))
    left = K.variable(rows(5, 4))
    product = K.dot(x, w)
    assert K.int_shape(product) == (None, 2)
    loss = K.sum(K.square(product))
    outputs = [product, K.dot(x, v), K.dot(left, x), *K.gradients(loss, [w, x.values])]
    found = K.function([x], outputs)([scipy.sparse.csr_matrix(DENSE)])
    a, b, c = (K.get_value(t) for t in (w, v, left))
    np.testing.assert_allclose(found[0], DENSE @ a, rtol=1e-5)
    np.testing.assert_allclose(found[1], DENSE @ b, rtol=1e-5)
    np.testing.assert_allclose(found[2], c @ DENSE, rtol=1e-5)
    np.testing.assert_allclose(found[3], DENSE.T @ (2 * DENSE @ a), rtol=1e-5)
    slope = (2 * DENSE @ a) @ a.T
    np.testing.assert_allclose(found[4], slope[np.nonzero(DENSE)], rtol=1e-4)


def test_a_sparse_variable_trains_its_values(each_backend):
    w = K.variable(scipy.sparse.csr_matrix(DENSE), name="w")
    assert K.is_sparse(w) and K.int_shape(w) == (4, 3)
    np.testing.assert_array_equal(K.eval(w), DENSE)
    x = K.placeholder((None, 4))
    loss = K.sum(K.dot(x, w))
    step = K.function([x], [loss], updates=[K.update_sub(w.values, *K.gradients(loss, [w.values]))])
    step([np.ones((2, 4))])
    np.testing.assert_allclose(K.eval(K.to_dense(w)), DENSE - 2 * (DENSE != 0))


def test_two_sparse_matrices(each_backend):
    x, y = K.placeholder((None, 3), sparse=True), K.placeholder((3, None), sparse=True)
    f = K.function([x, y], [K.dot(x, y)])
    np.testing.assert_allclose(f([DENSE, scipy.sparse.coo_matrix(DENSE.T)])[0], DENSE @ DENSE.T)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenation_stays_sparse(each_backend, axis):
    x, y = K.placeholder((None, 3), sparse=True), K.placeholder((None, 3), sparse=True)
    both = K.concatenate([x, y], axis=axis)
    assert K.is_sparse(both) and K.int_shape(both) == ((None, 3) if axis == 0 else (None, 6))
    a, b = scipy.sparse.csr_matrix(DENSE), scipy.sparse.csc_matrix(DENSE * 2)
    joined, product = K.function([x, y], [both, K.dot(both, np.ones((3 if axis == 0 else 6, 1), "float32"))])([a, b])
    expected = np.concatenate([DENSE, DENSE * 2], axis=axis)
    np.testing.assert_array_equal(joined, expected)
    np.testing.assert_allclose(product[:, 0], expected.sum(1))
    mixed = K.concatenate([x, K.constant(DENSE)], axis=axis)
    assert not K.is_sparse(mixed)
    np.testing.assert_array_equal(K.function([x], [mixed])([a])[0], np.concatenate([DENSE, DENSE], axis=axis))


def test_labels_that_count(each_backend):
    labels, lengths = K.placeholder((None, None), dtype="int32"), K.placeholder((None,), dtype="int32")
    sparse = K.ctc_label_dense_to_sparse(labels, lengths)
    f = K.function([labels, lengths], [sparse.indices, sparse.values, sparse.dense_shape, K.to_dense(sparse)])
    found = f([[[3, 0, 5], [7, 8, 9]], [2, 1]])
    assert found[0].tolist() == [[0, 0], [0, 1], [1, 0]]
    assert found[1].tolist() == [3, 0, 7] and found[1].dtype == np.int32
    assert found[2].tolist() == [2, 3]
    assert found[3].tolist() == [[3, 0, 0], [7, 0, 0]]


def test_what_does_not_fit_is_a_value_error(each_backend):
    x = K.placeholder((None, 3), sparse=True, name="x")
    with pytest.raises(ValueError, match=r"'x'.*\(None, 3\).*4"):
        K.function([x], [K.to_dense(x)])([np.ones((2, 4))])
    with pytest.raises(ValueError, match="1 values"):
        K.function([x], [K.to_dense(x)])([])
    with pytest.raises(ValueError, match="do not fit"):
        K.dot(x, K.placeholder((4, 2)))
    with pytest.raises(ValueError, match="matrices"):
        K.dot(x, K.placeholder((3, 2, 2)))
    with pytest.raises(ValueError, match="concatenated"):
        K.concatenate([x, K.placeholder((None, 2), sparse=True)], axis=0)
    with pytest.raises(ValueError, match="batch, length"):
        K.ctc_label_dense_to_sparse(K.placeholder((2,)), K.placeholder((2,)))


def test_concrete_matrices(each_backend):
    matrix = scipy.sparse.csr_matrix(DENSE)
    assert K.is_sparse(matrix) and not K.is_sparse(DENSE)
    np.testing.assert_array_equal(K.to_dense(matrix), DENSE)
    np.testing.assert_array_equal(K.eval(matrix), DENSE)
