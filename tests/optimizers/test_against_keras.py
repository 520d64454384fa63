"""Twenty steps of each optimizer, and the options that all have, against Keras 3; schedules at many steps."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from kbackend import K, optimizers

STEPS = 20
NAMES = ["dense/kernel", "dense/bias", "stack/kernel", "embedding/embeddings"]
SHAPES = [(4, 3), (3,), (2, 2, 3), (5, 2)]
RNG = np.random.default_rng(3)
START = [RNG.normal(size=s).astype(np.float32) for s in SHAPES]
GRADIENTS = [[RNG.normal(size=s).astype(np.float32) for s in SHAPES] for _ in range(STEPS)]

#: class and arguments
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"learning_rate": 0.1}),
    "momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "rmsprop momentum": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.8}),
    "rmsprop centered": ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.5}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "amsgrad": ("Adam", {"learning_rate": 0.01, "amsgrad": True, "beta_2": 0.5}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
    "adamax": ("Adamax", {"learning_rate": 0.01}),
    "nadam": ("Nadam", {"learning_rate": 0.01}),
    "lamb": ("Lamb", {"learning_rate": 0.01}),
    "lion": ("Lion", {"learning_rate": 0.01}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "ftrl penalties": ("Ftrl", {
        "learning_rate": 0.1, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2,
        "l2_shrinkage_regularization_strength": 0.1, "beta": 0.3, "learning_rate_power": -0.7}),
    "adafactor": ("Adafactor", {"learning_rate": 0.5}),
    "adafactor plain": ("Adafactor", {"learning_rate": 0.01, "relative_step": False, "clip_threshold": 0.5}),
    "muon": ("Muon", {"learning_rate": 0.01}),
    "muon options": ("Muon", {
        "learning_rate": 0.01, "nesterov": False, "rms_rate": None, "exclude_embeddings": False,
        "adam_lr_ratio": 0.5, "ns_steps": 3}),
    "clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 1.0}),
    "clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 0.5}),
    "global_clipnorm": ("SGD", {"learning_rate": 0.1, "global_clipnorm": 2.0}),
    "weight decay": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    "loss scale": ("Adam", {"learning_rate": 0.01, "loss_scale_factor": 8.0}),
    "average": ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    "accumulation": ("Adam", {"learning_rate": 0.01, "gradient_accumulation_steps": 3, "clipnorm": 1.0}),
    "accumulation average": ("Nadam", {
        "learning_rate": 0.01, "gradient_accumulation_steps": 2, "use_ema": True, "weight_decay": 0.1}),
}  # fmt: skip


def trained(make, variables, value_of):
    optimizer = make()
    for gradients in GRADIENTS:
        optimizer.apply(gradients, variables)
    before = [value_of(v) for v in variables]
    optimizer.finalize_variable_values(variables)
    return [*before, *(value_of(v) for v in variables)]


@functools.cache
def expected(name):
    import keras

    class_name, options = CASES[name]
    variables = [keras.Variable(a, name=n.rpartition("/")[2]) for a, n in zip(START, NAMES)]
    for variable, path in zip(variables, NAMES):
        variable._path = path
    make = lambda: getattr(keras.optimizers, class_name)(**options)  # noqa: E731
    return trained(make, variables, lambda v: np.array(v))


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_are_those_of_keras(each_backend, keras, name):
    class_name, options = CASES[name]
    variables = [K.variable(a, name=n) for a, n in zip(START, NAMES)]
    found = trained(lambda: getattr(optimizers, class_name)(**options), variables, K.get_value)
    for a, b in zip(found, expected(name), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * np.abs(b).max())


def schedule_free(start, gradients, warmup, decay, rate=0.05, b1=0.9, b2=0.999):
    """Defazio et al. 2024, in float64: y is between the fast z and the mean x. Keras's TensorFlow backend reads z after
    its change where the formula has it before, so Keras is no reference here."""
    y, z, x, v = (np.array(a, np.float64) for a in (start, start, start, 0 * start))
    for t, g in enumerate(gradients, 1):
        lr = rate * min(t / warmup, 1.0) if warmup else rate
        y = y - y * decay * rate
        x = (y - (1 - b1) * z) / b1
        v = b2 * v + (1 - b2) * g.astype(np.float64) ** 2
        z = z - lr * g / (np.sqrt(v / (1 - b2**t)) + 1e-8)
        x = (1 - 1 / t) * x + z / t
        y = (1 - b1) * z + b1 * x
    return y


@pytest.mark.parametrize(("warmup", "decay"), [(0, 0.0), (7, 0.1)])
def test_schedule_free_steps_follow_the_formula(each_backend, warmup, decay):
    variables = [K.variable(a, name=n) for a, n in zip(START, NAMES)]
    made = lambda: optimizers.ScheduleFreeAdamW(0.05, warmup_steps=warmup, weight_decay=decay or None)  # noqa: E731
    found = trained(made, variables, K.get_value)
    for i, start in enumerate(START):
        wanted = schedule_free(start, [g[i] for g in GRADIENTS], warmup, decay)
        np.testing.assert_allclose(found[i], wanted, rtol=1e-5, atol=1e-5)


def scaled_steps(library, optimizer, variables, value_of):
    """Values and scales after gradients of a scaled loss, one of which is not finite."""
    seen = []
    if hasattr(optimizer, "build"):
        optimizer.build(variables)
    for i, gradients in enumerate(GRADIENTS[:8]):
        scale = float(value_of(optimizer.dynamic_scale))
        scaled = [g * np.float32(scale) for g in gradients]
        if i == 3:
            scaled[1] = scaled[1] * np.float32("nan")
        optimizer.apply([library.convert_to_tensor(g) for g in scaled], variables)
        seen.append(scale)
    return seen, [value_of(v) for v in variables]


def test_a_loss_scale_that_adapts_is_that_of_keras(each_backend, keras):
    options = {"initial_scale": 64.0, "dynamic_growth_steps": 2}
    theirs = [keras.Variable(a) for a in START]
    wanted = scaled_steps(
        keras.ops, keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), **options), theirs, np.array
    )
    ours = [K.variable(a) for a in START]
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.01), **options)
    found = scaled_steps(K, scaled, ours, K.get_value)
    assert found[0] == wanted[0] and min(found[0]) < max(found[0])
    assert int(K.get_value(scaled.iterations)) == 7
    for a, b in zip(found[1], wanted[1]):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_optimizers_by_weight_are_those_of_keras(each_backend, keras):
    results = []
    libraries = (keras.optimizers, keras.Variable, np.array), (optimizers, K.variable, K.get_value)
    for library, variable, value_of in libraries:
        chosen = library.OptimizerMap(library.Adam(0.01), {".*bias": library.SGD(0.1, momentum=0.5)})
        variables = [variable(a, name=n.rpartition("/")[2]) for a, n in zip(START, NAMES)]
        optimizer = library.MultiOptimizer(chosen)
        for gradients in GRADIENTS:
            optimizer.apply(gradients, variables)
        results.append([value_of(v) for v in variables])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "exponential": ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    "exponential stairs": ("ExponentialDecay", {
        "initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    "inverse": ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    "inverse stairs": ("InverseTimeDecay", {
        "initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    "piecewise": ("PiecewiseConstantDecay", {"boundaries": [3, 9, 10], "values": [1.0, 0.5, 0.25, 0.1]}),
    "polynomial": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "power": 2.0}),
    "polynomial cycle": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "cycle": True}),
    "cosine": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "alpha": 0.1}),
    "cosine warmup": ("CosineDecay", {
        "initial_learning_rate": 0.01, "decay_steps": 12, "warmup_target": 0.1, "warmup_steps": 5}),
    "restarts": ("CosineDecayRestarts", {
        "initial_learning_rate": 0.1, "first_decay_steps": 5, "m_mul": 0.8, "alpha": 0.1}),
    "restarts alike": ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_those_of_keras(each_backend, keras, name):
    class_name, options = SCHEDULES[name]
    theirs = getattr(keras.optimizers.schedules, class_name)(**options)
    steps = range(24)
    wanted = [float(theirs(step)) for step in steps]
    ours = getattr(optimizers.schedules, class_name)(**options)
    step = K.placeholder((), dtype="int64")
    program = K.function([step], [ours(step)])
    np.testing.assert_allclose([float(program([np.int64(s)])[0]) for s in steps], wanted, rtol=2e-6, atol=1e-8)
    assert float(ours(3)) == pytest.approx(wanted[3], rel=2e-6)
    again = optimizers.schedules.deserialize(optimizers.schedules.serialize(ours))
    assert type(again) is type(ours) and again.get_config() == ours.get_config()


def test_a_schedule_drives_the_steps(each_backend):
    schedule = optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])
    optimizer = optimizers.SGD(schedule)
    w = K.variable(0.0)
    step = K.function([], [], updates=optimizer.get_updates(-1.0 * w, [w]))
    seen = []
    for _ in range(3):
        step([])
        seen.append(float(K.get_value(w)))
    assert seen == [1.0, 1.5, 1.75]
    with pytest.raises(TypeError, match="cannot be set to 0.1; make the optimizer with a number"):
        optimizer.learning_rate = 0.1
