"""Random draws: one stream on every engine, counters, seeds and distributions.

The expected bits are made from the words of ``kbackend.plugin.host.philox``, which test_philox.py holds against the
published algorithm, so each engine is compared with a definition and not with another engine.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest

import kbackend
from kbackend import K
from kbackend.declare.op import REGISTRY
from kbackend.ops.elementwise.normal_quantile import normal_quantile
from kbackend.ops.random.draws import random_unit
from kbackend.plugin.host import philox
from kbackend.streams import permutation

KEY = 0x0123456789ABCDEF
MANY = 200_000


def words(op_id, step, count):
    return philox.words(KEY, op_id << 32 | step, count)


def unit32(op_id, step, shape):
    count = math.prod(shape)
    return ((words(op_id, step, count) >> 8).astype(np.float32) * np.float32(2.0**-24)).reshape(shape)


def unit64(op_id, step, shape):
    pairs = words(op_id, step, 2 * math.prod(shape)).astype(np.uint64).reshape(-1, 2)
    return (((pairs[:, 0] >> 5) * 2**26 + (pairs[:, 1] >> 6)).astype(np.float64) * 2.0**-53).reshape(shape)


def draw(make, times=1):
    """The values of a draw in consecutive runs of one program."""
    program = K.function([], [make()])
    return [program([])[0] for _ in range(times)]


def same_bits(a, b):
    a = np.asarray(a)
    assert a.dtype == b.dtype and a.shape == b.shape
    assert a.tobytes() == np.ascontiguousarray(b).tobytes()


# ------------------------------------------------------------------------------------------- bits


@pytest.mark.parametrize("shape", [(), (5,), (3, 7), (0, 4), (70_001,)])
@pytest.mark.parametrize(("dtype", "expected"), [("float32", unit32), ("float64", unit64)])
def test_units_have_the_bits_of_the_definition(each_backend, dtype, expected, shape):
    first, second = draw(lambda: K.random_uniform(shape, dtype=dtype, seed=KEY), times=2)
    same_bits(first, expected(0, 0, shape))
    same_bits(second, expected(0, 1, shape))


def test_units_of_16_bits_are_below_one(each_backend):
    (found,) = draw(lambda: K.random_uniform((MANY,), dtype="float16", seed=KEY))
    same_bits(found, ((words(0, 0, MANY) >> 21) * 2.0**-11).astype(np.float16))
    assert found.max() < 1


def test_op_ids_and_steps_reach_their_largest_values(each_backend):
    step, op_id = 2**32 - 1, 2**32 - 1
    found = random_unit(np.int64(step), shape=(9,), key=KEY, op_id=op_id, dtype="float32")
    same_bits(K.eval(found), unit32(op_id, step, (9,)))


def test_uniform_has_the_bits_of_the_definition(each_backend):
    (found,) = draw(lambda: K.random_uniform((50, 3), -1.25, 2.5, seed=KEY))
    low, high = np.float32(-1.25), np.float32(2.5)
    same_bits(found, low + unit32(0, 0, (50, 3)) * (high - low))


def test_integers_have_the_bits_of_the_definition(each_backend):
    (found,) = draw(lambda: K.random_uniform((50, 3), -3, 11, dtype="int32", seed=KEY))
    same_bits(found, (np.floor(unit64(0, 0, (50, 3)) * 14) - 3).astype(np.int32))


@pytest.mark.parametrize("shape", [(64, 10), (None, 10), (None, None)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("live", [False, True], ids=["number", "variable"])
def test_dropout_masks_have_the_bits_of_the_definition(each_backend, shape, dtype, live):
    value = np.random.RandomState(0).randn(64, 10).astype(dtype)
    x = K.placeholder(shape, dtype=dtype)
    rate = K.variable(0.3, dtype="float64" if dtype == "float64" else None) if live else 0.3
    y = K.dropout(x, rate, seed=KEY)
    program = K.function([x], [y, *K.gradients(K.sum(y), [x])])
    wide = np.float64 if dtype == "float64" else np.float32
    factor = np.dtype(dtype).type(wide(1) / (wide(1) - wide(0.3)))
    for step in (0, 1):
        mask = np.where(unit32(0, step, (64, 10)) >= np.float32(0.3), factor, np.zeros_like(factor))
        found, gradient = program([value])
        same_bits(found, value * mask)
        same_bits(gradient, mask)


def test_dropout_shares_decisions_along_ones_of_the_noise_shape(each_backend):
    x = K.placeholder((None, 5, 4))
    program = K.function([x], [K.dropout(x, 0.5, (K.shape(x)[0], 1, 4), seed=KEY)])
    (found,) = program([np.ones((6, 5, 4), np.float32)])
    mask = np.where(unit32(0, 0, (6, 1, 4)) >= 0.5, np.float32(2), np.float32(0))
    same_bits(found, np.broadcast_to(mask, (6, 5, 4)))


def test_a_noise_shape_may_be_the_shape_of_a_tensor(each_backend):
    x = K.placeholder((None, 5, 4))
    program = K.function([x], [K.dropout(x, 0.5, K.shape(x), seed=KEY), K.dropout(x, 0.5, seed=KEY)])
    shaped, plain = program([np.ones((6, 5, 4), np.float32)])
    same_bits(shaped, plain)
    with pytest.raises(TypeError, match="or K.shape of a tensor"):
        K.dropout(x, 0.5, K.placeholder((3,), dtype="int32"))


def test_a_composition_drops_the_same_elements_as_the_kernel(each_backend):
    op = REGISTRY["dropout"]
    x, rate = np.random.RandomState(0).randn(40, 9).astype(np.float32), np.float32(0.37)
    attrs = {"noise_shape": None, "key": KEY, "op_id": 3}
    same_bits(K.eval(op.apply((x, rate, 5), attrs)), K.eval(op.function(x, rate, 5, **attrs)))


def test_an_element_is_kept_where_its_unit_equals_the_rate(each_backend):
    at = np.flatnonzero(words(0, 0, 5000) & 0xFF == 0)[0]  # no bits below the 24 that count
    units = unit32(0, 0, (5000,))
    x, rate = K.placeholder((5000,)), K.variable(units[at])
    (found,) = K.function([x], [K.dropout(x, rate, seed=KEY)])([np.ones(5000, np.float32)])
    assert ((found > 0) == (units >= units[at])).all()


# ------------------------------------------------------------------------------------------- dropout


def test_the_rate_is_live(each_backend):
    x, rate = K.placeholder((None, 100)), K.variable(0.5)
    program = K.function([x], [K.dropout(x, rate, seed=1)])
    ones = np.ones((50, 100), np.float32)
    for value, kept in ((0.5, 2.0), (0.0, 1.0), (1.0, 0.0), (0.75, 4.0)):
        K.set_value(rate, value)
        (found,) = program([ones])
        assert abs((found == 0).mean() - value) < 0.03
        assert set(np.unique(found)) <= {0.0, kept}


def test_dropout_of_a_concrete_tensor_draws_at_once(each_backend):
    K.set_seed(3)
    ones = np.ones((30, 30), np.float32)
    first, second = K.eval(K.dropout(ones, 0.5)), K.eval(K.dropout(ones, 0.5))
    assert set(np.unique(first)) == {0.0, 2.0}
    assert first.tobytes() != second.tobytes()


@pytest.mark.parametrize("level", [-0.1, 1.5, float("nan")])
def test_a_level_outside_the_interval_is_named(level):
    with pytest.raises(ValueError, match=str(level)):
        K.dropout(K.placeholder((2, 3)), level)


@pytest.mark.parametrize(("noise_shape", "error"), [((2,), ValueError), ((4, 3), ValueError)])
def test_a_noise_shape_that_does_not_fit_is_refused(noise_shape, error):
    with pytest.raises(error, match="noise_shape"):
        K.dropout(K.placeholder((2, 3)), 0.5, noise_shape)


# ------------------------------------------------------------------------------------------- seeds and counters


def test_a_seed_repeats_everything_and_draws_differ(each_backend):
    def everything():
        K.set_seed(11)
        a, b = K.random_uniform((5,)), K.random_uniform((5,))
        program = K.function([], [a, b, K.random_normal((5,)), K.truncated_normal((5,))])
        return [value.tobytes() for _ in range(3) for value in program([])]

    first = everything()
    assert first == everything()
    assert len(set(first)) == len(first)
    K.set_seed(12)
    assert K.eval(K.random_uniform((5,))).tobytes() not in first


@pytest.mark.together
def test_a_counter_moves_between_engines():
    K.set_seed(5)
    program = K.function([], [K.random_uniform((4,), seed=KEY)])
    for step, engine in enumerate([*kbackend.available_backends(), "numpy"]):
        with kbackend.use_backend(engine):
            same_bits(program([])[0], unit32(0, step, (4,)))


def test_a_failed_run_draws_again(each_backend):
    x = K.placeholder((2,))
    program = K.function([x], [K.random_uniform((4,), seed=KEY)])
    with pytest.raises(ValueError, match="shape"):
        program([[1.0, 2.0, 3.0]])
    same_bits(program([[1.0, 2.0]])[0], unit32(0, 0, (4,)))


def test_a_random_variable_is_drawn_once(each_backend):
    variable = K.random_normal_variable((20,), 0.0, 1.0)
    first = K.get_value(variable)
    same_bits(K.get_value(variable), first)
    same_bits(K.function([], [variable])([])[0], first)


@pytest.mark.parametrize("seed", [1.5, "1", True])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(TypeError, match="seed must be an integer"):
        K.set_seed(seed)


def test_a_seed_may_be_any_integer():
    for seed, key in ((-1, 2**64 - 1), (2**64 + 5, 5), (np.int32(7), 7)):
        K.set_seed(seed)
        assert K.get_seed() == key


def test_processes_without_a_seed_differ(fresh_python):
    code = "from kbackend import K; print(K.eval(K.random_uniform((4,))).tolist())"
    env = {"KBACKEND": "numpy"}
    assert fresh_python(code, env) != fresh_python(code, env)


def test_processes_with_a_seed_agree(fresh_python, each_backend):
    code = "from kbackend import K; K.set_seed(9); print(K.eval(K.random_uniform((4,))).tolist())"
    K.set_seed(9)
    assert fresh_python(code, {"KBACKEND": each_backend}).split("\n")[-2] == str(
        K.eval(K.random_uniform((4,))).tolist()
    )


# ------------------------------------------------------------------------------------------- distributions


def distance(values, distribution):
    """The largest distance between the empirical and the given distribution function (Kolmogorov, Smirnov)."""
    values = np.sort(np.asarray(values, np.float64))
    expected = distribution(values)
    ranks = np.arange(len(values) + 1) / len(values)
    return max(np.abs(expected - ranks[:-1]).max(), np.abs(expected - ranks[1:]).max())


def normal(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def truncated(x):
    return (normal(x) - normal(-2.0)) / (normal(2.0) - normal(-2.0))


# The chance that a right sample of this size is further away is 2 exp(-2 n d^2), here 5e-7.
FAR = 1.95 * 1.4 / math.sqrt(MANY)


@pytest.mark.parametrize(
    ("make", "distribution"),
    [
        (lambda dtype: K.random_uniform((MANY,), dtype=dtype, seed=1), lambda x: x),
        (lambda dtype: K.random_uniform((MANY,), -2, 3, dtype=dtype, seed=1), lambda x: (x + 2) / 5),
        (lambda dtype: K.random_normal((MANY,), dtype=dtype, seed=1), normal),
        (lambda dtype: K.random_normal((MANY,), 2, 3, dtype=dtype, seed=1), lambda x: normal((x - 2) / 3)),
        (lambda dtype: K.truncated_normal((MANY,), dtype=dtype, seed=1), truncated),
    ],
    ids=["unit", "uniform", "normal", "normal, moved", "truncated"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_have_their_distribution(each_backend, make, distribution, dtype):
    (values,) = draw(lambda: make(dtype))
    assert values.dtype == dtype
    assert distance(values, distribution) < FAR


def test_the_normal_quantile(each_backend):
    q = np.concatenate([np.linspace(-0.4999, 0.4999, 501), [0.425, -0.425]])
    expected = [NormalDist().inv_cdf(0.5 + p) for p in q]
    np.testing.assert_allclose(K.eval(normal_quantile(q)), expected, rtol=2e-13, atol=1e-15)


def test_consecutive_normals_are_independent(each_backend):
    (values,) = draw(lambda: K.random_normal((MANY,), seed=1))
    for lag in (1, 2, 4):
        assert abs(np.corrcoef(values[lag:], values[:-lag])[0, 1]) < 5 / math.sqrt(MANY)


def test_no_truncated_normal_is_past_two_deviations(each_backend):
    (values,) = draw(lambda: K.truncated_normal((2_000_000,), seed=1))
    assert np.abs(values).max() <= 2
    assert np.abs(values).max() > 1.999


def test_no_uniform_reaches_its_upper_end(each_backend):
    high = np.nextafter(np.float32(1), np.float32(2))  # half of all draws would be rounded to it
    (values,) = draw(lambda: K.random_uniform((1000,), 1.0, float(high), seed=1))
    assert np.all(values == 1)


def test_binomial(each_backend):
    (values,) = draw(lambda: K.random_binomial((MANY,), 0.3, seed=1))
    assert set(np.unique(values)) == {0, 1}
    assert abs(values.mean() - 0.3) < 5 * math.sqrt(0.21 / MANY)


def test_gradients_flow_to_mean_and_deviation(each_backend):
    mean, deviation = K.variable(1.0), K.variable(2.0)
    values = K.random_normal((50,), mean, deviation, seed=1)
    found, of_mean, of_deviation = K.function([], [values, *K.gradients(K.sum(values), [mean, deviation])])(
        []
    )
    assert of_mean == 50
    np.testing.assert_allclose(of_deviation, ((found - 1) / 2).sum(), rtol=1e-4)


def test_shapes_may_be_symbolic(each_backend):
    x = K.placeholder((None, 3))
    program = K.function([x], [K.random_uniform(K.shape(x), seed=KEY), K.random_normal([K.shape(x)[0], 2])])
    for rows in (4, 0, 7):
        unit, normals = program([np.zeros((rows, 3), np.float32)])
        assert unit.shape == (rows, 3) and normals.shape == (rows, 2)
    same_bits(unit, unit32(0, 2, (7, 3)))


def test_bad_ranges_are_named():
    with pytest.raises(ValueError, match="minval <= maxval"):
        K.random_uniform((2,), 1.0, 0.0)
    with pytest.raises(ValueError, match="probability"):
        K.random_binomial((2,), 1.5)
    with pytest.raises(ValueError, match="negative"):
        K.random_uniform((-2,))


# ------------------------------------------------------------------------------------------- permutations


def test_a_permutation_orders_by_words_of_64_bits():
    pairs = philox.words(KEY, 77, 200).astype(np.uint64)
    ranks = pairs[0::2] << np.uint64(32) | pairs[1::2]
    assert permutation(100, KEY, 77).tolist() == sorted(range(100), key=lambda i: int(ranks[i]))


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_a_permutation_holds_each_index_once(n):
    found = permutation(n, 3, 4)
    assert sorted(found.tolist()) == list(range(n))
    assert found.dtype == np.int64


def test_all_orders_are_equally_likely():
    seen = {}
    for stream in range(6000):
        order = tuple(permutation(3, 1, stream).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in seen.values()) < 30  # chi-square of 5 degrees: 1.5e-5
