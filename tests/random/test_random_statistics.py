"""The distributions of draws and their independence, each at the level 1e-6, on the first 2**20 draws.

Tests run on NumPy: test_random.py and test_random_module.py show that other engines draw the same bits.
"""

import math

import numpy as np
import pytest

from kbackend import K, random
from kbackend.ops.random.draws import random_unit
from kbackend.streams import scope

pytestmark = pytest.mark.usefixtures("engine")
MANY = 1 << 20
LEVEL = 1e-6
#: how many standard deviations off a normal number is with the probability LEVEL
FAR = 4.8916


# ------------------------------------------------------------------------------------------- tests of goodness


def kolmogorov(values, distribution):
    """The probability of a larger distance between the empirical distribution and the given one (asymptotic)."""
    values = np.sort(np.asarray(values, np.float64))
    expected, ranks = distribution(values), np.arange(len(values) + 1) / len(values)
    far = max((ranks[1:] - expected).max(), (expected - ranks[:-1]).max()) * math.sqrt(len(values))
    if far < 0.2:  # the series converges slowly, and the probability is 1 to 26 places
        return 1.0
    return 2.0 * sum((-1) ** (j - 1) * math.exp(-2.0 * (j * far) ** 2) for j in range(1, 40))


def chi_square_tail(x, degrees):
    """The probability that a chi-square variable is larger."""
    half, odd = x / 2.0, degrees % 2
    first = math.erfc(math.sqrt(half)) if odd else 0.0
    powers = [i + 0.5 * odd for i in range(degrees // 2)]
    return first + sum(math.exp(p * math.log(half) - half - math.lgamma(p + 1.0)) for p in powers)


def pearson(counts, probabilities):
    """The probability of counts that fit worse; rare cells are put together."""
    counts, expected = np.asarray(counts, np.float64), np.asarray(probabilities) * np.sum(counts)
    assert len(counts) == len(expected) and abs(expected.sum() / counts.sum() - 1) < 1e-9
    rare = expected < 20
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    if expected[-1] < 20:  # into the last cell that is not rare
        counts, expected = (np.append(v[:-2], v[-2] + v[-1]) for v in (counts, expected))
    return chi_square_tail(float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1)


def test_the_tails_are_those_of_the_tables():
    table = {(3.841459, 1): 0.05, (23.92813, 1): 1e-6, (6.634897, 1): 0.01, (18.307038, 10): 0.05, (27.877165, 9): 1e-3}
    for (x, degrees), tail in table.items():
        assert chi_square_tail(x, degrees) == pytest.approx(tail, rel=1e-5)
    grid = (np.arange(100) + 0.5) / 100
    shifted = kolmogorov(grid + 0.1578, lambda v: v)  # a distance of 1.628 / sqrt(100), that of the level 1 %
    assert shifted == pytest.approx(0.01, rel=0.01)
    assert math.erfc(FAR / math.sqrt(2)) == pytest.approx(LEVEL, rel=1e-3)


def test_wrong_distributions_are_refused():
    unit = np.asarray(random.uniform((MANY,), seed=1, dtype="float64"))
    assert kolmogorov(unit, lambda v: v**1.01) < LEVEL
    assert pearson(np.bincount((unit * 6).astype(int)), [0.17] + [0.166] * 5) < LEVEL
    assert pearson(np.bincount((unit * 6).astype(int)), [1 / 6] * 6) > LEVEL


# ------------------------------------------------------------------------------------------- real numbers


def uniform(x):
    return x


def normal(x):
    return 0.5 * (1.0 + np.array([math.erf(v) for v in (x * math.sqrt(0.5)).tolist()]))


def truncated(x):
    below, all_ = 0.5 * math.erfc(math.sqrt(2.0)), math.erf(math.sqrt(2.0))
    return (normal(x) - below) / all_


def gamma(a):
    """By the series ``x**a exp(-x) sum(x**n / Gamma(a + n + 1))``."""

    def distribution(x):
        term = np.exp(a * np.log(x) - x - math.lgamma(a + 1.0))
        total = term.copy()
        for n in range(1, 200):
            term *= x / (a + n)
            total += term
            if n > a and term.max() < 1e-15:
                return total
        raise AssertionError("the series has not ended")

    return distribution


REAL = {
    "uniform float32": (lambda: random.uniform((MANY,), seed=1), uniform),
    "uniform float64": (lambda: random.uniform((MANY,), dtype="float64", seed=1), uniform),
    "uniform moved": (lambda: random.uniform((MANY,), -2.0, 3.0, seed=1), lambda x: (x + 2) / 5),
    "normal float32": (lambda: random.normal((MANY,), seed=1), normal),
    "normal float64": (lambda: random.normal((MANY,), dtype="float64", seed=1), normal),
    "normal moved": (lambda: random.normal((MANY,), 3.0, 0.5, seed=1), lambda x: normal((x - 3.0) / 0.5)),
    "truncated float32": (lambda: random.truncated_normal((MANY,), seed=1), truncated),
    "truncated float64": (lambda: random.truncated_normal((MANY,), dtype="float64", seed=1), truncated),
    "gamma 0.3": (lambda: random.gamma((MANY,), 0.3, seed=1), gamma(0.3)),
    "gamma 1": (lambda: random.gamma((MANY,), 1.0, seed=1), lambda x: -np.expm1(-x)),
    "gamma 5": (lambda: random.gamma((MANY,), 5.0, dtype="float64", seed=1), gamma(5.0)),
    "beta 1/2, 1/2": (lambda: random.beta((MANY,), 0.5, 0.5, seed=1), lambda x: 2 / math.pi * np.arcsin(np.sqrt(x))),
    "beta 2, 3": (lambda: random.beta((MANY,), 2.0, 3.0, seed=1), lambda x: x * x * (6.0 - 8.0 * x + 3.0 * x * x)),
    "beta 1/50, 1": (lambda: random.beta((MANY,), 0.02, 1.0, dtype="float64", seed=1), lambda x: x**0.02),
}


@pytest.mark.parametrize("name", REAL)
def test_real_numbers(name):
    draw, distribution = REAL[name]
    values = np.asarray(draw())
    assert values.shape == (MANY,)
    assert kolmogorov(values, distribution) > LEVEL


def test_large_gamma_parameters_give_nearly_normal_numbers():
    """The cube root of a gamma variable is normal up to 1/a (Wilson and Hilferty)."""
    a = 1e6
    cube = np.cbrt(np.asarray(random.gamma((MANY,), a, dtype="float64", seed=1)) / a)
    assert kolmogorov((cube - (1 - 1 / (9 * a))) * 3 * math.sqrt(a), normal) > LEVEL


# ------------------------------------------------------------------------------------------- whole numbers


def binomial(n, p):
    """The probabilities of 0 to n, by exact integers or the logarithms of factorials."""
    k = np.arange(n + 1)
    choose = np.concatenate([[0.0], np.cumsum(np.log((n - k[:-1]) / (k[:-1] + 1.0)))])
    return np.exp(choose + k * math.log(p) + (n - k) * math.log1p(-p))


BINOMIAL = {
    "few, counted up": (20, 0.3),
    "few, likely": (12, 0.9),
    "one": (1, 0.25),
    "the least mean of rejection": (100, 0.1),
    "the largest mean of inversion": (100, 0.0999),
    "large": (1000, 0.4),
    "large, likely": (700, 0.97),
    "rare": (1_000_000, 3e-6),
    "a million": (1_000_000, 0.5),
}


@pytest.mark.parametrize("name", BINOMIAL)
def test_binomials(name):
    n, p = BINOMIAL[name]
    values = np.asarray(random.binomial((MANY,), n, p, dtype="float64", seed=1)).astype(np.int64)
    assert values.min() >= 0 and values.max() <= n
    expected = binomial(n, p)
    assert pearson(np.bincount(values, minlength=n + 1), expected / expected.sum()) > LEVEL


@pytest.mark.parametrize(("low", "high", "dtype"), [
    (0, 8, "int32"), (-3, 7, "int32"), (5, 1005, "int64"), (0, 3 << 20, "int32"), (-(2**31), 2**31, "int32"),
    (0, 3 << 30, "int64"), (-(2**45), 2**45, "int64")])  # fmt: skip
def test_integers(low, high, dtype):
    values = np.asarray(random.randint((MANY,), low, high, dtype, seed=2)).astype(np.int64) - low
    cells = min(high - low, 1 << 10)
    assert values.min() >= 0 and values.max() < high - low
    width = (high - low) / cells
    ends = np.ceil(np.arange(cells + 1) * width)
    counts = np.bincount((values * cells) // (high - low), minlength=cells)
    assert pearson(counts, np.diff(ends) / (high - low)) > LEVEL
    if high - low > 1 << 20:  # the low bits too
        odd = 7
        rest = np.array([len(range(r, high - low, odd)) for r in range(odd)]) / (high - low)
        assert pearson(np.bincount(values % odd, minlength=odd), rest) > LEVEL


@pytest.mark.parametrize("p", [0.3, 0.5, 1e-4])
def test_bernoulli(p):
    values = np.asarray(K.random_bernoulli((MANY,), p, seed=1))
    assert set(np.unique(values)) == {0.0, 1.0}
    assert pearson(np.bincount(values.astype(int), minlength=2), [1 - p, p]) > LEVEL


def test_dropout():
    kept = np.asarray(random.dropout(K.ones((MANY,)), 0.3, seed=1)) > 0
    assert pearson(np.bincount(kept.astype(int)), [0.3, 0.7]) > LEVEL
    pairs = kept[0::2] * 2 + kept[1::2]
    assert pearson(np.bincount(pairs), [0.09, 0.21, 0.21, 0.49]) > LEVEL


def test_classes():
    logits = np.array([[0.0, 1.0, -math.inf, 2.0, -1.0, -9.0]], np.float32)
    values = np.asarray(random.categorical(logits, MANY, seed=1))[0]
    weights = np.exp(logits[0].astype(np.float64))
    counts = np.bincount(values, minlength=6)
    assert counts[2] == 0 and pearson(np.delete(counts, 2), np.delete(weights, 2) / weights.sum()) > LEVEL


def test_many_classes():
    weights = (np.arange(1000) % 7 + 1.0).astype(np.float32)
    values = np.asarray(random.categorical(np.log(weights)[None], MANY, seed=1))[0]
    assert pearson(np.bincount(values, minlength=1000), weights / weights.sum(dtype=np.float64)) > LEVEL


def test_orders_of_four():
    """Fewer draws than elsewhere, since each is a run of a program."""
    runs = 1 << 14
    program = K.function([], [random.shuffle(np.arange(4), seed=1)])
    orders = np.array([program([])[0] for _ in range(runs)])
    assert (np.sort(orders, axis=1) == np.arange(4)).all()
    names = (orders[:, 0] * 4 + orders[:, 1]) * 4 + orders[:, 2]
    counts = np.unique(names, return_counts=True)[1]
    assert len(counts) == 24 and pearson(counts, [1 / 24] * 24) > LEVEL


def test_a_long_order_mixes_all_parts():
    order = np.asarray(random.shuffle(np.arange(MANY), seed=1))
    cells = (order >> 16) * 16 + (np.arange(MANY) >> 16)
    assert pearson(np.bincount(cells, minlength=256), [1 / 256] * 256) > LEVEL
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) * math.sqrt(MANY) < FAR


# ------------------------------------------------------------------------------------------- independence


def units(seed=1, op_id=0, step=0, trial=None):
    stream = {"shape": (MANY,), "key": seed, "op_id": op_id, "dtype": "float32"}
    return K.eval(random_unit(np.int64(step), (), None if trial is None else np.int64(trial), **stream))


def assert_independent(a, b):
    """Of numbers spread evenly over [0, 1)."""
    assert abs(np.corrcoef(a, b)[0, 1]) * math.sqrt(len(a)) < FAR
    pairs = (a * 16).astype(np.int64) * 16 + (b * 16).astype(np.int64)
    assert pearson(np.bincount(pairs, minlength=256), [1 / 256] * 256) > LEVEL
    low = (a * 2**24).astype(np.int64) % 16 * 16 + (b * 2**24).astype(np.int64) % 16
    assert pearson(np.bincount(low, minlength=256), [1 / 256] * 256) > LEVEL


def test_dependent_numbers_are_refused():
    a = units()
    with pytest.raises(AssertionError):
        assert_independent(a, (a + 0.5) % 1)


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8])
def test_neighbours(lag):
    unit = units()
    rows = unit[: MANY // (2 * lag) * 2 * lag].reshape(-1, 2, lag)
    assert_independent(rows[:, 0].ravel(), rows[:, 1].ravel())


OTHERS = {
    "the next step": {"step": 1},
    "the next op id": {"op_id": 1},
    "the next seed": {"seed": 2},
    "the next trial": {"trial": 1},
    "op id and step exchanged": {"op_id": 1, "step": 1},
    "a seed of one high bit": {"seed": 1 | 1 << 63},
    "the last step": {"step": 2**32 - 1},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_streams(name):
    assert_independent(units(), units(**OTHERS[name]))


def test_draws_of_a_program():
    K.set_seed(5)
    a, b = random.uniform((MANY,)), random.uniform((MANY,))
    with scope("layer"):
        c = random.uniform((MANY,))
    program = K.function([], [a, b, c])
    first, second = program([]), program([])
    for x, y in ((0, 1), (0, 2), (1, 2)):
        assert_independent(first[x], first[y])
    for x in range(3):
        assert_independent(first[x], second[x])
    K.set_seed(6)
    assert_independent(first[0], np.asarray(random.uniform((MANY,))))


@pytest.mark.parametrize("draw", [
    lambda seed: random.gamma((MANY // 4,), 0.3, dtype="float64", seed=seed),
    lambda seed: random.beta((MANY // 4,), 0.5, 2.0, dtype="float64", seed=seed),
    lambda seed: random.binomial((MANY // 4,), 1000, 0.3, dtype="float64", seed=seed),
    lambda seed: random.normal((MANY // 4,), dtype="float64", seed=seed),
], ids=["gamma", "beta", "binomial", "normal"])  # fmt: skip
def test_draws_by_rejection_are_independent(draw):
    program = K.function([], [draw(1), draw(2)])
    first, other = program([])
    later = program([])[0]
    for a, b in ((first, other), (first, later), (first[0::2], first[1::2])):
        ranks = [np.argsort(np.argsort(v)) for v in (a, b)]
        assert abs(np.corrcoef(*ranks)[0, 1]) * math.sqrt(len(a)) < FAR
        cells = [r * 16 // len(a) for r in ranks]
        assert pearson(np.bincount(cells[0] * 16 + cells[1], minlength=256), [1 / 256] * 256) > LEVEL


def test_the_two_variables_of_a_beta_draw_differ():
    """With one stream for both, all draws of equal parameters were one half."""
    values = np.asarray(random.beta((MANY,), 3.0, 3.0, dtype="float64", seed=1))
    assert values.std() == pytest.approx(math.sqrt(1 / 28), rel=0.01)
