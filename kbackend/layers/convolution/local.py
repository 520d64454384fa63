"""Local convolutions: a kernel of its own at each position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.layers.arguments import described
from kbackend.layers.convolution.base import Convolution
from kbackend.layers.convolution.connections import connected, output_sizes, places
from kbackend.ops.indexing.segment import segment_sum
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.conv_local import local_convolution
from kbackend.runtime.foreign import apply


class _LocallyConnected(Convolution):
    """Base class of local convolutions; see :class:`LocallyConnected2D`."""

    arguments = (
        "filters",
        "kernel_initializer",
        "kernel_regularizer",
        "kernel_constraint",
        "implementation",
        *(name for name in Convolution.arguments if name != "dilation_rate"),
    )

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._set_filters(filters)
        self._set_window(kernel_size, strides, padding, data_format)
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
        if implementation not in (1, 2, 3):
            raise ValueError(f"{described(self)}: implementation must be 1, 2 or 3, it is {implementation!r}")
        if implementation == 1 and self.padding == "same":
            raise ValueError(f"{described(self)}: padding 'same' needs implementation 2 or 3, it is 1")
        self.implementation = implementation

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        sizes = tuple(input_shape[2:] if self._first else input_shape[1:-1])
        if None in sizes:
            raise ValueError(f"the spatial sizes of the input must be known, the shape is {tuple(input_shape)}")
        self._output = output_sizes(sizes, self.kernel_size, self.strides, self.padding)
        self._inputs, self._outputs = self._ordered(sizes, channels), self._ordered(self._output, self.filters)
        makers = {1: self._window_kernels, 2: self._dense_kernel, 3: self._flat_kernel}
        self.kernel = self.add_weight("kernel", makers[self.implementation](sizes, channels))
        self.bias = self.add_weight("bias", (*self._output, self.filters)) if self.use_bias else None

    def _ordered(self, sizes: Sequence[int], channels: int) -> tuple[int, ...]:
        return (channels, *sizes) if self._first else (*sizes, channels)

    # the three forms of the kernel --------------------------------------------------------------------------

    def _window_kernels(self, sizes: Sequence[int], channels: int) -> tuple[int, ...]:
        return (math.prod(self._output), math.prod(self.kernel_size) * channels, self.filters)

    def _dense_kernel(self, sizes: Sequence[int], channels: int) -> tuple[int, ...]:
        used = np.zeros((math.prod(sizes), math.prod(self._output)), bool)
        result, source = connected(sizes, self._output, self.kernel_size, self.strides, self.padding)
        used[source, result] = True
        used = used.reshape((*sizes, *self._output))
        self._used = np.expand_dims(used, (0, len(sizes) + 1) if self._first else (len(sizes), used.ndim + 1))
        return (*self._inputs, *self._outputs)

    def _flat_kernel(self, sizes: Sequence[int], channels: int) -> tuple[int, ...]:
        pairs = connected(sizes, self._output, self.kernel_size, self.strides, self.padding)
        self._results, self._sources = places(
            *pairs, math.prod(sizes), math.prod(self._output), channels, self.filters, self._first
        )
        return (len(self._results),)

    # the function -------------------------------------------------------------------------------------------

    def call(self, inputs: Any) -> Any:
        apart = {1: self._by_windows, 2: self._by_dense_kernel, 3: self._by_flat_kernel}
        y = apart[self.implementation](inputs)
        return apply(self.activation, y if self.bias is None else K.bias_add(y, self.bias, self.data_format))

    def _by_windows(self, inputs: Any) -> Any:
        return local_convolution(
            inputs,
            self.kernel,
            window=self.kernel_size,
            strides=self.strides,
            output=self._output,
            data_format=self.data_format,
        )

    def _by_dense_kernel(self, inputs: Any) -> Any:
        kernel = self.kernel * K.constant(self._used, self.compute_dtype)
        kernel = K.reshape(kernel, (math.prod(self._inputs), math.prod(self._outputs)))
        return self._shaped(matrix_multiply(K.batch_flatten(inputs), kernel))

    def _by_flat_kernel(self, inputs: Any) -> Any:
        rows = K.gather(K.transpose(K.batch_flatten(inputs)), K.constant(self._sources, "int32"))
        products = rows * K.expand_dims(self.kernel, -1)
        sums = segment_sum(products, K.constant(self._results, "int32"), math.prod(self._outputs), sorted=True)
        return self._shaped(K.transpose(sums))

    def _shaped(self, y: Any) -> Any:
        return K.reshape(y, (-1, *self._outputs))


class LocallyConnected1D(_LocallyConnected):
    """A convolution over steps with a kernel of its own at each position.

    Arguments, of one size, and errors as :class:`LocallyConnected2D`.

    >>> from kbackend import Input, layers
    >>> layers.LocallyConnected1D(8, 3)(Input((7, 2))).shape
    (None, 5, 8)
    """


class LocallyConnected2D(_LocallyConnected):
    """A convolution over rows and columns with a kernel of its own at each position.

    Args:
        filters: the number of output channels.
        kernel_size, strides: an integer or two.
        padding: 'valid'; or, with implementation 2 or 3, 'same', where the window of position i is centred at element
            ``i * stride`` and ends at the border.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.
        implementation: the form of the kernel: 1 for one of each position, 2 for a dense one that is masked, 3 for a
            vector of what a dense one uses. 2 is fast for small inputs, 3 for large and sparse ones.
        others: as :class:`kbackend.layers.Dense`.

    Weights: kernel, and bias (rows, columns, filters) of the result. The kernel of implementation 1 is (rows * columns,
    window * channels, filters), of 2 ``(*input, *output)`` with shapes of samples, of 3 a vector, by elements of the
    output and then of the input.

    Raises:
        ValueError: inputs of unknown size, and what :class:`Conv2D` refuses.

    >>> from kbackend import Input, layers
    >>> layers.LocallyConnected2D(8, (3, 2))(Input((5, 6, 1))).shape
    (None, 3, 5, 8)
    """

    rank = 2


__all__ = ["LocallyConnected1D", "LocallyConnected2D"]
