"""A loss scale that adapts itself, for 16-bit gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.graph.variable import Variable
from kbackend.ops.control.cond import classic_cond
from kbackend.ops.core.updates import as_updates
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.base import Optimizer, Update


class LossScaleOptimizer(Optimizer):
    """Another optimizer, whose loss is multiplied by a scale so that small gradients do not vanish. A step with
    gradients that are not finite changes no weight and halves the scale; after some steps without such it doubles.

    Args:
        inner_optimizer: an optimizer, whose own loss_scale_factor is not used.
        initial_scale: the first scale.
        dynamic_growth_steps: the number of steps after which the scale doubles.
        name: of the optimizer.
        dynamic: whether the scale adapts itself; else it stays ``initial_scale``, and every step changes the weights.

    ``compile`` makes one by itself for a model with layers of the policy "mixed_float16".

    Raises:
        TypeError: no optimizer, or other options.
        ValueError: a scale or a number of steps that is not above 0.

    Source: Micikevicius et al., "Mixed Precision Training", 2018.

    >>> from kbackend import optimizers
    >>> scaled = optimizers.LossScaleOptimizer(optimizers.SGD(0.1))
    >>> round(float(scaled.learning_rate), 4), float(scaled.dynamic_scale)
    (0.1, 32768.0)
    """

    inner_optimizer: Optimizer

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        *,
        dynamic: bool = True,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError(f"LossScaleOptimizer got {sorted(kwargs)}; give these to inner_optimizer")
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, LossScaleOptimizer):
            raise TypeError(f"inner_optimizer must be another optimizer, it is {inner_optimizer!r}")
        for label, value in (("initial_scale", initial_scale), ("dynamic_growth_steps", dynamic_growth_steps)):
            if not value > 0:
                raise ValueError(f"LossScaleOptimizer: {label} must be above 0, it is {value!r}")
        object.__setattr__(self, "inner_optimizer", inner_optimizer)
        super().__init__(None, name=name)
        self.initial_scale, self.dynamic_growth_steps, self.dynamic = initial_scale, dynamic_growth_steps, dynamic
        self.step_counter = self.scalar("step_counter", 0, "int64")
        self.dynamic_scale = self.scalar("dynamic_scale", initial_scale)

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if value is not None:
            self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Variable:
        """That of the inner optimizer."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, value: Any) -> None:
        """The inner optimizer has its own."""

    @property
    def loss_scale(self) -> Variable:
        """The scale of the next step."""
        return self.dynamic_scale

    def get_scaled_loss(self, loss: Any) -> Any:
        """:meth:`scale_loss`, by the name of TensorFlow's Keras."""
        return self.scale_loss(loss)

    def get_unscaled_gradients(self, grads: Sequence[Any]) -> list[Any]:
        """:meth:`unscaled`, by the name of TensorFlow's Keras."""
        return self.unscaled(grads)

    def scale_loss(self, loss: Any) -> Any:
        return loss * as_dtype(self.dynamic_scale, K.dtype(loss))

    def unscaled(self, gradients: Sequence[Any]) -> list[Any]:
        return [g / as_dtype(self.dynamic_scale, K.dtype(g)) for g in gradients]

    def updates_for(self, gradients: Sequence[Any], params: Sequence[Variable]) -> list[Update]:
        """As :meth:`Optimizer.updates_for`; nothing but the scale changes where a gradient is not finite."""
        if not self.dynamic:
            return self.inner_optimizer.updates_for(gradients, params)
        finite: Any = None
        for gradient in gradients:
            here = K.all(K.isfinite(gradient))
            finite = here if finite is None else K.logical_and(finite, here)
        updated: list[Variable] = []

        def change() -> list[Any]:
            changes = as_updates(self.inner_optimizer.updates_for(gradients, params))
            updated.extend(v for v, _ in changes)
            return [value for _, value in changes]

        values = classic_cond(finite, change, lambda: [K.identity(v) for v in updated])
        full = K.equal(self.step_counter, self.dynamic_growth_steps - 1)
        counter = K.where(K.logical_and(finite, K.logical_not(full)), self.step_counter + 1, 0)
        factor = K.where(finite, K.where(full, 2.0, 1.0), 0.5)
        own = [(self.step_counter, counter), (self.dynamic_scale, self.dynamic_scale * factor)]
        return [*own, *zip(updated, values)]

    @property
    def weights(self) -> list[Variable]:
        """Those of the scale and those of the inner optimizer."""
        return [*self._order, *self.inner_optimizer.weights]

    def variables(self) -> list[Variable]:
        return [*self._order, *self.inner_optimizer.variables()]

    def averages(self, var_list: Any) -> Any:
        return self.inner_optimizer.averages(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": registry.plain(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
            "dynamic": self.dynamic,
        }
