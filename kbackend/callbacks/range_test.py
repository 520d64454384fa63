"""Which learning rates a model takes: the loss while the rate grows from step to step.

Source: Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3. The loss is smoothed by
an exponential average that is divided by its mass; the suggestion is the middle of the eighth of the steps over which
its line of regression on the logarithm of the rate falls most steeply.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from kbackend.callbacks.base import Callback
from kbackend.callbacks.rates import rate_of, set_rate

#: how many times its least value the loss may become
_DIVERGED = 4.0
#: the part of the steps over which a slope is taken, and the least number of them
_WINDOW, _LEAST = 8, 5


@dataclass
class RateSearch:
    """What :meth:`kbackend.Model.find_lr` found. A notebook shows it as a curve.

    Attributes:
        rates: of the steps.
        losses: of the steps, smoothed.
        suggestion: the rate at which the loss falls most steeply; None where it falls nowhere.
    """

    rates: list[float]
    losses: list[float]

    @property
    def suggestion(self) -> float | None:
        width = max(len(self.rates) // _WINDOW, _LEAST)
        if len(self.rates) < width:
            return None
        windows = np.lib.stride_tricks.sliding_window_view
        x, y = windows(np.log(self.rates), width), windows(self.losses, width)
        x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
        slopes = (x * y).sum(1) / (x * x).sum(1)
        place = int(np.argmin(slopes))
        return self.rates[place + width // 2] if slopes[place] < 0 else None

    def plot(self, path: Any = None, dpi: float = 120) -> Any:
        """Draw the loss over the rate, as a figure of matplotlib; ``path`` names a file to write."""
        from kbackend.drawing.curves import rates_picture

        figure = rates_picture(self.rates, self.losses, self.suggestion)
        if path is not None:
            figure.write(path, dpi)
        return figure

    def _repr_svg_(self) -> str:
        return self.plot().svg()

    def __str__(self) -> str:
        found = "the loss falls nowhere" if self.suggestion is None else f"the loss falls most at {self.suggestion:.3g}"
        return f"{len(self.rates)} steps from {self.rates[0]:.3g} to {self.rates[-1]:.3g}: {found}"


class RangeTest(Callback):
    """Multiplies the learning rate by one factor at each step, and ends the training at the last rate or where the loss
    has grown too large.

    Args:
        least, most: the first and the last rate.
        steps: from the one to the other.
        smoothing: the weight of the past in the average of the loss.
    """

    def __init__(self, least: float, most: float, steps: int, smoothing: float) -> None:
        super().__init__()
        if not 0 < least < most:
            raise ValueError(f"the rates must be positive and rise, they are {least} and {most}")
        if steps < 2:
            raise ValueError(f"steps must be at least 2, they are {steps}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing must lie in [0, 1), it is {smoothing}")
        self.least, self.most, self.steps, self.smoothing = least, most, steps, smoothing
        self.found = RateSearch([], [])
        self._average = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        done = len(self.found.rates)
        set_rate(self.model.optimizer, self.least * (self.most / self.least) ** (done / (self.steps - 1)))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            self.model.stop_training = True
            return
        found = self.found
        self._average = self.smoothing * self._average + (1 - self.smoothing) * loss
        found.rates.append(rate_of(self.model.optimizer))
        found.losses.append(self._average / (1 - self.smoothing ** (len(found.rates))))
        if len(found.rates) >= self.steps or found.losses[-1] > _DIVERGED * abs(min(found.losses)) + 1e-12:
            self.model.stop_training = True
