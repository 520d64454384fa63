"""Checkpoints within ``fit``, and a training that goes on from the last one."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kbackend.callbacks.base import Callback, destination
from kbackend.callbacks.checkpoints import BackupAndRestore
from kbackend.callbacks.listeners import CallbackList
from kbackend.distribution.team import Team
from kbackend.ground.background import Background
from kbackend.ground.files import remove_abandoned, write_atomically
from kbackend.ground.warn import warn_caller
from kbackend.saving.errors import FormatError, reading
from kbackend.training.means import Means
from kbackend.training.sources.base import Source
from kbackend.training.steps import Step

if TYPE_CHECKING:
    from kbackend.saving.checkpoint import Restored

_NAME = re.compile(r"backup-(\d+)-(\d+)\.safetensors")
#: what a place has, and the types of it
_PLACE: dict[str, type] = {
    "epoch": int, "batches": int, "first_epoch": int, "ended": bool, "means": dict, "callbacks": list, "data": list,
}  # fmt: skip


class Start(NamedTuple):
    """Where a training begins.

    Attributes:
        epoch: the number of its first epoch.
        batches: how many batches of that epoch were trained already.
        ended: whether the training was at its end.
    """

    epoch: int
    batches: int = 0
    ended: bool = False


class Backups:
    """The checkpoints of one call of ``fit``.

    Args:
        settings: where and when they are made.
        model, step, batches: of the training.
        first_epoch: the epoch at which the call begins without a checkpoint.
        team: the processes that train together; the first makes checkpoints, and all read them.
    """

    def __init__(
        self, settings: BackupAndRestore, model: Any, step: Step, batches: Source, first_epoch: int, team: Team | None
    ) -> None:
        writes = self._writes = team is None or team.writes
        self._team = team if team is not None and team.pieces is not None else None  # which reads weights together
        self._settings, self._model, self._first = settings, model, first_epoch
        self._goes_on = batches.goes_on
        self._data = [batches.steps, batches.samples, batches.batch_size]
        from kbackend.saving.checkpoint import State  # late: few trainings make checkpoints

        self._state = State(model, [step.function.graph])
        self._folder = destination(settings.backup_dir)
        self._folder.mkdir(parents=True, exist_ok=True)
        if writes and not os.access(self._folder, os.W_OK | os.X_OK):
            raise PermissionError(f"checkpoints cannot be written to the folder {str(self._folder)!r}")
        if writes:
            remove_abandoned(self._folder, "backup-*.safetensors")
        self._found: Restored | None = None
        self._background = Background()
        self._batches, self._last = 0, time.monotonic()
        self._listeners = CallbackList()

    # going on -----------------------------------------------------------------------------------------------

    def start(self) -> Start:
        """Bring the model to the last checkpoint that can be read; where the training begins then.

        Raises:
            FormatError: there are checkpoints, and none is of this model and training.
        """
        files = self._files()
        for path in reversed(files):
            try:
                found = self._state.read(path)
                place = _checked(found.place)
                self._check_data(place)
            except FormatError as error:
                if path == files[0]:
                    raise error.inside(os.fspath(path)) from error.__cause__
                continue
            self._found = found
            self._state.assign(found.values)
            passed = place["epoch"] - self._first if self._goes_on else 0  # whose orders are drawn once more
            self._model.resume(max(found.epochs - passed, 0), found.shuffle_seed)
            return Start(place["epoch"], place["batches"], place["ended"])
        return Start(self._first)

    def _check_data(self, place: Any) -> None:
        if place["batches"] and place["data"] != self._data:
            raise FormatError(
                "the checkpoint was made within an epoch of other data: [batches, samples, samples of a batch] were "
                f"{place['data']}, they are {self._data}"
            )
        if place["first_epoch"] != self._first or place["epoch"] < self._first:
            raise FormatError(
                f"the checkpoint is of a training that began with epoch {place['first_epoch']}, this one begins with "
                f"{self._first}"
            )

    def tell(self, listeners: CallbackList) -> None:
        """Give the callbacks the states that they had."""
        self._listeners = listeners
        if self._found is not None:
            self._load_callbacks(self._found)

    def _load_callbacks(self, found: Restored) -> None:
        with reading("callbacks"):
            _load(self._listeners.callbacks, found.place["callbacks"])

    def enter(self, means: Means) -> None:
        """Undo what the begin of an epoch changed that had begun before the checkpoint, and give the means what they
        had."""
        found, self._found = self._found, None
        if found is None or not found.place["batches"]:
            return
        self._state.assign(found.values)
        self._load_callbacks(found)
        with reading("means"):
            means.load_state_dict(found.place["means"])

    # checkpoints --------------------------------------------------------------------------------------------

    def after_batch(self, epoch: int, batches: int, means: Means) -> None:
        """Make a checkpoint where it is its turn."""
        if not self._writes and self._team is None:
            return
        self._batches += 1
        settings = self._settings
        due = settings.save_freq != "epoch" and self._batches % settings.save_freq == 0
        if due or self._late():
            self._write(epoch, batches, self._model.epochs_seen - 1, means.state_dict(), False)

    def _late(self) -> bool:
        """Whether the last checkpoint is too old, in the first process."""
        if self._settings.seconds is None:
            return False
        late = self._writes and time.monotonic() - self._last >= self._settings.seconds
        return late if self._team is None else self._team.any(late)

    def after_epoch(self, epoch: int, ended: bool) -> None:
        """Make a checkpoint where it is its turn, or the training is at its end and files are kept."""
        if not self._writes and self._team is None:
            return
        if self._settings.save_freq == "epoch" or ended and not self._settings.delete_checkpoint:
            self._write(epoch + 1, 0, self._model.epochs_seen, {}, ended)

    def _write(self, epoch: int, batches: int, epochs: int, means: dict[str, Any], ended: bool) -> None:
        place = {
            "epoch": epoch, "batches": batches, "first_epoch": self._first, "ended": ended, "means": means,
            "callbacks": _states(self._listeners.callbacks), "data": self._data,
        }  # fmt: skip
        if not self._writes:
            self._state.read_along()
            return
        snapshot = self._state.snapshot(epochs, place)
        path = self._folder / f"backup-{epoch}-{batches}.safetensors"

        def write() -> None:
            write_atomically(path, snapshot.content())
            for old in self._files(before=path)[: -1 if self._settings.double_checkpoint else None]:
                old.unlink(missing_ok=True)

        self._background.put(write)
        self._last = time.monotonic()
        self._report()

    def _report(self) -> None:
        """A checkpoint that could not be written is no end of the training: the one before it is there."""
        error = self._background.error()
        if isinstance(error, OSError):
            warn_caller(f"a checkpoint could not be written, training goes on: {error}", RuntimeWarning)
        elif error is not None:
            raise error

    def close(self, whole: bool) -> None:
        """Wait for the last checkpoint.

        Args:
            whole: whether the training came to its end, after which files that are not to be kept are removed.
        """
        self._background.wait()
        self._report()
        if whole and self._writes and self._settings.delete_checkpoint:
            for path in self._files():
                path.unlink(missing_ok=True)

    def _files(self, before: Path | None = None) -> list[Path]:
        """The checkpoints, the last one at the end; those before a file."""
        found = sorted((p for p in self._folder.iterdir() if _NAME.fullmatch(p.name)), key=_number)
        return found if before is None else [p for p in found if _number(p) < _number(before)]


def _number(path: Path) -> tuple[int, ...]:
    match = _NAME.fullmatch(path.name)
    return tuple(map(int, match.groups())) if match else ()


def _checked(place: Any) -> dict[str, Any]:
    if not isinstance(place, dict):
        raise FormatError("the checkpoint was not made within a training: load it with model.load_checkpoint")
    for key, kind in _PLACE.items():
        if type(place.get(key)) is not kind or kind is int and not 0 <= place[key] < 1 << 40:
            raise FormatError(f"the checkpoint's place has no right {key!r}")
    return place


def _states(callbacks: Sequence[Callback]) -> list[list[Any]]:
    return [[type(c).__name__, state] for c in callbacks if (state := c.state_dict())]


def _load(callbacks: Sequence[Callback], saved: Sequence[Any]) -> None:
    """Give each callback the state of the first one of its class that none has taken; callbacks may be added and left
    out."""
    left = list(saved)
    for callback in callbacks:
        names = list(map(itemgetter(0), left))
        if type(callback).__name__ in names:
            callback.load_state_dict(left.pop(names.index(type(callback).__name__))[1])
