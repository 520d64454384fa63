"""The base class of all layers: building and calling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache, wraps
from typing import Any

from kbackend import regularizers
from kbackend.classic.state import placeholder
from kbackend.declare.call import OpError, lift
from kbackend.graph.node import name_scope, scoped
from kbackend.graph.tensor import Tensor
from kbackend.graph.variable import Variable
from kbackend.ground.arguments import accepts, positional
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.calling import stateless
from kbackend.layers.base.calling.phases import is_open, run_in_phases, takes_phase
from kbackend.layers.base.configuration import batch_shape, check_known, layer_config
from kbackend.layers.base.hooks import refuse_ignored
from kbackend.layers.base.losses import HasLosses
from kbackend.layers.base.naming import described
from kbackend.layers.base.recording import depth, detached, outermost, recording, root
from kbackend.layers.base.spec import InputSpec, check_inputs, shapes_text
from kbackend.layers.base.structures import as_list, flat_tensors
from kbackend.layers.base.weights import Casting, input_in, uncast
from kbackend.ops.core.cast import identity
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.streams import call_streams, unkept_streams

_accepts = cache(accepts)


class Layer(HasLosses):
    """A function of tensors with weights.

    A layer of one's own overrides ``build(input_shape)``, which makes weights with :meth:`add_weight`, and
    ``call(inputs)``, which may also take ``mask`` and ``training``; shapes are inferred from the ops it
    calls.

    Args:
        name: the name; from the class and a number when None.
        dtype: a :class:`kbackend.dtype_policies.DTypePolicy`, its name, or the dtype of computation and weights; the
            policy of the process when None, which is floatx unless it was set.
        trainable: whether training changes the weights.
        autocast: whether ``call`` gets float inputs and weights in the dtype in which the layer computes.
        input_shape, batch_input_shape, batch_size: the input's shape, for the first layer of a Sequential.
        weights: initial weights, as ``set_weights`` takes them.
        activity_regularizer: a function of each output that is added to the loss.

    Attributes:
        built: whether ``build`` has run.
        stateful: whether the layer carries states from batch to batch; such a layer has ``reset_states()``.
        supports_masking: whether the layer passes masks on.
        input_spec: an :class:`InputSpec` or a list of them, checked before anything else.

    Raises:
        TypeError: an unknown argument; called on what is no tensor, or on a masked input that it does not
            support.

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
    stateful = False
    supports_masking = False
    input_spec: InputSpec | Sequence[InputSpec | None] | None = None
    #: the inputs and the result with which a Sequential begins, of :func:`kbackend.layers.legacy.Merge` of layers
    _begins: Any = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_ignored(cls, "kbackend.")
        if "build" in vars(cls):
            cls.build = _marking(vars(cls)["build"])  # type: ignore[method-assign]

    def __init__(
        self, name: str | None = None, dtype: Any = None, trainable: bool = True, **kwargs: Any
    ) -> None:
        check_known(kwargs, type(self))
        super().__init__(name, dtype, trainable, kwargs.get("weights"))
        try:
            self.activity_regularizer = regularizers.get(kwargs.get("activity_regularizer"))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{described(self)}: {error}") from None
        self.autocast = bool(kwargs.get("autocast", True))
        self._batch_input_shape = batch_shape(kwargs)

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
                f"{described(self)} does not support masking, and its input has a "
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
        return tree_map(lambda t: t.shape, result)

    def _input_dtype(self) -> str:
        return self.dtype

    def _twin(self, **changes: Any) -> Any:
        """A layer like this one without its weights; live hyperparameters are shared.

        Args:
            changes: arguments of the constructor that are to be others.
        """
        config = self.get_config()
        live = {name: getattr(self, name) for name in self.hyperparameters if name in config}
        return type(self).from_config({**config, **live, **changes})

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the layer to symbolic tensors (arrays become constants).

        A ``call`` of one's own with an argument ``training`` gets the learning phase, where it is not given; see
        :mod:`kbackend.layers.base.calling.phases`.

        Args:
            inputs: a tensor, or a list, tuple or dict of tensors.
            args, kwargs: the other arguments of ``call``; ``mask`` and ``training``.

        Raises:
            ValueError: the inputs do not fit; the message names the layer and the shapes. The layer is as
                before.
        """
        if args:
            kwargs = {**named_arguments(self, args, kwargs), **kwargs}
        inputs = tree_map(_lifted, inputs)
        given = flat_tensors(inputs)
        if not given:
            raise TypeError(f"layer {self.name} needs tensors, it was called on {inputs!r}")
        self._check_arguments(kwargs)
        check_inputs(self, given)
        masks = self._input_masks(inputs, kwargs)
        inside_no_call = depth() == 0
        made = LayerCall(self, inputs, kwargs, len(self._calls))
        streams: Any = call_streams(self.name) if inside_no_call else nullcontext()
        before = self._state()
        try:
            with name_scope(self.name), self._owner.scope(), recording(self) as frame, streams as drawn:
                if not self.built:
                    self._build(inputs)
                structure = self._run(inputs, masks, kwargs)
                outputs = self._finish(structure, inputs, given, masks)
        except Exception as error:
            self._restore(before)
            raise self._named(error, given) from error
        made.structure = outputs
        made.outputs = tuple(flat_tensors(outputs))
        if inside_no_call:
            made.take(frame)
            made.draws = drawn.made
            for tensor in made.outputs:
                tensor.history = made
            self._keep_call(made)
            around = root()
            if around is not None:
                return around.take(made)
        return outputs

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The layer as a function of its weights, which stay as they are.

        Args:
            trainable_variables, non_trainable_variables: values in the order of :attr:`trainable_weights` and
                :attr:`non_trainable_weights`.
            args, kwargs: what a call takes; ``training`` is False where it is not given and no value is symbolic.
            return_losses: whether the losses of the call are returned too.

        Returns:
            (outputs, new values of the weights that are not trained), and then a list of losses. They are symbolic
            where an argument is, else tensors of the active engine.

        Raises:
            RuntimeError: the layer is not built.
            ValueError: another number of values or another shape.

        >>> import numpy as np
        >>> from kbackend import layers
        >>> dense = layers.Dense(1)
        >>> dense.build((None, 2))
        >>> outputs, others = dense.stateless_call([np.ones((2, 1)), np.zeros(1)], [], np.ones((1, 2)))
        >>> float(outputs[0, 0]), others
        (2.0, [])
        """
        values = list(trainable_variables), list(non_trainable_variables)
        return stateless.call(self, *values, args, kwargs, return_losses)

    def _check_arguments(self, kwargs: Mapping[str, Any]) -> None:
        for key in kwargs:
            if key not in ("mask", "training") and not _accepts(type(self).call, key):
                raise TypeError(
                    f"{described(self)} takes no argument {key!r} when it is called"
                )

    def _input_masks(self, inputs: Any, kwargs: Mapping[str, Any]) -> Any:
        """The masks of the inputs, in their structure; None where there is none."""
        if kwargs.get("mask") is not None:
            return kwargs["mask"]
        if isinstance(inputs, Tensor) and inputs._keras_mask is None:
            return None
        masks = tree_map(lambda t: getattr(t, "_keras_mask", None), inputs)
        if any(m is not None for m in tree_leaves(masks)):
            if not self.supports_masking and type(self).compute_mask is Layer.compute_mask:
                self._refuse_mask(masks)
            return masks
        return None

    def _build(self, inputs: Any) -> None:
        self._follow_policies(scoped(self.name).rpartition("/")[0])
        with outermost(), unkept_streams(), uncast():
            self.build(tree_map(lambda t: t.shape, inputs))
        self.built = True
        self._set_initial_weights()

    def _run(self, inputs: Any, masks: Any, kwargs: Mapping[str, Any]) -> Any:
        function = type(self).call
        given = {k: v for k, v in kwargs.items() if k not in ("mask", "training")} if kwargs else {}
        if self.autocast:
            inputs = self._input(inputs) if isinstance(inputs, Tensor) else tree_map(self._input, inputs)
            given = tree_map(self._input, given) if given else given
        if _accepts(function, "training") and "training" in kwargs:
            given["training"] = kwargs["training"]
        if _accepts(function, "mask") and (masks is not None or "mask" in kwargs):
            given["mask"] = masks
        with self._casting():
            if takes_phase(function) and is_open(given.get("training")):
                return run_in_phases(self, lambda training: self.call(inputs, **{**given, "training": training}))
            return self.call(inputs, **given)

    def _input(self, value: Any) -> Any:
        return input_in(self.dtype_policy, value)

    def _casting(self) -> Any:
        """The context of ``call``, which decides the dtype in which it gets weights."""
        policy = self.dtype_policy
        return Casting(policy.compute_dtype, self.weights) if policy.is_mixed and self.autocast else uncast()

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

        outputs = own(structure) if isinstance(structure, Tensor) else tree_map(own, structure)
        results = flat_tensors(outputs)
        self._set_masks(results, inputs, masks)
        if self.activity_regularizer is not None:
            wide = [as_dtype(t, wide_dtype(t.dtype)) for t in results]
            self.add_loss([self.activity_regularizer(t) for t in wide])
        return outputs

    def _set_masks(self, results: Sequence[Tensor], inputs: Any, masks: Any) -> None:
        if masks is None and type(self).compute_mask is Layer.compute_mask:
            return
        found = self.compute_mask(inputs, masks)
        parts = _flat(found) if isinstance(found, (list, tuple)) else [found] * len(results)
        for tensor, mask in zip(results, parts):
            tensor._keras_mask = mask

    def _state(self) -> Any:
        added = len(self._weights), len(self._losses), len(self._updates), len(self._measured)
        return (self.built, self.input_spec, *added)

    def _restore(self, state: Any) -> None:
        self.built, self.input_spec, weights, losses, updates, measured = state
        self._forget_weights(weights)
        del self._losses[losses:], self._updates[updates:]
        del self._measured[measured:]

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
            f"{described(self)} called on {shapes_text(given)}: {str(error).removeprefix(f'{described(self)}: ')}"
        )
        named._kbackend_layer = True
        return named

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values, so that ``from_config`` makes a layer like this
        one."""
        return layer_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from the result of ``get_config``, without weights."""
        return cls(**config)


def _marking(build: Callable[..., Any]) -> Callable[..., Any]:
    """``build`` that leaves the layer built, whoever calls it."""

    @wraps(build)
    def marked(self: Layer, *args: Any, **kwargs: Any) -> Any:
        result = build(self, *args, **kwargs)
        self.built = True
        return result

    return marked


def named_arguments(layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``call`` after the first one, by their names."""
    names = positional(type(layer).call)[2:]
    if len(args) > len(names):
        raise TypeError(
            f"{described(layer)} takes {1 + len(names)} positional arguments when it is called, it was given "
            f"{1 + len(args)}"
        )
    given = dict(zip(names, args))
    twice = [name for name in given if name in kwargs]
    if twice:
        raise TypeError(f"{described(layer)} was given {', '.join(twice)} twice, by position and by name")
    return given


def _lifted(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else lift(value)


__all__ = ["Layer"]


def _flat(masks: Sequence[Any]) -> list[Any]:
    """Masks in a row, None among them; layers for Keras 2 return lists in lists."""
    nested = [_flat(mask) if isinstance(mask, (list, tuple)) else [mask] for mask in masks]
    return [mask for part in nested for mask in part]
