"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.ground.arguments import unknown_keywords


class LambdaCallback(Callback):
    """Calls functions at events.

    Args:
        on_epoch_begin, on_epoch_end: functions of the epoch and the logs.
        on_train_begin, on_train_end: functions of the logs.
        on_train_batch_begin, on_train_batch_end: functions of the batch and the logs.
        kwargs: functions for other events, such as ``on_test_begin`` and ``on_batch_end``.

    Raises:
        TypeError: an event that there is not.

    >>> from kbackend.callbacks import LambdaCallback
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {"loss": 0.5})
    0 {'loss': 0.5}
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any] | None,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                events = [event for event in dir(Callback) if event.startswith("on_")]
                raise unknown_keywords("LambdaCallback", [name], events)
            if function is not None and not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function, it is {function!r}")
            if function is not None:
                setattr(self, name, function)
