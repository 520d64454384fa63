"""Convolutions and pools of any rank, windows and maps against Keras, torch and loops."""


import numpy as np
import pytest
from support.arrays import rows

from kbackend import K, ops
from kbackend.ops.control.jvp import jvp
from kbackend.ops.control.map_fn import vectorize
from kbackend.ops.control.scan import associative_scan
from kbackend.ops.control.while_loop import fori_loop
from kbackend.ops.image.color import psnr
from kbackend.ops.nn.conv_any import conv, conv_transpose
from kbackend.ops.nn.pooling import adaptive_max_pool
from kbackend.ops.nn.unfold import extract_sequences, fold, unfold

CALLS = [
    ("conv", (rows(2, 7, 3), rows(3, 3, 2)), {"strides": 2, "padding": "same"}),
    ("conv", (rows(2, 5, 6, 3), rows(3, 2, 3, 4)), {"dilation_rate": 2}),
    ("conv", (rows(2, 4, 5, 6, 2), rows(2, 2, 2, 2, 3)), {}),
    ("conv_transpose", (rows(2, 4, 3), rows(3, 2, 3)), {"strides": 2, "padding": "same"}),
    ("conv_transpose", (rows(2, 3, 4, 3), rows(3, 3, 2, 3)), {"strides": 2}),
    ("conv_transpose", (rows(2, 3, 4, 3), rows(3, 3, 2, 3)), {"strides": 2, "output_padding": 1}),
    ("depthwise_conv", (rows(2, 5, 6, 3), rows(3, 2, 3, 2)), {"padding": "same"}),
    ("separable_conv", (rows(2, 5, 6, 3), rows(3, 2, 3, 2), rows(1, 1, 6, 4)), {}),
    ("max_pool", (rows(2, 7, 3), 3), {"strides": 2, "padding": "same"}),
    ("average_pool", (rows(2, 5, 6, 3), (2, 3)), {}),
    ("unfold", (rows(2, 3, 7, 6), (2, 3)), {"dilation": 2, "padding": 1, "stride": (2, 1)}),
    ("extract_sequences", (rows(2, 3, 9), 4, 2), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), CALLS, ids=[f"{i}-{c[0]}" for i, c in enumerate(CALLS)])
def test_it_is_keras(keras, each_backend, name, args, options):
    expected = np.asarray(getattr(keras.ops, name)(*args, **options))
    found = K.eval(getattr(ops, name)(*args, **options))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.engine("torch")
def test_fold_is_torchs(each_backend):
    import torch

    x = rows(2, 12, 25)
    options = {"dilation": 2, "padding": (1, 0), "stride": (1, 2)}
    size, window = (5, 12), (2, 2)
    expected = torch.nn.functional.fold(torch.from_numpy(x), size, window, **options).numpy()
    np.testing.assert_allclose(K.eval(fold(x, size, window, **options)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.engine("torch")
@pytest.mark.parametrize(("ours", "theirs"), [("adaptive_average_pool", "adaptive_avg_pool2d"),
                                              ("adaptive_max_pool", "adaptive_max_pool2d")])
def test_adaptive_pools_are_torchs(each_backend, ours, theirs):
    import torch

    x = rows(2, 3, 7, 5)
    expected = getattr(torch.nn.functional, theirs)(torch.from_numpy(x), (3, 2)).numpy()
    found = K.eval(getattr(ops, ours)(x, (3, 2), "channels_first"))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_fold_is_the_transpose_of_unfold(each_backend):
    x = K.placeholder((1, 2, 5, 4), dtype="float64")
    weights = np.random.RandomState(1).randn(1, 8, 12)
    (slope,) = K.gradients(K.sum(unfold(x, 2) * weights), [x])
    found = K.function([x], [slope])([np.zeros((1, 2, 5, 4))])[0]
    folded = K.function([], [fold(K.constant(weights, "float64"), (5, 4), 2)])([])[0]
    np.testing.assert_allclose(found, folded, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scans(each_backend, size, reverse):
    a, b = rows(2, size), rows(2, size, seed=1)

    def compose(f, g):  # x -> a x + b, which does not commute
        return [f[0] * g[0], f[1] * g[0] + g[1]]

    x, y = K.placeholder((None, size)), K.placeholder((None, size))
    found = K.function([x, y], associative_scan(compose, [x, y], reverse, axis=1))([a, b])
    order = range(size)[::-1] if reverse else range(size)
    state = None
    for i in order:
        mine = [a[:, i], b[:, i]]
        state = mine if state is None else compose(mine, state) if reverse else compose(state, mine)
        np.testing.assert_allclose(found[0][:, i], state[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found[1][:, i], state[1], rtol=1e-4, atol=1e-5)


def test_vectorize_broadcasts_and_leaves_out(each_backend):
    scaled = vectorize(lambda a, b, power: K.pow(a, power) + b, excluded=[2])
    a, b = rows(3, 1), rows(4)
    np.testing.assert_allclose(K.eval(scaled(a, b, 2)), a**2 + b, rtol=1e-5)
    product = vectorize(lambda m, v: K.sum(m * v, axis=1), signature="(m, n), (n) -> (m)")
    m, v = rows(2, 3, 4), rows(4)
    np.testing.assert_allclose(K.eval(product(m, v)), m @ v, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="signature"):
        vectorize(lambda x: x, signature="(n)->")


def test_jvp_of_several_arguments(each_backend):
    x, y = K.placeholder((3,), dtype="float64"), K.placeholder((3,), dtype="float64")
    value, slope, aux = jvp(lambda a, b: (K.sin(a) * b, "kept"), [x, x], [y, y * 0], has_aux=True)
    at, along = np.array([0.1, 0.5, -1.0]), np.array([1.0, 2.0, 3.0])
    found = K.function([x, y], [value, slope])([at, along])
    np.testing.assert_allclose(found[0], np.sin(at) * at, rtol=1e-6)
    np.testing.assert_allclose(found[1], np.cos(at) * along * at, rtol=1e-6)
    assert aux == "kept"


def test_loops_of_known_rounds(each_backend):
    n = K.placeholder((), dtype="int32")
    total, power = fori_loop(1, n, lambda i, s: (s[0] + K.cast(i, "float32"), s[1] * 2.0), (0.0, 1.0))
    assert [float(v) for v in K.function([n], [total, power])([5])] == [10.0, 16.0]
    assert [float(v) for v in K.function([n], [total, power])([0])] == [0.0, 1.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: conv(rows(2, 3), rows(1, 3, 2)),
        lambda: conv(rows(2, 5, 3), rows(3, 3, 2), padding="half"),
        lambda: conv_transpose(rows(2, 5, 3), rows(3, 2, 3), 2, output_padding=2),
        lambda: adaptive_max_pool(K.placeholder((None, None, 3)), 2),
        lambda: unfold(rows(2, 3, 4, 5), 6),
        lambda: fold(rows(2, 12, 7), (5, 4), 2),
        lambda: extract_sequences(rows(3), 4, 1),
        lambda: psnr(rows(3, 2), rows(3), 1.0),
        lambda: associative_scan(K.maximum, K.placeholder((None, 3))),
        lambda: jvp(K.sin, [rows(3)], [rows(2)]),
    ],
)
def test_what_does_not_fit_is_a_value_error(make):
    with pytest.raises(ValueError):
        make()
