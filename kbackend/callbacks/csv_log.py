"""The logs of epochs as a file of comma-separated values."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback, destination


class CSVLogger(Callback):
    """Writes a row for each epoch. Values that are missing in an epoch, as those between validations, are 'NA'.

    Args:
        filename: the file.
        separator: between values.
        append: whether rows are added to a file that is there; it is replaced else.

    The columns are 'epoch', and in order of their names those that the first epoch has and those of validation.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        path = destination(self.filename)
        self._headed = self.append and path.exists() and path.stat().st_size > 0
        self._file = open(path, "a" if self.append else "w", newline="", encoding="utf-8")

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

    def on_train_end(self, logs: Any = None) -> None:
        self._file.close()
        self._file = self.keys = None


def _text(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"[{', '.join(map(str, value))}]"
    return value
