"""The base class of all layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from kbackend import config, constraints, dtypes, initializers, regularizers
from kbackend.classic.state import placeholder
from kbackend.classic.values import batch_get_value
from kbackend.declare.call import OpError, lift, to_numpy
from kbackend.declare.shapes import product
from kbackend.graph.node import name_scope
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.graph.walk import depends_on
from kbackend.layers.base.call import (
    LayerCall,
    Record,
    as_list,
    current,
    depth,
    detached,
    flat_tensors,
    leaves,
    map_structure,
    one_or_list,
    recording,
)
from kbackend.layers.base.history import Called
from kbackend.layers.base.naming import snake_case, unique_name
from kbackend.layers.base.spec import InputSpec, check_inputs, shapes_text
from kbackend.ops.core.cast import identity
from kbackend.registry import plain
from kbackend.streams import Owner, scope

_KNOWN_ARGUMENTS = (
    "input_shape",
    "batch_input_shape",
    "batch_size",
    "dtype",
    "name",
    "trainable",
    "weights",
    "input_dtype",
    "activity_regularizer",
)


@cache
def _accepts(function: Callable[..., Any], parameter: str) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == parameter or p.kind is p.VAR_KEYWORD for p in parameters)


class Layer(Called):
    """A function of tensors with weights.

    A layer of one's own overrides ``build(input_shape)``, which makes weights with :meth:`add_weight`, and
    ``call(inputs)``, which may also take ``mask`` and ``training``; shapes are inferred from the ops it
    calls.

    Args:
        name: the name; from the class and a number when None.
        dtype: the dtype of the weights; floatx when None.
        trainable: whether training changes the weights.
        input_shape, batch_input_shape, batch_size: the input's shape, for the first layer of a Sequential.
        weights: initial weights, as ``set_weights`` takes them.
        activity_regularizer: a function of each output that is added to the loss.

    Attributes:
        built: whether ``build`` has run.
        stateful: False; layers that carry state from batch to batch are not supported.
        supports_masking: whether the layer passes masks on.
        input_spec: an :class:`InputSpec` or a list of them, checked before anything else.

    >>> from kbackend import K, Input, layers
    >>> class Scale(layers.Layer):
    ...     def build(self, input_shape):
    ...         self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.scale
    >>> Scale()(Input((3,))).shape
    (None, 3)
    """

    #: names of constructor arguments that get_config writes; read from the attributes of the same name
    arguments: tuple[str, ...] = ()
    #: attributes that hold live hyperparameters: variables that are not weights
    hyperparameters: tuple[str, ...] = ()
    stateful = False
    supports_masking = False
    input_spec: InputSpec | Sequence[InputSpec | None] | None = None
    _untracked = frozenset({"_calls", "_weights", "_losses", "_updates", "_initial_weights"})

    def __init__(
        self, name: str | None = None, dtype: Any = None, trainable: bool = True, **kwargs: Any
    ) -> None:
        unknown = sorted(set(kwargs) - set(_KNOWN_ARGUMENTS))
        if unknown:
            raise TypeError(f"{type(self).__name__} got unknown arguments {unknown}")
        if name is not None and (not isinstance(name, str) or not name):
            raise ValueError(f"the name of a layer must be a non-empty string, it is {name!r}")
        kind = snake_case(type(self).__name__)
        self.name = name or unique_name(kind)
        self._owner = Owner(name, kind)
        self.dtype = config.floatx() if dtype is None else dtypes.canonical(dtype)
        self.trainable = trainable
        self.built = False
        self.activity_regularizer = regularizers.get(kwargs.get("activity_regularizer"))
        self._initial_weights = kwargs.get("weights")
        self._batch_input_shape = _first_shape(kwargs)
        self._weights: list[Variable] = []
        self._losses: list[Record] = []
        self._updates: list[Record] = []
        self._calls: list[LayerCall] = []

    # weights ------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str | None = None,
        shape: Sequence[int] = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> Variable:
        """Make a weight.

        Args:
            name: its name, below the layer's.
            shape: its shape.
            dtype: the layer's dtype when None.
            initializer: a name, an Initializer or a function of (shape, dtype); glorot_uniform when None.
            regularizer: a function of the weight that is added to the loss.
            trainable: whether training changes it.
            constraint: a function of the new value, applied after each training step.

        Returns:
            The variable. Its initial value is computed when it is first needed, the same on every engine.
        """
        chosen = self.dtype if dtype is None else dtypes.canonical(dtype)
        dims = tuple(shape)
        if any(d is None for d in dims):
            raise ValueError(
                f"layer {self.name}: the weight {name!r} needs a known shape, it was given {dims}"
            )
        made_by = initializers.get(initializer or "glorot_uniform")
        with self._owner.entered(), scope(name or "weight"):
            initial = initializers.initial_value(made_by, dims, chosen)
        variable = Variable(
            initial, dims, chosen, name, trainable=trainable, constraint=constraints.get(constraint)
        )
        variable.regularizer = regularizers.get(regularizer)
        self._weights.append(variable)
        return variable

    def _attached(self) -> Iterator[Any]:
        """Variables and layers held in attributes, also in lists and dicts."""
        for key, value in vars(self).items():
            if key in self._untracked or key in self.hyperparameters:
                continue
            if isinstance(value, (Variable, Layer)):
                yield value
            elif isinstance(value, (list, tuple, dict)):
                yield from (v for v in leaves(value) if isinstance(v, (Variable, Layer)))

    def _own_weights(self) -> list[Variable]:
        held = [v for v in self._attached() if isinstance(v, Variable) and not v.counter]
        return distinct([*self._weights, *held])

    def _sublayers(self) -> list[Layer]:
        return distinct([v for v in self._attached() if isinstance(v, Layer)])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none when the layer is not trainable."""
        if not self.trainable:
            return []
        own = [v for v in self._own_weights() if v.trainable]
        return distinct(own + [v for layer in self._sublayers() for v in layer.trainable_weights])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def weights(self) -> list[Variable]:
        """All weights, those made trainable first."""
        own = sorted(self._own_weights(), key=lambda v: not v.trainable)
        return distinct(own + [v for layer in self._sublayers() for v in layer.weights])

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights as NumPy arrays."""
        return batch_get_value(self.weights)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights.

        Raises:
            ValueError: another number of weights or other shapes; nothing has changed then.
        """
        variables = self.weights
        values = [to_numpy(w) for w in weights]
        if len(values) != len(variables):
            raise ValueError(
                f"layer {self.name} has {len(variables)} weights, set_weights was given {len(values)}"
            )
        for variable, value in zip(variables, values):
            if value.shape != variable.shape:
                raise ValueError(
                    f"layer {self.name}: the weight {variable.name} has shape {variable.shape}, "
                    f"set_weights was given {value.shape}"
                )
        for variable, value in zip(variables, values):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of elements of the weights.

        Raises:
            RuntimeError: the layer has not been built.
        """
        if not self.built:
            raise RuntimeError(
                f"layer {self.name} has no weights yet: call it on a tensor, or build it, first"
            )
        return sum(product(v.shape) or 0 for v in self.weights)

    # losses and updates -------------------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars to what training minimises. Inside ``call`` they belong to that call only."""
        frame = current()
        kept = self._losses if frame is None else frame.losses
        kept.extend(Record(self, loss) for loss in as_list(losses) if loss is not None)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add updates, made by ``K.update`` and the like, that each training step runs."""
        frame = current()
        kept = self._updates if frame is None else frame.updates
        kept.extend(Record(self, update) for update in as_list(updates) if update is not None)

    def _standing_losses(self) -> list[Any]:
        """Losses that do not belong to a call: regularizers of weights, and what add_loss got outside
        calls."""
        penalties = [v.regularizer(v) for v in self._own_weights() if v.regularizer is not None]
        inner = [loss for layer in self._sublayers() for loss in layer._standing_losses()]
        return penalties + [record.tensor for record in self._losses] + inner

    def _standing_updates(self) -> list[Any]:
        inner = [update for layer in self._sublayers() for update in layer._standing_updates()]
        return ([record.tensor for record in self._updates] if self.trainable else []) + inner

    @property
    def losses(self) -> list[Any]:
        """Scalars that are added to the loss: of the weights, and of all calls."""
        return self._standing_losses() + [r.tensor for call in self._calls for r in call.losses]

    @property
    def updates(self) -> list[Any]:
        """Updates that training runs; those of layers that are not trainable are left out."""
        return self._standing_updates() + [
            r.tensor for call in self._calls for r in call.updates if r.layer.trainable
        ]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on the inputs; for None those that depend on no call."""
        if inputs is None:
            return self._standing_losses()
        return [loss for loss in self.losses if any(depends_on([loss], flat_tensors(inputs)))]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on the inputs; for None those that depend on no call."""
        if inputs is None:
            return self._standing_updates()
        return [update for update in self.updates if any(depends_on([update], flat_tensors(inputs)))]

    # building and calling -----------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape (or a list of shapes). Runs once, at the first call."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The layer's function. Layers override it."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the result.

        Raises:
            TypeError: the layer got a mask and does not support masking.
        """
        if not self.supports_masking:
            self._refuse_mask(mask)
            return None
        return mask

    def _refuse_mask(self, mask: Any) -> None:
        if any(m is not None for m in as_list(mask)):
            raise TypeError(
                f"layer {self.name} ({type(self).__name__}) does not support masking, and its input has a "
                "mask (from Embedding(mask_zero=True) or Masking). Put a layer before it that consumes the "
                "mask, such as LSTM(return_sequences=False), or Lambda(lambda x: x, mask=...) to drop it"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for inputs of a shape (or a list of shapes); the layer does not change.

        Shapes include the batch dimension, None where unknown.
        """
        layer = self if self.built else self._twin()
        several = isinstance(input_shape, list)
        shapes = [tuple(s) for s in input_shape] if several else [tuple(input_shape)]
        with detached():
            made = [placeholder(s, dtype=self._input_dtype()) for s in shapes]
            result = layer(made if several else made[0])
        return map_structure(lambda t: t.shape, result)

    def _input_dtype(self) -> str:
        return self.dtype

    def _twin(self) -> Layer:
        """A layer like this one without its weights."""
        return type(self).from_config(self.get_config())

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Apply the layer to symbolic tensors (arrays become constants).

        Raises:
            ValueError: the inputs do not fit; the message names the layer and the shapes. The layer is as
                before.
        """
        inputs = map_structure(_lifted, inputs)
        given = flat_tensors(inputs)
        if not given:
            raise TypeError(f"layer {self.name} needs tensors, it was called on {inputs!r}")
        self._check_arguments(kwargs)
        check_inputs(self, given)
        masks = self._input_masks(inputs, kwargs)
        outermost = depth() == 0
        made = LayerCall(self, inputs, kwargs, len(self._calls))
        before = self._state()
        try:
            with name_scope(self.name), self._owner.scope(), recording() as frame:
                if not self.built:
                    self._build(inputs)
                structure = self._run(inputs, masks, kwargs)
                outputs = self._finish(structure, inputs, given, masks)
        except Exception as error:
            self._restore(before)
            raise self._named(error, given) from error
        made.structure = outputs
        made.outputs = tuple(flat_tensors(outputs))
        if outermost:
            made.losses, made.updates = frame.losses, frame.updates
            for tensor in made.outputs:
                tensor.history = made
            self._calls.append(made)
        return outputs

    def _check_arguments(self, kwargs: Mapping[str, Any]) -> None:
        for key in kwargs:
            if key not in ("mask", "training") and not _accepts(type(self).call, key):
                raise TypeError(
                    f"layer {self.name} ({type(self).__name__}) takes no argument {key!r} when it is called"
                )

    def _input_masks(self, inputs: Any, kwargs: Mapping[str, Any]) -> Any:
        """The masks of the inputs, in their structure; None where there is none."""
        if kwargs.get("mask") is not None:
            return kwargs["mask"]
        masks = map_structure(lambda t: getattr(t, "_keras_mask", None), inputs)
        if any(m is not None for m in leaves(masks)):
            if not self.supports_masking and type(self).compute_mask is Layer.compute_mask:
                self._refuse_mask(masks)
            return masks
        return None

    def _build(self, inputs: Any) -> None:
        self.build(map_structure(lambda t: t.shape, inputs))
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _run(self, inputs: Any, masks: Any, kwargs: Mapping[str, Any]) -> Any:
        function = type(self).call
        given = {k: v for k, v in kwargs.items() if k not in ("mask", "training")}
        if _accepts(function, "training") and "training" in kwargs:
            given["training"] = kwargs["training"]
        if _accepts(function, "mask") and (masks is not None or "mask" in kwargs):
            given["mask"] = masks
        return self.call(inputs, **given)

    def _finish(self, structure: Any, inputs: Any, given: Sequence[Tensor], masks: Any) -> Any:
        """Give results an identity of their own, their masks, and the regularizer of activities."""
        taken = {id(t) for t in given}

        def own(value: Any) -> Any:
            if not isinstance(value, Tensor):
                raise TypeError(f"call must return tensors, it returned {value!r}")
            if id(value) in taken or value.history is not None or isinstance(value, Variable):
                copy = identity(value)
                copy._keras_mask = value._keras_mask
                return copy
            return value

        outputs = map_structure(own, structure)
        results = flat_tensors(outputs)
        self._set_masks(results, inputs, masks)
        if self.activity_regularizer is not None:
            self.add_loss([self.activity_regularizer(t) for t in results])
        return outputs

    def _set_masks(self, results: Sequence[Tensor], inputs: Any, masks: Any) -> None:
        if masks is None and type(self).compute_mask is Layer.compute_mask:
            return
        found = self.compute_mask(inputs, masks)
        parts = found if isinstance(found, (list, tuple)) else [found] * len(results)
        for tensor, mask in zip(results, parts):
            tensor._keras_mask = mask

    def _state(self) -> Any:
        return (self.built, self.input_spec, len(self._weights), len(self._losses), len(self._updates))

    def _restore(self, state: Any) -> None:
        self.built, self.input_spec, weights, losses, updates = state
        del self._weights[weights:], self._losses[losses:], self._updates[updates:]

    def _named(self, error: Exception, given: Sequence[Tensor]) -> Exception:
        """The error with the layer and its inputs in front, once: the innermost layer wins."""
        if getattr(error, "_kbackend_layer", False) or type(error) not in (
            ValueError,
            TypeError,
            IndexError,
            OpError,
        ):
            return error
        named: Any = type(error)(
            f"layer {self.name} ({type(self).__name__}) called on {shapes_text(given)}: {error}"
        )
        named._kbackend_layer = True
        return named

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, so that ``from_config`` makes a layer like this
        one."""
        found: dict[str, Any] = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self._batch_input_shape is not None:
            found["batch_input_shape"] = list(self._batch_input_shape)
        found |= {key: plain(getattr(self, key)) for key in self.arguments}
        if self.activity_regularizer is not None:
            found["activity_regularizer"] = plain(self.activity_regularizer)
        return found

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from what ``get_config`` gave, without weights."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _lifted(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else lift(value)


def _first_shape(kwargs: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    if kwargs.get("batch_input_shape") is not None:
        return tuple(kwargs["batch_input_shape"])
    shape = kwargs.get("input_shape")
    if shape is None:
        return None
    return (kwargs.get("batch_size"), *([shape] if isinstance(shape, int) else shape))


def distinct(values: Sequence[Any]) -> list[Any]:
    """The values without repetitions, by identity."""
    return list({id(v): v for v in values}.values())


__all__ = ["InputSpec", "Layer", "distinct", "one_or_list", "snake_case", "unique_name"]
