"""Binomial draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Shape, Tensor
from kbackend.ops.control.while_loop import classic_while_loop
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.normal_quantile import polynomial
from kbackend.ops.elementwise.rounding import floor
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import gather
from kbackend.ops.random.draws import Seed, _floats, draw, step_sample
from kbackend.ops.random.draws import _float_draw_attrs as _float_attrs
from kbackend.ops.random.portable import portable_exp, portable_log
from kbackend.ops.random.samplers import (
    _LAST_TRIAL,
    _attempts,
    _draws,
    _given,
    _narrow,
    _parameter,
    _two,
    _wide,
    _Words,
    _zeros,
)
from kbackend.ops.reduction.reductions import any_

#: counts are drawn by rejection from this mean on, below it by inversion
_LARGE_MEAN = 10.0
#: inversion ends at this probability: smaller ones do not change a sum near 1
_NEGLIGIBLE = 2.0**-70
#: the error of Stirling's formula, ``log k! - ((k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2)``: its values for small
#: k, and for larger k the coefficients of its series in ``1 / (k + 1)**2`` from the highest power down, times k + 1
_STIRLING = np.array([math.lgamma(k + 1.0) - (k + 0.5) * math.log(k + 1.0) + k + 1.0 - 0.5 * math.log(2.0 * math.pi)
                      for k in range(16)])
_STIRLING_SERIES = (-1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0)


def _stirling(k: Any) -> Any:
    """The error of Stirling's formula for ``log k!``."""
    last = float(len(_STIRLING) - 1)
    small = k <= last
    tabulated = gather(constant(_STIRLING, "float64"), cast(select_elements(small, k, last), "int32"))
    reciprocal = 1.0 / (k + 1.0)
    return select_elements(small, tabulated, polynomial(reciprocal * reciprocal, _STIRLING_SERIES) * reciprocal)


def _log_of_complement(p: Any) -> Any:
    """``log(1 - p)`` for p in [0, 1/2], to full precision: ``-2 artanh(p / (2 - p))``."""
    s = p / (2.0 - p)
    return s * -2.0 * polynomial(s * s, tuple(1.0 / k for k in range(35, 0, -2)))


class _Binomial:
    """Binomial variables with probabilities up to 1/2."""

    def __init__(self, n: Any, p: Any, words: _Words) -> None:
        self.words = words
        self.many = n * p >= _LARGE_MEAN
        self.n, self.p = n, p

    def draws(self) -> Any:
        return select_elements(self.many, self.by_rejection(), self.by_inversion())

    def by_inversion(self) -> Any:
        """The least k whose cumulative probability exceeds a unit uniform, found by counting up from 0."""
        n = select_elements(self.many, 0.0, self.n)
        p = select_elements(self.many, 0.0, self.p)
        odds = p / (1.0 - p)
        zeros = _zeros(self.words.sizes, self.words.shape)
        none = portable_exp(n * _log_of_complement(p))
        start = [constant(0.0, "float64"), zeros + none, self.words.unit(_LAST_TRIAL) - none, zeros]

        def searching(mass: Any, rest: Any) -> Any:
            return (rest >= 0.0) & (mass > _NEGLIGIBLE)

        def step(k: Any, mass: Any, rest: Any, count: Any) -> list[Any]:
            active, following = searching(mass, rest), k + 1.0
            factor = (n - k) / following * odds
            mass = mass * select_elements(factor > 0.0, factor, 0.0)
            rest = select_elements(active, rest - mass, rest)
            return [following, mass, rest, select_elements(active, following, count)]

        return classic_while_loop(lambda k, mass, rest, count: any_(searching(mass, rest)), step, start)[3]

    def by_rejection(self) -> Any:
        """Hörmann's algorithm BTRS, without the quick acceptance test that avoids the logarithms."""
        n, p = select_elements(self.many, self.n, 40.0), select_elements(self.many, self.p, 0.5)
        q = 1.0 - p
        odds, centre = p / q, n * p + 0.5
        mode = floor((n + 1.0) * p)
        deviation = portable_exp(portable_log(n * p * q) * 0.5)
        b = deviation * 2.53 + 1.15
        a = b * 0.0248 + p * 0.01 - 0.0873
        height = (5.1 / b + 2.83) * deviation
        of_mode = _Weight(mode, n, odds)

        def attempt(number: Any) -> tuple[Any, Any]:
            trial = number * 2
            u, v = self.words.unit(trial) - 0.5, self.words.positive(trial + 1)
            margin = maximum(0.5 - abs_(u), 2.0**-54)
            k = floor((a * 2.0 / margin + b) * u + centre)
            inside = (k >= 0.0) & (k <= n)
            k = select_elements(inside, k, mode)
            hat = a / (margin * margin) + b
            level = portable_log(v * height / hat)
            return k, inside & (level <= _Weight(k, n, odds).over(of_mode))

        return _attempts(self.words.shape, self.words.sizes, self.many, attempt)


class _Weight:
    """The logarithm of the probability of k successes, up to a constant."""

    def __init__(self, k: Any, n: Any, odds: Any) -> None:
        self.n = n
        self.successes, self.failures = k + 1.0, n - k + 1.0
        self.ratio = portable_log(odds * self.failures / self.successes)
        self.scaled = (self.successes - 0.5) * self.ratio
        self.correction = _stirling(k) + _stirling(n - k)

    def over(self, other: _Weight) -> Any:
        """The logarithm of the quotient of the two probabilities, with little cancellation for large n."""
        failed = (self.n + 1.0) * portable_log(other.failures / self.failures)
        return self.scaled - other.scaled + failed + (other.correction - self.correction)


def _count_samples() -> list[Sample]:
    common = {"key": 1, "op_id": 2, "gradient": False, "dynamic": False}
    return [
        *_draws(_given(3.0, 40.0, 1000.0, 1e6), _given(0.3)),
        call(_given(1e6), _given(1e-6, 0.5, 0.99, 0.9999999), step_sample(), shape=(2, 4), dtype="float32",
             name="many", **common),
        call(_given(5.0, 0.0, 7.9, 5.0, 1e6, 1e6), _given(1.0, 0.3, 1.0, 0.0, 0.0, 1.0), step_sample(), shape=(6,),
             dtype="float32", expect=np.array([5, 0, 7, 0, 0, 1e6], np.float32), name="certain", **common),
        call(_given(math.nan, -1.0, 3.0, 3.0, math.inf), _given(0.5, 0.5, 1.5, -0.1, 0.5), step_sample(), shape=(5,),
             dtype="float32", expect=np.full(5, np.nan, np.float32), name="no counts or probabilities", **common),
    ]


@composite(name="random_counts", random=True, prepare=_float_attrs, rule=_two, differentiable=False,
           creates=True, tolerance="exact", samples=_count_samples)
def _counts(counts: TensorLike, probabilities: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
            key: int, op_id: int, dtype: str) -> Any:
    """Numbers of successes among ``counts`` trials; NaN where ``counts`` or ``probabilities`` are invalid."""
    n, p = floor(_wide(counts)), _wide(probabilities)
    valid = (n >= 0.0) & (n < 2.0**53) & ((p >= 0.0) & (p <= 1.0))
    n, p = select_elements(valid, n, 0.0), select_elements(valid, p, 0.0)
    flipped = p > 0.5
    drawn = _Binomial(n, select_elements(flipped, 1.0 - p, p), _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(select_elements(valid, select_elements(flipped, n - drawn, drawn), math.nan), dtype)


@derived(name="random_counts", samples=lambda: [
    call((3, 5), 9, 0.3, seed=7), call((3, 5), 1000, 0.3, "float64", 7, name="many"),
    call((3, 2), [3, 70], In((2,), 0.2, 0.9), seed=7, name="tensor", dtypes=("float32",), gradient=False,
         dynamic=False),
    call((2,), -1, 0.5, seed=7, raises=ValueError, name="a negative count"),
    call((2,), 1, 1.5, seed=7, raises=ValueError, name="no probability")])
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw numbers of successes among ``counts`` independent trials, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        counts: numbers of trials in [0, 2**53), rounded down. The distribution is exact to 1e-9 for up to 10**6 trials,
            and to ``counts * 1e-15`` for more.
        probabilities: of a success in one trial, in [0, 1]. Both parameters are numbers, lists or tensors that
            broadcast to the shape. No gradient flows to them.
        dtype: a float dtype; None for floatx.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor of whole numbers with the same bits on every engine; NaN where a tensor parameter is out of
        range.

    Raises:
        ValueError: a number out of range, or parameters that do not broadcast to the shape.
        TypeError: ``dtype`` is not a float dtype.

    Source: inversion for means below 10, else Hörmann, "The Generation of Binomial Random Variates", Journal of
    Statistical Computation and Simulation 46, 1993.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.binomial((1000,), 20, 0.25, seed=1))
    >>> bool(x.max() <= 20 and 4.7 < x.mean() < 5.3)
    True
    """
    trials = _parameter(counts, "counts", "in [0, 2**53)", lambda v: (v >= 0) & (v < 2.0**53))
    chances = _parameter(probabilities, "probabilities", "in [0, 1]", lambda v: (v >= 0) & (v <= 1))
    return draw(_counts, [trials, chances], shape, _floats(dtype), seed)


__all__: list[str] = []
