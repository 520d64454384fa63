"""The base class, and the list that calls only what is overridden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

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
)


class Logs(Mapping[str, float]):
    """Values of a step that are fetched from the engine when somebody looks.

    Args:
        names: the keys.
        fetch: gives the values, in that order, when first needed.
    """

    def __init__(self, names: Sequence[str], fetch: Callable[[], Sequence[float]]) -> None:
        self._names = names
        self._fetch = fetch
        self._values: dict[str, float] | None = None

    def _read(self) -> dict[str, float]:
        if self._values is None:
            self._values = dict(zip(self._names, self._fetch()))
        return self._values

    def __getitem__(self, key: str) -> float:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(self._read())


class Callback:
    """Override the methods of the events you want.

    Attributes:
        model: the model in training.
        params: 'epochs', 'steps', 'samples', 'verbose', 'metrics', 'engine', 'rng'.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def __repr__(self) -> str:
        own = {k: v for k, v in vars(self).items() if k not in ("model", "params") and k[0] != "_"}
        shown = [f" {k}={v!r}" for k, v in own.items() if v is None or isinstance(v, (bool, int, float, str))]
        return f"<{type(self).__name__}{''.join(shown)}>"

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None: ...

    def on_train_end(self, logs: Any = None) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...

    def on_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None: ...

    def on_test_end(self, logs: Any = None) -> None: ...

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...


def checked_callbacks(callbacks: Any) -> list[Callback]:
    """The callbacks of a call of ``fit``, none for None.

    Raises:
        TypeError: no list, or a member is not a Callback.
    """
    if callbacks is None:
        return []
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks must be a list of kbackend.callbacks.Callback objects, it is {callbacks!r}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            made = f"; make one: {callback.__name__}(...)" if isinstance(callback, type) else ""
            raise TypeError(f"callbacks must be kbackend.callbacks.Callback objects, not {callback!r}{made}")
    return list(callbacks)


class CallbackList:
    """Calls each event's listeners; an event that nobody overrides costs nothing."""

    def __init__(self, callbacks: Sequence[Callback], model: Any, params: dict[str, Any]) -> None:
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._listeners = {
            event: [getattr(c, f"on_{event}") for c in callbacks if _listens(c, event)] for event in _EVENTS
        }

    def has(self, event: str) -> bool:
        return bool(self._listeners[event])

    def call(self, event: str, *args: Any) -> None:
        for listener in self._listeners[event]:
            listener(*args)


def _listens(callback: Callback, event: str) -> bool:
    names = [f"on_{event}"]
    if event.startswith("train_batch"):
        names.append(f"on_{event.removeprefix('train_')}")
    return any(getattr(type(callback), n) is not getattr(Callback, n) or n in vars(callback) for n in names)
