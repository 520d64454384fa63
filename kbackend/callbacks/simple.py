"""Small callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.ground.arguments import checked, unknown_keywords


class LambdaCallback(Callback):
    """Calls functions at events: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``."""

    def __init__(self, **functions: Callable[..., None]) -> None:
        super().__init__()
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                events = [event for event in dir(Callback) if event.startswith("on_")]
                raise unknown_keywords("LambdaCallback", [name], events)
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function, it is {function!r}")
            setattr(self, name, function)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch; nothing is compiled again.

    Args:
        schedule: a function of the epoch (from 0) and the rate that gives the new rate.
        verbose: 1 prints it.
    """

    @checked
    def __init__(self, schedule: Callable[[int, float], float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = float(self.schedule(epoch, float(self.model.optimizer.learning_rate.numpy())))
        self.model.optimizer.learning_rate.assign(rate)
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}")
