"""Adagrad and Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.nn.optimizer_steps import adadelta_step
from kbackend.optimizers.base import Optimizer


class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of its squares: ``p - lr * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: the rate.
        initial_accumulator_value: the first value of the sums.
        epsilon: added inside the root.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Raises:
        ValueError: a negative ``initial_accumulator_value``.

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods", 2011.

    >>> from kbackend import optimizers
    >>> optimizers.Adagrad().initial_accumulator_value
    0.1
    """

    hyperparameters = ("epsilon",)
    settings = ("initial_accumulator_value",)
    epsilon: Variable

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: Any = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        if initial_accumulator_value < 0:
            raise ValueError(f"initial_accumulator_value must not be negative, it is {initial_accumulator_value!r}")
        self.initial_accumulator_value = initial_accumulator_value
        self.hold("epsilon", 1e-7 if epsilon is None else epsilon)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [list(params), [self.slot("accumulator", p, self.initial_accumulator_value) for p in params]]

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        rate, (epsilon,) = as_dtype(self.rate(), K.dtype(value)), self.scalars(value, "epsilon")
        total = states[0] + K.square(gradient)
        return [value - rate * gradient / K.sqrt(total + epsilon), total]


class Adadelta(Optimizer):
    """Changes in units of the weights: ``u = g * sqrt(d + epsilon) / sqrt(a + epsilon)`` and ``p - lr * u``, where a
    and d are running means of ``g**2`` and ``u**2``.

    Args:
        learning_rate: the rate; 1 in the paper.
        rho: of the running means.
        epsilon: added inside the roots.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.Adadelta().rho), 4)
    0.95
    """

    hyperparameters = ("rho", "epsilon")
    slots = ("mean_square", "mean_change")
    rho: Variable
    epsilon: Variable

    def __init__(
        self, learning_rate: Any = 0.001, rho: Any = 0.95, epsilon: Any = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.hold("rho", rho)
        self.hold("epsilon", 1e-7 if epsilon is None else epsilon)

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        _, averages, changes = self.states(params)
        return adadelta_step(values, gradients, averages, changes, self.rate(), self.rho, self.epsilon)
