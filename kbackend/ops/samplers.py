"""Draws by rejection and by inversion: gamma, beta, binomial.

Each attempt of a rejection takes words of a trial of its own, so that a draw depends on nothing but (seed, op id, step,
element). All arithmetic is float64 and made of operations that every engine rounds in the same way, the logarithms
and exponentials those of :mod:`kbackend.ops.portable`: accepted attempts and values have **the same bits** on every
engine, but for compilers that contract a product and a sum (XLA, torch.compile).

No gradient flows to parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Shape, Tensor, TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import reduction
from kbackend.ops.control import while_loop
from kbackend.ops.declare import REGISTRY, TensorLike, TensorList, composite, derived
from kbackend.ops.dispatch import make_node, to_numpy
from kbackend.ops.indexing import gather
from kbackend.ops.normal import polynomial
from kbackend.ops.portable import portable_exp, portable_log
from kbackend.ops.random import Seed, random_unit, shape_parts, standard_normal, step_sample
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import broadcast
from kbackend.ops.sizes import check_sizes
from kbackend.ops.state import constant
from kbackend.ops.streams import counter, stream_of
from kbackend.ops.subgraph import loop_step

#: the least number that a gamma draw is rounded to; engines differ in what they do below
_LEAST = {"float64": 2.0**-1022, "float32": 2.0**-126, "bfloat16": 2.0**-126, "float16": 2.0**-24}
#: attempts of a rejection count their trials up from 0; what is drawn once takes the last ones
_LAST_TRIAL = (1 << 32) - 1
#: parameters of gamma variables from here on count as infinite, and those below as 0
_LARGEST, _SMALLEST = 1e300, 2.0**-1022


# ------------------------------------------------------------------------------------- rules and samples


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"]), "dtype": dtypes.canonical(attrs["dtype"])}


def _float_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    attrs = _attrs(specs, attrs)
    if not dtypes.is_float(attrs["dtype"]):
        raise TypeError(f"these draws need a float dtype, not {attrs['dtype']}")
    return attrs


def _check_fits(parameter: TensorSpec, shape: Shape) -> None:
    found = broadcast(parameter.shape, shape)
    if len(found) > len(shape) or any(d is not None and d != f for d, f in zip(shape, found)):
        raise ValueError(f"a parameter of shape {parameter.shape} does not broadcast to the draws {shape}")


def _one(first: TensorSpec, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    _check_fits(first, shape)
    return TensorSpec(shape, dtype)


def _two(
    first: TensorSpec, second: TensorSpec, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any
) -> TensorSpec:
    _check_fits(second, shape)
    return _one(first, step, sizes, shape=shape, dtype=dtype)


def _given(*numbers: float) -> In:
    shape = () if len(numbers) == 1 else (len(numbers),)
    return In(shape, values=np.reshape(numbers, shape), kind="float32", gradient=False)


def _draws(*operands: In) -> list[Sample]:
    """Samples of a draw, one of them with a size that is a tensor."""
    common = {"key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False}
    count = In((), values=2, kind="int32", gradient=False)
    return [
        call(*operands, step_sample(), shape=(3, 4), dtype="float64", **common),
        call(*operands, step_sample(2**31), [count], shape=(None, 4), dtype="float32", name="size", **common),
        call(*operands, step_sample(), shape=(3,), dtype="float32", raises=ValueError, name="parameters larger",
             **common),
        call(*operands, step_sample(), shape=(3, 4), dtype="int32", raises=TypeError, name="int32", **common),
    ]


# ------------------------------------------------------------------------------------- rejection


def _zeros(sizes: Any, shape: Shape) -> Any:
    attrs = {"shape": shape, "value": 0.0, "dtype": "float64", "name": None}
    return make_node(REGISTRY["fill"], (tuple(sizes),), attrs)


def _attempts(shape: Shape, sizes: Any, wanted: Any, attempt: Callable[[Any], tuple[Any, Any]]) -> Any:
    """Values of the first attempts that are accepted, for the elements that are wanted; 0 for the others.

    Args:
        wanted: bool, broadcasts to the shape.
        attempt: a function of the attempt's number that gives values and whether they are accepted.
    """
    nothing = _zeros(sizes, shape)

    def step(number: Any, found: Any, waits: Any) -> list[Any]:
        value, accepted = attempt(number)
        found = e.where(e.logical_and(waits, accepted), value, found)
        return [e.add(number, 1), found, e.logical_and(waits, e.logical_not(accepted))]

    start = [constant(0, "int64"), nothing, e.logical_and(wanted, e.equal(nothing, 0.0))]
    return while_loop(lambda number, found, waits: reduction.any_(waits), step, start)[1]


class _Words:
    """The units and normals of one draw; in float64."""

    def __init__(self, step: Any, sizes: Any, shape: Shape, key: int, op_id: int) -> None:
        # A loop would mix its own count into the step of a counter; here the trial stands for that.
        step = loop_step(step, constant(0, "int64"))
        self.common: dict[str, Any] = {"step": step, "sizes": sizes, "shape": shape, "key": key,
                                       "op_id": op_id, "dtype": "float64"}
        self.sizes, self.shape = sizes, shape

    def unit(self, trial: Any) -> Any:
        """Numbers in [0, 1)."""
        return random_unit(trial=constant(trial, "int64") if isinstance(trial, int) else trial, **self.common)

    def positive(self, trial: Any) -> Any:
        """Numbers in (0, 1]."""
        return e.subtract(1.0, self.unit(trial))

    def normal(self, trial: Any) -> Any:
        return standard_normal(trial=trial, **self.common)


def _wide(parameter: Any) -> Any:
    return e.cast(e.stop_gradient(parameter), "float64")


def _narrow(draws: Any, dtype: str) -> Any:
    """Engines do not round float64 to 16 bits in one way."""
    return draws if dtype == "float64" else e.cast(e.cast(draws, "float32"), dtype)


# ------------------------------------------------------------------------------------- gamma


class _Gamma:
    """Standard gamma variables; ``which`` tells the two of a beta draw apart.

    Source: Marsaglia, Tsang, "A Simple Method for Generating Gamma Variables", 2000. A variable of a shape a < 1 is
    one of shape a + 1 times ``unit**(1 / a)``.
    """

    def __init__(self, alpha: Any, words: _Words, which: int = 0) -> None:
        self.words, self.which = words, which
        alpha = _wide(alpha)
        self.good = e.greater_equal(alpha, _SMALLEST) & e.less(alpha, _LARGEST)
        self.alpha = e.where(self.good, alpha, 1.0)
        self.small = e.less(self.alpha, 1.0)
        self.rest = e.where(self.small, e.add(self.alpha, 1.0), self.alpha) - 1.0 / 3.0
        self.scale = portable_exp(portable_log(e.multiply(self.rest, 9.0)) * -0.5)
        self.large = _attempts(words.shape, words.sizes, self.good, self.attempt)

    def attempt(self, number: Any) -> tuple[Any, Any]:
        trial = e.multiply(number, 4) + 2 * self.which
        normal, unit = self.words.normal(trial), self.words.positive(trial + 1)
        root = e.multiply(normal, self.scale) + 1.0
        possible = root > 0.0
        cube = e.where(possible, root * root * root, 1.0)
        excess = self.rest * (1.0 - cube + portable_log(cube))
        bound = e.multiply(normal, normal) * 0.5 + excess
        return self.rest * cube, possible & (portable_log(unit) < bound)

    def logarithm(self) -> Any:
        unit = self.words.positive(_LAST_TRIAL - self.which)
        boost = e.where(self.small, portable_log(unit) * e.divide(1.0, self.alpha), 0.0)
        return portable_log(e.where(self.good, self.large, 1.0)) + boost

    def draws(self) -> Any:
        return e.where(self.good, e.where(self.small, portable_exp(self.logarithm()), self.large), math.nan)


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


@composite(name="random_gamma", prepare=_float_attrs, rule=_one, differentiable=False, creates=True, tolerance="exact",
           samples=_gamma_samples)
def _gamma(alpha: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int, op_id: int,
           dtype: str) -> Any:
    """Gamma variables with the shape parameter ``alpha`` and scale 1; NaN where it is not positive and finite."""
    found = _Gamma(alpha, _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(e.where(e.less(found, _LEAST[dtype]), _LEAST[dtype], found), dtype)


def _beta_samples() -> list[Sample]:
    common = {"dtype": "float32", "key": 1, "op_id": 2, "gradient": False, "dynamic": False}
    return [
        *_draws(_given(0.3, 1.0, 5.0, 1e6), _given(2.0)),
        call(_given(math.nan, 1.0), _given(1.0, -1.0), step_sample(), shape=(2,), name="no shapes",
             expect=np.full(2, np.nan, np.float32), **common),
        call(_given(1e-3), _given(1e-3), step_sample(), shape=(9,), name="tiny", **common),
    ]


@composite(name="random_beta", prepare=_float_attrs, rule=_two, differentiable=False, creates=True, tolerance="exact",
           samples=_beta_samples)
def _beta(alpha: TensorLike, beta: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int,
          op_id: int, dtype: str) -> Any:
    """``a / (a + b)`` of two gamma variables, by their logarithms, which do not vanish for small parameters."""
    words = _Words(step, sizes, shape, key, op_id)
    a, b = _Gamma(alpha, words, 0), _Gamma(beta, words, 1)
    ratio = portable_exp(e.subtract(b.logarithm(), a.logarithm()))
    found = 1.0 / (ratio + 1.0)
    found = e.where(found < _LEAST[dtype], 0.0, found)
    return _narrow(e.where(e.logical_and(a.good, b.good), found, math.nan), dtype)


# ------------------------------------------------------------------------------------- binomial

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
    early = e.less_equal(k, last)
    known = gather(constant(_STIRLING, "float64"), e.cast(e.where(early, k, last), "int32"))
    after = 1.0 / e.add(k, 1.0)
    return e.where(early, known, polynomial(after * after, _STIRLING_SERIES) * after)


def _log_of_rest(p: Any) -> Any:
    """``log(1 - p)`` for p in [0, 1/2], to full precision: ``-2 artanh(p / (2 - p))``."""
    s = p / e.subtract(2.0, p)
    return s * -2.0 * polynomial(s * s, tuple(1.0 / k for k in range(35, 0, -2)))


class _Binomial:
    """Numbers of successes with probabilities up to 1/2."""

    def __init__(self, n: Any, p: Any, words: _Words) -> None:
        self.words = words
        self.many = e.multiply(n, p) >= _LARGE_MEAN
        self.n, self.p = n, p

    def draws(self) -> Any:
        return e.where(self.many, self.by_rejection(), self.by_inversion())

    def by_inversion(self) -> Any:
        """The least k whose cumulated probability is above a unit, found by counting up from 0."""
        n = e.where(self.many, 0.0, self.n)
        p = e.where(self.many, 0.0, self.p)
        odds = p / (1.0 - p)
        nothing = _zeros(self.words.sizes, self.words.shape)
        none = portable_exp(n * _log_of_rest(p))
        start = [constant(0.0, "float64"), nothing + none, self.words.unit(_LAST_TRIAL) - none,
                 nothing]

        def waits(likely: Any, left: Any) -> Any:
            return e.greater_equal(left, 0.0) & e.greater(likely, _NEGLIGIBLE)

        def step(k: Any, likely: Any, left: Any, found: Any) -> list[Any]:
            going, after = waits(likely, left), e.add(k, 1.0)
            factor = (n - k) / after * odds
            likely = likely * e.where(factor > 0.0, factor, 0.0)
            return [after, likely, e.where(going, e.subtract(left, likely), left), e.where(going, after, found)]

        return while_loop(lambda k, likely, left, found: reduction.any_(waits(likely, left)), step, start)[3]

    def by_rejection(self) -> Any:
        """Hörmann's algorithm BTRS, without its shortcut past the logarithms."""
        n, p = e.where(self.many, self.n, 40.0), e.where(self.many, self.p, 0.5)
        q = e.subtract(1.0, p)
        odds, centre = p / q, e.multiply(n, p) + 0.5
        mode = e.floor(e.add(n, 1.0) * p)
        spread = portable_exp(portable_log(e.multiply(n, p) * q) * 0.5)
        b = spread * 2.53 + 1.15
        a = b * 0.0248 + e.multiply(p, 0.01) + -0.0873
        height = (5.1 / b + 2.83) * spread
        of_mode = _Weight(mode, n, odds)

        def attempt(number: Any) -> tuple[Any, Any]:
            trial = e.multiply(number, 2)
            u, v = e.subtract(self.words.unit(trial), 0.5), self.words.positive(trial + 1)
            margin = e.maximum(0.5 - e.abs_(u), 2.0**-54)
            k = e.floor((a * 2.0 / margin + b) * u + centre)
            inside = (k >= 0.0) & (k <= n)
            k = e.where(inside, k, mode)
            hat = a / (margin * margin) + b
            level = portable_log(v * height / hat)
            return k, inside & (level <= _Weight(k, n, odds).over(of_mode))

        return _attempts(self.words.shape, self.words.sizes, self.many, attempt)


class _Weight:
    """The probability of k successes, to be compared with that of others."""

    def __init__(self, k: Any, n: Any, odds: Any) -> None:
        self.n = n
        self.successes, self.failures = e.add(k, 1.0), e.subtract(n, k) + 1.0
        self.ratio = portable_log(e.multiply(odds, self.failures) / self.successes)
        self.scaled = e.subtract(self.successes, 0.5) * self.ratio
        self.rest = e.add(_stirling(k), _stirling(e.subtract(n, k)))

    def over(self, other: _Weight) -> Any:
        """The logarithm of the quotient, with little cancellation for large n."""
        failed = e.add(self.n, 1.0) * portable_log(e.divide(other.failures, self.failures))
        return e.subtract(self.scaled, other.scaled) + failed + e.subtract(other.rest, self.rest)


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


@composite(name="random_counts", prepare=_float_attrs, rule=_two, differentiable=False, creates=True,
           tolerance="exact", samples=_count_samples)
def _counts(counts: TensorLike, probabilities: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
            key: int, op_id: int, dtype: str) -> Any:
    """Numbers of successes among ``counts`` trials; NaN where there are no such counts or probabilities."""
    n, p = e.floor(_wide(counts)), _wide(probabilities)
    good = e.greater_equal(n, 0.0) & e.less(n, 2.0**53) & (e.greater_equal(p, 0.0) & e.less_equal(p, 1.0))
    n, p = e.where(good, n, 0.0), e.where(good, p, 0.0)
    turned = e.greater(p, 0.5)
    drawn = _Binomial(n, e.where(turned, e.subtract(1.0, p), p), _Words(step, sizes, shape, key, op_id)).draws()
    return _narrow(e.where(good, e.where(turned, e.subtract(n, drawn), drawn), math.nan), dtype)


# ------------------------------------------------------------------------------------- functions


def _parameter(value: Any, name: str, wanted: str, holds: Callable[[np.ndarray], Any]) -> Any:
    """A parameter as an operand; concrete ones are checked."""
    if isinstance(value, Tensor):
        return value
    numbers = to_numpy(value).astype(np.float64)
    if not np.all(holds(numbers)):
        raise ValueError(f"{name} must be {wanted}, it is {value!r}")
    return constant(numbers, "float64")


def _positive(value: Any, name: str) -> Any:
    return _parameter(value, name, "positive and finite", lambda v: (v > 0) & (v < math.inf))


def _draw(op: Any, parameters: Sequence[Any], shape: Any, dtype: Any, seed: Seed) -> Tensor:
    sizes, pattern = shape_parts(shape)
    key, op_id = stream_of(op.op.name, seed)
    chosen = config.floatx() if dtype is None else dtype
    return op(*parameters, counter(f"{op.op.name}_step"), sizes, shape=pattern, key=key, op_id=op_id, dtype=chosen)


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


__all__ = ["beta", "binomial", "gamma"]
