"""Lion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.optimizers.adam import Moments


class Lion(Moments):
    """Change each weight by the rate in the direction of a running mean: ``p - lr * sign(beta_1 * m + (1 - beta_1) *
    g)`` and ``m = beta_2 * m + (1 - beta_2) * g``.

    Args:
        learning_rate: the rate.
        beta_1, beta_2: of the running mean, in the step and in what is kept.
        epsilon: accepted for the signature of :class:`Adam`, without effect.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.Lion().beta_2), 4)
    0.99
    """

    hyperparameters = ("beta_1", "beta_2")
    slots = ("momentum",)

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: Any = 0.9, beta_2: Any = 0.99, **options: Any
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, **options)

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        (mean,) = states
        rate, b1, b2, _ = self.numbers(value)
        change = rate * K.sign(b1 * mean + (1.0 - b1) * gradient)
        return [value - change, b2 * mean + (1.0 - b2) * gradient]
