"""Layers that give the elements of a sample another shape or order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import data_format_of, described, integers, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class Flatten(Layer):
    """All dimensions but the first become one.

    Args:
        data_format: 'channels_first' moves the channels to the end before, so that weights fit both layouts.

    Shapes: (batch, ...) of rank 2 or more, to (batch, n).

    >>> from kbackend import Input, layers
    >>> layers.Flatten()(Input((2, 3))).shape
    (None, 6)
    """

    arguments = ("data_format",)

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(self, data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = K.permute_dimensions(inputs, (0, *range(2, inputs.ndim), 1))
        return K.batch_flatten(inputs)


class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: the shape without the batch dimension; one entry may be -1.

    Raises:
        ValueError: the number of elements differs.

    >>> from kbackend import Input, layers
    >>> layers.Reshape((-1, 2))(Input((6,))).shape
    (None, 3, 2)
    """

    arguments = ("target_shape",)

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = integers(target_shape, "target_shape", described(self))
        if sum(d == -1 for d in self.target_shape) > 1 or any(d < -1 for d in self.target_shape):
            raise ValueError(
                f"{described(self)}: target_shape may hold one -1 and no other negative number, it "
                f"is {tuple(target_shape)}"
            )

    def _resolved(self, shape: Sequence[int | None]) -> tuple[int, ...]:
        """The target with -1 computed, where the input's shape tells."""
        known = math.prod(d for d in self.target_shape if d != -1)
        if any(d is None for d in shape[1:]):
            return self.target_shape
        size = math.prod(d for d in shape[1:] if d is not None)
        fits = size == known if -1 not in self.target_shape else known and size % known == 0
        if not fits:
            raise ValueError(
                f"a sample of shape {tuple(shape[1:])} has {size} elements, which do not fit target_shape "
                f"{self.target_shape}"
            )
        return tuple(size // known if d == -1 else d for d in self.target_shape)

    def call(self, inputs: Any) -> Any:
        target = self._resolved(inputs.shape)
        batch = inputs.shape[0]
        if batch is None:
            batch = K.shape(inputs)[0] if -1 in target or 0 in target else -1
        return K.reshape(inputs, (batch, *target))


class Permute(Layer):
    """The dimensions of each sample in another order.

    Args:
        dims: the order, counted from 1, without the batch dimension.

    Shapes: (batch, ...) to the same dimensions in another order.

    Raises:
        ValueError: ``dims`` that are not each of 1 to their number once.

    >>> from kbackend import Input, layers
    >>> layers.Permute((2, 1))(Input((2, 3))).shape
    (None, 3, 2)
    """

    arguments = ("dims",)

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = integers(dims, "dims", described(self))
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{described(self)}: dims must hold each of 1 to {len(self.dims)} once, it is "
                f"{self.dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return K.permute_dimensions(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Repeats each sample ``n`` times.

    Args:
        n: an integer.

    Shapes: (batch, features) to (batch, n, features).

    >>> from kbackend import Input, layers
    >>> layers.RepeatVector(4)(Input((3,))).shape
    (None, 4, 3)
    """

    arguments = ("n",)

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(n, "n", described(self))
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)


__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]
