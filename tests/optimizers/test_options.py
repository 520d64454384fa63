"""Arguments of optimizers: configurations, live numbers, Keras 2's names, what is excluded, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kbackend import K, optimizers
from kbackend.optimizers import schedules

ALL = [
    optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01, clipnorm=1.0),
    optimizers.RMSprop(0.1, rho=0.8, momentum=0.5, centered=True, use_ema=True, ema_momentum=0.9),
    optimizers.Adagrad(0.1, initial_accumulator_value=0.2), optimizers.Adadelta(1.0, decay=0.1),
    optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5), amsgrad=True, gradient_accumulation_steps=4),
    optimizers.AdamW(0.1, weight_decay=0.2), optimizers.Adamax(loss_scale_factor=4.0),
    optimizers.Nadam(schedule_decay=0.004), optimizers.Lamb(0.3), optimizers.Lion(0.3, 0.8, 0.9),
    optimizers.Ftrl(0.1, beta=0.2, l1_regularization_strength=0.3), optimizers.Adafactor(0.1, clip_threshold=0.5),
    optimizers.Muon(0.1, exclude_layers=["head"], adam_weight_decay=None), optimizers.ScheduleFreeAdamW(warmup_steps=3),
    optimizers.LossScaleOptimizer(optimizers.Adam(0.2), 8.0, 10),
    optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.Adam(), {"a.*": optimizers.SGD(0.3)})),
]  # fmt: skip


@pytest.mark.parametrize("made", ALL, ids=lambda o: o.name)
def test_a_configuration_survives_json(made):
    config = optimizers.serialize(made)
    again = optimizers.deserialize(json.loads(json.dumps(config)))
    assert type(again) is type(made) and again.get_config() == made.get_config()


def test_every_class_is_among_them():
    assert {type(o).__name__ for o in ALL} == set(optimizers.CLASSES)


def test_numbers_in_a_configuration_are_those_that_were_given():
    config = optimizers.Adam(0.001, beta_2=0.999).get_config()
    assert config["learning_rate"] == 0.001 and config["beta_2"] == 0.999


def test_any_number_may_be_a_variable_and_is_live(each_backend):
    limit, decay, momentum = K.variable(10.0), K.variable(0.0), K.variable(0.0)
    optimizer = optimizers.SGD(1.0, momentum=momentum, clipvalue=limit, weight_decay=decay)
    w = K.variable(0.0)
    step = K.function([], [], updates=optimizer.get_updates(-4.0 * w, [w]))
    step([])
    limit.assign(0.5)
    step([])
    assert float(K.get_value(w)) == 4.5
    optimizer.weight_decay = 0.5
    momentum.assign(1.0)
    step([])  # 4.5 - 2.25 + (0.5 + 0.5)
    assert float(K.get_value(w)) == 3.25
    optimizer.clipvalue = 2.0
    assert float(K.get_value(limit)) == 2.0 and len(step.programs) == 1


def test_names_of_keras_2(each_backend):
    optimizer = optimizers.SGD(lr=0.5, decay=1.0)
    w = K.variable(0.0)
    step = K.function([], [], updates=optimizer.get_updates(-1.0 * w, [w]))
    step([])
    assert K.get_value(optimizer.lr) == 0.5 and K.get_value(optimizer.decay) == 1.0
    K.set_value(optimizer.lr, 4.0)
    step([])
    assert float(K.get_value(w)) == 2.5
    assert [v.name for v in optimizer.weights] == ["iterations"] and len(optimizer.get_weights()) == 1


def test_weights_that_do_not_decay(each_backend):
    values = [K.variable(1.0, name=n) for n in ("kernel", "bias", "gamma")]
    optimizer = optimizers.SGD(0.1, weight_decay=1.0)
    optimizer.exclude_from_weight_decay([values[2]], ["bia"])
    updates = optimizer.get_updates(sum(v * 0.0 for v in values), values)
    K.function([], [], updates=updates)([])
    np.testing.assert_allclose([float(K.get_value(v)) for v in values], [0.9, 1.0, 1.0], rtol=1e-6)


def test_a_rate_that_is_a_function(each_backend):
    scale = K.variable(1.0)
    optimizer = optimizers.SGD(lambda: scale * 0.5)
    w = K.variable(0.0)
    step = K.function([], [], updates=optimizer.get_updates(-1.0 * w, [w]))
    step([])
    scale.assign(4.0)
    step([])
    assert float(K.get_value(w)) == 2.5


def test_constraints_hold_after_every_step(each_backend):
    for options in ({}, {"use_ema": True}, {"gradient_accumulation_steps": 2}, {"weight_decay": 0.1}):
        w = K.variable([1.0, -1.0], constraint=lambda v: K.maximum(v, 0.0))
        optimizer = optimizers.Adam(0.5, **options)
        step = K.function([], [], updates=optimizer.get_updates(K.sum(w), [w]))
        for _ in range(4):
            step([])
            assert (K.get_value(w) >= 0).all()


def test_minimize_and_apply_of_symbolic_gradients(each_backend):
    w = K.variable(3.0)
    optimizer = optimizers.SGD(0.1, loss_scale_factor=16.0)
    K.function([], [], updates=optimizer.minimize(K.square(w), [w]))([])
    assert float(K.get_value(w)) == pytest.approx(2.4)
    gradients = K.gradients(optimizer.scale_loss(K.square(w)), [w])
    K.function([], [], updates=optimizer.apply_gradients(zip(gradients, [w])))([])
    assert float(K.get_value(w)) == pytest.approx(1.92)


def test_state_is_made_before_the_first_step_and_set_again():
    w = K.variable([1.0, 2.0])
    optimizer = optimizers.Nadam()
    optimizer.build([w])
    assert [v.shape for v in optimizer.weights] == [(), (), (2,), (2,)]
    state = [np.asarray(v) + 1 for v in optimizer.get_weights()]
    optimizer.set_weights(state)
    for a, b in zip(optimizer.get_weights(), state):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: optimizers.Adam(gradient_accumulation_steps=1), ValueError, "accumulation_steps must be None or an"),
    (lambda: optimizers.Adam(use_ema=True, ema_momentum=2), ValueError,
     r"ema_momentum must be a number in \[0, 1\], it is 2"),
    (lambda: optimizers.Adam(beta_1=1.0), ValueError, r"beta_1 must lie in \[0, 1\), it is 1.0"),
    (lambda: optimizers.Adam(weight_decay="no"), TypeError, "weight_decay must be a number or a variable, it is 'no'"),
    (lambda: optimizers.Adam(learning_rate=None), TypeError, "learning_rate must be a number or a variable"),
    (lambda: optimizers.Ftrl(learning_rate_power=1), ValueError, "learning_rate_power must be at most 0, it is 1"),
    (lambda: optimizers.TFOptimizer("x"), TypeError, "TFOptimizer wraps optimizers of TensorFlow 1"),
    (lambda: optimizers.LossScaleOptimizer("adam"), TypeError, "inner_optimizer must be another optimizer"),
    (lambda: optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1), TypeError, "give these to inner_optimizer"),
    (lambda: optimizers.MultiOptimizer(3), TypeError, "optimizer_map must be an OptimizerMap or a function"),
    (lambda: optimizers.MultiOptimizer(lambda v: optimizers.SGD()).learning_rate, AttributeError, "no learning rate"),
    (lambda: schedules.CosineDecay(0.1, 0), ValueError, "decay_steps must be a positive number or a variable, it is 0"),
    (lambda: schedules.PiecewiseConstantDecay([1], [1.0]), ValueError, "values must have one entry more"),
    (lambda: schedules.deserialize("Linear"), ValueError, "unknown schedule 'Linear'"),
])  # fmt: skip
def test_bad_arguments_are_named(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
