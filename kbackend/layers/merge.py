"""Layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described


class Merge(Layer):
    """Base class: combines a list of tensors, two at a time.

    Tensors of lower rank get dimensions of 1 after the batch dimension. The result's mask is True where all
    are. A merge of one's own overrides ``_merge_function(inputs)``, which gets the list of tensors.
    """

    supports_masking = True
    least = 2
    most: int | None = None

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        raise NotImplementedError

    def _check(self, inputs: Any) -> list[Any]:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError("it needs a list of tensors")
        if len(inputs) < self.least or self.most is not None and len(inputs) > self.most:
            raise ValueError(
                f"it needs {self.least}{'' if self.most == self.least else ' or more'} tensors, it was given "
                f"{len(inputs)}"
            )
        return list(inputs)

    def call(self, inputs: Any) -> Any:
        tensors = self._check(inputs)
        rank = max(t.ndim for t in tensors)
        return self._merge_function([_of_rank(t, rank) for t in tensors])

    def _check_masks(self, inputs: Any, mask: Any) -> None:
        """Refuse masks that are not one for each input."""
        if mask is None:
            return
        if not isinstance(inputs, (list, tuple)) or not isinstance(mask, (list, tuple)) or len(inputs) != len(mask):
            raise ValueError(
                f"{described(self)}: masks come in a list, one for each tensor of a list (None where it has none); "
                f"there are {_count(inputs)} and {_count(mask)}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        self._check_masks(inputs, mask)
        masks = [m for m in mask or () if m is not None]
        if len(masks) < 2:
            return masks[0] if masks else None
        return K.all(K.stack(masks, axis=0), axis=0)


def _count(values: Any) -> str:
    return f"a list of {len(values)}" if isinstance(values, (list, tuple)) else "no list"


def _of_rank(tensor: Any, rank: int) -> Any:
    while tensor.ndim < rank:
        tensor = K.expand_dims(tensor, axis=1)
    return tensor


class Add(Merge):
    """The sum of the inputs.

    Shapes: inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Add()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        result = inputs[0]
        for other in inputs[1:]:
            result = result + other
        return result


class Subtract(Merge):
    """The first input minus the second.

    Shapes: two inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Subtract()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    most = 2

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """The product of the inputs, element by element.

    Shapes: inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Multiply()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        result = inputs[0]
        for other in inputs[1:]:
            result = result * other
        return result


class Average(Add):
    """The mean of the inputs.

    Shapes: inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Average()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        return super()._merge_function(inputs) / float(len(inputs))


class Maximum(Merge):
    """The largest of the inputs, element by element.

    Shapes: inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Maximum()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        result = inputs[0]
        for other in inputs[1:]:
            result = K.maximum(result, other)
        return result


class Minimum(Merge):
    """The smallest of the inputs, element by element.

    Shapes: inputs that broadcast against each other, to their common shape.

    >>> from kbackend import Input, layers
    >>> layers.Minimum()([Input((3,)), Input((3,))]).shape
    (None, 3)
    """

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        result = inputs[0]
        for other in inputs[1:]:
            result = K.minimum(result, other)
        return result


class Concatenate(Merge):
    """The inputs one after the other along ``axis``; their other dimensions are the same.

    Masks are joined like the inputs; an input without a mask counts as unmasked.

    Args:
        axis: the axis; negative ones count from the end.

    Shapes: (batch, ..., n, ...) each, to that with the sum of the n along ``axis``.

    >>> from kbackend import Input, layers
    >>> layers.Concatenate()([Input((3,)), Input((2,))]).shape
    (None, 5)
    """

    arguments = ("axis",)

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return self._merge_function(self._check(inputs))

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        return K.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        self._check_masks(inputs, mask)
        if mask is None or all(m is None for m in mask):
            return None
        parts = []
        for tensor, part in zip(inputs, mask):
            if part is None:
                part = K.ones_like(tensor[..., :1], dtype="bool")
            parts.append(K.expand_dims(part, -1) if part.ndim < tensor.ndim else part)
        return K.all(K.concatenate(parts, axis=self.axis), axis=-1)


class Dot(Merge):
    """The product of two inputs over one axis of each, sample by sample.

    Args:
        axes: the axis of both, or a pair; see ``K.batch_dot``.
        normalize: divide by the norms first, which gives cosines.

    Shapes: (batch, ..., n, ...) twice, to (batch, ...) without the axes, and (batch, 1) of two vectors.

    Raises:
        ValueError: ``axes`` that are neither an integer nor two.

    >>> from kbackend import Input, layers
    >>> layers.Dot(axes=1)([Input((3,)), Input((3,))]).shape
    (None, 1)
    """

    arguments = ("axes", "normalize")
    most = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or not all(isinstance(a, int) for a in pair):
            raise ValueError(f"{described(self)}: axes must be an integer or two of them, it is {axes!r}")
        self.axes = axes if isinstance(axes, int) else tuple(axes)
        self.normalize = normalize

    def call(self, inputs: Any) -> Any:
        return self._merge_function(self._check(inputs))

    def _merge_function(self, inputs: Sequence[Any]) -> Any:
        x, y = inputs
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        axes = [a % t.ndim for a, t in zip(pair, (x, y))]
        if self.normalize:
            x, y = K.l2_normalize(x, axis=axes[0]), K.l2_normalize(y, axis=axes[1])
        return K.batch_dot(x, y, axes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of tensors, as a layer.

    Other arguments, shapes and errors as :class:`Add`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.add([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first tensor minus the second, as a layer.

    Other arguments, shapes and errors as :class:`Subtract`.

    Args:
        inputs: two tensors.

    >>> from kbackend import Input, layers
    >>> layers.subtract([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of tensors, element by element, as a layer.

    Other arguments, shapes and errors as :class:`Multiply`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.multiply([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of tensors, as a layer.

    Other arguments, shapes and errors as :class:`Average`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.average([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of tensors, element by element, as a layer.

    Other arguments, shapes and errors as :class:`Maximum`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.maximum([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of tensors, element by element, as a layer.

    Other arguments, shapes and errors as :class:`Minimum`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.minimum([Input((3,)), Input((3,))]).shape
    (None, 3)
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Tensors one after the other along ``axis``, as a layer.

    Other arguments, shapes and errors as :class:`Concatenate`.

    Args:
        inputs: a list of tensors.

    >>> from kbackend import Input, layers
    >>> layers.concatenate([Input((3,)), Input((2,))]).shape
    (None, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, normalize: bool = False, **kwargs: Any) -> Any:
    """The product of two tensors over one axis of each, as a layer.

    Other arguments, shapes and errors as :class:`Dot`.

    Args:
        inputs: two tensors.

    >>> from kbackend import Input, layers
    >>> layers.dot([Input((3,)), Input((3,))], axes=1).shape
    (None, 1)
    """
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)


__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
