"""Adam and its kin: adaptive moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.nn.optimizer_steps import adam_step
from kbackend.optimizers.base import Optimizer, Update


class Moments(Optimizer):
    """Optimizers with running means of the gradient (``beta_1``) and of its square or size (``beta_2``)."""

    hyperparameters: tuple[str, ...] = ("beta_1", "beta_2", "epsilon")
    beta_1: Variable
    beta_2: Variable
    epsilon: Variable

    def __init__(self, learning_rate: Any, beta_1: Any, beta_2: Any, epsilon: Any = 1e-7, **options: Any) -> None:
        super().__init__(learning_rate, **options)
        for label, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if isinstance(value, (int, float)) and not 0 <= value < 1:
                raise ValueError(f"{label} must lie in [0, 1), it is {value!r}")
            self.hold(label, value)
        if "epsilon" in self.hyperparameters:
            self.hold("epsilon", 1e-7 if epsilon is None else epsilon)

    def numbers(self, like: Any) -> list[Any]:
        """The rate, beta_1, beta_2 and the number of this step from 1, in the dtype of a tensor."""
        dtype = K.dtype(like)
        return [as_dtype(x, dtype) for x in (self.rate(), self.beta_1, self.beta_2, self.count() + 1)]


class Adam(Moments):
    """Adaptive moments: ``p - lr_t * m / (sqrt(v) + epsilon)`` with ``lr_t = lr * sqrt(1 - beta_2**t) / (1 -
    beta_1**t)``.

    Args:
        learning_rate: the rate.
        beta_1, beta_2: of the running means m of the gradient and v of its square.
        epsilon: added to the root.
        amsgrad: whether the largest v so far is used (Reddi, Kale and Kumar 2018).
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.

    >>> from kbackend import K, optimizers
    >>> w = K.variable(3.0)
    >>> step = K.function([], [], updates=optimizers.Adam(0.1).get_updates(K.square(w), [w]))
    >>> _ = step([])
    >>> round(float(K.get_value(w)), 4)
    2.9
    """

    settings = ("amsgrad",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
        self.slots = ("m", "v", "largest_v") if self.amsgrad else ("m", "v")

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        if self.amsgrad:
            return super().step(params, values, gradients)
        _, means, squares = self.states(params)
        numbers = self.rate(), self.beta_1, self.beta_2, self.epsilon, self.count() + 1
        return adam_step(values, gradients, means, squares, *numbers)

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        mean, square, largest = states
        rate, b1, b2, t = self.numbers(value)
        (epsilon,) = self.scalars(value, "epsilon")
        mean = b1 * mean + (1.0 - b1) * gradient
        square = b2 * square + (1.0 - b2) * K.square(gradient)
        largest = K.maximum(largest, square)
        rate = rate * K.sqrt(1.0 - b2**t) / (1.0 - b1**t)
        return [value - rate * mean / (K.sqrt(largest) + epsilon), mean, square, largest]


class AdamW(Adam):
    """:class:`Adam` with decoupled weight decay.

    Raises:
        ValueError: ``weight_decay`` is None.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.AdamW().weight_decay), 4)
    0.004
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: Any = 0.004,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW needs a number as weight_decay, it is None; Adam has none")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, **{**options, "weight_decay": weight_decay}
        )


class Adamax(Moments):
    """Adam with the largest size of the gradients instead of a root: ``p - lr / (1 - beta_1**t) * m / (u + epsilon)``
    with ``u = max(beta_2 * u, |g|)``.

    Args:
        learning_rate, beta_1, beta_2, epsilon: numbers.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, section 7.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.Adamax().beta_2), 4)
    0.999
    """

    slots = ("m", "u")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        mean, size = states
        rate, b1, b2, t = self.numbers(value)
        (epsilon,) = self.scalars(value, "epsilon")
        mean = b1 * mean + (1.0 - b1) * gradient
        size = K.maximum(b2 * size, K.abs(gradient))
        return [value - rate * mean / ((1.0 - b1**t) * (size + epsilon)), mean, size]


class Nadam(Moments):
    """Adam with Nesterov's momentum, whose beta_1 rises from a half: ``beta_1 * (1 - 0.5 * 0.96**(t *
    schedule_decay))``.

    Args:
        learning_rate, beta_1, beta_2, epsilon: numbers.
        schedule_decay: of the rise; 0.004 in Keras 2.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam", 2016.

    >>> from kbackend import optimizers
    >>> optimizers.Nadam(schedule_decay=0.004).schedule_decay
    0.004
    """

    settings = ("schedule_decay",)
    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        schedule_decay: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.schedule_decay = schedule_decay
        self.product = self.scalar("product", 1.0)
        self._new_product: Any = None

    def changes(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        self._new_product = self.product * self._momentum(self.beta_1, as_dtype(self.count() + 1, "float32"))
        return [(self.product, self._new_product), *super().changes(gradients, params)]

    def _momentum(self, beta_1: Any, t: Any) -> Any:
        return beta_1 * (1.0 - 0.5 * 0.96 ** (t * self.schedule_decay))

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        mean, square = states
        rate, b1, b2, t = self.numbers(value)
        (epsilon,) = self.scalars(value, "epsilon")
        now, then = self._momentum(b1, t), self._momentum(b1, t + 1.0)
        product = as_dtype(self._new_product, K.dtype(value))
        mean = b1 * mean + (1.0 - b1) * gradient
        square = b2 * square + (1.0 - b2) * K.square(gradient)
        ahead = then * mean / (1.0 - product * then) + (1.0 - now) * gradient / (1.0 - product)
        return [value - rate * ahead / (K.sqrt(square / (1.0 - b2**t)) + epsilon), mean, square]


class Lamb(Moments):
    """Adam whose change of each weight has the norm of the weight times the rate, for large batches.

    Args:
        learning_rate, beta_1, beta_2, epsilon: numbers.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: You et al., "Large Batch Optimization for Deep Learning", 2020.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.Lamb().beta_1), 4)
    0.9
    """

    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)

    def changed(self, value: Any, gradient: Any, *states: Any) -> Sequence[Any]:
        mean, square = states
        rate, b1, b2, t = self.numbers(value)
        (epsilon,) = self.scalars(value, "epsilon")
        mean = b1 * mean + (1.0 - b1) * gradient
        square = b2 * square + (1.0 - b2) * K.square(gradient)
        change = mean / (1.0 - b1**t) / (K.sqrt(square / (1.0 - b2**t)) + epsilon)
        size, step = K.sqrt(K.sum(K.square(value))), K.sqrt(K.sum(K.square(change)))
        moves = K.logical_and(size > 0.0, step > 0.0)
        trust = K.where(moves, size / K.where(moves, step, K.ones_like(step)), K.ones_like(size))
        return [value - trust * rate * change, mean, square]
