"""Transposed convolutions over one to three dimensions."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import described
from kbackend.layers.convolution.base import Convolution
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.sizes import split_entries
from kbackend.ops.nn.conv_transpose import convolution_transpose
from kbackend.ops.nn.windows import checked_padding, integers
from kbackend.plugin.geometry import Axis, axes_of


class _ConvTranspose(Convolution):
    """Base class of transposed convolutions; see :class:`Conv2DTranspose`."""

    arguments = ("filters", "output_padding", "kernel_initializer", "kernel_regularizer", "kernel_constraint") + (
        Convolution.arguments
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = None if output_padding is None else self._checked_output_padding(output_padding)
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

    def _checked_output_padding(self, value: Any) -> tuple[int, ...]:
        try:
            found = integers("output_padding", value, self.rank, least=0)
        except ValueError as error:
            raise ValueError(f"{described(self)}: {error}") from None
        if any(more >= stride for more, stride in zip(found, self.strides)):
            raise ValueError(
                f"{described(self)}: output_padding {found} must be smaller than the strides {self.strides}"
            )
        return found

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight("kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def _convolved(self, x: Any) -> Any:
        axes = axes_of(
            self.kernel_size, self.strides, checked_padding(self.padding, self.rank), self.dilation_rate
        )
        extra = self.output_padding or (None,) * self.rank
        wanted = [_size(axis, length(x, place), more) for place, (axis, more) in enumerate(zip(axes, extra), 1)]
        sizes, size = split_entries(wanted)
        y = convolution_transpose(
            x,
            self.kernel,
            sizes,
            size=size,
            strides=self.strides,
            padding=self.padding,
            dilation=self.dilation_rate,
        )
        return y if self.bias is None else y + self.bias


def _size(axis: Axis, positions: Any, extra: int | None) -> Any:
    """The size of the result along an axis, for an output padding."""
    if extra is None:
        return axis.usual(positions)
    padded = 2 * (axis.reach // 2) if axis.pair is None else 0
    return (positions - 1) * axis.stride + axis.reach - padded + extra


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over steps: (batch, steps, channels) to (batch, new steps, filters).

    Arguments, of one size, and weights as :class:`Conv2DTranspose`.

    >>> from kbackend import Input, layers
    >>> layers.Conv1DTranspose(8, 3, strides=2, padding="same")(Input((5, 2))).shape
    (None, 10, 8)
    """


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over rows and columns: the gradient of a convolution, as a layer.

    Args:
        filters: the number of output channels.
        kernel_size, strides, dilation_rate: an integer or two.
        padding: 'valid' or 'same'.
        output_padding: an integer or two, below the strides: the size of the result along a dimension of n elements is
            ``(n - 1) * stride + window - 2 * pad + output_padding``, where pad is 0 for 'valid' and ``window // 2``
            for 'same'. When None it is ``n * stride`` for 'same' and ``n * stride + max(window - stride, 0)`` for
            'valid'.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        others: as :class:`kbackend.layers.Dense`.

    Weights: kernel (rows, columns, filters, channels), bias (filters,).

    Raises:
        ValueError: sizes below 1, an unknown padding, or an output padding as large as the strides.

    Source: Dumoulin and Visin, "A Guide to Convolution Arithmetic for Deep Learning", 2016.

    >>> from kbackend import Input, layers
    >>> layers.Conv2DTranspose(8, 3, strides=2)(Input((5, 6, 1))).shape
    (None, 11, 13, 8)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes; arguments, of three sizes, and weights as :class:`Conv2DTranspose`.

    >>> from kbackend import Input, layers
    >>> layers.Conv3DTranspose(8, 2, strides=(1, 2, 2), padding="same")(Input((3, 4, 5, 1))).shape
    (None, 3, 8, 10, 8)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        *others: Any,
        **kwargs: Any,
    ) -> None:
        # the order of data_format and output_padding is Keras's, and another one than over two dimensions
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, *others, **kwargs
        )


Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)

__all__ = [
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "Convolution1DTranspose",
    "Convolution2DTranspose",
    "Convolution3DTranspose",
]
