"""Small callbacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

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
        schedule: a function of the epoch (from 0), or of the epoch and the rate, that gives the new rate.
        verbose: 1 prints it.

    The logs of each epoch, and so the history, get the rate as 'lr'.
    """

    @checked
    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes(schedule, 2)

    def _rate(self) -> float:
        return float(np.asarray(self.model.optimizer.lr.numpy()))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = float(self.schedule(epoch, self._rate()) if self._takes_rate else self.schedule(epoch))
        self.model.optimizer.lr = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["lr"] = self._rate()


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many positional arguments; True where that is unknown."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a function written in C, without a signature
        return True
    return True
