"""Metrics as objects: state, updates in a graph, metrics of one's own, names, errors."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K, metrics


class Keras3Style(metrics.Metric):
    """Assigns twice, and reads what it assigned."""

    def __init__(self, name="largest", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.squared = self.add_variable((2,), name="squared")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(K.sum(y_true - y_pred))
        before = self.squared * 1.0
        self.squared.assign(before + K.square(self.total))
        self.total.assign_sub(1.0)

    def result(self):
        return {"total": self.total, "squared": self.squared}


class Keras2Style(metrics.Metric):
    def __init__(self, name="positives", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.count = self.add_weight("count", initializer="zeros")
        self.batches = self.add_weight("batches", (), "zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        K.update_add(self.batches, 1.0)
        return [(self.count, self.count + K.sum(K.cast(y_pred > 0.5, "float32")))]

    def result(self):
        return self.count / self.batches


def test_a_metric_that_assigns_and_reads_again(each_backend):
    metric = Keras3Style()
    metric.update_state(np.float32([3.0, 4.0]), np.float32([1.0, 1.0]))
    metric.update_state(np.float32([1.0, 0.0]), np.float32([0.0, 0.0]))
    found = {name: K.eval(value).tolist() for name, value in metric.result().items()}
    assert found == {"total": 4.0, "squared": [50.0, 50.0]}  # 5, 25; 4 + 1 = 5, 25 + 25; 4


def test_a_metric_that_returns_updates(each_backend):
    metric = Keras2Style()
    y, p = K.placeholder((None,)), K.placeholder((None,))
    step = K.function([y, p], [], updates=metric.update_state(y, p))
    step([[0.0], [0.9]])
    step([[0.0, 0.0], [0.9, 0.7]])
    metric.update_state([0.0], [0.1])
    assert float(K.eval(metric.result())) == 1.0
    assert [v.name for v in metric.variables] == ["positives/count", "positives/batches"]


def test_the_state_is_changed_by_tensors_of_the_engine(each_backend):
    target = K.eval(K.constant([1.0, 0.0]))
    metric = metrics.MeanSquaredError()
    tensor = K.zeros_like(K.constant([1.0, 2.0]))
    found = metric(target, K.function([], [tensor])([], as_numpy=False)[0])
    assert float(K.eval(found)) == 0.5
    metric.reset_states()
    assert float(K.eval(metric.result())) == 0.0


def test_batches_of_a_size_share_a_program(each_backend):
    metric = metrics.AUC()
    for size in (4, 4, 4, 3):
        metric.update_state(np.ones(size, np.float32), np.full(size, 0.7, np.float32))
    assert len(metric._updating) == 2
    assert float(K.eval(metric.true_positives[0])) == 15.0


def test_counts_beyond_float16_and_labels_beyond_float32(each_backend):
    labels = np.array([2**24 + 1, 3], np.int32)
    assert K.eval(metrics.accuracy(labels, labels - 1)).tolist() == [0.0, 0.0]
    metric = metrics.TruePositives(dtype="float64")
    metric.update_state(np.ones((3, 2), np.float32), np.ones((3, 2), np.float32))
    assert K.eval(metric.result()) == 6.0 and K.dtype(metric.accumulator) == "float64"


def test_updates_of_many_variables_cost_no_more_each(monkeypatch):
    """A recording looks only at what was made since it began."""
    from kbackend.graph import assignments

    x = K.placeholder((2,))
    for _ in range(2000):
        x = x + 1.0
    variables = [K.variable([0.0, 0.0]) for _ in range(300)]
    seen = []
    walked = assignments.ancestors

    def ancestors(*args, **kwargs):
        found = walked(*args, **kwargs)
        seen.append(len(found))
        return found

    monkeypatch.setattr(assignments, "ancestors", ancestors)
    with assignments.recording() as made:
        for v in variables:
            v.assign_add(x)
    assert len(made.updates()) == 300 and 0 < max(seen) <= 2


def test_names_in_strings():
    assert metrics.get("mse") is metrics.mean_squared_error
    assert metrics.get("cosine_proximity") is metrics.cosine_proximity
    assert isinstance(metrics.get("auc"), metrics.AUC)
    assert isinstance(metrics.get("f1_score"), metrics.F1Score)
    assert isinstance(metrics.get({"class_name": "MeanIoU", "config": {"num_classes": 2}}), metrics.MeanIoU)
    again = metrics.get(metrics.serialize(metrics.MeanMetricWrapper(metrics.huber, delta=0.5)))
    assert again.fn is metrics.huber and again.options == {"delta": 0.5}
    copies = metrics.clone_metrics([metrics.Precision(0.2), metrics.mse])
    assert copies[0].thresholds == [0.2] and copies[1] is metrics.mse


@pytest.mark.parametrize(("make", "message"), [
    (lambda: metrics.get("aucc"), "unknown metric 'aucc'"),
    (lambda: metrics.get(3), "not 3"),
    (lambda: metrics.AUC(curve="RC"), "curve must be one of 'ROC', 'PR', 'PRGAIN', it is 'RC'"),
    (lambda: metrics.AUC(num_thresholds=1), "num_thresholds must be at least 2, it is 1"),
    (lambda: metrics.AUC(num_labels=2), "num_labels is used only with multi_label=True"),
    (lambda: metrics.Precision(1.5), r"thresholds must lie in \[0, 1\], they are 1.5"),
    (lambda: metrics.RecallAtPrecision(2), r"precision must lie in \[0, 1\], it is 2"),
    (lambda: metrics.FBetaScore(beta=0), "beta must be a number above 0, it is 0"),
    (lambda: metrics.F1Score(average="mean"), "average must be one of None, 'micro'"),
    (lambda: metrics.IoU(2, [2]), r"target_class_ids must lie in \[0, 2\), they are \[2\]"),
    (lambda: metrics.R2Score(num_regressors=-1), "num_regressors must not be negative"),
    (lambda: metrics.Reduce("product", "r"), "reduction must be one of 'sum'"),
    (lambda: metrics.F1Score()([1.0], [1.0]), r"needs targets and predictions \(samples, classes\)"),
    (lambda: metrics.AUC(multi_label=True)([1.0], [1.0]), r"multi_label needs predictions \(samples, labels\)"),
    (lambda: metrics.Precision(class_id=1)([1.0], [1.0]), r"class_id needs predictions \(samples, classes\)"),
])  # fmt: skip
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_symbolic_call_changes_no_state_silently():
    with pytest.raises(TypeError, match="give the updates of update_state to K.function"):
        metrics.Mean()(K.placeholder((2,)))
