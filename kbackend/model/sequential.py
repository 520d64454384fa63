"""Sequential: a model that is one chain of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import checked
from kbackend.layers.base.input import Input, InputLayer
from kbackend.layers.base.layer import Layer
from kbackend.model.functional import Model
from kbackend.model.network import NotBuilt
from kbackend.model.reading import at, field, layer_from, of_kind
from kbackend.model.replay import Replay
from kbackend.model.topology import Topology
from kbackend.registry import custom_object_scope, registered_name
from kbackend.training.data import array_of


class Sequential(Model):
    """A chain of layers, each with one input and one output.

    Args:
        layers: the layers; more can be added.
        name: the name; sequential_1 and so on when None.

    The input's shape comes from ``input_shape`` of the first layer, from an ``Input``, from a first layer
    that is a
    model, from :meth:`build`, or from the first data that the model sees. A chain that begins with Keras 1's
    ``Merge([a, b])`` has the inputs of its branches, and its layers are those of the whole graph.

    >>> from kbackend import Sequential, layers
    >>> model = Sequential([layers.Dense(3, input_shape=(4,)), layers.Activation("relu")])
    >>> model.output_shape
    (None, 3)
    """

    is_chain = True

    @checked
    def __init__(
        self, layers: Sequence[Layer] | None = None, name: str | None = None, trainable: bool = True
    ) -> None:
        self._prepare(name, "sequential", trainable)
        self._chain: list[Layer] = []
        self._names: set[str] = set()
        self._tensors: list[Tensor] = []  # the input, and the result of each layer; of a merge its result alone
        self._branches: list[Tensor] = []  # the inputs of a merge
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Add a layer at the end.

        Raises:
            TypeError: not a layer, or one with several outputs.
            ValueError: the name is taken, or the layer does not fit; the model is as before.
        """
        if (
            isinstance(layer, Tensor)
            and layer.history is not None
            and isinstance(layer.history.layer, InputLayer)
        ):
            layer = layer.history.layer
        if not isinstance(layer, Layer):
            raise TypeError(f"model {self.name}: only layers can be added, not {layer!r}")
        if isinstance(layer, InputLayer):
            self._start(layer.get_output_at(0))
            return
        if layer.name in self._names and any(other.name == layer.name for other in self._chain):
            raise ValueError(
                f"model {self.name} has a layer named {layer.name!r} already; names must be unique"
            )
        if not self._tensors and not self._chain:
            self._start_with(layer)
        elif layer._begins is not None:
            raise ValueError(f"model {self.name}: a Merge of layers can only come first")
        if self._branches and not self._chain:
            self._tensors = [layer._begins.output]
        elif self._tensors:
            self._tensors.append(self._applied(layer, self._tensors[-1]))
        self._chain.append(layer)
        self._names.add(layer.name)
        self._changed()

    def _start(self, tensor: Tensor) -> None:
        if self._tensors or self._chain:
            raise ValueError(f"model {self.name}: an input can only come first")
        self._tensors = [tensor]
        self._changed()

    def _start_with(self, layer: Layer) -> None:
        """Make the input when the first layer says what it is."""
        if layer._begins is not None:
            self._set_branches(layer._begins.inputs)
            return
        shape, dtype = layer._batch_input_shape, layer._input_dtype()
        if shape is None and isinstance(layer, Model) and layer.built:
            first = layer.inputs[0]
            shape, dtype = first.shape, first.dtype
        if shape is not None:
            self._tensors = [Input(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input")]

    def _set_branches(self, inputs: Sequence[Tensor]) -> None:
        self._branches, self.is_chain, self._single_input = list(inputs), not inputs, len(inputs) < 2

    def _applied(self, layer: Layer, tensor: Tensor) -> Tensor:
        result = layer(tensor)
        if not isinstance(result, Tensor):
            raise TypeError(
                f"model {self.name}: the layer {layer.name} has {len(result)} outputs; a Sequential takes "
                "layers with one"
            )
        return result

    def pop(self) -> None:
        """Remove the last layer.

        Raises:
            TypeError: there is none.
        """
        if not self._chain:
            raise TypeError(f"model {self.name} has no layers to remove")
        self._chain.pop()
        if self._tensors:
            self._tensors.pop()
        if self._branches and not self._chain:
            self._set_branches([])
        self._changed()

    def _follow(self, again: Replay) -> None:
        super()._follow(again)
        self._tensors, self._branches = ([again(t) for t in each] for each in (self._tensors, self._branches))

    def _changed(self) -> None:
        self._found = None
        self._steps = self._steps.of_changed_model()
        self.built = bool(self._tensors and self._chain)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, with the batch dimension."""
        if self.built or input_shape is None and self._batch_input_shape is None:
            return
        shape = self._batch_input_shape if input_shape is None else input_shape
        self._build_on(tuple(shape or ()), None)

    def _build_on(self, shape: tuple[int | None, ...], dtype: str | None) -> None:
        if not self._chain:
            raise ValueError(f"model {self.name} has no layers")
        first = Input(
            batch_shape=shape,
            dtype=dtype or self._chain[0]._input_dtype(),
            name=f"{self._chain[0].name}_input",
        )
        tensors = [first]
        for layer in self._chain:
            tensors.append(self._applied(layer, tensors[-1]))
        self._tensors = tensors
        self._changed()

    def _ensure_built(self, x: Any) -> None:
        if self.built or x is None:
            return
        data = (
            next(iter(x.values()))
            if isinstance(x, Mapping)
            else x[0]
            if isinstance(x, list) and len(x) == 1
            else x
        )
        array = array_of(data)
        kind = dtypes.canonical(array.dtype)
        self._build_on((None, *(array.shape[1:] or (1,))), kind if not dtypes.is_float(kind) else None)

    def _traced(self) -> Topology:
        if not self.built:
            raise NotBuilt(
                f"model {self.name} does not know its input's shape yet: give the first layer an "
                "input_shape, call build(input_shape), or train it on data"
            )
        return Topology(self._branches or self._tensors[:1], self._tensors[-1:], self.name)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input; those of the whole graph where several branches are merged."""
        return list(self._topology.layers if self._branches else self._chain)

    def get_config(self) -> dict[str, Any]:
        """The layers' configurations, and the input's shape when it is known; the graph where branches are merged."""
        if self._branches:
            return super().get_config()
        found: dict[str, Any] = {
            "name": self.name,
            "layers": [
                {"class_name": registered_name(type(layer)), "config": layer.get_config()}
                for layer in self._chain
            ],
        }
        if self._tensors:
            found["batch_input_shape"] = list(self._tensors[0].shape)
            found["input_dtype"] = self._tensors[0].dtype
        return found

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A Sequential like the one whose configuration this is, with fresh weights; a Model where branches are merged.

        Raises:
            FormatError: anything that does not fit; the message names the place.
        """
        given = {"layers": config} if isinstance(config, (list, tuple)) else config
        settings = of_kind(given, dict, "the configuration")
        if "input_layers" in settings:
            return Model.from_config(settings, custom_objects)
        with at("name"):
            model = cls(name=settings.get("name"))
        with custom_object_scope(custom_objects):
            layers = [layer_from(entry, f"layers[{i}]") for i, entry in enumerate(field(settings, "layers", list))]
        chain = [(f"layers[{i}] ({layer.name})", layer) for i, layer in enumerate(layers)]
        shape = settings.get("batch_input_shape")
        if shape is not None and chain and chain[0][1]._batch_input_shape is None:
            with at("batch_input_shape, input_dtype"):
                model.add(Input(batch_shape=shape, dtype=settings.get("input_dtype")))
        for place, layer in chain:
            with at(place):
                model.add(layer)
        return model
