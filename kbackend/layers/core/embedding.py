"""Embedding of integers."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import constraints, dtypes, initializers, regularizers
from kbackend.layers.arguments import positive
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class Embedding(Layer):
    """A vector for each integer.

    Args:
        input_dim: the number of integers: inputs are in [0, input_dim).
        output_dim: the length of the vectors.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
        mask_zero: 0 is padding: the result carries a mask that leaves it out.
        input_length: the number of integers of a sample, when it is fixed.

    Shapes: (batch, ...) to (batch, ..., output_dim). Weights: embeddings (input_dim, output_dim).
    """

    arguments = (
        "input_dim",
        "output_dim",
        "embeddings_initializer",
        "embeddings_regularizer",
        "embeddings_constraint",
        "mask_zero",
        "input_length",
    )
    supports_masking = True

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
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = (
                tuple(input_length) if isinstance(input_length, (list, tuple)) else (input_length,)
            )
        super().__init__(weights=weights, **kwargs)
        label = f"layer {self.name} (Embedding)"
        self.input_dim = positive(input_dim, "input_dim", label)
        self.output_dim = positive(output_dim, "output_dim", label)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.input_length = input_length
        lengths = input_length if isinstance(input_length, (list, tuple)) else [input_length]
        if input_length is not None:
            self.input_spec = InputSpec(shape=(None, *lengths))

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight("embeddings", (self.input_dim, self.output_dim))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        indices = inputs if dtypes.is_integer(inputs.dtype) else K.cast(inputs, "int32")
        return K.gather(self.embeddings, indices)


__all__ = ["Embedding"]
