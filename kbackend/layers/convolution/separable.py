"""Convolutions of each channel by itself, followed by one across channels."""

from __future__ import annotations

from typing import Any

from kbackend.layers.convolution.base import Convolution
from kbackend.layers.convolution.depthwise import Depthwise
from kbackend.ops.nn.conv import convolution


class _SeparableConv(Depthwise):
    """Base class of separable convolutions; see :class:`SeparableConv2D`."""

    arguments = (
        "filters",
        "depth_multiplier",
        "depthwise_initializer",
        "pointwise_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
        *Convolution.arguments,
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._set_depth_multiplier(depth_multiplier)
        self._set_result(
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self._add_depthwise_kernel(input_shape)
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel", (*(1,) * self.rank, channels, self.filters)
        )
        self._add_bias(self.filters)

    def _convolved(self, x: Any) -> Any:
        return convolution(self._depthwise(x, None), self.pointwise_kernel, self.bias)


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution over steps and then a convolution of window 1.

    Padding may be 'causal' too. Arguments, of one size, and weights as :class:`SeparableConv2D`.

    Args:
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel of each channel.
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: of the kernel that mixes channels.

    >>> from kbackend import Input, layers
    >>> layers.SeparableConv1D(8, 3)(Input((7, 4))).shape
    (None, 5, 8)
    """

    paddings = ("valid", "same", "causal")


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution over rows and columns and then a convolution of window 1.

    Args:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: of the depthwise convolution, an integer or two.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        depth_multiplier: the number of results of each channel that the depthwise convolution gives.
        others: as :class:`kbackend.layers.Dense`; those of the two kernels begin with ``depthwise_`` and
            ``pointwise_``.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel of each channel.
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: of the kernel that mixes channels.

    Weights: depthwise kernel (rows, columns, channels, depth_multiplier), pointwise kernel (1, 1, channels *
    depth_multiplier, filters), bias (filters,).

    Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", 2017.

    >>> from kbackend import Input, layers
    >>> layers.SeparableConv2D(8, 3, padding="same")(Input((7, 6, 4))).shape
    (None, 7, 6, 8)
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D

__all__ = ["SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D"]
