"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import described, positive
from kbackend.layers.convolution.base import Convolution
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.nn.conv import convolution

_ROLES = ("depthwise_initializer", "depthwise_regularizer", "depthwise_constraint")


class Depthwise(Convolution):
    """Base class of layers with a depthwise kernel."""

    def _add_depthwise_kernel(self, input_shape: Any) -> int:
        """Make the kernel; returns the number of channels of the result."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier)
        )
        return channels * self.depth_multiplier

    def _depthwise(self, x: Any, bias: Any) -> Any:
        """A convolution with one group for each channel."""
        channels, multiplier = self.depthwise_kernel.shape[-2] or 0, self.depth_multiplier
        return convolution(
            x,
            reshape(self.depthwise_kernel, (*self.kernel_size, 1, channels * multiplier)),
            bias,
            strides=self.strides,
            padding=self._pairs(),
            dilation=self.dilation_rate,
            groups=channels,
        )

    def _set_depth_multiplier(self, value: Any) -> None:
        self.depth_multiplier = positive(value, "depth_multiplier", described(self))


class _DepthwiseConv(Depthwise):
    """Base class of depthwise convolutions; see :class:`DepthwiseConv2D`."""

    arguments = ("depth_multiplier", *_ROLES, *Convolution.arguments)

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_depth_multiplier(depth_multiplier)
        self._set_result(
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        self._add_bias(self._add_depthwise_kernel(input_shape))

    def _convolved(self, x: Any) -> Any:
        return self._depthwise(x, self.bias)


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution of each channel by itself over steps.

    Arguments, of one size, and weights as :class:`DepthwiseConv2D`.

    Args:
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel.

    >>> from kbackend import Input, layers
    >>> layers.DepthwiseConv1D(3, depth_multiplier=2)(Input((7, 4))).shape
    (None, 5, 8)
    """


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution of each channel by itself over rows and columns.

    Args:
        kernel_size, strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'.
        depth_multiplier: the number of results of each channel.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        others: as :class:`kbackend.layers.Dense`; those of the kernel begin with ``depthwise_``.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel.

    Weights: depthwise kernel (rows, columns, channels, depth_multiplier), bias (channels * depth_multiplier,).

    >>> from kbackend import Input, layers
    >>> layers.DepthwiseConv2D(3, depth_multiplier=2)(Input((7, 8, 4))).shape
    (None, 5, 6, 8)
    """

    rank = 2


__all__ = ["DepthwiseConv1D", "DepthwiseConv2D"]
