"""Steps of optimizers as in Keras 2.3: epsilon outside of roots, and gradients clipped by their common norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.base import Optimizer
from kbackend.optimizers.state import number_of

#: the method of kbackend that computes one weight after the other
step = Optimizer.step


def rmsprop(self: Any, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
    """RMSprop with epsilon added to the root, for one weight; states and results as of ``RMSprop.changed``."""
    rho, keep, epsilon = self.scalars(value, "rho", "momentum", "epsilon")
    old, found = dict(zip(self.slots, states)), {}
    variance = found["mean_square"] = rho * old["mean_square"] + (1.0 - rho) * K.square(gradient)
    if self.centered:
        found["mean_gradient"] = rho * old["mean_gradient"] + (1.0 - rho) * gradient
        variance = variance - K.square(found["mean_gradient"])
    change = as_dtype(self.rate(), K.dtype(value)) * gradient / (K.sqrt(variance) + epsilon)
    if "velocity" in old:
        change = found["velocity"] = keep * old["velocity"] + change
    return [value - change, *(found[name] for name in self.slots)]


def adagrad(self: Any, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
    """Adagrad with epsilon added to the root, for one weight; states and results as of ``Adagrad.changed``."""
    rate, (epsilon,) = as_dtype(self.rate(), K.dtype(value)), self.scalars(value, "epsilon")
    total = states[0] + K.square(gradient)
    return [value - rate * gradient / (K.sqrt(total) + epsilon), total]


def by_common_norm(clipped: Any) -> Any:
    """A method ``_clipped`` in which ``clipnorm`` limits the norm of all gradients together."""

    def call(self: Any, gradients: Sequence[Any]) -> list[Any]:
        if self.clipnorm is None:
            return clipped(self, gradients)
        limit, own = self.clipnorm, self.global_clipnorm
        try:
            self.__dict__.update(clipnorm=None, global_clipnorm=limit)
            return clipped(self, gradients)
        finally:
            self.__dict__.update(clipnorm=limit, global_clipnorm=own)

    return call


def common_config(method: Any) -> Any:
    """``get_config``, which for a class that derives from Optimizer alone has what every optimizer of Keras 2 has."""

    def call(self: Any) -> dict[str, Any]:
        kinds = type(self).__mro__[: type(self).__mro__.index(Optimizer)]
        if any(kind.__module__.startswith("kbackend.") for kind in kinds):
            return method(self)
        given = {name: getattr(self, name) for name in ("clipnorm", "clipvalue")}
        return {name: number_of(value) for name, value in given.items() if value is not None}

    return call


__all__ = ["adagrad", "by_common_norm", "common_config", "rmsprop", "step"]
