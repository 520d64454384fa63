"""What the processes of the tests of divided weights run: ``python -m support.sharded FOLDER HOW``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kbackend
from kbackend import Input, K, Model, callbacks, constraints, layers, optimizers
from kbackend.distribution import DataParallel, DistributedError, divided
from support import distributed as whole

SAMPLES = 10


class ByLength(optimizers.Optimizer):
    """An optimizer of one's own that takes columns and means of whole matrices; of zeros, as padding is, the last mean
    is not 0."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        held = self.slot("held", variable)
        held.assign(0.5 * held + gradient / (1.0 + K.max(K.abs(gradient), axis=-1, keepdims=True)))
        variable.assign_sub(learning_rate * held * K.sqrt(K.mean(K.square(held))) * K.mean(K.exp(gradient)))


def some_by_name() -> Any:
    return optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.Adam(0.05), {".*bias": optimizers.SGD(0.1)}))


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.1),
    "adam": lambda: optimizers.Adam(0.05, amsgrad=True, clipvalue=0.05),
    "adamw": lambda: optimizers.AdamW(0.05, global_clipnorm=0.2, use_ema=True, ema_overwrite_frequency=2),
    "accumulation": lambda: optimizers.Adam(0.05, gradient_accumulation_steps=2, use_ema=True),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.RMSprop(0.05), dynamic_growth_steps=2),
    "lamb": lambda: optimizers.Lamb(0.05),
    "muon": lambda: optimizers.Muon(0.05),
    "adafactor": lambda: optimizers.Adafactor(0.05),
    "lion": lambda: optimizers.Lion(0.01),
    "nadam": lambda: optimizers.Nadam(0.05),
    "ftrl": lambda: optimizers.Ftrl(0.5, l1_regularization_strength=0.01),
    "free": lambda: optimizers.ScheduleFreeAdamW(0.05),
    "several": some_by_name,
    "own": lambda: ByLength(0.1),
}


def small(optimizer: Any) -> Model:
    """A model with weights of all kinds: constrained, frozen, of a scalar, not divisible by the processes."""
    x = Input((5,))
    hidden = layers.Dense(7, activation="tanh", kernel_constraint=constraints.UnitNorm(axis=0), name="a")(x)
    hidden = layers.BatchNormalization(name="norm")(hidden)
    hidden = layers.Dense(7, trainable=False, name="frozen")(hidden)
    model = Model(x, layers.Dense(1, use_bias=False, name="b")(layers.PReLU(name="slopes")(hidden)))
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(3)
    return random.rand(SAMPLES, 5), random.rand(SAMPLES, 1)


def by_optimizer(strategy: DataParallel) -> dict[str, np.ndarray]:
    """Losses, weights and states of some steps with each optimizer."""
    found: dict[str, np.ndarray] = {}
    x, y = data()
    for name, optimizer in OPTIMIZERS.items():
        kbackend.set_seed(7)
        model = small(optimizer())
        model.distribute(strategy)
        history = model.fit(x, y, 4, 2, 0)
        found[f"{name} losses"] = np.array(history.history["loss"])
        found |= {f"{name} weight {n}": w for n, w in enumerate(model.get_weights())}
        found |= {f"{name} state {n}": w for n, w in enumerate(model.optimizer.get_weights())}
    return found


def around(strategy: DataParallel) -> dict[str, np.ndarray]:
    """What reads and sets weights beside the steps."""
    kbackend.set_seed(7)
    x, y = data()
    model = small("adam")
    model.distribute(strategy)
    found = {"predicted before": model.predict(x)}
    model.fit(x, y, 4, 1, 0, validation_data=(x, y))
    found["predicted"] = model.predict(x)
    found["evaluated"] = np.array(model.evaluate(x, y))
    kernel = model.get_layer("a").kernel
    found["by a function"] = K.function([], [K.sum(kernel, axis=0)])([])[0]
    K.function([], [], updates=[(kernel, kernel * 2.0)])([])
    found["doubled"] = kernel.numpy()
    model.train_on_batch(x, y)
    model.set_weights([w * 0.5 for w in model.get_weights()])
    model.train_on_batch(x, y)
    found |= {f"weight {n}": w for n, w in enumerate(model.get_weights())}
    found |= {f"state {n}": w for n, w in enumerate(model.optimizer.get_weights())}
    return found


def held(strategy: DataParallel) -> list[int]:
    """The bytes of weights and states of the optimizer that this process holds, and those of all of them together."""
    kbackend.set_seed(7)
    x = Input((64,))
    model = Model(x, layers.Dense(3)(layers.Dense(128, activation="relu")(layers.Dense(128, activation="relu")(x))))
    model.compile("adam", "mse")
    model.distribute(strategy)
    model.fit(np.ones((8, 64)), np.ones((8, 3)), 4, 1, 0)
    variables = [v for v in model._steps.variables() if v.ndim and not v.host]
    own = 0
    for variable in variables:
        cells = [*variable._cells.values()]
        cells = [c for cell in cells for c in (getattr(cell, "_cells", {0: cell}).values())]
        own += sum(c.numel() * c.element_size() for c in cells)
        for each in (variable, *variable._cells.values()):
            initial = getattr(each, "_initial", None)
            own += initial.nbytes if isinstance(initial, np.ndarray) else 0
    return [own, sum(v.numpy().nbytes for v in variables)]


def refusals(strategy: DataParallel, folder: Path) -> dict[str, np.ndarray]:
    """What is said where weights cannot be divided."""
    x, y = data()
    found = {}
    model = small("sgd")
    model.distribute(strategy)
    try:
        model.fit(x, y, callbacks=[callbacks.TensorBoard(str(folder / "logs"), histogram_freq=1)], verbose=0)
    except DistributedError as error:
        found["histograms"] = np.array(str(error))
    model.compile("sgd", "mse", jit=True)
    try:
        model.fit(x, y, verbose=0)
    except DistributedError as error:
        found["jit"] = np.array(str(error))
    return found


def files(strategy: DataParallel, folder: Path) -> None:
    """Write every kind of file."""
    kbackend.set_seed(7)
    x, y = data()
    model = small("adam")
    model.distribute(strategy)
    model.fit(x, y, 4, 1, 0)
    model.save(folder / "model.kb")
    model.save_weights(folder / "weights.safetensors")
    model.save_checkpoint(folder / "checkpoint.safetensors")
    np.savez(folder / "saved.npz", *model.get_weights())


def main(folder: Path, how: str) -> None:
    divided.BUCKET = 256  # so that there are several
    whole.use_small_buckets()
    strategy = DataParallel(sync_batch_norm=True, shard=True, timeout=whole.TIMEOUT)
    rank = whole.team_of(strategy).rank
    found = {**whole.trained(strategy), **whole.branched(strategy, True), **by_optimizer(strategy), **around(strategy)}
    found["held"] = np.array(held(strategy))
    np.savez(folder / f"{rank}.npz", **found, **refusals(strategy, folder))
    files(strategy, folder)
    whole.until_interrupted(strategy, folder / "backups", (1, 3))
    whole.until_one_fails(strategy, folder, how)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
