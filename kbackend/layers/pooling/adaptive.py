"""Adaptive pooling: to a given size."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import data_format_of, described, per_dimension
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.nn.pooling import adaptive_average_pool, adaptive_max_pool


class _AdaptivePooling(Layer):
    """Base class of pooling to ``output_size``."""

    rank = 1
    arguments = ("output_size", "data_format")

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = per_dimension(output_size, self.rank, "output_size", described(self))
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _AdaptiveAverage(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return adaptive_average_pool(inputs, self.output_size, self.data_format)


class _AdaptiveMax(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """The mean of each of ``output_size`` windows that cover the steps.

    Window i of n steps goes from ``floor(i n / output_size)`` to ``ceil((i + 1) n / output_size)``.

    Args:
        output_size: the number of windows.
        data_format: 'channels_last' (batch, steps, features) or 'channels_first'.

    Raises:
        ValueError: a size below 1, or inputs of unknown size.

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveAveragePooling1D(3)(Input((7, 2))).shape
    (None, 3, 2)
    """


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """The mean of each of ``output_size`` windows that cover rows and columns.

    Args:
        output_size: the number of windows, an integer or two.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.

    Raises:
        ValueError: a size below 1, or inputs of unknown size.

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveAveragePooling2D((2, 3))(Input((5, 6, 1))).shape
    (None, 2, 3, 1)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """The mean of each window that covers a volume; arguments, of three sizes, as :class:`AdaptiveAveragePooling2D`.

    Shapes: (batch, depth, rows, columns, channels) to (batch, output sizes..., channels).

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveAveragePooling3D((1, 2, 3))(Input((4, 5, 6, 2))).shape
    (None, 1, 2, 3, 2)
    """

    rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """The largest element of each window of steps; windows and arguments as :class:`AdaptiveAveragePooling1D`.

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveMaxPooling1D(3)(Input((7, 2))).shape
    (None, 3, 2)
    """


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """The largest element of each window; windows and arguments as :class:`AdaptiveAveragePooling2D`.

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveMaxPooling2D((2, 3))(Input((5, 6, 1))).shape
    (None, 2, 3, 1)
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """The largest element of each window; shapes and arguments as :class:`AdaptiveAveragePooling3D`.

    >>> from kbackend import Input, layers
    >>> layers.AdaptiveMaxPooling3D(2)(Input((4, 5, 6, 2))).shape
    (None, 2, 2, 2, 2)
    """

    rank = 3


__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]
