"""Attention."""

from __future__ import annotations

import math
from typing import Any

from kbackend import backend as K
from kbackend import constraints, initializers, regularizers
from kbackend.layers.arguments import is_zero, positive
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import as_list
from kbackend.ops.arrays.split import split_sizes, unstack_parts
from kbackend.ops.linalg.dense import dense
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.attention import attention, attention_scores
from kbackend.streams import SeedGenerator

_PARTS = ("query", "key", "value")


class MultiHeadAttention(Layer):
    """Attention of several heads, each with projections of its own.

    Args:
        num_heads: the number of heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; ``key_dim`` when None.
        dropout: the part of the attention weights that is dropped in training: a number in [0, 1] or a K.variable,
            which stays live.
        use_bias: whether projections have a bias.
        output_shape: the size of the result; that of the query when None.
        kernel_initializer, ..., bias_constraint: for the weights of all projections.
        seed: a seed for the dropout of this layer.

    Called on (query, value, key=value), each (batch, length, features), or on a list of them, with

    - ``attention_mask``: bool (batch, query length, value length) or (query length, value length), True where a pair
      counts; masks of the inputs count too,
    - ``use_causal_mask=True``: no position sees later ones,
    - ``return_attention_scores=True``: the result is a list with the scores (batch, heads, query length, value length).

    Shapes: (batch, query length, features). Weights: query, key and value kernels (features, heads, size) and biases
    (heads, size), in this order of parts, output kernel (heads, value size, features) and bias (features,).

    Source: Vaswani et al. 2017.

    >>> from kbackend import Input, layers
    >>> x = Input((5, 8))
    >>> layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
    (None, 5, 8)
    """

    arguments = (
        "num_heads",
        "key_dim",
        "value_dim",
        "dropout",
        "use_bias",
        "output_shape_argument",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "seed",
    )
    hyperparameters = ("dropout",)
    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: Any = 0.0,
        use_bias: bool = True,
        output_shape: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        where = f"layer {self.name} (MultiHeadAttention)"
        self.num_heads = positive(num_heads, "num_heads", where)
        self.key_dim = positive(key_dim, "key_dim", where)
        self.value_dim = self.key_dim if value_dim is None else positive(value_dim, "value_dim", where)
        self.output_shape_argument = (
            None if output_shape is None else positive(output_shape, "output_shape", where)
        )
        self.dropout = checked_rate(dropout, where)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.seed = seed
        self._draws = None if seed is None else SeedGenerator(seed)

    def __call__(  # type: ignore[override]  # the names that Keras gives the three
        self, query: Any, value: Any = None, key: Any = None, **kwargs: Any
    ) -> Any:
        """Apply the layer; see the class for the arguments."""
        given = as_list(query) if value is None else [query, value, *([] if key is None else [key])]
        if len(given) == 1:
            raise ValueError(f"layer {self.name} (MultiHeadAttention) needs a query and a value")
        return super().__call__(given, **kwargs)

    # weights ------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        shapes = _three(input_shape)
        for part, shape in zip(_PARTS, shapes):
            if len(shape) != 3 or shape[-1] is None:
                raise ValueError(
                    f"the {part} must be (batch, length, features) with known features, it has shape {shape}"
                )
        sizes = (self.key_dim, self.key_dim, self.value_dim)
        self._kernels: list[Any] = []
        self._biases: list[Any] = []
        for part, shape, size in zip(_PARTS, shapes, sizes):
            self._kernels.append(self.add_weight(f"{part}/kernel", (shape[-1], self.num_heads, size)))
            self._biases.append(self._bias(f"{part}/bias", (self.num_heads, size)))
        features = self.output_shape_argument or shapes[0][-1]
        self._output_kernel = self.add_weight(
            "attention_output/kernel", (self.num_heads, self.value_dim, features)
        )
        self._output_bias = self._bias("attention_output/bias", (features,))

    def _bias(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(name, shape) if self.use_bias else None

    # the function -------------------------------------------------------------------------------------------

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        training: Any = None,
    ) -> Any:
        query, key, value = self._projected(*_three(inputs))
        allowed = _all_of([*_of_inputs(mask, len(inputs)), _of_pairs(attention_mask)])
        if return_attention_scores or not is_zero(self.dropout):
            mixed, scores = self._mixed_by_scores(query, key, value, allowed, use_causal_mask, training)
        else:
            mixed = attention(
                query, key, value, mask=allowed, causal=use_causal_mask, heads_first=True
            )
            scores = None
        mixed = K.permute_dimensions(mixed, (0, 2, 1, 3))
        size = self.num_heads * self.value_dim
        kernel = K.reshape(self._output_kernel, (size, self._output_kernel.shape[-1]))
        result = dense(_merged(mixed, size), kernel, self._output_bias)
        return [result, scores] if return_attention_scores else result

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        """(batch, heads, length, size) for each part; one product where the parts are one tensor."""
        columns = [self.num_heads * kernel.shape[-1] for kernel in self._kernels]
        kernels = [K.reshape(kernel, (kernel.shape[0], n)) for kernel, n in zip(self._kernels, columns)]
        biases = [None if b is None else K.reshape(b, (n,)) for b, n in zip(self._biases, columns)]
        if not query is key is value:
            parts = [
                dense(x, kernel, bias) for x, kernel, bias in zip((query, key, value), kernels, biases)
            ]
            return [self._by_head(part, n) for part, n in zip(parts, columns)]
        joint = dense(
            query, K.concatenate(kernels, axis=1), K.concatenate(biases, axis=0) if self.use_bias else None
        )
        if self.key_dim != self.value_dim:
            return [self._by_head(part, n) for part, n in zip(split_sizes(joint, columns, axis=-1), columns)]
        apart = K.reshape(joint, (*_lengths(joint), len(_PARTS), self.num_heads, self.key_dim))
        return list(unstack_parts(K.permute_dimensions(apart, (2, 0, 3, 1, 4)), axis=0))

    def _by_head(self, x: Any, columns: int) -> Any:
        heads = K.reshape(x, (*_lengths(x), self.num_heads, columns // self.num_heads))
        return K.permute_dimensions(heads, (0, 2, 1, 3))

    def _mixed_by_scores(
        self, query: Any, key: Any, value: Any, allowed: Any, causal: bool, training: Any
    ) -> tuple[Any, Any]:
        """The mixed values and the scores, which fused kernels do not give and which dropout changes."""
        scores = attention_scores(query, key, allowed, causal, 1.0 / math.sqrt(self.key_dim))
        used = scores
        if not is_zero(self.dropout):
            used = K.in_train_phase(
                lambda: K.dropout(scores, self.dropout, seed=self._draws), scores, training
            )
        return matrix_multiply(used, value), scores

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        return mask[0] if isinstance(mask, (list, tuple)) else None

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        found["output_shape"] = found.pop("output_shape_argument")
        return found

    def _twin(self) -> Layer:
        """With the same live rate."""
        return type(self).from_config({**self.get_config(), "dropout": self.dropout})


def _three(given: Any) -> tuple[Any, Any, Any]:
    """Query, key and value; the key is the value where none is given."""
    if len(given) not in (2, 3):
        raise ValueError(f"attention takes a query, a value and perhaps a key, it was given {len(given)} tensors")
    return given[0], given[-1], given[1]


def _lengths(x: Any) -> list[Any]:
    return [d if d is not None else K.shape(x)[axis] for axis, d in enumerate(x.shape[:2])]


def _merged(x: Any, size: int) -> Any:
    return K.reshape(x, (*_lengths(x), size))


def _of_inputs(mask: Any, count: int) -> list[Any]:
    """Masks (batch, length) of the inputs as masks of logits (batch, heads, query length, value length)."""
    masks = list(mask) if isinstance(mask, (list, tuple)) else [mask] + [None] * (count - 1)
    rows = [] if masks[0] is None else [K.expand_dims(K.expand_dims(masks[0], 1), 3)]
    return rows + [K.expand_dims(K.expand_dims(m, 1), 1) for m in masks[1:] if m is not None]


def _of_pairs(mask: Any) -> Any:
    if mask is None:
        return None
    mask = mask if K.dtype(mask) == "bool" else K.cast(mask, "bool")
    return K.expand_dims(mask, 1) if len(mask.shape) == 3 else mask


def _all_of(masks: list[Any]) -> Any:
    found = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else K.logical_and(found, mask)
    return found


__all__ = ["MultiHeadAttention"]
