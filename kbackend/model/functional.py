"""Models: layers between inputs and outputs, trained as one, and themselves layers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import depends_on
from kbackend.ground.tree import tree_map
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import unique_name
from kbackend.layers.base.recording import Record, current, detached
from kbackend.layers.base.spec import shapes_text
from kbackend.layers.base.structures import as_list, distinct, flat_tensors, one_or_list
from kbackend.model.configuration import model_config, model_from
from kbackend.model.replay import Replay
from kbackend.model.summary import print_summary
from kbackend.model.topology import Topology
from kbackend.ops.control.phase import learning_phase_scope
from kbackend.ops.core.cast import identity
from kbackend.registry import custom_object_scope
from kbackend.training.trainer import Trainer


class Model(Trainer, Layer):
    """A graph of layers and ops from inputs to outputs, which can be trained, called and nested.

    Args:
        inputs: a tensor or a list of tensors, made by ``Input``; any other tensor of a graph will do as
            well, and then stands for values given from outside.
        outputs: a tensor or a list of tensors computed from the inputs, by layers or by any ops.
        name: the name; model_1 and so on when None.

    Attributes:
        inputs, outputs: lists of tensors.
        input_names, output_names: names for data and losses.
        layers: in order of traversal, from the inputs to the outputs.

    Raises:
        ValueError: an output depends on an input that is not listed; two layers have one name.
        TypeError: an input or output is not a symbolic tensor.

    >>> from kbackend import Input, Model, layers
    >>> x = Input((4,))
    >>> h = layers.Dense(3, activation="relu")(x)
    >>> model = Model(x, layers.Dense(1)(h) * 2)
    >>> model.output_shape
    (None, 1)
    """

    supports_masking = True
    #: whether each layer has one call, on the result of the layer before, by the model's class
    is_chain = False

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True
    ) -> None:
        if inputs is None or outputs is None:
            raise NotImplementedError(
                f"{type(self).__name__} needs inputs and outputs: Model(inputs, outputs). Models defined by "
                "a `call` method are not supported; make a Layer with a call method and apply it to an Input"
            )
        if type(self).call is not Model.call:
            raise NotImplementedError(
                f"{type(self).__name__} overrides `call`, which models do not support; make it a "
                "Layer, or give the outputs to Model.__init__"
            )
        Layer.__init__(self, name=name or unique_name("model"), trainable=trainable)
        self._single_input = not isinstance(inputs, (list, tuple))
        self._single_output = not isinstance(outputs, (list, tuple))
        self._made = Topology(as_list(inputs), as_list(outputs), self.name)
        self.built = True

    # structure ----------------------------------------------------------------------------------------------

    @property
    def _topology(self) -> Topology:
        return self._made

    @property
    def inputs(self) -> list[Tensor]:  # type: ignore[override]
        return list(self._topology.inputs)

    @property
    def outputs(self) -> list[Tensor]:  # type: ignore[override]
        return list(self._topology.outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order of traversal."""
        return list(self._topology.layers)

    @property
    def input_names(self) -> list[str]:  # type: ignore[override]
        return [layer.name for layer in self._topology.input_layers]

    @property
    def output_names(self) -> list[str]:  # type: ignore[override]
        """The names of the layers that make the outputs; op results are called output_1, output_2 by
        position."""
        names: list[str] = []
        for position, tensor in enumerate(self._topology.outputs, 1):
            base = tensor.history.layer.name if tensor.history is not None else f"output_{position}"
            name, count = base, 0
            while name in names:
                count += 1
                name = f"{base}_{count}"
            names.append(name)
        return names

    @property
    def input(self) -> Any:
        """The input tensor, or the list of them."""
        return one_or_list(self.inputs)

    @property
    def output(self) -> Any:
        """The output tensor, or the list of them."""
        return one_or_list(self.outputs)

    @property
    def input_shape(self) -> Any:
        return tree_map(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        return tree_map(lambda t: t.shape, self.output)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by index in ``layers``; the index goes first.

        Raises:
            ValueError: no such layer; the message lists those there are.
        """
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"model {self.name} has {len(layers)} layers; there is none at index {index}"
                )
            return layers[index]
        if not name:
            raise ValueError(f"get_layer of model {self.name} needs a name or an index")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"model {self.name} has no layer {name!r}; it has {', '.join(x.name for x in layers)}"
        )

    def _sublayers(self) -> list[Layer]:
        return self.layers

    def _own_weights(self) -> list[Variable]:
        """Variables that raw ops between the layers read."""
        owned = {id(v) for layer in self.layers for v in layer.weights}
        return distinct([*self._weights, *(v for v in self._topology.variables if id(v) not in owned)])

    @property
    def trainable_weights(self) -> list[Variable]:  # type: ignore[override]
        """The weights that training changes, by layer."""
        if not self.trainable:
            return []
        return distinct(
            [v for layer in self.layers for v in layer.trainable_weights]
            + [v for v in self._own_weights() if v.trainable]
        )

    @property
    def weights(self) -> list[Variable]:  # type: ignore[override]
        """All weights, by layer, as ``get_weights`` lists them; variables of raw ops come last."""
        return distinct([v for layer in self.layers for v in layer.weights] + self._own_weights())

    # losses and updates -------------------------------------------------------------------------------------

    @property
    def losses(self) -> list[Any]:  # type: ignore[override]
        """Scalars added to the loss: regularizers, ``add_loss``, and what the calls inside the model
        recorded."""
        recorded = [r.tensor for call in self._topology.calls for r in call.losses]
        return self._standing_losses() + self._tied_losses() + recorded

    @property
    def updates(self) -> list[Any]:  # type: ignore[override]
        """Updates that each training step runs, of the calls inside the model: those of layers that are trainable, and
        the states of stateful layers."""
        calls = self._topology.calls
        if not self.trainable:
            return self.state_updates
        return self._standing_updates() + [
            r.tensor for call in calls for r in call.updates if r.layer.trainable or r.layer.stateful
        ]

    @property
    def state_updates(self) -> list[Any]:  # type: ignore[override]
        """The updates of the states of stateful layers, which run in prediction and evaluation too."""
        return [r.tensor for call in self._topology.calls for r in call.updates if r.layer.stateful]

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer of the model keeps states from batch to batch."""
        return any(layer.stateful for layer in self.layers)

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zeros."""
        kept: list[Any] = [layer for layer in self.layers if layer.stateful]
        for layer in kept:
            layer.reset_states()

    def _standing_updates(self) -> list[Any]:
        return super()._standing_updates() if self.trainable else []

    def _standing_losses(self) -> list[Any]:
        """Without the losses added to the model that depend on its inputs: those belong to each of its
        calls."""
        tied = {id(loss) for loss in self._tied_losses()}
        return [loss for loss in super()._standing_losses() if id(loss) not in tied]

    def _tied_losses(self) -> list[Any]:
        """What ``add_loss`` got from outside and depends on the inputs."""
        given = [r.tensor for r in self._losses if isinstance(r.tensor, Tensor)]
        return [loss for loss in given if any(depends_on([loss], self._topology.inputs))]

    # calling ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Apply the model to other tensors; weights are shared.

        Args:
            inputs: a tensor or list like the model's inputs.
            training: True or False fixes the learning phase in the copy; None leaves it open.
            mask: masks for the inputs, in place of those they carry.

        Raises:
            ValueError: another number of inputs, or shapes that do not fit.
        """
        if isinstance(inputs, Mapping):
            unknown = sorted(set(inputs) ^ set(self.input_names))
            if unknown:
                raise ValueError(
                    f"model {self.name} has the inputs {self.input_names}; the names {unknown} do not fit"
                )
            inputs = [inputs[name] for name in self.input_names]
        return super().__call__(inputs, **kwargs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        given = flat_tensors(inputs)
        self._check_given(given)
        given = [_masked(t, m) for t, m in zip(given, _one_each(mask, len(given)))]
        with _phase_scope(training, self.name):
            again = Replay(self._topology, given)
        self.add_loss(again.follow(self._tied_losses()))
        frame = current()
        assert frame is not None
        frame.updates[:] = [Record(_Within(self, r.layer), r.tensor) for r in frame.updates]
        outputs = [again(t) for t in self._topology.outputs]
        return outputs[0] if self._single_output else outputs

    def _check_given(self, given: Sequence[Tensor]) -> None:
        wanted = self._topology.inputs
        if len(given) != len(wanted):
            raise ValueError(
                f"model {self.name} takes {len(wanted)} inputs ({', '.join(self.input_names)}), it was "
                f"called on {len(given)}: {shapes_text(given)}"
            )
        for name, old, new in zip(self.input_names, wanted, given):
            fits = len(old.shape) == len(new.shape) and all(
                a is None or b is None or a == b for a, b in zip(old.shape, new.shape)
            )
            if not fits:
                raise ValueError(
                    f"model {self.name}: the input {name!r} has shape {old.shape}, it was called on "
                    f"{new.name!r} of shape {new.shape}"
                )

    def _set_masks(self, results: Sequence[Tensor], inputs: Any, masks: Any) -> None:
        """The layers inside have set them."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs for other inputs."""
        with detached():
            return tree_map(lambda t: t._keras_mask, self(inputs, mask=mask))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of other shapes."""
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        with detached():
            made = [placeholder(s, dtype=t.dtype) for s, t in zip(shapes, self._topology.inputs)]
            return tree_map(lambda t: t.shape, self(one_or_list(made)))

    def _twin(self) -> Layer:
        return self

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The model's structure without weights, as plain values."""
        return model_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model of the structure that ``get_config`` gave, with fresh weights.

        Raises:
            ValueError: a class that is neither built in nor registered nor in ``custom_objects``.
        """
        with custom_object_scope(custom_objects):
            return model_from(cls, config)

    def to_json(self, **kwargs: Any) -> str:
        """The structure as JSON text; ``models.model_from_json`` reads it."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Any = None) -> None:
        """Print the layers with their shapes and numbers of parameters.

        Args:
            line_length: the width of the table.
            positions: accepted for Keras's sake; columns find their own widths.
            print_fn: called with each line instead of printing.
        """
        print_summary(self, line_length, positions, print_fn)


class _Within:
    """The flags of a layer inside a model. To be trainable both must be."""

    __slots__ = ("outer", "inner")

    def __init__(self, outer: Any, inner: Any) -> None:
        self.outer, self.inner = outer, inner

    @property
    def trainable(self) -> bool:
        return self.outer.trainable and self.inner.trainable

    @property
    def stateful(self) -> bool:
        return self.inner.stateful


def _phase_scope(training: Any, name: str) -> Any:
    if training is None:
        return nullcontext()
    if isinstance(training, Tensor):
        raise TypeError(
            f"model {name}: training must be True, False or None; for a phase that changes from run to run "
            "leave it None and feed K.learning_phase()"
        )
    return learning_phase_scope(int(training))


def _one_each(mask: Any, count: int) -> list[Any]:
    return list(mask) if isinstance(mask, (list, tuple)) else [mask] * count


def _masked(tensor: Tensor, mask: Any) -> Tensor:
    """The tensor, carrying another mask than it does."""
    if mask is None or mask is tensor._keras_mask:
        return tensor
    copy = identity(tensor)
    copy._keras_mask = mask
    return copy


__all__ = ["Model"]
