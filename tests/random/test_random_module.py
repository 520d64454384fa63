"""``kbackend.random``: its names, the same bits on every engine, the algorithms against their textbooks, bad input."""

import inspect
import math
import shutil
from fractions import Fraction

import numpy as np
import pytest
from support.places import SHARED

import kbackend
from kbackend import K, random
from kbackend.ops.random.binomial import _stirling
from kbackend.ops.random.categorical import _first_above
from kbackend.ops.random.permutation import random_permutation
from kbackend.ops.random.portable import portable_exp, portable_log
from kbackend.plugin.host import philox
from kbackend.streams import permutation
from kbackend_numpy.kernels.elementwise.normal_quantile import normal_quantile

SPEC = SHARED / "spec" / "api.tsv"
KEY = 0x0123456789ABCDEF


def units(trial, count, step=0):
    """The float64 units of a trial of a draw whose seed is KEY."""
    pairs = philox.words(KEY, step, 2 * count, trial).astype(np.uint64).reshape(-1, 2)
    return ((pairs[:, 0] >> 5) * 2**26 + (pairs[:, 1] >> 6)).astype(np.float64) * 2.0**-53


def draws(make, times=2):
    program = K.function([], [make()])
    return [program([])[0] for _ in range(times)]


# ------------------------------------------------------------------------------------------- names


@pytest.mark.skipif(not SPEC.exists(), reason="the list of signatures is not beside the checkout")
def test_signatures_are_those_of_keras():
    rows = [line.split("\t") for line in SPEC.read_text(encoding="utf-8").splitlines()]
    wanted = {name: signature for area, name, signature, *_ in rows if area == "random"}
    assert len(wanted) == 11
    for name, signature in wanted.items():
        namespace = {}
        exec(f"def f{signature}: pass", namespace)
        theirs = [(p.name, p.kind, p.default) for p in inspect.signature(namespace["f"]).parameters.values()]
        ours = [(p.name, p.kind, p.default) for p in inspect.signature(getattr(random, name)).parameters.values()]
        assert ours == theirs, name


def test_the_module_imports_no_engine(fresh_python):
    code = """
import sys, kbackend
kbackend.random.gamma((3,), 2.0, seed=kbackend.random.SeedGenerator(1))
print([m for m in ("torch", "tensorflow", "keras", "scipy") if m in sys.modules], "random" in dir(kbackend))
"""
    assert fresh_python(code).strip() == "[] True"


def test_what_has_two_names_is_one_thing():
    assert random.multinomial is random.categorical
    assert random.set_seed is kbackend.set_seed is K.set_seed
    assert (random.normal, random.uniform) == (K.random_normal, K.random_uniform)
    random.set_seed(-1)
    assert random.get_seed() == 2**64 - 1


# ------------------------------------------------------------------------------------------- the same bits

LOGITS = np.array([[0.0, 1.0, -np.inf, 2.5], [3.0, 3.0, 3.0, -1.0], [-np.inf, -np.inf, 0.0, -np.inf]], np.float32)
ALPHAS = np.array([0.01, 0.3, 1.0, 2.5, 40.0, 1e5], np.float32)
FLOATS = ("float64", "float32", "float16", "bfloat16")
SAME = {
    "gamma": lambda dtype: random.gamma((300, 6), ALPHAS, dtype, KEY),
    "beta": lambda dtype: random.beta((300, 6), ALPHAS, ALPHAS[::-1], dtype, KEY),
    "binomial": lambda dtype: random.binomial((300, 4), [3, 70, 2000, 10**6], [0.1, 0.5, 0.99, 3e-6], dtype, KEY),
    "uniform": lambda dtype: random.uniform((999,), -1.0, 3.0, dtype, KEY),
    "normal": lambda dtype: random.normal((999,), dtype=dtype, seed=KEY),
    "truncated": lambda dtype: random.truncated_normal((999,), dtype=dtype, seed=KEY),
}
SAME_INTEGERS = {
    "randint": lambda: random.randint((999,), -5, 1000, seed=KEY),
    "randint uint8": lambda: random.randint((999,), 0, 256, "uint8", KEY),
    "randint int64": lambda: random.randint((999,), -(2**45), 2**45, "int64", KEY),
    "categorical": lambda: random.categorical(LOGITS, 400, seed=KEY),
    "categorical of many": lambda: random.categorical(np.sin(np.arange(5000, dtype=np.float32))[None], 400, seed=KEY),
    "shuffle": lambda: random.shuffle(np.arange(1000), seed=KEY),
    "dropout": lambda: random.dropout(K.ones((400,)), 0.3, seed=KEY),
}


def assert_numpy_has_the_same(make):
    found = draws(make)
    with kbackend.use_backend("numpy"):
        expected = draws(make)
    assert found[0].tobytes() != found[1].tobytes()
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", SAME)
def test_real_numbers_have_the_same_bits_on_every_engine(each_backend, name, dtype):
    assert_numpy_has_the_same(lambda: SAME[name](dtype))


@pytest.mark.parametrize("name", SAME_INTEGERS)
def test_whole_numbers_are_the_same_on_every_engine(each_backend, name):
    assert_numpy_has_the_same(SAME_INTEGERS[name])


@pytest.mark.parametrize("compose", [portable_log, portable_exp], ids=["log", "exp"])
def test_compositions_have_the_bits_of_the_kernels(each_backend, compose):
    x = np.concatenate([np.logspace(-290, 290, 4001), np.linspace(-700, 700, 4001)])
    x = np.abs(x) if compose is portable_log else x[np.abs(x) < 1000]
    found = K.eval(compose.op.function(x[x != 0]))
    with kbackend.use_backend("numpy"):
        assert np.asarray(compose(x[x != 0])).tobytes() == found.tobytes()


def test_logarithms_and_exponentials():
    with kbackend.use_backend("numpy"):
        x = np.exp(np.linspace(-700, 700, 20_001))
        np.testing.assert_array_max_ulp(portable_log(x), np.log(x), 4)
        near = 1.0 + np.linspace(-1e-3, 1e-3, 20_001)
        np.testing.assert_array_max_ulp(portable_log(near), np.log(near), 4)
        y = np.linspace(-707, 709, 20_001)
        np.testing.assert_array_max_ulp(portable_exp(y), np.exp(y), 2)
        ends = portable_exp(np.array([-708.0, -math.inf, math.nan, math.inf, 0.0]))
        assert ends.tolist() == [0.0, 0.0, 0.0, float(portable_exp(np.array(709.0))), 1.0]


def test_compiled_programs_draw_the_same(each_backend):
    """Up to the last bits, where a compiler contracts a product and a sum."""
    if each_backend == "torch" and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler")

    def values(**options):
        program = K.function([], [random.gamma((500,), 3.0, seed=KEY)], **options)
        return [program([])[0] for _ in range(2)]

    compiled = values(jit=True)
    with kbackend.use_backend("numpy"):
        np.testing.assert_allclose(compiled, values(), rtol=1e-6)


# ------------------------------------------------------------------------------------------- textbooks


def textbook_gamma(a, count):
    """Marsaglia and Tsang's method, each element by itself."""
    d = (a if a >= 1 else a + 1) - 1 / 3
    c = 1 / math.sqrt(9 * d)
    trials = [(normal_quantile(units(4 * t, count) - 0.5 + 2.0**-54), 1 - units(4 * t + 1, count)) for t in range(40)]
    last = 1 - units(2**32 - 1, count)
    found, attempts = [], []
    for i in range(count):
        for number, (normal, unit) in enumerate(trials):
            v = (1 + c * normal[i]) ** 3
            if v > 0 and math.log(unit[i]) < 0.5 * normal[i] ** 2 + d - d * v + d * math.log(v):
                attempts.append(number)
                break
        found.append(d * v * (last[i] ** (1 / a) if a < 1 else 1))
    return np.array(found), max(attempts)


@pytest.mark.parametrize("a", [0.3, 0.9, 1.0, 1.7, 5.0, 300.0])
def test_gamma_draws_are_those_of_the_textbook(a):
    with kbackend.use_backend("numpy"):
        wide = np.asarray(random.gamma((3000,), a, "float64", KEY))
        single = np.asarray(random.gamma((3000,), a, "float32", KEY))
    expected, attempts = textbook_gamma(a, 3000)
    np.testing.assert_allclose(wide, expected, rtol=1e-13)
    np.testing.assert_array_max_ulp(single, expected.astype(np.float32), 1)
    assert attempts >= 1 or a > 100  # some element was refused, or the test does not show the rejection


@pytest.mark.parametrize(("n", "p"), [(20, Fraction(3, 10)), (1, Fraction(1, 4)), (30, Fraction(1, 1000))])
def test_small_binomials_invert_the_exact_distribution(n, p):
    sums, total = [], Fraction(0)
    for k in range(n + 1):
        total += math.comb(n, k) * p**k * (1 - p) ** (n - k)
        sums.append(total)
    with kbackend.use_backend("numpy"):
        found = np.asarray(random.binomial((2000,), n, float(p), "float64", KEY))
        other = np.asarray(random.binomial((2000,), n, 1 - float(p), "float64", KEY))
    expected = [next(k for k in range(n + 1) if sums[k] > Fraction(u)) for u in units(2**32 - 1, 2000)]
    assert found.tolist() == expected
    assert np.array_equal(other, n - found)


def textbook_btrs(n, p, count):
    """Hörmann's algorithm BTRS, with the logarithms of factorials from the library."""
    q = 1 - p
    spread = math.sqrt(n * p * q)
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, height, mode = n * p + 0.5, (2.83 + 5.1 / b) * spread, math.floor((n + 1) * p)

    def weight(k):
        return k * math.log(p / q) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    trials = [(units(2 * t, count) - 0.5, 1 - units(2 * t + 1, count)) for t in range(60)]
    found, attempts = [], []
    for i in range(count):
        for number, (u, v) in enumerate(trials):
            us = max(0.5 - abs(u[i]), 2.0**-54)
            k = math.floor((2 * a / us + b) * u[i] + centre)
            if 0 <= k <= n and math.log(v[i] * height / (a / us**2 + b)) <= weight(k) - weight(mode):
                attempts.append(number)
                break
        found.append(k)
    return found, max(attempts)


@pytest.mark.parametrize(("n", "p"), [(20, 0.5), (100, 0.1), (1000, 0.4), (10**6, 0.3), (10**6, 2e-5)])
def test_large_binomials_are_those_of_the_textbook(n, p):
    with kbackend.use_backend("numpy"):
        found = np.asarray(random.binomial((3000,), n, p, "float64", KEY))
    expected, attempts = textbook_btrs(n, p, 3000)
    assert found.tolist() == expected
    assert attempts >= 1


def test_the_rest_of_stirlings_formula():
    k = np.concatenate([np.arange(200.0), 10.0 ** np.arange(3, 6)])
    exact = [math.lgamma(v + 1) - (v + 0.5) * math.log(v + 1) + v + 1 - 0.5 * math.log(2 * math.pi) for v in k]
    # log k! is known to 1e-16 of itself only
    with kbackend.use_backend("numpy"):
        found = K.eval(_stirling(K.constant(k, "float64")))
    assert np.all(np.abs(found - exact) < 1e-13 + 4e-16 * k * np.log(k + 1))


def test_classes_invert_the_cumulated_softmax(each_backend):
    logits = np.random.default_rng(0).normal(size=(5, 37)).astype(np.float32)
    found = np.asarray(random.categorical(logits, 200, seed=KEY))
    likely = np.exp(logits.astype(np.float64))
    sums = np.cumsum(likely / likely.sum(axis=1, keepdims=True), axis=1)
    unit = units(0, 1000).reshape(5, 200)
    assert np.array_equal(found, (sums[:, None, :] <= unit[:, :, None]).sum(axis=2))


def test_classes_of_no_probability_are_never_drawn(each_backend):
    logits = np.full((1, 9), -np.inf, np.float32)
    logits[0, [3, 5]] = [0.0, -1.0]
    found = np.asarray(random.categorical(logits, 20_000, seed=1))
    assert set(np.unique(found)) == {3, 5}
    assert abs((found == 3).mean() - 1 / (1 + math.exp(-1))) < 0.02


@pytest.mark.parametrize("known", [True, False], ids=["known classes", "unknown classes"])
def test_a_place_is_the_first_whose_sum_is_larger(each_backend, known):
    """A class without weight, whose sum is that of the one before, is not it."""
    sums = np.array([[0.0, 5.0, 5.0, 9.0, 9.0], [2.0, 2.0, 2.0, 2.0, 3.0]])
    wanted = np.array([[0.0, 4.9, 5.0, 8.9], [0.0, 1.9, 2.0, 2.9]])
    x, at = K.placeholder((None, 5 if known else None), dtype="float64"), K.placeholder((None, 4), dtype="float64")
    found = K.function([x, at], [_first_above(x, at)])([sums, wanted])[0]
    assert found.tolist() == [[1, 1, 3, 3], [0, 0, 4, 4]]


# ------------------------------------------------------------------------------------------- orders


@pytest.mark.parametrize("n", [0, 1, 2, 7, 4099])
def test_shuffles_are_the_permutations_of_the_host(each_backend, n):
    program = K.function([], [random.shuffle(np.arange(n, dtype=np.int32), seed=KEY)])
    for step in range(3):
        assert program([])[0].tolist() == permutation(n, KEY, step).tolist()
    order = random_permutation(np.int64(2**32 - 1), shape=(n,), key=KEY, op_id=2**32 - 1)
    assert K.eval(order).tolist() == permutation(n, KEY, 2**64 - 1).tolist()


def test_the_length_may_be_unknown(each_backend):
    x = K.placeholder((None, 2))
    program = K.function([x], [random.shuffle(x, seed=KEY)])
    for step, n in enumerate((5, 0, 33)):
        rows = np.arange(2.0 * n, dtype=np.float32).reshape(n, 2)
        assert np.array_equal(program([rows])[0], rows[permutation(n, KEY, step)])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_parts_along_an_axis_stay_whole(each_backend, axis):
    x = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
    found = np.asarray(random.shuffle(x, axis, KEY))
    assert np.array_equal(found, np.take(x, permutation(x.shape[axis], KEY, 0), axis))


def test_gradients_flow_back_to_where_parts_stood(each_backend):
    x, weights = K.placeholder((6,)), np.arange(6, dtype=np.float32)
    gradient = K.gradients(K.sum(random.shuffle(x, seed=KEY) * weights), [x])[0]
    found = K.function([x], [gradient])([np.zeros(6, np.float32)])[0]
    assert np.array_equal(found[permutation(6, KEY, 0)], weights)


# ------------------------------------------------------------------------------------------- streams


@pytest.mark.parametrize("make", [
    lambda rows: random.gamma((rows, 5), 0.7, seed=KEY),
    lambda rows: random.beta((rows, 5), 0.7, 3.0, seed=KEY),
    lambda rows: random.binomial((rows, 5), 50, 0.4, seed=KEY),
    lambda rows: random.categorical(np.zeros((rows, 8), np.float32), 5, seed=KEY),
], ids=["gamma", "beta", "binomial", "categorical"])  # fmt: skip
def test_rows_do_not_depend_on_how_many_there_are(each_backend, make):
    assert np.array_equal(np.asarray(make(7)), np.asarray(make(40))[:7])


def test_draws_by_rejection_do_not_depend_on_their_neighbours(each_backend):
    """An element that is accepted early keeps its value while others wait."""
    hard = np.asarray(random.gamma((200,), np.where(np.arange(200) % 2, 0.1, 1.0).astype(np.float32), seed=KEY))
    easy = np.asarray(random.gamma((200,), 1.0, seed=KEY))
    assert np.array_equal(hard[::2], easy[::2])


def test_seeds():
    with kbackend.use_backend("numpy"):
        K.set_seed(3)
        a, b = (np.asarray(random.gamma((5,), 1.0)) for _ in range(2))
        K.set_seed(3)
        assert np.array_equal(np.asarray(random.gamma((5,), 1.0)), a) and not np.array_equal(a, b)
        generator = random.SeedGenerator(8)
        first, second = (np.asarray(random.beta((5,), 1.0, 2.0, seed=generator)) for _ in range(2))
        assert np.array_equal(first, random.beta((5,), 1.0, 2.0, seed=8)) and not np.array_equal(first, second)


def test_each_round_of_a_loop_draws_anew(each_backend):
    def body(i, total, seen):
        value = random.gamma((), 2.0, seed=KEY)
        return [i + 1, total + value, K.maximum(seen, value)]

    _, total, largest = K.while_loop(lambda i, total, seen: K.less(i, 3), body, [0, 0.0, 0.0])
    program = K.function([], [total, largest])
    sums = []
    for _ in range(2):
        total_value, largest_value = program([])
        assert largest_value < total_value < 3 * largest_value
        sums.append(float(total_value))
    assert sums[0] != sums[1]


def test_native_generators(each_backend):
    before = kbackend.rng()
    kbackend.set_rng("native")
    try:
        values = np.asarray(random.gamma((20_000,), 3.0, seed=1))
        counts = np.asarray(random.binomial((20_000,), 100, 0.25, seed=1))
        order = np.asarray(random.shuffle(np.arange(100), seed=1))
    finally:
        kbackend.set_rng(before)
    assert abs(values.mean() - 3) < 0.1 and abs(values.var() - 3) < 0.3
    assert abs(counts.mean() - 25) < 0.2 and sorted(order.tolist()) == list(range(100))
    assert not np.array_equal(values, np.asarray(random.gamma((20_000,), 3.0, seed=1)))


# ------------------------------------------------------------------------------------------- parameters


def test_results_are_symbolic_and_have_values(each_backend):
    x = random.binomial((), 9, 1.0)
    assert float(x) == 9.0 and x.numpy() == 9 and K.eval(x) == 9
    assert K.int_shape(random.beta((2, 3), 1.0, 1.0)) == (2, 3)
    assert [K.dtype(random.gamma((2,), 1.0, dtype)) for dtype in (None, "float16")] == ["float32", "float16"]
    K.set_floatx("float64")
    try:
        assert np.asarray(random.truncated_normal((2,))).dtype == K.dtype(random.gamma((2,), 1.0)) == "float64"
    finally:
        K.set_floatx("float32")


def test_parameters_may_be_tensors(each_backend):
    x = K.placeholder((None, 1))
    program = K.function([x], [random.gamma((K.shape(x)[0], 4), x, seed=KEY)])
    (found,) = program([[[0.5], [7.0], [-1.0]]])
    with kbackend.use_backend("numpy"):
        expected = np.asarray(random.gamma((3, 4), [[0.5], [7.0], [1.0]], seed=KEY))
    assert np.array_equal(found[:2], expected[:2]) and np.isnan(found[2]).all()
    assert program([np.zeros((0, 1), np.float32)])[0].shape == (0, 4)


def test_no_gradient_flows_to_parameters(each_backend):
    a = K.placeholder((3,))
    draw = random.gamma((3,), a, seed=KEY)
    assert K.gradients(K.sum(draw), [a]) == [None]
    value, gradient = K.function([a], [draw, K.gradients(K.sum(draw * a), [a])[0]])([[0.5, 1.0, 2.0]])
    assert np.array_equal(value, gradient)


def test_draws_end_where_all_parameters_are_bad(each_backend):
    bad = np.array([np.nan, -1.0, 0.0, np.inf], np.float32)
    x = K.placeholder((4,))
    found = K.function([x], [random.gamma((4,), x), random.beta((4,), x, 1.0), random.binomial((4,), 5, x - 1)])([bad])
    assert np.isnan(found[0]).all() and np.isnan(found[1]).all()
    assert np.isnan(found[2][[0, 1, 2, 3]]).all()


@pytest.mark.parametrize("alpha", [1e-300, 1e-30, 1e8, 1e299])
def test_extreme_parameters(each_backend, alpha):
    values = np.asarray(random.gamma((500,), K.constant(alpha, "float64"), "float64", 1))
    assert np.isfinite(values).all() and values.min() > 0
    if alpha > 1:
        assert abs(values.mean() / alpha - 1) < 5 / math.sqrt(500 * min(alpha, 1e20)) + 1e-9
    else:
        assert values.max() == 2.0**-1022


def test_small_parameters_of_a_beta_draw_give_both_ends(each_backend):
    """Both gamma variables of such a draw are 0 in any float dtype."""
    values = np.asarray(random.beta((4000,), 1e-4, 3e-4, "float64", 1))
    assert abs((values > 0.5).mean() - 0.25) < 0.03 and ((values < 1e-6) | (values > 1 - 1e-6)).mean() > 0.99


def test_draws_of_nothing(each_backend):
    assert np.asarray(random.gamma((0, 3), 1.0)).shape == (0, 3)
    assert np.asarray(random.binomial((0,), 3, 0.5)).shape == (0,)
    assert np.asarray(random.categorical(np.zeros((0, 3), np.float32), 4)).shape == (0, 4)
    assert np.asarray(random.shuffle(np.zeros((3, 0)), axis=1)).shape == (3, 0)


BAD = [
    (lambda: random.gamma((2,), 0.0), ValueError, "alpha must be positive and finite, it is 0.0"),
    (lambda: random.gamma((2,), [1.0, math.nan]), ValueError, "alpha must be positive"),
    (lambda: random.gamma((2,), [1.0, 2.0, 3.0]), ValueError, "broadcast"),
    (lambda: random.gamma((2,), [[1.0], [2.0]]), ValueError, "broadcast"),
    (lambda: random.gamma((2,), 1.0, "int32"), TypeError, "float dtype, not int32"),
    (lambda: random.gamma((-2,), 1.0), ValueError, "negative"),
    (lambda: random.beta((2,), 1.0, -1.0), ValueError, "beta must be positive and finite, it is -1.0"),
    (lambda: random.binomial((2,), -1, 0.5), ValueError, r"counts must be in \[0, 2\*\*53\), it is -1"),
    (lambda: random.binomial((2,), 3, 1.5), ValueError, r"probabilities must be in \[0, 1\], it is 1.5"),
    (lambda: random.binomial((2,), 3, 0.5, "int32"), TypeError, "float dtype, not int32"),
    (lambda: random.categorical(np.zeros(3, np.float32), 2), ValueError, r"\(batch, classes\), they have \(3,\)"),
    (lambda: random.categorical(np.zeros((2, 3), np.float32), -1), ValueError, "negative, it is -1"),
    (lambda: random.categorical(np.zeros((2, 3), np.float32), 2, "float32"), TypeError, "integers, not float32"),
    (lambda: random.shuffle(np.float32(3)), ValueError, "axis"),
    (lambda: random.shuffle(np.zeros((2, 3)), 2), ValueError, "axis 2"),
    (lambda: random.randint((2,), 3, 3), ValueError, r"\[3, 3\)"),
    (lambda: random.randint((2,), 0, 2**46 + 1), ValueError, "2\\*\\*46"),
    (lambda: random.randint((2,), 0.5, 3), ValueError, "integers"),
    (lambda: random.randint((2,), 0, 3, "float32"), TypeError, "integer dtype, not float32"),
    (lambda: random.dropout(np.zeros(3, np.float32), 2.0), ValueError, "2.0"),
    (lambda: random.gamma((2,), 1.0, seed=1.5), TypeError, "1.5"),
]


@pytest.mark.parametrize("index", range(len(BAD)))
def test_bad_input_is_named(index):
    make, error, message = BAD[index]
    with pytest.raises(error, match=message):
        make()
