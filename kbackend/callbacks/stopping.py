"""Callbacks that end a training."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.ground.arguments import checked


class TerminateOnNaN(Callback):
    """Stops after the first step whose loss is NaN or infinite. It looks at each step's loss, which costs a fetch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: the loss is {loss}; training stops.")
            self.model.stop_training = True


class EarlyStopping(Callback):
    """Stops when a value no longer gets better. Epochs without the value, as those between validations, do not count.

    Args:
        monitor: the name of the value.
        min_delta: a smaller change is no improvement.
        patience: epochs without improvement before stopping.
        verbose: 1 says when it stops.
        mode: 'min', 'max', or 'auto' (max for names with 'acc', else min).
        baseline: a value that must be beaten.
        restore_best_weights: set the weights of the best epoch at the end.
    """

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
    ) -> None:
        super().__init__()
        self.monitor, self.patience, self.verbose = monitor, patience, verbose
        self.baseline, self.restore_best_weights = baseline, restore_best_weights
        larger = mode == "max" or mode == "auto" and "acc" in monitor
        self._sign = 1.0 if larger else -1.0
        self.min_delta = abs(min_delta)

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait, self.stopped_epoch = 0, 0
        self._warned = False
        self.best = self.baseline
        self.best_weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            self._missed(logs or {})
            return
        if self.best is None or self._sign * (value - self.best) > self.min_delta:
            self.best, self.wait = value, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= max(self.patience, 1):
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _missed(self, logs: Any) -> None:
        """Pass over an epoch without validation; warn where the value can never come."""
        if self.monitor in self.params.get("metrics", ()) or self._warned:
            return
        self._warned = True
        warnings.warn(
            f"EarlyStopping monitors {self.monitor!r}, which is not among {', '.join(logs)}; it does nothing",
            RuntimeWarning,
            stacklevel=2,
        )

    def on_train_end(self, logs: Any = None) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
