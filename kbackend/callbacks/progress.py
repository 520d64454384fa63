"""The progress of ``fit``."""

from __future__ import annotations

import time
from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.callbacks.progbar import live_bar, say, time_text, values_text
from kbackend.ground.arguments import checked


class ProgbarLogger(Callback):
    """verbose=1: a live bar in a terminal or notebook, a line an epoch elsewhere; verbose=2: a line an epoch.

    The bar shows the time left and the samples a second. Losses are fetched from the engine only when the bar is drawn,
    at most ten times a second.

    Args:
        verbose: as for ``fit``.
        interval: seconds between two pictures of the bar.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> history = model.fit(data, targets, epochs=2, verbose=0, callbacks=[callbacks.ProgbarLogger()])
    Epoch 1/2 ... loss: 2.8007
    Epoch 2/2 ... loss: 2.3705
    """

    in_all_processes = False

    @checked
    def __init__(self, verbose: int = 1, interval: float = 0.1) -> None:
        super().__init__()
        self.verbose = verbose
        self.interval = interval
        self._bar: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._kind = live_bar() if self.verbose == 1 else None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()
        self._next = self._started + self.interval
        self._steps = self._samples = 0
        self._title = f"Epoch {epoch + 1}/{self.params['epochs']}"
        if self._kind is not None:
            self._bar = self._kind(self._title, self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._steps = batch + 1
        self._samples += (logs or {}).get("size", 0)
        if self._bar is None:
            return
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + self.interval
            speed = f"{self._samples / (now - self._started):,.0f} samples/s"
            self._bar.update(self._steps, f"{speed}  {values_text(getattr(logs, 'so_far', logs or {}))}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.close()
        seconds = time.perf_counter() - self._started
        say(f"{self._title}  {time_text(self._steps, seconds, self._samples)}  {values_text(logs or {})}".rstrip())

    def close(self) -> None:
        """Take the bar away, at the end of an epoch and where an error ends the training."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
