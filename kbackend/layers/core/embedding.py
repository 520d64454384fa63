"""Embedding of integers."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import dtypes
from kbackend.layers.arguments import described, positive, scalar, set_roles
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.core.quantized import Quantized
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.linalg.dense import dense


class Embedding(Quantized):
    """A vector for each integer.

    Args:
        input_dim: the number of integers: inputs are in [0, input_dim).
        output_dim: the length of the vectors.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
        mask_zero: 0 is padding: the result carries a mask that leaves it out.
        input_length: the number of integers of a sample, when it is fixed.
        lora_rank, lora_alpha, quantization_config: as of :class:`kbackend.layers.Dense`, for the table.

    Shapes: (batch, ...) to (batch, ..., output_dim). Weights: embeddings (input_dim, output_dim).

    Raises:
        ValueError: sizes below 1; when a program runs, an integer out of range.

    >>> from kbackend import Input, layers
    >>> layers.Embedding(100, 8)(Input((5,), dtype="int32")).shape
    (None, 5, 8)
    """

    arguments: tuple[str, ...] = (
        "input_dim",
        "output_dim",
        "embeddings_initializer",
        "embeddings_regularizer",
        "embeddings_constraint",
        "mask_zero",
        "input_length",
    )
    supports_masking = True
    adapted = "embeddings"
    embeddings: Any
    embeddings_scale: Any
    _quantizable = True
    embeddings_initializer: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = (
                tuple(input_length) if isinstance(input_length, (list, tuple)) else (input_length,)
            )
        super().__init__(weights=weights, **kwargs)
        label = described(self)
        self.input_dim = positive(input_dim, "input_dim", label)
        self.output_dim = positive(output_dim, "output_dim", label)
        set_roles(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self._set_rank(lora_rank, lora_alpha)
        self._set_quantization(quantization_config)
        self.mask_zero = mask_zero
        self.input_length = input_length
        lengths = input_length if isinstance(input_length, (list, tuple)) else [input_length]
        if input_length is not None:
            self.input_spec = InputSpec(shape=(None, *lengths))

    def build(self, input_shape: Any) -> None:
        # what is gathered is cast, not the whole table
        self._add_adapted((self.input_dim, self.output_dim), autocast=False)
        self._add_rank()

    _summed = 1

    def _reduced_axes(self) -> tuple[int, ...]:
        return (1,)

    def _scale_shape(self, shape: Any) -> tuple[int, ...]:
        return (shape[0],)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        indices = inputs if dtypes.is_integer(inputs.dtype) else K.cast(inputs, "int32")
        found = K.gather(self.embeddings, indices)
        if self.quantization_mode == "int4":
            _, scale, *blocks = self._stored()
            zero = [K.gather(zero, indices) for zero in blocks[:1]]
            floats = self._floats_of(found, K.gather(scale, indices), *zero, *blocks[1:])
            found = K.cast(floats, self.compute_dtype)
        elif self.quantization_mode is not None:
            found = K.cast(found, self.compute_dtype) / K.expand_dims(K.gather(self.embeddings_scale, indices), -1)
        if self.lora_enabled:
            # of the rows that are asked for, not of the whole table
            first, second = self._factors()
            change = dense(K.gather(first, indices), second) * self._lora_scale
            found = K.cast(K.cast(found, change.dtype) + change, found.dtype)
        return self._computed(found)

    def _computed(self, value: Any) -> Any:
        return as_dtype(value, self.compute_dtype) if self.dtype_policy.is_mixed else value


class ReversibleEmbedding(Embedding):
    """A vector for each integer, and, called with ``reverse=True``, a logit of each integer for vectors.

    Args:
        input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: as of
            :class:`Embedding`.
        tie_weights: whether the way back uses the transposed table; else it has a table of its own.
        reverse_dtype: the dtype of the way back; that of the inputs when None.
        logit_soft_cap: a bound that logits approach: ``cap * tanh(logits / cap)``; none when None.

    Shapes: (batch, ...) to (batch, ..., output_dim); in reverse (batch, ..., output_dim) to (batch, ..., input_dim).
    Weights: embeddings (input_dim, output_dim), and without ``tie_weights`` reverse_embeddings (output_dim, input_dim).

    Source: Press and Wolf, "Using the Output Embedding to Improve Language Models", 2017.

    >>> from kbackend import Input, layers
    >>> layer = layers.ReversibleEmbedding(100, 8)
    >>> vectors = layer(Input((5,), dtype="int32"))
    >>> layer(vectors, reverse=True).shape
    (None, 5, 100)
    """

    arguments = (*Embedding.arguments, "tie_weights", "reverse_dtype", "logit_soft_cap")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = None if reverse_dtype is None else dtypes.canonical(reverse_dtype)
        cap = logit_soft_cap
        self.logit_soft_cap = None if cap is None else scalar(cap, "logit_soft_cap", described(self), 0)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                "reverse_embeddings", (self.output_dim, self.input_dim), initializer=self.embeddings_initializer
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return super().compute_mask(inputs) if dtypes.is_integer(inputs.dtype) else None

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        table = self._computed(self._adapted_weight(self.embeddings))
        kernel = K.transpose(table) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            inputs, kernel = K.cast(inputs, self.reverse_dtype), K.cast(kernel, self.reverse_dtype)
        logits = dense(inputs, kernel)
        return logits if self.logit_soft_cap is None else K.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap


__all__ = ["Embedding", "ReversibleEmbedding"]
