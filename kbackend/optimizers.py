"""Optimizers: they turn gradients into updates, as part of the graph. Hyperparameters are variables and so live.

>>> from kbackend import K, optimizers
>>> w = K.variable(3.0)
>>> step = K.function([], [K.square(w)], updates=optimizers.SGD(0.1).get_updates(K.square(w), [w]))
>>> _ = step([])
>>> round(float(K.get_value(w)), 4)
2.4
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import dtypes, registry
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.arguments import HYPERPARAMETERS, check, keywords_of, unknown_keywords
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.core.cast import cast
from kbackend.ops.core.gradients import gradients as gradients_op
from kbackend.ops.elementwise.arithmetic import add, divide, multiply
from kbackend.ops.elementwise.power import sqrt, square
from kbackend.ops.elementwise.select import clip, maximum
from kbackend.ops.nn.optimizer_steps import adadelta_step, adam_step, momentum_step, rmsprop_step, sgd_step
from kbackend.ops.reduction.reductions import sum_

Update = tuple[Variable, Any]


class Optimizer:
    """Base class.

    Args:
        learning_rate: a number, or a variable shared with others.
        clipnorm: each gradient is scaled so that its L2 norm does not exceed this.
        clipvalue: gradients are clipped to [-clipvalue, clipvalue].
        global_clipnorm: all gradients are scaled together so that their common norm does not exceed this.
        decay: the rate is divided by ``1 + decay * iterations``.
    """

    #: constructor arguments held as variables, by attribute name
    hyperparameters: tuple[str, ...] = ()
    learning_rate: Variable

    def __init__(
        self,
        learning_rate: Any = 0.01,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        decay: float = 0.0,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise unknown_keywords(type(self).__name__, unknown, keywords_of(type(self)))
        for label, value in (
            ("clipnorm", clipnorm),
            ("clipvalue", clipvalue),
            ("global_clipnorm", global_clipnorm),
        ):
            if value is not None:
                check(type(self).__name__, label, value, HYPERPARAMETERS)
        self.name = name or type(self).__name__
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        check(type(self).__name__, "decay", decay, HYPERPARAMETERS)
        self._initial_decay = float(decay)
        self.iterations = Variable(
            np.zeros((), np.int64), (), "int64", "iterations", trainable=False, host=True
        )
        self.hold("learning_rate", learning_rate)
        self._slots: dict[str, dict[int, Variable]] = {}
        self._order: list[Variable] = []

    # hyperparameters ---------------------------------------------------------------------------------------

    def hold(self, name: str, value: Any) -> None:
        """Keep a hyperparameter as a variable, so that changing it makes nothing again."""
        if not isinstance(value, Variable):
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
                raise TypeError(f"{self.name}: {name} must be a number or a variable, it is {value!r}")
            check(type(self).__name__, name, value, HYPERPARAMETERS)
            value = Variable(np.asarray(value, np.float32), (), "float32", name, trainable=False, host=True)
        self.__dict__[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        name = {"lr": "learning_rate"}.get(name, name)
        held = self.__dict__.get(name)
        if isinstance(held, Variable) and not isinstance(value, Variable):
            number = value.item() if hasattr(value, "item") else value
            check(type(self).__name__, name, number, HYPERPARAMETERS)
            held.assign(value)
        else:
            object.__setattr__(self, name, value)

    @property
    def lr(self) -> Variable:
        """The learning rate; ``optimizer.lr = 0.01`` and ``K.set_value(optimizer.lr, 0.01)`` change it."""
        return self.learning_rate

    def rate(self) -> Any:
        """The rate of this step as a tensor."""
        if not self._initial_decay:
            return self.learning_rate
        steps = cast(self.iterations, "float32")
        return divide(
            self.learning_rate, add(1.0, multiply(self._initial_decay, steps))
        )

    # state -------------------------------------------------------------------------------------------------

    def slot(self, name: str, param: Variable) -> Variable:
        """The state variable of a weight, zeros at first."""
        slots = self._slots.setdefault(name, {})
        if param.uid not in slots:
            zeros = np.zeros([d or 0 for d in param.shape], dtypes.numpy_dtype(param.dtype))
            made = Variable(
                zeros, param.shape, param.dtype, f"{self.name}/{name}/{param.name}", trainable=False
            )
            slots[param.uid] = made
            self._order.append(made)
        return slots[param.uid]

    @property
    def weights(self) -> list[Variable]:
        """iterations and all state, in order of making."""
        return [self.iterations, *self._order]

    def variables(self) -> list[Variable]:
        """State and hyperparameters: all that a checkpoint or a move to another engine takes along."""
        return [*self.weights, *(self.__dict__[n] for n in ("learning_rate", *self.hyperparameters))]

    def get_weights(self) -> list[np.ndarray]:
        return values_of(self.weights)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the state.

        Raises:
            ValueError: another number of arrays or another shape; nothing is set then.
        """
        if len(weights) != len(self.weights):
            raise ValueError(f"{self.name} has {len(self.weights)} state arrays, it was given {len(weights)}")
        for variable, value in zip(self.weights, weights):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"{variable.name} has shape {variable.shape}, it was given {np.shape(value)}"
                )
        assign_all(self.weights, weights)

    # updates -----------------------------------------------------------------------------------------------

    def get_gradients(self, loss: Tensor, params: Sequence[Variable]) -> list[Tensor]:
        """The clipped gradients.

        Raises:
            ValueError: the loss does not depend on a weight; the message names it.
        """
        gradients = gradients_op(loss, list(params))
        missing = [p.name for p, g in zip(params, gradients) if g is None]
        if missing:
            raise ValueError(
                f"the loss does not depend on {', '.join(missing)}, so there is no gradient to train "
                "them with; set trainable=False on their layers, or connect them to the loss"
            )
        return self._clipped(gradients)

    def _clipped(self, gradients: list[Tensor]) -> list[Tensor]:
        if self.global_clipnorm is not None:
            norm = _norm(gradients)
            gradients = [_scaled(g, norm, self.global_clipnorm) for g in gradients]
        if self.clipnorm is not None:
            gradients = [_scaled(g, _norm([g]), self.clipnorm) for g in gradients]
        if self.clipvalue is not None:
            gradients = [clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        return gradients

    def get_updates(self, loss: Tensor, params: Sequence[Variable]) -> list[Update]:
        """The updates of one step: of the weights, the state and ``iterations``."""
        params = list(params)
        if not params:
            return [(self.iterations, add(self.iterations, 1))]
        gradients = self.get_gradients(loss, params)
        updates: list[Update] = [(self.iterations, add(self.iterations, 1))]
        for group in _by_constraint(params):
            chosen = [params[i] for i in group]
            new = self.step(chosen, [gradients[i] for i in group])
            variables = [v for states in self.states(chosen) for v in states]
            updates += [(v, _constrained(v, value)) for v, value in zip(variables, new)]
        return updates

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        """The lists of variables that a step updates, the weights first."""
        raise NotImplementedError

    def step(self, params: Sequence[Variable], gradients: Sequence[Tensor]) -> Any:
        """The new values of ``states(params)``, flat."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            n: float(self.__dict__[n].numpy()) for n in ("learning_rate", *self.hyperparameters)
        }
        config |= {n: getattr(self, n) for n in ("clipnorm", "clipvalue", "global_clipnorm")}
        return {**config, "decay": self._initial_decay, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        return cls(**config)

    def __repr__(self) -> str:
        numbers = {name: f"{np.float32(value.numpy()):g}" for name, value in vars(self).items()
                   if name in ("learning_rate", *self.hyperparameters)}
        others = {n: v for n, v in self.get_config().items() if n not in numbers and v not in (None, False, 0.0)}
        shown = [f"{k}={v}" for k, v in numbers.items()] + [f"{k}={v!r}" for k, v in others.items() if k != "name"]
        return f"<{type(self).__name__} {' '.join(shown)}>"


def _norm(tensors: Sequence[Tensor]) -> Any:
    total = sum_(square(tensors[0]))
    for t in tensors[1:]:
        total = add(total, sum_(square(t)))
    return sqrt(total)


def _scaled(gradient: Tensor, norm: Any, limit: float) -> Tensor:
    return multiply(gradient, divide(limit, maximum(norm, limit)))


def _by_constraint(params: Sequence[Variable]) -> list[list[int]]:
    """Weights without a constraint go through one multi-tensor op; each dtype and the constrained have their own."""
    groups: dict[Any, list[int]] = {}
    for i, p in enumerate(params):
        groups.setdefault((p.dtype, p.constraint is not None), []).append(i)
    return list(groups.values())


def _constrained(variable: Variable, value: Any) -> Any:
    return value if variable.constraint is None else variable.constraint(value)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's form.

    The rate is inside the velocity: ``v = momentum * v - lr * g; p = p + v``.
    """

    hyperparameters = ("momentum",)
    momentum: Variable

    def __init__(
        self, learning_rate: Any = 0.01, momentum: Any = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self._plain = not isinstance(momentum, Variable) and momentum == 0
        self.hold("momentum", momentum)
        self.nesterov = bool(nesterov)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "momentum" and self.__dict__.get("_plain") and "momentum" in self.__dict__ and value:
            raise ValueError(
                "this SGD was made without momentum and keeps no velocities; make it with momentum=K.variable(0.) "
                "or another number than 0 to change it later"
            )
        super().__setattr__(name, value)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [list(params)] if self._plain else [list(params), [self.slot("velocity", p) for p in params]]

    def step(self, params: Sequence[Variable], gradients: Sequence[Tensor]) -> Any:
        if self._plain:
            return sgd_step(params, gradients, self.rate())
        velocities = self.states(params)[1]
        return momentum_step(
            params, gradients, velocities, self.rate(), self.momentum, nesterov=self.nesterov
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "nesterov": self.nesterov}


class _WithEpsilon(Optimizer):
    """Optimizers that divide by a root."""

    hyperparameters: tuple[str, ...] = ("epsilon",)
    epsilon: Variable

    def __init__(self, learning_rate: Any, epsilon: Any, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        self.hold("epsilon", 1e-7 if epsilon is None else epsilon)


class RMSprop(_WithEpsilon):
    """Divide the gradient by a running root of its mean square (Tieleman and Hinton, 2012)."""

    hyperparameters = ("rho", "epsilon")
    rho: Variable

    def __init__(
        self, learning_rate: Any = 0.001, rho: Any = 0.9, epsilon: Any = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, epsilon, **options)
        self.hold("rho", rho)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [list(params), [self.slot("mean_square", p) for p in params]]

    def step(self, params: Sequence[Variable], gradients: Sequence[Tensor]) -> Any:
        return rmsprop_step(
            params, gradients, self.states(params)[1], self.rate(), self.rho, self.epsilon
        )


class Adam(_WithEpsilon):
    """Adaptive moments (Kingma and Ba, 2015), with epsilon as Keras has it."""

    hyperparameters = ("beta_1", "beta_2", "epsilon")
    beta_1: Variable
    beta_2: Variable

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, epsilon, **options)
        self.hold("beta_1", beta_1)
        self.hold("beta_2", beta_2)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [list(params), [self.slot("m", p) for p in params], [self.slot("v", p) for p in params]]

    def step(self, params: Sequence[Variable], gradients: Sequence[Tensor]) -> Any:
        _, means, squares = self.states(params)
        step = add(self.iterations, 1)
        return adam_step(
            params, gradients, means, squares, self.rate(), self.beta_1, self.beta_2, self.epsilon, step
        )


class Adadelta(_WithEpsilon):
    """Adadelta (Zeiler, 2012)."""

    hyperparameters = ("rho", "epsilon")
    rho: Variable

    def __init__(
        self, learning_rate: Any = 0.001, rho: Any = 0.95, epsilon: Any = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, epsilon, **options)
        self.hold("rho", rho)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [
            list(params),
            [self.slot("mean_square", p) for p in params],
            [self.slot("mean_change", p) for p in params],
        ]

    def step(self, params: Sequence[Variable], gradients: Sequence[Tensor]) -> Any:
        _, averages, changes = self.states(params)
        return adadelta_step(
            params, gradients, averages, changes, self.rate(), self.rho, self.epsilon
        )


_CLASSES: dict[str, Callable[..., Optimizer]] = {
    c.__name__.lower(): c for c in (SGD, RMSprop, Adam, Adadelta)
}


def get(identifier: Any) -> Optimizer:
    """The optimizer for a name, a config ``{"class_name": ..., "config": {...}}`` or an Optimizer.

    Raises:
        ValueError: an unknown name, with the known ones.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config", {})
    if isinstance(name, str) and name.lower() in _CLASSES:
        return _CLASSES[name.lower()](**config)
    raise registry.unknown("optimizer", identifier, _CLASSES)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The class name and config of an optimizer."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


deserialize = get

_suggest_in(__name__)
