"""Global pooling: over all positions."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import data_format_of
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class _GlobalPooling(Layer):
    """Base class of pooling over all spatial dimensions."""

    rank = 1
    arguments = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(self, data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> list[int]:
        start = 2 if self.data_format == "channels_first" else 1
        return list(range(start, start + self.rank))


class _GlobalAverage(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class _GlobalMax(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over steps, of the unmasked ones when there is a mask: (batch, steps, features) to (batch,
    features). A sample whose steps are all masked gives 0.

    Args:
        data_format: 'channels_last' or 'channels_first' (batch, features, steps).
        keepdims: whether the steps stay as a dimension of size 1.

    >>> from kbackend import Input, layers
    >>> layers.GlobalAveragePooling1D()(Input((7, 3))).shape
    (None, 3)
    """

    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        (axis,) = self._axes
        if mask is None:
            return K.mean(inputs, axis=axis, keepdims=self.keepdims)
        weight = K.expand_dims(K.cast(mask, inputs.dtype), 3 - axis)
        total = K.sum(inputs * weight, axis=axis, keepdims=self.keepdims)
        # a sample whose steps are all masked gives 0, not NaN
        return total / K.maximum(K.sum(weight, axis=axis, keepdims=self.keepdims), 1.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean over rows and columns: (batch, rows, columns, channels) to (batch, channels).

    Args:
        data_format: 'channels_last' or 'channels_first'.
        keepdims: whether rows and columns stay as dimensions of size 1.

    Shapes: (batch, rows, columns, channels) to (batch, channels), or (batch, 1, 1, channels) with ``keepdims``.

    >>> from kbackend import Input, layers
    >>> layers.GlobalAveragePooling2D(keepdims=True)(Input((5, 6, 3))).shape
    (None, 1, 1, 3)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean over volumes: (batch, depth, rows, columns, channels) to (batch, channels). Arguments as
    :class:`GlobalAveragePooling2D`.

    Shapes: (batch, depth, rows, columns, channels) to (batch, channels), or (batch, 1, 1, 1, channels) with
    ``keepdims``.

    >>> from kbackend import Input, layers
    >>> layers.GlobalAveragePooling3D()(Input((4, 5, 6, 3))).shape
    (None, 3)
    """

    rank = 3


class GlobalMaxPooling1D(_GlobalMax):
    """The maximum over steps: (batch, steps, features) to (batch, features). Arguments as
    :class:`GlobalAveragePooling1D`.

    >>> from kbackend import Input, layers
    >>> layers.GlobalMaxPooling1D()(Input((7, 3))).shape
    (None, 3)
    """


class GlobalMaxPooling2D(_GlobalMax):
    """The maximum over rows and columns: (batch, rows, columns, channels) to (batch, channels). Arguments and shapes as
    :class:`GlobalAveragePooling2D`.

    >>> from kbackend import Input, layers
    >>> layers.GlobalMaxPooling2D()(Input((5, 6, 3))).shape
    (None, 3)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """The maximum over volumes: (batch, depth, rows, columns, channels) to (batch, channels). Arguments as
    :class:`GlobalAveragePooling2D`.

    Shapes: (batch, depth, rows, columns, channels) to (batch, channels), or (batch, 1, 1, 1, channels) with
    ``keepdims``.

    >>> from kbackend import Input, layers
    >>> layers.GlobalMaxPooling3D()(Input((4, 5, 6, 3))).shape
    (None, 3)
    """

    rank = 3


GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]
