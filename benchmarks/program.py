"""What every peer offers to the worker."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Program(Protocol):
    """One network, built and ready, with its data and batch size."""

    def train(self, epochs: int, rows: int | None = None) -> list[float]:
        """Train whole epochs, shuffled anew each; return the loss of each step, read when the step ended.

        An epoch is all samples or the first `rows`, a multiple of the batch size.
        """

    def predict(self, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        """Outputs for a batch, from NumPy to NumPy."""

    def parameter_count(self) -> int:
        """Numbers that training changes."""
