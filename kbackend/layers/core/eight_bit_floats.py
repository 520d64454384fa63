"""Floats of 8 bits: numbers rounded to them, and the scales and histories by which training keeps them in range.

No engine computes with such floats on a CPU, so they are numbers of a wider dtype with the values that 8 bits hold. The
scheme is that of Micikevicius et al., "FP8 Formats for Deep Learning", 2022, with delayed scales as in Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kbackend import backend as K
from kbackend.declare.call import dtype_of
from kbackend.ops.control.custom_gradient import custom_gradient
from kbackend.ops.elementwise.floating import frexp
from kbackend.ops.elementwise.precision import as_dtype


class Format(NamedTuple):
    """A format of 8 bits.

    Attributes:
        bits: of the fraction.
        least: the exponent of the smallest normal number.
        largest: the largest number.
    """

    bits: int
    least: int
    largest: float


#: of inputs and weights
E4M3 = Format(3, -6, 448.0)
#: of gradients
E5M2 = Format(2, -14, 57344.0)
#: how many steps a history holds
HISTORY = 1024


def rounded(x: Any, form: Format) -> Any:
    """The nearest number of a format, the even one of two; ``x`` is in its range, or NaN.

    >>> from kbackend import K
    >>> K.eval(rounded(K.constant([0.3, 17.0, 19.0, 0.001]), E4M3)).tolist()
    [0.3125, 16.0, 20.0, 0.001953125]
    """
    own = dtype_of(x)
    wide = as_dtype(x, "float64" if own == "float64" else "float32")
    fraction, _ = frexp(wide)
    digits = 2.0 ** (form.bits + 1)
    unit = 2.0 ** (form.least - form.bits)
    power = wide / K.where(K.equal(fraction, 0.0), K.ones_like(fraction), fraction)
    normal = K.round(fraction * digits) * (power / digits)
    small = K.round(wide / unit) * unit
    return as_dtype(K.where(K.abs(wide) < 2.0**form.least, small, normal), own)


def through(x: Any, scale: Any, form: Format) -> Any:
    """``x`` as numbers of a format times a scale."""
    factor = as_dtype(scale, dtype_of(x))
    return rounded(K.clip(x / factor, -form.largest, form.largest), form) * factor


def next_scale(history: Any, scale: Any, form: Format) -> Any:
    """The scale that takes the largest magnitude of a history to the largest number; the old one where that is 0 or
    not finite."""
    largest = K.max(history, axis=0)
    usable = largest > 0
    factor = K.where(usable, form.largest / K.where(usable, largest, K.ones_like(largest)), 1.0 / scale)
    return 1.0 / K.where(K.isfinite(largest), factor, 1.0 / scale)


def next_history(history: Any, x: Any) -> Any:
    """A history after a step: in front the magnitude of ``x``, the oldest one goes."""
    seen = K.reshape(as_dtype(K.max(K.abs(x)), dtype_of(history)), (1,))
    return K.concatenate([seen, history[2:], history[:1]], axis=0) if history.shape[0] > 1 else seen


@custom_gradient
def _forward(x: Any, scale: Any, history: Any) -> Any:
    """``x`` in E4M3; the gradients of scale and history are their next values."""
    found = [next_scale(history, scale, E4M3), next_history(history, x)]
    return through(x, scale, E4M3), lambda upstream: [upstream, *found]


@custom_gradient
def _backward(y: Any, scale: Any, history: Any) -> Any:
    """``y``, whose gradient goes on in E5M2; the gradients of scale and history are their next values."""

    def gradient(upstream: Any) -> list[Any]:
        found = [next_scale(history, scale, E5M2), next_history(history, upstream)]
        return [through(upstream, scale, E5M2), *found]

    return K.identity(y), gradient


def product(x: Any, weight: Any, states: Sequence[Any], multiplied: Callable[[Any, Any], Any]) -> Any:
    """The product of inputs and a weight in E4M3, with its gradient in E5M2.

    Args:
        x, weight: the operands.
        states: scale and history of the inputs, of the weight and of the gradient.
        multiplied: the product.
    """
    y = multiplied(_forward(x, *states[:2]), _forward(weight, *states[2:4]))
    return _backward(y, *states[4:])


def of_bias(bias: Any) -> Any:
    """A bias as it is added to a product: in float32 as numbers of bfloat16, as Keras has it for fused kernels."""
    return as_dtype(as_dtype(bias, "bfloat16"), "float32") if dtype_of(bias) == "float32" else bias


__all__: list[str] = []
