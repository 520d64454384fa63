"""Gamma and beta draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.random.draws import Seed, _floats, draw, step_sample
from kbackend.ops.random.draws import _float_draw_attrs as _float_attrs
from kbackend.ops.random.portable import portable_exp, portable_log
from kbackend.ops.random.samplers import (
    _LARGEST,
    _LAST_TRIAL,
    _LEAST,
    _SMALLEST,
    _attempts,
    _draws,
    _given,
    _narrow,
    _one,
    _positive,
    _two,
    _wide,
    _Words,
)


class _Gamma:
    """Gamma variables of scale 1; ``which`` distinguishes the two that a beta draw needs.

    Source: Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000. A variable of shape a < 1 is
    one of shape a + 1 times ``unit**(1 / a)``.
    """

    def __init__(self, alpha: Any, words: _Words, which: int = 0) -> None:
        self.words, self.which = words, which
        alpha = _wide(alpha)
        self.valid = (alpha >= _SMALLEST) & (alpha < _LARGEST)
        self.alpha = select_elements(self.valid, alpha, 1.0)
        self.small = self.alpha < 1.0
        self.d = select_elements(self.small, self.alpha + 1.0, self.alpha) - 1.0 / 3.0
        self.c = portable_exp(portable_log(self.d * 9.0) * -0.5)
        self.large = _attempts(words.shape, words.sizes, self.valid, self.attempt)

    def attempt(self, number: Any) -> tuple[Any, Any]:
        trial = number * 4 + 2 * self.which
        normal, unit = self.words.normal(trial), self.words.positive(trial + 1)
        root = normal * self.c + 1.0
        possible = root > 0.0
        cube = select_elements(possible, root * root * root, 1.0)
        bound = normal * normal * 0.5 + self.d * (1.0 - cube + portable_log(cube))
        return self.d * cube, possible & (portable_log(unit) < bound)

    def logarithm(self) -> Any:
        unit = self.words.positive(_LAST_TRIAL - self.which)
        boost = select_elements(self.small, portable_log(unit) * (1.0 / self.alpha), 0.0)
        return portable_log(select_elements(self.valid, self.large, 1.0)) + boost

    def draws(self) -> Any:
        drawn = select_elements(self.small, portable_exp(self.logarithm()), self.large)
        return select_elements(self.valid, drawn, math.nan)


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
    """Gamma variables of shape ``alpha`` and scale 1; NaN where ``alpha`` is not positive and finite."""
    drawn = _Gamma(alpha, _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(select_elements(drawn < _LEAST[dtype], _LEAST[dtype], drawn), dtype)


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
    """``a / (a + b)`` of two gamma variables, by their logarithms, which do not underflow for small parameters."""
    words = _Words(step, sizes, shape, key, op_id)
    a, b = _Gamma(alpha, words, 0), _Gamma(beta, words, 1)
    share = 1.0 / (portable_exp(b.logarithm() - a.logarithm()) + 1.0)
    share = select_elements(share < _LEAST[dtype], 0.0, share)
    return _narrow(select_elements(a.valid & b.valid, share, math.nan), dtype)


@derived(name="random_gamma", samples=lambda: [
    call((3, 5), 2.5, seed=7), call((3, 2), In((2,), 0.2, 3.0), "float64", 7, name="tensor", dtypes=("float32",),
                                    gradient=False, dynamic=False),
    call((2,), 0.0, seed=7, raises=ValueError, name="no shape parameter"),
    call((2,), 1.0, "int32", 7, raises=TypeError, name="integers"),
    call((-2,), 1.0, seed=7, raises=ValueError, name="negative size")])
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from the gamma distribution of scale 1, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        alpha: the shape parameter, positive: a number, list or tensor that broadcasts to the shape. No gradient flows
            to it.
        dtype: a float dtype; None for floatx.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor of positive numbers with the same bits on every engine. Numbers too small for the dtype
        become its smallest normal number (2**-24 for float16). NaN where a tensor ``alpha`` is not positive and finite.

    Raises:
        ValueError: a number ``alpha`` that is not positive and finite, or does not broadcast to the shape.
        TypeError: ``dtype`` is not a float dtype.

    Source: Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26, 2000.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.gamma((1000,), [2.5], seed=1))
    >>> bool(x.min() > 0 and 2.3 < x.mean() < 2.7)
    True
    """
    return draw(_gamma, [_positive(alpha, "alpha")], shape, _floats(dtype), seed)


@derived(name="random_beta", samples=lambda: [
    call((3, 5), 2.5, 0.5, seed=7), call((3, 2), In((2,), 0.2, 3.0), 1.0, "float64", 7, name="tensor",
                                         dtypes=("float32",), gradient=False, dynamic=False),
    call((2,), 1.0, -1.0, seed=7, raises=ValueError, name="no shape parameter")])
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw from the beta distribution, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        alpha, beta: the shape parameters, positive: numbers, lists or tensors that broadcast to the shape. No gradient
            flows to them.
        dtype: a float dtype; None for floatx.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor of numbers in [0, 1] with the same bits on every engine; 0 and 1 occur by rounding to the
        dtype. NaN where a tensor parameter is not positive and finite.

    Raises:
        ValueError: a number that is not positive and finite, or does not broadcast to the shape.
        TypeError: ``dtype`` is not a float dtype.

    Source: ``a / (a + b)`` of two gamma variables, computed from their logarithms; see :func:`gamma`.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.beta((1000,), 3.0, 1.0, seed=1))
    >>> bool(0 <= x.min() and x.max() <= 1 and 0.7 < x.mean() < 0.8)
    True
    """
    return draw(_beta, [_positive(alpha, "alpha"), _positive(beta, "beta")], shape, _floats(dtype), seed)


__all__: list[str] = []
