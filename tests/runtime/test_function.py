"""K.function: feeds, outputs, updates, phases, caching, engine switches."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

import kbackend
from kbackend import K
from kbackend.lowering.program import FeedError
from kbackend.plugin.select import active_target


def test_outputs_see_the_old_state_and_updates_take_effect_together(each_backend):
    a, b = K.variable(1.0, name="a"), K.variable(10.0, name="b")
    swap = K.function([], [a, b, a + b], updates=[(a, b), K.update(b, a)])
    assert [float(v) for v in swap([])] == [1.0, 10.0, 11.0]
    assert [float(v) for v in swap([])] == [10.0, 1.0, 11.0]
    assert (float(K.get_value(a)), float(K.get_value(b))) == (1.0, 10.0)


def test_no_update_takes_effect_when_an_error_is_raised(each_backend):
    count, total = K.variable(0.0), K.variable([0.0, 0.0])
    labels = K.placeholder((None,), dtype="int32")
    logits = K.variable(np.zeros((2, 3)))
    loss = K.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    step = K.function([labels], [loss], updates=[K.update_add(count, 1.0), (total, loss)])
    with pytest.raises(ValueError, match="9"):
        step([[1, 9]])
    assert float(K.get_value(count)) == 0.0
    np.testing.assert_array_equal(K.get_value(total), [0.0, 0.0])
    step([[1, 2]])
    assert float(K.get_value(count)) == 1.0


def test_any_tensor_of_the_graph_can_be_fed(each_backend):
    x = K.placeholder((None, 2))
    hidden = K.square(x) + 1.0
    tail = K.function([hidden], [hidden * 2.0])
    np.testing.assert_array_equal(tail([[[1.0, 2.0]]])[0], [[2.0, 4.0]])


@pytest.mark.together
def test_one_program_serves_all_batch_sizes_and_is_kept_when_engines_switch():
    x = K.placeholder((None, 2))
    f = K.function([x], [K.sum(x, axis=0)])
    for _ in range(2):
        for name in kbackend.available_backends():
            with kbackend.use_backend(name):
                for size in (1, 3, 0):
                    np.testing.assert_array_equal(f([np.ones((size, 2))])[0], [size, size])
    assert len(f.programs) == len(kbackend.available_backends())


def test_the_phase_can_be_fed_and_each_phase_has_its_own_program(each_backend):
    x = K.placeholder((2,))
    f = K.function([K.learning_phase(), x], [K.in_train_phase(x * 2.0, x)])
    for value in (1, 0, True):
        np.testing.assert_array_equal(f([value, [1.0, 2.0]])[0], np.array([1.0, 2.0]) * (1 + int(value)))
    assert "multiply" not in f.program(next(iter(f.programs.values())).target, 0).source
    with pytest.raises(FeedError, match="phase is 0"):
        f([2, [1.0, 2.0]])


def test_feeds_may_be_lists_arrays_frames_and_engine_tensors(each_backend):
    x = K.placeholder((None, 2), name="x")
    f = K.function([x], [x * 1.0])
    expected = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    engine_tensor = f([expected], as_numpy=False)[0]
    frame = pd.DataFrame({"a": [1, 3], "b": [2, 4]})
    views = np.asfortranarray(expected), expected[::-1][::-1], expected.astype(np.float16)
    for value in ([[1, 2], [3, 4]], expected.astype(np.float64), frame, engine_tensor, *views):
        found = f([value])[0]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(f([expected[:1][::-1]])[0], expected[:1])  # contiguous, with a stride below 0


@pytest.mark.engine("torch", "tensorflow")
def test_tensors_of_another_engine_are_fed():
    import tensorflow as tf
    import torch

    x = K.placeholder((2,))
    f = K.function([x], [x + 1.0])
    for engine in ("torch", "tensorflow", "numpy"):
        with kbackend.use_backend(engine):
            for value in (torch.ones(2), tf.ones(2), np.ones(2)):
                np.testing.assert_array_equal(f([value])[0], [2.0, 2.0])


def test_results_do_not_share_memory_with_state_or_feeds(each_backend):
    v = K.variable([1.0, 2.0])
    x = K.placeholder((2,))
    f = K.function([x], [v, x, K.reshape(v, (1, 2))], updates=[(v, v + 1.0)])
    fed = np.array([5.0, 6.0], np.float32)
    first = f([fed])
    for array in first:
        array += 100.0
    np.testing.assert_array_equal(fed, [5.0, 6.0])
    np.testing.assert_array_equal(K.get_value(v), [2.0, 3.0])
    fed += 1.0
    np.testing.assert_array_equal(first[1], [105.0, 106.0])


def test_get_value_is_a_copy_and_set_value_keeps_dtype_and_programs(each_backend):
    v = K.variable([1.0, 2.0])
    f = K.function([], [v * 2.0])
    f([])
    made = f.programs
    K.get_value(v)[:] = 9.0
    K.set_value(v, np.array([3, 4], np.int64))
    np.testing.assert_array_equal(f([])[0], [6.0, 8.0])
    assert f.programs == made and K.get_value(v).dtype == np.float32
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        K.set_value(v, [1.0, 2.0, 3.0])


def test_an_update_among_the_outputs_or_below_them_takes_effect(each_backend):
    v = K.variable(1.0)
    f = K.function([], [K.update_add(v, 2.0) * 10.0])
    assert float(f([])[0]) == 30.0
    assert float(K.get_value(v)) == 3.0


def test_threads_count_every_step(each_backend):
    v = K.variable(0.0)
    f = K.function([], [v], updates=[K.update_add(v, 1.0)])
    f([])

    def work():
        with kbackend.use_backend(each_backend):
            for _ in range(50):
                f([])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert float(K.get_value(v)) == 201.0


x2 = K.placeholder((None, 2), name="points")
ints = K.placeholder((3,), dtype="int32", name="labels")
BAD_FEEDS = {
    "not a list": (np.ones((1, 2)), TypeError, "must be a list or tuple"),
    "missing": ([np.ones((1, 2))], FeedError, r"takes 2 values \(points, labels\), it was given 1"),
    "surplus": ([np.ones((1, 2))] * 3, FeedError, "given 3"),
    "rank": ([np.ones(2), [1, 2, 3]], FeedError, r"'points' has rank 2 \(None, 2\); it was given rank 1"),
    "shape": (
        [np.ones((1, 3)), [1, 2, 3]],
        FeedError,
        r"'points' has shape \(None, 2\), it was given \(1, 3\)",
    ),
    "dtype": (
        [np.ones((1, 2)), [1.5, 2.5, 3.5]],
        FeedError,
        "'labels' has dtype int32, it was given float64",
    ),
    "text": ([[["a", "b"]], [1, 2, 3]], FeedError, "'points'"),
    "None": ([None, [1, 2, 3]], FeedError, "'points'"),
    "symbolic": ([x2, [1, 2, 3]], FeedError, "needs a value"),
}


@pytest.mark.parametrize("name", BAD_FEEDS)
def test_bad_feeds_are_refused_by_name_before_anything_runs(name, each_backend):
    value, error, message = BAD_FEEDS[name]
    runs = K.variable(0.0)
    f = K.function([x2, ints], [x2, ints], updates=[K.update_add(runs, 1.0)])
    with pytest.raises(error, match=message):
        f(value)
    assert float(K.get_value(runs)) == 0.0


BAD_FUNCTIONS = {
    "inputs": (lambda: K.function(x2, [x2]), TypeError, "`inputs`"),
    "outputs": (lambda: K.function([x2], x2), TypeError, "`outputs`"),
    "updates": (
        lambda: K.function([x2], [x2], updates=K.update(K.variable(1.0), 2.0)),
        TypeError,
        "`updates`",
    ),
    "not symbolic": (lambda: K.function([x2], [np.ones(2)]), TypeError, "symbolic"),
    "unknown argument": (lambda: K.function([x2], [x2], feed_dict={}), ValueError, "feed_dict"),
    "not fed": (lambda: K.function([ints], [K.sum(x2)]), ValueError, "'points'"),
    "twice": (lambda: K.function([x2, x2], [x2]), ValueError, "given twice"),
    "a variable": (lambda: K.function([K.variable(1.0, name="w")], []), ValueError, "'w' cannot be an input"),
    "two updates": (lambda: two_updates(), ValueError, "two different updates"),
    "no variable": (lambda: K.function([], [], updates=[(x2, 1.0)]), TypeError, "only variables"),
    "shape of an update": (lambda: K.update(K.variable([1.0]), [1.0, 2.0]), ValueError, r"\(1,\)"),
    "no pair": (lambda: K.function([], [], updates=[3]), TypeError, "an update is"),
}


def two_updates():
    v = K.variable(1.0)
    return K.function([], [], updates=[(v, 1.0), (v, 2.0)])


@pytest.mark.parametrize("name", BAD_FUNCTIONS)
def test_bad_functions_are_refused_when_made(name):
    make, error, message = BAD_FUNCTIONS[name]
    with pytest.raises(error, match=message):
        make()


def test_values_of_symbolic_tensors():
    with kbackend.use_backend("numpy"):
        t = K.constant([[1.0, 2.0]]) * 3.0
        np.testing.assert_array_equal(np.asarray(t), [[3.0, 6.0]])
        np.testing.assert_array_equal(t.numpy(), [[3.0, 6.0]])
        assert float(K.sum(t)) == 9.0 and int(K.sum(t)) == 9
        with pytest.raises(ValueError, match="'points'"):
            K.eval(x2 * 2.0)


def test_the_source_is_python_that_can_be_read():
    with kbackend.use_backend("numpy"):
        source = K.function([x2], [K.tanh(x2)], name="squash").source
    assert source.startswith("def squash(points, cells):")
    assert "tanh(points)" in source
    compile(source, "squash", "exec")


@pytest.mark.together
def test_a_program_runs_with_its_own_target_active_whatever_is_active_outside():
    seen = []
    x = K.placeholder((2,))
    f = K.function([x], [x * 2.0])
    with kbackend.use_backend("numpy"):
        program = f.program(active_target(), 0)
    runner = program._runner
    program._runner = lambda feeds: (seen.append(active_target()), runner(feeds))[1]
    other = next((n for n in kbackend.available_backends() if n != "numpy"), "numpy")
    with kbackend.use_backend(other):
        np.testing.assert_array_equal(program([np.ones(2, np.float32)])[0], [2.0, 2.0])
    assert seen == [program.target]
