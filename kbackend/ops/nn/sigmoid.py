"""Smooth activations and their piecewise approximations: sigmoid, softplus, silu, gelu and variants.

Complex tensors raise TypeError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, arithmetic, is_small, number, same, values
from kbackend.declare.sample import In, call
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast, identity
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.exponential import exp, log1p
from kbackend.ops.elementwise.hyperbolic import tanh
from kbackend.ops.elementwise.power import masked_root, sqrt, square
from kbackend.ops.elementwise.select import clip, clip_range, select_elements
from kbackend.ops.elementwise.special import erf
from kbackend.ops.nn.relu import ODD, PLAIN, activation_samples, int32_sample, smooth_samples


@composite(
    promote="float",
    rule=same,
    rowwise=True,
    samples=activation_samples(
        call(
            values(-100.0, 100.0, -1000.0, 1000.0, 0.0),
            expect=np.array([0.0, 1.0, 0.0, 1.0, 0.5]),
            gradient=False,
            name="far",
        ),
        call(values(NAN, INF, -INF), expect=np.array([NAN, 1.0, 0.0]), gradient=False, name="not finite"),
        call(
            values(-20.0, -20.0),
            expect=np.full(2, 2.0611536181902037e-09),
            gradient=False,
            dtypes=WIDE,
            name="small values keep their digits",
        ),
        int32_sample(),
    ),
)
def sigmoid(x: TensorLike) -> Any:
    """The logistic function ``1 / (1 + exp(-x))``, without overflow.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> K.eval(K.sigmoid([0.0, 1000.0])).tolist()
    [0.5, 1.0]
    """
    small = exp(-abs_(x))
    return select_elements(x < 0.0, small, 1.0) / (small + 1.0)


@composite(name="hard_sigmoid",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(values(-1.0, 0.0, 1.0), row=16, expect=np.array([0.3, 0.5, 0.7]), gradient=False, name="slope"),
        call(values(-2.5, 2.5), row=66, expect_gradient=np.array([0.2, 0.2]), name="ends"),
        int32_sample(),
        avoid=(-2.5, 2.5),
    ),
)
def classic_hard_sigmoid(x: TensorLike) -> Any:
    """``clip(0.2 * x + 0.5, 0, 1)``, the approximation of the sigmoid in Keras 2; ``ops.hard_sigmoid`` has slope 1/6.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Courbariaux, Bengio and David, "BinaryConnect", 2015.

    >>> from kbackend import K
    >>> K.eval(K.hard_sigmoid([-5.0, 0.0, 5.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return clip(x * 0.2 + 0.5, 0.0, 1.0)


@composite(
    promote="float",
    rule=same,
    samples=activation_samples(
        call(
            values(20.5, -800.0, 800.0),
            row=19,
            dtypes=WIDE,
            name="no threshold",
            expect=np.array([20.500000001250154, 0.0, 800.0]),
        ),
        call(values(0.0), expect=np.log([2.0]), expect_gradient=np.array([0.5]), name="at zero", dtypes=WIDE),
        call(
            values(-30.0, -30.0),
            expect=np.full(2, 9.357622968839742e-14),
            gradient=False,
            dtypes=WIDE,
            name="small values keep their digits",
        ),
        int32_sample(),
    ),
)
def softplus(x: TensorLike) -> Any:
    """``log(1 + exp(x))``, without overflow and without a linear approximation of large arguments.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> K.eval(K.softplus([-1000.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    positive = x > 0.0  # selections, whose second derivative at 0 is that of one side, and not 0 as that of |x|
    return select_elements(positive, x, 0.0) + log1p(exp(select_elements(positive, -x, x)))


@composite(promote="float", rule=same, samples=activation_samples(int32_sample(), avoid=(0.0,)))
def softsign(x: TensorLike) -> Any:
    """``x / (1 + |x|)``.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> K.eval(K.softsign([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    return x / (abs_(x) + 1.0)


@composite(promote="float", rule=same, samples=activation_samples(int32_sample()))
def silu(x: TensorLike) -> Any:
    """The sigmoid linear unit ``x * sigmoid(x)``, also called swish.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2018.

    >>> from kbackend import K
    >>> K.eval(K.silu([0.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    return x * sigmoid(x)


@derived(samples=activation_samples())
def swish(x: TensorLike) -> Any:
    """``x * sigmoid(x)``; another name of :func:`silu`, with its arguments, result and errors.

    >>> from kbackend import K
    >>> K.eval(K.swish([0.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    return silu(x)


@composite(name="gelu",
    promote="float",
    rule=same,
    samples=activation_samples(
        call(In((2, 3), -3, 3), True, row=17, name="tanh form"),
        call(
            values(1.0),
            False,
            row=17,
            expect=np.array([0.8413447460685429]),
            gradient=False,
            name="one by erf",
        ),
        call(
            values(1.0),
            True,
            row=17,
            expect=np.array([0.8411919906082768]),
            gradient=False,
            name="one by tanh",
        ),
        int32_sample(False),
        arguments=(False,),
    ),
)
def classic_gelu(x: TensorLike, approximate: bool) -> Any:
    """The Gaussian error linear unit ``x * P(X <= x)`` of a standard normal X.

    Args:
        x: a tensor of any shape; integers become floatx.
        approximate: whether the probability is approximated by tanh instead of computed by erf; there is no default,
            because engines disagree on it.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    >>> from kbackend import K
    >>> K.eval(K.gelu([-100.0, 100.0], False)).tolist() == [0.0, 100.0]
    True
    """
    if approximate:
        inner = (x + square(x) * x * 0.044715) * 0.7978845608028654
        return x * 0.5 * (tanh(inner) + 1.0)
    return x * 0.5 * (erf(x * 0.7071067811865476) + 1.0)


@derived(samples=activation_samples())
def exponential(x: TensorLike) -> Any:
    """``exp(x)`` as an activation.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> K.eval(K.exponential([0.0])).tolist()
    [1.0]
    """
    return exp(x)


@derived(tolerance="exact", samples=lambda: [call(In((2, 3)))])
def linear(x: TensorLike) -> Any:
    """``x`` itself, as an activation.

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        A tensor equal to ``x``.

    >>> from kbackend import K
    >>> K.eval(K.linear([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return identity(x)


@derived(samples=lambda: [
    call(In((2, 3))), call(In((2, 3)), False, name="exact"), call(In((2,), -3, 3, kind="int32"), gradient=False)])
def gelu(x: TensorLike, approximate: bool = True) -> Any:
    """The Gaussian error linear unit ``x * P(X <= x)`` of a standard normal X.

    Args:
        x: a tensor of any shape; integers become floatx.
        approximate: whether the probability is approximated by tanh instead of computed by erf.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    >>> from kbackend import ops
    >>> round(float(ops.gelu(1.0)), 4), round(float(ops.gelu(1.0, approximate=False)), 4)
    (0.8412, 0.8413)
    """
    return classic_gelu(as_tensor(x), bool(approximate))


@derived(samples=lambda: [
    call(In((2, 3), -5, 5, avoid=(-3.0, 3.0))), call(values(-4.0, 0.0, 3.0), expect=np.array([0.0, 0.5, 1.0]),
                                                     gradient=False, name="places")])
def hard_sigmoid(x: TensorLike) -> Any:
    """``clip(x / 6 + 1/2, 0, 1)``; ``K.hard_sigmoid`` has slope 1/5.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Raises:
        TypeError: a bool or complex tensor.

    Source: Howard et al., "Searching for MobileNetV3", 2019.

    >>> from kbackend import ops
    >>> float(ops.hard_sigmoid(1.5))
    0.75
    """
    return clip(as_tensor(x) + 3, 0, 6) / 6


@composite(**PLAIN, samples=smooth_samples(call(ODD, gradient=False, name="far")))
def log_sigmoid(x: TensorLike) -> Any:
    """``log(sigmoid(x))``, without underflow to log(0).

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> from kbackend.ops import log_sigmoid
    >>> round(float(log_sigmoid(0.0)), 4)
    -0.6931
    """
    return -softplus(-x)


@composite(**PLAIN, samples=smooth_samples(
    call(ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def mish(x: TensorLike) -> Any:
    """``x * tanh(softplus(x))``.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.

    >>> from kbackend import K
    >>> from kbackend.ops import mish
    >>> round(float(mish(1.0)), 4)
    0.8651
    """
    wide = cast(x, "float32") if is_small(x) else x
    return cast(wide * tanh(softplus(wide)), dtype_of(x))


@composite(**PLAIN, samples=smooth_samples(
    call(values(1e-3, -1e-3), gradient=False, dtypes=("float64",), name="near zero"), avoid=(0.0,)))
def tanh_shrink(x: TensorLike) -> Any:
    """``x - tanh(x)``.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> from kbackend.ops import tanh_shrink
    >>> float(tanh_shrink(0.0))
    0.0
    """
    return x - tanh(x)


@composite(name="squareplus", promote="float", promoted=("x",), rule=lambda x, b: arithmetic(x), samples=lambda: [
    call(In((2, 3)), 4.0), call(In((2, 3), avoid=(0.0,)), 0.0, name="no b")])
def _squareplus(x: TensorLike, b: float) -> Any:
    """``(x + sqrt(x**2 + b)) / 2`` for a number ``b``; for ``b = 0`` the gradient at 0 is 1/2."""
    squares = square(x)
    root = masked_root(squares) if b == 0 else sqrt(squares + b)
    return (x + root) * 0.5


@derived(samples=smooth_samples(
    call(In((2, 3)), 0.5, name="b"), call(In((2, 3)), In((), 0.5, 2.0), name="b a tensor"),
    call(values(0.0, 3.0), 0, expect=np.array([0.0, 3.0]), gradient=False, name="no b"),
    call(In((2,)), -1.0, raises=ValueError, name="b below 0")))
def squareplus(x: TensorLike, b: Any = 4) -> Any:
    """``(x + sqrt(x**2 + b)) / 2``, a smooth rectifier without exponentials.

    Args:
        x: a tensor of any shape; integers become floatx.
        b: the smoothness, a nonnegative number or a tensor; 0 gives relu.

    Returns:
        A float tensor of the shape of ``x``, broadcast with ``b``.

    Raises:
        ValueError: a negative number ``b``.
        TypeError: a complex tensor.

    Source: Barron, "Squareplus: A Softplus-Like Algebraic Rectifier", 2021.

    >>> from kbackend import K
    >>> from kbackend.ops import squareplus
    >>> float(squareplus(0.0))
    1.0
    """
    plain = number(b)
    if plain is None:
        return (x + sqrt(square(x) + b)) * 0.5
    if plain < 0:
        raise ValueError(f"squareplus: b must not be negative, it is {b}")
    return _squareplus(x, float(plain))


@composite(**PLAIN, samples=smooth_samples(
    call(values(-4.0, 0.0, 4.0), expect=np.array([0.0, 0.0, 4.0]), gradient=False, name="far"), low=-5.0, high=5.0,
    avoid=(-3.0, 3.0)))
def hard_silu(x: TensorLike) -> Any:
    """``x * clip(x / 6 + 1/2, 0, 1)``, also called hard swish; the slope in ``K.hard_sigmoid`` is 1/5.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    Source: Howard et al., "Searching for MobileNetV3", 2019.

    >>> from kbackend import K
    >>> from kbackend.ops import hard_silu
    >>> K.eval(hard_silu(K.constant([0.0, 4.0]))).tolist()
    [0.0, 4.0]
    """
    gate = clip_range(x * (1 / 6) + 0.5, low=0.0, high=1.0)
    return x * gate


@composite(**PLAIN, samples=smooth_samples(
    call(values(-1.0, 1.0, 0.0), expect=np.array([0.0, 1.0, 0.25]), expect_gradient=np.array([0.0, 1.0, 0.5]),
         name="ends"), call(ODD, expect=np.array([NAN, 1000.0, 0.0]), gradient=False, name="far")))
def sparse_plus(x: TensorLike) -> Any:
    """0 below -1, ``x`` above 1, and ``(x + 1)**2 / 4`` between: the integral of :func:`sparse_sigmoid`.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> from kbackend.ops import sparse_plus
    >>> K.eval(sparse_plus(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.25, 2.0]
    """
    inside = square(clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.25
    return select_elements(x >= 1.0, x, inside)


@composite(**PLAIN, samples=smooth_samples(
    call(values(-1.0, 1.0), row=66, expect_gradient=np.array([0.5, 0.5]), name="ends"), avoid=(-1.0, 1.0)))
def sparse_sigmoid(x: TensorLike) -> Any:
    """``clip((x + 1) / 2, 0, 1)``; the gradient at the ends is 1/2.

    Args:
        x: a tensor of any shape; integers become floatx.

    Returns:
        A float tensor of the shape of ``x``.

    >>> from kbackend import K
    >>> from kbackend.ops import sparse_sigmoid
    >>> K.eval(sparse_sigmoid(K.constant([-2.0, 0.0, 2.0]))).tolist()
    [0.0, 0.5, 1.0]
    """
    return (clip_range(x, low=-1.0, high=1.0) + 1.0) * 0.5


hard_swish = hard_silu

__all__ = [
    "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "log_sigmoid", "mish", "sigmoid", "silu",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh_shrink",
]
