"""Steps that a model may define itself, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import recorder
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import snake_case
from kbackend.layers.base.structures import distinct
from kbackend.model.subclassing.traced import TracedNetwork
from kbackend.ops.core.updates import as_updates
from kbackend.training.own.containers import CompiledLoss, CompiledMetrics
from kbackend.training.own.layout import Layout, flat_names, unpacked
from kbackend.training.steps import Form, Steps

#: the methods that make the steps those of a class
OWN_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics", "predict_step")


class SteppedNetwork(TracedNetwork):
    """The part of a model whose steps of training, tests and prediction may be defined by a class.

    A step is written once, with K, of symbolic data; it is traced once and becomes one program on each engine. It
    assigns weights, states of metrics and variables (``optimizer.minimize``, ``optimizer.apply_gradients``,
    ``metric.update_state``, ``variable.assign``, ``K.update``), in the order of its lines, and returns a dict of what
    is shown. A model whose class defines none of these methods trains by steps of its own kind.
    """

    _steps: Steps
    optimizer: Any

    @property
    def own_fit(self) -> bool:
        """Whether the class defines the steps of training and tests."""
        kind, base = type(self), SteppedNetwork  # read several times a step, hence no loop over the names
        return (
            kind.train_step is not base.train_step
            or kind.test_step is not base.test_step
            or kind.compute_loss is not base.compute_loss
            or kind.compute_metrics is not base.compute_metrics
        )

    @property
    def own_predict(self) -> bool:
        """Whether the class defines ``predict_step``."""
        return type(self).predict_step is not SteppedNetwork.predict_step

    _prepare: Any

    def _prepare_own(self, inputs: Any, outputs: Any, name: str | None, trainable: bool, dtype: Any) -> None:
        """Make a model that defines ``call``.

        Raises:
            TypeError: it was given inputs or outputs as well.
        """
        kind = type(self).__name__
        if inputs is not None or outputs is not None:
            raise TypeError(
                f"{kind} defines call(self, ...), which makes its outputs; inputs and outputs cannot be given as well: "
                "call super().__init__(name=name)"
            )
        self._prepare(name, snake_case(kind), trainable)
        self._weights_last = False
        if dtype is not None:
            self.dtype, self._has_policy = dtype, True

    # steps --------------------------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training on a batch.

        Args:
            data: x, (x, y) or (x, y, sample_weight), symbolic, each in the structure in which ``fit`` was given it.

        Returns:
            What is shown, by name: results of metrics, or scalars, of which an epoch shows the last.
        """
        x, y, sample_weight = unpacked(data)
        y_pred = self._called(x, True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
        self._steps.containers.note(loss, y_pred)
        taken = recorder.get()
        for variable, value in as_updates(self.optimizer.get_updates(loss, self.trainable_weights)):
            taken.put(variable, value)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluation on a batch; see :meth:`train_step`."""
        x, y, sample_weight = unpacked(data)
        y_pred = self._called(x, False)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False)
        self._steps.containers.note(loss, y_pred)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The predictions for a batch of inputs; see :meth:`train_step`."""
        return self._called(unpacked(data)[0], False)

    def _called(self, x: Any, training: bool) -> Any:
        inputs, kwargs = self._arguments(x) if self.has_own_call else (x, {})
        return self(inputs, **kwargs, training=training)

    def data_layout(self) -> dict[str, Any] | None:
        """What the data of the last step of training looked like, as plain values, for a model that defines its steps;
        None where there is no such step."""
        form = self._steps.last_form("train")
        return form.specs.plain() if form is not None and isinstance(form.specs, Layout) else None

    def training_draws(self) -> dict[str, Any]:
        """The streams of the random draws in the last step of training that the model defines, by layer."""
        step = self._steps.last("train") if self.own_fit else None
        return {} if step is None else {name: [list(c) for c in calls] for name, calls in step.draws.items()}

    def expect_data(self, layout: Any) -> None:
        """Make the step of training for data as :meth:`data_layout` gave it; nothing for a model without steps of its
        own.

        Raises:
            ValueError: it is no layout.
        """
        if self.own_fit:
            found = Layout.of_plain(layout)
            self._steps.train(Form(found.sample_weight is not None, found))

    # what they are made of ----------------------------------------------------------------------------------

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """In a step: the loss of ``compile`` for predictions, and what layers have added.

        Raises:
            ValueError: there is no loss.
        """
        return self._steps.containers.loss(y, y_pred, sample_weight, self.losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """In a step: take predictions into the metrics of ``compile``, and give the results of all metrics by name."""
        if y is not None:
            for metrics in self._steps.containers.shown:
                metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """In a step: the results of :attr:`metrics` by name."""
        self._steps.containers.track_loss()
        return flat_names({m.name: m.result() for m in self.metrics}, "metrics")

    @property
    def compiled_loss(self) -> CompiledLoss:
        """The loss of ``compile`` as a function of targets and predictions (Keras 2's name)."""
        return CompiledLoss(self._steps.containers)

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics of ``compile`` as one (Keras 2's name)."""
        return self._steps.containers.metrics

    @property
    def metrics(self) -> list[Any]:
        """The metrics that begin anew with each epoch: those that the model is compiled with, then those in attributes
        of the model and its layers. A model that defines its steps has the mean of its loss first, and those that it is
        compiled with last."""
        held = Layer.metrics.fget(self)  # type: ignore[attr-defined]
        if self._steps.settings is None:
            return held
        if self.own_fit:
            return [self._steps.containers.tracker, *held, *self._steps.containers.shown]
        return distinct([*self._compiled_metrics(), *held])

    def _compiled_metrics(self) -> Sequence[Any]:
        return self._steps.compiled.plain.states
