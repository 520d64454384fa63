"""Pooling."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import config
from kbackend.layers.arguments import one_of, per_dimension
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class _Pooling2D(Layer):
    """Base class of pooling over windows of rows and columns."""

    mode = "max"
    arguments = ("pool_size", "strides", "padding", "data_format")

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = f"layer {self.name} ({type(self).__name__})"
        self.pool_size = per_dimension(pool_size, 2, "pool_size", label)
        self.strides = per_dimension(self.pool_size if strides is None else strides, 2, "strides", label)
        self.padding = one_of(padding, ("valid", "same"), "padding", label)
        self.data_format = config.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return K.pool2d(inputs, self.pool_size, self.strides, self.padding, self.data_format, self.mode)


class MaxPooling2D(_Pooling2D):
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


class AveragePooling2D(_Pooling2D):
    """The mean of each window; padding does not count. Arguments as :class:`MaxPooling2D`."""

    mode = "avg"


class _GlobalPooling2D(Layer):
    arguments = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.normalize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=4)

    @property
    def _axes(self) -> list[int]:
        return [2, 3] if self.data_format == "channels_first" else [1, 2]


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean over rows and columns: (batch, rows, columns, channels) to (batch, channels)."""

    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The maximum over rows and columns: (batch, rows, columns, channels) to (batch, channels)."""

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(Layer):
    """The mean over steps, of the unmasked ones when there is a mask: (batch, steps, features) to (batch,
    features)."""

    arguments = ("data_format", "keepdims")
    supports_masking = True

    def __init__(
        self, data_format: str | None = "channels_last", keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = config.normalize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axis = 2 if self.data_format == "channels_first" else 1
        if mask is None:
            return K.mean(inputs, axis=axis, keepdims=self.keepdims)
        weight = K.expand_dims(K.cast(mask, inputs.dtype), 3 - axis)
        total = K.sum(inputs * weight, axis=axis, keepdims=self.keepdims)
        # a sample whose steps are all masked gives 0, not NaN
        return total / K.maximum(K.sum(weight, axis=axis, keepdims=self.keepdims), 1.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


MaxPool2D, AvgPool2D = MaxPooling2D, AveragePooling2D
GlobalAvgPool2D, GlobalMaxPool2D, GlobalAvgPool1D = (
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GlobalAveragePooling1D,
)

__all__ = [
    "AveragePooling2D",
    "AvgPool2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "MaxPool2D",
    "MaxPooling2D",
]
