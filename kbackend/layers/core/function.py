"""Functions as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kbackend import backend as K
from kbackend.declare.op import DERIVED, REGISTRY
from kbackend.layers.arguments import activation_of, described, mapping
from kbackend.layers.base.layer import Layer
from kbackend.registry import find, is_known, passed, plain
from kbackend.runtime.foreign import apply, takes


class Activation(Layer):
    """A function of each element (or along the last axis).

    Args:
        activation: a name or a function, also an engine's own.

    Shapes: any, to the same.

    >>> from kbackend import Input, layers
    >>> layers.Activation("tanh")(Input((3,))).shape
    (None, 3)
    """

    arguments = ("activation",)
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation_of(self, activation)

    def call(self, inputs: Any) -> Any:
        return apply(self.activation, inputs)

    def _twin(self, **changes: Any) -> Any:
        return super()._twin(activation=self.activation, **changes)


class Identity(Layer):
    """Passes its inputs on: a tensor or a nested structure of tensors, with their masks.

    Shapes: any, to the same, for each tensor.

    >>> from kbackend import Input, layers
    >>> layers.Identity()(Input((3,))).shape
    (None, 3)
    """

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Lambda(Layer):
    """A function as a layer: of our ops, or an engine's own, such as ``tf.sigmoid`` or ``torch.sigmoid``.

    Args:
        function: called with the inputs, and with ``mask`` when it has such a parameter. A model with an engine's own
            function runs on that engine only.
        output_shape: for an engine's own function, the shape without the batch dimension, or a function of the input
            shape; found by asking the engine when None.
        mask: the mask of the result, or a function of (inputs, mask); none when None.
        arguments: further keyword arguments of the function.

    Variables that the function reads, ``arguments`` among them, are no weights of the layer, and training does not
    change them, unless it is told so: ``layer.trainable_weights = [variable]``, or an attribute of the layer.

    ``get_config`` writes the function's name, never its code: reading needs the function in ``custom_objects``, by its
    name or that of the layer.

    Raises:
        TypeError: no function.

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
        label = described(self)
        try:
            self.function: Callable[..., Any] = _function_of(function)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{label}: {error}") from None
        self._output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self.mask = mask
        self.function_arguments = mapping(arguments, "arguments", label)

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
            ("output_shape", self._output_shape),
            ("mask", self.mask),
        ):
            found[key] = plain(value)
        found["function"] = _name_of(self.function)
        return found | {"arguments": plain(self.function_arguments)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer, with the function that ``custom_objects`` has for the name of the layer, or the one it names.

        Raises:
            ValueError: neither is known.
        """
        name, function = config.get("name"), config.get("function")
        given = passed().get(str(name))
        if callable(given):
            return cls(**{**config, "function": given})
        if isinstance(function, str) and not is_known(function, _public()):
            raise ValueError(
                f"the layer {name!r} is a Lambda of a Python function ({function}), whose code no configuration holds; "
                f"give the function in custom_objects={{{name!r}: function}}"
            )
        return cls(**config)

    def _twin(self, **changes: Any) -> Any:
        given = {**super().get_config(), "function": self.function, "output_shape": self._output_shape}
        given |= {"mask": self.mask, "arguments": self.function_arguments}
        return type(self)(**{**given, **changes})


def _function_of(function: Any) -> Callable[..., Any]:
    """The function, or the one that a configuration names."""
    if callable(function):
        return function
    if not isinstance(function, str):
        raise TypeError(f"a Lambda needs a function, it was given {function!r}")
    return find(function, _public(), "function")


def _name_of(function: Any) -> Any:
    """The name by which a configuration finds the function: that in K where it is one of K's."""
    return next((name for name, known in _public().items() if known is function), None) or plain(function)


def _public() -> dict[str, Any]:
    return {name: getattr(K, name) for name in (*REGISTRY, *DERIVED) if callable(getattr(K, name, None))}


__all__ = ["Activation", "Identity", "Lambda"]
