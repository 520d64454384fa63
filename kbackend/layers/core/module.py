"""Modules of engines as layers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

from kbackend import backend as K
from kbackend import initializers
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ground.tree import tree_map
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described
from kbackend.layers.base.structures import flat_tensors
from kbackend.ops.control.module import call_module, is_spec
from kbackend.plugin.modules.wrapped import ModuleWeight, Signature
from kbackend.plugin.select import get_backend, target
from kbackend.registry import find, plain, registered_name

#: module -> the layer that holds its weights
_owners: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class CopyOf:
    """A function that copies a module."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __call__(self, **arguments: Any) -> Any:
        return copy.deepcopy(self._module)


class EngineModule(Layer):
    """A module of an engine as a layer; see the classes of the engines.

    Attributes:
        engine: the name of the backend.
        module: the module, in whose memory the weights are.
    """

    engine: str
    #: whether ``output_shape`` includes the batch dimension
    _whole_shape = False

    def __init__(
        self, module: Any, arguments: Mapping[str, Any] | None = None, output_shape: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._made_by, self._arguments = module, dict(arguments or {})
        found = find(module, {}, "module") if isinstance(module, str) else module  # no engine for an unknown name
        backend = get_backend(self.engine)
        if not backend.is_module(found) and callable(found):
            found = found(**self._arguments)
        elif self._arguments:
            raise TypeError(f"{described(self)}: arguments are those of a class or function that makes the module")
        self.module = found
        self._output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self._wrapped = backend.wrap_module(found, described(self))
        self._variables: list[Any] = []
        self._take_over()

    def _take_over(self) -> None:
        owner = _owners.get(self.module, lambda: None)()
        if owner is not None:
            raise ValueError(
                f"{described(self)}: the module is in the layer {owner.name} already; call that layer on both tensors, "
                "so that the weights are trained once"
            )
        _owners[self.module] = ref(self)

    # weights ------------------------------------------------------------------------------------------------

    def _build(self, inputs: Any) -> None:
        keys = _keys(inputs)
        self._wrapped.prepare([t.spec for t in flat_tensors(inputs)], keys)
        super()._build(inputs)

    def build(self, input_shape: Any) -> None:
        self._variables = [self._adopted(weight) for weight in self._wrapped.weights()]
        self.built = True

    def _adopted(self, weight: ModuleWeight) -> Any:
        shape = tuple(n for n in weight.spec.shape if n is not None)
        made = self.add_weight(weight.name, shape, weight.spec.dtype, initializers.Zeros(), trainable=weight.trainable)
        made.share(target(self.engine, weight.device), weight.cell)
        return made

    # calling ------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = None) -> Any:
        phase = K.learning_phase() if training is None else training
        resting, _ = self._called(inputs, training=False)
        if not isinstance(phase, Tensor) and not phase:
            return self._structured(resting, inputs)
        trained, replaced = self._called(inputs, training=True)
        results = [K.in_train_phase(t, r, phase) for t, r in zip(trained, resting, strict=True)]
        for result, instead in zip(results, resting):
            self._when_frozen(result, instead)
        variables = self._variables[len(self._variables) - len(replaced) :]
        self.add_update(list(zip(variables, replaced)))
        return self._structured(results, inputs)

    def _called(self, inputs: Any, training: bool) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """The results and the new values of weights."""
        signature = Signature(_keys(inputs), training)
        made = call_module(
            flat_tensors(inputs),
            self._variables,
            module=self._wrapped,
            signature=signature,
            results=self._given_results(),
        )
        count = len(made) - (self._wrapped.replaced() if training else 0)
        return made[:count], made[count:]

    def _structured(self, results: Sequence[Tensor], inputs: Any) -> Any:
        if self._output_shape is not None:
            return results[0]
        specs = [t.spec for t in flat_tensors(inputs)]
        rest = iter(results)
        return tree_map(lambda _: next(rest), self._wrapped.infer(specs, Signature(_keys(inputs), False)), is_spec)

    def _given_results(self) -> Callable[[Sequence[TensorSpec]], TensorSpec] | None:
        shape = self._output_shape
        if shape is None:
            return None

        def results(inputs: Sequence[TensorSpec]) -> TensorSpec:
            first = inputs[0]
            if not callable(shape):
                return TensorSpec((first.shape[0], *(shape[1:] if self._whole_shape else shape)), first.dtype)
            shapes = [s.shape for s in inputs]
            return TensorSpec(tuple(shape(shapes if len(shapes) > 1 else shapes[0])), first.dtype)

        return results

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the results, for inputs of the dtype of the layer."""
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        specs = [TensorSpec(tuple(s), self.dtype) for s in shapes]
        given = self._given_results()
        if given is not None:
            return given(specs).shape
        self._wrapped.prepare(specs, None)
        return tree_map(lambda s: s.shape, self._wrapped.infer(specs, Signature(None, False)), is_spec)

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The name of the class or function that makes the module, and its arguments; never the module."""
        made_by, arguments = self._made_by, self._arguments
        if not isinstance(made_by, str) and made_by is self.module:
            arguments = made_by.get_config() if hasattr(made_by, "get_config") else {}
            made_by = type(made_by)
        name = made_by if isinstance(made_by, str) else registered_name(made_by)
        own = {"module": name, "arguments": plain(arguments)}
        return {**super().get_config(), **own, "output_shape": plain(self._output_shape)}

    def _twin(self, **changes: Any) -> Any:
        config = super().get_config() | {"output_shape": self._output_shape}
        return type(self)(**{**config, "module": CopyOf(self.module), **changes})


def _keys(inputs: Any) -> tuple[str, ...] | None:
    """The names of inputs given in a dict."""
    if isinstance(inputs, Tensor) or not isinstance(inputs, Mapping):
        return None
    return tuple(inputs)


class TorchModule(EngineModule):
    """A ``torch.nn.Module`` as a layer. Models with it run on torch only.

    Parameters are weights of the model: optimizers train them, files hold them, and they stay in the memory of the
    module. Parameters with ``requires_grad=False`` and persistent buffers are weights that are not trained; what a call
    in training writes into buffers becomes an update of the training step. ``module.train()`` follows the learning
    phase, and a layer that is not trainable calls the module as in the test phase. Random numbers that the module draws
    come from torch's own generator.

    Args:
        module: the module; or a class or function that makes it, or the name of one in ``custom_objects``.
        arguments: keyword arguments of that class or function.
        output_shape: the shape of the result without the batch dimension, or a function of the shape (or list of
            shapes) of the inputs that gives the whole shape; the result then is one tensor of the dtype of the first
            input. Inferred by a call on tensors without values when None.

    Inputs: a tensor, or a list (the positional arguments of ``forward``) or dict (its keywords) of tensors. Results
    have the structure that ``forward`` gives them.

    Raises:
        TypeError: it is no ``torch.nn.Module``.
        ValueError: the module is in another layer, or it fails on inputs of these shapes.

    >>> from kbackend import Input, available_backends, layers
    >>> if "torch" in available_backends():
    ...     import torch
    ...     layer = layers.TorchModule(torch.nn.Linear(3, 2))
    ...     assert layer(Input((3,))).shape == (None, 2) and [w.shape for w in layer.weights] == [(2, 3), (2,)]
    """

    engine = "torch"


class TorchModuleWrapper(TorchModule):
    """:class:`TorchModule` as Keras 3 names it and gives it arguments.

    Args:
        module: the module, or what makes it.
        name: of the layer.
        output_shape: the whole shape of the result, with the batch dimension first; inferred when None.

    Raises:
        TypeError: it is no ``torch.nn.Module``.
        ValueError: the module is in another layer, or it fails on inputs of these shapes.

    >>> from kbackend import Input, available_backends, layers
    >>> if "torch" in available_backends():
    ...     import torch
    ...     assert layers.TorchModuleWrapper(torch.nn.Linear(3, 2))(Input((3,))).shape == (None, 2)
    """

    _whole_shape = True

    def __init__(self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any) -> None:
        super().__init__(module, output_shape=output_shape, name=name, **kwargs)


class TFModule(EngineModule):
    """A ``tf.Module`` or ``tf.function`` as a layer. Models with it run on TensorFlow only.

    Its variables are weights of the model: optimizers train those that are trainable, files hold all, and they stay the
    variables of the module. An argument ``training`` or ``is_training`` of ``__call__`` gets the learning phase, False
    where the layer is not trainable. What the module assigns to its variables is assigned when the program runs. Random
    numbers that it draws come from TensorFlow's own generator.

    Args:
        module: the module or function; or a class or function that makes it, or the name of one in ``custom_objects``.
        arguments: keyword arguments of that class or function.
        output_shape: the shape of the result without the batch dimension, or a function of the shape (or list of
            shapes) of the inputs that gives the whole shape; the result then is one tensor of the dtype of the first
            input. Inferred by tracing when None.

    Inputs: a tensor, or a list (the positional arguments) or dict (the keywords) of tensors. Results have the structure
    that the module gives them.

    Raises:
        TypeError: it is neither.
        ValueError: the module is in another layer, or it fails on inputs of these shapes.

    >>> from kbackend import Input, available_backends, layers
    >>> if "tensorflow" in available_backends():
    ...     import tensorflow as tf
    ...     scale = tf.Variable(2.0)
    ...     layer = layers.TFModule(tf.function(lambda x: x * scale))
    ...     assert layer(Input((3,))).shape == (None, 3) and [w.shape for w in layer.weights] == [()]
    """

    engine = "tensorflow"


__all__ = ["TFModule", "TorchModule", "TorchModuleWrapper"]
