"""Layers that add borders of zeros."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import data_format_of, described, pairs
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.arrays.pad import pad


class _ZeroPadding(Layer):
    """Base class: adds zeros at both ends of the spatial dimensions."""

    rank = 1
    arguments = ("padding", "data_format")

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = pairs(padding, self.rank, "padding", described(self))
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        none = ((0, 0),)
        first = self.data_format == "channels_first"
        return pad(inputs, (*none, *none, *self.padding) if first else (*none, *self.padding, *none))


class ZeroPadding1D(_ZeroPadding):
    """Steps of zeros before and after: (batch, steps, features) to (batch, before + steps + after, features).

    Args:
        padding: an integer for both ends, or a pair (before, after).
        data_format: 'channels_last' or 'channels_first' (batch, features, steps).

    >>> from kbackend import Input, layers
    >>> layers.ZeroPadding1D((1, 2))(Input((5, 3))).shape
    (None, 8, 3)
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": list(self.padding[0])}


class ZeroPadding2D(_ZeroPadding):
    """Rows and columns of zeros around images.

    Args:
        padding: an integer for all borders, a pair (rows, columns) of integers for both ends, or two pairs
            ((top, bottom), (left, right)).
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.

    >>> from kbackend import Input, layers
    >>> layers.ZeroPadding2D(((1, 0), (2, 2)))(Input((5, 6, 3))).shape
    (None, 6, 10, 3)
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes; arguments, of three entries, as :class:`ZeroPadding2D`.

    Shapes: (batch, depth, rows, columns, channels) to the same with more positions.

    >>> from kbackend import Input, layers
    >>> layers.ZeroPadding3D()(Input((4, 5, 6, 2))).shape
    (None, 6, 7, 8, 2)
    """

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


__all__ = ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]
