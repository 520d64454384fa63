"""The list of callbacks that calls only what is overridden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.callbacks.history import History
from kbackend.callbacks.progress import ProgbarLogger

_EVENTS = (
    "train_begin",
    "train_end",
    "epoch_begin",
    "epoch_end",
    "train_batch_begin",
    "train_batch_end",
    "test_begin",
    "test_end",
    "test_batch_begin",
    "test_batch_end",
    "predict_begin",
    "predict_end",
    "predict_batch_begin",
    "predict_batch_end",
)


def checked_callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks of a call of ``fit``, none for None.

    Raises:
        TypeError: no list, or a member is not a Callback.
    """
    if callbacks is None:
        return []
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks must be a list of kbackend.callbacks.Callback objects, it is {callbacks!r}")
    return [_checked(callback) for callback in callbacks]


def _checked(callback: Any) -> Callback:
    if not isinstance(callback, Callback):
        made = f"; make one: {callback.__name__}(...)" if isinstance(callback, type) else ""
        raise TypeError(f"callbacks must be kbackend.callbacks.Callback objects, not {callback!r}{made}")
    return callback


class CallbackList:
    """Calls each event's listeners; an event that nobody overrides costs nothing.

    Args:
        callbacks: the callbacks, in the order in which they are called.
        add_history: whether a History is added where there is none.
        add_progbar: whether a ProgbarLogger is added where there is none.
        model: what they get as their model.
        params: what they get as their params.

    Raises:
        TypeError: a member is not a Callback.

    >>> from kbackend.callbacks import LambdaCallback
    >>> told = CallbackList([LambdaCallback(on_epoch_begin=lambda epoch, logs: print("epoch", epoch))])
    >>> told.on_epoch_begin(3)
    epoch 3
    """

    def __init__(
        self,
        callbacks: Sequence[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        chosen = checked_callbacks(callbacks)
        if add_progbar or add_history:
            wanted = {ProgbarLogger: add_progbar, History: add_history}
            chosen += [kind() for kind, add in wanted.items() if add and not any(isinstance(c, kind) for c in chosen)]
        self.callbacks: list[Callback] = []
        self._listeners: dict[str, list[Any]] = {event: [] for event in _EVENTS}
        for callback in chosen:
            self.append(callback)
        self.params: dict[str, Any] = {}
        self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback at the end.

        Raises:
            TypeError: it is not a Callback.
        """
        self.callbacks.append(_checked(callback))
        kind, own = type(callback), vars(callback)
        for event, names in _METHODS.items():
            for name in names:
                if name in own or getattr(kind, name) is not getattr(Callback, name):
                    self._listeners[event].append(getattr(callback, names[0]))
                    break

    def set_model(self, model: Any) -> None:
        """Give all callbacks their model."""
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Give all callbacks params of their own."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(dict(params))

    def has(self, event: str) -> bool:
        """Whether any callback listens to an event, such as 'train_batch_end'."""
        return bool(self._listeners[event])

    def heard(self, events: str, but: type[Callback]) -> bool:
        """Whether any listens to events whose names begin so, but for the methods of a class."""
        return bool(self.callbacks) and any(
            getattr(listener, "__func__", None) is not getattr(but, f"on_{event}")
            for event, listeners in self._listeners.items()
            if event.startswith(events)
            for listener in listeners
        )

    def call(self, event: str, *args: Any) -> None:
        """Tell the callbacks of an event."""
        for listener in self._listeners[event]:
            listener(*args)

    def __getattr__(self, name: str) -> Any:
        event = {"on_batch_begin": "train_batch_begin", "on_batch_end": "train_batch_end"}.get(name, name[3:])
        if not name.startswith("on_") or event not in _EVENTS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        count = 2 if "epoch" in event or "batch" in event else 1
        return lambda *args, logs=None: self.call(event, *args, *[logs][: count - len(args)])


#: the methods of each event, the one that is called first
_METHODS = {
    event: (f"on_{event}", *([f"on_{event.removeprefix('train_')}"] if event.startswith("train_batch") else []))
    for event in _EVENTS
}
