"""The base class of callbacks, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kbackend.ground.public import Public

#: the folder that takes the files of callbacks while a training is only tried
_scratch: ContextVar[Path | None] = ContextVar("kbackend_scratch", default=None)


@contextmanager
def on_trial() -> Iterator[Path]:
    """A context in which callbacks write their files to a folder that is removed at its end, and send nothing."""
    with TemporaryDirectory(prefix="kbackend-trial-") as folder:
        token = _scratch.set(Path(folder))
        try:
            yield Path(folder)
        finally:
            _scratch.reset(token)


def is_trial() -> bool:
    """Whether the training is only tried, by ``fit(..., dry_run=True)``."""
    return _scratch.get() is not None


def destination(path: Any) -> Path:
    """Where a callback writes a file: the path itself, or its name in the folder of a trial."""
    scratch = _scratch.get()
    return Path(path) if scratch is None else scratch / Path(path).name


class Logs(MutableMapping[str, Any]):
    """Values that are fetched from the engine when they are first read. Callbacks may change and add entries.

    Args:
        names: the keys of the values.
        fetch: gives the values, in that order.
        known: entries that need no fetch; they come first.
        so_far: for the logs of a batch, gives those of all batches of the epoch up to now.

    >>> logs = Logs(["loss"], lambda: [0.5], {"batch": 3})
    >>> logs["batch"], logs.get("loss")
    (3, 0.5)
    >>> logs["rate"] = 0.1
    >>> dict(logs)
    {'batch': 3, 'loss': 0.5, 'rate': 0.1}
    """

    def __init__(
        self,
        names: Sequence[str],
        fetch: Callable[[], Sequence[Any]],
        known: dict[str, Any] | None = None,
        so_far: Callable[[], Logs] | None = None,
    ) -> None:
        self._so_far = so_far
        self._values: dict[str, Any] = {**(known or {}), **dict.fromkeys(names)}
        self._names = list(names)
        self._fetch: Callable[[], Sequence[Any]] | None = fetch
        self._unread = set(names)

    def read(self) -> None:
        """Fetch the values now."""
        if self._fetch is not None:
            fetch, self._fetch = self._fetch, None
            for name, value in zip(self._names, fetch()):
                if name in self._unread:
                    self._values[name] = value
            self._unread.clear()

    @property
    def so_far(self) -> Logs:
        """The means over the batches of the epoch up to now; these logs themselves where they are of no batch."""
        return self if self._so_far is None else self._so_far()

    def __getitem__(self, key: str) -> Any:
        if key in self._unread:
            self.read()
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value
        self._unread.discard(key)

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self._unread.discard(key)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        self.read()
        return repr(self._values)


class Callback(Public):
    """Override the methods of the events you want.

    Events of ``fit``: ``on_train_begin``, ``on_epoch_begin``, ``on_batch_begin`` (or ``on_train_batch_begin``),
    ``on_batch_end``, ``on_epoch_end``, ``on_train_end``. Events of ``evaluate``, and of the validation inside ``fit``:
    ``on_test_begin``, ``on_test_batch_begin``, ``on_test_batch_end``, ``on_test_end``. Events of ``predict``:
    ``on_predict_begin`` and so on.

    The logs of a batch have 'batch', its number in the epoch, and 'size', its samples. At its end they have the loss
    and the metrics of this batch alone ('outputs' in ``predict``), fetched from the engine when they are read; a metric
    that has a state gives its value since the epoch began. The logs of an epoch are means over its batches; what a
    callback adds to them, later callbacks and the history get as well.

    A callback that remembers something from epoch to epoch names the attributes in ``kept``, or overrides
    ``state_dict`` and ``load_state_dict``, so that a training that was interrupted goes on with it.

    Attributes:
        model: the model.
        params: 'epochs', 'steps', 'samples', 'verbose', 'metrics' (all names that the logs of an epoch may have),
            'engine', 'rng'.
        validation_data: in ``fit`` with validation, the list of its input, target and sample weight arrays.

    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> class Printer(callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, sorted(logs))
    >>> history = model.fit(data, targets, epochs=2, verbose=0, callbacks=[Printer()])
    0 ['loss']
    1 ['loss']
    """

    model: Any = None
    validation_data: list[Any] | None = None

    def __init__(self) -> None:
        self.model = None
        self.params: dict[str, Any] = {}

    def __repr__(self) -> str:
        own = {k: v for k, v in vars(self).items() if k not in ("model", "params") and k[0] != "_"}
        shown = [f" {k}={v!r}" for k, v in own.items() if v is None or isinstance(v, (bool, int, float, str))]
        return f"<{type(self).__name__}{''.join(shown)}>"

    #: whether it is told in each of several processes that train together, or in the first one only: it writes or shows
    in_all_processes = True
    #: whether it reads weights, which all processes must do where they are divided among them
    reads_weights = False
    #: names of the attributes that a training which goes on from a checkpoint needs
    kept: tuple[str, ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds of the callback: by text, numbers, texts, None, lists and dicts of these, arrays."""
        return {name: getattr(self, name) for name in self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what :meth:`state_dict` gave, after ``on_train_begin`` of a training that goes on from a checkpoint."""
        for name in self.kept:
            setattr(self, name, state[name])

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

    def on_predict_begin(self, logs: Any = None) -> None: ...

    def on_predict_end(self, logs: Any = None) -> None: ...

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None: ...

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None: ...
