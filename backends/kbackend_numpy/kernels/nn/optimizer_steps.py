"""Multi-tensor optimizer kernels that update variables in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.plugin.contract import InPlace


def _rows(cells: Sequence[Any], grads: Sequence[Any]) -> Any:
    """(gradient, parameter, state, ...) for each tensor."""
    count = len(grads)
    return zip(grads, *(cells[i * count : (i + 1) * count] for i in range(len(cells) // count)))


def _average(a: Any, rate: Any, value: Any) -> None:
    """Update the moving average ``a`` in place to ``rate * a + (1 - rate) * value``; overwrites ``value``."""
    a *= rate
    value *= 1 - rate
    a += value


def sgd(cells: Any, params: Any, grads: Any, lr: Any) -> None:
    for g, p in _rows(cells, grads):
        p -= p.dtype.type(lr) * g


def momentum(
    cells: Any, params: Any, grads: Any, velocities: Any, lr: Any, momentum: Any, nesterov: bool
) -> None:
    for g, p, v in _rows(cells, grads):
        decay = p.dtype.type(momentum)
        step = p.dtype.type(lr) * g
        v *= decay
        v -= step
        p += decay * v - step if nesterov else v


def rmsprop(cells: Any, params: Any, grads: Any, averages: Any, lr: Any, rho: Any, epsilon: Any) -> None:
    for g, p, a in _rows(cells, grads):
        number = p.dtype.type
        _average(a, number(rho), np.asarray(g * g))
        p -= number(lr) * g / np.sqrt(a + number(epsilon))


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
    number = None
    for g, p, m, v in _rows(cells, grads):
        if p.dtype.type is not number:
            number = p.dtype.type
            b1, b2, t, small = number(beta_1), number(beta_2), number(step), number(epsilon)
            rate = number(lr) * np.sqrt(1 - b2**t) / (1 - b1**t)
        _average(v, b2, np.asarray(g * g))
        _average(m, b1, np.array(g))
        change = np.asarray(np.sqrt(v))
        change += small
        np.divide(m, change, out=change)
        change *= rate
        p -= change


def adadelta(
    cells: Any, params: Any, grads: Any, averages: Any, deltas: Any, lr: Any, rho: Any, epsilon: Any
) -> None:
    for g, p, a, d in _rows(cells, grads):
        number = p.dtype.type
        r, e = number(rho), number(epsilon)
        _average(a, r, np.asarray(g * g))
        change = g * np.sqrt(d + e) / np.sqrt(a + e)
        p -= number(lr) * change
        _average(d, r, np.asarray(change * change))


KERNELS = {
    "sgd_step": InPlace(sgd),
    "momentum_step": InPlace(momentum),
    "rmsprop_step": InPlace(rmsprop),
    "adam_step": InPlace(adam),
    "adadelta_step": InPlace(adadelta),
}
