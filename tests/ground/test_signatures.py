"""Every constructor and every method of a model: arguments of the wrong kind are refused before anything is made."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import kbackend
from kbackend import (
    K,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    utils,
)
from kbackend.ground.arguments import ARGUMENTS, CONSTRUCTORS, rules_of
from kbackend.ground.public import Public
from kbackend.optimizers import schedules

FAMILIES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        layers, losses, metrics, optimizers, schedules, callbacks, initializers, regularizers, constraints, utils,
    )
}  # fmt: skip
#: values of arguments without a default
NEEDED: dict[str, Any] = {
    "axes": 1, "boundaries": [1.0], "dims": (1,), "factor": 0.5, "function": lambda x: x, "rate": 0.5, "units": 3,
    "target_shape": (4,), "values": [1.0, 0.5], "schedule": lambda n: 0.1, "filepath": "x.weights.h5",
    "filename": "x.csv", "layer": layers.Dense(1), "cell": layers.LSTMCell(2), "inner_optimizer": optimizers.SGD(),
    "vocabulary_size": 3, "batch_shape": (1, 2), "output_mode": "int", "query_dim": 2, "num_classes": 2,
}  # fmt: skip
NONSENSE = ["nonsense", b"x", object(), [object()], {}]
NOT_A_NUMBER = float("nan")


def constructors(family: str) -> list[type]:
    found = {v for n, v in vars(FAMILIES[family]).items() if inspect.isclass(v) and not n.startswith("_")}
    return sorted((c for c in found if issubclass(c, Public)), key=lambda c: c.__name__)


def needed(cls: type) -> dict[str, Any]:
    parameters = inspect.signature(cls).parameters.values()
    empty = [p for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return {p.name: NEEDED.get(p.name, 2) for p in empty}


def wrong_values(default: Any) -> list[Any]:
    if isinstance(default, bool):
        return [*NONSENSE, NOT_A_NUMBER, 2, -1, 1.0, None]
    return [*NONSENSE, NOT_A_NUMBER, [NOT_A_NUMBER]]


#: parameters whose default is a number and that take other things too, each with what else it takes
ALSO = {"learning_rate": "a schedule", "lr": "a schedule"}


@pytest.mark.parametrize("family", FAMILIES)
def test_constructors_refuse_what_is_neither_a_flag_nor_a_number(family):
    """By the type of the default, for all parameters of all classes."""
    tried, accepted = 0, []
    for cls in constructors(family):
        given = needed(cls)
        for name, parameter in inspect.signature(cls).parameters.items():
            if type(parameter.default) not in (bool, int, float) or name in ALSO:
                continue
            for value in wrong_values(parameter.default):
                tried += 1
                try:
                    cls(**{**given, name: value})
                    accepted.append(f"{cls.__name__}({name}={value!r})")
                except (ValueError, TypeError) as error:
                    if name not in str(error):
                        accepted.append(f"{cls.__name__}({name}={value!r}) says {error}")
    print(f"{family}: {tried} wrong arguments")
    assert not accepted, "\n".join(accepted[:40])


#: for each rule of a name, what it refuses
RANGES: dict[str, list[Any]] = {
    "adam_beta_1": [1.0, -0.1], "adam_beta_2": [1.0, -0.1], "class_id": [-1, 1.5, "a"], "clip_threshold": [0.0, -1],
    "cooldown": [-1, 0.5], "decay_steps": [0, -1], "delta": [-1.0], "embeddings_freq": [-1, 0.5],
    "ema_momentum": [-0.1, 1.1], "epsilon": [-1e-7], "epsilon_1": [-1.0], "epsilon_2": [-1.0],
    "first_decay_steps": [0, -1], "gamma": [-1.0], "histogram_freq": [-1, 0.5], "ignore_class": [1.5, "a"],
    "initial_learning_rate": [-1.0, "a"], "input_length": [0, -7, "a"], "k": [0, -1, 1.5],
    "label_smoothing": [-0.1, 1.1], "max_queue_size": [-1, 1.5], "min_lr": [-1.0], "momentum": [-0.1, 1.1],
    "name": ["", 3, b"x"], "ns_steps": [-1, 1.5],
    "renorm_momentum": [-0.1, 1.1], "seed": ["a", 1.5, [1]], "start_from_epoch": [-1, 0.5], "stddev": [-1.0],
    "top_k": [0, -1, 1.5, "a"], "warmup_target": [-1.0, "a"], "workers": [-1, 1.5],
}  # fmt: skip


def test_every_rule_of_a_name_has_values_that_it_refuses():
    assert RANGES.keys() == CONSTRUCTORS.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_constructors_refuse_numbers_out_of_range(family):
    tried = 0
    for cls in constructors(family):
        for name in inspect.signature(cls).parameters.keys() & RANGES.keys():
            for value in RANGES[name]:
                with pytest.raises((ValueError, TypeError), match=name):
                    cls(**{**needed(cls), name: value})
                    pytest.fail(f"{cls.__name__}({name}={value!r}) is accepted")
                tried += 1
    print(f"{family}: {tried} numbers out of range")


X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
METHODS = {
    "fit": (X, Y), "evaluate": (X, Y), "predict": (X,), "train_on_batch": (X, Y), "test_on_batch": (X, Y),
    "tune": (X, Y), "profile": (X, Y),
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "batch_size": [0, 1.5, "a"], "epochs": [-1, "a"], "initial_epoch": [-1, "a"], "max_queue_size": [-1, "a"],
    "return_dict": ["a", None], "rounds": [0, "a"], "shuffle": ["a", None], "steps": [0, "a"],
    "steps_per_epoch": [0, "a"], "validation_freq": [0, "a"], "validation_split": [1.0, "a"],
    "validation_steps": [0, "a"], "verbose": [7, "a"], "workers": [-1, "a"], "use_multiprocessing": ["a", None],
    "reset_metrics": ["a", None], "dry_run": ["a", None],
}  # fmt: skip
#: compared with the data, or with what is there
WITH_DATA = {"x", "y", "callbacks", "validation_data", "class_weight", "sample_weight", "engines", "resume"}


@pytest.mark.parametrize("method", METHODS)
def test_methods_of_models_check_each_argument_first(method):
    x = kbackend.Input((3,))
    model = kbackend.Model(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    parameters = inspect.signature(getattr(kbackend.Model, method)).parameters
    names = parameters.keys() - WITH_DATA - {"self"}
    assert names <= WRONG.keys(), names - WRONG.keys()
    assert names <= rules_of(getattr(kbackend.Model, method), ARGUMENTS).keys()
    before = [*model.get_weights(), *model.optimizer.get_weights()]
    for name in names:
        for value in WRONG[name]:
            with pytest.raises(ValueError, match=f"{method}: {name} must be"):
                getattr(model, method)(*METHODS[method], **{name: value})
    after = [*model.get_weights(), *model.optimizer.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after)) and model.epochs_seen == 0


def test_the_factor_of_a_plateau():
    for factor in (1.0, -0.1, 7):
        with pytest.raises(ValueError, match="factor must be less than 1"):
            callbacks.ReduceLROnPlateau(factor=factor)


@pytest.mark.parametrize("make", [
    lambda: layers.Dense(2, use_bias=1), lambda: layers.Dense(2, use_bias=np.bool_(False)),
    lambda: layers.BatchNormalization(momentum=K.variable(0.9)), lambda: layers.LeakyReLU(np.float32(0.1)),
    lambda: layers.Dropout(K.variable(0.5)), lambda: losses.BinaryCrossentropy(label_smoothing=np.float64(0.1)),
    lambda: losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.8]),
    lambda: layers.Embedding(3, 2, input_length=(4, None)),
    lambda: optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5)),
    lambda: initializers.RandomNormal(seed=np.int64(3)),
    lambda: initializers.RandomNormal(seed=kbackend.random.SeedGenerator(3)), lambda: layers.Softmax(axis=(1, 2)),
    lambda: metrics.Mean(name=None), lambda: layers.GaussianNoise(0),
])  # fmt: skip
def test_what_stays_allowed(make):
    make()
