"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.nn.optimizer_steps import rmsprop_step
from kbackend.optimizers.base import Optimizer


class RMSprop(Optimizer):
    """Divide the gradient by a running root of its mean square: ``p - lr * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: the rate.
        rho: of the running averages.
        momentum: of the changes; none with the number 0.
        epsilon: added inside the root.
        centered: whether the square of the running mean gradient is subtracted from the mean square.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Tieleman and Hinton, "Lecture 6.5-rmsprop", 2012; Graves, "Generating Sequences With Recurrent Neural
    Networks", 2013 (centered).

    >>> from kbackend import optimizers
    >>> float(optimizers.RMSprop(rho=0.5).rho)
    0.5
    """

    hyperparameters = ("rho", "momentum", "epsilon")
    settings = ("centered",)
    rho: Variable
    momentum: Variable
    epsilon: Variable

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-7,
        centered: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.hold("rho", rho)
        self.hold("epsilon", 1e-7 if epsilon is None else epsilon)
        self.centered = bool(centered)
        self._moves = isinstance(momentum, Variable) or momentum != 0
        self.hold("momentum", momentum)
        means = ("mean_gradient",) if self.centered else ()
        self.slots = ("mean_square", *means, *(("velocity",) if self._moves else ()))

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        if len(self.slots) > 1:
            return super().step(params, values, gradients)
        return rmsprop_step(values, gradients, self.states(params)[1], self.rate(), self.rho, self.epsilon)

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        rho, keep, epsilon = self.scalars(value, "rho", "momentum", "epsilon")
        old, found = dict(zip(self.slots, states)), {}
        variance = found["mean_square"] = rho * old["mean_square"] + (1.0 - rho) * K.square(gradient)
        if self.centered:
            found["mean_gradient"] = rho * old["mean_gradient"] + (1.0 - rho) * gradient
            variance = variance - K.square(found["mean_gradient"])
        change = as_dtype(self.rate(), K.dtype(value)) * gradient / K.sqrt(variance + epsilon)
        if self._moves:
            change = found["velocity"] = keep * old["velocity"] + change
        return [value - change, *(found[name] for name in self.slots)]
