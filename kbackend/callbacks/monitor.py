"""What callbacks that watch one value have in common."""

from __future__ import annotations

from typing import Any

from kbackend.callbacks.base import Callback
from kbackend.ground.warn import warn_caller

#: parts of names of metrics that are better when they are larger
_LARGER = (
    "acc", "auc", "precision", "recall", "sensitivity", "specificity", "iou", "f1", "fbeta", "fmeasure", "r2_score",
)  # fmt: skip


class Monitor(Callback):
    """The base of callbacks that act when a value gets better, or no longer does.

    Args:
        monitor: the name of the value in the logs of an epoch.
        mode: 'min', 'max', or 'auto': max for accuracies and other metrics that are better when they are larger.
        min_delta: a smaller change is no improvement.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self._warned = False

    @property
    def _larger(self) -> bool:
        """Whether larger values are better."""
        name = self.monitor.lower()
        guessed = not name.endswith("loss") and any(part in name for part in _LARGER)
        return guessed if self.mode == "auto" else self.mode == "max"

    def _is_better(self, value: float, best: float | None) -> bool:
        if best is None:
            return True
        return value - self.min_delta > best if self._larger else value + self.min_delta < best

    def _value(self, logs: Any) -> Any:
        """The value, None in an epoch without it; warns once where it can never come."""
        value = (logs or {}).get(self.monitor)
        if value is None and self.monitor not in self.params.get("metrics", ()) and not self._warned:
            self._warned = True
            warn_caller(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not among {', '.join(logs or {})}; it does "
                "nothing",
                RuntimeWarning,
            )
        return value
