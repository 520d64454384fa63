"""Networks: graphs of layers and ops from inputs to outputs, which are layers themselves."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import dependents
from kbackend.ground.suggest import did_you_mean
from kbackend.ground.tree import tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.input import InputLayer
from kbackend.layers.base.inside import Inside, last_revision
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.recording import Measured, current, detached, root
from kbackend.layers.base.spec import shapes_text
from kbackend.layers.base.structures import distinct, flat_tensors, one_or_list
from kbackend.layers.base.weights import uncast
from kbackend.layers.core.quantized import Quantized
from kbackend.model.replay import Replay
from kbackend.model.topology import Topology, sources_of
from kbackend.ops.control.phase import learning_phase_scope
from kbackend.ops.core.cast import identity


class NotBuilt(RuntimeError, AttributeError):
    """A model is asked for what depends on its input's shape, which it does not know yet."""


class Network(Layer):
    """The part of a model that is a layer: a graph that is applied to tensors by computing it again.

    Args:
        name: the name.
        trainable: whether training changes the weights.
    """

    supports_masking = True
    _weights_last = True
    #: whether each layer has one call, on the result of the layer before, by the model's class
    is_chain = False

    def __init__(self, name: str, trainable: bool = True) -> None:
        super().__init__(name=name, trainable=trainable)
        self._single_input = self._single_output = True
        self._found: Topology | None = None
        self._revised = last_revision()

    def __repr__(self) -> str:
        if not self.built:
            return f"<{type(self).__name__} {self.name!r}>"
        given, made = (", ".join(str(t.shape) for t in tensors) for tensors in (self.inputs, self.outputs))
        return f"<{type(self).__name__} {self.name!r} {given} -> {made}>"

    # structure ----------------------------------------------------------------------------------------------

    @property
    def _topology(self) -> Topology:
        """What lies between inputs and outputs.

        Raises:
            NotBuilt: the inputs are not known yet.
        """
        if self._found is None:
            self._found = self._traced()
        elif self._revised != last_revision():
            self._renew(self._found)
        return self._found

    def _renew(self, found: Topology) -> None:
        """Compute again what depends on layers that compute otherwise since it was made."""
        before, self._revised = self._revised, last_revision()
        changed = {id(x) for x in found.layers if any(y._revision > before for y in Inside(x).layers)}
        if changed:
            again = Replay(found, found.inputs, changed)
            self._found = Topology(found.inputs, [again(t) for t in found.outputs], self.name)
            self._follow(again)

    def _follow(self, again: Replay) -> None:
        """Take what was computed again."""

    def _traced(self) -> Topology:
        raise NotBuilt(f"model {self.name} does not know its inputs yet")

    @property
    def inputs(self) -> list[Tensor]:
        return list(self._topology.inputs)

    @property
    def outputs(self) -> list[Tensor]:
        return list(self._topology.outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order of traversal."""
        return list(self._topology.layers)

    @property
    def input_names(self) -> list[str]:
        return [layer.name for layer in self._topology.input_layers]

    @property
    def fed_inputs(self) -> Sequence[Tensor]:
        """The inputs that take data: those that are no variables or constants."""
        return self._topology.fed_inputs

    @property
    def fed_input_names(self) -> list[str]:
        """The names of these inputs."""
        topology = self._topology
        return [topology.input_layers[place].name for place in topology.fed]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs; op results are called output_1, output_2 by
        position."""
        names: dict[str, None] = {}
        counts: dict[str, int] = {}
        for position, tensor in enumerate(self._topology.outputs, 1):
            name = base = tensor.history.layer.name if tensor.history is not None else f"output_{position}"
            while name in names:
                counts[base] = counts.get(base, 0) + 1
                name = f"{base}_{counts[base]}"
            names[name] = None
        return list(names)

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
            f".{did_you_mean(name, (x.name for x in layers))}".rstrip(".")
        )

    @property
    def uses_learning_phase(self) -> bool:
        """Whether an output depends on the learning phase."""
        return any(t._uses_learning_phase for t in self.outputs)

    def quantize(self, mode: str, config: Any = None) -> None:
        """Store the weights of all layers that can do it as integers, or train these in floats of 8 bits; see
        :meth:`kbackend.layers.Dense.quantize`.

        Args:
            mode: 'int8', 'int4' or 'float8'.
            config: an ``Int8QuantizationConfig`` or ``Int4QuantizationConfig`` of :mod:`kbackend.layers`.

        Raises:
            NotImplementedError: another mode of Keras.
            ValueError: an unknown mode.

        >>> from kbackend import Input, Model, layers
        >>> x = Input((4,))
        >>> model = Model(x, layers.Dense(3)(x))
        >>> model.quantize("int8")
        >>> [w.dtype for w in model.weights]
        ['float32', 'int8', 'float32']
        """
        for layer in Inside(self).layers:
            if isinstance(layer, Quantized) and layer.may_be_quantized and layer.may_be_of(mode):
                layer.quantize(mode, config=config)

    def _sublayers(self) -> list[Layer]:
        return self.layers

    def _trainable_flags(self) -> tuple[tuple[Any, bool], ...]:
        """The model and all layers inside it, each with its flag."""
        return tuple((layer, layer.trainable) for layer in Inside(self).layers)

    def _own_weights(self, known: Container[int] = ()) -> list[Variable]:
        """Variables that raw ops between the layers read."""
        if not self.built:
            return list(self._weights)
        return distinct([*self._weights, *(v for v in self._topology.variables if id(v) not in known)])

    def steps_between(self) -> Iterator[tuple[Any, Sequence[Tensor], Sequence[Tensor]]]:
        """What lies between inputs and outputs, in an order in which it can run: calls of layers and nodes of
        operations, each with the tensors that it reads and makes."""
        for unit in self._topology.units:
            if not isinstance(getattr(unit, "layer", None), InputLayer):
                yield unit, sources_of(unit), unit.outputs

    # losses, updates and metrics ----------------------------------------------------------------------------

    def _inner_calls(self) -> Sequence[LayerCall]:
        """The calls of layers inside the model."""
        return self._topology.calls

    @property
    def measured(self) -> list[Measured]:
        """What the metrics take that ``add_metric`` added to the model, or the calls inside it, in the order of the
        metrics: those in attributes of a layer come before those that it adds."""
        found = [*self._measured, *(m for call in self._inner_calls() for m in call.metrics)]
        shown = Layer.metrics.fget(self) if found else ()  # type: ignore[attr-defined]
        places = {id(metric): place for place, metric in enumerate(shown)}
        return sorted(found, key=lambda m: places.get(id(m.metric), len(places)))

    @property
    def losses(self) -> list[Any]:
        """Scalars added to the loss: regularizers, ``add_loss``, and what the calls inside the model
        recorded; in a step of one's own those of the last call in it."""
        step = root()
        if step is not None and step.ends_losses:
            return self._standing_losses() + step.losses_of(self)
        recorded = [r.tensor for call in self._inner_calls() for r in call.losses]
        return self._standing_losses() + self._tied_losses() + recorded

    @property
    def updates(self) -> list[Any]:
        """Updates that each training step runs, of the calls inside the model: those of layers that are trainable, and
        the states of stateful layers."""
        if not self.trainable:
            return self.state_updates
        return self._standing_updates() + [
            r.tensor
            for call in self._inner_calls()
            for r in call.updates
            if r.trainable or r.layer.stateful
        ]

    @property
    def state_updates(self) -> list[Any]:
        """The updates of the states of stateful layers, which run in prediction and evaluation too."""
        return [r.tensor for call in self._inner_calls() for r in call.updates if r.layer.stateful]

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        """Whether a layer of the model keeps states from batch to batch."""
        return bool(self._stateful_layers())

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zeros."""
        for layer in self._stateful_layers():
            layer.reset_states()

    def _stateful_layers(self) -> list[Any]:
        """The stateful layers inside the model and inside the models in it."""
        return [layer for layer in Inside(self).layers if not isinstance(layer, Network) and layer.stateful]

    def _frozen_results(self) -> list[tuple[Tensor, Tensor]]:
        """Results inside the model of layers that are not trainable, each with what replaces it then."""
        return [
            r.tensor
            for call in self._inner_calls()
            for r in call.frozen
            if not (self.trainable and r.trainable)
        ]

    def _given_losses(self) -> list[Any]:
        """Without the losses added to the model that depend on its inputs: those belong to each of its
        calls."""
        if not self.built:
            return super()._given_losses()
        tied = {id(loss) for loss in self._tied_losses()}
        return [loss for loss in super()._given_losses() if id(loss) not in tied]

    def _tied_losses(self) -> list[Any]:
        """What ``add_loss`` got from outside and depends on the inputs."""
        given = [r.tensor for r in self._losses if isinstance(r.tensor, Tensor)]
        return dependents(given, self._topology.inputs) if given else []

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
        _take_again(self._measured, again)
        outputs = [again(t) for t in self._topology.outputs]
        return outputs[0] if self._single_output else outputs

    def _casting(self) -> Any:
        """The layers inside cast their weights themselves; ops between them read variables as they are."""
        return uncast()

    def _input(self, value: Any) -> Any:
        """The layers inside cast what they are given."""
        return value

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

    def _twin(self, **changes: Any) -> Any:
        return self

    def _packed(self, values: Sequence[Any]) -> Any:
        """Values of the outputs, as ``predict`` returns them."""
        return one_or_list(values)


def _take_again(measured: Sequence[Measured], again: Replay) -> None:
    """Let the call that runs take what metrics take of a model's own tensors, for the inputs of this call."""
    frame = current()
    for each in measured if frame is not None else ():
        args, kwargs = (tree_map(lambda v: again.follow([v])[0] if isinstance(v, Tensor) else v, part)
                        for part in (each.args, dict(each.kwargs)))
        frame.metrics.append(Measured(each.metric, args, kwargs))  # type: ignore[union-attr]


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
