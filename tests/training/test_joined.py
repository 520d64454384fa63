"""Metrics that are taken for several batches at once: equal to those of each batch, and only where nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, losses, metrics
from kbackend.callbacks import Callback, ProgbarLogger
from kbackend.training.joined import Joined

RNG = np.random.default_rng(4)
X = RNG.normal(size=(150, 6)).astype(np.float32)
Y = (X.sum(1, keepdims=True) > 0.3).astype(np.float32)
WEIGHTS = RNG.uniform(0, 2, 150).astype(np.float32)
BATCH = 4  # 38 batches, the last of them smaller: twice the number that is joined, and a rest


def by_batch(y_true, y_pred):
    return metrics.sparse_categorical_accuracy(y_true, y_pred)


def largest_error(y_true, y_pred):
    return K.max(K.abs(y_true - y_pred))


class Watching(Callback):
    """A listener of batches, for which every batch takes its metrics at once."""

    def on_train_batch_end(self, batch, logs=None):
        pass

    def on_test_batch_end(self, batch, logs=None):
        pass


class Batches(metrics.Metric):
    """The number of batches, and the largest prediction."""

    def __init__(self, name="batches"):
        super().__init__(name=name)
        self.count, self.top = self.add_weight(name="count"), self.add_weight(name="top")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(1.0)
        self.top.assign(K.maximum(self.top, K.max(y_pred)))

    def result(self):
        return {"count": self.count, "top": self.top}


class Spoilt(metrics.Precision):
    """An update of one's own in a class whose update is additive."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.true_positives.assign_add(K.reshape(K.max(y_pred), (1,)))


def model(made=()):
    x = Input((6,))
    found = Model(x, layers.Dense(1, activation="sigmoid")(layers.Dense(3, activation="tanh")(x)))
    found.set_weights([np.linspace(-1, 1, w.size, dtype=np.float32).reshape(w.shape) for w in found.get_weights()])
    found.compile("sgd", "binary_crossentropy", metrics=list(made))
    return found


def wanted():
    return [
        "accuracy", "mae", "hinge", largest_error, metrics.AUC(name="auc"), metrics.Recall(name="r"), Batches(),
        metrics.F1Score("macro", threshold=0.5, name="f1"), metrics.BinaryCrossentropy(name="bce"),
        Spoilt(name="spoilt"),
    ]  # fmt: skip


@pytest.fixture
def calls(monkeypatch):
    """How many batches are taken at once, of which there are at most 16."""
    found = []
    monkeypatch.setattr("kbackend.training.joined._BATCHES", 16)
    take = Joined._take

    def counted(self):
        found.append(len(self._kept))
        take(self)

    monkeypatch.setattr(Joined, "_take", counted)
    return found


def test_fit_and_evaluate_give_the_metrics_of_each_batch(each_backend, calls):
    found = []
    for callbacks in ([], [Watching()]):
        made = model(wanted())
        made.compile(
            "sgd", "binary_crossentropy", metrics=wanted(), weighted_metrics=["accuracy", metrics.AUC(name="weighted")]
        )
        options = {"batch_size": BATCH, "sample_weight": WEIGHTS, "verbose": 0, "callbacks": callbacks}
        history = made.fit(X, Y, epochs=2, validation_data=(X[:9], Y[:9]), **options).history
        logs = made.evaluate(X, Y, return_dict=True, **options)
        found.append((history, logs, made.get_weights(), len(calls)))
    (history, logs, weights, joined), (apart, logs_apart, weights_apart, more) = found
    assert max(calls) == 16 and 0 < joined == more, "the watched run took each batch at once"
    assert set(history) == set(apart) and history["count"] == [38.0, 38.0] and logs["count"] == 38.0
    assert "accuracy_1" in history
    for name, value in {**apart, **logs_apart}.items():
        np.testing.assert_allclose({**history, **logs}[name], value, rtol=2e-6, err_msg=name)
    for a, b in zip(weights, weights_apart):
        assert a.tobytes() == b.tobytes()


def test_only_updates_that_are_sums_over_samples_are_taken_later():
    made = model(wanted())
    made.fit(X, Y, batch_size=BATCH, verbose=0)
    step = made._steps.last("train")
    apart = step._apart
    later = {v.name.partition("/")[0] for v, _ in apart.taking.graph.updates}
    assert later == {"auc", "f1", "r", "bce"}
    values = [name for place, name in enumerate(step.names) if place not in step._places]
    assert [values[place] for place in apart.places] == ["accuracy", "mae"]
    assert len(apart.step.graph.outputs) == 4, "the loss, hinge, the function of one's own, what the others take"
    assert {v.name for v, _ in apart.step.graph.updates} >= {"batches/count", "batches/top", "spoilt/true_positives"}
    assert [t.shape for t in apart.taking.inputs] == [(None, 1), (None, 1)]


def test_masked_steps_and_class_weights(each_backend, calls):
    x = Input((3, 2))
    masked = layers.Masking()(x)
    made = Model(x, [layers.SimpleRNN(1, return_sequences=True)(masked), layers.SimpleRNN(2, name="last")(masked)])
    weights = [np.full(w.shape, 0.3, np.float32) for w in made.get_weights()]
    steps = RNG.normal(size=(30, 3, 2)).astype(np.float32)
    steps[::3, 1:] = 0
    steps[4:8] = 0  # a batch that is masked whole
    targets = [steps[:, :, :1], (steps[:, :1, 0] > 0).astype(np.int32)]
    found = []
    for callbacks in ([], [Watching()]):
        made.set_weights(weights)
        losses_, names = ["mse", "sparse_categorical_crossentropy"], [["mae"], ["accuracy"]]
        made.compile("sgd", losses_, metrics=names, weighted_metrics=names)
        options = {"class_weight": [None, {0: 0.25, 1: 3.0}], "batch_size": 4, "shuffle": False, "verbose": 0}
        found.append(made.fit(steps, targets, callbacks=callbacks, **options).history)
        assert max(calls) == 8
    assert len(found[0]) == 7 and found[0]["last_accuracy"] != found[0]["last_accuracy_1"]
    for name, value in found[1].items():
        np.testing.assert_allclose(found[0][name], value, rtol=2e-6, err_msg=name)


def test_a_bar_of_ones_own_reads_the_values_of_each_batch():
    class Bar(ProgbarLogger):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            seen.append(logs["accuracy"])

    seen = []
    made = model(["accuracy"])
    made.fit(X, Y, batch_size=50, verbose=0, callbacks=[Bar(verbose=0)])
    assert len(seen) == 3 and all(0 < value <= 1 for value in seen)


def test_weights_of_any_sign_count_alike_in_all_batches():
    made = model()
    made.compile("sgd", "mse", weighted_metrics=["mae"])
    weights = np.where(np.arange(len(X)) < 60, -0.5, 1.0)
    logs = made.evaluate(X, Y, sample_weight=weights, batch_size=10, verbose=0, return_dict=True)
    each = np.abs(Y - made.predict(X))[:, 0]
    np.testing.assert_allclose(logs["mae"], (each * weights).sum() / weights.sum(), rtol=1e-5)


SETS = [losses.dice, losses.circle, losses.hinge, losses.squared_hinge, lambda y, p: K.max(p - y)]


@pytest.mark.parametrize("fn", SETS, ids=["dice", "circle", "hinge", "squared_hinge", "own"])
def test_functions_of_a_whole_batch_are_not_additive(fn):
    assert not metrics.MeanMetricWrapper(fn).additive
    assert metrics.MeanMetricWrapper(losses.mean_squared_error).additive
    assert not metrics.CosineSimilarity(axis=0).additive


def test_reused_buffers_are_not_read_later(each_backend):
    def batches():
        x, y = np.empty((BATCH, 6), np.float32), np.empty((BATCH, 1), np.float32)
        while True:
            for start in range(0, 148, BATCH):
                x[:], y[:] = X[start : start + BATCH], Y[start : start + BATCH]
                yield x, y

    found = []
    for callbacks in ([], [Watching()]):
        made = model([metrics.AUC(name="auc"), metrics.Precision(name="p")])
        found.append(made.fit(batches(), steps_per_epoch=40, verbose=0, callbacks=callbacks, workers=0).history)
    assert found[0].keys() == found[1].keys()
    for name, value in found[1].items():
        np.testing.assert_allclose(found[0][name], value, rtol=2e-6, err_msg=name)


def test_a_callback_reads_the_state_after_its_batch():
    precision, seen = metrics.TruePositives(name="tp"), []

    class Reading(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((float(precision.result()), logs["tp"]))

    made = model([precision])
    made.fit(X, np.ones_like(Y), batch_size=10, verbose=0, callbacks=[Reading()])
    assert len(seen) == 15 and all(a == b for a, b in seen) and seen[-1][0] > seen[0][0]


def test_large_outputs_are_not_kept(calls):
    x = Input((6,))
    made = Model(x, layers.Dense(40_000, activation="sigmoid")(x))
    made.compile("sgd", "mse", metrics=[metrics.BinaryAccuracy(name="b")])
    made.fit(X[:40], np.zeros((40, 40_000), np.float32), batch_size=10, verbose=0)
    assert max(calls) == 1


def test_sizes_that_differ_between_batches_are_not_joined(each_backend):
    x = Input((None, 2))
    made = Model(x, layers.Dense(1, activation="sigmoid")(x))
    made.compile("sgd", "mse", metrics=[metrics.AUC(name="auc")])
    data = [(np.ones((4, n, 2), np.float32), np.ones((4, n, 1), np.float32)) for n in (3, 5, 2)]
    made.fit(iter(data), verbose=0)
    assert made._steps.last("train")._apart is None


def test_a_variable_that_others_change_is_read_in_its_step():
    level = K.variable(0.0)

    class Above(metrics.Metric):
        additive = True

        def __init__(self, name="above"):
            super().__init__(name=name)
            self.total = self.add_weight(name="total")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(K.sum(K.cast(y_pred > level, "float32")))

        def result(self):
            return self.total

    made = model([Above()])
    assert made.fit(X, Y, batch_size=BATCH, verbose=0).history["above"] == [150.0]
    assert made._steps.last("train")._apart is None


def test_values_of_steps_and_softmax_over_the_batch():
    """Values with several numbers a sample, and an activation that depends on the other samples."""
    x = Input((5, 2))
    last = layers.Lambda(lambda h: K.softmax(h, axis=0))(layers.Dense(3)(x))
    made = Model(x, last)
    steps, labels = RNG.normal(size=(30, 5, 2)).astype(np.float32), RNG.integers(0, 3, (30, 5, 1))
    found = []
    for callbacks in ([], [Watching()]):
        made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", by_batch])
        found.append(made.evaluate(steps, labels, batch_size=4, verbose=0, callbacks=callbacks))
    np.testing.assert_allclose(*found, rtol=2e-6)
    assert found[0][1] == pytest.approx(found[0][2], rel=1e-6)
