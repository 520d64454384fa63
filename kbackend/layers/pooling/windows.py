"""Pooling over windows."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import data_format_of, described, one_of, per_dimension
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.nn.pooling import average_pool, max_pool


class _Pooling(Layer):
    """Base class of pooling over windows of ``rank`` spatial dimensions."""

    rank = 1
    arguments = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.pool_size = per_dimension(pool_size, self.rank, "pool_size", label)
        self.strides = per_dimension(
            self.pool_size if strides is None else strides, self.rank, "strides", label
        )
        self.padding = one_of(padding, ("valid", "same"), "padding", label)
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _MaxPooling(_Pooling):
    def call(self, inputs: Any) -> Any:
        return max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class _AveragePooling(_Pooling):
    def call(self, inputs: Any) -> Any:
        return average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(_MaxPooling):
    """The largest element of each window of steps: (batch, steps, features) to (batch, windows, features).

    Args:
        pool_size: the number of steps of a window.
        strides: the distance of windows; ``pool_size`` when None.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first' (batch, features, steps).

    Raises:
        ValueError: sizes below 1, an unknown padding, or a window longer than the steps.

    >>> from kbackend import Input, layers
    >>> layers.MaxPooling1D()(Input((7, 3))).shape
    (None, 3, 3)
    """


class MaxPooling2D(_MaxPooling):
    """The largest element of each window of rows and columns.

    Args:
        pool_size: the window, an integer or two.
        strides: ``pool_size`` when None.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.

    >>> from kbackend import Input, layers
    >>> layers.MaxPooling2D()(Input((5, 6, 1))).shape
    (None, 2, 3, 1)
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The largest element of each window of a volume; arguments, of three sizes, as :class:`MaxPooling2D`.

    Shapes: (batch, depth, rows, columns, channels) to the same with fewer positions.

    >>> from kbackend import Input, layers
    >>> layers.MaxPooling3D((1, 2, 2))(Input((4, 5, 6, 1))).shape
    (None, 4, 2, 3, 1)
    """

    rank = 3


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps; padding does not count. Arguments as :class:`MaxPooling1D`.

    >>> from kbackend import Input, layers
    >>> layers.AveragePooling1D(2)(Input((7, 3))).shape
    (None, 3, 3)
    """


class AveragePooling2D(_AveragePooling):
    """The mean of each window; padding does not count. Arguments as :class:`MaxPooling2D`.

    >>> from kbackend import Input, layers
    >>> layers.AveragePooling2D(2)(Input((5, 6, 1))).shape
    (None, 2, 3, 1)
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window of a volume; padding does not count. Arguments and shapes as :class:`MaxPooling3D`.

    >>> from kbackend import Input, layers
    >>> layers.AveragePooling3D((1, 2, 2))(Input((4, 5, 6, 1))).shape
    (None, 4, 2, 3, 1)
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]
