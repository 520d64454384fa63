"""Activation functions by Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kbackend import backend as K
from kbackend import registry
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.nn.sigmoid import sigmoid, softplus, softsign
from kbackend.ops.nn.softmax import softmax

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def linear(x: Any) -> Any:
    """``x``.

    Arguments, result and errors as :func:`kbackend.backend.linear`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.linear([-1.0, 2.0])]
    [-1.0, 2.0]
    """
    return x


def relu(
    x: Any, negative_slope: Any = 0.0, max_value: Any = None, threshold: Any = 0.0, alpha: Any = None
) -> Any:
    """``max(x, 0)``, or with another slope below, a ceiling or a threshold.

    Args:
        x: a tensor of integers or floats, of any shape.
        negative_slope, max_value, threshold: ``alpha``, ``max_value`` and ``threshold`` of
            :func:`kbackend.backend.relu`.
        alpha: Keras 2's name of ``negative_slope``.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.relu([-1.0, 2.0])]
    [0.0, 2.0]
    """
    slope = negative_slope if alpha is None else alpha
    return K.relu(x, alpha=slope, max_value=max_value, threshold=threshold)


def relu6(x: Any) -> Any:
    """``min(max(x, 0), 6)``.

    Arguments, result and errors as :func:`kbackend.ops.relu6`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.relu6([-1.0, 2.0, 9.0])]
    [0.0, 2.0, 6.0]
    """
    return K.relu6(x)


def leaky_relu(x: Any, negative_slope: Any = 0.2) -> Any:
    """``x`` above 0, ``negative_slope * x`` below. Source: Maas et al. 2013.

    Arguments, result and errors as :func:`kbackend.ops.leaky_relu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.leaky_relu([-1.0, 2.0], negative_slope=0.1)]
    [-0.1, 2.0]
    """
    return K.leaky_relu(x, negative_slope)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below. Source: Clevert et al. 2015.

    Arguments, result and errors as :func:`kbackend.ops.elu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.elu([-1.0, 2.0])]
    [-0.6321, 2.0]
    """
    return K.elu(x, alpha)


def selu(x: Any) -> Any:
    """A scaled elu that keeps mean 0 and variance 1. Source: Klambauer et al. 2017.

    Arguments, result and errors as :func:`kbackend.ops.selu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.selu([-1.0, 1.0])]
    [-1.1113, 1.0507]
    """
    return K.elu(x, _SELU_ALPHA) * _SELU_SCALE


def hard_sigmoid(x: Any) -> Any:
    """``0.2 x + 0.5``, clipped to [0, 1].

    Arguments, result and errors as :func:`kbackend.ops.hard_sigmoid`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.hard_sigmoid([-3.0, 0.0, 1.0])]
    [0.0, 0.5, 0.7]
    """
    return K.hard_sigmoid(x)


def exponential(x: Any) -> Any:
    """``exp(x)``.

    Arguments, result and errors as :func:`kbackend.backend.exponential`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.exponential([0.0, 1.0])]
    [1.0, 2.7183]
    """
    return K.exp(x)


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``. Source: Barron 2017.

    Arguments, result and errors as :func:`kbackend.ops.celu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.celu([-1.0, 2.0], alpha=2.0)]
    [-0.7869, 2.0]
    """
    return K.celu(x, alpha)


def gelu(x: Any, approximate: bool = False) -> Any:
    """``x`` times the normal distribution function of ``x``, exact or by tanh. Source: Hendrycks and Gimpel 2016.

    Arguments, result and errors as :func:`kbackend.ops.gelu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.gelu([-1.0, 1.0])]
    [-0.1587, 0.8413]
    """
    return K.gelu(x, approximate)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of ``x`` along an axis times the sigmoid of the second. Source: Dauphin et al. 2017.

    Arguments, result and errors as :func:`kbackend.ops.glu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.glu([2.0, 3.0, 0.0, 100.0])]
    [1.0, 3.0]
    """
    return K.glu(x, axis)


def silu(x: Any) -> Any:
    """``x * sigmoid(x)``. Source: Ramachandran et al. 2017.

    Arguments, result and errors as :func:`kbackend.ops.silu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.silu([-1.0, 1.0])]
    [-0.2689, 0.7311]
    """
    return K.silu(x)


def hard_silu(x: Any) -> Any:
    """``x * min(max(x + 3, 0), 6) / 6``. Source: Howard et al. 2019.

    Arguments, result and errors as :func:`kbackend.ops.hard_silu`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.hard_silu([-4.0, 1.0, 4.0])]
    [-0.0, 0.6667, 4.0]
    """
    return K.hard_silu(x)


def hard_tanh(x: Any) -> Any:
    """``min(max(x, -1), 1)``.

    Arguments, result and errors as :func:`kbackend.ops.hard_tanh`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.hard_tanh([-2.0, 0.5])]
    [-1.0, 0.5]
    """
    return K.hard_tanh(x)


def hard_shrink(x: Any, threshold: Any = 0.5) -> Any:
    """``x`` where ``|x| > threshold``, 0 elsewhere.

    Arguments, result and errors as :func:`kbackend.ops.hard_shrink`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.hard_shrink([-1.0, 0.3])]
    [-1.0, 0.0]
    """
    return K.hard_shrink(x, threshold)


def soft_shrink(x: Any, threshold: Any = 0.5) -> Any:
    """``sign(x) * max(|x| - threshold, 0)``: ``x`` moved towards 0.

    Arguments, result and errors as :func:`kbackend.ops.soft_shrink`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.soft_shrink([-1.0, 0.3])]
    [-0.5, 0.0]
    """
    return K.soft_shrink(x, threshold)


def tanh_shrink(x: Any) -> Any:
    """``x - tanh(x)``.

    Arguments, result and errors as :func:`kbackend.ops.tanh_shrink`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.tanh_shrink([-1.0, 0.0, 1.0])]
    [-0.2384, 0.0, 0.2384]
    """
    return K.tanh_shrink(x)


def threshold(x: Any, threshold: Any, default_value: Any) -> Any:
    """``x`` where ``x > threshold``, ``default_value`` elsewhere.

    Arguments, result and errors as :func:`kbackend.ops.threshold`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.threshold([0.5, 2.0], threshold=1.0, default_value=-1.0)]
    [-1.0, 2.0]
    """
    return K.threshold(x, threshold, default_value)


def log_sigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``, without overflow.

    Arguments, result and errors as :func:`kbackend.ops.log_sigmoid`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.log_sigmoid([-1000.0, 0.0])]
    [-1000.0, -0.6931]
    """
    return K.log_sigmoid(x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """``log(softmax(x))``, without overflow.

    Arguments, result and errors as :func:`kbackend.ops.log_softmax`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.log_softmax([[0.0, 1.0]])[0]]
    [-1.3133, -0.3133]
    """
    return K.log_softmax(x, axis)


def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))``. Source: Misra 2019.

    Arguments, result and errors as :func:`kbackend.ops.mish`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.mish([-1.0, 1.0])]
    [-0.3034, 0.8651]
    """
    return K.mish(x)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the simplex, in which many values are 0. Source: Martins and Astudillo 2016.

    Arguments, result and errors as :func:`kbackend.ops.sparsemax`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.sparsemax([[0.2, 2.0, 1.5]])[0]]
    [0.0, 0.75, 0.25]
    """
    return K.sparsemax(x, axis)


def sparse_plus(x: Any) -> Any:
    """0 below -1, ``x`` above 1, ``(x + 1)**2 / 4`` between.

    Arguments, result and errors as :func:`kbackend.ops.sparse_plus`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.sparse_plus([-2.0, 0.0, 2.0])]
    [0.0, 0.25, 2.0]
    """
    return K.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, 1 above 1, ``(x + 1) / 2`` between.

    Arguments, result and errors as :func:`kbackend.ops.sparse_sigmoid`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.sparse_sigmoid([-2.0, 0.0, 0.5])]
    [0.0, 0.5, 0.75]
    """
    return K.sparse_sigmoid(x)


def squareplus(x: Any, b: Any = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``. Source: Barron 2021.

    Arguments, result and errors as :func:`kbackend.ops.squareplus`.

    >>> from kbackend import activations
    >>> [round(float(v), 4) for v in activations.squareplus([-1.0, 1.0])]
    [0.618, 1.618]
    """
    return K.squareplus(x, b)


swish, hard_swish = silu, hard_silu

_BUILTIN: dict[str, Any] = {
    f.__name__: f
    for f in (
        linear, relu, relu6, leaky_relu, elu, celu, selu, gelu, glu, silu, softmax, log_softmax, sparsemax, softplus,
        softsign, squareplus, tanh, sigmoid, log_sigmoid, hard_sigmoid, hard_silu, hard_tanh, hard_shrink, soft_shrink,
        tanh_shrink, threshold, mish, sparse_plus, sparse_sigmoid, exponential,
    )
}  # fmt: skip
_BUILTIN |= {"swish": silu, "hard_swish": hard_silu}


def get(identifier: Any) -> Callable[..., Any]:
    """An activation from a name or a function; ``linear`` for None.

    Args:
        identifier: a name, a configuration, a function, or None.

    Raises:
        ValueError: an unknown name.

    >>> from kbackend import activations
    >>> activations.get("relu") is activations.relu
    True
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    return registry.make(identifier, _BUILTIN, "activation")


def serialize(activation: Any) -> Any:
    """The activation's name.

    Args:
        activation: a function.

    >>> from kbackend import activations
    >>> activations.serialize(activations.tanh)
    'tanh'
    """
    return registry.plain(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation of a name or configuration.

    Args:
        config: a name, or a configuration as :func:`kbackend.activations.serialize` gives it.
        custom_objects: name -> class or function, known in addition.

    >>> from kbackend import activations
    >>> float(activations.deserialize("relu")(-1.0))
    0.0
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


__all__ = [*_BUILTIN, "deserialize", "get", "serialize"]

_suggest_in(__name__)
