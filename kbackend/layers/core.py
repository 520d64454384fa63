"""Dense, activations, dropout, and layers that only move values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kbackend import activations, constraints, initializers, regularizers
from kbackend import backend as K
from kbackend.declare.op import DERIVED, REGISTRY
from kbackend.layers.arguments import positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.linalg.dense import dense
from kbackend.registry import find, plain
from kbackend.runtime.foreign import apply, takes


class Dense(Layer):
    """``activation(inputs @ kernel + bias)`` over the last axis.

    Args:
        units: the number of outputs.
        activation: a name or a function; none when None.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: initial values.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: applied after each training step.

    Shapes: (..., inputs) to (..., units). Weights: kernel (inputs, units), bias (units,).

    >>> from kbackend import Input, layers
    >>> layers.Dense(3)(Input((5,))).shape
    (None, 3)
    """

    arguments = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )
    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(units, "units", f"layer {self.name} (Dense)")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise ValueError(f"the last dimension of the input must be known, the shape is {input_shape}")
        self.kernel = self.add_weight("kernel", (size, self.units))
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    def call(self, inputs: Any) -> Any:
        return apply(self.activation, dense(inputs, self.kernel, self.bias))


class Activation(Layer):
    """A function of each element (or along the last axis).

    Args:
        activation: a name or a function, also an engine's own.
    """

    arguments = ("activation",)
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return apply(self.activation, inputs)

    def _twin(self) -> Layer:
        return type(self).from_config({**super().get_config(), "activation": self.activation})


class Flatten(Layer):
    """All dimensions but the first become one.

    Args:
        data_format: 'channels_first' moves the channels to the end before, so that weights fit both layouts.
    """

    arguments = ("data_format",)

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = K.permute_dimensions(inputs, (0, *range(2, inputs.ndim), 1))
        return K.batch_flatten(inputs)


class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: the shape without the batch dimension; one entry may be -1.

    Raises:
        ValueError: the number of elements differs.

    >>> from kbackend import Input, layers
    >>> layers.Reshape((-1, 2))(Input((6,))).shape
    (None, 3, 2)
    """

    arguments = ("target_shape",)

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(d) for d in target_shape)
        if sum(d == -1 for d in self.target_shape) > 1 or any(d < -1 for d in self.target_shape):
            raise ValueError(
                f"layer {self.name} (Reshape): target_shape may hold one -1 and no other negative number, it "
                f"is {tuple(target_shape)}"
            )

    def _resolved(self, shape: Sequence[int | None]) -> tuple[int, ...]:
        """The target with -1 computed, where the input's shape tells."""
        known = math.prod(d for d in self.target_shape if d != -1)
        if any(d is None for d in shape[1:]):
            return self.target_shape
        size = math.prod(d for d in shape[1:] if d is not None)
        fits = size == known if -1 not in self.target_shape else known and size % known == 0
        if not fits:
            raise ValueError(
                f"a sample of shape {tuple(shape[1:])} has {size} elements, which do not fit target_shape "
                f"{self.target_shape}"
            )
        return tuple(size // known if d == -1 else d for d in self.target_shape)

    def call(self, inputs: Any) -> Any:
        target = self._resolved(inputs.shape)
        batch = inputs.shape[0]
        if batch is None:
            batch = K.shape(inputs)[0] if -1 in target or 0 in target else -1
        return K.reshape(inputs, (batch, *target))


class Permute(Layer):
    """The dimensions of each sample in another order.

    Args:
        dims: the order, counted from 1, without the batch dimension.
    """

    arguments = ("dims",)

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"layer {self.name} (Permute): dims must hold each of 1 to {len(self.dims)} once, it is "
                f"{self.dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return K.permute_dimensions(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Repeats each sample ``n`` times: (batch, features) to (batch, n, features)."""

    arguments = ("n",)

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(n, "n", f"layer {self.name} (RepeatVector)")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)


class Lambda(Layer):
    """A function as a layer: of our ops, or an engine's own, such as ``tf.sigmoid`` or ``torch.sigmoid``.

    Args:
        function: called with the inputs, and with ``mask`` when it has such a parameter. A model with an
            engine's
            own function runs on that engine only.
        output_shape: for an engine's own function, the shape without the batch dimension, or a function of
            the input
            shape; found by asking the engine when None.
        mask: the mask of the result, or a function of (inputs, mask); none when None.
        arguments: further keyword arguments of the function.

    Variables that the function reads, ``arguments`` among them, are no weights of the layer, and training does not
    change them, unless it is told so: ``layer.trainable_weights = [variable]``, or an attribute of the layer.

    ``get_config`` writes the function's name, never its code: reading needs the function in
    ``custom_objects``.

    >>> from kbackend import Input, layers
    >>> layers.Lambda(lambda x: x * 2)(Input((3,))).shape
    (None, 3)
    """

    supports_masking = True
    _untracked = Layer._untracked | {"function_arguments"}

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function: Callable[..., Any] = _function_of(function)
        self._output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self.mask = mask
        self.function_arguments = dict(arguments or {})

    def call(self, inputs: Any, mask: Any = None) -> Any:
        given = dict(self.function_arguments)
        if mask is not None and takes(self.function, "mask"):
            given["mask"] = mask
        return apply(self.function, inputs, given, self._output_shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        for key, value in (
            ("function", self.function),
            ("output_shape", self._output_shape),
            ("mask", self.mask),
        ):
            found[key] = plain(value)
        return found | {"arguments": plain(self.function_arguments)}

    def _twin(self) -> Layer:
        common = super().get_config()
        return type(self)(self.function, self._output_shape, self.mask, self.function_arguments, **common)


def _function_of(function: Any) -> Callable[..., Any]:
    """The function, or the one that a configuration names."""
    if callable(function):
        return function
    if not isinstance(function, str):
        raise TypeError(f"a Lambda needs a function, it was given {function!r}")
    public = {name: getattr(K, name) for name in (*REGISTRY, *DERIVED) if callable(getattr(K, name, None))}
    return find(function, public, "function")


__all__ = [
    "Activation",
    "Dense",
    "Flatten",
    "Lambda",
    "Permute",
    "RepeatVector",
    "Reshape",
]
