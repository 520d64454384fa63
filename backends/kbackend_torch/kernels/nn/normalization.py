"""Normalization kernels.

Batch normalization of torch scales and shifts x without centring it first, which loses precision where the mean is
large. Its backward pass does centre, so only the forward pass is composed of single operations here.
"""

from __future__ import annotations

from typing import Any

import torch

from kbackend.plugin.contract import Specialized


class _Normalize(torch.autograd.Function):
    """Batch normalization of ``(batch, channels, ...)`` by the statistics of each channel."""

    @staticmethod
    def forward(ctx: Any, x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
        y, mean, var, inverse = _normalize(x, gamma, beta, epsilon, (0, *range(2, x.dim())), 1)
        ctx.save_for_backward(x, gamma, mean, inverse)
        ctx.epsilon = epsilon
        ctx.set_materialize_grads(False)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, of_y: Any, of_mean: Any, of_var: Any) -> Any:
        x, gamma, mean, inverse = ctx.saved_tensors
        needs = ctx.needs_input_grad[:3]
        found: list[Any] = [None, None, None]
        if of_y is not None:
            own = torch.ops.aten.native_batch_norm_backward(
                of_y, x, gamma, None, None, mean.detach(), inverse, True, ctx.epsilon, needs
            )  # its derivative takes into account that mean and inverse depend on x
            found = [g if need else None for g, need in zip(own, needs, strict=True)]
        if needs[0]:
            for part in _of_statistics(x, mean, of_mean, of_var):
                found[0] = part if found[0] is None else found[0] + part
        return (*found, None)


def _of_statistics(x: Any, mean: Any, of_mean: Any, of_var: Any) -> Any:
    """The contributions of the gradients of mean and variance to that of x."""
    count = x.numel() / max(1, x.shape[1])
    shape = (-1, *(1,) * (x.dim() - 2))
    if of_mean is not None:
        yield (of_mean / count).view(shape).expand_as(x)
    if of_var is not None:
        yield (of_var * (2.0 / count)).view(shape) * (x - mean.view(shape))


def _normalize(x: Any, gamma: Any, beta: Any, epsilon: float, axes: tuple[int, ...], channels: int) -> Any:
    """The result, mean, variance and reciprocal standard deviation.

    ``channels``: the only axis that is not reduced, along which the statistics become vectors, or -1.
    """
    mean = x.mean(axes, keepdim=True)
    centered = x - mean
    var = centered.square().mean(axes, keepdim=True)
    inverse = (var + epsilon).rsqrt()
    factor = inverse if gamma is None else inverse * _spread(gamma, x, axes)
    y = centered * factor if beta is None else torch.addcmul(_spread(beta, x, axes), centered, factor)
    if channels < 0:
        return y, mean, var, inverse
    return y, mean.view(-1), var.view(-1), inverse.view(-1)


def _spread(value: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """gamma or beta, whose axes are the ones that are not reduced, with axes of size 1 for the others."""
    if value.dim() == x.dim():
        return value
    sizes = iter(value.shape)
    kept = x.dim() - len(axes)
    lead = kept - value.dim()
    shape = []
    for axis in range(x.dim()):
        if axis in axes:
            shape.append(1)
        elif lead > 0:
            shape.append(1)
            lead -= 1
        else:
            shape.append(next(sizes))
    return value.reshape(shape)


def _in_training(specs: Any, *, reduction_axes: tuple[int, ...], epsilon: float) -> Any:
    x, gamma, beta = specs
    rank, dtype = len(x.shape), x.dtype
    kept = [a for a in range(rank) if a not in reduction_axes]
    vectors = all(v is None or len(v.shape) == 1 for v in (gamma, beta))
    if len(kept) == 1 and rank > 1 and vectors:
        of_some = _by_channel(kept[0], epsilon)
    else:
        of_some = _by_axes(reduction_axes, epsilon)

    def run(x: Any, gamma: Any, beta: Any) -> Any:
        return of_some(x, gamma, beta) if x.numel() else _of_nothing(x, gamma, beta, reduction_axes)

    if dtype in ("float32", "float64"):
        return run

    def wide(x: Any, gamma: Any, beta: Any) -> Any:
        y, mean, var = run(x.float(), *(None if v is None else v.float() for v in (gamma, beta)))
        return y.to(x.dtype), mean, var

    return wide


def _by_channel(axis: int, epsilon: float) -> Any:
    def run(x: Any, gamma: Any, beta: Any) -> Any:
        y, mean, var = _Normalize.apply(x.movedim(axis, 1), gamma, beta, epsilon)
        return y.movedim(1, axis), mean, var

    return run


def _by_axes(axes: tuple[int, ...], epsilon: float) -> Any:
    def run(x: Any, gamma: Any, beta: Any) -> Any:
        y, mean, var, _ = _normalize(x, gamma, beta, epsilon, axes, -1)
        kept = [d for a, d in enumerate(x.shape) if a not in axes]
        return y, mean.view(kept), var.view(kept)

    return run


def _of_nothing(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...]) -> Any:
    """Of an empty batch, on which torch's own backward pass divides by 0 and ends the process."""
    y = x if gamma is None else x * _spread(gamma, x, axes)
    y = y if beta is None else y + _spread(beta, x, axes)
    return y.clone(), x.sum(axes), x.sum(axes)


KERNELS: dict[str, Any] = {"normalize_batch_in_training": Specialized(_in_training)}
