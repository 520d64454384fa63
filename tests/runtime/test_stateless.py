"""Layers, metrics and optimizers as functions of the values of their variables."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, layers, metrics, optimizers

pytestmark = pytest.mark.usefixtures("engine")
X = rows(6, 3, seed=1)


def model_of():
    x = Input((3,))
    h = layers.BatchNormalization(momentum=0.5)(layers.Dense(2, kernel_regularizer="l2")(x))
    return Model(x, layers.Dropout(0.5)(h))


def values(variables, factor=1.0):
    return [factor * v.numpy() for v in variables]


def test_a_call_with_other_weights_is_that_of_a_model_that_has_them(each_backend):
    model = model_of()
    trained, others = values(model.trainable_weights, 2.0), values(model.non_trainable_weights, 3.0)
    before = model.get_weights()
    outputs, moved = model.stateless_call(trained, others, X)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(moved, others):
        np.testing.assert_array_equal(np.asarray(a), b)  # no training
    for variable, value in zip([*model.trainable_weights, *model.non_trainable_weights], [*trained, *others]):
        variable.assign(value)
    assert np.asarray(outputs).dtype == np.float32
    np.testing.assert_allclose(np.asarray(outputs), model.predict(X), rtol=1e-5, atol=1e-6)


def test_a_call_in_training_gives_the_moved_averages_and_the_losses(each_backend):
    model = model_of()
    trained, others = values(model.trainable_weights), values(model.non_trainable_weights)
    outputs, moved, losses = model.stateless_call(trained, others, X, training=True, return_losses=True)
    h = X @ trained[0] + trained[1]
    np.testing.assert_allclose(np.asarray(moved[0]), h.mean(axis=0) * 0.5, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(moved[1]), 0.5 + 0.5 * h.var(axis=0), rtol=1e-5)
    assert [float(x) for x in losses] == pytest.approx([0.01 * np.sum(trained[0] ** 2)], rel=1e-5)
    assert (np.asarray(outputs) == 0).any() and model._calls == []
    again, _ = model.stateless_call(trained, others, X[:2], training=True)
    assert np.asarray(again).shape == (2, 2)
    model.layers[2].trainable = False
    still = values(model.non_trainable_weights)
    _, moved = model.stateless_call(values(model.trainable_weights), still, X, training=True)
    for a, b in zip(moved, still):
        np.testing.assert_array_equal(np.asarray(a), b)


def test_symbolic_values_give_symbolic_results(each_backend):
    dense = layers.Dense(2)
    dense.build((None, 3))
    assert dense.built and len(dense.weights) == 2
    kernel, x = K.placeholder((3, 2)), K.placeholder((None, 3))
    outputs, others = dense.stateless_call([kernel, np.ones(2, "float32")], [], x)
    f = K.function([kernel, x], [outputs, *K.gradients(K.sum(outputs), [kernel])])
    weights = rows(3, 2, seed=2)
    found, slope = f([weights, X])
    np.testing.assert_allclose(found, X @ weights + 1, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slope, X.sum(axis=0)[:, None].repeat(2, axis=1), rtol=1e-4, atol=1e-5)
    assert others == []


def test_a_model_that_defines_call():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs, training=None):
            h = self.dense(inputs)
            return h * 2.0 if training else h

    model = Own()
    model.build((None, 3))
    ones = [np.ones((3, 1), "float32"), np.zeros(1, "float32")]
    for training, factor in ((None, 1), (False, 1), (True, 2)):
        found, _ = model.stateless_call(ones, [], X, training=training)
        np.testing.assert_allclose(np.asarray(found)[:, 0], factor * X.sum(axis=1), rtol=1e-5, atol=1e-6)


def test_wrong_values_are_refused():
    dense = layers.Dense(2, name="d")
    with pytest.raises(RuntimeError, match=r"layer d \(Dense\) has no weights yet"):
        dense.stateless_call([], [], X)
    dense(Input((3,)))
    with pytest.raises(ValueError, match=r"layer d \(Dense\) has 2 trainable weights, it was given 1 values"):
        dense.stateless_call([np.ones((3, 2))], [], X)
    with pytest.raises(ValueError, match=r"the variable d/kernel has shape \(3, 2\), it was given \(2, 2\)"):
        dense.stateless_call([np.ones((2, 2)), np.ones(2)], [], X)
    adam = optimizers.Adam()
    with pytest.raises(RuntimeError, match="Adam is not built"):
        adam.stateless_apply([], [], [])
    adam.build(dense.weights)
    with pytest.raises(ValueError, match="was built for 2 weights, there are 1 gradients"):
        adam.stateless_apply(adam.get_state(), [np.ones((3, 2))], values(dense.weights))
    with pytest.raises(ValueError, match="has 2 variables here, it was given 1 values"):
        metrics.Mean().stateless_result([0.0])


KINDS = [
    lambda: optimizers.SGD(0.1, momentum=0.9),
    lambda: optimizers.Adam(0.1, clipnorm=0.5, weight_decay=0.01),
    lambda: optimizers.RMSprop(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    lambda: optimizers.Adam(0.1, use_ema=True, gradient_accumulation_steps=2),
]


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_steps_of_an_optimizer_as_functions_are_its_steps(each_backend, kind):
    weights = [K.variable(rows(2, 3)), K.variable(rows(4, seed=1))]
    gradients = [[rows(2, 3, seed=s), rows(4, seed=s)] for s in (2, 3, 4)]
    optimizer = KINDS[kind]()
    optimizer.build(weights)
    own, state = values(weights), optimizer.get_state()
    start = [v.copy() for v in own]
    for pair in gradients:
        own, state = optimizer.stateless_apply(state, pair, own)
    for a, b in zip(start, values(weights)):
        np.testing.assert_array_equal(a, b)  # nothing has changed yet
    for pair in gradients:
        optimizer.apply(pair, weights)
    for a, b in zip([*own, *state], [*values(weights), *optimizer.get_state()]):
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["Mean", "MeanAbsoluteError", "AUC", "F1Score", "SparseCategoricalAccuracy"])
def test_metrics_as_functions(each_backend, name):
    batches = {
        "Mean": [([1.0, 3.0],), ([5.0],)],
        "MeanAbsoluteError": [([1.0, 3.0], [2.0, 3.5]), ([5.0], [4.0])],
        "AUC": [([0, 1, 1], [0.1, 0.9, 0.2]), ([0, 1], [0.3, 0.8])],
        "F1Score": [([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]), ([[0, 1]], [[0.1, 0.9]])],
        "SparseCategoricalAccuracy": [([[0], [1]], [[0.9, 0.1], [0.8, 0.2]]), ([[1]], [[0.1, 0.9]])],
    }[name]
    metric = getattr(metrics, name)()
    for batch in batches:  # which makes the state of F1Score
        metric.update_state(*batch)
    wanted = np.asarray(metric.result())
    state = metric.stateless_reset_state()
    for batch in batches:
        state = metric.stateless_update_state(state, *batch)
    np.testing.assert_allclose(np.asarray(metric.stateless_result(state)), wanted, rtol=1e-6)
    metric.reset_state()
    assert not any(np.any(v.numpy()) for v in metric.variables)


def test_sample_weights_of_a_metric_as_a_function():
    mean = metrics.Mean()
    state = mean.stateless_update_state([0.0, 0.0], [1.0, 3.0], sample_weight=[1.0, 0.0])
    assert float(mean.stateless_result(state)) == 1.0
    x, start = K.placeholder((None,)), [K.placeholder(()), K.placeholder(())]
    total, count = mean.stateless_update_state(start, x)
    found = K.function([x, *start], [total, count])([[1.0, 2.0], 10.0, 1.0])
    assert [float(v) for v in found] == [13.0, 3.0]
