"""Layers that cut off borders."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import data_format_of, described, pairs
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class _Cropping(Layer):
    """Base class: cuts elements off both ends of the spatial dimensions."""

    rank = 1
    arguments: tuple[str, ...] = ("cropping", "data_format")

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs(cropping, self.rank, "cropping", described(self))
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        start = 2 if self.data_format == "channels_first" else 1
        kept = [self._kept(n, *pair) for n, pair in zip(inputs.shape[start:], self.cropping)]
        return inputs[*[slice(None)] * start, *kept]

    def _kept(self, size: int | None, before: int, after: int) -> slice:
        if size is not None and before + after >= size:
            raise ValueError(f"cropping {self.cropping} leaves nothing of a dimension of size {size}; crop less")
        return slice(before, -after if after else None)


class Cropping1D(_Cropping):
    """Steps cut off: (batch, steps, features) to (batch, steps - before - after, features).

    Args:
        cropping: an integer for both ends, or a pair (before, after).

    Raises:
        ValueError: nothing would be left.

    >>> from kbackend import Input, layers
    >>> layers.Cropping1D((1, 2))(Input((5, 3))).shape
    (None, 2, 3)
    """

    arguments = ("cropping",)

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": list(self.cropping[0])}


class Cropping2D(_Cropping):
    """Rows and columns cut off.

    Args:
        cropping: an integer for all borders, a pair (rows, columns) of integers for both ends, or two pairs
            ((top, bottom), (left, right)).
        data_format: 'channels_last' (batch, rows, columns, channels) or 'channels_first'.

    Raises:
        ValueError: nothing would be left.

    >>> from kbackend import Input, layers
    >>> layers.Cropping2D(((1, 0), (2, 2)))(Input((5, 6, 3))).shape
    (None, 4, 2, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """The borders of volumes cut off; arguments, of three entries, as :class:`Cropping2D`.

    Shapes: (batch, depth, rows, columns, channels) to the same with fewer positions.

    >>> from kbackend import Input, layers
    >>> layers.Cropping3D(1)(Input((4, 5, 6, 2))).shape
    (None, 2, 3, 4, 2)
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


__all__ = ["Cropping1D", "Cropping2D", "Cropping3D"]
