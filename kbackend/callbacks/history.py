"""What ``fit`` returns."""

from __future__ import annotations

from typing import Any

from kbackend.callbacks.base import Callback


class History(Callback):
    """Records the values of each epoch.

    Attributes:
        epoch: numbers of the epochs.
        history: name -> list of values.
        engine: the engine and device that ran the training.
        rng: whose random numbers the training drew: "portable", or "native" for the engine's own generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self.engine: str | None = None
        self.rng: str | None = None

    def __repr__(self) -> str:
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history) or 'nothing yet'}>"

    def on_train_begin(self, logs: Any = None) -> None:
        self.engine = self.params.get("engine")
        self.rng = self.params.get("rng")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
