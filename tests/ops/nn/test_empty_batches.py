"""Batches without samples: shapes, zeros for the gradients of kernels, and updates that are made once."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import drawn

import kbackend
from kbackend import Input, K, Model, layers, optimizers
from kbackend.dtypes import numpy_dtype
from kbackend.ops.nn import conv, conv_transpose, pooling
from kbackend.plugin.select import active_target

pytestmark = pytest.mark.processor


#: name: (op, shape of a sample, shape of the kernel or None, shape of the result)
OPS = {
    "conv1d": (lambda x, k: conv.convolution(x, k), (6, 3), (3, 3, 4), (4, 4)),
    "conv2d": (lambda x, k: conv.convolution(x, k, padding="same", strides=2), (5, 6, 3), (3, 3, 3, 4), (3, 3, 4)),
    "conv3d": (lambda x, k: conv.convolution(x, k), (3, 4, 3, 2), (2, 2, 2, 2, 3), (2, 3, 2, 3)),
    "dilated": (lambda x, k: conv.convolution(x, k, dilation=2), (5, 6, 3), (2, 3, 3, 4), (3, 2, 4)),
    "grouped": (lambda x, k: conv.convolution(x, k, groups=2), (5, 6, 4), (2, 3, 2, 4), (4, 4, 4)),
    "depthwise": (lambda x, k: conv.convolution(x, k, groups=4), (5, 6, 4), (2, 3, 1, 8), (4, 4, 8)),
    "transposed1d": (lambda x, k: conv_transpose.convolution_transpose(x, k, size=(6,)), (4, 3), (3, 2, 3), (6, 2)),
    "transposed": (lambda x, k: conv_transpose.convolution_transpose(x, k, size=(5, 6)), (3, 4, 3), (3, 3, 2, 3),
                   (5, 6, 2)),
    "max_pool": (lambda x, k: pooling.max_pool_windows(x, window=2, padding="same"), (5, 6, 3), None, (3, 3, 3)),
    "max_pool3d": (lambda x, k: pooling.max_pool_windows(x, window=2), (4, 4, 5, 3), None, (2, 2, 2, 3)),
    "avg_pool": (lambda x, k: pooling.average_pool_windows(x, window=2, padding="same"), (5, 6, 3), None, (3, 3, 3)),
}


@pytest.mark.parametrize("name", OPS)
def test_values_and_gradients_of_no_samples(each_backend, name):
    """In one program for every batch size: with samples, without, and with samples again."""
    for dtype in ("float32", "float64", *(["bfloat16"] if each_backend != "numpy" else [])):
        no_samples(*OPS[name], dtype)


def no_samples(op, sample, window, result, dtype):
    x = K.placeholder((None, *sample), dtype=dtype)
    kernel = K.variable(drawn(*(window or (1,))), dtype=dtype)
    y = op(x, kernel)
    places = [x] if window is None else [x, kernel]
    first = K.gradients(K.sum(y * y), places)
    second = K.gradients(K.sum(first[0] * first[0]), places)
    program = K.function([x], [y, *first, *(g for g in second if g is not None)])
    two = drawn(2, *sample)
    before = program([two])
    for _ in range(3):  # memory that is not written is not always zero
        found = program([np.zeros((0, *sample))])
        assert found[0].shape == (0, *result) and found[1].shape == (0, *sample)
        for gradient in found[2:]:
            assert gradient.shape in ((0, *sample), window)
            assert not gradient.astype("float64").any()
    for again, value in zip(program([two]), before, strict=True):
        np.testing.assert_array_equal(again, value)
    target = active_target()
    concrete = [target.from_numpy(np.zeros(s, numpy_dtype(dtype))) for s in ((0, *sample), window or (1,))]
    assert target.backend.to_numpy(op(*concrete)).shape == (0, *result)


def test_a_batch_that_is_emptied_inside_a_program(each_backend):
    x, count = K.placeholder((None, 6, 6, 3)), K.placeholder((), dtype="int32")
    kernel = K.variable(drawn(3, 3, 3, 4))
    y = K.pool2d(K.relu(K.conv2d(x[:count], kernel)), (2, 2))
    (slope,) = K.gradients(K.sum(y), [kernel])
    program = K.function([x, count], [y, slope, K.shape(y)])
    batch = drawn(3, 6, 6, 3)
    for kept in (2, 0, 3, 0):
        value, gradient, shape = program([batch, kept])
        assert value.shape == tuple(shape) == (kept, 3, 3, 4)
        assert bool(gradient.any()) == bool(kept)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_updates_are_made_once(each_backend, optimizer):
    """A step whose loss has samples and that convolves no samples elsewhere."""
    w, seen = K.variable([1.0, 2.0]), K.variable(0.0)
    kernel, image = K.variable(drawn(3, 3, 1, 2)), K.placeholder((None, 5, 5, 1))
    updates = [*optimizers.get(optimizer).get_updates(K.sum(w * w), [w]), (seen, seen + 1.0)]
    aside = K.function([image], [K.conv2d(image, kernel)], updates=updates)
    start = K.get_value(w)
    aside([drawn(2, 5, 5, 1)])
    one = K.get_value(w)
    assert (one != start).all()
    states = {}
    for batch in (0, 2):
        for variable, _ in updates:
            K.set_value(variable, np.zeros(K.int_shape(variable)))
        K.set_value(w, start)
        aside([np.zeros((batch, 5, 5, 1))])
        states[batch] = [K.get_value(variable) for variable, _ in updates]
    for none, some in zip(states[0], states[2], strict=True):
        np.testing.assert_array_equal(none, some)


def test_an_error_of_a_program_stays_an_error(each_backend):
    """A call without samples that fails for another reason, in a program that is made for such calls."""
    x, at = K.placeholder((None, 5, 5, 1)), K.placeholder((None,), dtype="int32")
    program = K.function([x, at], [K.conv2d(x, K.constant(drawn(3, 3, 1, 2))), K.gather(K.constant([1.0, 2.0]), at)])
    for batch in (2, 0):
        assert program([np.zeros((batch, 5, 5, 1)), [1]])[1].tolist() == [2.0]
        with pytest.raises(IndexError):
            program([np.zeros((batch, 5, 5, 1)), [2]])


def test_a_model_predicts_nothing_for_nothing(each_backend):
    image = Input((8, 8, 1))
    h = layers.MaxPooling2D()(layers.Conv2D(4, 3, activation="relu", dilation_rate=2)(image))
    model = Model(image, layers.Dense(3, activation="softmax")(layers.Flatten()(h)))
    inner = K.function([model.input], [model.output, *K.gradients(K.sum(model.output[:, 0]), [image])])
    found = inner([np.zeros((0, 8, 8, 1))])
    assert [t.shape for t in found] == [(0, 3), (0, 8, 8, 1)]


@pytest.mark.engine("tensorflow")
def test_programs_of_xla():
    with kbackend.use_backend("tensorflow"):
        x, kernel = K.placeholder((None, 6, 6, 2)), K.variable(drawn(2, 2, 2, 4))
        y = K.softmax(K.pool2d(conv.convolution(x, kernel, dilation=2), (2, 2)))
        (slope,) = K.gradients(K.sum(y[..., :2]), [kernel])
        compiled, plain = (K.function([x], [y, slope], jit=jit) for jit in (True, False))
        for batch in (2, 0, 1):
            for found, wanted in zip(compiled([drawn(batch, 6, 6, 2)]), plain([drawn(batch, 6, 6, 2)]), strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.engine("tensorflow")
def test_a_check_in_a_branch_counts_for_nothing_outside():
    """Tensors of a branch have the names of others outside, and operands that come from outside."""
    import tensorflow as tf

    from kbackend_tensorflow.presumed.empties import by_rows, expected

    names = []

    def named(t):
        names.append(tf.nn.relu(t, name="same"))
        return names[-1]

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([], tf.bool)], autograph=False)
    def traced(x, inside):
        first = tf.cond(inside, lambda: by_rows(named, x), lambda: x)
        rest = tf.nn.relu(x[1:], name="cond/same")
        assert rest.name == names[0].name
        return first, by_rows(tf.identity, rest)

    with expected(False):
        graph = traced.get_concrete_function().graph
    assert [op.type for op in graph.get_operations()].count("Assert") == 1


def operations(function):
    """The types of the operations that TensorFlow traced for the one program of a function."""
    (program,) = function.programs.values()
    return [op.type for op in program._runner.graph.get_operations()]


@pytest.mark.engine("tensorflow")
def test_a_batch_with_samples_costs_no_branch_and_one_assertion():
    import tensorflow as tf

    from kbackend_tensorflow import abilities

    with kbackend.use_backend("tensorflow"):
        x, fixed = K.placeholder((None, 16, 16, 3)), K.placeholder((2, 16, 16, 3))
        kernels = [K.constant(drawn(3, 3, 3, 3, seed=i)) for i in range(3)]
        for image in (x, fixed):
            y = image
            for kernel in kernels:
                y = K.relu(K.bias_add(K.conv2d(K.pool2d(y, (2, 2)), kernel, padding="same"), K.constant([0.1] * 3)))
            program = K.function([image], [y, *K.gradients(K.sum(y), kernels)])
            program([drawn(2, 16, 16, 3)])
            kinds = operations(program)
            assert not {"If", "StatelessIf"} & set(kinds)
            of_values = 0 if abilities.pools_nan(tf.as_dtype("float32")) else 3  # see test_presumed_values.py
            assert kinds.count("Assert") == of_values + (image is x)


@pytest.mark.engine("tensorflow")
def test_operands_that_have_been_checked_elsewhere_are_checked_again():
    """A sum of two batches has the samples of either only where both have some."""
    with kbackend.use_backend("tensorflow"):
        x, y, kernel = K.placeholder((None, 5, 5, 1)), K.placeholder((None, 5, 5, 1)), K.constant(drawn(3, 3, 1, 1))
        both = K.conv2d(K.conv2d(x, kernel, padding="same") + y, kernel)
        program = K.function([x, y], [both])
        assert program([drawn(1, 5, 5, 1), drawn(2, 5, 5, 1)])[0].shape == (2, 3, 3, 1)
        assert program([drawn(1, 5, 5, 1), np.zeros((0, 5, 5, 1))])[0].shape == (0, 3, 3, 1)
