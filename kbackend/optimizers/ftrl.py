"""FTRL: follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.base import Optimizer


class Ftrl(Optimizer):
    """Follow the regularized leader, for sparse linear models.

    Args:
        learning_rate: the rate.
        learning_rate_power: how the rate falls with the sum of squares; at most 0.
        initial_accumulator_value: the first value of the sums of squares; not negative.
        l1_regularization_strength, l2_regularization_strength: penalties, not negative.
        l2_shrinkage_regularization_strength: a penalty on the size of the weights, added to the gradient; not negative.
        beta: added to the root of the sums.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Raises:
        ValueError: a number out of its range.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013.

    >>> from kbackend import optimizers
    >>> float(optimizers.Ftrl().learning_rate_power)
    -0.5
    """

    hyperparameters = (
        "learning_rate_power",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )
    settings = ("initial_accumulator_value",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: Any = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: Any = 0.0,
        l2_regularization_strength: Any = 0.0,
        l2_shrinkage_regularization_strength: Any = 0.0,
        beta: Any = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        strengths = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for label, value in strengths.items():
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError(f"{label} must not be negative, it is {value!r}")
        if isinstance(learning_rate_power, (int, float)) and learning_rate_power > 0:
            raise ValueError(f"learning_rate_power must be at most 0, it is {learning_rate_power!r}")
        self.initial_accumulator_value = strengths.pop("initial_accumulator_value")
        for label, value in {**strengths, "learning_rate_power": learning_rate_power, "beta": beta}.items():
            self.hold(label, value)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        sums = [self.slot("accumulator", p, self.initial_accumulator_value) for p in params]
        return [list(params), sums, [self.slot("linear", p) for p in params]]

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        total, linear = states
        rate = as_dtype(self.rate(), K.dtype(value))
        power, l1, l2, shrinkage, beta = self.scalars(value, *self.hyperparameters)
        new = total + K.square(gradient)
        root, old_root = new ** (-power), total ** (-power)
        linear = linear + gradient + 2.0 * shrinkage * value - (root - old_root) / rate * value
        quadratic = root / rate + 2.0 * (l2 + beta / (2.0 * rate))
        return [(K.clip(linear, -l1, l1) - linear) / quadratic, new, linear]
