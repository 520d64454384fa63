"""A training that was interrupted goes on at the step of its last checkpoint, as if it had never stopped."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers, metrics, optimizers
from kbackend.callbacks import (
    BackupAndRestore,
    BaseLogger,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    SwapEMAWeights,
)
from kbackend.ground import files
from kbackend.saving import FormatError
from kbackend.training import resume as resuming
from kbackend.utils import PyDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(44, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
EPOCHS, SIZE = 4, 8


class Power(RuntimeError):
    pass


def made(**options):
    """A model whose training depends on draws, moving averages, the order of samples and states of all kinds."""
    kbackend.set_seed(5)
    x = Input((3,), name="x")
    h = layers.BatchNormalization(name="n")(layers.Dense(4, activation="tanh", name="a")(x))
    h = layers.GaussianNoise(0.1, name="g")(layers.Dropout(0.3, name="drop")(h))
    model = Model(x, layers.Dense(1, activation="sigmoid", name="b")(h))
    model.compile(optimizers.Adam(0.05, **options), "binary_crossentropy", metrics=[metrics.AUC(), "accuracy"])
    return model


def watchers(folder):
    return [
        EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        ReduceLROnPlateau("loss", patience=1, min_delta=0.5, factor=0.7),
        LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        CSVLogger(folder / "log.csv"),
        ModelCheckpoint(folder / "best.kb", "loss", save_best_only=True),
        BaseLogger(),
    ]


def states(callbacks):
    return [repr(c.state_dict()) for c in callbacks if not isinstance(c, CSVLogger)]  # whose file is compared


class AtStep(Callback):
    """Ends the process, as far as fit can see, after a number of steps, or an epoch."""

    def __init__(self, step=None, epoch=None):
        super().__init__()
        self.step, self.epoch = step, epoch

    def on_train_batch_end(self, batch, logs=None):
        self.step = None if self.step is None else self.step - 1
        if self.step == 0:
            raise Power

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Power


def everything(model):
    return [v.numpy() for v in (*model.weights, *model.optimizer.variables())]


def assert_equal(first, second):
    for a, b in zip(everything(first), everything(second), strict=True):
        assert a.tobytes() == b.tobytes()
    assert first.history.history == second.history.history
    assert first.history.epoch == second.history.epoch
    assert first.epochs_seen == second.epochs_seen


def fitted(model, folder, data=(X, Y), resume=None, callbacks=(), epochs=EPOCHS, **options):
    given = {"batch_size": SIZE, "validation_data": (X[:10], Y[:10])} | options
    return model.fit(*data, epochs=epochs, verbose=0, callbacks=list(callbacks), resume=resume, **given)


@pytest.mark.parametrize("step", [1, 3, 6, 7, 13, 18, 24])
def test_after_any_step(each_backend, tmp_path, step):
    """Six steps an epoch, the last of fewer samples; a checkpoint after each."""
    (tmp_path / "whole").mkdir()
    whole, told = made(), watchers(tmp_path / "whole")
    fitted(whole, tmp_path, callbacks=told)
    every = BackupAndRestore(tmp_path / "backup", save_freq=1, delete_checkpoint=False)
    with pytest.raises(Power):
        fitted(made(), tmp_path, resume=every, callbacks=[*watchers(tmp_path), AtStep(step)])
    again, restored = made(), watchers(tmp_path)
    seen = []
    steps = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    fitted(again, tmp_path, resume=every, callbacks=[*restored, steps])
    assert_equal(whole, again)
    assert len(seen) <= 6 * len(whole.history.epoch) - step + 1  # the step that failed had no checkpoint yet
    assert states(told) == states(restored)
    assert (tmp_path / "whole" / "log.csv").read_text() == (tmp_path / "log.csv").read_text()


@pytest.mark.parametrize("epoch", [0, 2])
def test_after_an_epoch_that_callbacks_did_not_end(tmp_path, epoch):
    whole = made()
    fitted(whole, tmp_path)
    with pytest.raises(Power):
        fitted(made(), tmp_path, resume=tmp_path / "b", callbacks=[AtStep(epoch=epoch)])
    again = made()
    fitted(again, tmp_path, resume=tmp_path / "b")
    assert_equal(whole, again)


def test_moving_averages_of_weights_that_are_swapped(tmp_path):
    whole, again = made(use_ema=True), made(use_ema=True)
    fitted(whole, tmp_path, callbacks=[SwapEMAWeights(True)])
    for step in (4, 10, 9):
        with pytest.raises(Power):
            fitted(made(use_ema=True), tmp_path, resume=BackupAndRestore(tmp_path / "b", 1, delete_checkpoint=False),
                   callbacks=[SwapEMAWeights(True), AtStep(step)])
    fitted(again, tmp_path, resume=tmp_path / "b", callbacks=[SwapEMAWeights(True)])
    assert_equal(whole, again)


class Dataset(PyDataset):
    """Batches that are mixed by the dataset itself after each epoch."""

    def __init__(self):
        super().__init__()
        self.order = np.arange(len(X))
        self.draws = np.random.RandomState(3)
        self.asked = []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.asked.append(index)
        chosen = self.order[index * 8 : index * 8 + 8]
        return X[chosen], Y[chosen]

    def on_epoch_end(self):
        self.draws.shuffle(self.order)


def batches():
    draws = np.random.RandomState(1)
    while True:
        chosen = draws.randint(0, len(X), 8)
        yield X[chosen], Y[chosen]


class Again:
    """An iterable of 7 batches."""

    def __iter__(self):
        return (batch for batch, _ in zip(batches(), range(7)))


SOURCES = {
    "dataset": (Dataset, {}),
    "dataset that goes on": (Dataset, {"steps_per_epoch": 3}),
    "generator": (batches, {"steps_per_epoch": 5}),
    "iterable": (Again, {}),
    "iterable that goes on": (Again, {"steps_per_epoch": 4}),
    "workers": (Dataset, {"workers": 2}),
    "blocks of arrays": (None, {"shuffle": "batch", "batch_size": 8}),
    "some batches of arrays": (None, {"steps_per_epoch": 4, "batch_size": 8}),
    "sample weights": (None, {"sample_weight": np.linspace(0, 1, len(X)), "batch_size": 8}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_batches_of_all_kinds(tmp_path, source):
    data, options = SOURCES[source]

    def given():
        return (X, Y) if data is None else (data(),)

    options = {"batch_size": None, **options}
    whole = made()
    fitted(whole, tmp_path, given(), **options)
    every = BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)
    for step in (2, 6, 3):
        with pytest.raises(Power):
            fitted(made(), tmp_path, given(), every, [AtStep(step)], **options)
    again = made()
    fitted(again, tmp_path, given(), every, **options)
    assert_equal(whole, again)


def test_batches_before_the_place_are_not_made_again(tmp_path):
    every = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Power):
        fitted(made(), tmp_path, (Dataset(),), every, [AtStep(4)], batch_size=None, workers=0, shuffle=False)
    data = Dataset()
    fitted(made(), tmp_path, (data,), every, epochs=1, batch_size=None, workers=0, shuffle=False)
    assert data.asked == [0, 3, 4]  # the first one tells what batches look like


def test_a_training_at_its_end_is_not_run_again(tmp_path):
    model = made()
    history = fitted(model, tmp_path, resume=tmp_path / "b").history
    again, steps = made(), []
    told = LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    assert fitted(again, tmp_path, resume=tmp_path / "b", callbacks=[told]).history == history
    assert not steps
    assert_equal(model, again)
    longer = fitted(made(), tmp_path, resume=tmp_path / "b", epochs=EPOCHS + 1, callbacks=[told])
    assert len(steps) == 0 and longer.history == history  # it had come to its end


def test_backups_are_removed_at_the_end_and_not_with_resume(tmp_path):
    fitted(made(), tmp_path, callbacks=[BackupAndRestore(tmp_path / "a", save_freq=2)])
    assert not list((tmp_path / "a").iterdir())
    fitted(made(), tmp_path, resume=tmp_path / "b")
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["backup-4-0.safetensors"]


def test_steps_do_not_wait_for_the_file(tmp_path, monkeypatch):
    """While one checkpoint cannot be written, all steps after it run."""
    release, done = threading.Event(), []

    def slow(path, content):
        assert release.wait(60)
        files.write_atomically(path, content)

    monkeypatch.setattr(resuming, "write_atomically", slow)

    def step(batch, logs):
        done.append(batch)
        if len(done) == 6 * EPOCHS:
            release.set()

    every = BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)
    fitted(made(), tmp_path, resume=every, callbacks=[LambdaCallback(on_train_batch_end=step)])
    assert [p.name for p in tmp_path.iterdir()] == ["backup-4-0.safetensors"]


def test_seconds_between_checkpoints(tmp_path, monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(resuming.time, "monotonic", lambda: next(clock))
    written = []
    monkeypatch.setattr(resuming, "write_atomically", lambda path, content: written.append(path.name))
    monkeypatch.setattr(resuming.Background, "put", lambda self, function: function())
    settings = BackupAndRestore(tmp_path, save_freq=1000, delete_checkpoint=False, seconds=4)
    fitted(made(), tmp_path, resume=settings, epochs=2)
    # each step reads the clock once, each checkpoint once more
    assert written == [f"backup-{place}.safetensors" for place in ("0-4", "1-2", "1-6", "2-0")]


class Quiet:
    """A context in which warnings are collected."""

    def __enter__(self):
        self._context = warnings.catch_warnings(record=True)
        self.seen = self._context.__enter__()
        warnings.simplefilter("always")
        return self.seen

    def __exit__(self, *exc):
        self._context.__exit__(*exc)


def test_a_full_disk_leaves_the_old_checkpoint_and_training_goes_on(tmp_path):
    whole = made()
    fitted(whole, tmp_path)
    with pytest.raises(Power):
        fitted(made(), tmp_path, resume=tmp_path / "b", callbacks=[AtStep(8)])
    (old,) = (tmp_path / "b").iterdir()
    before = old.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    again = made()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
        with Quiet() as seen:
            fitted(again, tmp_path, resume=tmp_path / "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert any("a checkpoint could not be written, training goes on" in str(w.message) for w in seen)
    assert_equal(whole, again)
    assert [p.name for p in (tmp_path / "b").iterdir()] == [old.name] and old.read_bytes() == before


def program(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "KBACKEND": "numpy"})


SMALL = """
import numpy as np, sys, kbackend
from kbackend import Sequential, layers
kbackend.set_seed(1)
model = Sequential([layers.Dense(1, input_shape=(2,))])
model.compile("adam", "mse")
x = np.ones((16, 2), "float32")
"""


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_without_permission_is_refused_before_training(tmp_path, mode):
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "backup-1-0.safetensors").write_bytes(b"an old one")
    for part in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(part, 0o755)
    os.chmod(folder, mode)
    code = SMALL + """
import os, tempfile
model.fit(x, x[:, :1], verbose=0, resume=tempfile.mkdtemp())  # which imports all that root may read
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
model.fit(x, x[:, :1], verbose=0, resume=sys.argv[1])
"""
    done = program(code, folder)
    os.chmod(folder, 0o755)
    assert "PermissionError" in done.stderr and str(folder) in done.stderr
    assert (folder / "backup-1-0.safetensors").read_bytes() == b"an old one"


def test_a_killed_writer_leaves_the_old_checkpoint(tmp_path):
    """The process ends between the bytes of the new file and its name."""
    code = SMALL + """
import os, signal
from kbackend.callbacks import BackupAndRestore
from kbackend.ground import files
replace, count = os.replace, []
def killed(*args):
    count.append(args)
    if len(count) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*args)
files.os.replace = killed
import time
class Slow(kbackend.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.2)
model.fit(x, x[:, :1], epochs=9, verbose=0, resume=sys.argv[1], callbacks=[Slow()])
"""
    done = program(code, tmp_path)
    assert done.returncode == -signal.SIGKILL
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names[1:] == ["backup-2-0.safetensors"] and names[0].endswith(".tmp")
    code = SMALL + "print(model.fit(x, x[:, :1], epochs=3, verbose=0, resume=sys.argv[1]).epoch)"
    done = program(code, tmp_path)
    assert done.stdout.strip() == "[0, 1, 2]", done.stderr


def test_other_data_within_an_epoch_is_refused(tmp_path):
    every = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Power):
        fitted(made(), tmp_path, resume=every, callbacks=[AtStep(3)])
    with pytest.raises(FormatError, match="within an epoch of other data"):
        fitted(made(), tmp_path, resume=every, batch_size=4)
    with pytest.raises(FormatError, match="began with epoch 0, this one begins with 1"):
        fitted(made(), tmp_path, resume=every, initial_epoch=1)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="resume must be a folder or a callbacks.BackupAndRestore, it is 3"):
        fitted(made(), None, resume=3)
    for wrong in (0, -1.0, True):
        with pytest.raises(ValueError, match="seconds must be a positive number or None"):
            BackupAndRestore("b", seconds=wrong)


def test_callbacks_may_hold_states_of_their_own(tmp_path):
    class Counting(Callback):
        kept = ("steps",)

        def on_train_begin(self, logs=None):
            self.steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

    class Wrong(Callback):
        def state_dict(self):
            return {"what": object()}

    every = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Power):
        fitted(made(), tmp_path, resume=every, callbacks=[Counting(), AtStep(9)])
    counting = Counting()
    fitted(made(), tmp_path, resume=every, callbacks=[counting])
    assert counting.steps == 6 * EPOCHS
    with pytest.raises(TypeError, match="a checkpoint holds numbers, texts, lists, dicts by text and arrays, no obj"):
        fitted(made(), tmp_path, resume=tmp_path / "c", callbacks=[Wrong()])
