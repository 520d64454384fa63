"""Optimizer kernels that update resource variables in place, by one fused op for each weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kbackend.plugin.contract import InPlace


def _rows(cells: Sequence[Any], grads: Sequence[Any]) -> Any:
    """(gradient, parameter, state, ...) for each tensor."""
    count = len(grads)
    return zip(grads, *(cells[i * count : (i + 1) * count] for i in range(len(cells) // count)))


def _in(dtype: Any, *scalars: Any) -> list[Any]:
    return [tf.cast(s, dtype) for s in scalars]


def sgd(cells: Any, params: Any, grads: Any, lr: Any) -> None:
    for g, p in _rows(cells, grads):
        tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=tf.cast(lr, p.dtype), delta=g)


def momentum(
    cells: Any, params: Any, grads: Any, velocities: Any, lr: Any, momentum: Any, nesterov: bool
) -> None:
    for g, p, v in _rows(cells, grads):
        rate, keep = _in(p.dtype, lr, momentum)
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=p.handle, accum=v.handle, lr=rate, grad=g, momentum=keep, use_nesterov=nesterov
        )


def rmsprop(cells: Any, params: Any, grads: Any, averages: Any, lr: Any, rho: Any, epsilon: Any) -> None:
    for g, p, a in _rows(cells, grads):
        rate, r, e = _in(p.dtype, lr, rho, epsilon)
        average = a.assign(r * a + (1 - r) * g * g)
        p.assign_sub(rate * g * tf.math.rsqrt(average + e), read_value=False)


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
    powers: dict[Any, list[Any]] = {}
    for g, p, m, v in _rows(cells, grads):
        if p.dtype not in powers:
            rate, b1, b2, e, t = _in(p.dtype, lr, beta_1, beta_2, epsilon, step)
            powers[p.dtype] = [rate, b1, b2, e, b1**t, b2**t]
        rate, b1, b2, e, b1t, b2t = powers[p.dtype]
        tf.raw_ops.ResourceApplyAdam(
            var=p.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=b1t,
            beta2_power=b2t,
            lr=rate,
            beta1=b1,
            beta2=b2,
            epsilon=e,
            grad=g,
        )


def adadelta(
    cells: Any, params: Any, grads: Any, averages: Any, deltas: Any, lr: Any, rho: Any, epsilon: Any
) -> None:
    for g, p, a, d in _rows(cells, grads):
        rate, r, e = _in(p.dtype, lr, rho, epsilon)
        tf.raw_ops.ResourceApplyAdadelta(
            var=p.handle, accum=a.handle, accum_update=d.handle, lr=rate, rho=r, epsilon=e, grad=g
        )


KERNELS = {
    "sgd_step": InPlace(sgd),
    "momentum_step": InPlace(momentum),
    "rmsprop_step": InPlace(rmsprop),
    "adam_step": InPlace(adam),
    "adadelta_step": InPlace(adadelta),
}
