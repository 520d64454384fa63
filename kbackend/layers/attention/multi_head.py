"""Attention of several heads, each with projections of its own."""

from __future__ import annotations

import math
import string
from typing import Any

from kbackend import backend as K
from kbackend.declare.call import dtype_of
from kbackend.declare.shapes import product
from kbackend.ground.arguments import named
from kbackend.layers.arguments import described, is_zero, positive, set_roles
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.attention.masks import all_of, of_inputs, pairs, with_axes
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import as_list
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.arrays.split import split_sizes, unstack_parts
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.linalg.dense import dense
from kbackend.ops.linalg.einsum import einsum
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.attention import attention, attention_scores, causal_mask, window_mask
from kbackend.ops.nn.softmax import softmax
from kbackend.plugin.constants import FORBIDDEN
from kbackend.streams import SeedGenerator

_PARTS = ("query", "key", "value")
_ROLES = (
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "kernel_constraint",
    "bias_constraint",
)  # fmt: skip


class HeadedAttention(Layer):
    """Base class: what attention with heads has in common."""

    arguments: tuple[str, ...] = ("dropout", "use_bias", "sliding_window", "flash_attention", *_ROLES, "use_gate",
                                  "seed")  # fmt: skip
    hyperparameters = ("dropout",)
    supports_masking = True
    _output_kernel: Any
    _output_bias: Any
    #: the kernel and the bias of the gate
    _gate: tuple[Any, Any] | None

    def __init__(
        self,
        *,
        dropout: Any,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        roles = {name: kwargs.pop(name) for name in _ROLES}
        super().__init__(**kwargs)
        self.dropout = checked_rate(dropout, described(self))
        self.use_bias = use_bias
        self.sliding_window = None
        if sliding_window is not None:
            self.sliding_window = positive(sliding_window, "sliding_window", described(self))
        self.flash_attention = flash_attention
        if flash_attention and not is_zero(self.dropout):
            raise ValueError(
                f"{described(self)}: flash attention has no dropout, it is {dropout!r}; write dropout=0, or leave "
                "flash_attention out"
            )
        set_roles(self, **roles)
        self.use_gate = use_gate
        self.seed = seed
        self._draws = None if seed is None else SeedGenerator(seed)

    def __call__(  # type: ignore[override]  # the names that Keras gives the three
        self, query: Any, value: Any = None, key: Any = None, **kwargs: Any
    ) -> Any:
        """Apply the layer; see the class for the arguments."""
        given = as_list(query) if value is None else [query, value, *([] if key is None else [key])]
        if len(given) not in (2, 3):
            raise ValueError(
                f"{described(self)} needs a query and a value, and perhaps a key; it was given {len(given)}"
            )
        if kwargs.get("return_attention_scores") and self.flash_attention:
            raise ValueError(
                f"{described(self)}: flash attention makes no scores; leave flash_attention or "
                "return_attention_scores out"
            )
        return super().__call__(given, **kwargs)

    # weights ------------------------------------------------------------------------------------------------

    def _projection(self, name: str, features: int, heads: int, size: int) -> tuple[Any, Any]:
        """The kernel (features, heads, size) and the bias (heads, size) of a part."""
        kernel = self.add_weight(f"{name}/kernel", (features, heads, size))
        return kernel, self._bias(f"{name}/bias", (heads, size))

    def _check_shapes(self, shapes: dict[str, Any], rank: int) -> None:
        """Check the shapes of query, key and value.

        Raises:
            ValueError: another rank, unknown features, or keys that are not as many as values.
        """
        for part, shape in shapes.items():
            if len(shape) != rank or shape[-1] is None:
                raise ValueError(
                    f"the {part} must be (batch, length, features) with known features, it has shape {shape}"
                )
        value, key = shapes["value"][1:-1], shapes["key"][1:-1]
        if any(a is not None and b is not None and a != b for a, b in zip(value, key)):
            raise ValueError(
                f"value and key must have one length, their shapes are {shapes['value']} and {shapes['key']}"
            )

    def _bias(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(name, shape) if self.use_bias else None

    # the function -------------------------------------------------------------------------------------------

    def _allowed(self, masks: list[Any], given: Any, rows: Any, columns: Any) -> Any:
        """Which pairs count, (batch, query length, value length) or without the batch; None for all."""
        window = None if self.sliding_window is None else window_mask(rows, columns, self.sliding_window)
        return all_of([*pairs(masks), window, given])

    def _dropped(self, scores: Any, training: Any) -> Any:
        if is_zero(self.dropout):
            return scores
        return K.in_train_phase(lambda: K.dropout(scores, self.dropout, seed=self._draws), scores, training)

    def _mixed(self, query: Any, key: Any, value: Any, allowed: Any, causal: bool, scored: bool, training: Any) -> Any:
        """The mixed values (batch, heads, length, size) and the scores, None unless they are asked for.

        Fused kernels give no scores and know no dropout.
        """
        allowed = with_axes(allowed, 4, -3)
        if not scored and is_zero(self.dropout):
            return attention(query, key, value, mask=allowed, causal=causal, heads_first=True), None
        scores = attention_scores(query, key, allowed, causal, 1.0 / math.sqrt(query.shape[-1]))
        return matrix_multiply(self._dropped(scores, training), value), scores

    def _result(self, query: Any, mixed: Any) -> Any:
        """The gate and the last projection of mixed values (batch, ..., heads, size)."""
        if self._gate is not None:
            mixed = mixed * K.sigmoid(_projected(query, *self._gate))
        heads, size, *outputs = self._output_kernel.shape
        wide = product(outputs)
        bias = None if self._output_bias is None else reshape(self._output_bias, (wide,))
        lengths = _lengths(mixed, len(mixed.shape) - 2)
        kernel = reshape(self._output_kernel, (heads * size, wide))
        found = dense(reshape(mixed, (*lengths, heads * size)), kernel, bias)
        return found if len(outputs) == 1 else reshape(found, (*lengths, *outputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask."""
        return mask[0] if isinstance(mask, (list, tuple)) else None


class MultiHeadAttention(HeadedAttention):
    """Attention of several heads, each with projections of its own.

    Args:
        num_heads: the number of heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; ``key_dim`` when None.
        dropout: the part of the attention weights that is dropped in training: a number in [0, 1] or a K.variable,
            which stays live.
        use_bias: whether projections have a bias.
        output_shape: the size of the result, or a tuple of sizes; that of the query when None.
        attention_axes: the axes along which queries see keys, an integer or several; all between the batch and the
            features when None. Along the others each position sees itself only.
        sliding_window: a query sees the keys less than so many positions away, before and after; None for all.
        flash_attention: accepted as by Keras: an engine's fused kernel is used where it has one. With True neither
            dropout nor scores can be had.
        kernel_initializer, ..., bias_constraint: for the weights of all projections.
        use_gate: the mixed values are multiplied by the sigmoid of a fourth projection, of the query.
        seed: a seed for the dropout of this layer.

    Called on (query, value, key=value), each (batch, length, features), or on a list of them, with

    - ``attention_mask``: bool (batch, query length, value length) or (query length, value length), True where a pair
      counts; masks of the inputs count too, or ``query_mask``, ``value_mask`` and ``key_mask`` in place of them,
    - ``use_causal_mask=True``: no position sees later ones,
    - ``return_attention_scores=True``: the result is a list with the scores (batch, heads, query length, value length).

    Shapes: (batch, query length, features). Weights: query, key, gate and value kernels (features, heads, size) and
    biases (heads, size), in this order of parts, output kernel (heads, value size, features) and bias (features,).

    Raises:
        ValueError: neither two nor three inputs, or inputs of other ranks or of different lengths of key and
            value; unknown numbers of features; ``attention_axes`` out of range; ``flash_attention`` with dropout,
            scores or masks.

    Source: Vaswani et al. 2017.

    >>> from kbackend import Input, layers
    >>> x = Input((5, 8))
    >>> layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
    (None, 5, 8)
    """

    arguments = ("num_heads", "key_dim", "value_dim", "output_shape_argument", "attention_axes",
                 *HeadedAttention.arguments)  # fmt: skip

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: Any = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        super().__init__(
            **named(locals(), "num_heads", "key_dim", "value_dim", "output_shape", "attention_axes")
        )
        where = described(self)
        self.num_heads = positive(num_heads, "num_heads", where)
        self.key_dim = positive(key_dim, "key_dim", where)
        self.value_dim = self.key_dim if value_dim is None else positive(value_dim, "value_dim", where)
        self.output_shape_argument = None
        if output_shape is not None:
            self.output_shape_argument = tuple(positive(n, "output_shape", where) for n in as_list(output_shape))
        self.attention_axes = None if attention_axes is None else tuple(as_list(attention_axes))

    # weights ------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        shapes = dict(zip(_PARTS, _three(input_shape)))
        rank = len(shapes["query"])
        self._check_shapes(shapes, max(rank, 3))
        self._axes(rank)
        sizes = {"query": self.key_dim, "key": self.key_dim, "value": self.value_dim}
        made: dict[str, Any] = {}
        for part in ("query", "key", *(("gate",) if self.use_gate else ()), "value"):
            features = shapes.get(part, shapes["query"])[-1]
            made[part] = self._projection(part, features, self.num_heads, sizes.get(part, self.value_dim))
        self._kernels = [made[part][0] for part in _PARTS]
        self._biases = [made[part][1] for part in _PARTS]
        self._gate = made.get("gate")
        outputs = self.output_shape_argument or (shapes["query"][-1],)
        self._output_kernel = self.add_weight(
            "attention_output/kernel", (self.num_heads, self.value_dim, *outputs)
        )
        self._output_bias = self._bias("attention_output/bias", outputs)

    def _axes(self, rank: int) -> tuple[int, ...]:
        """The axes of attention, counted from the first."""
        if self.attention_axes is None:
            return tuple(range(1, rank - 1))
        axes = tuple(a + rank if a < 0 else a for a in self.attention_axes)
        if len(set(axes)) != len(axes) or any(not 1 <= a <= rank - 2 for a in axes):
            raise ValueError(
                f"attention_axes must be axes between the batch and the features, 1 to {rank - 2}, they are "
                f"{self.attention_axes}"
            )
        return axes

    # the function -------------------------------------------------------------------------------------------

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
        rank = len(query.shape)
        if rank == 3:
            allowed = self._allowed(masks, attention_mask, length(query, 1), length(key, 1))
            heads, keys, values = self._heads(query, key, value)
            mixed, scores = self._mixed(
                heads, keys, values, allowed, use_causal_mask, return_attention_scores, training
            )
            mixed = heads_first(mixed)
        else:
            allowed = self._allowed_along(masks, attention_mask, query, key, use_causal_mask)
            parts = [_projected(x, k, b) for x, k, b in zip((query, key, value), self._kernels, self._biases)]
            mixed, scores = self._mixed_along(parts, allowed, training)
        result = self._result(query, mixed)
        return [result, scores] if return_attention_scores else result

    def _heads(self, query: Any, key: Any, value: Any) -> list[Any]:
        """(batch, heads, length, size) for each part; one product where the parts are one tensor."""
        if not query is key is value:
            given = zip((query, key, value), self._kernels, self._biases)
            return [heads_first(_projected(x, k, b)) for x, k, b in given]
        kernels, biases = map(list, zip(*map(_flat, self._kernels, self._biases)))
        joint = dense(
            query, K.concatenate(kernels, axis=1), K.concatenate(biases, axis=0) if self.use_bias else None
        )
        if self.key_dim != self.value_dim:
            cut = split_sizes(joint, [k.shape[-1] for k in kernels], axis=-1)
            return [heads_first(_by_head(part, k)) for part, k in zip(cut, self._kernels)]
        parts = reshape(joint, (*_lengths(joint, 2), len(_PARTS), self.num_heads, self.key_dim))
        return list(unstack_parts(K.permute_dimensions(parts, (2, 0, 3, 1, 4)), axis=0))

    # attention along some axes of inputs of a higher rank --------------------------------------------------------

    def _allowed_along(self, masks: list[Any], given: Any, query: Any, key: Any, causal: bool) -> Any:
        """Which pairs count, with an axis for each of the scores."""
        rank = len(query.shape)
        axes = self._axes(rank)
        scores = rank + len(axes)
        if any(m is not None for m in masks) or (len(axes) > 1 and (causal or self.sliding_window is not None)):
            raise ValueError(
                f"masks of inputs, use_causal_mask and sliding_window need one axis of attention in inputs of rank 3; "
                f"the query has the shape {query.shape}. Give an attention_mask"
            )
        rows, columns = length(query, axes[0]), length(key, axes[0])
        own = all_of([
            causal_mask(rows, columns) if causal else None,
            None if self.sliding_window is None else window_mask(rows, columns, self.sliding_window),
        ])
        parts = [with_axes(m, scores, -2 * len(axes) - 1) for m in (own, given)]
        return all_of(parts)

    def _mixed_along(self, parts: list[Any], allowed: Any, training: Any) -> tuple[Any, Any]:
        query, key, value = parts
        rank = len(query.shape)
        axes = self._axes(rank - 1)
        of_query = string.ascii_lowercase[:rank]
        fresh = iter(string.ascii_lowercase[rank:])
        of_key = "".join(next(fresh) if i in axes else c for i, c in enumerate(of_query[:-1])) + of_query[-1]
        kept = "".join(c for i, c in enumerate(of_query[:-1]) if i not in axes)
        of_scores = kept + "".join(of_query[a] for a in axes) + "".join(of_key[a] for a in axes)
        logits = einsum(f"{of_query},{of_key}->{of_scores}", query * (1.0 / math.sqrt(self.key_dim)), key)
        if allowed is not None:
            logits = select_elements(allowed, logits, FORBIDDEN[dtype_of(logits)])
        first = len(of_scores) - len(axes)
        sizes = _lengths(logits, len(of_scores))
        scores = reshape(softmax(reshape(logits, (*sizes[:first], -1))), sizes)
        values = of_key[:-1] + next(fresh)
        result = of_query[:-1] + values[-1]
        return einsum(f"{of_scores},{values}->{result}", self._dropped(scores, training), value), scores

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        found["output_shape"] = found.pop("output_shape_argument")
        return found


def _three(given: Any) -> tuple[Any, Any, Any]:
    """Query, key and value; the key is the value where none is given."""
    if len(given) not in (2, 3):
        raise ValueError(f"attention takes a query, a value and perhaps a key, it was given {len(given)} tensors")
    return given[0], given[-1], given[1]


def _masks(mask: Any, given: Any, count: int) -> list[Any]:
    """The masks of query, value and key: those given in the call, else those of the inputs."""
    carried = of_inputs(mask, count)
    return [m if m is not None else c for m, c in zip(given, [*carried, None])]


def _flat(kernel: Any, bias: Any) -> tuple[Any, Any]:
    """A kernel as (features, heads size) and its bias as (heads size,)."""
    features, heads, size = kernel.shape
    return reshape(kernel, (features, heads * size)), None if bias is None else reshape(bias, (heads * size,))


def _by_head(x: Any, kernel: Any) -> Any:
    """(batch, ..., heads size) as (batch, ..., heads, size)."""
    return reshape(x, (*_lengths(x, len(x.shape) - 1), *kernel.shape[1:]))


def _projected(x: Any, kernel: Any, bias: Any) -> Any:
    """(batch, ..., heads, size)."""
    return _by_head(dense(x, *_flat(kernel, bias)), kernel)


def heads_first(x: Any) -> Any:
    """(batch, length, heads, size) as (batch, heads, length, size), and the other way round."""
    return K.permute_dimensions(x, (0, 2, 1, 3))


def _lengths(x: Any, count: int) -> list[Any]:
    return [length(x, axis) for axis in range(count)]


__all__ = ["MultiHeadAttention"]
