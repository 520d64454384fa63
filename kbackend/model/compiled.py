"""What a compiled model shows of its training, and the updates that belong to it."""

from __future__ import annotations

from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.layers.base.hooks import OF_MODELS
from kbackend.layers.base.recording import current
from kbackend.model.subclassing.stepped import SteppedNetwork


class CompiledNetwork(SteppedNetwork):
    """The part of a model that shows what :meth:`kbackend.Model.compile` fixed, and adds updates to it."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        ignored = [name for name in OF_MODELS if name in vars(cls)]
        if ignored:
            raise TypeError(
                f"{cls.__name__} overrides {ignored[0]}, which models do not use; define train_step, test_step or "
                "predict_step, which are traced and become programs"
            )

    @property
    def optimizer(self) -> Any:
        """The optimizer, None before ``compile``."""
        return self._steps.optimizer

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that fit, evaluate and train_on_batch give.

        'loss' is first. A model with several outputs has the loss of each as ``OUTPUT_loss``, and puts ``OUTPUT_``
        before the names of its metrics. Those of a model that defines its steps are known from its first step on.
        """
        if self.own_fit:
            step = self._steps.last("train") or self._steps.last("test")
            return [m.name for m in self.metrics] if step is None else list(step.names)
        return list(self._steps.compiled.plain.names)

    def reset_metrics(self) -> None:
        """Forget the batches that metrics have seen, as each epoch does at its start."""
        self._steps.reset_metrics()

    @property
    def total_loss(self) -> Tensor:
        """The scalar that training minimises, as a tensor of the inputs, :attr:`targets` and :attr:`sample_weights`.

        >>> from kbackend import Input, K, Model, layers
        >>> x = Input((1,))
        >>> model = Model(x, layers.Dense(1, use_bias=False, kernel_initializer="ones")(x))
        >>> model.compile("sgd", "mse")
        >>> slopes = K.gradients(model.total_loss, model.trainable_weights)
        >>> step = K.function([*model.inputs, *model.targets, *model.sample_weights], slopes)
        >>> step([[[3.0]], [[1.0]], [1.0]])[0].tolist()
        [[12.0]]
        """
        return self._steps.compiled.weighted.total

    @property
    def targets(self) -> list[Tensor]:
        """The placeholders for the targets in :attr:`total_loss`."""
        return list(self._steps.compiled.weighted.targets)

    @property
    def sample_weights(self) -> list[Tensor]:
        """The placeholders for the sample weights in :attr:`total_loss`."""
        return list(self._steps.compiled.weighted.weights)

    def programs_made(self, kind: str) -> int:
        """How many programs were made for the 'train', 'test' or 'predict' step: one for each engine and device."""
        return self._steps.programs_made(kind)

    def training_graph(self) -> Any:
        """The graph of the train step without sample weights."""
        return self._steps.graph("train")

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add updates, made by ``K.update`` and the like, that each training step from now on runs.

        Args:
            updates: one or a list; pairs (variable, new value) are taken too.
            inputs: ignored, as there are no updates for some inputs alone.

        >>> from kbackend import Input, K, Model, layers
        >>> x = Input((2,))
        >>> model = Model(x, layers.Dense(1)(x))
        >>> model.compile("sgd", "mse")
        >>> steps = K.variable(0)
        >>> model.add_update(K.update_add(steps, 1))
        >>> _ = model.train_on_batch([[1.0, 2.0]], [[1.0]])
        >>> int(K.get_value(steps))
        1
        """
        super().add_update(updates, inputs)
        if current() is None:
            self._steps.forget_training()
