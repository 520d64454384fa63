"""Scaled dot-product attention over heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import broadcast
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.ranges import classic_arange
from kbackend.ops.arrays.repeat import repeat_elements
from kbackend.ops.arrays.reshape import expand_dims
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.linalg.matmul import matrix_multiply
from kbackend.ops.nn.softmax import softmax
from kbackend.plugin.constants import FORBIDDEN


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    scale, cap = attrs["scale"], attrs["soft_cap"]
    if scale is None:
        size = specs[0].shape[-1] if specs[0].ndim else None
        if size is None:
            raise ValueError(f"the head size must be known without a scale, the query has the shape {specs[0].shape}")
        scale = 1.0 / math.sqrt(max(size, 1))
    return {
        "scale": float(scale),
        "causal": bool(attrs["causal"]),
        "soft_cap": None if cap is None else float(cap),
        "heads_first": bool(attrs["heads_first"]),
    }


def _rule(query: TensorSpec, key: TensorSpec, value: TensorSpec, bias: TensorSpec | None = None,
          mask: TensorSpec | None = None, heads_first: bool = False, **_: Any) -> TensorSpec:
    shapes = f"query {query.shape}, key {key.shape}, value {value.shape}"
    if not dtypes.is_float(query.dtype):
        raise TypeError(f"attention needs float tensors, the query is {query.dtype}")
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(f"attention needs tensors of rank 4, it was given {shapes}")
    length, heads = (2, 1) if heads_first else (1, 2)
    pairs = [(query.shape[0], key.shape[0]), (key.shape[0], value.shape[0]),
             (key.shape[length], value.shape[length]),
             (query.shape[heads], key.shape[heads]), (key.shape[heads], value.shape[heads]),
             (query.shape[3], key.shape[3])]
    if any(a is not None and b is not None and a != b for a, b in pairs):
        raise ValueError(f"the shapes of attention do not fit: {shapes}")
    logits = (query.shape[0], query.shape[heads], query.shape[length], key.shape[length])
    for label, added in (("bias", bias), ("mask", mask)):
        if added is not None and (added.ndim > 4 or not _fits(added.shape, logits)):
            raise ValueError(f"the {label} {added.shape} does not fit the logits {logits}")
    if mask is not None and mask.dtype != dtypes.BOOL:
        raise TypeError(f"the mask of attention must be bool, it is {mask.dtype}")
    return TensorSpec((*query.shape[:3], value.shape[3]), query.dtype)


def _fits(shape: Any, logits: Any) -> bool:
    try:
        joint = broadcast(shape, logits)
    except ValueError:
        return False
    return all(a == b or a is None or b is None for a, b in zip(joint, logits))


def _parts(length: int = 5, keys: int = 4) -> tuple[In, In, In]:
    return In((2, length, 3, 6)), In((2, keys, 3, 6)), In((2, keys, 3, 7))


_MASK = np.array([[True, False, True, True], [True] * 4, [False, False, False, True], [True, True, False, False],
                  [True] * 4])


def _samples() -> list[Sample]:
    mask = In(values=_MASK, kind="bool")
    return [
        call(*_parts()),
        call(*_parts(), In((2, 3, 5, 4)), mask, scale=0.3, name="bias and mask"),
        call(*_parts(), None, mask, name="mask"),
        call(*_parts(4), causal=True, name="causal"),
        call(*_parts(4), None, In(values=_MASK[:4], kind="bool"), causal=True, soft_cap=2.0, name="all together"),
        call(*_parts(1, 1), name="one token", dynamic=False),
        call(In((2, 3, 5, 6)), In((2, 3, 4, 6)), In((2, 3, 4, 7)), None, mask, heads_first=True, name="heads first"),
        call(In((2, 3, 4, 6)), In((2, 3, 4, 6)), In((2, 3, 4, 6)), causal=True, heads_first=True,
             name="heads first, causal"),
        call(*_parts(), None, In(values=np.zeros((5, 4), bool), kind="bool"), name="nothing allowed"),
        call(*_parts(), None, In(values=_MASK & (np.arange(5) != 1)[:, None], kind="bool"), name="a row of nothing"),
        call(*_parts(4), None, In(values=_MASK[1:] & (np.arange(4) != 0), kind="bool"), causal=True,
             name="causal, a row of nothing"),
        call(In((2, 5, 3, 6)), In((2, 4, 3, 5)), In((2, 4, 3, 7)), raises=ValueError, name="sizes"),
        call(*_parts(), None, In(values=np.ones((5, 3), bool), kind="bool"), raises=ValueError, name="mask's shape"),
    ]


@composite(name="attention", promote="same", promoted=("query", "key", "value", "bias"), prepare=_attrs, rule=_rule,
           tolerance="matmul", samples=_samples)
def attention(query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None = None,
              mask: TensorLike | None = None, scale: float | None = None, causal: bool = False,
              soft_cap: float | None = None, heads_first: bool = False) -> Any:
    """``softmax(query key^T * scale + bias) value`` for each head; see :func:`dot_product_attention`.

    With ``heads_first`` the tensors and the result are (batch, heads, length, size).
    """
    if not heads_first:
        query, key, value = (permute_dimensions(t, (0, 2, 1, 3)) for t in (query, key, value))
    mixed = matrix_multiply(softmax(_logits(query, key, bias, mask, scale, causal, soft_cap)), value)
    return mixed if heads_first else permute_dimensions(mixed, (0, 2, 1, 3))


def attention_scores(query: Any, key: Any, mask: Any, causal: bool, scale: float) -> Any:
    """``softmax(query key^T * scale)`` for query and key with heads first: (batch, heads, length, positions)."""
    return softmax(_logits(query, key, None, mask, scale, causal, None))


def _logits(query: Any, key: Any, bias: Any, mask: Any, scale: Any, causal: bool, soft_cap: float | None) -> Any:
    logits = matrix_multiply(query * scale, permute_dimensions(key, (0, 1, 3, 2)))
    if soft_cap is not None:
        logits = tanh(logits / soft_cap) * soft_cap
    logits = logits if bias is None else logits + bias
    masks = [] if mask is None else [mask]
    for allowed in [*masks, causal_mask(length(query, 2), length(key, 2))] if causal else masks:
        logits = select_elements(allowed, logits, FORBIDDEN[dtype_of(logits)])
    return logits


def causal_mask(rows: Any, columns: Any) -> Any:
    """(rows, columns): whether the position of a key is not after that of a query; sizes are integers or scalars."""
    if isinstance(rows, int) and isinstance(columns, int):
        return np.tri(rows, columns, dtype=bool)
    return expand_dims(classic_arange(0, rows), 1) >= classic_arange(0, columns)


def window_mask(rows: Any, columns: Any, width: int) -> Any:
    """(rows, columns): whether the positions of a query and a key are less than ``width`` apart."""
    if isinstance(rows, int) and isinstance(columns, int):
        return np.abs(np.arange(rows)[:, None] - np.arange(columns)) < width
    apart = expand_dims(classic_arange(0, rows), 1) - classic_arange(0, columns)
    return (apart < width) & (apart > -width)


@derived(tolerance="matmul", samples=lambda: [
    call(*_parts(), name="plain"),
    call(In((2, 5, 4, 6)), In((2, 4, 2, 6)), In((2, 4, 2, 7)), name="groups of queries share keys"),
    call(In((2, 5, 4, 6)), In((2, 4, 3, 6)), In((2, 4, 3, 6)), raises=ValueError, name="no whole groups")])
def dot_product_attention(query: TensorLike, key: TensorLike, value: TensorLike, bias: TensorLike | None = None,
                          mask: TensorLike | None = None, scale: float | None = None, is_causal: bool = False,
                          flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None) -> Any:
    """Scaled dot-product attention ``softmax(query key^T * scale + bias) value`` for each head.

    Args:
        query: floats (batch, length, heads, size).
        key, value: floats (batch, positions, heads, size) and (batch, positions, heads, values). Their number of heads
            may be a divisor of that of the query; groups of query heads share a head then.
        bias: added to the logits (batch, heads, length, positions), against which it broadcasts.
        mask: bool, False for pairs to ignore; broadcasts against the logits. A query without any pair gets the mean of
            the values.
        scale: the factor of the logits; ``1 / sqrt(size)`` when None.
        is_causal: whether queries ignore later positions.
        flash_attention: accepted for compatibility with Keras 3; an engine's fused kernel is used where there is one.
        attn_logits_soft_cap: replaces the logits by ``cap * tanh(logits / cap)``; None for no cap.

    Returns:
        (batch, length, heads, values) in the promoted dtype.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: tensors that are not floats, or a mask that is not bool.

    Source: Vaswani et al., "Attention Is All You Need", 2017; Ainslie et al., "GQA", 2023, for shared heads.

    >>> from kbackend import K
    >>> from kbackend.ops import dot_product_attention
    >>> x = K.ones((1, 2, 1, 4))
    >>> K.eval(dot_product_attention(x, x, x)).shape
    (1, 2, 1, 4)
    """
    heads, shared = query.shape[2], key.shape[2]
    if heads is not None and shared is not None and shared and heads != shared:
        if heads % shared:
            raise ValueError(f"{heads} heads of queries cannot share {shared} heads of keys evenly")
        key, value = (repeat_elements(t, heads // shared, 2) for t in (key, value))
    return attention(query, key, value, bias, mask, scale=scale, causal=is_causal, soft_cap=attn_logits_soft_cap)


__all__ = ["dot_product_attention"]
