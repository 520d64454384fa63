"""Numbers as categories, and categories as vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.graph.tensor import Tensor
from kbackend.layers.arguments import described, number, one_of, positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.preprocessing.numeric import batches, floats
from kbackend.ops.indexing.searching import searchsorted

MODES = ("int", "one_hot", "multi_hot", "count")


def dense_only(sparse: bool, label: str) -> None:
    """Refuse results of the sparse kind.

    Raises:
        ValueError: they are asked for.
    """
    if sparse:
        raise ValueError(f"{label}: sparse=True is not supported, results are dense; write sparse=False")


def encoded(indices: Any, mode: str, depth: int, dtype: str, weights: Any = None) -> Any:
    """Integers as vectors of a length: one each ('one_hot'), or one for each sample along the last axis.

    Integers outside of [0, depth) count for nothing.
    """
    if mode == "int":
        return indices
    if mode == "one_hot" and len(indices.shape) > 1 and indices.shape[-1] == 1:
        indices = K.squeeze(indices, -1)
    hot = K.cast(K.one_hot(K.cast(indices, "int32"), depth), dtype)
    if mode == "one_hot":
        return hot
    if weights is not None:
        hot = hot * K.expand_dims(K.cast(weights, dtype))
    return K.sum(hot, axis=-2) if mode == "count" else K.max(hot, axis=-2)


class Discretization(Layer):
    """The bin of each number.

    Args:
        bin_boundaries: the rising boundaries; a number is in the bin i when i of them are at most the number.
        num_bins: find so many bins of equal counts with :meth:`adapt`, instead.
        epsilon: how far the quantiles may be off; smaller is more exact and takes more memory.
        output_mode: 'int'; 'one_hot', a vector for each number; 'multi_hot' or 'count', a vector for each sample along
            the last axis.
        sparse: not supported.

    Shapes: kept for 'int', else with the number of bins as the last axis. Bins are int32, vectors of the layer's dtype.

    Raises:
        ValueError: both of ``bin_boundaries`` and ``num_bins``, or none; boundaries that do not rise; a call before
            :meth:`adapt`.

    >>> import numpy as np
    >>> from kbackend import K, layers
    >>> K.eval(layers.Discretization([0.0, 1.0])(np.array([[-1.0, 0.0, 3.0]]))).tolist()
    [[0, 1, 2]]
    """

    arguments = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse")

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.output_mode = one_of(output_mode, MODES, "output_mode", described(self))
        dense_only(sparse, described(self))
        self.sparse = sparse
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                f"{described(self)}: give bin_boundaries, or num_bins and call adapt; they are {bin_boundaries!r} and "
                f"{num_bins!r}"
            )
        self.num_bins = None if num_bins is None else positive(num_bins, "num_bins", described(self))
        self.epsilon = number(epsilon, "epsilon", described(self))
        self.bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            found = _boundaries(bin_boundaries, described(self))
            if found.ndim != 1 or (np.diff(found) < 0).any():
                raise ValueError(f"{described(self)}: bin_boundaries must rise, they are {bin_boundaries!r}")
            self.bin_boundaries = found.tolist()

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Take boundaries from the quantiles of data, in place of those before.

        Args:
            data: an array, or an iterable of batches.
            batch_size: accepted as by Keras.
            steps: take so many batches of an iterable; all when None.

        Raises:
            ValueError: the layer was given its boundaries, or there is no data.
        """
        if self.num_bins is None:
            raise ValueError(f"{described(self)} has the bin_boundaries that it was given; write num_bins to adapt it")
        summary = np.zeros((2, 0), np.float32)
        for batch in batches(data, steps):
            both = np.concatenate([_summary(batch.astype(np.float32), self.epsilon), summary], axis=1)
            summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)
        if not summary.shape[1]:
            raise ValueError(f"{described(self)} was given no data to adapt to")
        self.bin_boundaries = _compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError("it has no boundaries yet; call adapt(data) first, or give bin_boundaries")
        x = floats(inputs)
        bins = K.cast(searchsorted(K.constant(self.bin_boundaries, dtype=x.dtype), x, side="right"), "int32")
        return encoded(bins, self.output_mode, len(self.bin_boundaries) + 1, self.compute_dtype)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from the result of ``get_config``, with the boundaries that it had."""
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = list(boundaries)
        return layer


def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Values at equal distances in the order of size, and how many each stands for."""
    ordered = np.sort(values.ravel())
    step = max(ordered.size * epsilon, 1)
    chosen = ordered[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of about ``1 / epsilon`` values, by interpolation between the shares of the whole."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    running = summary[1].cumsum()
    values = np.interp(shares, running / running[-1], summary[0])
    running = np.interp(shares, running / running[-1], running)
    return np.stack([values, np.diff(running, prepend=0.0)]).astype(np.float32)


class CategoryEncoding(Layer):
    """Integers as vectors.

    Args:
        num_tokens: the length of the vectors; integers are in [0, num_tokens).
        output_mode: 'one_hot', a vector for each integer; 'multi_hot' or 'count', one for each sample along the last
            axis: which integers occur, or how often.
        sparse: not supported.

    Called on integers, with ``count_weights`` of their shape that 'count' adds up instead of ones.

    Shapes: (batch, integers) to (batch, num_tokens), 'one_hot' to (batch, integers, num_tokens), where a last axis of 1
    is dropped.

    Raises:
        ValueError: no ``num_tokens``, an unknown mode, weights without 'count'.

    >>> import numpy as np
    >>> from kbackend import K, layers
    >>> K.eval(layers.CategoryEncoding(3, output_mode="count")(np.array([[0, 2, 2]]))).tolist()
    [[1.0, 0.0, 2.0]]
    """

    arguments = ("num_tokens", "output_mode", "sparse")

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.num_tokens = positive(num_tokens, "num_tokens", label)
        mode = "multi_hot" if output_mode == "binary" else output_mode
        self.output_mode = one_of(mode, MODES[1:], "output_mode", label)
        dense_only(sparse, label)
        self.sparse = sparse

    def _input_dtype(self) -> str:
        return "int32"

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"count_weights need output_mode='count', it is {self.output_mode!r}")
        if not dtypes.is_integer(dtype_of(inputs)) and isinstance(inputs, Tensor):
            inputs = K.cast(inputs, "int32")
        return encoded(inputs, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)


def _boundaries(value: Any, label: str) -> np.ndarray:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{label}: bin_boundaries must be a list of numbers, it is {value!r}") from None


__all__ = ["CategoryEncoding", "Discretization"]
