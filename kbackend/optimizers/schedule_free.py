"""Schedule-free Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.optimizers.adam import Moments


class ScheduleFreeAdamW(Moments):
    """Adam that needs no schedule: gradients are taken between a fast iterate z and the mean x of all of these.

    Args:
        learning_rate: the rate.
        beta_1: the place of the weights between z and x: ``(1 - beta_1) * z + beta_1 * x``; above 0.
        beta_2: of the running mean of squares.
        epsilon: added to the root.
        warmup_steps: the number of steps in which the rate rises linearly.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Raises:
        ValueError: ``beta_1`` is 0.

    Source: Defazio et al., "The Road Less Scheduled", 2024.

    >>> from kbackend import optimizers
    >>> optimizers.ScheduleFreeAdamW(warmup_steps=10).warmup_steps
    10
    """

    settings = ("warmup_steps",)

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        warmup_steps: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        if isinstance(beta_1, (int, float)) and beta_1 == 0:
            raise ValueError("beta_1 must lie in (0, 1) in ScheduleFreeAdamW, it is 0")
        self.warmup_steps = warmup_steps

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        fast = [self.slot("fast", p, initial=p.numpy) for p in params]
        return [list(params), fast, [self.slot("v", p) for p in params]]

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        fast, square = states
        rate, b1, b2, t = self.numbers(value)
        (epsilon,) = self.scalars(value, "epsilon")
        if self.warmup_steps:
            rate = rate * K.minimum(t / self.warmup_steps, 1.0)
        square = b2 * square + (1.0 - b2) * K.square(gradient)
        new = fast - rate * gradient / (K.sqrt(square / (1.0 - b2**t)) + epsilon)
        mean = (value - (1.0 - b1) * fast) / b1
        mean = (1.0 - 1.0 / t) * mean + new / t
        return [(1.0 - b1) * new + b1 * mean, new, square]
