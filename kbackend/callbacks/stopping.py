"""Callbacks that end a training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.monitor import Monitor
from kbackend.ground.arguments import checked


class TerminateOnNaN(Callback):
    """Stops after the first step whose loss is NaN or infinite. It looks at each step's loss, which costs a fetch.

    Args:
        raise_error: whether RuntimeError ends the training at once, without the events that would follow.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> history = model.fit(data * np.inf, targets, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    Batch 0: the loss is nan; training stops.
    >>> len(history.epoch)
    1
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"batch {batch}: the loss is {loss}")
        print(f"Batch {batch}: the loss is {loss}; training stops.")
        self.model.stop_training = True


class EarlyStopping(Monitor):
    """Stops when a value no longer gets better. Epochs without the value, as those between validations, do not count.

    Args:
        monitor: the name of the value.
        min_delta: a smaller change is no improvement.
        patience: epochs without improvement before stopping.
        verbose: 1 says when it stops.
        mode: 'min', 'max', or 'auto' (max for accuracies and the like, else min).
        baseline: a value that must be beaten.
        restore_best_weights: set the weights of the best epoch at the end.
        start_from_epoch: epochs before this number, from 0, are not looked at.

    Attributes:
        best: the best value.
        best_epoch: its epoch.
        stopped_epoch: the epoch after which it stopped; 0 where it did not.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> stop = callbacks.EarlyStopping("loss", min_delta=10.0, patience=1)
    >>> history = model.fit(data, targets, epochs=9, verbose=0, callbacks=[stop])
    >>> len(history.epoch)
    2
    """

    kept = ("wait", "stopped_epoch", "best_epoch", "best", "best_weights")

    @checked
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose = patience, verbose
        self.baseline, self.restore_best_weights = baseline, restore_best_weights
        self.start_from_epoch = start_from_epoch

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self._warned = False
        self.best: float | None = None
        self.best_weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self._value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
        if self.wait >= max(self.patience, 1):
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
