"""What the TensorFlow backend finds out about TensorFlow, and what it composes where TensorFlow cannot."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from support.arrays import drawn

import kbackend
from kbackend import K
from kbackend.declare.tolerances import TOLERANCES
from kbackend.ops.nn import conv, conv_transpose
from kbackend.testing.compare import difference

pytestmark = pytest.mark.engine("tensorflow")

DTYPES = ("float64", "float32", "float16", "bfloat16")


@pytest.fixture
def abilities():
    from kbackend_tensorflow import abilities

    with kbackend.use_backend("tensorflow"):
        yield abilities


@pytest.fixture(params=["all", "none"])
def denied(request, monkeypatch, abilities):
    """All that TensorFlow has, and nothing, so that compositions are tried on every machine."""
    if request.param == "none":
        for name in ("convolves", "strides_past_windows", "convolves_no_samples", "softmax_spreads_nan"):
            monkeypatch.setattr(abilities, name, lambda *args: False)
    return abilities


def with_gradients(op, *arrays, backend, dtype="float64", unknown=False, **options):
    """The value of an op, the gradients of half the sum of its squares, and theirs."""
    with kbackend.use_backend(backend):
        x, kernel = arrays
        shape = (None,) * (x.ndim - 1) + x.shape[-1:] if unknown else x.shape
        inputs = [K.placeholder(shape, dtype=dtype), K.placeholder(kernel.shape, dtype=dtype)]
        y = op(*inputs, **options)
        first = K.gradients(K.sum(y * y) * 0.5, inputs)
        second = K.gradients(K.sum(first[0] * first[0]) + K.sum(first[1] * first[1]), inputs)
        return K.function(inputs, [y, *first, *second])(list(arrays))


def assert_agree(found, wanted, dtype):
    for place, (f, w) in enumerate(zip(found, wanted, strict=True)):
        bound = 4 * TOLERANCES["gradient" if place else "matmul"][dtype]  # squares of gradients are larger
        message = difference(f, w, bound)
        assert message is None, f"result {place}: {message}"


# ------------------------------------------------------------------------------------- abilities


def tried(function, *arrays, dtype):
    """The value and the gradients of a TensorFlow function, or None where it refuses."""
    import tensorflow as tf

    tensors = [tf.constant(a, dtype) for a in arrays]
    try:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
            loss = tf.reduce_sum(y * y) / 2
        return [t.numpy().astype("float64") for t in (y, *tape.gradient(loss, tensors))]
    except (tf.errors.OpError, LookupError, ValueError):
        return None


def is_right(found, wanted, dtype):
    return found is not None and all(difference(f, w, 2 * TOLERANCES["gradient"][dtype]) is None
                                     for f, w in zip(found, wanted, strict=True))


@pytest.mark.processor
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grouped", [False, True], ids=["whole", "grouped"])
@pytest.mark.parametrize("dilated", [False, True], ids=["dense", "dilated"])
@pytest.mark.parametrize("rank", [2, 3])
def test_what_was_found_of_convolutions_holds_of_larger_ones(abilities, rank, dilated, grouped, dtype):
    import tensorflow as tf

    groups, dilation = 1 + 2 * grouped, (1 + dilated,) + (1 + 2 * dilated,) * (rank - 1)
    x, kernel = drawn(2, 9, *(8, 7)[: rank - 1], 6), drawn(3, *(2, 3)[: rank - 1], 6 // groups, 9)
    run = tf.nn.conv2d if rank == 2 else tf.nn.conv3d

    def function(x, kernel):
        return run(x, kernel, [1] * (rank + 2), "SAME", dilations=[1, *dilation, 1])

    wanted = with_gradients(conv.convolution, x, kernel, backend="numpy", padding="same", dilation=dilation,
                            groups=groups)[:3]
    right = is_right(tried(function, x, kernel, dtype=dtype), wanted, dtype)
    assert abilities.convolves(rank, tf.as_dtype(dtype), dilated, grouped) == right


@pytest.mark.processor
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_was_found_of_strides_past_windows_holds_of_larger_ones(abilities, dtype):
    import tensorflow as tf

    x, kernel = drawn(2, 9, 8, 7, 2), drawn(1, 2, 1, 2, 3)
    wanted = with_gradients(conv.convolution, x, kernel, backend="numpy", padding="same", strides=(5, 4, 3))[:3]
    found = tried(lambda x, kernel: tf.nn.conv3d(x, kernel, [1, 5, 4, 3, 1], "SAME"), x, kernel, dtype=dtype)
    assert abilities.strides_past_windows(tf.as_dtype(dtype)) == is_right(found, wanted, dtype)


@pytest.mark.processor
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_was_found_of_softmax_holds_of_longer_rows(abilities, dtype):
    import tensorflow as tf

    rows = np.ones((3, 70))
    rows[:, 33] = math.nan, math.inf, 5.0
    found = np.isnan(tf.nn.softmax(tf.constant(rows, dtype)).numpy().astype("float64"))
    assert abilities.softmax_spreads_nan(tf.as_dtype(dtype)) == (found.all(1).tolist() == [True, True, False])


def test_a_refusal_is_no_ability_and_a_fault_of_ours_an_error(abilities):
    import tensorflow as tf

    calls = []

    def attempt(kind):
        calls.append(kind)
        if kind == "refused":
            tf.nn.conv2d(tf.zeros((1, 2, 2, 3)), tf.zeros((1, 1, 2, 2)), 1, "VALID")
        if kind == "fault":
            raise AttributeError("no such thing")
        return kind == "right"

    ability = abilities._probe(attempt)
    for _ in range(2):
        assert [ability("right"), ability("wrong"), ability("refused")] == [True, False, False]
    assert calls == ["right", "wrong", "refused"]
    with pytest.raises(AttributeError):
        ability("fault")


def test_an_attempt_is_made_apart_from_what_is_being_traced_and_recorded(abilities):
    import tensorflow as tf

    def attempt():
        x = tf.constant([3.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tf.executing_eagerly() and tape.gradient(y, x).numpy().tolist() == [6.0]

    ability = abilities._probe(attempt)
    seen = []

    @tf.function
    def traced(x):
        seen.append(ability())
        return x

    with tf.GradientTape() as outer:
        traced(tf.constant(1.0))
    assert seen == [True] and not outer.watched_variables()


def test_no_attempt_is_made_before_a_kernel_needs_it(fresh_python):
    fresh_python("""
import concurrent.futures, kbackend
from kbackend import K
import numpy as np
def never(*args): raise AssertionError("an attempt")
with kbackend.use_backend("tensorflow"):
    import kbackend_tensorflow.abilities as abilities
    abilities.ThreadPoolExecutor = never
    K.eval(K.relu(K.dot(np.ones((2, 3)), np.ones((3, 4)))))
    K.eval(K.pool2d(np.ones((1, 4, 4, 1)), 2, pool_mode="avg"))
""")


# ------------------------------------------------------------------------------------- compositions

#: rank: (size of x, window)
SIZES = {1: ((11,), (3,)), 2: ((9, 8), (3, 2)), 3: ((8, 7, 7), (2, 3, 1))}
#: strides, padding, dilation; "mixed" differs from axis to axis
LAYOUTS = list(itertools.product(("1", "2", "4", "mixed"), ("same", "valid", "pairs"), ("1", "2", "mixed")))
GROUPS = (1, 2, 4)


def options_of(rank, strides, padding, dilation):
    mixed = {"strides": (2, 1, 3), "dilation": (3, 1, 2)}
    found = {
        "strides": mixed["strides"][:rank] if strides == "mixed" else int(strides),
        "dilation": mixed["dilation"][:rank] if dilation == "mixed" else int(dilation),
    }
    return {**found, "padding": ((1, 0), (0, 2), (1, 1))[:rank] if padding == "pairs" else padding}


@pytest.mark.parametrize("rank", SIZES)
@pytest.mark.parametrize(("strides", "padding", "dilation"), LAYOUTS)
def test_compositions_are_convolutions(monkeypatch, abilities, strides, padding, dilation, rank):
    for name in ("convolves", "strides_past_windows", "convolves_no_samples"):
        monkeypatch.setattr(abilities, name, lambda *args: False)
    size, window = SIZES[rank]
    groups = GROUPS[(LAYOUTS.index((strides, padding, dilation)) + rank) % 3]
    x, kernel = drawn(2, *size, 4), drawn(*window, 4 // groups, 4)
    options = {**options_of(rank, strides, padding, dilation), "groups": groups}
    wanted = with_gradients(conv.convolution, x, kernel, backend="numpy", **options)
    found = with_gradients(conv.convolution, x, kernel, backend="tensorflow", **options)
    assert_agree(found, wanted, "float64")


@pytest.mark.processor
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize("layout", [(2, "1", "same", "2", 1), (2, "2", "same", "mixed", 2), (3, "1", "pairs", "2", 1),
                                    (3, "4", "same", "1", 1), (2, "1", "same", "2", 4), (1, "1", "valid", "2", 1)])
def test_convolutions_in_every_dtype(denied, layout, unknown, dtype):
    rank, strides, padding, dilation, groups = layout
    size, window = SIZES[rank]
    x, kernel = 0.25 * drawn(2, *size, 4), 0.5 * drawn(*window, 4 // groups, 4)  # sums stay below float16's 65504
    options = {**options_of(rank, strides, padding, dilation), "groups": groups}
    wanted = with_gradients(conv.convolution, x, kernel, backend="numpy", **options)
    found = with_gradients(conv.convolution, x, kernel, backend="tensorflow", dtype=dtype, unknown=unknown, **options)
    assert_agree(found, wanted, dtype)


@pytest.mark.processor
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("strides", [(4, 5, 3), (3, 1, 4), (2, 2, 2)])
def test_transposed_convolutions_with_strides_past_the_window(denied, strides, dtype):
    size = tuple(max(s * n - 1, 1) for s, n in zip(strides, (2, 1, 2)))
    x, kernel = drawn(2, 2, 1, 2, 3), drawn(1, 2, 1, 4, 3)
    options = {"size": size, "strides": strides, "padding": "same"}
    wanted = with_gradients(conv_transpose.convolution_transpose, x, kernel, backend="numpy", **options)
    found = with_gradients(conv_transpose.convolution_transpose, x, kernel, backend="tensorflow", dtype=dtype,
                           **options)
    assert_agree(found, wanted, dtype)


# ------------------------------------------------------------------------------------- softmax

NAN, INF = math.nan, math.inf
ROWS = np.array([[1.0, NAN, 2.0, 0.0], [1.0, 2.0, INF, 0.0], [-INF, 1.0, 2.0, -INF], [-INF] * 4, [0.0, 1.0, 2.0, 3.0]])


@pytest.mark.processor
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_softmax_is_nan_where_its_row_is(denied, dtype, axis):
    rows = ROWS if axis == 1 else ROWS.T
    with kbackend.use_backend("numpy"), np.errstate(invalid="ignore"):
        wanted = K.eval(K.softmax(rows, axis=axis))
    x = K.placeholder((None, None), dtype=dtype)
    y = K.softmax(x, axis=axis)
    (slope,) = K.gradients(K.sum(K.square(y)), [x])
    program = K.function([x], [y, slope])
    value, gradient = program([rows])
    eager = K.eval(K.softmax(K.constant(rows, dtype), axis=axis))
    for found in (value, eager):
        assert difference(found, wanted, TOLERANCES["reduction"][dtype]) is None
    np.testing.assert_array_equal(np.isnan(gradient.astype("float64")), np.isnan(wanted))
    finite = program([rows[2:3] if axis == 1 else rows[:, 2:3]])
    assert np.isfinite(finite[0].astype("float64")).all() and np.isfinite(finite[1].astype("float64")).all()
