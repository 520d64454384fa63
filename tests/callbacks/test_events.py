"""What callbacks are told: the events, the logs of batches and epochs, and what they leave for the history."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, metrics, optimizers
from kbackend.callbacks import Callback, LambdaCallback, Logs

pytestmark = pytest.mark.usefixtures("each_backend")
X = np.array([[1.0], [2.0], [3.0]], "float32")
ZEROS = np.zeros((3, 1), "float32")


def copying(**compiled):
    """A model whose prediction is its input, whatever it learns."""
    x = Input((1,))
    model = Model(x, layers.Dense(1, kernel_initializer="ones")(x))
    model.compile(optimizers.SGD(0.0), "mse", **compiled)
    return model


class Heard(Callback):
    def __init__(self):
        super().__init__()
        self.events = []

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append(("train_batch_begin", batch, logs))

    def on_batch_end(self, batch, logs=None):
        self.events.append(("batch_end", batch, logs))

    def on_test_begin(self, logs=None):
        self.events.append(("test_begin", None, logs))

    def on_test_batch_begin(self, batch, logs=None):
        self.events.append(("test_batch_begin", batch, logs))

    def on_test_batch_end(self, batch, logs=None):
        self.events.append(("test_batch_end", batch, logs))

    def on_test_end(self, logs=None):
        self.events.append(("test_end", None, logs))

    def on_predict_begin(self, logs=None):
        self.events.append(("predict_begin", None, logs))

    def on_predict_batch_begin(self, batch, logs=None):
        self.events.append(("predict_batch_begin", batch, logs))

    def on_predict_batch_end(self, batch, logs=None):
        self.events.append(("predict_batch_end", batch, logs))

    def on_predict_end(self, logs=None):
        self.events.append(("predict_end", None, logs))

    @property
    def names(self):
        return [(event, batch) for event, batch, _ in self.events]


# -------------------------------------------------------------------------------------------- logs of batches


def test_logs_kept_and_read_later_are_those_of_their_batch():
    kept = []
    copying(metrics=["mae"]).fit(
        X, ZEROS, batch_size=1, shuffle=False, verbose=0,
        callbacks=[LambdaCallback(on_batch_end=lambda batch, logs: kept.append(logs))],
    )  # fmt: skip
    found = [dict(logs) for logs in kept]
    assert [list(logs) for logs in found] == [["batch", "size", "loss", "mae"]] * 3
    np.testing.assert_allclose([list(logs.values()) for logs in found], [[0, 1, 1, 1], [1, 1, 4, 2], [2, 1, 9, 3]])


@pytest.mark.parametrize("read", ["at once", "later"])
def test_a_metric_with_a_state_tells_its_value_as_it_was_after_the_batch(read):
    kept = []
    watch = LambdaCallback(on_batch_end=lambda batch, logs: kept.append(logs if read == "later" else dict(logs)))
    history = copying(metrics=[metrics.MeanAbsoluteError(name="far")]).fit(
        X, ZEROS, batch_size=1, shuffle=False, verbose=0, callbacks=[watch], validation_data=(X, ZEROS + 9), epochs=2
    )
    np.testing.assert_allclose([logs["far"] for logs in kept], [1, 1.5, 2] * 2)
    np.testing.assert_allclose([logs["loss"] for logs in kept], [1, 4, 9] * 2)
    np.testing.assert_allclose(history.history["far"], [2, 2])
    np.testing.assert_allclose(history.history["val_far"], [7, 7])


def test_logs_are_fetched_when_they_are_read_and_once():
    fetched = []
    logs = Logs(["loss", "mae"], lambda: fetched.append(1) or [0.5, 0.25], {"batch": 2, "size": 4})
    assert logs["batch"] == 2 and "mae" in logs and len(logs) == 4 and not fetched
    logs["loss"] = 7.0
    assert logs["loss"] == 7.0 and not fetched
    assert logs.get("mae") == 0.25 and logs.get("none") is None and dict(logs)["loss"] == 7.0
    del logs["size"]
    assert repr(logs) == "{'batch': 2, 'loss': 7.0, 'mae': 0.25}" and fetched == [1]


def test_the_sizes_of_batches_are_told_before_and_after_them():
    heard = Heard()
    copying().fit(X, ZEROS, batch_size=2, verbose=0, callbacks=[heard])
    assert [(e, n, logs["batch"], logs["size"]) for e, n, logs in heard.events] == [
        ("train_batch_begin", 0, 0, 2), ("batch_end", 0, 0, 2), ("train_batch_begin", 1, 1, 1), ("batch_end", 1, 1, 1),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- logs of epochs


class AddsRate(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["lr"] = float(K.get_value(self.model.optimizer.lr))
        logs["note"] = "text"


def test_what_a_callback_adds_to_an_epoch_is_shown_and_in_the_history(capsys):
    later = []
    history = copying().fit(
        X, ZEROS, epochs=2, verbose=2,
        callbacks=[AddsRate(), LambdaCallback(on_epoch_end=lambda epoch, logs: later.append(logs["lr"]))],
    )  # fmt: skip
    assert history.history["lr"] == later == [0, 0] and history.history["note"] == ["text"] * 2
    assert "lr: 0" in capsys.readouterr().out


# ---------------------------------------------------------------------------------------- events of tests


def test_validation_inside_fit_tells_the_events_of_tests():
    heard = Heard()
    copying().fit(X, ZEROS, batch_size=2, verbose=0, validation_data=(X, ZEROS), callbacks=[heard])
    tests = [(event, batch) for event, batch in heard.names if event.startswith("test")]
    assert tests == [
        ("test_begin", None), ("test_batch_begin", 0), ("test_batch_end", 0), ("test_batch_begin", 1),
        ("test_batch_end", 1), ("test_end", None),
    ]  # fmt: skip
    assert heard.names.index(("test_begin", None)) > heard.names.index(("batch_end", 1))


def test_evaluate_tells_the_values_of_its_batches():
    heard, model = Heard(), copying()
    loss = model.evaluate(X, ZEROS, batch_size=1, callbacks=[heard])
    ends = {batch: logs for event, batch, logs in heard.events if event == "test_batch_end"}
    np.testing.assert_allclose([ends[n]["loss"] for n in range(3)], [1, 4, 9])
    assert heard.names[0] == ("test_begin", None) and heard.names[-1] == ("test_end", None)
    assert heard.events[-1][2]["loss"] == loss and heard.model is model


def test_predict_tells_its_events_with_the_outputs():
    heard = Heard()
    found = copying().predict(X, batch_size=2, callbacks=[heard])
    assert heard.names == [
        ("predict_begin", None), ("predict_batch_begin", 0), ("predict_batch_end", 0), ("predict_batch_begin", 1),
        ("predict_batch_end", 1), ("predict_end", None),
    ]  # fmt: skip
    outputs = [logs["outputs"][0] for event, _, logs in heard.events if event == "predict_batch_end"]
    np.testing.assert_array_equal(np.concatenate(outputs), found)
    assert heard.params["samples"] == 3 and heard.params["steps"] == 2


# ---------------------------------------------------------------------------------------- held-out data


def test_callbacks_find_the_held_out_data():
    callback = Callback()
    model = copying()
    model.fit(X, ZEROS, verbose=0, validation_data=(X, ZEROS), callbacks=[callback])
    inputs, targets, weights = callback.validation_data
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(targets, ZEROS)
    np.testing.assert_array_equal(weights, [1, 1, 1])
    model.fit(X, ZEROS, verbose=0, validation_data=(X, ZEROS, [1, 0, 2]), callbacks=[callback])
    np.testing.assert_array_equal(callback.validation_data[2], [1, 0, 2])
    model.fit(X, ZEROS, verbose=0, callbacks=[callback])
    assert callback.validation_data is None


@pytest.mark.parametrize(
    ("frequency", "first", "validated"), [(2, 0, [1, 3]), (2, 1, [1, 3]), (3, 1, [2]), ([1, 4], 0, [0, 3])]
)
def test_epochs_to_validate_count_from_the_first_of_all(frequency, first, validated):
    found = []
    copying().fit(
        X, ZEROS, epochs=4, initial_epoch=first, validation_freq=frequency, validation_data=(X, ZEROS), verbose=0,
        callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: found.extend([epoch] * ("val_loss" in logs)))],
    )  # fmt: skip
    assert found == validated


@pytest.mark.parametrize("frequency", [0, -1, "a", 1.5, None, True])
def test_a_frequency_that_is_none_is_refused(frequency):
    with pytest.raises((ValueError, TypeError), match="validation_freq"):
        copying().fit(X, ZEROS, validation_freq=frequency, validation_data=(X, ZEROS), verbose=0)


@pytest.mark.parametrize("given", ["text", object()])
def test_what_is_no_callback_is_refused_by_name(given):
    for call in (
        lambda: copying().fit(X, ZEROS, verbose=0, callbacks=[given]),
        lambda: copying().evaluate(X, ZEROS, callbacks=[given]),
        lambda: copying().predict(X, callbacks=[given]),
    ):
        with pytest.raises(TypeError, match="callbacks must be"):
            call()
