"""Callbacks that write files from which a training goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kbackend.callbacks.base import Callback, destination
from kbackend.callbacks.monitor import Monitor
from kbackend.ground.arguments import checked

#: between two checkpoints of ``fit(..., resume=folder)``
_SECONDS = 60.0


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, after epochs or after numbers of batches.

    Args:
        filepath: the file. Its name may have fields for ``epoch`` and ``batch``, both from 1, and for what is in the
            logs: ``"{epoch:02d}-{val_loss:.2f}.kb"``.
        monitor: the name of the value that tells which model is best.
        verbose: 1 says what is saved.
        save_best_only: save only when the value is better than at each time before.
        save_weights_only: save with ``model.save_weights`` instead of ``model.save``.
        mode: 'min', 'max', or 'auto' (max for accuracies and the like, else min).
        save_freq: 'epoch', or the number of batches between two files.
        initial_value_threshold: with ``save_best_only``, a value that must be beaten.
        period: save only after so many epochs (Keras 2).

    Raises:
        ValueError: another ``save_freq`` or ``mode``.
        KeyError: a field of the name that is not in the logs.
        OSError: the file cannot be written.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> saving = callbacks.ModelCheckpoint(folder / "model-{epoch}.kb")
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[saving])
    >>> sorted(p.name for p in folder.iterdir())
    ['model-1.kb', 'model-2.kb', 'model-3.kb']
    """

    kept = ("best", "_batches", "_epochs")

    @checked
    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        period: int = 1,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath, self.verbose = os.fspath(filepath), verbose
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.save_freq, self.period = save_freq, period
        self.best = initial_value_threshold
        self._epoch = self._batches = self._epochs = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save({"batch": batch + 1}, getattr(logs, "so_far", logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epochs += 1
        if self.save_freq == "epoch" and self._epochs % self.period == 0:
            self._save({}, logs)

    def _save(self, fields: dict[str, int], logs: Any) -> None:
        if self.save_best_only:
            value = self._value(logs)
            if value is None or not self._is_better(value, self.best):
                return
            self.best = value
        path = self._path({**(logs or {}), "epoch": self._epoch + 1, **fields})
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(str(path))
        else:
            self.model.save(str(path))
        if self.verbose:
            what = "weights" if self.save_weights_only else "model"
            print(f"Epoch {self._epoch + 1}: {what} saved to {path}")

    def _path(self, fields: dict[str, Any]) -> Path:
        try:
            return destination(self.filepath.format(**fields))
        except KeyError as error:
            raise KeyError(f"{self.filepath}: {error} is not in the logs, which have {', '.join(fields)}") from None


class BackupAndRestore(Callback):
    """Makes checkpoints of the training, so that the same program started again after a failure goes on at the step of
    the last one.

    A training that begins with a checkpoint in its folder restores weights, the state of the optimizer, random streams
    and the order of the samples, the place in the epoch, the history and the states of the other callbacks. It equals
    one that was never interrupted, bit for bit on the same engine in deterministic mode. Checkpoints are written beside
    the steps, which wait only for a copy of the values; one that cannot be written gives a warning. While one is being
    written, the last one after it waits, and those between are left out. They are made after all callbacks were told.
    When ``fit`` comes to its end, the files are removed.

    ``fit(..., resume=folder)`` does this with a checkpoint each epoch and each minute, and keeps the last one.

    Args:
        backup_dir: a folder for the files, used by nothing else.
        save_freq: 'epoch', or the number of batches between two checkpoints.
        double_checkpoint: keep the checkpoint before the last one, which is taken where the last cannot be read.
        delete_checkpoint: whether the files are removed at the end; if not, the same program does not train again.
        seconds: the time in seconds after which another checkpoint is made, whatever ``save_freq`` is; None for no
            such time.

    Raises:
        ValueError: no ``backup_dir``, another ``save_freq``, or ``seconds`` that are not positive.
        FormatError: no checkpoint is of this model and training.
        OSError: the folder cannot be made or written.

    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from kbackend import Input, Model, callbacks, layers
    >>> x = Input((3,))
    >>> model = Model(x, layers.Dense(1)(x))
    >>> model.compile("sgd", "mse")
    >>> data, targets = np.ones((8, 3)), np.ones(8)
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "backup")
    >>> history = model.fit(data, targets, epochs=3, verbose=0, callbacks=[callbacks.BackupAndRestore(folder)])
    >>> folder.exists()  # removed after a training that ended well
    True
    """

    @checked
    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        seconds: float | None = None,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError("backup_dir must name a folder")
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self.seconds = seconds

    @classmethod
    def of(cls, resume: Any) -> BackupAndRestore:
        """The argument ``resume`` of ``fit``: a folder, or one of these.

        Raises:
            TypeError: something else.
        """
        if isinstance(resume, BackupAndRestore):
            return resume
        if not isinstance(resume, (str, os.PathLike)):
            raise TypeError(f"resume must be a folder or a callbacks.BackupAndRestore, it is {resume!r}")
        return cls(resume, delete_checkpoint=False, seconds=_SECONDS)


class OrbaxCheckpoint(Callback):
    """Orbax writes JAX arrays with JAX; kbackend has neither.

    Args:
        directory, monitor, verbose, save_best_only, mode, save_freq, initial_value_threshold: as in Keras 3,
            without effect.
        max_to_keep, save_on_background, save_weights_only: as in Keras 3, without effect.

    Raises:
        NotImplementedError: always; the message says what to use.
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        raise NotImplementedError(
            "Orbax checkpoints need JAX. ModelCheckpoint saves models, BackupAndRestore goes on after a failure, and "
            "model.save_checkpoint writes all state of a training"
        )
