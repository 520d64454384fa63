"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as ew
from kbackend.ops import reduction
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import canonical_axis

NAN = float("nan")


def _samples(*extra: Sample, **options: Any) -> Any:
    def samples() -> list[Sample]:
        return [call(In((2, 3), -3, 3, **options)), call(In((0, 3), **options), name="empty"), *extra]

    return samples


def _same(x: TensorSpec, **attrs: Any) -> TensorSpec:
    return ew.arithmetic(x)


@composite(name="rectify", tolerance="exact", rule=_same, samples=_samples(
    call(In(values=[-1.0, 0.0, 1.0]), expect_gradient=np.array([0.0, 0.0, 1.0]), name="at zero",
         dtypes=("float64", "float32")),
    call(In(values=[NAN, 1.0]), gradient=False, name="NaN"),
    call(In((4,), -5, 5, kind="int32"), gradient=False, name="int32"), avoid=(0.0,)))
def rectify(x: TensorLike) -> Any:
    """``max(x, 0)``; the gradient at 0 is 0."""
    return ew.where(ew.less_equal(x, 0), ew.cast(0, ew._dtype(x)), x)


@derived(samples=_samples(
    call(In((2, 3), avoid=(0.0,)), alpha=0.1, name="leaky"), call(In((2, 3), avoid=(0.0, 1.0)), max_value=1.0),
    call(In((2, 3), avoid=(0.0, 0.5)), threshold=0.5), call(In((2, 3), avoid=(0.0, 0.5)), 0.2, 1.5, 0.5), avoid=(0.0,)))
def relu(x: TensorLike, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """The rectified linear unit: x above ``threshold``, ``alpha * (x - threshold)`` below, at most ``max_value``."""
    plain = isinstance(threshold, (int, float)) and threshold == 0
    if isinstance(alpha, (int, float)) and alpha == 0 and plain:
        result = rectify(x)
    else:
        below = ew.multiply(ew.subtract(x, threshold), alpha)
        result = ew.where(ew.greater(x, threshold) if not plain else ew.greater(x, 0), x, below)
    return result if max_value is None else ew.clip(result, None, max_value)


@composite(promote="float", rule=_same, samples=_samples(call(In((2, 3)), alpha=0.5), avoid=(0.0,)))
def elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """x above 0, ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016)."""
    negative = ew.multiply(ew.expm1(ew.where(ew.less(x, 0.0), x, 0.0)), alpha)
    return ew.where(ew.less(x, 0.0), negative, x)


@composite(promote="float", rule=_same, samples=_samples(
    call(In(values=[0.0]), expect_gradient=np.array([1.0507009873554805]), row=65, name="at zero",
         dtypes=("float64", "float32")), avoid=(0.0,)))
def selu(x: TensorLike) -> Any:
    """The scaled exponential linear unit (Klambauer et al., 2017)."""
    return ew.multiply(elu(x, alpha=1.6732632423543772), 1.0507009873554805)


@composite(promote="float", rule=_same, samples=_samples(
    call(In(values=[-100.0, 100.0]), gradient=False, dtypes=("float64", "float32"), name="far")))
def sigmoid(x: TensorLike) -> Any:
    """``1 / (1 + exp(-x))``, without overflow."""
    return ew.multiply(ew.add(ew.tanh(ew.multiply(x, 0.5)), 1.0), 0.5)


@composite(promote="float", rule=_same, samples=_samples(
    call(In(values=[-1.0, 0.0, 1.0]), row=16, expect=np.array([0.3, 0.5, 0.7]), gradient=False,
         dtypes=("float64", "float32"), name="slope"), avoid=(-2.5, 2.5)))
def hard_sigmoid(x: TensorLike) -> Any:
    """``clip(0.2 * x + 0.5, 0, 1)``."""
    return ew.clip(ew.add(ew.multiply(x, 0.2), 0.5), 0.0, 1.0)


@composite(promote="float", rule=_same, samples=_samples(
    call(In(values=[20.5, -800.0, 800.0]), row=19, dtypes=("float64", "float32"), name="no threshold")))
def softplus(x: TensorLike) -> Any:
    """``log(1 + exp(x))``, without overflow and without a threshold."""
    return ew.add(rectify(x), ew.log1p(ew.exp(ew.negative(ew.abs_(x)))))


@composite(promote="float", rule=_same, samples=_samples(avoid=(0.0,)))
def softsign(x: TensorLike) -> Any:
    """``x / (1 + |x|)``."""
    return ew.divide(x, ew.add(ew.abs_(x), 1.0))


@derived(samples=_samples())
def swish(x: TensorLike) -> Any:
    """``x * sigmoid(x)``, also called SiLU (Elfwing et al., 2018)."""
    return ew.multiply(x, sigmoid(x))


silu = swish


@composite(promote="float", rule=_same, samples=_samples(call(In((2, 3)), approximate=True, row=17, name="tanh form")))
def gelu(x: TensorLike, approximate: bool = False) -> Any:
    """``x * P(X <= x)`` of a standard normal X, by erf or by the tanh approximation (Hendrycks and Gimpel, 2016)."""
    if approximate:
        inner = ew.multiply(ew.add(x, ew.multiply(ew.multiply(ew.square(x), x), 0.044715)), 0.7978845608028654)
        return ew.multiply(ew.multiply(x, 0.5), ew.add(ew.tanh(inner), 1.0))
    return ew.multiply(ew.multiply(x, 0.5), ew.add(ew.erf(ew.multiply(x, 0.7071067811865476)), 1.0))


@derived(samples=_samples(call(In(values=[-1.0, 1.0]), negative_slope=0.3, row=18, expect=np.array([-0.3, 1.0]),
                               gradient=False, dtypes=("float64", "float32"), name="slope"), avoid=(0.0,)))
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Any:
    """x above 0, ``negative_slope * x`` below."""
    return relu(x, alpha=negative_slope)


@derived(samples=_samples())
def exponential(x: TensorLike) -> Any:
    """``exp(x)``."""
    return ew.exp(x)


@derived(samples=_samples())
def linear(x: TensorLike) -> Any:
    """x itself."""
    return ew.identity(x)


_SOFTMAX: dict[str, Any] = {
    "promote": "float", "prepare": canonical_axis, "tolerance": "reduction", "rule": _same,
    "samples": _samples(call(In((2, 3, 4)), axis=1), call(In(values=[[1000.0, 1000.0]]), name="large", gradient=False,
                                                          dtypes=("float64", "float32")),
                        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range")),
}


@composite(**_SOFTMAX)
def softmax(x: TensorLike, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow."""
    powers = ew.exp(ew.subtract(x, ew.stop_gradient(reduction.max_(x, axis=axis, keepdims=True))))
    return ew.divide(powers, reduction.sum_(powers, axis=axis, keepdims=True))


@composite(**_SOFTMAX)
def log_softmax(x: TensorLike, axis: int = -1) -> Any:
    """``log(softmax(x))``, without overflow."""
    return ew.subtract(x, reduction.logsumexp(x, axis=axis, keepdims=True))
