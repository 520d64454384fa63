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
from kbackend.ops.elementwise.arithmetic import abs_, add, divide, multiply, subtract
from kbackend.ops.elementwise.comparison import greater, greater_equal, less, less_equal
from kbackend.ops.elementwise.normal_quantile import polynomial
from kbackend.ops.elementwise.rounding import floor
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import gather
from kbackend.ops.random.draws import Seed, step_sample
from kbackend.ops.random.portable import portable_exp, portable_log
from kbackend.ops.random.samplers import (
    _LAST_TRIAL,
    _attempts,
    _draw,
    _draws,
    _float_attrs,
    _given,
    _narrow,
    _parameter,
    _two,
    _wide,
    _Words,
    _zeros,
)
from kbackend.ops.reduction.reductions import any_

#: from this mean on counts are made by rejection, below by inversion
_LARGE_MEAN = 10.0
#: counting up ends here: probabilities below do not change a sum near 1
_NEGLIGIBLE = 2.0**-70
#: ``log k!`` less Stirling's ``(k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2``: of the first k the value, and for
#: those that follow the series in ``1 / (k + 1)**2``, from the highest power down, which is then divided by k + 1
_STIRLING = np.array([math.lgamma(k + 1.0) - (k + 0.5) * math.log(k + 1.0) + k + 1.0 - 0.5 * math.log(2.0 * math.pi)
                      for k in range(16)])
_STIRLING_SERIES = (-1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0)


def _stirling(k: Any) -> Any:
    last = float(len(_STIRLING) - 1)
    early = less_equal(k, last)
    known = gather(constant(_STIRLING, "float64"), cast(select_elements(early, k, last), "int32"))
    after = 1.0 / add(k, 1.0)
    return select_elements(early, known, polynomial(after * after, _STIRLING_SERIES) * after)


def _log_of_rest(p: Any) -> Any:
    """``log(1 - p)`` for p in [0, 1/2], to full precision: ``-2 artanh(p / (2 - p))``."""
    s = p / subtract(2.0, p)
    return s * -2.0 * polynomial(s * s, tuple(1.0 / k for k in range(35, 0, -2)))


class _Binomial:
    """Numbers of successes with probabilities up to 1/2."""

    def __init__(self, n: Any, p: Any, words: _Words) -> None:
        self.words = words
        self.many = multiply(n, p) >= _LARGE_MEAN
        self.n, self.p = n, p

    def draws(self) -> Any:
        return select_elements(self.many, self.by_rejection(), self.by_inversion())

    def by_inversion(self) -> Any:
        """The least k whose cumulated probability is above a unit, found by counting up from 0."""
        n = select_elements(self.many, 0.0, self.n)
        p = select_elements(self.many, 0.0, self.p)
        odds = p / (1.0 - p)
        nothing = _zeros(self.words.sizes, self.words.shape)
        none = portable_exp(n * _log_of_rest(p))
        start = [constant(0.0, "float64"), nothing + none, self.words.unit(_LAST_TRIAL) - none,
                 nothing]

        def waits(likely: Any, left: Any) -> Any:
            return greater_equal(left, 0.0) & greater(likely, _NEGLIGIBLE)

        def step(k: Any, likely: Any, left: Any, found: Any) -> list[Any]:
            going, after = waits(likely, left), add(k, 1.0)
            factor = (n - k) / after * odds
            likely = likely * select_elements(factor > 0.0, factor, 0.0)
            left = select_elements(going, left - likely, left)
            return [after, likely, left, select_elements(going, after, found)]

        return classic_while_loop(lambda k, likely, left, found: any_(waits(likely, left)), step, start)[3]

    def by_rejection(self) -> Any:
        """Hörmann's algorithm BTRS, without its shortcut past the logarithms."""
        n, p = select_elements(self.many, self.n, 40.0), select_elements(self.many, self.p, 0.5)
        q = subtract(1.0, p)
        odds, centre = p / q, multiply(n, p) + 0.5
        mode = floor(add(n, 1.0) * p)
        spread = portable_exp(portable_log(multiply(n, p) * q) * 0.5)
        b = spread * 2.53 + 1.15
        a = b * 0.0248 + multiply(p, 0.01) + -0.0873
        height = (5.1 / b + 2.83) * spread
        of_mode = _Weight(mode, n, odds)

        def attempt(number: Any) -> tuple[Any, Any]:
            trial = multiply(number, 2)
            u, v = subtract(self.words.unit(trial), 0.5), self.words.positive(trial + 1)
            margin = maximum(0.5 - abs_(u), 2.0**-54)
            k = floor((a * 2.0 / margin + b) * u + centre)
            inside = (k >= 0.0) & (k <= n)
            k = select_elements(inside, k, mode)
            hat = a / (margin * margin) + b
            level = portable_log(v * height / hat)
            return k, inside & (level <= _Weight(k, n, odds).over(of_mode))

        return _attempts(self.words.shape, self.words.sizes, self.many, attempt)


class _Weight:
    """The probability of k successes, to be compared with that of others."""

    def __init__(self, k: Any, n: Any, odds: Any) -> None:
        self.n = n
        self.successes, self.failures = add(k, 1.0), subtract(n, k) + 1.0
        self.ratio = portable_log(multiply(odds, self.failures) / self.successes)
        self.scaled = subtract(self.successes, 0.5) * self.ratio
        self.rest = add(_stirling(k), _stirling(subtract(n, k)))

    def over(self, other: _Weight) -> Any:
        """The logarithm of the quotient, with little cancellation for large n."""
        failed = add(self.n, 1.0) * portable_log(divide(other.failures, self.failures))
        return subtract(self.scaled, other.scaled) + failed + subtract(other.rest, self.rest)


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
    """Numbers of successes among ``counts`` trials; NaN where there are no such counts or probabilities."""
    n, p = floor(_wide(counts)), _wide(probabilities)
    good = greater_equal(n, 0.0) & less(n, 2.0**53) & (greater_equal(p, 0.0) & less_equal(p, 1.0))
    n, p = select_elements(good, n, 0.0), select_elements(good, p, 0.0)
    turned = greater(p, 0.5)
    drawn = _Binomial(n, select_elements(turned, subtract(1.0, p), p), _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(select_elements(good, select_elements(turned, subtract(n, drawn), drawn), math.nan), dtype)


@derived(name="random_counts", samples=lambda: [
    call((3, 5), 9, 0.3, seed=7), call((3, 5), 1000, 0.3, "float64", 7, name="many"),
    call((3, 2), [3, 70], In((2,), 0.2, 0.9), seed=7, name="tensor", dtypes=("float32",), gradient=False,
         dynamic=False),
    call((2,), -1, 0.5, seed=7, raises=ValueError, name="a negative count"),
    call((2,), 1, 1.5, seed=7, raises=ValueError, name="no probability")])
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Numbers of successes among ``counts`` independent trials; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        counts: how many trials, at least 0; fractions are cut off. Up to 10**6 the distribution is exact to 1e-9, with
            larger ones to ``counts * 1e-15``; 2**53 is too many.
        probabilities: of a success in one trial, in [0, 1]. Both are numbers, or tensors that broadcast to the shape.
            No gradient flows to them.
        dtype: a float dtype; floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    Returns:
        A symbolic tensor of whole numbers with the same bits on every engine. NaN where a tensor has no such counts or
        probabilities.

    Raises:
        ValueError: a number out of range, or parameters that do not broadcast to the shape.
        TypeError: no float dtype.

    Source: counting up for means below 10, else Hörmann, "The Generation of Binomial Random Variates", Journal of
    Statistical Computation and Simulation 46, 1993.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.binomial((1000,), 20, 0.25, seed=1))
    >>> bool(x.max() <= 20 and 4.7 < x.mean() < 5.3)
    True
    """
    trials = _parameter(counts, "counts", "in [0, 2**53)", lambda v: (v >= 0) & (v < 2.0**53))
    chances = _parameter(probabilities, "probabilities", "in [0, 1]", lambda v: (v >= 0) & (v <= 1))
    return _draw(_counts, [trials, chances], shape, dtype, seed)


__all__: list[str] = []
