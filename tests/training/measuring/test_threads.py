"""Predictions and functions from several threads, settings in threads started later, workers that end, interrupts."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from support.batches import Ending, Numbered

import kbackend
from kbackend import Input, K, Model, callbacks, layers
from kbackend.ground.active import process_target

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X[:, :1]


@pytest.fixture
def process_engine(each_backend):
    """The engine of the process, which threads see; that of ``use_backend`` is the thread's."""
    old = process_target[0]
    kbackend.set_backend(each_backend)
    yield each_backend
    process_target[0] = old


def made():
    x = Input((4,), name="x")
    model = Model(x, layers.Dense(1, name="y")(layers.Dropout(0.5)(layers.Dense(8, activation="tanh")(x))))
    model.compile("sgd", "mse")
    return model


def in_threads(work, count=16):
    """What ``work(number)`` gives in each of some threads that start together."""
    found: dict[int, object] = {}
    together = threading.Barrier(count)

    def run(number):
        together.wait(60)
        try:
            found[number] = work(number)
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == count
    return [found[n] for n in range(count)]


def test_predict_and_functions_from_16_threads_give_what_one_gives(process_engine):
    model = made()
    function = K.function([model.input], [model.output, K.sum(model.output)])
    sizes = [1 + n % 4 for n in range(16)]  # programs of several sizes are made at once
    found = in_threads(lambda n: (model.predict(X[: 8 * sizes[n]], batch_size=8), function([X[: sizes[n]]])))
    for n, result in enumerate(found):
        assert not isinstance(result, Exception), result
        predicted, (values, total) = result
        np.testing.assert_array_equal(predicted, model.predict(X[: 8 * sizes[n]], batch_size=8))
        for one, other in zip((values, total), function([X[: sizes[n]]])):
            np.testing.assert_array_equal(one, other)


def test_settings_are_those_of_threads_that_start_later(process_engine):
    old = K.floatx()
    try:
        K.set_floatx("float64")
        with_setting = in_threads(lambda n: (K.floatx(), K.backend(), str(K.zeros((1,)).dtype)), 4)
    finally:
        K.set_floatx(old)
    assert with_setting == [("float64", process_engine, "float64")] * 4


def test_the_engine_of_a_model_is_used_in_every_thread(each_backend):
    model = made().to(each_backend)
    want = model.predict(X)
    found = in_threads(lambda n: (model.engine, model.predict(X)), 4)
    assert all(engine.startswith(each_backend) and np.array_equal(value, want) for engine, value in found)


@pytest.mark.parametrize("ending,kind,message", [
    (True, ValueError, "a worker process of the dataset Ending ended"), (False, ZeroDivisionError, "in a worker"),
], ids=["ends", "raises"])  # fmt: skip
def test_a_worker_that_does_not_go_on_ends_the_fit_and_not_the_model(ending, kind, message):
    model = made()
    with pytest.raises(kind, match=message):
        model.fit(Ending(os.getpid(), ending), verbose=0, shuffle=False, workers=2, use_multiprocessing=True)
    assert np.isfinite(model.get_weights()[0]).all()
    model.fit(Numbered(), verbose=0, workers=2, use_multiprocessing=True)


def test_an_interrupt_keeps_the_history_so_far(each_backend):
    """Ctrl-C in the third epoch, after two of its steps."""
    class Stop(callbacks.Callback):
        epoch = 0

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if self.epoch == 2 and batch == 1:
                raise KeyboardInterrupt

    model = made()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[Stop()])
    assert len(model.history.history["loss"]) == 2 and model.history.epoch == [0, 1]
    assert int(K.get_value(model.optimizer.iterations)) == 2 * 5 + 2
    assert len(model.fit(X, Y, epochs=1, verbose=0).history["loss"]) == 1


def test_targets_by_name_in_the_dict_of_inputs(each_backend):
    by_name = {"x": X, "y": Y}
    losses = []
    for given in ((X, Y), (by_name, None)):
        K.clear_session()
        K.set_seed(5)
        model = made()
        history = model.fit(*given, epochs=2, verbose=0, validation_split=0.25).history
        losses.append([*history["loss"], *history["val_loss"], model.evaluate(*given), model.test_on_batch(*given)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
