"""Convolutions over one to three dimensions."""

from __future__ import annotations

from typing import Any

from kbackend.layers.convolution.base import Convolution
from kbackend.layers.low_rank import LowRank
from kbackend.ops.nn.conv import convolution


class _Conv(LowRank, Convolution):
    """Base class of convolutions; see :class:`Conv2D`."""

    arguments = ("filters", "groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint") + (
        Convolution.arguments
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
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters, groups)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_result(
            activation,
            use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self._set_rank(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"the input has {channels} channels, which is not a multiple of groups ({self.groups})"
            )
        self.kernel = self.add_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)
        self._add_rank()

    def _convolved(self, x: Any) -> Any:
        return convolution(
            x,
            self._adapted_weight(self.kernel),
            self.bias,
            strides=self.strides,
            padding=self._pairs(),
            dilation=self.dilation_rate,
            groups=self.groups,
        )


class Conv1D(_Conv):
    """Convolution over steps: (batch, steps, channels) to (batch, new steps, filters).

    Padding 'causal' lets a result see no later step. Other arguments and weights as :class:`Conv2D`.

    >>> from kbackend import Input, layers
    >>> layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(Input((9, 2))).shape
    (None, 9, 8)
    """

    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution over rows and columns, with bias and activation.

    Args:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'; the odd pad of 'same' goes to the end.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        groups: channels and filters are cut into so many groups, each convolved on its own.
        others: as :class:`kbackend.layers.Dense`.

    Weights: kernel (rows, columns, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: sizes below 1, an unknown padding, groups that do not divide filters and channels, strides and
            dilation together, or a window larger than the inputs.

    >>> from kbackend import Input, layers
    >>> layers.Conv2D(8, 3, padding="same")(Input((5, 6, 1))).shape
    (None, 5, 6, 8)
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution over volumes: (batch, depth, rows, columns, channels) to (batch, depth, rows, columns, filters).

    Arguments, of three sizes, and weights as :class:`Conv2D`.

    >>> from kbackend import Input, layers
    >>> layers.Conv3D(8, (1, 2, 3))(Input((4, 5, 6, 1))).shape
    (None, 4, 4, 4, 8)
    """

    rank = 3


Convolution1D = Conv1D

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D"]
