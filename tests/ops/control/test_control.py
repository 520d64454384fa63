"""Phases, switch, while loops: on every engine, against Python's own branches and loops."""

import numpy as np
import pytest
from support.arrays import values

from kbackend import K
from kbackend.ops.control.scan import scan_steps
from kbackend.ops.nn.optimizer_steps import sgd_step


@pytest.fixture(autouse=True)
def fresh_session():
    K.clear_session()
    yield
    K.clear_session()


# ----------------------------------------------------------------------------------------- the learning phase


def test_phase_is_one_tensor_until_the_session_is_cleared():
    first = K.learning_phase()
    assert K.learning_phase() is first
    assert first.dtype == "int32" and first.shape == ()
    K.clear_session()
    assert K.learning_phase() is not first


def test_fed_phase_chooses(each_backend):
    x = K.placeholder((None, 2))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x * 2, x), K.in_test_phase(x * 3, x)])
    assert [r.tolist() for r in f([[[1, 2]], 1])] == [[[2, 4]], [[1, 2]]]
    assert [r.tolist() for r in f([[[1, 2]], 0])] == [[[1, 2]], [[3, 6]]]


def test_phase_that_nobody_feeds_is_test(each_backend):
    x = K.placeholder((2,))
    assert K.function([x], [K.in_train_phase(x * 2, x)])([[1, 2]])[0].tolist() == [1, 2]


def test_phase_as_a_number(each_backend):
    f = K.function([K.learning_phase()], [K.learning_phase() * 2])
    assert [f([p])[0].tolist() for p in (0, 1)] == [0, 2]


def test_program_of_a_phase_needs_no_placeholder_of_the_other(each_backend):
    x, only_training = K.placeholder((2,), name="x"), K.placeholder((2,), name="only_training")
    f = K.function([x, K.learning_phase()], [K.in_test_phase(x, x)])
    assert f([[1, 2], 0])[0].tolist() == [1, 2]
    chosen = K.in_train_phase(lambda: x * only_training, lambda: x)
    both = K.function([x, only_training, K.learning_phase()], [chosen])
    assert "multiply" in both.program(_target(), 1).source
    assert "multiply" not in both.program(_target(), 0).source


def _target():
    from kbackend.plugin.select import active_target

    return active_target()


@pytest.mark.parametrize("training", [True, 1, np.True_, np.int64(1)])
def test_python_value_decides_at_once(training):
    x = K.placeholder((2,))
    assert K.in_train_phase(x, None, training=training) is x
    assert K.in_test_phase(None, lambda: x, training=training) is x


def test_symbolic_training_flag(each_backend):
    x, flag = K.placeholder((2,)), K.placeholder((), dtype="bool")
    f = K.function([x, flag], [K.in_train_phase(lambda: x * 2, lambda: x, training=flag)])
    assert f([[1, 2], True])[0].tolist() == [2, 4]
    assert f([[1, 2], False])[0].tolist() == [1, 2]


def test_gradient_through_the_phase(each_backend):
    x = K.placeholder((2,))
    f = K.function([x, K.learning_phase()], K.gradients(K.sum(K.in_train_phase(x * x, x * 5)), [x]))
    assert f([[1, 2], 1])[0].tolist() == [2, 4]
    assert f([[1, 2], 0])[0].tolist() == [5, 5]


def test_set_phase_and_scope():
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    with K.learning_phase_scope(0):
        assert K.learning_phase() == 0
    assert K.learning_phase() == 1
    K.clear_session()
    assert not isinstance(K.learning_phase(), int)
    for wrong in (2, "train", None):
        with pytest.raises(ValueError, match="0 .test. or 1 .train."):
            K.set_learning_phase(wrong)


def test_phase_of_different_ranks():
    with pytest.raises(ValueError, match="shape"):
        K.in_train_phase(K.placeholder((2,)), K.placeholder((2, 2)))


def test_uids():
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid("b"), K.get_uid()] == [1, 2, 1, 1]
    K.reset_uids()
    assert K.get_uid("a") == 1
    K.clear_session()
    assert K.get_uid("a") == 1


def test_variables_survive_clear_session(each_backend):
    v = K.variable([1.0, 2.0])
    K.clear_session()
    assert K.get_value(v).tolist() == [1, 2]
    K.set_value(v, [3.0, 4.0])
    assert K.eval(v * 2).tolist() == [6, 8]


# -------------------------------------------------------------------------------------------- switch and cond


def test_switch_on_a_scalar(each_backend):
    x, flag = K.placeholder((None,)), K.placeholder((), dtype="int32")
    f = K.function([x, flag], [K.switch(flag, lambda: x * 2, lambda: x + 10), K.switch(flag, x, -x)])
    assert [r.tolist() for r in f([[1, 2], 5])] == [[2, 4], [1, 2]]
    assert [r.tolist() for r in f([[1, 2], 0])] == [[11, 12], [-1, -2]]


def test_switch_computes_only_the_chosen_branch(each_backend):
    x, flag = K.placeholder((2,), dtype="int32"), K.placeholder((), dtype="bool")
    zero = K.placeholder((2,), dtype="int32")
    f = K.function([x, zero, flag], [K.switch(flag, lambda: x // zero, lambda: x)])
    assert f([[1, 2], [0, 0], False])[0].tolist() == [1, 2]
    with pytest.raises(ZeroDivisionError):
        f([[1, 2], [0, 0], True])


def test_switch_gradients_and_captured_variables(each_backend):
    w = K.variable([2.0, 3.0])
    x, flag = K.placeholder((2,)), K.placeholder((), dtype="bool")
    y = K.switch(flag, lambda: x * w, lambda: x * x)
    f = K.function([x, flag], [*K.gradients(K.sum(y), [x, w])])
    assert [g.tolist() for g in f([[5, 7], True])] == [[2, 3], [5, 7]]
    assert [g.tolist() for g in f([[5, 7], False])] == [[10, 14], [0, 0]]
    second = K.function([x, flag], K.gradients(K.sum(K.gradients(K.sum(y * y), [x])[0]), [x, w]))
    assert [g.tolist() for g in second([[5, 7], True])] == [[8, 18], [40, 84]]
    assert [g.tolist() for g in second([[5, 7], False])] == [[300, 588], [0, 0]]


def test_switch_with_other_shapes(each_backend):
    x, flag = K.placeholder((None, 3)), K.placeholder((), dtype="bool")
    y = K.switch(flag, lambda: x, lambda: K.sum(x, axis=0, keepdims=True))
    assert y.shape == (None, 3)
    f = K.function([x, flag], [y])
    assert f([np.ones((2, 3)), True])[0].shape == (2, 3)
    assert f([np.ones((2, 3)), False])[0].tolist() == [[2, 2, 2]]


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3), (4, 3, 2)])
def test_switch_element_by_element(each_backend, shape):
    condition, x, y = values(shape) > 0, values((4, 3, 2), 1), values((4, 3, 2), 2)
    places = [
        K.placeholder((None, *shape[1:]), dtype="bool"),
        K.placeholder((None, 3, 2)),
        K.placeholder((None, 3, 2)),
    ]
    result = K.function(places, [K.switch(*places)])([condition, x, y])[0]
    wide = condition.reshape(*shape, *[1] * (3 - len(shape)))
    np.testing.assert_array_equal(result, np.where(wide, x, y).astype("float32"))


def test_switch_on_values(each_backend):
    assert K.eval(K.switch(True, lambda: K.constant(1.0), lambda: 1 / 0)) == 1
    assert np.asarray(
        K.eval(K.switch(np.array([1, 0]), np.ones(2, "float32"), np.zeros(2, "float32")))
    ).tolist() == [1, 0]


def test_switch_refuses():
    x = K.placeholder((2,))
    with pytest.raises(ValueError, match="rank 2.*rank 1"):
        K.switch(K.placeholder((2, 2), dtype="bool"), x, x)
    with pytest.raises(ValueError, match="branches"):
        K.cond(K.placeholder((), dtype="bool"), lambda: [x, x], lambda: [x])
    with pytest.raises(ValueError, match=r"K.update inside"):
        v = K.variable([1.0])
        K.switch(K.placeholder((), dtype="bool"), lambda: K.update(v, v + 1), lambda: v)


def test_nested_switch(each_backend):
    a, b = K.placeholder((), dtype="bool"), K.placeholder((), dtype="bool")
    x = K.placeholder((2,))
    y = K.switch(a, lambda: K.switch(b, lambda: x * 2, lambda: x * 3), lambda: x * 5)
    f = K.function([x, a, b], [y, *K.gradients(K.sum(y * y), [x])])
    for given, factor in (((True, True), 2), ((True, False), 3), ((False, True), 5)):
        out, gradient = f([[1, 2], *given])
        assert out.tolist() == [factor, 2 * factor]
        assert gradient.tolist() == [2 * factor**2, 4 * factor**2]


# --------------------------------------------------------------------------------------------- while


def collatz(n):
    steps = 0
    while n != 1:
        n, steps = (n // 2 if n % 2 == 0 else 3 * n + 1), steps + 1
    return steps


def test_while_loop(each_backend):
    n = K.placeholder((), dtype="int32")

    def body(n, steps):
        return [K.switch(K.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1), steps + 1]

    f = K.function([n], K.while_loop(lambda n, steps: K.not_equal(n, 1), body, [n, 0]))
    assert [int(f([i])[1]) for i in (1, 6, 7, 27)] == [collatz(i) for i in (1, 6, 7, 27)]


def test_while_loop_gradient(each_backend):
    x, n = K.placeholder((2,), dtype="float64"), K.placeholder((), dtype="int32")
    w = K.variable([0.5, 2.0], dtype="float64")
    y, _ = K.while_loop(lambda y, i: K.less(i, n), lambda y, i: [y * w, i + 1], [x, 0])
    f = K.function([x, n], [y, *K.gradients(K.sum(y), [x, w])])
    for steps in (0, 1, 4):
        y, by_x, by_w = f([[3, 5], steps])
        powers = np.array([0.5, 2.0]) ** steps
        np.testing.assert_allclose(y, [3, 5] * powers)
        np.testing.assert_allclose(by_x, powers)
        np.testing.assert_allclose(by_w, np.array([3, 5]) * steps * np.array([0.5, 2.0]) ** (steps - 1))


def test_while_loop_that_grows(each_backend):
    x = K.placeholder((None,))
    (y,) = K.while_loop(lambda y: K.less(K.shape(y)[0], 7), lambda y: [K.concatenate([y, y], axis=0)], [x])
    assert y.shape == (None,)
    assert K.function([x], [y])([[1, 2]])[0].tolist() == [1, 2] * 4


def test_while_loop_stops_at_the_maximum(each_backend):
    (n,) = K.while_loop(lambda n: K.less(n, 100), lambda n: [n + 1], [0], maximum_iterations=3)
    assert int(K.eval(n)) == 3


def test_while_loop_refuses():
    x = K.placeholder((2,))
    with pytest.raises(TypeError, match="state 0 is float32 at the start and int32"):
        K.while_loop(lambda x: K.less(K.sum(x), 1), lambda x: [K.cast(x, "int32")], [x])
    with pytest.raises(ValueError, match="bool scalar"):
        K.while_loop(lambda x: K.less(x, 1), lambda x: [x + 1], [x])
    with pytest.raises(ValueError, match="another structure than its state"):
        K.while_loop(lambda x: K.less(K.sum(x), 1), lambda x: [x, x], [x])


# --------------------------------------------------------------------------------------------- others


def test_print_tensor(each_backend, capfd):
    x = K.placeholder((2,))
    f = K.function([x], [K.print_tensor(x * 2, "twice") + 1])
    assert f([[1, 2]])[0].tolist() == [3, 5]
    import sys

    sys.stdout.flush()
    printed = capfd.readouterr().out
    assert "twice" in printed and "2" in printed and "4" in printed


def test_names_of_placeholders_may_be_those_of_ops(each_backend):
    x, y = K.placeholder((2,), name="tanh"), K.placeholder((2,), name="cells")
    f = K.function([x, y], [K.tanh(x) + y, K.gradients(K.sum(K.tanh(x) * y), [x])[0]])
    np.testing.assert_allclose(f([[1, 2], [3, 4]])[0], np.tanh([1, 2]) + [3, 4], rtol=1e-6)


def test_stable_form_does_not_look_behind_a_given_tensor(each_backend):
    logits, target, flag = K.placeholder((2, 3)), K.placeholder((2, 3)), K.placeholder((), dtype="bool")
    probabilities = K.softmax(logits)
    loss = K.categorical_crossentropy(target, probabilities)
    p, t = [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], [[1, 0, 0], [0, 0, 1]]
    fed = K.function([target, probabilities], [loss])([t, p])[0]
    np.testing.assert_allclose(fed, -np.log([0.5, 0.7]), rtol=1e-5)
    branch = K.switch(
        flag, lambda: K.categorical_crossentropy(target, probabilities), lambda: K.sum(target, axis=-1)
    )
    f = K.function([target, logits, flag], [branch])
    np.testing.assert_allclose(f([t, np.log(p), True])[0], -np.log([0.5, 0.7]), rtol=1e-5)


@pytest.mark.parametrize("kind", ["while_loop", "scan"])
def test_the_result_of_no_round_is_no_view_of_a_variable(each_backend, kind):
    """A loop that is not entered returns its state, which an optimizer changes in place afterwards."""
    v, rounds, rows = K.variable(np.ones((2, 2))), K.placeholder((), dtype="int32"), K.placeholder((None, 2, 2))
    if kind == "while_loop":
        result = K.while_loop(lambda i, s: i < rounds, lambda i, s: [i + 1, s * 2.0], [K.constant(0, "int32"), v])[1]
    else:
        result = scan_steps(lambda slices, states: ([], [states[0] + slices[0]]), [rows], [v])[1][0]
    (new,) = sgd_step([v], K.gradients(K.sum(v * v), [v]), 0.5)
    step = K.function([rounds, rows], [result], updates=[(v, new)])
    (first,) = step([0, np.zeros((0, 2, 2))])
    assert first.tolist() == [[1.0, 1.0], [1.0, 1.0]]  # of the old state
    assert K.get_value(v).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    step([0, np.zeros((0, 2, 2))])
    assert first.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_print_tensor_prints_the_same_text_on_every_engine(each_backend, capsys):
    for value, text in (([1.0, 2.0], "[1. 2.]"), ([[1, 2]], "[[1 2]]"), (1.5, "1.5"), ([], "[]")):
        x = K.placeholder(np.shape(value), dtype=np.asarray(value).dtype.name)
        K.function([x], [K.print_tensor(x, "x is") + 1])([value])
        assert capsys.readouterr().out == f"x is {text}\n"
    K.eval(K.print_tensor(K.constant([3.0]), "now"))
    assert capsys.readouterr().out == "now [3.]\n"
