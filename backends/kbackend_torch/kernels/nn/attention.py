"""Attention and layer normalization by the fused kernels of torch."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from kbackend.declare.op import REGISTRY
from kbackend.plugin.constants import FORBIDDEN
from kbackend_torch.dtypes import NAME


def attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: float,
    causal: bool,
    soft_cap: Any,
    heads_first: bool,
) -> Any:
    if not heads_first:
        query, key, value = (t.transpose(1, 2) for t in (query, key, value))
    mixed = _by_head(query, key, value, bias, mask, scale, causal, soft_cap)
    return mixed if heads_first else mixed.transpose(1, 2)


def _by_head(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: float, causal: bool, soft_cap: Any
) -> Any:
    # In float16 no number is large enough to mask logits.
    unmaskable = query.dtype == torch.float16 and (mask is not None or causal)
    if soft_cap is not None or unmaskable or not query.numel() or not key.numel() or not value.numel():
        return _composition(query, key, value, bias, mask, scale, causal, soft_cap)
    allowed = _allowed(query, key, mask, causal)
    added = _added(query, bias, allowed)
    operands = (query, key, value) if added is None else (query, key, value, added)
    if torch.is_grad_enabled() and any(t.requires_grad for t in operands):
        if mask is not None:  # a causal mask alone leaves every query a key
            # The logits of a row of forbidden pairs are equal constants. The backward kernel takes them for sums, and
            # beside so large a number it loses the logarithm of their count.
            some = allowed.any(-1, keepdim=True)
            operands = (torch.where(some, query, 0.0), key, value, torch.where(some, operands[3], 0.0))
        return _Attention.apply(scale, *operands)
    return _fused(scale, *operands)


def _composition(query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, causal: Any, cap: Any) -> Any:
    body = REGISTRY["attention"].function
    return body(query, key, value, bias, mask, scale=scale, causal=causal, soft_cap=cap, heads_first=True)


def _allowed(query: Any, key: Any, mask: Any, causal: bool) -> Any:
    """The pairs that are not masked; None for all."""
    if not causal:
        return mask
    causal_mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
    return causal_mask if mask is None else mask & causal_mask


def _added(query: Any, bias: Any, allowed: Any) -> Any:
    """The additive bias of the logits, a large negative number where a pair is masked."""
    if allowed is None:
        return bias
    if bias is None:
        bias = torch.zeros((), dtype=query.dtype, device=query.device)
    return torch.where(allowed, bias, FORBIDDEN[NAME[query.dtype]])


def _fused(scale: float, query: Any, key: Any, value: Any, added: Any = None) -> Any:
    return scaled_dot_product_attention(query, key, value, added, scale=scale)


class _Attention(torch.autograd.Function):
    """The fused kernel, which has no second derivative: gradients that are differentiated are of the composition."""

    @staticmethod
    def forward(ctx: Any, scale: float, *operands: Any) -> Any:
        ctx.save_for_backward(*operands)
        ctx.scale = scale
        with torch.enable_grad():
            ctx.own = [t.detach().requires_grad_(t.requires_grad) for t in operands]
            ctx.result = _fused(scale, *ctx.own)
        return ctx.result.detach()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        needed = [i for i, need in enumerate(ctx.needs_input_grad[1:]) if need]
        nested = torch.is_grad_enabled()
        if nested:
            operands = ctx.saved_tensors
            added = operands[3] if len(operands) > 3 else None
            result = _composition(*operands[:3], added, None, ctx.scale, False, None)
        else:
            operands, result = ctx.own, ctx.result
        computed = torch.autograd.grad(
            result, [operands[i] for i in needed], g, create_graph=nested, retain_graph=True
        )
        gradients: list[Any] = [None] * len(ctx.needs_input_grad)
        for i, gradient in zip(needed, computed):
            gradients[i + 1] = gradient
        return tuple(gradients)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, *, axis: tuple[int, ...], epsilon: float
) -> Any:
    rank = x.dim()
    trailing = axis == tuple(range(rank - len(axis), rank))
    sizes = x.shape[rank - len(axis) :]
    if not trailing or any(w is not None and (w.shape != sizes or w.dtype != x.dtype) for w in (gamma, beta)):
        return _normalized(x, gamma, beta, axis, epsilon)
    return torch.nn.functional.layer_norm(x, sizes, gamma, beta, epsilon)


def _normalized(x: Any, gamma: Any, beta: Any, axis: tuple[int, ...], epsilon: float) -> Any:
    return REGISTRY["layer_normalization"].function(x, gamma, beta, axis, epsilon)


KERNELS = {"attention": attention, "layer_normalization": layer_normalization}
