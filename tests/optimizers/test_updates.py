"""Optimizers: the formulas, in place and composed, live hyperparameters, clipping, state."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import K, ops, optimizers

START = [np.array([[1.0, -2.0], [0.5, 3.0]], np.float32), np.array([0.3, -0.7], np.float32)]


def sgd(p, g, state, t):
    return p - 0.1 * g


def momentum(p, g, state, t, nesterov=False):
    v = state["v"] = 0.9 * state.get("v", 0.0) - 0.1 * g
    return p + (0.9 * v - 0.1 * g if nesterov else v)


def nesterov(p, g, state, t):
    return momentum(p, g, state, t, nesterov=True)


def rmsprop(p, g, state, t):
    a = state["a"] = 0.9 * state.get("a", 0.0) + 0.1 * g * g
    return p - 0.01 * g / np.sqrt(a + 1e-7)


def adam(p, g, state, t):
    m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g * g
    return p - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def adadelta(p, g, state, t):
    a = state["a"] = 0.95 * state.get("a", 0.0) + 0.05 * g * g
    u = g * np.sqrt(state.get("d", 0.0) + 1e-7) / np.sqrt(a + 1e-7)
    state["d"] = 0.95 * state.get("d", 0.0) + 0.05 * u * u
    return p - 1.0 * u


CASES = {
    "sgd": (sgd, lambda: optimizers.SGD(0.1)),
    "momentum": (momentum, lambda: optimizers.SGD(0.1, momentum=0.9)),
    "nesterov": (nesterov, lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True)),
    "rmsprop": (rmsprop, lambda: optimizers.RMSprop(0.01)),
    "adam": (adam, lambda: optimizers.Adam(0.01)),
    "adadelta": (adadelta, lambda: optimizers.Adadelta(1.0)),
}


def trained(make, steps=5, constraint=None):
    """The weights after some steps on sum(w^4 / 4 + 0.1 w), whose gradient is w^3 + 0.1."""
    params = [K.variable(p, constraint=constraint) for p in START]
    loss = sum(K.sum(K.square(K.square(p)) * 0.25 + 0.1 * p) for p in params)
    step = K.function([], [loss], updates=make().get_updates(loss, params))
    for _ in range(steps):
        step([])
    return [K.get_value(p) for p in params], step


def expected(formula, steps=5):
    results = []
    for start in START:
        p, state = start.astype(np.float64), {}
        for t in range(1, steps + 1):
            p = formula(p, p**3 + 0.1, state, t)
        results.append(p)
    return results


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("constrained", [False, True], ids=["in place", "composed"])
def test_five_steps_follow_the_formula(each_backend, name, constrained):
    formula, make = CASES[name]
    with kbackend.use_backend(each_backend):
        found, step = trained(make, constraint=(lambda w: w * 1.0) if constrained else None)
        in_place = "((cells[" in step.source
    assert in_place is not constrained
    for a, b in zip(found, expected(formula)):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def convolved(make):
    """A kernel after some steps; torch gives the gradients of kernels in another order of memory."""
    rng = np.random.default_rng(0)
    x = K.constant(rng.normal(size=(2, 5, 5, 3)))
    w = K.variable(rng.normal(size=(3, 3, 3, 4)))
    loss = K.mean(K.square(K.conv2d(x, w) - 1.0))
    step = K.function([], [], updates=make().get_updates(loss, [w]))
    for _ in range(5):
        step([])
    return K.get_value(w)


@pytest.mark.parametrize("name", CASES)
def test_gradients_in_another_order_of_memory(each_backend, name):
    _, make = CASES[name]
    with kbackend.use_backend(each_backend):
        found = convolved(make)
    with kbackend.use_backend("numpy"):
        np.testing.assert_allclose(found, convolved(make), rtol=1e-4, atol=1e-5)


def test_outputs_see_the_state_before_a_step_in_place(each_backend):
    with kbackend.use_backend(each_backend):
        w = K.variable([1.0, 2.0])
        f = K.function([], [w, K.reshape(w, (2, 1))], updates=optimizers.SGD(1.0).get_updates(K.sum(w), [w]))
        before, view = f([])
        np.testing.assert_array_equal(before, [1.0, 2.0])
        np.testing.assert_array_equal(view[:, 0], [1.0, 2.0])
        np.testing.assert_array_equal(K.get_value(w), [0.0, 1.0])


def test_the_rate_is_live_and_makes_no_new_program(each_backend):
    with kbackend.use_backend(each_backend):
        w = K.variable(1.0)
        optimizer = optimizers.SGD(0.5)
        step = K.function([], [], updates=optimizer.get_updates(1.0 * w, [w]))
        step([])
        made = dict(step._programs)
        optimizer.lr = 0.25
        step([])
        K.set_value(optimizer.learning_rate, 0.0)
        step([])
        assert step._programs == made
        assert float(K.get_value(w)) == 0.25


def test_clipping_by_value_norm_and_global_norm(each_backend):
    with kbackend.use_backend(each_backend):
        results = {}
        for option in ("clipvalue", "clipnorm", "global_clipnorm"):
            a, b = K.variable([0.0, 0.0]), K.variable([0.0])
            loss = K.sum(a * [3.0, 4.0]) + K.sum(b * 12.0)
            K.function([], [], updates=optimizers.SGD(1.0, **{option: 1.0}).get_updates(loss, [a, b]))([])
            results[option] = [-K.get_value(a), -K.get_value(b)]
    np.testing.assert_allclose(np.concatenate(results["clipvalue"]), [1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(np.concatenate(results["clipnorm"]), [0.6, 0.8, 1], rtol=1e-6)
    np.testing.assert_allclose(
        np.concatenate(results["global_clipnorm"]), np.array([3, 4, 12]) / 13, rtol=1e-6
    )


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adadelta"])
def test_an_error_in_another_output_changes_no_weight(each_backend, optimizer):
    w, matrix = K.variable([1.0, 2.0]), K.placeholder((2, 2))
    updates = optimizers.get(optimizer).get_updates(K.sum(w * w), [w])
    step = K.function([matrix], [ops.cholesky(matrix)], updates=updates)
    step([np.eye(2)])
    before = [K.get_value(variable) for variable, _ in updates]
    for _ in range(5):  # on TensorFlow the order is that of the moment
        with pytest.raises(np.linalg.LinAlgError):
            step([-np.eye(2)])
    for (variable, _), value in zip(updates, before, strict=True):
        np.testing.assert_array_equal(K.get_value(variable), value)


def test_decay_divides_the_rate(each_backend):
    with kbackend.use_backend(each_backend):
        w = K.variable(0.0)
        step = K.function([], [], updates=optimizers.SGD(1.0, decay=1.0).get_updates(-1.0 * w, [w]))
        seen = []
        for _ in range(3):
            step([])
            seen.append(float(K.get_value(w)))
    np.testing.assert_allclose(seen, [1.0, 1.5, 1.5 + 1 / 3], rtol=1e-6)


def test_state_is_read_and_set_whole_or_not_at_all():
    with kbackend.use_backend("numpy"):
        w = K.variable([1.0, 2.0])
        optimizer = optimizers.Adam()
        optimizer.get_updates(K.sum(w), [w])
        state = optimizer.get_weights()
        assert [s.shape for s in state] == [(), (2,), (2,)]
        with pytest.raises(ValueError, match="shape"):
            optimizer.set_weights([np.array(7), np.ones(3), np.ones(2)])
        assert optimizer.get_weights()[0] == 0
        optimizer.set_weights([np.array(7), np.ones(2), np.ones(2)])
        assert optimizer.get_weights()[0] == 7


def test_config_makes_an_equal_optimizer():
    for make in (case[1] for case in CASES.values()):
        made = make()
        again = optimizers.deserialize(optimizers.serialize(made))
        assert type(again) is type(made) and again.get_config() == made.get_config()


@pytest.mark.parametrize("bad", ["adamm", 3, {"class_name": "nothing"}])
def test_unknown_optimizers_are_refused_with_the_known_ones(bad):
    with pytest.raises(ValueError, match="Known are: adadelta, .* adam, .* sgd"):
        optimizers.get(bad)


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="unknown argument"):
        optimizers.SGD(0.1, momentom=0.9)
    with pytest.raises(TypeError, match="learning_rate must be a number"):
        optimizers.SGD("0.1")
    with pytest.raises(ValueError, match=r"momentum must be a number in \[0, 1\]"):
        optimizers.SGD(0.1, momentum=2.0)
    with pytest.raises(ValueError, match="clipnorm must be a positive number"):
        optimizers.SGD(0.1, clipnorm=0.0)
    with pytest.raises(ValueError, match="without momentum"):
        optimizers.SGD(0.1).momentum = 0.9


def test_a_weight_that_the_loss_does_not_depend_on_is_named():
    w, lost = K.variable(1.0), K.variable(1.0, name="lost")
    with pytest.raises(ValueError, match="lost"):
        optimizers.SGD().get_updates(K.sum(w), [w, lost])
