"""Files from which a training goes on."""

from __future__ import annotations

import time

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers, optimizers
from kbackend.callbacks import BackupAndRestore, LambdaCallback, ModelCheckpoint, OrbaxCheckpoint
from kbackend.models import load_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = X[:, :1] * 2


def made():
    """A model whose training depends on draws, on the order of samples and on the state of the optimizer."""
    kbackend.set_seed(5)
    x = Input((3,), name="x")
    h = layers.Dropout(0.3, name="drop")(layers.Dense(4, activation="tanh", name="a")(x))
    model = Model(x, layers.Dense(1, name="b")(h))
    model.compile(optimizers.Adam(0.01), "mse")
    return model


def same(first, second):
    return all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))


class Power(RuntimeError):
    pass


def failing(epoch):
    def fail(number, logs):
        if number == epoch:
            raise Power

    return LambdaCallback(on_epoch_begin=fail)


def test_a_training_that_failed_equals_one_that_did_not(each_backend, tmp_path):
    whole = made()
    history = whole.fit(X, Y, epochs=5, verbose=0).history
    broken = made()
    with pytest.raises(Power):
        broken.fit(X, Y, epochs=5, verbose=0, callbacks=[BackupAndRestore(tmp_path), failing(3)])
    assert [p.name for p in tmp_path.iterdir()] == ["backup-3-0.safetensors"]
    again = made()
    found = again.fit(X, Y, epochs=5, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert found.epoch == [0, 1, 2, 3, 4]
    assert found.history == history
    assert same(whole, again)
    assert not list(tmp_path.iterdir())


def test_two_backups_are_kept_and_a_damaged_one_is_passed_over(tmp_path):
    model, whole = made(), made()
    history = whole.fit(X, Y, epochs=5, verbose=0).history
    backup = BackupAndRestore(tmp_path, double_checkpoint=True)

    def written(epoch, logs):  # the next one waits for the first, so that both are written
        while not (tmp_path / f"backup-{epoch}-0.safetensors").exists() and epoch:
            time.sleep(0.001)

    wait = LambdaCallback(on_epoch_begin=written)
    with pytest.raises(Power):
        model.fit(X, Y, epochs=5, verbose=0, callbacks=[backup, wait, failing(3)])
    first, last = sorted(tmp_path.iterdir())
    assert (first.name, last.name) == ("backup-2-0.safetensors", "backup-3-0.safetensors")
    last.write_bytes(last.read_bytes()[:-8])
    again = made()
    assert again.fit(X, Y, epochs=5, verbose=0, callbacks=[backup]).history == history
    assert same(whole, again)


def test_no_backup_of_this_model_is_an_error(tmp_path):
    (tmp_path / "backup-1-0.safetensors").write_bytes(b"not one")
    with pytest.raises(ValueError):
        made().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    with pytest.raises(ValueError, match="backup_dir must name a folder"):
        BackupAndRestore("")
    for wrong in (0, True, "batch"):
        with pytest.raises(ValueError, match="BackupAndRestore: save_freq must be 'epoch' or a positive number of"):
            BackupAndRestore(tmp_path, save_freq=wrong)


class Saved:
    """A model that tells where it would be saved."""

    def __init__(self):
        self.saved = []

    def save(self, path):
        self.saved.append(("model", path))

    def save_weights(self, path):
        self.saved.append(("weights", path))


def told(callback, losses, batches=0):
    callback.set_model(Saved())
    callback.set_params({"metrics": ["val_loss"]})
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_end(batch, {"batch": batch, "size": 2, "val_loss": loss})
        callback.on_epoch_end(epoch, {"val_loss": loss})
    return [(kind, path.rpartition("/")[2]) for kind, path in callback.model.saved]


def test_checkpoints_have_the_epoch_and_values_in_their_names(tmp_path):
    every = ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss:.2f}.kb")
    assert told(every, [0.5, 0.25]) == [("model", "01-0.50.kb"), ("model", "02-0.25.kb")]
    best = ModelCheckpoint(tmp_path / "best.kb", save_best_only=True, save_weights_only=True)
    assert told(best, [0.5, 0.6, 0.4]) == [("weights", "best.kb")] * 2
    beaten = ModelCheckpoint(tmp_path / "best.kb", save_best_only=True, initial_value_threshold=0.45)
    assert told(beaten, [0.5, 0.6, 0.4]) == [("model", "best.kb")]
    assert told(ModelCheckpoint(tmp_path / "{epoch}", period=2), [1.0] * 5) == [("model", "2"), ("model", "4")]


def test_checkpoints_after_batches(tmp_path):
    found = told(ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=3), [1.0, 1.0], batches=4)
    assert found == [("model", "1-3"), ("model", "2-2")]


def test_what_is_saved_can_be_loaded(each_backend, tmp_path):
    model, kept = made(), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    every = ModelCheckpoint(tmp_path / "models" / "{epoch}.kb")
    best = ModelCheckpoint(tmp_path / "best.safetensors", "loss", save_best_only=True, save_weights_only=True)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[keep, every, best]).history["loss"]
    for epoch, weights in enumerate(kept, 1):
        loaded = load_model(tmp_path / "models" / f"{epoch}.kb").get_weights()
        assert all((a == b).all() for a, b in zip(loaded, weights, strict=True))
    twin = made()
    twin.load_weights(tmp_path / "best.safetensors")
    expected = kept[int(np.argmin(history))]
    assert all((a == b).all() for a, b in zip(twin.get_weights(), expected, strict=True))


def test_a_name_without_its_value_is_an_error(tmp_path):
    with pytest.raises(KeyError, match="'acc' is not in the logs, which have val_loss, epoch"):
        told(ModelCheckpoint(tmp_path / "{acc}"), [1.0])


def test_orbax_says_what_to_use():
    with pytest.raises(NotImplementedError, match="BackupAndRestore"):
        OrbaxCheckpoint("folder")
