"""The progress bar of ``fit``."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.ground.arguments import checked


def _values(logs: Any) -> str:
    return "  ".join(f"{name}: {_text(value)}" for name, value in logs.items())


def _text(value: Any) -> str:
    if not isinstance(value, (int, float, np.integer, np.floating)):
        return str(value)
    return f"{value:.4g}" if abs(float(value)) < 1e-3 else f"{value:.4f}"


class ProgbarLogger(Callback):
    """verbose=1: a live bar where the output is a terminal, a line an epoch elsewhere; verbose=2: a line an epoch.

    Losses are fetched from the engine only when the bar is drawn, at most ten times a second.
    """

    @checked
    def __init__(self, verbose: int = 1, interval: float = 0.1) -> None:
        super().__init__()
        self.verbose = verbose
        self.interval = interval
        self._bar: Any = None
        self._next = 0.0
        self._seen = 0

    def on_train_begin(self, logs: Any = None) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)
        self._live = self.verbose == 1 and self._console.is_terminal

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()
        self._next = self._started + self.interval
        self._seen = 0
        self._title = f"Epoch {epoch + 1}/{self.params['epochs']}"
        if self._live:
            self._bar = self._new_bar()
            self._task = self._bar.add_task(self._title, total=self.params["steps"], values="")
            self._bar.start()

    def _new_bar(self) -> Any:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[values]}"),
        )
        return Progress(*columns, console=self._console, auto_refresh=False, transient=True)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._seen = batch + 1
        if not self._live:
            return
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + self.interval
            values = _values(getattr(logs, "so_far", logs or {}))
            self._bar.update(self._task, completed=batch + 1, values=values, refresh=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        seconds = time.perf_counter() - self._started
        steps = self.params["steps"] or self._seen  # an iterable may not know
        self._console.print(
            f"{self._title}  {steps} steps, {seconds:.2f} s ({1000 * seconds / max(steps, 1):.2f} ms/step)"
            f"  {_values(logs or {})}"
        )

    def on_train_end(self, logs: Any = None) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
