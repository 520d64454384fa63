"""What training knows of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable


class Trainable(Protocol):
    """A graph from inputs to outputs, with weights.

    Attributes:
        name: for names of programs and for messages.
        built: whether the rest is known; a model may learn the shape of its input from data.
        inputs, outputs: the tensors.
        fed_inputs: the inputs that take data; the others are variables and constants.
        fed_input_names, output_names: the names by which dicts give data, losses and metrics.
        weights, trainable_weights: all weights, and those that training changes.
        losses: scalars that are added to the loss.
        measured: what metrics take that are no metrics of the outputs.
        updates: updates that each training step runs.
        state_updates: those of them that tests and predictions run too.

        own_fit, own_predict: whether the model defines its steps of training and tests, and of prediction.
        metrics: those that begin anew with each epoch.

    ``_trainable_flags()`` gives the model and all layers inside it, each with its attribute ``trainable``;
    ``_frozen_results()`` the tensors that training computes otherwise while layers are not trainable, each with what
    replaces it.
    """

    @property
    def name(self) -> str: ...
    @property
    def built(self) -> bool: ...
    @property
    def stateful(self) -> bool: ...
    @property
    def inputs(self) -> Sequence[Tensor]: ...
    @property
    def outputs(self) -> Sequence[Tensor]: ...
    @property
    def fed_inputs(self) -> Sequence[Tensor]: ...
    @property
    def fed_input_names(self) -> Sequence[str]: ...
    @property
    def output_names(self) -> Sequence[str]: ...
    @property
    def own_fit(self) -> bool: ...
    @property
    def own_predict(self) -> bool: ...
    @property
    def metrics(self) -> Sequence[Any]: ...
    def _packed(self, values: Sequence[Any]) -> Any: ...
    @property
    def weights(self) -> Sequence[Variable]: ...
    @property
    def trainable_weights(self) -> Sequence[Variable]: ...
    @property
    def losses(self) -> Sequence[Any]: ...
    @property
    def measured(self) -> Sequence[Any]: ...
    @property
    def updates(self) -> Sequence[Any]: ...
    @property
    def state_updates(self) -> Sequence[Any]: ...
    def _trainable_flags(self) -> tuple[tuple[Any, bool], ...]: ...
    def _frozen_results(self) -> Sequence[tuple[Tensor, Tensor]]: ...
