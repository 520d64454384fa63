"""Crossentropy kernels with closed-form gradients, which are cheaper than differentiating exp and log.

Vector-Jacobian products are written in differentiable operations, so that second derivatives exist.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
import numpy as onp
from autograd.extend import defvjp
from autograd.tracer import isbox

from kbackend_numpy.kernels.elementwise.functions import clip_range
from kbackend_numpy.kernels.reduction.reductions import value_of
from kbackend_numpy.recording import primitive


def _from_the_top(x: Any) -> tuple[Any, Any]:
    """``x`` minus its largest element over the last axis, and the logarithm of the sum of its exponentials. A logarithm
    that is added to large elements is lost among their digits."""
    if not x.shape[-1]:
        return x, onp.zeros((*x.shape[:-1], 1), x.dtype)
    below = x - onp.max(x, axis=-1, keepdims=True)
    return below, onp.log(onp.sum(onp.exp(below), axis=-1, keepdims=True))


def _softmax(logits: Any) -> Any:
    if not logits.shape[-1]:
        return logits
    top = np.max(logits, axis=-1, keepdims=True)
    powers = np.exp(logits - top)
    return powers / np.sum(powers, axis=-1, keepdims=True)


@primitive
def softmax_crossentropy(target: Any, logits: Any) -> Any:
    below, total = _from_the_top(logits)
    return onp.sum(target * (total - below), axis=-1)


def _target_vjp(ans: Any, target: Any, logits: Any) -> Any:
    def vjp(g: Any) -> Any:
        if not logits.shape[-1]:
            return np.zeros_like(target)
        top = np.max(logits, axis=-1, keepdims=True)
        shifted = logits - top
        return g[..., None] * (np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True)) - shifted)

    return vjp


def _logits_vjp(ans: Any, target: Any, logits: Any) -> Any:
    return lambda g: g[..., None] * (_softmax(logits) * np.sum(target, axis=-1, keepdims=True) - target)


defvjp(softmax_crossentropy, _target_vjp, _logits_vjp)


def checked_labels(labels: Any, logits: Any) -> Any:
    count = logits.shape[-1]
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        wrong = labels[(labels < 0) | (labels >= count)].flat[0]
        raise ValueError(f"the label {wrong} is not in [0, {count})")
    return labels


def label_crossentropy(labels: Any, logits: Any) -> Any:
    return _label_crossentropy(logits, checked_labels(labels, logits)[..., None])


@primitive
def _label_crossentropy(logits: Any, index: Any) -> Any:
    below, total = _from_the_top(logits)
    return (total - onp.take_along_axis(below, index, -1))[..., 0]


def _label_crossentropy_vjp(ans: Any, logits: Any, index: Any) -> Any:
    return lambda g: _subtract_at(_softmax(logits) * g[..., None], g, index)


@primitive
def _subtract_at(x: Any, g: Any, index: Any) -> Any:
    """``x`` with ``g`` subtracted at the index of each row."""
    result = x.copy()
    onp.put_along_axis(result, index, onp.take_along_axis(result, index, -1) - g[..., None], -1)
    return result


defvjp(_label_crossentropy, _label_crossentropy_vjp, argnums=(0,))
defvjp(
    _subtract_at,
    lambda ans, x, g, index: lambda c: c,
    lambda ans, x, g, index: lambda c: -_at(c, index),
    argnums=(0, 1),
)


@primitive
def _at(x: Any, index: Any) -> Any:
    return onp.take_along_axis(x, index, -1)[..., 0]


defvjp(_at, lambda ans, x, index: lambda g: -_subtract_at(np.zeros_like(x), g, index), argnums=(0,))


@primitive
def sigmoid_crossentropy(target: Any, logits: Any, limit: float | None = None) -> Any:
    if limit is not None:
        logits = _clipped(logits, limit)
    result = onp.asarray(onp.abs(logits))
    onp.negative(result, out=result)
    onp.exp(result, out=result)
    onp.log1p(result, out=result)
    result += onp.maximum(logits, 0) - target * logits  # the difference first: the logarithm may be tiny beside both
    return result


def _sigmoid(x: Any) -> Any:
    return (np.tanh(x * x.dtype.type(0.5)) + 1) * x.dtype.type(0.5)


def _clipped(logits: Any, limit: float) -> Any:
    """What ``np.clip`` returns, in a third of its time where arrays are small."""
    return onp.minimum(onp.maximum(logits, logits.dtype.type(-limit)), logits.dtype.type(limit))


def _limited(logits: Any, limit: float | None) -> Any:
    return logits if limit is None else clip_range(logits, -limit, limit)


def _slope(target: Any, logits: Any, limit: float | None) -> Any:
    if not (isbox(target) or isbox(logits)):
        return _plain_slope(target, logits, limit)
    slope = _sigmoid(_limited(logits, limit)) - target
    return slope if limit is None else slope * (abs(value_of(logits)) <= limit).astype(logits.dtype)


def _plain_slope(target: Any, logits: Any, limit: float | None) -> Any:
    """The same of arrays, in place and without searches for boxes."""
    half = logits.dtype.type(0.5)
    slope = onp.asarray(onp.tanh((logits if limit is None else _clipped(logits, limit)) * half))
    slope += logits.dtype.type(1)
    slope *= half
    slope -= target
    if limit is not None:
        slope *= (onp.abs(logits) <= limit).astype(logits.dtype)
    return slope


defvjp(
    sigmoid_crossentropy,
    lambda ans, target, logits, limit=None: lambda g: -g * _limited(logits, limit),
    lambda ans, target, logits, limit=None: lambda g: g * _slope(target, logits, limit),
)

KERNELS: dict[str, Any] = {
    "checked_labels": checked_labels,
    "label_crossentropy": label_crossentropy,
    "sigmoid_crossentropy": sigmoid_crossentropy,
    "softmax_crossentropy": softmax_crossentropy,
}
