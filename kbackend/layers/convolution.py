"""Convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import activations, config, constraints, initializers, regularizers
from kbackend import backend as K
from kbackend.layers.arguments import one_of, per_dimension, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.nn.conv import convolution
from kbackend.runtime.foreign import apply


class Conv(Layer):
    """Base class of convolutions over ``rank`` spatial dimensions; see :class:`Conv2D`."""

    rank = 2
    paddings: tuple[str, ...] = ("valid", "same")
    arguments = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        label = f"layer {self.name} ({type(self).__name__})"
        self.filters = positive(filters, "filters", label)
        self.kernel_size = per_dimension(kernel_size, self.rank, "kernel_size", label)
        self.strides = per_dimension(strides, self.rank, "strides", label)
        self.padding = one_of(padding, self.paddings, "padding", label)
        self.data_format = config.normalize_data_format(data_format)
        self.dilation_rate = per_dimension(dilation_rate, self.rank, "dilation_rate", label)
        self.groups = positive(groups, "groups", label)
        if self.filters % self.groups:
            raise ValueError(
                f"{label}: filters ({self.filters}) must be a multiple of groups ({self.groups})"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{label}: strides and dilation_rate cannot both be above 1, they are {self.strides} and "
                f"{self.dilation_rate}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"the channels of the input must be known, the shape is {input_shape} and data_format is "
                f"{self.data_format!r}"
            )
        if channels % self.groups:
            raise ValueError(
                f"the input has {channels} channels, which is not a multiple of groups ({self.groups})"
            )
        self.kernel = self.add_weight(
            "kernel", (*self.kernel_size, channels // self.groups, self.filters)
        )
        self.bias = self.add_weight("bias", (self.filters,)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})

    def _padding(self) -> Any:
        if self.padding != "causal":
            return self.padding
        return ((self.dilation_rate[0] * (self.kernel_size[0] - 1), 0),)

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        if first:
            inputs = K.permute_dimensions(inputs, (0, *range(2, self.rank + 2), 1))
        result = convolution(
            inputs,
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self._padding(),
            dilation=self.dilation_rate,
            groups=self.groups,
        )
        if first:
            result = K.permute_dimensions(result, (0, self.rank + 1, *range(1, self.rank + 1)))
        return apply(self.activation, result)


class Conv1D(Conv):
    """Convolution over steps: (batch, steps, channels) to (batch, new steps, filters).

    Padding 'causal' lets a result see no later step. Other arguments and weights as :class:`Conv2D`.
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    """Convolution over rows and columns, with bias and activation.

    Args:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'; the odd pad of 'same' goes to the end.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        groups: channels and filters are cut into so many groups, each convolved on its own.
        others: as :class:`kbackend.layers.Dense`.

    Weights: kernel (rows, columns, channels / groups, filters), bias (filters,).

    >>> from kbackend import Input, layers
    >>> layers.Conv2D(8, 3, padding="same")(Input((5, 6, 1))).shape
    (None, 5, 6, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, *args, **kwargs)


Convolution1D = Conv1D
Convolution2D = Conv2D

__all__: Sequence[str] = ["Conv1D", "Conv2D", "Convolution1D", "Convolution2D"]
