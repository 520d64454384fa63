"""Logs of epochs written to a file and sent to a server."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback, destination, is_trial
from kbackend.ground.warn import warn_caller

_SECONDS = 10.0


class CSVLogger(Callback):
    """Writes a row for each epoch. Values that are missing in an epoch, as those between validations, are 'NA'.

    Args:
        filename: the file.
        separator: between values.
        append: whether rows are added to a file that is there; it is replaced else.

    The columns are 'epoch', and in order of their names those that the first epoch has and those of validation.

    Raises:
        OSError: the file cannot be written.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[callbacks.CSVLogger(path)])
    >>> path.read_text().splitlines()[0]
    'epoch,loss'
    """

    in_all_processes = False
    kept = ("keys", "_headed", "_size")

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        path = destination(self.filename)
        size = path.stat().st_size if self.append and path.exists() else 0
        self._size: int | None = size
        self._headed = size > 0
        self._file = open(path, "a", newline="", encoding="utf-8")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._cut()

    def _cut(self) -> None:
        """Remove rows that do not belong to this training, or that were written after the checkpoint from which it goes
        on."""
        if self._size is not None and self._file.tell() > self._size:
            self._file.truncate(self._size)
        self._size = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted({*logs, *(n for n in self.params.get("metrics", ()) if n.startswith("val_"))})
        writer = csv.writer(self._file, delimiter=self.sep, lineterminator="\n")
        if not self._headed:
            writer.writerow(["epoch", *self.keys])
            self._headed = True
        writer.writerow([epoch, *(_text(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_size": self._file.tell() if self._size is None else self._size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._cut()

    def on_train_end(self, logs: Any = None) -> None:
        self._cut()
        self._file.close()
        self._file = self.keys = None


def _text(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"[{', '.join(map(str, value))}]"
    return value


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST. A server that cannot be reached gives a warning.

    Args:
        root: the address of the server.
        path: added to the address.
        field: the name of the form's field with the JSON text, where ``send_as_json`` is False.
        headers: of the requests.
        send_as_json: whether the body is the JSON text itself.

    Raises:
        ValueError: an address that begins with neither http:// nor https://.

    >>> from kbackend import callbacks
    >>> callbacks.RemoteMonitor("http://localhost:9000", headers={"X-Run": "7"}).headers
    {'X-Run': '7'}
    """

    in_all_processes = False

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(f"root must be an address of http or https, it is {root!r}")
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = dict(headers or {}), send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if is_trial():
            return
        import urllib.parse  # with TLS and its certificates a tenth of a second, for this callback alone
        import urllib.request

        text = json.dumps({"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}})
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **self.headers}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")
        try:
            urllib.request.urlopen(request, timeout=_SECONDS).close()
        except OSError as error:
            warn_caller(f"RemoteMonitor cannot reach {self.root}: {error}", RuntimeWarning)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
