"""Concrete calls as kept programs: kept where nothing but the values of tensors can differ, and nowhere else."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import kbackend
from kbackend import K, config, ops, random
from kbackend.declare import kept
from kbackend.ground import hooks
from kbackend.ops.elementwise.arithmetic import add, multiply, subtract
from kbackend.ops.elementwise.logical import logical_not
from kbackend.plugin.select import active_target
from kbackend.runtime.eager import run


def tensor(values, dtype="float32"):
    return active_target().from_numpy(np.asarray(values, dtype))


def values(result):
    return active_target().backend.to_numpy(result).tolist()


@pytest.fixture
def traced(monkeypatch):
    """The names of the functions whose calls were traced."""
    names = []
    whole = run
    monkeypatch.setattr(hooks.run_concrete, "_function", lambda op, *rest: names.append(op.name) or whole(op, *rest))
    return names


def test_the_second_call_runs_the_kept_program(each_backend, traced):
    x, y = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    for call in (
        lambda a, b: add(a, b), lambda a, b: add(a, 2.0), lambda a, b: K.tanh(x=b),
        lambda a, b: K.sum(a, axis=0), lambda a, b: K.concatenate([a, b]), lambda a, b: K.maximum(b, a),
        lambda a, b: K.relu(b)):
        first = values(call(x, y))
        count = len(traced)
        assert values(call(x, y)) == first
        assert len(traced) == count
        other = call(tensor([-4.0, 8.0]), tensor([0.0, 9.0]))
        assert values(other) != first and len(traced) == count


def test_kept_programs_bring_no_warnings_of_numbers_that_are_not_finite(each_backend, recwarn):
    zeros = tensor([0.0, 0.0])
    for call in (K.log, lambda a: K.log(x=a), lambda a: ops.divide(a, 0.0), lambda a: ops.logaddexp(a, -np.inf)):
        for _ in range(3):
            call(zeros)
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)] == []


def test_operands_in_another_order_are_other_operands(each_backend):
    x, y = tensor([5.0]), tensor([3.0])
    for _ in range(2):
        assert values(subtract(x, y)) == [2.0]
        assert values(subtract(y=y, x=x)) == [2.0]
        assert values(subtract(x=y, y=x)) == [-2.0]
        assert values(subtract(x, x)) == [0.0]


def test_numbers_that_are_equal_and_differ_all_the_same(each_backend):
    x = tensor([2.0, -2.0])
    for _ in range(2):
        assert np.signbit(values(multiply(x, -0.0))).tolist() == [True, False]
        assert np.signbit(values(multiply(x, 0.0))).tolist() == [False, True]
        n = tensor([1, 2], "int32")
        assert K.dtype(add(n, 1)) == "int32"
        assert K.dtype(add(n, 1.0)) == "float32"
        assert K.dtype(add(n, True)) == "int32"


def test_settings_count(each_backend):
    n = tensor([1, 2], "int32")
    try:
        for floatx in ("float32", "float64", "float32"):
            K.set_floatx(floatx)
            assert [K.dtype(add(n, 1.5)) for _ in range(2)] == [floatx] * 2
    finally:
        K.set_floatx("float32")
    before = config.changes[0]
    K.set_epsilon(K.epsilon())
    assert config.changes[0] > before


def test_other_dtypes_and_shapes_are_checked(each_backend):
    for _ in range(2):
        assert values(add(tensor([1.0, 2.0]), tensor([1.0, 1.0]))) == [2.0, 3.0]
        with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)|\[2\].*\[3\]"):
            add(tensor([1.0, 2.0]), tensor([1.0, 1.0, 1.0]))


def test_an_error_that_depends_on_values_is_that_of_the_first_call(each_backend):
    logits = tensor([[0.0, 1.0], [1.0, 0.0]])
    right, wrong = tensor([0, 1], "int32"), tensor([0, 7], "int32")
    K.sparse_categorical_crossentropy(right, logits, from_logits=True)
    messages = []
    for labels in (right, wrong, wrong):
        try:
            values(K.sparse_categorical_crossentropy(labels, logits, from_logits=True))
            messages.append(None)
        except ValueError as error:
            messages.append(str(error))
    assert messages[0] is None and messages[1] == messages[2] and "7" in messages[1]


def test_a_function_that_looks_at_values_is_not_kept(each_backend):
    x, y = tensor([1.0]), tensor([2.0])
    for _ in range(2):
        assert values(K.switch(tensor(True, "bool"), lambda: K.tanh(x), lambda: K.exp(y))) == values(K.tanh(x))
        assert values(K.switch(tensor(False, "bool"), lambda: K.tanh(x), lambda: K.exp(y))) == values(K.exp(y))
        assert values(K.switch(tensor(True, "bool"), x, y)) == [1.0]
        assert values(K.switch(tensor(False, "bool"), x, y)) == [2.0]


def test_tensors_of_graphs_make_nodes_after_concrete_calls(each_backend):
    add(tensor([1.0]), tensor([1.0]))
    x = K.placeholder((1,))
    assert add(x, x).node.op.name == "add"


@pytest.mark.together
def test_each_engine_has_calls_of_its_own():
    for name in (*kbackend.available_backends(), *kbackend.available_backends()):
        with kbackend.use_backend(name):
            x = tensor([1.0, -1.0])
            assert active_target().backend.is_tensor(logical_not(add(x, x) > 0))


def test_calls_are_forgotten_at_a_limit(each_backend, monkeypatch, traced):
    monkeypatch.setattr(kept, "LIMIT", 3)
    for size in (*range(101, 108), 107):
        K.tanh(tensor(np.ones(size)))
    assert traced.count("tanh") == 7
    for size in (107, 101, 102):
        K.tanh(tensor(np.ones(size)))
    assert traced.count("tanh") == 9


def test_threads_keep_calls_at_the_same_time(each_backend):
    target = active_target()
    wrong = []

    def work(seed):
        with kbackend.use_backend(target.backend.name):
            random = np.random.default_rng(seed)
            for _ in range(50):
                a = random.normal(size=random.integers(1, 5)).astype("float32")
                if not np.allclose(values(add(tensor(a), tensor(a))), a + a):
                    wrong.append(a)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_impure_ops_run_each_time():
    with kbackend.use_backend("numpy"):
        drawn = [K.eval(K.random_uniform((2,))).tolist() for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_a_tensor_given_twice_does_not_hide_which_operand_is_which(each_backend, traced):
    x, y = tensor([5.0]), tensor([3.0])
    assert values(subtract(y=x, x=x)) == [0.0]
    count = len(traced)
    assert values(subtract(y=x, x=y)) == [-2.0]
    assert values(K.concatenate([x, x])) == [5.0, 5.0]
    assert values(K.concatenate([x, y])) == [5.0, 3.0]
    assert len(traced) == count + 1


def test_a_function_of_many_ops_is_one_program(each_backend, traced):
    x = tensor(np.arange(6.0).reshape(2, 3))
    first = values(ops.average(x, axis=1))
    assert values(ops.average(x, axis=1)) == first == [1.0, 4.0]
    assert traced == ["average"]


def test_attributes_that_are_arrays_count_by_value(each_backend):
    x = tensor([1.0, 2.0, 3.0])
    for _ in range(2):
        assert values(ops.repeat(x, np.array([1, 0, 2]))) == [1.0, 3.0, 3.0]
        assert values(ops.repeat(x, np.array([0, 2, 1]))) == [2.0, 2.0, 3.0]
        assert values(K.getitem(x, np.array([1, 1]))) == [2.0, 2.0]
        assert values(K.getitem(x, np.array([-1, 0]))) == [3.0, 1.0]
        assert values(K.getitem(x, slice(1, None))) == [2.0, 3.0]
        assert values(K.getitem(x, slice(None, None, -1))) == [3.0, 2.0, 1.0]


def test_a_function_that_needs_values_gets_them(each_backend):
    x = tensor([[0.0, 1.0], [2.0, 0.0]])
    for _ in range(2):
        assert values(K.getitem(x, np.array([[True, False], [False, True]]))) == [0.0, 0.0]
        assert values(K.getitem(x, np.array([[False, True], [True, False]]))) == [1.0, 2.0]


def test_arrays_of_numpy_and_tensors_of_other_engines_are_converted(each_backend):
    target = active_target()
    for _ in range(2):
        found = add(np.array([1.0, 2.0]), tensor([1.0, 1.0], "float64"))
        assert target.backend.is_tensor(found) and values(found) == [2.0, 3.0]
        assert K.dtype(found) == "float64"


def test_lists_of_floats_keep_their_fractions_beside_integers(each_backend):
    n = K.placeholder((2,), dtype="int32")
    assert K.function([n], [n + [0.5, 1.5]])([[1, 2]])[0].tolist() == [1.5, 3.5]
    assert values(add(tensor([1, 2], "int32"), [0.5, 1.5])) == [1.5, 3.5]
    assert K.dtype(add([1.0], [2])) == "float32"


def test_what_reads_a_variable_stays_symbolic(each_backend):
    v = K.variable([1.0, 2.0])
    for _ in range(2):
        assert hasattr(K.in_train_phase(tensor([1.0]), tensor([2.0])), "node")
        assert hasattr(add(v, tensor([1.0, 1.0])), "node")


def test_results_of_several_tensors_keep_their_structure(each_backend):
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    for _ in range(2):
        parts = ops.split(x, 2)
        assert isinstance(parts, list) and [values(p) for p in parts] == [[[1.0, 2.0]], [[3.0, 4.0]]]
        mean, variance = ops.moments(x, [0])
        assert values(mean) == [2.0, 3.0] and values(variance) == [1.0, 1.0]
        joined = ops.concatenate([x, np.zeros((1, 2), np.float32)])
        assert values(joined) == [[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]


def test_tracing_draws_nothing(each_backend):
    x = tensor(np.arange(8.0))

    def drawn():
        kbackend.set_seed(3)
        return [values(K.dropout(x, 0.5)) for _ in range(3)], K.eval(random.shuffle(x)).tolist()

    first = drawn()
    assert drawn() == first
    masks, _ = first
    assert masks[0] != masks[1] != masks[2]
