"""Weights exchanged for their moving averages while a model is evaluated; means of what batches log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.graph.variable import Variable, assign_all, values_of


class SwapEMAWeights(Callback):
    """Evaluates with the moving averages of the weights that an optimizer with ``use_ema=True`` keeps.

    Args:
        swap_on_epoch: exchange them at the end of each epoch until the next begins, so that callbacks after this one,
            such as ModelCheckpoint, get the averages too.

    Raises:
        ValueError: the optimizer keeps no averages.

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers, optimizers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile(optimizers.SGD(0.1, use_ema=True), "mse")
    >>> swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    >>> history = model.fit(np.ones((8, 3)), np.ones(8), epochs=2, verbose=0, callbacks=[swap])
    >>> len(history.epoch)
    2
    """

    kept = ("_swapped",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_train_begin(self, logs: Any = None) -> None:
        self._swapped = False
        if not self._pairs():
            raise ValueError("SwapEMAWeights needs a model compiled with an optimizer that has use_ema=True")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._set(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._set(self.swap_on_epoch)

    def on_train_end(self, logs: Any = None) -> None:
        self._set(False)

    def on_test_begin(self, logs: Any = None) -> None:
        self._set(True)

    def on_test_end(self, logs: Any = None) -> None:
        self._set(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._set(True)

    def on_predict_end(self, logs: Any = None) -> None:
        self._set(False)

    def _pairs(self) -> list[tuple[Variable, Variable]]:
        optimizer = self.model.optimizer
        return [] if optimizer is None else optimizer.averages(self.model.trainable_weights)

    def _started(self) -> bool:
        """Whether the averages are of something: the weights have changed."""
        return self.model.optimizer is not None and int(self.model.optimizer.iterations.numpy()) > 0

    def _set(self, averaged: bool) -> None:
        """Let the weights be the averages, or what they are in training; the other values lie in the averages then."""
        if averaged == self._swapped or averaged and not self._started():
            return
        pairs = self._pairs()
        weights, averages = [weight for weight, _ in pairs], [average for _, average in pairs]
        assign_all([*weights, *averages], [*values_of(averages), *values_of(weights)])
        self._swapped = averaged


class BaseLogger(Callback):
    """Puts the means of what batches log into the logs of the epoch, weighted by their sizes (Keras 2).

    Training does the same without it, and without fetching the values of each batch as this does.

    Args:
        stateful_metrics: names whose last value is taken instead of the mean.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[callbacks.BaseLogger()])
    >>> len(history.history["loss"])
    3
    """

    kept = ("seen", "totals")

    def __init__(self, stateful_metrics: Collection[str] | None = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0.0) + value * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is None:
            return
        for name in self.params.get("metrics", ()):
            if name in self.totals:
                kept = name in self.stateful_metrics
                logs[name] = self.totals[name] if kept else self.totals[name] / max(self.seen, 1)
