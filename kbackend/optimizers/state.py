"""What an optimizer holds: hyperparameters as variables, and state for each weight."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from kbackend import dtypes, registry
from kbackend.graph.variable import Variable, assign_all, values_of
from kbackend.ground.arguments import HYPERPARAMETERS, check
from kbackend.ground.public import Public
from kbackend.optimizers import schedules
from kbackend.optimizers.schedules import LearningRateSchedule


def number_of(value: Any) -> Any:
    """A hyperparameter as a number: of the floats that give its 32 bits, the shortest."""
    return float(str(np.float32(value.numpy()))) if isinstance(value, Variable) else value


class State(Public):
    """The variables of an optimizer.

    Attributes:
        name: of the optimizer.
        iterations: how many times updates ran.
    """

    #: constructor arguments that are variables, by name
    hyperparameters: tuple[str, ...] = ()
    #: other constructor arguments, for the configuration
    settings: tuple[str, ...] = ()
    name: str
    iterations: Variable

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _show_common_arguments(cls)

    def __init__(self, name: str | None, learning_rate: Any) -> None:
        self.name = name or type(self).__name__
        self.iterations = Variable(np.zeros((), np.int64), (), "int64", "iterations", trainable=False, host=True)
        self._slots: dict[tuple[str, int], Variable] = {}
        self._order: list[Variable] = []
        self._own_weights: list[Variable] | None = None
        self._rate: Any = None
        self.learning_rate = learning_rate

    # hyperparameters ---------------------------------------------------------------------------------------

    def hold(self, name: str, value: Any) -> None:
        """Keep a hyperparameter as a variable, so that changing it makes no program again.

        Raises:
            TypeError: neither a number nor a variable.
            ValueError: a number that it cannot be, see :data:`kbackend.ground.arguments.HYPERPARAMETERS`.
        """
        self.__dict__[name] = self._variable(name, value)

    def _variable(self, name: str, value: Any) -> Variable:
        if isinstance(value, Variable):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise TypeError(f"{self.name}: {name} must be a number or a variable, it is {value!r}")
        self._check(name, value)
        return Variable(np.asarray(value, np.float32), (), "float32", name, trainable=False, host=True)

    def _check(self, name: str, value: Any) -> None:
        check(type(self).__name__, name, value.item() if hasattr(value, "item") else value, HYPERPARAMETERS)

    def __setattr__(self, name: str, value: Any) -> None:
        held = self.__dict__.get(name)
        if name == "weights":
            self.__dict__["_own_weights"] = list(value)
        elif isinstance(held, Variable) and not isinstance(value, Variable) and value is not None:
            self._check(name, value)
            held.assign(value)
        else:
            object.__setattr__(self, name, value)

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or the rate of the next step as a tensor where a schedule gives it.

        ``optimizer.learning_rate = 0.01`` and ``K.set_value(optimizer.learning_rate, 0.01)`` change the variable.
        """
        if isinstance(self._rate, LearningRateSchedule):
            return self._rate(self.iterations)
        return self._rate if isinstance(self._rate, Variable) else self._rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, dict):
            value = schedules.deserialize(value)
        number = not callable(value) and not isinstance(value, Variable)
        if number and isinstance(self._rate, Variable):
            self._check("learning_rate", value)
            self._rate.assign(value)
        elif number and self._rate is not None:
            raise TypeError(
                f"{self.name}: the learning rate follows {self._rate!r}, it cannot be set to {value!r}; make the "
                "optimizer with a number, or assign another schedule and compile again"
            )
        else:
            object.__setattr__(self, "_rate", self._variable("learning_rate", value) if number else value)

    @property
    def lr(self) -> Any:
        """The learning rate, by Keras 2's name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    # state -------------------------------------------------------------------------------------------------

    def slot(
        self, name: str, param: Variable, initial: Callable[[], Any] | float = 0.0, shape: Any = None
    ) -> Variable:
        """The state variable of a weight.

        Args:
            name: of the state.
            param: the weight, whose dtype the state has.
            initial: a number, or a function that gives the first value.
            shape: that of the weight when None.
        """
        key = (name, param.uid)
        if key not in self._slots:
            dims = tuple(d or 0 for d in param.shape) if shape is None else tuple(shape)
            start = initial if callable(initial) else partial(np.full, dims, initial, dtypes.numpy_dtype(param.dtype))
            made = Variable(start, dims, param.dtype, f"{self.name}/{name}/{param.name}", trainable=False)
            self._slots[key] = made
            self._order.append(made)
        return self._slots[key]

    def made_slot(self, name: str, param: Variable) -> Variable | None:
        """The state variable of a weight, None where no step has made it."""
        return self._slots.get((name, param.uid))

    def scalar(self, name: str, value: float, dtype: str = "float32") -> Variable:
        """A state variable of the whole optimizer."""
        made = Variable(np.asarray(value, dtypes.numpy_dtype(dtype)), (), dtype, f"{self.name}/{name}", trainable=False)
        self._order.append(made)
        return made

    @property
    def weights(self) -> list[Variable]:
        """iterations and all state, in order of making; an optimizer of one's own may assign its own list."""
        return [self.iterations, *self._order] if self._own_weights is None else list(self._own_weights)

    def variables(self) -> list[Variable]:
        """State and hyperparameters: all that a checkpoint or a move to another engine takes along."""
        held = [self._rate, *(self.__dict__.get(name) for name in (*self.hyperparameters, *_COMMON))]
        found = [*self.weights, *(v for v in (*held, *vars(self).values()) if isinstance(v, Variable))]
        return list({id(v): v for v in found}.values())

    def get_weights(self) -> list[np.ndarray]:
        """The values of :attr:`weights`."""
        return values_of(self.weights)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the state.

        Raises:
            ValueError: another number of arrays or another shape; nothing is set then.
        """
        own = self.weights
        if len(weights) != len(own):
            raise ValueError(f"{self.name} has {len(own)} state arrays, it was given {len(weights)}")
        for variable, value in zip(own, weights):
            if np.shape(value) != variable.shape:
                raise ValueError(f"{variable.name} has shape {variable.shape}, it was given {np.shape(value)}")
        assign_all(own, weights)

    # configuration -----------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with hyperparameters as they are now."""
        rate = self._rate
        names = (*self.hyperparameters, *self.settings, *_COMMON, *_SETTINGS)
        return {
            "name": self.name,
            "learning_rate": number_of(rate) if isinstance(rate, Variable) else registry.plain(rate),
            **{name: number_of(getattr(self, name)) for name in names},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


#: hyperparameters that all optimizers have, None where they are not used
_COMMON = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "ema_momentum", "decay")
_SETTINGS = ("use_ema", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps")


def _show_common_arguments(cls: type) -> None:
    """Give a class the signature with the arguments that its ``**options`` pass on to the base class."""
    shown: dict[str, inspect.Parameter] = {}
    for kind in cls.__mro__:
        constructor = kind.__dict__.get("__init__")
        if constructor is None:
            continue
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        passes_on = [p for p in parameters if p.kind is p.VAR_KEYWORD]
        for parameter in parameters:
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in shown:
                shown[parameter.name] = parameter
        if not passes_on:
            break
    ordered = sorted(shown.values(), key=lambda p: p.kind)
    cls.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
