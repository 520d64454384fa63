"""Attention in which groups of query heads share keys and values."""

from __future__ import annotations

from typing import Any

from kbackend.ground.arguments import named
from kbackend.layers.arguments import described, positive
from kbackend.layers.attention.multi_head import HeadedAttention, _masks, _projected, _three, heads_first
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.repeat import repeat_elements


class GroupQueryAttention(HeadedAttention):
    """Attention of several heads, of which groups share one head of keys and values.

    Args:
        head_dim: the size of a head's queries, keys and values.
        num_query_heads: the number of heads.
        num_key_value_heads: the number of heads of keys and values, a divisor of ``num_query_heads``.
        dropout, use_bias, sliding_window, flash_attention, use_gate, seed: as those of :class:`MultiHeadAttention`.
        kernel_initializer, ..., bias_constraint: for the weights of all projections.

    Called as :class:`MultiHeadAttention`, on (batch, length, features).

    Shapes: (batch, query length, query features). Weights: query kernel (features, query heads, size), key, gate and
    value kernels (features, heads, size), each with its bias (heads, size), in this order of parts, output kernel
    (query heads, size, features) and bias (features,).

    Raises:
        ValueError: numbers of heads that do not fit, inputs that are not of rank 3.

    Source: Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models", 2023.

    >>> from kbackend import Input, layers
    >>> x = Input((5, 8))
    >>> layers.GroupQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (None, 5, 8)
    """

    arguments = ("head_dim", "num_query_heads", "num_key_value_heads", *HeadedAttention.arguments)

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: Any = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), "head_dim", "num_query_heads", "num_key_value_heads"))
        self.head_dim = positive(head_dim, "head_dim", described(self))
        self.num_query_heads = positive(num_query_heads, "num_query_heads", described(self))
        self.num_key_value_heads = positive(num_key_value_heads, "num_key_value_heads", described(self))
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"{described(self)}: num_query_heads must be a multiple of num_key_value_heads, they are "
                f"{num_query_heads} and {num_key_value_heads}"
            )

    def build(self, input_shape: Any) -> None:
        query, key, value = _three(input_shape)
        self._check_shapes({"query": query, "key": key, "value": value}, 3)
        many, few, size = self.num_query_heads, self.num_key_value_heads, self.head_dim
        self._query = self._projection("query", query[-1], many, size)
        self._key = self._projection("key", key[-1], few, size)
        self._gate = self._projection("gate", query[-1], many, size) if self.use_gate else None
        self._value = self._projection("value", value[-1], few, size)
        self._output_kernel = self.add_weight("attention_output/kernel", (many, size, query[-1]))
        self._output_bias = self._bias("attention_output/bias", (query[-1],))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        training: Any = None,
    ) -> Any:
        query, key, value = _three(inputs)
        masks = _masks(mask, (query_mask, value_mask, key_mask), len(inputs))
        allowed = self._allowed(masks, attention_mask, length(query, 1), length(key, 1))
        repeats = self.num_query_heads // self.num_key_value_heads
        heads, keys, values = (
            heads_first(_projected(x, *weights))
            for x, weights in ((query, self._query), (key, self._key), (value, self._value))
        )
        keys, values = (repeat_elements(x, repeats, 1) for x in (keys, values))
        mixed, scores = self._mixed(heads, keys, values, allowed, use_causal_mask, return_attention_scores, training)
        result = self._result(query, heads_first(mixed))
        return [result, scores] if return_attention_scores else result


__all__ = ["GroupQueryAttention"]
