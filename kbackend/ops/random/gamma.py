"""Gamma and beta draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ops.elementwise.arithmetic import add, divide, multiply, subtract
from kbackend.ops.elementwise.comparison import greater_equal, less
from kbackend.ops.elementwise.logical import logical_and
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.random.draws import Seed, step_sample
from kbackend.ops.random.portable import portable_exp, portable_log
from kbackend.ops.random.samplers import (
    _LARGEST,
    _LAST_TRIAL,
    _LEAST,
    _SMALLEST,
    _attempts,
    _draw,
    _draws,
    _float_attrs,
    _given,
    _narrow,
    _one,
    _positive,
    _two,
    _wide,
    _Words,
)


class _Gamma:
    """Standard gamma variables; ``which`` tells the two of a beta draw apart.

    Source: Marsaglia, Tsang, "A Simple Method for Generating Gamma Variables", 2000. A variable of a shape a < 1 is
    one of shape a + 1 times ``unit**(1 / a)``.
    """

    def __init__(self, alpha: Any, words: _Words, which: int = 0) -> None:
        self.words, self.which = words, which
        alpha = _wide(alpha)
        self.good = greater_equal(alpha, _SMALLEST) & less(alpha, _LARGEST)
        self.alpha = select_elements(self.good, alpha, 1.0)
        self.small = less(self.alpha, 1.0)
        self.rest = select_elements(self.small, add(self.alpha, 1.0), self.alpha) - 1.0 / 3.0
        self.scale = portable_exp(portable_log(multiply(self.rest, 9.0)) * -0.5)
        self.large = _attempts(words.shape, words.sizes, self.good, self.attempt)

    def attempt(self, number: Any) -> tuple[Any, Any]:
        trial = multiply(number, 4) + 2 * self.which
        normal, unit = self.words.normal(trial), self.words.positive(trial + 1)
        root = multiply(normal, self.scale) + 1.0
        possible = root > 0.0
        cube = select_elements(possible, root * root * root, 1.0)
        excess = self.rest * (1.0 - cube + portable_log(cube))
        bound = multiply(normal, normal) * 0.5 + excess
        return self.rest * cube, possible & (portable_log(unit) < bound)

    def logarithm(self) -> Any:
        unit = self.words.positive(_LAST_TRIAL - self.which)
        boost = select_elements(self.small, portable_log(unit) * divide(1.0, self.alpha), 0.0)
        return portable_log(select_elements(self.good, self.large, 1.0)) + boost

    def draws(self) -> Any:
        drawn = select_elements(self.small, portable_exp(self.logarithm()), self.large)
        return select_elements(self.good, drawn, math.nan)


def _gamma_samples() -> list[Sample]:
    common = {"dtype": "float32", "key": 1, "op_id": 2, "gradient": False, "dynamic": False}
    return [
        *_draws(_given(0.3, 1.0, 5.0, 1e6)),
        call(_given(0.25), step_sample(), shape=(0, 4), name="empty", **common),
        call(_given(0.25), step_sample(), shape=(3, 4), name="float16", **{**common, "dtype": "float16"}),
        call(_given(math.nan, -1.0, 0.0, math.inf), step_sample(), shape=(4,), name="no shapes",
             expect=np.full(4, np.nan, np.float32), **common),
        call(_given(1e-5), step_sample(), shape=(9,), name="tiny", expect=np.full(9, 2.0**-126, np.float32), **common),
    ]


@composite(name="random_gamma", random=True, prepare=_float_attrs, rule=_one, differentiable=False,
           creates=True, tolerance="exact", samples=_gamma_samples)
def _gamma(alpha: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int, op_id: int,
           dtype: str) -> Any:
    """Gamma variables with the shape parameter ``alpha`` and scale 1; NaN where it is not positive and finite."""
    found = _Gamma(alpha, _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(select_elements(less(found, _LEAST[dtype]), _LEAST[dtype], found), dtype)


def _beta_samples() -> list[Sample]:
    common = {"dtype": "float32", "key": 1, "op_id": 2, "gradient": False, "dynamic": False}
    return [
        *_draws(_given(0.3, 1.0, 5.0, 1e6), _given(2.0)),
        call(_given(math.nan, 1.0), _given(1.0, -1.0), step_sample(), shape=(2,), name="no shapes",
             expect=np.full(2, np.nan, np.float32), **common),
        call(_given(1e-3), _given(1e-3), step_sample(), shape=(9,), name="tiny", **common),
    ]


@composite(name="random_beta", random=True, prepare=_float_attrs, rule=_two, differentiable=False,
           creates=True, tolerance="exact", samples=_beta_samples)
def _beta(alpha: TensorLike, beta: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int,
          op_id: int, dtype: str) -> Any:
    """``a / (a + b)`` of two gamma variables, by their logarithms, which do not vanish for small parameters."""
    words = _Words(step, sizes, shape, key, op_id)
    a, b = _Gamma(alpha, words, 0), _Gamma(beta, words, 1)
    ratio = portable_exp(subtract(b.logarithm(), a.logarithm()))
    found = 1.0 / (ratio + 1.0)
    found = select_elements(found < _LEAST[dtype], 0.0, found)
    return _narrow(select_elements(logical_and(a.good, b.good), found, math.nan), dtype)


@derived(name="random_gamma", samples=lambda: [
    call((3, 5), 2.5, seed=7), call((3, 2), In((2,), 0.2, 3.0), "float64", 7, name="tensor", dtypes=("float32",),
                                    gradient=False, dynamic=False),
    call((2,), 0.0, seed=7, raises=ValueError, name="no shape parameter"),
    call((2,), 1.0, "int32", 7, raises=TypeError, name="integers"),
    call((-2,), 1.0, seed=7, raises=ValueError, name="negative size")])
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Gamma distributed numbers of scale 1; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        alpha: the shape parameter, positive: a number, or numbers or a tensor that broadcast to the shape. No gradient
            flows to it.
        dtype: a float dtype; floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    Returns:
        A symbolic tensor of numbers above 0 with the same bits on every engine: what is too small for the dtype is
        its least normal number (float16: 2**-24). NaN where a tensor ``alpha`` is not positive and finite.

    Raises:
        ValueError: a number ``alpha`` that is not positive and finite, or does not broadcast to the shape.
        TypeError: no float dtype.

    Source: Marsaglia, Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26, 2000.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.gamma((1000,), [2.5], seed=1))
    >>> bool(x.min() > 0 and 2.3 < x.mean() < 2.7)
    True
    """
    return _draw(_gamma, [_positive(alpha, "alpha")], shape, dtype, seed)


@derived(name="random_beta", samples=lambda: [
    call((3, 5), 2.5, 0.5, seed=7), call((3, 2), In((2,), 0.2, 3.0), 1.0, "float64", 7, name="tensor",
                                         dtypes=("float32",), gradient=False, dynamic=False),
    call((2,), 1.0, -1.0, seed=7, raises=ValueError, name="no shape parameter")])
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Beta distributed numbers; a new draw each time a program runs.

    They are ``a / (a + b)`` of two gamma variables, made of their logarithms.

    Args:
        shape: ints or integer scalars, or an integer vector.
        alpha, beta: the shape parameters, positive: numbers, or tensors that broadcast to the shape. No gradient flows
            to them.
        dtype: a float dtype; floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    Returns:
        A symbolic tensor of numbers in [0, 1] with the same bits on every engine; 0 and 1 where the dtype has nothing
        nearer. NaN where a tensor parameter is not positive and finite.

    Raises:
        ValueError: a number that is not positive and finite, or does not broadcast to the shape.
        TypeError: no float dtype.

    Source: as of :func:`gamma`.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.beta((1000,), 3.0, 1.0, seed=1))
    >>> bool(0 <= x.min() and x.max() <= 1 and 0.7 < x.mean() < 0.8)
    True
    """
    return _draw(_beta, [_positive(alpha, "alpha"), _positive(beta, "beta")], shape, dtype, seed)


__all__: list[str] = []
