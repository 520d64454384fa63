"""Scaling of numbers, by constants or by the statistics of data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config, dtypes
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.graph.tensor import Tensor
from kbackend.layers.arguments import integers, scalar
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described
from kbackend.layers.base.structures import as_list


def floats(inputs: Any) -> Any:
    """The inputs, as floatx where they are not floats."""
    return inputs if dtypes.is_float(dtype_of(inputs)) else K.cast(inputs, config.floatx())


class Rescaling(Layer):
    """``inputs * scale + offset``, in floats.

    Args:
        scale, offset: numbers, lists of numbers along the last axis, or scalar K.variables, which stay live.

    Shapes: any, kept.

    Raises:
        ValueError: a scale or offset that is neither a number nor a list of numbers.

    >>> import numpy as np
    >>> from kbackend import K, layers
    >>> K.eval(layers.Rescaling(1 / 255.0)(np.array([[0, 255]]))).tolist()
    [[0.0, 1.0]]
    """

    arguments = ("scale", "offset")
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _number_or_list(scale, "scale", self)
        self.offset = _number_or_list(offset, "offset", self)

    def call(self, inputs: Any) -> Any:
        x = floats(inputs)
        scale, offset = (
            K.cast(v, x.dtype) if isinstance(v, Tensor) else np.asarray(v, dtypes.numpy_dtype(x.dtype))
            for v in (self.scale, self.offset)
        )
        return x * scale + offset


def _number_or_list(value: Any, name: str, layer: Layer) -> Any:
    if isinstance(value, Tensor):
        return scalar(value, name, described(layer))
    try:
        array = np.asarray(to_numpy(value) if hasattr(value, "shape") else value)
        if array.dtype.kind not in "iuf":  # NumPy makes numbers of None and of texts
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{described(layer)}: {name} must be a number or a list of numbers, it is {value!r}") from None
    return array.tolist()


class Normalization(Layer):
    """``(inputs - mean) / sqrt(variance)``, with statistics that are given or come from data.

    Args:
        axis: the axis, or axes, along which each position has a mean and a variance of its own; None for one of all
            numbers. Their sizes must be known.
        mean, variance: the statistics, broadcast along ``axis``; both or none. Without them :meth:`adapt` finds them.
        invert: ``inputs * sqrt(variance) + mean`` instead.

    A deviation below ``K.epsilon()`` counts as that.

    Shapes: any, kept. Weights, unless mean and variance are given: mean and variance, of the sizes of ``axis``, and
    count (); none is trained.

    Raises:
        ValueError: one of mean and variance alone, or two shapes; an axis that the input has not.

    >>> import numpy as np
    >>> from kbackend import K, layers
    >>> layer = layers.Normalization()
    >>> layer.adapt(np.array([[0.0], [2.0]]))
    >>> K.eval(layer(np.array([[3.0]]))).tolist()
    [[2.0]]
    """

    arguments = ("axis", "mean", "variance", "invert")
    supports_masking = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = None if axis is None else integers(as_list(axis), "axis", described(self))
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{described(self)}: give both mean and variance, or none; they are {mean!r} and {variance!r}"
            )
        self.mean = None if mean is None else np.asarray(mean, np.float64)
        self.variance = None if variance is None else np.asarray(variance, np.float64)
        self.invert = invert
        if self.mean is not None and self.variance is not None:
            if self.mean.shape != self.variance.shape or self.mean.ndim > len(self._axes_given):
                raise ValueError(
                    f"{described(self)}: mean and variance must have one shape, of at most {len(self._axes_given)} "
                    f"dimensions for the axis {axis}; their shapes are {self.mean.shape} and {self.variance.shape}"
                )

    @property
    def _axes_given(self) -> tuple[int, ...]:
        return self.axis or ()

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self._axes_given):
            raise ValueError(f"axis is {self.axis}, the input has the shape {tuple(input_shape)}")
        self._kept = tuple(sorted({a % rank for a in self._axes_given}))
        sizes = tuple(input_shape[a] for a in self._kept)
        if None in sizes:
            raise ValueError(
                f"the sizes of the axis {self.axis} must be known, the input has the shape {tuple(input_shape)}"
            )
        self._sizes = sizes
        if self.mean is None:
            self._adapted_mean = self.add_weight("mean", sizes, initializer="zeros", trainable=False)
            self._adapted_variance = self.add_weight("variance", sizes, initializer="ones", trainable=False)
            self._count = self.add_weight("count", (), dtype="int32", initializer="zeros", trainable=False)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take mean and variance from data, in place of those before.

        Args:
            data: an array with the samples along its first axis, or an iterable of batches.
            batch_size: accepted as by Keras; the result does not depend on it.
            steps: take so many batches of an iterable; all when None.

        Raises:
            ValueError: mean and variance were given; no data; batches of another shape.
        """
        if self.mean is not None:
            raise ValueError(
                f"{described(self)} has the mean and variance that it was given; leave them out to adapt it"
            )
        parts = _Moments()
        for batch in batches(data, steps):
            if not self.built:
                self.build(batch.shape)
                self.built = True
            if tuple(batch.shape[a] for a in self._kept) != self._sizes:
                raise ValueError(
                    f"{described(self)} has statistics of the sizes {self._sizes} along the axis {self.axis}, a batch "
                    f"has the shape {batch.shape}"
                )
            parts.add(batch, tuple(a for a in range(batch.ndim) if a not in self._kept))
        if not parts.count:
            raise ValueError(f"{described(self)} was given no data to adapt to")
        self._adapted_mean.assign(parts.mean)
        self._adapted_variance.assign(parts.variance)

    def call(self, inputs: Any) -> Any:
        x = floats(inputs)
        mean, variance = self._statistics(x)
        deviation = K.maximum(K.sqrt(variance), config.epsilon())
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def _statistics(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance with an axis of 1 for each axis that has none of its own."""
        if self.mean is None or self.variance is None:
            sizes = dict(zip(self._kept, self._sizes))
            shape = [sizes.get(a, 1) for a in range(len(x.shape))]
            mean, variance = (
                K.cast(K.reshape(s, shape), x.dtype) for s in (self._adapted_mean, self._adapted_variance)
            )
            return mean, variance
        shape = [1] * len(x.shape)
        for a, n in zip(self._kept[len(self._kept) - self.mean.ndim :], self.mean.shape):
            shape[a] = n
        mean, variance = (K.constant(np.reshape(s, shape), dtype=x.dtype) for s in (self.mean, self.variance))
        return mean, variance


class _Moments:
    """Mean and variance of batches, joined without the loss of a sum of squares."""

    def __init__(self) -> None:
        self.count, self.mean, self.variance = 0, np.zeros(()), np.zeros(())

    def add(self, batch: np.ndarray, axes: tuple[int, ...]) -> None:
        values = batch.astype(np.float64)
        count = int(np.prod([values.shape[a] for a in axes])) if axes else 1
        if not count:
            return
        mean, variance = values.mean(axis=axes), values.var(axis=axes)
        total = self.count + count
        share = count / total
        apart = mean - self.mean
        self.variance = self.variance * (1 - share) + variance * share + apart**2 * share * (1 - share)
        self.mean = self.mean + apart * share
        self.count = total


def batches(data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """Arrays from an array, or from an iterable of batches, of which a tuple's first part counts."""
    if hasattr(data, "shape"):
        yield to_numpy(data)
        return
    for i, batch in enumerate(data):
        if steps is not None and i >= steps:
            return
        first = batch[0] if isinstance(batch, tuple) else batch
        yield to_numpy(first) if hasattr(first, "shape") else np.asarray(first)


__all__ = ["Normalization", "Rescaling"]
