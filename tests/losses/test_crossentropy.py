"""Crossentropies: stable forms, labels out of range, clipping."""

import numpy as np
import pytest

from kbackend import K, losses

LOGITS = np.array([[-12.0, 3.0, -7.0], [0.5, -1.0, 14.0]], np.float32)


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
    found, gradient = program([[-16.0, 15.0, 16.0, 0.0], [1.0, 1.0, 0.25, 0.5]])
    p = 1 / (1 + np.exp(-np.array([-16.0, 15.0, 16.0, 0.0])))
    wanted = [-np.log(p[0]), -np.log(p[1]), -0.25 * np.log(p[2]) - 0.75 * np.log1p(-p[2]), np.log(2)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    np.testing.assert_allclose(gradient, p - [1.0, 1.0, 0.25, 0.5], rtol=1e-5, atol=1e-7)


#: beyond the logits whose probabilities are clipped, at both sides of the first of them, and between
EDGES = np.array([-np.inf, -1e30, -300, -40, -16.2, -16.1, -16, -3, 0, 3, 16, 16.1, 16.2, 40, 300, 1e30, np.inf])


def plain(losses, tensors, probabilities, logits, values):
    """The losses and their gradients by the logits, as the graph gives them and by the gradients that the losses have
    with respect to the probabilities where these are given."""
    total = sum(K.sum(loss) for loss in losses)
    stable = K.function([*tensors, logits], [*losses, *K.gradients(total, [logits])])(values)
    inner = K.function([logits], [probabilities])(values[-1:])[0]
    outputs = [*losses, *K.gradients(total, [probabilities])]
    found = K.function([*tensors, probabilities], outputs)([*values[:-1], inner])
    weights = K.placeholder(probabilities.shape, dtype=probabilities.dtype)
    back = K.function([logits, weights], K.gradients(K.sum(probabilities * weights), [logits]))
    return stable, [*found[:-1], back([values[-1], found[-1]])[0]]


@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_a_sigmoid_is_clipped_as_its_probabilities_are(each_backend, target):
    logits, targets = (K.placeholder((len(EDGES),), dtype="float64") for _ in range(2))
    p = K.sigmoid(logits)
    values = [np.full(len(EDGES), target), EDGES]
    stable, wanted = plain([K.binary_crossentropy(targets, p)], [targets], p, logits, values)
    # a gradient by a probability near 1 divides by 1 - p, which has 9 digits left
    for found, expected in zip(stable, wanted):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_a_softmax_is_clipped_as_its_probabilities_are(each_backend):
    finite = EDGES[np.abs(EDGES) < 1e4]
    rows = np.stack([finite, np.zeros_like(finite), np.full_like(finite, -2.0)], axis=1)
    logits, targets = (K.placeholder(rows.shape, dtype="float64") for _ in range(2))
    labels = K.placeholder(rows.shape[:1], dtype="int32")
    p = K.softmax(logits)
    for label in range(3):
        soft = np.full(rows.shape, 0.1) + 0.7 * np.eye(3)[label]
        values = [soft, np.full(len(rows), label), rows]
        losses = [K.categorical_crossentropy(targets, p), K.sparse_categorical_crossentropy(labels, p)]
        stable, wanted = plain(losses, [targets, labels], p, logits, values)
        for found, expected in zip(stable, wanted):  # the clipped probabilities sum to 1 + 2 epsilon at most
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=3e-7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_concrete_probabilities_and_a_graph_agree_when_saturated(each_backend, dtype):
    x, t = K.placeholder((4,), dtype=dtype), np.array([0.0, 1.0, 1.0, 0.0], dtype)
    p = K.sigmoid(x)
    graph, shares = K.function([x], [K.binary_crossentropy(K.constant(t, dtype=dtype), p), p])([[40, -40, 40, -40]])
    concrete = K.eval(K.binary_crossentropy(t, shares))
    np.testing.assert_allclose(graph, concrete, rtol=1e-3 if dtype == "float16" else 1e-6, atol=1.2e-7)
    np.testing.assert_allclose(graph[:2], -np.log(1e-7), rtol=1e-3)


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
    np.testing.assert_allclose(found, [16.118, 16.118], rtol=1e-4)
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


def test_labels_may_have_one_channel_at_the_axis_of_the_classes():
    values = np.random.RandomState(1).uniform(0.1, 1.0, (2, 3, 2, 4)).astype(np.float32)
    labels = np.arange(16).reshape(2, 2, 4) % 3
    logs = np.log(values / values.sum(1, keepdims=True))
    wanted = -np.take_along_axis(logs, labels[:, None], 1)[:, 0]
    for shape in ((None, 2, 4), (None, 1, 2, 4), (None, None, 2, 4)):
        target, x = K.placeholder(shape, dtype="int32"), K.placeholder((None, 3, 2, 4))
        program = K.function([target, x], [K.sparse_categorical_crossentropy(target, x, axis=1)])
        given = labels if len(shape) == 3 else labels[:, None]
        np.testing.assert_allclose(program([given, values])[0], wanted, rtol=1e-5)


def test_a_number_weights_all_samples():
    y, p = K.placeholder((None, 1)), K.placeholder((None, 1))
    loss = losses.MeanSquaredError()(y, p, sample_weight=2.5)
    assert K.function([y, p], [loss])([[[1.0], [3.0]], [[2.0], [5.0]]])[0] == 6.25
