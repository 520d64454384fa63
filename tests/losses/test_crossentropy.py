"""Crossentropies: stable forms, labels out of range, clipping."""

import numpy as np
import pytest

from kbackend import K

LOGITS = np.array([[-120.0, 3.0, 60.0], [0.5, -1.0, 200.0]], np.float32)


def log_softmax(x):
    x = x.astype(np.float64)
    top = x.max(-1, keepdims=True)
    return x - top - np.log(np.exp(x - top).sum(-1, keepdims=True))


def from_softmax(target_dtype, loss, target_shape=(None, 3)):
    x, target = K.placeholder((None, 3)), K.placeholder(target_shape, dtype=target_dtype)
    values = loss(target, K.softmax(x))
    return K.function([x, target], [values, *K.gradients(K.sum(values), [x])])


def test_the_crossentropy_of_a_softmax_loses_no_digits(each_backend):
    target = np.array([[1.0, 0, 0], [0, 0.5, 0.25]], np.float32)  # the second does not sum to 1
    program = from_softmax("float32", K.categorical_crossentropy)
    values, gradient = program([LOGITS, target])
    expected = log_softmax(LOGITS)
    np.testing.assert_allclose(values, -(target * expected).sum(-1), rtol=1e-6)
    total = target.sum(-1, keepdims=True)
    np.testing.assert_allclose(gradient, np.exp(expected) * total - target, atol=1e-6)
    assert "softmax(" not in program.source.replace("log_softmax(", "")


def test_the_sparse_crossentropy_of_a_softmax_loses_no_digits(each_backend):
    program = from_softmax("int32", K.sparse_categorical_crossentropy, (None,))
    values, gradient = program([LOGITS, np.array([0, 1])])
    expected = log_softmax(LOGITS)
    np.testing.assert_allclose(values, [-expected[0, 0], -expected[1, 1]], rtol=1e-6)
    np.testing.assert_allclose(gradient, np.exp(expected) - np.eye(3)[:2], atol=1e-6)


def test_the_crossentropy_of_a_sigmoid_loses_no_digits(each_backend):
    x, target = K.placeholder((4,)), K.placeholder((4,))
    values = K.binary_crossentropy(target, K.sigmoid(x))
    program = K.function([x, target], [values, *K.gradients(K.sum(values), [x])])
    found, gradient = program([[-100.0, 100.0, 100.0, 0.0], [1.0, 1.0, 0.25, 0.5]])
    np.testing.assert_allclose(found, [100.0, 0.0, 75.0, np.log(2)], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(gradient, [-1.0, 0.0, 0.75, 0.0], atol=1e-6)


def test_a_gradient_with_respect_to_the_probabilities_is_theirs(each_backend):
    x, target = K.placeholder((None, 3)), K.placeholder((None, 3))
    shares = K.softmax(x)
    loss = K.sum(K.categorical_crossentropy(target, shares))
    program = K.function([x, target], K.gradients(loss, [shares]))
    (gradient,) = program([np.log([[0.2, 0.3, 0.5]]), [[0.0, 1.0, 0.0]]])
    np.testing.assert_allclose(gradient, [[1.0, 1.0 - 1 / 0.3, 1.0]], rtol=1e-5)


def test_probabilities_may_be_fed(each_backend):
    x, target = K.placeholder((None, 3)), K.placeholder((None, 3))
    shares = K.softmax(x)
    program = K.function([shares, target], [K.categorical_crossentropy(target, shares)])
    (values,) = program([[[0.2, 0.3, 0.5]], [[0.0, 1.0, 0.0]]])
    np.testing.assert_allclose(values, [-np.log(0.3)], rtol=1e-6)


@pytest.mark.parametrize("label", [-100, -1, 3, 2**31 - 1])
@pytest.mark.parametrize("rank", [2, 3])
def test_a_label_out_of_range_is_named(each_backend, label, rank):
    logits = K.variable(np.zeros((2, 3) if rank == 2 else (1, 2, 3)))
    labels = K.placeholder(logits.shape[:-1], dtype="int32")
    counter = K.variable(0.0)
    losses = K.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    program = K.function([labels], [losses], updates=[K.update_add(counter, 1.0)])
    with pytest.raises(ValueError, match=rf"the label {label} is not in \[0, 3\)"):
        program([np.array([1, label]).reshape(logits.shape[:-1])])
    assert K.get_value(counter) == 0
    np.testing.assert_allclose(program([np.ones(logits.shape[:-1], int)])[0], np.log(3), rtol=1e-6)


def test_a_saturated_output_has_a_finite_loss_and_no_gradient(each_backend):
    target, output = K.placeholder((2,)), K.placeholder((2,))
    values = K.binary_crossentropy(target, output)
    found, gradient = K.function([target, output], [values, *K.gradients(K.sum(values), [output])])(
        [[1.0, 0.0], [0.0, 1.0]]
    )
    np.testing.assert_allclose(found, [16.118, 15.942], rtol=1e-4)  # in float32 1 - 1e-7 is 1 - 1.19e-7
    assert gradient.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_saturated_probabilities_of_every_dtype_are_clipped(each_backend, dtype):
    target, output = K.placeholder((1, 2), dtype=dtype), K.placeholder((1, 2), dtype=dtype)
    losses = [K.categorical_crossentropy(target, output), K.binary_crossentropy(target, output)]
    for value in K.function([target, output], losses)([[[1.0, 0.0]], [[0.0, 1.0]]]):
        assert value.dtype == dtype
        assert np.isfinite(value).all() and value.max() > 15


def test_second_derivatives(each_backend):
    x, target = K.placeholder((1, 3), dtype="float64"), K.placeholder((1,), dtype="int32")
    loss = K.sum(K.sparse_categorical_crossentropy(target, x, from_logits=True))
    (first,) = K.gradients(loss, [x])
    (second,) = K.gradients(K.sum(K.square(first)), [x])
    value = np.array([[0.3, -0.2, 1.0]])
    p = np.exp(log_softmax(value))[0]
    hessian = np.diag(p) - np.outer(p, p)
    (found,) = K.function([x, target], [second])([value, [1]])
    np.testing.assert_allclose(found[0], 2 * hessian @ (p - np.eye(3)[1]), rtol=1e-6)


def test_a_pool_of_a_relu_is_done_before_it(each_backend):
    x = K.placeholder((None, 4, 4, 2))
    rectified = K.relu(x)
    pooled = K.pool2d(rectified, 2, 2)
    value = np.random.RandomState(0).randn(3, 4, 4, 2).astype(np.float32)
    value[0, :2, :2] = -1.0
    program = K.function([x], [pooled, *K.gradients(K.sum(K.square(pooled)), [x])])
    found, gradient = program([value])
    windows = value.reshape(3, 2, 2, 2, 2, 2)
    largest = windows.max((2, 4))
    assert (found == np.maximum(largest, 0)).all()
    chosen = (windows == largest[:, :, None, :, None]) & (windows > 0)
    np.testing.assert_array_equal(gradient.reshape(windows.shape), np.where(chosen, 2 * windows, 0))
    assert program.source.index("max_pool(") < program.source.index("relu(")
    (of_rectified,) = K.function([x], K.gradients(K.sum(pooled), [rectified]))([value])
    assert of_rectified.sum() == found.size
