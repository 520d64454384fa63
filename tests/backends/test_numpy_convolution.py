"""The NumPy convolution and pooling kernels against loops written out, central differences, and torch."""

from itertools import product

import numpy as np
import pytest
from autograd import grad
from autograd.core import make_vjp
from support.differences import central

from kbackend_numpy import convolution as conv

pytestmark = pytest.mark.processor

# name: batch, spatial, channels, window, filters, strides, padding, dilation, groups
CASES = {
    "plain": (2, (6, 5), 3, (3, 2), 4, (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "wide": (3, (5, 5), 6, (3, 3), 5, (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "strided_padded": (2, (7, 6), 2, (3, 3), 3, (2, 3), ((0, 1), (2, 1)), (1, 1), 1),
    "dilated": (2, (8, 7), 5, (3, 2), 2, (1, 2), ((1, 0), (0, 2)), (2, 3), 1),
    "left_over": (1, (8,), 2, (2,), 3, (3,), ((0, 0),), (1,), 1),
    "one_axis": (2, (9,), 3, (4,), 2, (2,), ((1, 2),), (1,), 1),
    "three_axes": (2, (4, 5, 3), 2, (2, 3, 2), 3, (1, 2, 1), ((0, 1), (1, 1), (0, 0)), (1, 1, 2), 1),
    "pointwise": (2, (4, 3), 5, (1, 1), 4, (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "pointwise_strided": (2, (5, 4), 5, (1, 1), 4, (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    "groups": (2, (6, 5), 4, (3, 3), 6, (1, 1), ((1, 1), (0, 1)), (1, 1), 2),
    "depthwise": (2, (6, 5), 3, (3, 2), 6, (2, 1), ((1, 0), (1, 1)), (1, 2), 3),
    "one_filter_a_group": (2, (6,), 4, (3,), 4, (1,), ((1, 1),), (1,), 4),
}
POOLS = {
    "plain": ((6, 4), (2, 2), (2, 2), ((0, 0), (0, 0))),
    "overlapping": ((7, 6), (3, 2), (2, 1), ((0, 0), (0, 0))),
    "padded": ((5, 6), (3, 3), (2, 2), ((1, 1), (0, 1))),
    "sparse": ((7, 7), (2, 1), (3, 2), ((0, 0), (0, 0))),
    "one_axis": ((9,), (4,), (3,), ((1, 2),)),
    "three_axes": ((4, 5, 3), (2, 3, 2), (2, 1, 1), ((0, 0), (1, 1), (0, 1))),
    "padded_evenly": ((6, 7), (3, 3), (2, 2), ((1, 1), (1, 1))),
    "whole": ((4, 5), (4, 5), (1, 1), ((0, 0), (0, 0))),
    "columns_only": ((5, 4), (2, 1), (2, 1), ((0, 1), (0, 0))),
}


def rng(seed=0):
    return np.random.default_rng(seed)


def arrays(case, dtype=np.float64, seed=0):
    batch, spatial, channels, window, filters, strides, padding, dilation, groups = case
    random = rng(seed)
    x = random.standard_normal((batch, *spatial, channels)).astype(dtype)
    kernel = random.standard_normal((*window, channels // groups, filters)).astype(dtype)
    return x, kernel, dict(strides=strides, padding=padding, dilation=dilation, groups=groups)


def naive_convolution(x, kernel, strides, padding, dilation, groups):
    padded = np.pad(x, ((0, 0), *padding, (0, 0)))
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    out = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(padded.shape[1:-1], window, strides, dilation, strict=True)
    ]
    per_group, filters_per_group = kernel.shape[-2], filters // groups
    y = np.zeros((x.shape[0], *out, filters), x.dtype)
    for position, tap in product(np.ndindex(*out), np.ndindex(*window)):
        place = tuple(p * s + t * d for p, s, t, d in zip(position, strides, tap, dilation, strict=True))
        for filter_ in range(filters):
            first = filter_ // filters_per_group * per_group
            seen = padded[(slice(None), *place, slice(first, first + per_group))]
            y[(slice(None), *position, filter_)] += seen @ kernel[(*tap, slice(None), filter_)]
    return y


def naive_transpose(g, shape, kernel, **options):
    """The transpose of a convolution, which is linear, by what it makes of each unit vector of its inputs."""
    units = np.eye(np.prod(shape)).reshape(-1, *shape[1:])
    images = naive_convolution(units, kernel, groups=1, **options).reshape(-1, *g.shape)
    return np.tensordot(images, g, g.ndim).reshape(shape)


def naive_pool(x, window, strides, padding, reduce):
    spatial = x.shape[1:-1]
    out = [(n + sum(p) - k) // s + 1 for n, k, s, p in zip(spatial, window, strides, padding, strict=True)]
    y = np.empty((x.shape[0], *out, x.shape[-1]), x.dtype)
    for batch, *position, channel in np.ndindex(y.shape):
        starts = [p * s - lo for p, s, (lo, _) in zip(position, strides, padding, strict=True)]
        box = tuple(slice(max(0, a), min(n, a + k)) for a, k, n in zip(starts, window, spatial, strict=True))
        y[(batch, *position, channel)] = reduce(x[(batch, *box, channel)])
    return y


def assert_near(actual, expected, tolerance):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(expected))
    scale = np.abs(expected).max() if expected.size else 1.0
    assert np.abs(actual.astype(np.float64) - expected).max(initial=0.0) <= tolerance * scale


def assert_gradient(function, x, tolerance=1e-7):
    expected = central(function, x)
    actual = grad(function)(x)
    assert actual.shape == x.shape and actual.dtype == x.dtype
    assert np.abs(actual - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("name", CASES)
def test_convolution_is_the_sum_it_stands_for(name):
    x, kernel, options = arrays(CASES[name])
    assert_near(conv.convolution(x, kernel, **options), naive_convolution(x, kernel, **options), 1e-13)


@pytest.mark.parametrize("name", CASES)
def test_convolution_gradients(name):
    x, kernel, options = arrays(CASES[name])
    weights = rng(1).standard_normal(conv.convolution(x, kernel, **options).shape)
    assert_gradient(lambda v: (conv.convolution(v, kernel, **options) * weights).sum(), x)
    assert_gradient(lambda v: (conv.convolution(x, v, **options) * weights).sum(), kernel)


@pytest.mark.parametrize("name", CASES)
def test_convolution_second_gradients(name):
    """The gradient of a norm of the gradients goes through every pair of the three primitives."""
    x, kernel, options = arrays(CASES[name])
    weights = rng(1).standard_normal(conv.convolution(x, kernel, **options).shape)

    def loss(x, kernel):
        y = conv.convolution(x, kernel, **options)
        return (weights * y * y).sum()

    def norm(x, kernel):
        gx, gk = grad(loss, (0, 1))(x, kernel)
        return (gx * gx).sum() + (gk**3).sum()

    for argument in (0, 1):
        pair = [x, kernel]

        def alone(v, argument=argument, pair=pair):
            return norm(*(pair[:argument] + [v] + pair[argument + 1 :]))

        assert_gradient(alone, pair[argument], tolerance=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["wide", "strided_padded", "groups", "depthwise", "pointwise"])
def test_dtype_is_kept(name, dtype):
    x, kernel, options = arrays(CASES[name], dtype)
    vjp, y = make_vjp(lambda pair: conv.convolution(pair[0], pair[1], **options), (x, kernel))
    gx, gk = vjp(np.ones_like(y))
    assert y.dtype == gx.dtype == gk.dtype == dtype
    exact = naive_convolution(x.astype(np.float64), kernel.astype(np.float64), **options)
    tolerance = {np.float16: 5e-3, np.float32: 2e-6, np.float64: 1e-13}[dtype]
    assert_near(y, exact.astype(dtype), tolerance)


@pytest.mark.parametrize("groups", [1, 2])
def test_float16_sums_in_float32(groups):
    """A running float16 sum of ones would stop at 2048."""
    options = dict(strides=(1,), padding=((2999, 2999),), dilation=(1,), groups=groups)
    ones, taps = np.ones((1, 3000, groups), np.float16), np.ones((3000, 1, groups), np.float16)
    vjp, y = make_vjp(lambda pair: conv.convolution(*pair, **options), (ones, taps))
    gx, gk = vjp(np.ones_like(y))
    for sums in (y, gx, gk):
        assert sums.dtype == np.float16 and sums.max() == 3000.0


@pytest.mark.parametrize("view", ["transposed", "reversed", "broadcast"])
def test_operands_need_not_be_contiguous(view):
    x, kernel, options = arrays(CASES["strided_padded"])
    if view == "transposed":
        strange = np.ascontiguousarray(np.moveaxis(x, -1, 1)).transpose(0, 2, 3, 1)
        strange_kernel = np.asfortranarray(kernel)
    elif view == "reversed":
        strange, strange_kernel = x[:, ::-1, :, ::-1], kernel[::-1]
    else:
        strange = np.broadcast_to(x[:1, :1], x.shape)
        strange_kernel = np.broadcast_to(kernel[:1], kernel.shape)
    vjp, y = make_vjp(lambda pair: conv.convolution(pair[0], pair[1], **options), (strange, strange_kernel))
    plain, y_plain = make_vjp(
        lambda pair: conv.convolution(pair[0], pair[1], **options), (strange.copy(), strange_kernel.copy())
    )
    np.testing.assert_allclose(y, y_plain, rtol=1e-13)
    g = np.broadcast_to(1.0, y.shape)
    for strided, straight in zip(vjp(g), plain(g.copy()), strict=True):
        np.testing.assert_allclose(strided, straight, rtol=1e-12, atol=1e-12)


def test_many_chunks_equal_one(monkeypatch):
    x, kernel, options = arrays((7, (9, 8), 5, (3, 3), 4, (1, 1), ((1, 1), (1, 1)), (1, 1), 1))
    few, few_kernel, _ = arrays((7, (9, 8), 2, (3, 3), 4, (1, 1), ((1, 1), (1, 1)), (1, 1), 1))

    def everything():
        out = []
        for a, b in ((x, kernel), (few, few_kernel)):
            vjp, y = make_vjp(lambda pair: conv.convolution(pair[0], pair[1], **options), (a, b))
            out += [y, *vjp(np.cos(y))]
        return out

    whole = everything()
    monkeypatch.setattr(conv, "UNFOLDED_BYTES", 3 * 72 * 45 * 8)
    for part, expected in zip(everything(), whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-11, atol=1e-11)


def test_empty_batch():
    x, kernel, options = arrays(CASES["plain"])
    vjp, y = make_vjp(lambda pair: conv.convolution(pair[0], pair[1], **options), (x[:0], kernel))
    assert y.shape == (0, 4, 4, 4)
    gx, gk = vjp(y)
    assert gx.shape == (0, 6, 5, 3)
    np.testing.assert_array_equal(gk, np.zeros_like(kernel))


def test_same_padding_puts_the_extra_at_the_end():
    ones = np.arange(1.0, 7.0).reshape(1, 6, 1)
    options = dict(strides=(2,), padding=((0, 1),), dilation=(1,), groups=1)
    y = conv.convolution(ones, np.ones((3, 1, 1)), **options)
    assert y.ravel().tolist() == [6.0, 12.0, 11.0]


def test_transpose_is_the_gradient_of_the_same_convolution():
    y = conv.convolution_transpose(
        np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1),
        np.ones((3, 1, 1)),
        output_spatial=(6,),
        strides=(2,),
        padding=((0, 1),),
        dilation=(1,),
    )
    assert y.ravel().tolist() == [1.0, 1.0, 3.0, 2.0, 5.0, 3.0]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[-1] == 1])
def test_transpose_and_its_gradients(name):
    _, spatial, _, *_ = case = CASES[name]
    x, kernel, options = arrays(case)
    del options["groups"]
    g = rng(2).standard_normal(conv.convolution(x, kernel, groups=1, **options).shape)
    result = conv.convolution_transpose(g, kernel, output_spatial=spatial, **options)
    assert_near(result, naive_transpose(g, x.shape, kernel, **options), 1e-12)
    weights = rng(3).standard_normal(x.shape)

    def loss(g, kernel):
        return (conv.convolution_transpose(g, kernel, output_spatial=spatial, **options) ** 2 * weights).sum()

    assert_gradient(lambda v: loss(v, kernel), g)
    assert_gradient(lambda v: loss(g, v), kernel)
    assert_gradient(lambda v: (grad(loss)(v, kernel) ** 2).sum(), g, tolerance=1e-6)


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(groups=2), "groups"),
        (dict(strides=(1,)), "one entry for each"),
        (dict(strides=(0, 1)), "at least 1"),
        (dict(padding=((-1, 0), (0, 0))), "at least 0"),
        (dict(dilation=(9, 9)), "does not fit"),
    ],
)
def test_sizes_that_do_not_fit(change, words):
    x, kernel, options = arrays(CASES["plain"])
    with pytest.raises(ValueError, match=words):
        conv.convolution(x, kernel, **{**options, **change})


def test_transpose_sizes_that_do_not_fit():
    g, kernel = np.ones((1, 3, 2)), np.ones((3, 1, 2))
    options = dict(strides=(2,), padding=((0, 1),), dilation=(1,))
    with pytest.raises(ValueError, match="gives"):
        conv.convolution_transpose(g, kernel, output_spatial=(9,), **options)
    with pytest.raises(ValueError, match="channels"):
        conv.convolution_transpose(g, kernel[..., :1], output_spatial=(6,), **options)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("kind, reduce", [("max_pool", np.max), ("avg_pool", np.mean)])
def test_pools_and_their_gradients(name, kind, reduce):
    spatial, window, strides, padding = POOLS[name]
    options = dict(window=window, strides=strides, padding=padding)
    pool = getattr(conv, kind)
    x = rng().standard_normal((2, *spatial, 3))
    y = pool(x, **options)
    assert_near(y, naive_pool(x, reduce=reduce, **options), 0 if kind == "max_pool" else 1e-14)
    weights = rng(1).standard_normal(y.shape)

    def loss(v):
        return (pool(v, **options) ** 3 * weights).sum()

    assert_gradient(loss, x)
    assert_gradient(lambda v: (grad(loss)(v) ** 2).sum(), x, tolerance=1e-6)
    assert_gradient(lambda v: (grad(lambda u: (grad(loss)(u) ** 2).sum())(v) ** 2).sum(), x, tolerance=1e-5)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_pools_keep_the_dtype(name, dtype):
    spatial, window, strides, padding = POOLS[name]
    options = dict(window=window, strides=strides, padding=padding)
    x = rng().standard_normal((2, *spatial, 3)).astype(dtype)
    for pool, reduce in ((conv.max_pool, np.max), (conv.avg_pool, np.mean)):
        vjp, y = make_vjp(lambda v, pool=pool: pool(v, **options), x)
        assert y.dtype == vjp(y).dtype == dtype
        exact = naive_pool(x.astype(np.float64), reduce=reduce, **options)
        assert_near(y, exact.astype(dtype), {np.float16: 2e-3, np.float32: 1e-6}[dtype])


def naive_first_maximum_gradient(x, window, strides, padding):
    spatial, gradient = x.shape[1:-1], np.zeros_like(x)
    out = [(n + sum(p) - k) // s + 1 for n, k, s, p in zip(spatial, window, strides, padding, strict=True)]
    for batch, *position, channel in np.ndindex(x.shape[0], *out, x.shape[-1]):
        best = None
        for tap in np.ndindex(*window):
            place = tuple(
                p * s - lo + t for p, s, (lo, _), t in zip(position, strides, padding, tap, strict=True)
            )
            if all(0 <= i < n for i, n in zip(place, spatial, strict=True)):
                here = (batch, *place, channel)
                nan_first = np.isnan(x[here]) and not (best and np.isnan(x[best]))
                if best is None or x[here] > x[best] or nan_first:
                    best = here
        gradient[best] += 1
    return gradient


@pytest.mark.parametrize("name", POOLS)
def test_max_pool_gradient_goes_to_the_first_maximum(name):
    spatial, window, strides, padding = POOLS[name]
    options = dict(window=window, strides=strides, padding=padding)
    x = rng().integers(0, 3, (3, *spatial, 4)).astype(np.float32)
    x[rng(1).random(x.shape) < 0.1] = np.nan
    x[rng(2).random(x.shape) < 0.1] = -np.inf
    vjp, y = make_vjp(lambda v: conv.max_pool(v, **options), x)
    np.testing.assert_array_equal(y, naive_pool(x, reduce=np.max, **options))
    np.testing.assert_array_equal(vjp(np.ones_like(y)), naive_first_maximum_gradient(x, **options))


def test_max_pool_where_all_is_minus_infinity_never_picks_padding():
    x = np.full((1, 3, 1), -np.inf)
    vjp, y = make_vjp(lambda v: conv.max_pool(v, window=(3,), strides=(2,), padding=((1, 1),)), x)
    assert y.ravel().tolist() == [-np.inf, -np.inf]
    assert vjp(np.ones_like(y)).ravel().tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_max_pool_gradient_keeps_infinities_in_their_place(bad):
    x = np.array([1.0, 2.0, 4.0, 3.0], np.float32).reshape(1, 4, 1)
    vjp, _ = make_vjp(lambda v: conv.max_pool(v, window=(2,), strides=(2,), padding=((0, 0),)), x)
    np.testing.assert_array_equal(vjp(np.array([[[bad], [1.0]]], np.float32)).ravel(), [0.0, bad, 1.0, 0.0])


def test_max_pool_of_integers():
    x = np.array([3, -7, -5, -6, 2], np.int32).reshape(1, 5, 1)
    y = conv.max_pool(x, window=(2,), strides=(2,), padding=((0, 1),))
    assert y.dtype == np.int32 and y.ravel().tolist() == [3, -5, 2]


def test_avg_pool_does_not_count_padding():
    ones = np.ones((1, 4, 4, 2), np.float32)
    y = conv.avg_pool(ones, window=(3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
    np.testing.assert_array_equal(y, ones)


def test_avg_pool_of_float16_sums_in_float32():
    x = np.full((1, 4096, 1), 40.0, np.float16)
    assert conv.avg_pool(x, window=(4096,), strides=(1,), padding=((0, 0),)).item() == 40.0


@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
@pytest.mark.parametrize(
    "options",
    [
        dict(window=(5,), strides=(1,), padding=((0, 0),)),
        dict(window=(2,), strides=(0,), padding=((0, 0),)),
        dict(window=(2,), strides=(1,), padding=((2, 0),)),
        dict(window=(2,), strides=(1,), padding=((0, 2),)),
        dict(window=(2, 2), strides=(1,), padding=((0, 0),)),
    ],
)
def test_pool_sizes_that_do_not_fit(pool, options):
    with pytest.raises(ValueError, match=pool):
        getattr(conv, pool)(np.ones((1, 4, 1)), **options)


def torch_convolution(x, kernel, options):
    """torch's own convolution of the same arrays, with its gradients for a gradient of cos(y)."""
    import torch

    rank = x.ndim - 2
    tx = torch.from_numpy(x).movedim(-1, 1).requires_grad_()
    tk = torch.from_numpy(kernel).movedim(-1, 0).movedim(-1, 1).requires_grad_()
    pads = [side for pair in reversed(options["padding"]) for side in pair]
    function = (torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d)[rank - 1]
    padded = torch.nn.functional.pad(tx, pads)
    y = function(padded, tk, None, options["strides"], 0, options["dilation"], options["groups"])
    gx, gk = torch.autograd.grad(y, (tx, tk), torch.cos(y.detach()))
    channels_last = [t.detach().movedim(1, -1).numpy() for t in (y, gx)]
    return *channels_last, gk.movedim(0, -1).movedim(0, -2).numpy()


@pytest.mark.engine("torch")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolution_agrees_with_torch(name, dtype):
    x, kernel, options = arrays(CASES[name], dtype)
    vjp, y = make_vjp(lambda pair: conv.convolution(pair[0], pair[1], **options), (x, kernel))
    ours = (y, *vjp(np.cos(y)))
    tolerance = {np.float32: 1e-5, np.float64: 1e-12}[dtype]
    for actual, expected in zip(ours, torch_convolution(x, kernel, options), strict=True):
        assert_near(actual, expected, tolerance)


@pytest.mark.engine("torch")
@pytest.mark.parametrize("name", ["plain", "overlapping", "padded_evenly"])
def test_pools_agree_with_torch(name):
    import torch

    spatial, window, strides, padding = POOLS[name]
    options = dict(window=window, strides=strides, padding=padding)
    before = tuple(lo for lo, _ in padding)
    x = rng().integers(0, 4, (2, *spatial, 3)).astype(np.float32)
    functional = torch.nn.functional
    theirs = {
        "max_pool": lambda t: functional.max_pool2d(t, window, strides, before),
        "avg_pool": lambda t: functional.avg_pool2d(t, window, strides, before, count_include_pad=False),
    }
    for kind, function in theirs.items():
        tx = torch.from_numpy(x).movedim(-1, 1).requires_grad_()
        ty = function(tx)
        (tg,) = torch.autograd.grad(ty, tx, torch.cos(ty.detach()))
        vjp, y = make_vjp(lambda v, kind=kind: getattr(conv, kind)(v, **options), x)
        assert_near(y, ty.detach().movedim(1, -1).numpy(), 1e-6)
        assert_near(vjp(np.cos(y)), tg.movedim(1, -1).numpy(), 1e-6)
