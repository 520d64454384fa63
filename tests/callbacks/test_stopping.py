"""Callbacks that end a training or set its rate, in the forms in which older programs write them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from kbackend import Input, Model, layers, optimizers
from kbackend.callbacks import EarlyStopping, LearningRateScheduler, TerminateOnNaN

pytestmark = pytest.mark.usefixtures("each_backend")
ONES = np.ones((4, 1), "float32")


def model(rate=0.01):
    x = Input((1,))
    made = Model(x, layers.Dense(1, kernel_initializer="zeros")(x))
    made.compile(optimizers.SGD(rate), "mse")
    return made


def fitted(callback, **options):
    return model(options.pop("rate", 0.01)).fit(ONES, ONES, verbose=0, callbacks=[callback], **options).history


def test_stopping_passes_over_epochs_without_validation():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fitted(EarlyStopping("val_loss"), validation_data=(ONES, ONES), validation_freq=2, epochs=4)
    assert len(found["loss"]) == 4 and len(found["val_loss"]) == 2


def test_stopping_counts_the_epochs_that_were_validated():
    found = fitted(
        EarlyStopping("val_loss", patience=2), validation_data=(ONES, ONES), validation_freq=2, epochs=20, rate=0.0
    )
    assert len(found["val_loss"]) == 3 and len(found["loss"]) == 6


@pytest.mark.parametrize("monitor", ["val_loss", "nothing"])
def test_an_unknown_value_is_warned_of_once(monitor):
    with pytest.warns(RuntimeWarning, match=f"'{monitor}', which is not among loss") as caught:
        found = fitted(EarlyStopping(monitor), epochs=3)
    assert len(caught) == 1 and len(found["loss"]) == 3


def halved(epoch, base=0.5):
    return base / 2


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch: 0.5 / (epoch + 1), [0.5, 0.25, 0.125 * 4 / 3]),
        (lambda epoch, lr: lr / 2, [0.4, 0.2, 0.1]),
        (halved, [0.4, 0.2, 0.1]),
        (lambda *args: args[1] / 2, [0.4, 0.2, 0.1]),
        (np.float64, None),
    ],
)
def test_a_schedule_takes_the_epoch_and_perhaps_the_rate(schedule, rates):
    wanted = [0.0, 1.0, 2.0] if rates is None else rates
    np.testing.assert_allclose(fitted(LearningRateScheduler(schedule), epochs=3, rate=0.8)["lr"], wanted, rtol=1e-6)


def test_an_error_inside_a_schedule_is_its_own():
    def broken(epoch, lr):
        raise TypeError("broken schedule")

    with pytest.raises(TypeError, match="broken schedule"):
        fitted(LearningRateScheduler(broken))


def test_training_ends_at_the_batch_whose_loss_is_no_number(capsys):
    x = np.array([[1.0], [np.nan], [1.0], [1.0]], "float32")
    trained = model()
    trained.fit(x, ONES, batch_size=1, shuffle=False, verbose=0, callbacks=[TerminateOnNaN()], epochs=2)
    assert "Batch 1: the loss is nan" in capsys.readouterr().out
    assert len(trained.history.epoch) == 1
