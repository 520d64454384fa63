"""Multi-tensor optimizer kernels that update variables in place: fused Adam, foreach kernels for the others."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import torch

from kbackend.plugin.contract import InPlace


def _groups(cells: Sequence[Any], count: int) -> list[list[Any]]:
    return [list(cells[i * count : (i + 1) * count]) for i in range(len(cells) // count)]


def _alike(params: Sequence[Any], grads: Sequence[Any], *states: Sequence[Any]) -> list[Any]:
    """The gradients with the strides of their parameters; states of other strides are converted in place.

    The fused kernel iterates over memory and ignores strides.
    """
    strides = [p.stride() for p in params]
    for state in states:
        for cell, param, wanted in zip(state, params, strides):
            if cell.stride() != wanted:
                cell.set_(torch.empty_like(param).copy_(cell))
    return [
        g if g.stride() == wanted else torch.empty_like(p).copy_(g) for g, p, wanted in zip(grads, params, strides)
    ]


def sgd(cells: Any, params: Any, grads: Any, lr: Any) -> None:
    torch._foreach_add_(list(cells), list(grads), alpha=-float(lr))


def momentum(
    cells: Any, params: Any, grads: Any, velocities: Any, lr: Any, momentum: Any, nesterov: bool
) -> None:
    p, v = _groups(cells, len(grads))
    rate, keep = float(lr), float(momentum)
    torch._foreach_mul_(v, keep)
    torch._foreach_add_(v, list(grads), alpha=-rate)
    torch._foreach_add_(p, v, alpha=keep if nesterov else 1.0)
    if nesterov:
        torch._foreach_add_(p, list(grads), alpha=-rate)


def rmsprop(cells: Any, params: Any, grads: Any, averages: Any, lr: Any, rho: Any, epsilon: Any) -> None:
    p, a = _groups(cells, len(grads))
    g, r = list(grads), float(rho)
    torch._foreach_mul_(a, r)
    torch._foreach_addcmul_(a, g, g, value=1 - r)
    root = torch._foreach_add(a, float(epsilon))
    torch._foreach_sqrt_(root)
    torch._foreach_addcdiv_(p, g, root, value=-float(lr))


def adam(
    cells: Any,
    params: Any,
    grads: Any,
    means: Any,
    squares: Any,
    lr: Any,
    beta_1: Any,
    beta_2: Any,
    epsilon: Any,
    step: Any,
) -> None:
    _adam(*_groups(cells, len(grads)), grads, lr, beta_1, beta_2, epsilon, step)


def _adam(p: Any, m: Any, v: Any, grads: Any, lr: Any, beta_1: Any, beta_2: Any, epsilon: Any, step: Any) -> None:
    g = _alike(p, grads, m, v)
    # torch adds epsilon after the bias correction of the root, Keras before: equal for epsilon / sqrt(1 - beta_2^t)
    t, b2 = float(step), float(beta_2)
    steps = [torch.full((), t, dtype=torch.float32, device=p[0].device)] * len(p)
    torch._fused_adam_(
        p,
        g,
        m,
        v,
        [],
        steps,
        lr=float(lr),
        beta1=float(beta_1),
        beta2=b2,
        weight_decay=0.0,
        eps=float(epsilon) / sqrt(1 - b2**t),
        amsgrad=False,
        maximize=False,
    )


def leave_uncompiled() -> None:
    """Exclude Adam from torch.compile: torch 2.13 cannot trace the fused kernel, and one multi-tensor call has nothing
    to gain from compilation."""
    global _adam
    if not hasattr(_adam, "_torchdynamo_disable"):
        _adam = torch.compiler.disable(_adam)


def adadelta(
    cells: Any, params: Any, grads: Any, averages: Any, deltas: Any, lr: Any, rho: Any, epsilon: Any
) -> None:
    p, a, d = _groups(cells, len(grads))
    g, r, e = list(grads), float(rho), float(epsilon)
    torch._foreach_mul_(a, r)
    torch._foreach_addcmul_(a, g, g, value=1 - r)
    root = torch._foreach_add(a, e)
    torch._foreach_sqrt_(root)
    change = torch._foreach_add(d, e)
    torch._foreach_sqrt_(change)
    torch._foreach_div_(change, root)
    torch._foreach_mul_(change, g)
    torch._foreach_add_(p, change, alpha=-float(lr))
    torch._foreach_mul_(d, r)
    torch._foreach_addcmul_(d, change, change, value=1 - r)


KERNELS = {
    "sgd_step": InPlace(sgd),
    "momentum_step": InPlace(momentum),
    "rmsprop_step": InPlace(rmsprop),
    "adam_step": InPlace(adam),
    "adadelta_step": InPlace(adadelta),
}
