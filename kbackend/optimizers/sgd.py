"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.variable import Variable
from kbackend.ops.nn.optimizer_steps import momentum_step, sgd_step
from kbackend.optimizers.base import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's form: ``v = momentum * v - lr * g; p = p + v``.

    Args:
        learning_rate: the rate, which is inside the velocity.
        momentum: a number in [0, 1]; with the number 0 there are no velocities.
        nesterov: whether the weight moves by ``momentum * v - lr * g`` with the new velocity.
        others: as :class:`kbackend.optimizers.Optimizer`.

    >>> from kbackend import K, optimizers
    >>> w = K.variable(3.0)
    >>> step = K.function([], [], updates=optimizers.SGD(0.1).get_updates(K.square(w), [w]))
    >>> _ = step([])
    >>> round(float(K.get_value(w)), 4)
    2.4
    """

    hyperparameters = ("momentum",)
    settings = ("nesterov",)
    momentum: Variable

    def __init__(
        self, learning_rate: Any = 0.01, momentum: Any = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self._plain = not isinstance(momentum, Variable) and momentum == 0
        self.slots = () if self._plain else ("velocity",)
        self.hold("momentum", momentum)
        self.nesterov = bool(nesterov)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "momentum" and self.__dict__.get("_plain") and "momentum" in self.__dict__ and value:
            raise ValueError(
                "this SGD was made without momentum and keeps no velocities; make it with momentum=K.variable(0.) "
                "or another number than 0 to change it later"
            )
        super().__setattr__(name, value)

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        if self._plain:
            return sgd_step(values, gradients, self.rate())
        velocities = self.states(params)[1]
        return momentum_step(values, gradients, velocities, self.rate(), self.momentum, nesterov=self.nesterov)
