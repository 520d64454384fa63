"""Attention of one head without projections: Luong's and Bahdanau's scores."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.declare.call import dtype_of
from kbackend.layers.arguments import described, is_zero, one_of
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.attention.masks import all_of, of_inputs, pairs
from kbackend.layers.base.layer import Layer
from kbackend.ops.arrays.dims import length
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.attention import causal_mask
from kbackend.ops.nn.softmax import softmax
from kbackend.plugin.constants import FORBIDDEN
from kbackend.streams import SeedGenerator


class Attention(Layer):
    """Values mixed by how well a query and a key fit: ``softmax(query key^T) value``.

    Args:
        use_scale: a learned number multiplies the scores; with 'concat' it is inside of tanh.
        score_mode: 'dot', or 'concat' for ``w sum(tanh(query + key))`` with a learned number w.
        dropout: the part of the attention weights that is dropped in training: a number in [0, 1] or a K.variable,
            which stays live.
        seed: a seed for the dropout of this layer.

    Called on a list [query, value] or [query, value, key] of (batch, length, features), with

    - ``mask``: a list of masks (batch, length) of query and value, by default those that they carry: results of masked
      queries are zeros, masked values do not count,
    - ``use_causal_mask=True``: no position sees later ones,
    - ``return_attention_scores=True``: the result is a list with the scores (batch, query length, value length).

    Shapes: (batch, query length, value features). Weights: scale () with ``use_scale``, concat_score_weight () with
    'concat'.

    Raises:
        ValueError: inputs that are no list of two or three tensors of rank 3, lengths or features that do not fit.

    Source: Luong et al., "Effective Approaches to Attention-based Neural Machine Translation", 2015.

    >>> from kbackend import Input, layers
    >>> layers.Attention()([Input((5, 8)), Input((7, 8))]).shape
    (None, 5, 8)
    """

    arguments: tuple[str, ...] = ("use_scale", "score_mode", "dropout", "seed")
    hyperparameters = ("dropout",)
    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: Any = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = one_of(score_mode, ("dot", "concat"), "score_mode", described(self))
        self.dropout = checked_rate(dropout, described(self))
        self.seed = seed
        self._draws = None if seed is None else SeedGenerator(seed)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Apply the layer; see the class for the arguments."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            given = f"{len(inputs)} tensors" if isinstance(inputs, (list, tuple)) else repr(inputs)
            raise ValueError(
                f"{described(self)} is called on a list [query, value] or [query, value, key], it was given {given}"
            )
        return super().__call__(list(inputs), **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.add_weight("scale", (), initializer="ones") if self.use_scale else None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight("concat_score_weight", (), initializer="ones")

    def _check(self, shapes: Any) -> None:
        query, value, key = shapes[0], shapes[1], shapes[-1]
        if any(len(shape) != 3 for shape in shapes):
            raise ValueError(f"query, value and key are (batch, length, features), they have the shapes {shapes}")
        for what, a, b in (
            ("the features of query and key", query[2], key[2]),
            ("the lengths of value and key", value[1], key[1]),
        ):
            if a is not None and b is not None and a != b:
                raise ValueError(f"{what} must be equal, they are {a} and {b}; the shapes are {shapes}")

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value, key = inputs[0], inputs[1], inputs[-1]
        of_query, of_value = of_inputs(mask, 2)[:2]
        scores = self._scores(query, key)
        causal = causal_mask(length(query, 1), length(key, 1)) if use_causal_mask else None
        allowed = all_of([*pairs([None, of_value]), causal])
        if allowed is not None:
            scores = select_elements(allowed, scores, FORBIDDEN[dtype_of(scores)])
        weights = softmax(scores)
        used = weights
        if not is_zero(self.dropout):
            used = K.in_train_phase(lambda: K.dropout(weights, self.dropout, seed=self._draws), weights, training)
        result = matrix_multiply(used, value)
        if of_query is not None:
            result = select_elements(K.expand_dims(K.cast(of_query, "bool"), 2), result, K.zeros_like(result))
        return [result, weights] if return_attention_scores else result

    def _scores(self, query: Any, key: Any) -> Any:
        """How well each query fits each key: (batch, query length, key length)."""
        if self.score_mode == "dot":
            scores = matrix_multiply(query, K.permute_dimensions(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        total = _sums(query, key)
        return K.sum(K.tanh(total if self.scale is None else total * self.scale), axis=-1) * self.concat_score_weight

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        return [of_inputs(mask, 2)[0], None]


class AdditiveAttention(Attention):
    """Values mixed by ``softmax(sum(scale tanh(query + key)))``.

    Args:
        use_scale: a learned vector multiplies the tanh; else nothing does.
        dropout: as that of :class:`Attention`.

    Calls, shapes and errors are those of :class:`Attention`; the features of query and key must be known. Weights:
    scale (features,) with ``use_scale``.

    Source: Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and Translate", 2015.

    >>> from kbackend import Input, layers
    >>> layers.AdditiveAttention()([Input((5, 8)), Input((7, 8))]).shape
    (None, 5, 8)
    """

    arguments = ("use_scale", "dropout", "seed")

    def __init__(self, use_scale: bool = True, dropout: Any = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(use_scale, "dot", dropout, seed, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        features = input_shape[0][-1]
        self.scale = None
        if self.use_scale:
            if features is None:
                raise ValueError(f"the features of the query must be known, the shapes are {input_shape}")
            self.scale = self.add_weight("scale", (features,), initializer="glorot_uniform")

    def _scores(self, query: Any, key: Any) -> Any:
        fit = K.tanh(_sums(query, key))
        return K.sum(fit if self.scale is None else fit * self.scale, axis=-1)


def _sums(query: Any, key: Any) -> Any:
    """The sum of each query and each key: (batch, query length, key length, features)."""
    return K.expand_dims(query, 2) + K.expand_dims(key, 1)


__all__ = ["AdditiveAttention", "Attention"]
