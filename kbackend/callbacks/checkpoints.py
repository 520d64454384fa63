"""Callbacks that write files from which a training goes on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from kbackend.callbacks.base import Callback, destination
from kbackend.callbacks.monitor import Monitor
from kbackend.ground.arguments import checked


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
    """

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


_BACKUP = re.compile(r"backup-(\d+)-(\d+)\.safetensors")


class BackupAndRestore(Callback):
    """Backs up the training, so that the same program started again after a failure goes on where the backup was made.

    The first event of a training restores weights, the state of the optimizer, random streams and the order of the
    samples, and the number of the epoch: after backups of whole epochs, the training equals one that was never
    interrupted, bit for bit on the same engine. A backup within an epoch goes on with the first batch of that epoch.
    When ``fit`` comes to its end, the files are removed.

    Args:
        backup_dir: a folder for the files, used by nothing else.
        save_freq: 'epoch', or the number of batches between two backups.
        double_checkpoint: keep the backup before the last one, which is taken where the last cannot be read.
        delete_checkpoint: whether the files are removed at the end.

    Raises:
        ValueError: no ``backup_dir``, or another ``save_freq``.
        FormatError: no backup is of this model.
    """

    @checked
    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ValueError("backup_dir must name a folder")
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint

    def on_train_begin(self, logs: Any = None) -> None:
        self._batches = 0
        self._folder = destination(self.backup_dir)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._epoch = self.model.initial_epoch
        found = self._backups()
        for path in reversed(found):
            try:
                seen = self.model.load_checkpoint(path)
            except ValueError:
                if path == found[0]:
                    raise
                continue
            epoch, batch = self._place(path)
            if batch:  # the epoch begins again, in the same order of samples
                self.model.resume(seen - 1, self.model.shuffle_seed)
            self.model.initial_epoch = self._epoch = epoch
            return

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % self.save_freq == 0:
            self._back_up(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._back_up(epoch + 1, 0)

    def on_train_end(self, logs: Any = None) -> None:
        whole = self.model.stop_training or self._epoch >= self.params.get("epochs", 0)
        if self.delete_checkpoint and whole:
            for path in self._backups():
                path.unlink()

    def _back_up(self, epoch: int, batch: int) -> None:
        self.model.save_checkpoint(self._folder / f"backup-{epoch}-{batch}.safetensors")
        for path in self._backups()[: -2 if self.double_checkpoint else -1]:
            path.unlink()

    def _backups(self) -> list[Path]:
        """The files, the last one at the end."""
        return sorted((p for p in self._folder.iterdir() if _BACKUP.fullmatch(p.name)), key=self._place)

    @staticmethod
    def _place(path: Path) -> tuple[int, int]:
        epoch, batch = _BACKUP.fullmatch(path.name).groups()  # type: ignore[union-attr]
        return int(epoch), int(batch)


class OrbaxCheckpoint(Callback):
    """Orbax writes JAX arrays with JAX; kbackend has neither.

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
