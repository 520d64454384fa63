"""Piecewise activations: relu and its variants, shrinkage and thresholds. Complex tensors raise TypeError."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, Samples, bool_sample, number, same, values
from kbackend.declare.sample import In, Sample, call
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import abs_, add, multiply, subtract
from kbackend.ops.elementwise.comparison import greater, less
from kbackend.ops.elementwise.exponential import expm1
from kbackend.ops.elementwise.select import clip, clip_range, select_elements


def activation_samples(*extra: Sample, low: float = -3.0, high: float = 3.0, arguments: tuple[Any, ...] = (),
                       takes_bool: bool = True, **options: Any) -> Samples:
    def samples() -> list[Sample]:
        return [
            call(In((2, 3), low, high, **options), *arguments),
            call(In((), low, high, **options), *arguments, name="scalar"),
            call(In((0, 3), **options), *arguments, name="empty"),
            bool_sample(takes_bool, values(True, False, kind="bool"), *arguments),
            *extra,
        ]

    return samples


def int32_sample(*arguments: Any) -> Sample:
    return call(In((4,), -5, 5, kind="int32"), *arguments, gradient=False, name="int32")


def smooth_samples(*extra: Sample, low: float = -3.0, high: float = 3.0, **options: Any) -> Samples:
    return lambda: [
        call(In((2, 3), low, high, **options)),
        call(In((), low, high, **options), name="scalar"),
        call(In((0, 3)), name="empty"),
        call(In((4,), -5, 5, kind="int32"), gradient=False, name="int32"),
        *extra,
    ]


ODD = values(NAN, 1000.0, -1000.0)
PLAIN: dict[str, Any] = {"promote": "float", "rule": same}
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def as_float(x: Any) -> Any:
    """``x`` in a float dtype: its own, or floatx."""
    if dtypes.is_float(dtype_of(x)):
        return x
    return cast(x, dtypes.canonical("float"))


@composite(
    name="relu",
    tolerance="exact",
    rule=same,
    samples=activation_samples(
        call(
            values(-1.0, 0.0, 1.0),
            expect=np.array([0.0, 0.0, 1.0]),
            expect_gradient=np.array([0.0, 0.0, 1.0]),
            name="at zero",
        ),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        int32_sample(),
        takes_bool=False,
        avoid=(0.0,),
    ),
)
def rectify(x: TensorLike) -> Any:
    """``max(x, 0)``, with gradient 0 at 0: the op of :func:`relu` with default arguments."""
    return select_elements(x <= 0, cast(0, dtype_of(x)), x)


@composite(
    name="leaky_relu",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(
            values(-1.0, 0.0, 1.0),
            0.25,
            expect=np.array([-0.25, 0.0, 1.0]),
            name="at zero",
            expect_gradient=np.array([0.25, 0.25, 1.0]),
            row=18,
        ),
        call(values(NAN, INF, -INF), 0.25, gradient=False, name="not finite"),
        int32_sample(0.25),
        avoid=(0.0,),
        arguments=(0.2,),
    ),
)
def _leaky(x: TensorLike, negative_slope: float) -> Any:
    """``x`` above 0, else ``negative_slope * x``; the gradient at 0 is the slope."""
    return select_elements(x > 0.0, x, x * negative_slope)


@derived(
    samples=activation_samples(
        call(values(-1.0, 1.0), 0.25, row=18, expect=np.array([-0.25, 1.0]), gradient=False, name="slope"),
        call(
            values(-1.0, 1.0),
            values(0.5, gradient=False),
            expect=np.array([-0.5, 1.0]),
            name="slope a tensor",
        ),
        avoid=(0.0,),
        arguments=(0.2,),
    )
)
def classic_leaky_relu(x: TensorLike, negative_slope: Any) -> Any:
    """``x`` above 0, else ``negative_slope * x``; the gradient at 0 is the slope.

    Args:
        x: a tensor of any shape; integers become floatx.
        negative_slope: a number or a tensor; there is no default, because engines disagree on it.

    Returns:
        A float tensor of the shape of ``x``, broadcast with the slope.

    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    >>> from kbackend import K
    >>> K.eval(K.leaky_relu([-2.0, 3.0], 0.5)).tolist()
    [-1.0, 3.0]
    """
    slope = number(negative_slope)
    if slope is not None:
        return _leaky(x, float(slope))
    return select_elements(greater(x, 0), x, multiply(x, negative_slope))


@derived(
    samples=activation_samples(
        call(In((2, 3), avoid=(0.0,)), alpha=0.1, name="leaky"),
        call(In((2, 3), avoid=(0.0, 1.0)), max_value=1.0),
        call(In((2, 3), avoid=(0.5,)), threshold=0.5, name="threshold"),
        call(In((2, 3), avoid=(0.5, 1.5)), 0.2, 1.5, 0.5, name="all of them"),
        call(
            In((2, 3), avoid=(-0.5, 0.0, 0.5)),
            values(0.2, gradient=False),
            None,
            values(0.5, gradient=False),
            name="tensors",
        ),
        call(
            values(0.5, -0.5),
            threshold=0.5,
            expect=np.array([0.0, 0.0]),
            gradient=False,
            name="at the threshold",
        ),
        call(values(0.0, 6.0), max_value=6.0, row=66, expect_gradient=np.array([0.0, 1.0]), name="ends"),
        int32_sample(),
        takes_bool=False,
        avoid=(0.0,),
    )
)
def relu(x: TensorLike, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """``x`` above ``threshold``, else ``alpha * (x - threshold)``, limited to ``max_value`` (Keras 2's ``relu``).

    Args:
        x: a tensor of any shape.
        alpha: the slope up to the threshold, a number or tensor.
        max_value: the largest result, a number or tensor; None for no limit.
        threshold: a number or tensor.

    Returns:
        A tensor of the shape of ``x``. Integers stay integers with default arguments.

    Raises:
        TypeError: a bool or complex tensor.

    >>> from kbackend import K
    >>> K.eval(K.relu([-1., 2., 9.], max_value=6.)).tolist()
    [0.0, 2.0, 6.0]
    """
    if number(threshold) == 0:
        result = rectify(x) if number(alpha) == 0 else classic_leaky_relu(x, alpha)
    elif number(alpha) == 0:
        result = select_elements(greater(x, threshold), x, 0)
    else:
        result = select_elements(greater(x, threshold), x, multiply(subtract(x, threshold), alpha))
    return result if max_value is None else clip(result, None, max_value)


def _negative_part(x: Any) -> Any:
    """``min(x, 0)``, so that the exponential cannot overflow in elements where it is not used."""
    return select_elements(less(x, 0.0), x, 0.0)


@composite(
    name="elu",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(In((2, 3), avoid=(0.0,)), alpha=0.5, name="alpha"),
        call(values(0.0), alpha=0.5, expect_gradient=np.array([1.0]), name="at zero"),
        call(values(NAN, 1000.0, -1000.0), gradient=False, name="far"),
        int32_sample(),
        avoid=(0.0,),
    ),
)
def _elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x) - 1)`` below."""
    return select_elements(x < 0.0, expm1(_negative_part(x)) * alpha, x)


@derived(
    samples=activation_samples(
        call(In((2, 3), avoid=(0.0,)), 0.5, name="alpha"),
        call(In((2, 3), avoid=(0.0,)), In((), 0.3, 0.9), name="alpha a tensor"),
        avoid=(0.0,),
    )
)
def elu(x: TensorLike, alpha: Any = 1.0) -> Any:
    """The exponential linear unit: ``x`` from 0 on, ``alpha * (exp(x) - 1)`` below; the gradient at 0 is 1.

    Args:
        x: a tensor of any shape; integers become floatx.
        alpha: a number or a tensor.

    Returns:
        A float tensor of the shape of ``x``, broadcast with ``alpha``.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by ELUs", 2016.

    >>> from kbackend import K
    >>> K.eval(K.elu([-1000.0, 2.0], 0.5)).tolist()
    [-0.5, 2.0]
    """
    scale = number(alpha)
    if scale is not None:
        return _elu(x, alpha=float(scale))
    return select_elements(less(x, 0.0), expm1(_negative_part(x)) * alpha, x)


@composite(
    promote="float",
    rule=same,
    samples=activation_samples(
        call(values(0.0), expect_gradient=np.array([SELU_SCALE]), row=65, name="at zero"),
        call(values(NAN, 1000.0, -1000.0), gradient=False, name="far"),
        int32_sample(),
        avoid=(0.0,),
    ),
)
def selu(x: TensorLike) -> Any:
    """The scaled exponential linear unit, ``1.0507 * elu(x, 1.6733)``; the gradient at 0 is the scale.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017.

    >>> from kbackend import K
    >>> round(float(K.eval(K.selu([1.0]))[0]), 4)
    1.0507
    """
    return _elu(x, alpha=SELU_ALPHA) * SELU_SCALE


@derived(samples=lambda: [
    call(In((2, 3), avoid=(0.0,))), call(In((2, 3), avoid=(0.0,)), 0.01, name="slope")])
def leaky_relu(x: TensorLike, negative_slope: Any = 0.2) -> Any:
    """``K.leaky_relu`` with a default slope: ``x`` above 0, else ``negative_slope * x``.

    Args:
        x: a tensor of any shape; integers become floatx.
        negative_slope: a number or a tensor.

    Returns:
        A float tensor of the shape of ``x``, broadcast with the slope.

    >>> from kbackend import ops
    >>> round(float(ops.leaky_relu(-1.0)), 4)
    -0.2
    """
    return classic_leaky_relu(as_tensor(x), negative_slope)


@composite(name="celu", **PLAIN, samples=lambda: [
    call(In((2, 3), avoid=(0.0,)), 0.5), call(ODD, 2.0, gradient=False, name="far"),
    call(In((2,)), 0.0, raises=ValueError, name="alpha 0")],
    prepare=lambda specs, attrs: {"alpha": _not_zero("celu: alpha", attrs["alpha"])})
def _celu(x: TensorLike, alpha: float) -> Any:
    """``x`` from 0 on, ``alpha * (exp(x / alpha) - 1)`` below; ``alpha`` is a number."""
    return select_elements(x < 0.0, expm1(_negative_part(x) / alpha) * alpha, x)


def _not_zero(what: str, value: Any) -> float:
    if float(value) == 0:
        raise ValueError(f"{what} must not be 0")
    return float(value)


@derived(samples=smooth_samples(
    call(values(0.0), expect_gradient=np.ones(1), name="at zero"),
    call(In((2, 3), avoid=(0.0,)), In((), 0.5, 0.9), name="alpha a tensor"), avoid=(0.0,)))
def celu(x: TensorLike, alpha: Any = 1.0) -> Any:
    """The continuously differentiable ELU: ``x`` from 0 on, ``alpha * (exp(x / alpha) - 1)`` below.

    Args:
        x: a tensor of any shape; integers become floatx.
        alpha: a nonzero number, or a tensor.

    Returns:
        A float tensor of the shape of ``x``, broadcast with ``alpha``.

    Raises:
        ValueError: ``alpha`` is the number 0.
        TypeError: a complex tensor.

    Source: Barron, "Continuously Differentiable Exponential Linear Units", 2017.

    >>> from kbackend import K
    >>> from kbackend.ops import celu
    >>> float(celu(2.0))
    2.0
    """
    plain = number(alpha)
    if plain is not None:
        return _celu(x, alpha=float(plain))
    return select_elements(less(x, 0.0), expm1(_negative_part(x) / alpha) * alpha, x)


@derived(samples=lambda: [
    call(In((2, 3), -8, 8, avoid=(0.0, 6.0))),
    call(values(0.0, 6.0), row=66, expect_gradient=np.array([0.0, 1.0]), name="ends"),
    call(In((4,), -9, 9, kind="int32"), gradient=False, name="int32")])
def relu6(x: TensorLike) -> Any:
    """``x`` limited to [0, 6]; the gradient is 0 at 0 and 1 at 6, as that of ``K.relu(x, max_value=6)``.

    Args:
        x: a tensor of any shape.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        TypeError: a bool or complex tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import relu6
    >>> K.eval(relu6(K.constant([-1.0, 2.0, 9.0]))).tolist()
    [0.0, 2.0, 6.0]
    """
    return relu(x, max_value=6)


@composite(**PLAIN, tolerance="exact", samples=smooth_samples(
    call(values(-1.0, 1.0, NAN), row=66, expect_gradient=np.array([1.0, 1.0, 0.0]), name="ends", dtypes=WIDE),
    avoid=(-1.0, 1.0)))
def hard_tanh(x: TensorLike) -> Any:
    """``x`` limited to [-1, 1]; the gradient at the ends is 1.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> from kbackend.ops import hard_tanh
    >>> K.eval(hard_tanh(K.constant([-3.0, 0.5]))).tolist()
    [-1.0, 0.5]
    """
    return clip_range(x, low=-1.0, high=1.0)


def _threshold_samples(*extra: Sample) -> Samples:
    return smooth_samples(
        call(In((2, 3), avoid=(-1.25, 1.25)), 1.25, name="threshold"),
        call(In((2, 3), avoid=(-0.7, 0.7)), values(0.7, gradient=False), name="threshold a tensor"),
        call(values(NAN, INF, -INF), gradient=False, name="not finite"),
        *extra,
        avoid=(-0.5, 0.5),
    )


def _taken(threshold: Any) -> Any:
    """A threshold as an operand: a float for any number, else the tensor."""
    plain = number(threshold)
    return threshold if plain is None else float(plain)


@derived(tolerance="exact", samples=_threshold_samples(
    call(values(0.5, -0.5, 0.75), expect=np.array([0.0, 0.0, 0.75]), expect_gradient=np.array([0.0, 0.0, 1.0]),
         name="at the threshold")))
def hard_shrink(x: TensorLike, threshold: Any = 0.5) -> Any:
    """``x`` where ``|x| > threshold``, else 0 with gradient 0.

    Args:
        x: a tensor of any shape; integers become floatx.
        threshold: a number or a tensor.

    Returns:
        A float tensor of the shape of ``x``, broadcast with the threshold.

    Source: Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.

    >>> from kbackend import K
    >>> from kbackend.ops import hard_shrink
    >>> K.eval(hard_shrink(K.constant([-1.0, 0.25]))).tolist()
    [-1.0, 0.0]
    """
    x = as_float(x)
    return select_elements(abs_(x) <= _taken(threshold), 0.0, x)


@derived(samples=_threshold_samples(
    call(values(0.5, -0.5, 0.75), expect=np.array([0.0, 0.0, 0.25]), expect_gradient=np.array([0.0, 0.0, 1.0]),
         name="at the threshold")))
def soft_shrink(x: TensorLike, threshold: Any = 0.5) -> Any:
    """``sign(x) * max(|x| - threshold, 0)``; the gradient is 0 where the result is 0.

    Args:
        x: a tensor of any shape; integers become floatx.
        threshold: a number or a tensor.

    Returns:
        A float tensor of the shape of ``x``, broadcast with the threshold.

    Source: Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994.

    >>> from kbackend import K
    >>> from kbackend.ops import soft_shrink
    >>> K.eval(soft_shrink(K.constant([-1.0, 0.25]))).tolist()
    [-0.5, 0.0]
    """
    x, limit = as_float(x), _taken(threshold)
    shrunk = select_elements(greater(x, 0.0), subtract(x, limit), add(x, limit))
    return select_elements(abs_(x) <= limit, 0.0, shrunk)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), avoid=(0.5,)), 0.5, -1.0),
    call(values(0.5, 0.75, NAN), 0.5, 2.0, expect=np.array([2.0, 0.75, 2.0]), gradient=False, name="at it"),
    call(In((2, 3), avoid=(0.5,)), values(0.5, gradient=False), In((3,)), name="tensors"),
    call(In((4,), -5, 5, kind="int32"), 1, -1, gradient=False, name="int32"),
    call(In((0, 3)), 0.5, 0.0, name="empty")])
def threshold(x: TensorLike, threshold: Any, default_value: Any) -> Any:
    """``x`` where it is above ``threshold``, else ``default_value``.

    Args:
        x: a tensor of any shape.
        threshold, default_value: numbers or tensors.

    Returns:
        A tensor of the broadcast shape, in the promoted dtype of ``x`` and ``default_value``.

    Raises:
        ValueError: shapes that do not broadcast.
        TypeError: a complex tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import threshold
    >>> K.eval(threshold(K.constant([1.0, 3.0]), 2.0, -1.0)).tolist()
    [-1.0, 3.0]
    """
    return select_elements(greater(x, threshold), x, default_value)


__all__ = [
    "celu", "elu", "hard_shrink", "hard_tanh", "leaky_relu", "relu", "relu6", "selu", "soft_shrink",
    "threshold",
]
