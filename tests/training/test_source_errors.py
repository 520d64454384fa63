"""What is wrong with data in batches is told in one message, and leaves the model at its last whole step."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from support.batches import SIZE, STEPS, WEIGHTS, Numbered, X, Y, batch

import kbackend
from kbackend import Sequential, layers


@pytest.fixture(autouse=True)
def engine(request):
    name = request.getfixturevalue("each_backend") if "each_backend" in request.fixturenames else "numpy"
    with kbackend.use_backend(name):
        yield
    assert not reading()


def reading():
    return [t.name for t in threading.enumerate() if t.name.startswith("kbackend")]


def model():
    kbackend.set_seed(4)
    made = Sequential([layers.Dense(3, activation="tanh", input_shape=(4,)), layers.Dense(1, name="out")])
    made.compile("adam", "mse")
    return made


def some(*batches):
    yield from batches


FIRST = batch(0, X, Y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": some(), "verbose": 0}, "x: the generator has no batches"),
        ({"x": some(FIRST), "epochs": 3}, r"x: the generator can be read only once, .*3 epochs.*steps_per_epoch=100"),
        ({"x": some(FIRST), "steps_per_epoch": 2}, r"after 1 batches, steps_per_epoch=2 and 1 epochs need 2; give"),
        ({"x": itertools.repeat(FIRST)}, r"x: the repeat has no end; .*steps_per_epoch=100"),
        ({"x": some(FIRST), "y": Y}, r"y was given beside the generator as x, .*write \(x, y\)"),
        ({"x": some(FIRST), "sample_weight": WEIGHTS}, "sample_weight was given beside the generator"),
        ({"x": some(FIRST), "batch_size": 8}, "batch_size=8 was given beside the generator"),
        ({"x": some(FIRST), "validation_split": 0.1}, r"validation_split=0.1 needs arrays, not the generator"),
        ({"x": some(FIRST), "steps_per_epoch": 0}, "steps_per_epoch must be a positive integer or None, it is 0"),
        ({"x": some(FIRST), "class_weight": "balanced"}, "class_weight='balanced' needs all labels at once"),
        ({"x": some, "verbose": 0}, r"x is the function 'some'; call it: x=f\(\)"),
        ({"x": some((X,))}, r"batch 0 of the generator: the targets are missing.*a batch is \(x, y\)"),
        ({"x": some((X, Y, WEIGHTS, 1))}, r"batch 0 of the generator is a tuple of 4; write \(x,\)"),
        ({"x": some(FIRST, (X[:, :3].copy(), Y))}, r"batch 1 of the generator: input '.*' must have .* \(None, 4\)"),
        ({"x": some(FIRST, (X, Y[:9]))}, "batch 1 of the generator: inputs have 70 samples, targets 9"),
        ({"x": some(FIRST, (X, Y, WEIGHTS))}, "batch 1 of the generator has sample weights, the first batch had none"),
        ({"x": some((X, Y, WEIGHTS), FIRST)}, "batch 1 .* has no sample weights, the first batch had some"),
        ({"x": Numbered(), "workers": -1}, "workers must be an integer of 0 or more, it is -1"),
        ({"x": Numbered(), "max_queue_size": 0}, "max_queue_size must be an integer of at least 1, it is 0"),
        (
            {"x": Numbered(), "epochs": 2, "validation_data": some(FIRST)},
            r"validation_data: the generator can be read only once, and 2 epochs .*validation_steps=100",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else None,
)
def test_wrong_data_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        model().fit(**{"verbose": 0, **arguments})


def test_a_model_that_is_not_compiled_reads_nothing():
    given = some(FIRST)
    with pytest.raises(RuntimeError, match="not compiled"):
        Sequential([layers.Dense(1)]).fit(given)
    assert next(given) is FIRST


def test_an_iterable_that_gives_nothing_again_is_named():
    class Twice:
        def __init__(self):
            self.batches = some(FIRST)

        def __iter__(self):
            yield from self.batches

    with pytest.raises(ValueError, match="x: the Twice gave no batches in epoch 2; it must give them again"):
        model().fit(Twice(), epochs=2, verbose=0)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_an_exception_leaves_the_last_whole_step_and_the_next_fit_works(each_backend, workers):
    class Failing(Numbered):
        broken = True

        def __getitem__(self, index):
            if index == 3 and self.broken:
                raise KeyError("no such file")
            return super().__getitem__(index)

    made, data = model(), Failing()
    with pytest.raises(KeyError, match="no such file") as kept:
        made.fit(data, verbose=0, shuffle=False, workers=workers)
    assert not reading(), kept  # though the traceback holds the source
    reference = model()
    reference.fit(X[: 3 * SIZE], Y[: 3 * SIZE], SIZE, verbose=0, shuffle=False)
    data.broken = False
    for _ in range(2):
        for a, b in zip([*made.get_weights(), *states(made)], [*reference.get_weights(), *states(reference)]):
            np.testing.assert_array_equal(a, b)
        made.fit(data, verbose=0, shuffle=False, workers=workers)
        reference.fit(X, Y, SIZE, verbose=0, shuffle=False)


def states(made):
    return [np.asarray(kbackend.K.get_value(v)) for v in made.optimizer.variables()]


def test_the_thread_ends_when_a_callback_stops_or_fails():
    class Stops(kbackend.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    class Fails(kbackend.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    made = model()
    made.fit(itertools.repeat(FIRST), steps_per_epoch=100, verbose=0, callbacks=[Stops()])
    assert int(kbackend.K.get_value(made.optimizer.iterations)) == 1
    with pytest.raises(KeyboardInterrupt) as kept:
        made.fit(itertools.repeat(FIRST), steps_per_epoch=100, verbose=0, callbacks=[Fails()])
    assert not reading(), kept


def test_no_more_batches_are_made_than_the_queue_holds():
    made, waiting = [], threading.Event()

    def counted():
        for index in itertools.count():
            made.append(index)
            yield FIRST

    class Looks(kbackend.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            waiting.wait(0.02)
            assert len(made) <= batch + 1 + 3

    model().fit(counted(), steps_per_epoch=STEPS, verbose=0, max_queue_size=3, callbacks=[Looks()])
    assert len(made) == STEPS
