"""Calls of traced programs: as TensorFlow makes them, and past the binding of their arguments."""

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers

pytestmark = pytest.mark.engine("tensorflow")


@pytest.fixture
def doubled():
    x = K.placeholder((None, 2))
    count = K.variable(0.0)
    function = K.function([x], [x * 2, K.sum(x)], updates=[(count, count + 1)])
    return function, count


def test_a_call_gives_all_outputs_and_updates(doubled):
    function, count = doubled
    with kbackend.use_backend("tensorflow"):
        for calls in (1, 2):
            twice, total = function([np.ones((3, 2))])
            assert twice.tolist() == [[2.0, 2.0]] * 3 and total == 6 and K.get_value(count) == calls


def test_a_program_runs_under_a_tape_and_inside_another_graph(doubled):
    import tensorflow as tf

    function, count = doubled
    with kbackend.use_backend("tensorflow"):
        x = tf.Variable([[1.0, 2.0]])
        with tf.GradientTape() as tape:
            twice, _ = function([tf.identity(x)], as_numpy=False)
        assert tape.gradient(twice, x).numpy().tolist() == [[2.0, 2.0]]

        @tf.function
        def outer(value):
            return function([value], as_numpy=False)[0] + 1

        assert outer(tf.constant([[1.0, 2.0]])).numpy().tolist() == [[3.0, 5.0]]
        assert K.get_value(count) == 2


def test_a_program_of_updates_alone():
    count = K.variable(0.0)
    with kbackend.use_backend("tensorflow"):
        assert K.function([], [], updates=[(count, count + 1)])([]) == [] and K.get_value(count) == 1


def test_the_short_way_is_there():
    """TensorFlow may take its parts away; then calls are slower, and this says so."""
    import tensorflow as tf

    from kbackend_tensorflow.engine import without_binding

    traced = tf.function(lambda x: [x + 1]).get_concrete_function(tf.TensorSpec([None]))
    assert without_binding(traced) is not traced
    assert without_binding(traced)(tf.constant([1.0]))[0].numpy().tolist() == [2.0]
    plain = object()
    assert without_binding(plain) is plain


def traced_sizes(model):
    """Batch sizes of the programs for training; None is any."""
    programs = model._steps.train().function.programs
    return [p._runner.graph.inputs[0].shape[0] for p in programs.values()]


def test_training_has_a_program_for_its_batch_size_and_one_for_all_others():
    x = Input((3,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    data, target = np.ones((24, 3), "float32"), np.ones((24, 1), "float32")
    with kbackend.use_backend("tensorflow"):
        for samples, size, expected in [
            (24, 8, [8]),
            (16, 8, [8]),
            (24, 4, [8, None]),
            (20, 8, [8, None]),
            (12, 6, [8, None]),
            (24, 8, [8, None]),
        ]:
            model.fit(data[:samples], target[:samples], batch_size=size, verbose=0)
            assert traced_sizes(model) == expected, (samples, size)


def test_training_on_a_smaller_last_batch_takes_one_program():
    x = Input((3,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    with kbackend.use_backend("tensorflow"):
        model.fit(np.ones((20, 3)), np.ones((20, 1)), batch_size=8, verbose=0)
        assert traced_sizes(model) == [None]


def test_a_concrete_softmax_has_nan_in_the_rows_that_have_one():
    import tensorflow as tf

    with kbackend.use_backend("tensorflow"):
        for _ in range(2):  # traced, then kept
            found = K.softmax(tf.constant([[1.0, 2.0], [np.nan, 3.0], [1.0, np.inf]])).numpy()
            assert np.isnan(found).tolist() == [[False, False], [True, True], [True, True]]
            assert np.isclose(K.softmax(tf.zeros((3, 2))).numpy(), 0.5).all()
