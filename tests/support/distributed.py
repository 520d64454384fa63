"""What the processes of the tests of ``tests/distribution`` run: ``python -m support.distributed PHASE FOLDER``."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import kbackend
from kbackend import Input, K, Model, callbacks, layers, losses
from kbackend.distribution import DataParallel, DistributedError, weights
from kbackend.plugin import select

SAMPLES, BATCH, EPOCHS = 49, 8, 5  # 35 steps; the last batch of an epoch has one sample
TIMEOUT = 15.0  # also for processes that start late on a busy machine


def autoencoder() -> Model:
    x = Input((12,))
    hidden = layers.Dropout(0.3)(layers.Dense(9, activation="relu", kernel_regularizer="l2")(x))
    model = Model(x, layers.Dense(12, activation="sigmoid")(hidden))
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    model.compile("adam", loss, metrics=["mae"], weighted_metrics=["mse"])
    return model


def convnet() -> Model:
    x = Input((6, 6, 1))
    hidden = layers.BatchNormalization()(layers.Conv2D(3, 3, activation="relu")(x))
    hidden = layers.Flatten()(layers.SpatialDropout2D(0.2)(layers.GaussianNoise(0.1)(hidden)))
    model = Model(x, layers.Dense(3, activation="softmax")(layers.Dropout(0.25)(hidden)))
    model.compile(kbackend.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model


def recurrent() -> Model:
    x = Input((5, 4))
    hidden = layers.LSTM(6, dropout=0.2, recurrent_dropout=0.1, return_sequences=True)(layers.Masking()(x))
    model = Model(x, layers.Dense(2)(hidden))
    model.compile("rmsprop", losses.MeanSquaredError(reduction="sum"), metrics=["mae"])
    return model


def data() -> dict[str, tuple[np.ndarray, ...]]:
    """Inputs, targets and sample weights."""
    random = np.random.RandomState(0)
    x, images = random.rand(SAMPLES, 12), random.rand(SAMPLES, 6, 6, 1)
    steps = random.rand(SAMPLES, 5, 4) * (random.rand(SAMPLES, 5, 1) > 0.3)
    return {
        "autoencoder": (x, x, random.rand(SAMPLES)),
        "convnet": (images, random.randint(0, 3, SAMPLES)),
        "recurrent": (steps, random.rand(SAMPLES, 5, 2)),
        "branches": (x, [x[:, :2], random.randint(0, 3, SAMPLES)]),
    }


def branches() -> Model:
    """What is added to the loss and measured beside the outputs, and what takes gradients apart."""
    x = Input((12,))
    hidden = layers.Dense(6, activation="tanh", activity_regularizer="l1")(x)
    noisy = hidden + K.random_normal(K.shape(hidden)) * 0.1
    model = Model(x, [layers.Dense(2, name="a")(noisy), layers.Dense(3, activation="softmax", name="b")(hidden)])
    model.add_loss(K.var(hidden) * 0.1)
    model.add_metric(K.mean(hidden), name="level")
    optimizer = kbackend.optimizers.Adam(gradient_accumulation_steps=2, clipnorm=0.1)
    model.compile(optimizer, ["mae", "sparse_categorical_crossentropy"], metrics={"b": ["accuracy"]},
                  loss_weights=[0.3, 0.7])
    return model


MODELS: dict[str, Callable[[], Model]] = {
    "autoencoder": autoencoder, "convnet": convnet, "recurrent": recurrent, "branches": branches,
}  # fmt: skip


def trained(strategy: Any) -> dict[str, np.ndarray]:
    """All weights and all that is told of trainings of the models."""
    kbackend.set_seed(7)
    found: dict[str, np.ndarray] = {}
    models = {name: make() for name, make in MODELS.items()}
    for name, model in models.items():
        model.distribute(strategy)
        x, y, *weights = data()[name]
        stopping = callbacks.EarlyStopping("val_loss", patience=50)
        rates = callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=1.0)
        history = model.fit(x, y, BATCH, EPOCHS, 0, [stopping, rates], sample_weight=weights[0] if weights else None,
                            validation_data=(x[:13], first(y, 13)))
        found |= {f"{name} {n}": w for n, w in enumerate(model.get_weights())}
        found |= {f"{name} {label}": np.array(values) for label, values in history.history.items()}
        found[f"{name} evaluated"] = np.array(model.evaluate(x, y, batch_size=BATCH))
        found[f"{name} on a batch"] = np.array(model.train_on_batch(x[:5], first(y, 5)))
    with strategy:  # as a context
        model = autoencoder()
        model.fit(*data()["autoencoder"][:2], BATCH, 1, 0)
    found |= {f"in a context {n}": w for n, w in enumerate(model.get_weights())}
    return found | fed_otherwise(models["convnet"])


def fed_otherwise(model: Model) -> dict[str, np.ndarray]:
    """A generator of batches of many sizes, weights of classes, and batches with fewer samples than processes."""
    x, y = data()["convnet"]

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            for first, last in ((0, 5), (5, 6), (6, 20)):
                yield x[first:last], y[first:last]

    told = model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0, validation_data=batches(), validation_steps=2)
    history = dict(told.history)
    weighted = model.fit(x[:9], y[:9], BATCH, 1, 0, class_weight={0: 1.0, 1: 0.5, 2: 3.0}, shuffle=False)
    single = model.fit(x[:3], y[:3], 1, 1, 0)
    history |= {"weighted": weighted.history["loss"], "single": single.history["loss"]}
    found = {f"otherwise {label}": np.array(values) for label, values in history.items()}
    return found | {f"otherwise {n}": w for n, w in enumerate(model.get_weights())}


class Sides(layers.Layer):
    """One of two products, by the sign of the samples: that of each, or ``together`` that of all."""

    def __init__(self, together: bool) -> None:
        super().__init__()
        self.together = together

    def build(self, input_shape: Any) -> None:
        self.left, self.right = (self.add_weight(name=n, shape=(input_shape[-1], 20)) for n in ("left", "right"))
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        above = K.greater(x[:, :1], 0.0)
        if not self.together:
            return K.switch(above, K.dot(x, self.left), K.dot(x, self.right))
        return K.switch(K.all(above), lambda: K.dot(x, self.left), lambda: K.dot(x, self.right))


def branched(strategy: Any, together: bool) -> dict[str, np.ndarray]:
    """The weights of a model in which the processes take different branches of a condition, where samples of one sign
    are together."""
    kbackend.set_seed(7)
    x = Input((3,))
    model = Model(x, Sides(together)(x))
    model.compile("sgd", "mse")
    model.distribute(strategy)
    samples = np.ones((8, 3)) * np.repeat([1.0, -1.0], 4)[:, None]
    model.fit(samples, np.ones((8, 20)), 8, 3, 0, shuffle=False)
    return {f"branched {n}": w for n, w in enumerate(model.get_weights())}


def first(y: Any, count: int) -> Any:
    return [part[:count] for part in y] if isinstance(y, list) else y[:count]


def team_of(strategy: DataParallel) -> Any:
    return strategy.team(select.active_target())


# what is refused before the first step ----------------------------------------------------------------------


def refusals(strategy: DataParallel, rank: int) -> dict[str, str]:
    """What is said where the processes differ in something."""
    found: dict[str, str] = {}

    def attempt(label: str, seed: int, width: int, samples: int) -> None:
        kbackend.set_seed(seed)
        x = Input((3,))
        model = Model(x, layers.Dense(width)(layers.Dropout(0.5)(x)))
        model.compile("sgd", "mse")
        model.distribute(strategy)
        before = model.get_weights()
        try:
            model.fit(np.ones((samples, 3)), np.ones((samples, width)), verbose=0)
        except DistributedError as error:
            assert all((a == b).all() for a, b in zip(before, model.get_weights())), "a step was made"
            found[label] = str(error)

    attempt("seeds", rank, 2, 8)
    attempt("graphs", 7, 2 + (rank == 1), 8)
    attempt("shapes", 7, 2, 8 + (rank == 1))
    return found


# files ------------------------------------------------------------------------------------------------------


def written(strategy: DataParallel, folder: Path, rank: int) -> dict[str, str]:
    """Files that one process writes; what the others say where it cannot."""
    kbackend.set_seed(7)
    model = autoencoder()
    model.distribute(strategy)
    x, y, _ = data()["autoencoder"]
    told = [callbacks.ModelCheckpoint(str(folder / "best.kb"), "loss"), callbacks.CSVLogger(str(folder / "log.csv"))]
    model.fit(x, y, BATCH, 2, 0, told)
    path = folder / f"rank{rank}.kb"  # only the first process writes its own
    model.save(path)
    try:
        model.save_weights(folder / "missing" / "w.safetensors")
    except (DistributedError, OSError) as error:
        return {"files": type(error).__name__ + str(path.exists())}
    return {}


class Ends(callbacks.Callback):
    """Stops the process, or the training, after a batch."""

    def __init__(self, epoch: int, batch: int, act: Callable[[], None]) -> None:
        super().__init__()
        self._place, self._act, self._epoch = (epoch, batch), act, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self._epoch, batch) == self._place:
            self._act()


def resumed(strategy: Any, folder: Path, *told: callbacks.Callback) -> list[np.ndarray]:
    """The weights of a training that goes on from the checkpoints of a folder, one after every second batch."""
    kbackend.set_seed(5)
    model = convnet()
    model.distribute(strategy)
    backup = callbacks.BackupAndRestore(folder, save_freq=2, delete_checkpoint=False)
    model.fit(*data()["convnet"], BATCH, 4, 0, list(told), resume=backup)
    return model.get_weights()


class Stops(callbacks.Callback):
    """Ends the training after the second epoch, in this process."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch == 1


def epochs_until_one_stops(strategy: DataParallel, rank: int) -> int:
    """How many epochs there were where only the second process wants to end."""
    kbackend.set_seed(7)
    model = autoencoder()
    model.distribute(strategy)
    x, y, _ = data()["autoencoder"]
    return len(model.fit(x, y, BATCH, 5, 0, [Stops()] if rank == 1 else []).epoch)


class Interrupted(Exception):
    """The training ends here."""


def interrupt() -> None:
    raise Interrupted


def until_interrupted(strategy: Any, folder: Path, place: tuple[int, int]) -> None:
    """Train from the checkpoints of a folder to an epoch and batch."""
    try:
        resumed(strategy, folder, Ends(*place, interrupt))
    except Interrupted:
        return
    raise AssertionError("the training came to its end")


# phases -----------------------------------------------------------------------------------------------------


def fail() -> None:
    raise ValueError("this process fails")


#: what a process may do that the others are waiting for
ACTS: dict[str, Callable[[], None]] = {
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda: time.sleep(600),
    "raises": fail,
    "interrupted": lambda: signal.raise_signal(signal.SIGINT),
    "leaves": lambda: sys.exit(0),
}


def use_small_buckets() -> None:
    """Let a sum of gradients travel in several parts."""
    weights.BUCKET = 256
    if os.environ["KBACKEND"] == "tensorflow":
        from kbackend_tensorflow.kernels.collective import reduce

        reduce.BUCKET = 256


def until_one_fails(strategy: DataParallel, folder: Path, how: str) -> None:
    """Train until the last process does something else."""
    team = team_of(strategy)
    model = autoencoder()
    model.distribute(strategy)
    told = [Ends(0, 3, ACTS[how])] if team.rank == team.size - 1 else []
    x, y, _ = data()["autoencoder"]
    team.wait()
    (folder / f"{team.rank}.began").write_text("")
    model.fit(x, y, BATCH, 1000, 0, told)


def same(folder: Path, how: str) -> None:
    """All that needs no failure, then the last process fails, and the others are to say so."""
    use_small_buckets()
    strategy = DataParallel(sync_batch_norm=True, timeout=TIMEOUT)
    team = team_of(strategy)
    rank = team.rank
    np.savez(folder / f"{rank}.npz", **trained(strategy), **branched(strategy, True))
    until_interrupted(strategy, folder / "backups", (2, 3))
    team.wait()
    facts = {**refusals(strategy, rank), **written(strategy, folder, rank), "size": str(team.size)}
    facts["epochs"] = str(epochs_until_one_stops(strategy, rank))
    (folder / f"{rank}.json").write_text(json.dumps(facts))
    until_one_fails(strategy, folder, how)


def restarts(folder: Path, _: str) -> None:
    """The second process hangs once, and once it is interrupted."""
    strategy = DataParallel(sync_batch_norm=True, timeout=TIMEOUT)
    rank = team_of(strategy).rank

    def fails(how: str) -> Callable[[], None]:
        def act() -> None:
            if not (folder / how).exists():
                (folder / how).write_text("")
                ACTS[how]()

        return act

    told = [Ends(2, 5, fails("hangs")), Ends(3, 3, fails("interrupted"))] if rank == 1 else []
    weights = resumed(strategy, folder / "backups", *told)
    np.savez(folder / f"restarted{rank}.npz", *weights)


if __name__ == "__main__":
    {"same": same, "restarts": restarts}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
