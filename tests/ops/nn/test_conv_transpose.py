"""Transposed convolutions as K has them: against loops, against the gradient of the convolution, and their errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.arrays import drawn

import kbackend
from kbackend import K
from kbackend.ops.nn.conv_transpose import conv1d_transpose
from kbackend.plugin.geometry import axes_of, same_pairs

pytestmark = pytest.mark.processor

TRANSPOSES = {1: conv1d_transpose, 2: K.conv2d_transpose, 3: K.conv3d_transpose}
CONVOLUTIONS = {1: K.conv1d, 2: K.conv2d, 3: K.conv3d}


def by_loops(x, kernel, size, strides, padding, dilation):
    """Each element of x adds the kernel times itself where the convolution looked to make it."""
    pairs = [(0, 0)] * len(size)
    if padding == "same":
        pairs = same_pairs(size, kernel.shape[:-2], strides, dilation)
    result = np.zeros((x.shape[0], *size, kernel.shape[-2]))
    for place in itertools.product(*map(range, x.shape[1:-1])):
        for tap in itertools.product(*map(range, kernel.shape[:-2])):
            at = [p * s - lo + t * d for p, s, (lo, _), t, d in zip(place, strides, pairs, tap, dilation)]
            if all(0 <= a < n for a, n in zip(at, size)):
                result[(slice(None), *at)] += x[(slice(None), *place)] @ kernel[tap].T
    return result


CASES = {
    "plain": ((3, 4), (3, 2), (5, 5), (1, 1), "valid", (1, 1)),
    "strides": ((3, 4), (3, 2), (8, 8), (2, 2), "valid", (1, 1)),
    "same": ((3, 4), (3, 2), (6, 8), (2, 2), "same", (1, 1)),
    "same, odd": ((3, 4), (3, 2), (5, 7), (2, 2), "same", (1, 1)),
    "same, strides that differ": ((3, 4), (2, 5), (9, 4), (3, 1), "same", (1, 1)),
    "same, a window below the stride": ((3, 2), (2, 1), (12, 7), (4, 4), "same", (1, 1)),
    "dilation": ((4, 3), (3, 2), (8, 7), (1, 2), "valid", (2, 2)),
    "same, dilation and strides": ((4, 3), (3, 2), (8, 6), (2, 2), "same", (3, 1)),
    "one dimension": ((4,), (3,), (9,), (2,), "valid", (1,)),
    "one dimension, same": ((4,), (5,), (12,), (3,), "same", (1,)),
    "three dimensions": ((2, 3, 2), (2, 3, 2), (4, 6, 4), (2, 2, 2), "same", (1, 1, 1)),
}


def arguments(name, dtype="float64"):
    spatial, window, size, strides, padding, dilation = CASES[name]
    x, kernel = drawn(2, *spatial, 3), drawn(*window, 4, 3)
    options = {"strides": strides, "padding": padding}
    if len(spatial) < 3:
        options["dilation_rate"] = dilation
    return x.astype(dtype), kernel.astype(dtype), size, options, by_loops(x, kernel, size, strides, padding, dilation)


@pytest.mark.parametrize("name", CASES)
def test_values(each_backend, name):
    x, kernel, size, options, wanted = arguments(name)
    transpose = TRANSPOSES[len(size)]
    found = K.eval(transpose(x, kernel, (2, *size, 4), **options))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    first = K.eval(transpose(np.moveaxis(x, -1, 1), kernel, (2, 4, *size), data_format="channels_first", **options))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_gradient_of_the_convolution(each_backend, name):
    g, kernel, size, options, _ = arguments(name, "float32")
    rank = len(size)
    seen, taps = K.placeholder((None, *size, 4)), K.placeholder(kernel.shape)
    weight = K.placeholder((None, *g.shape[1:]))
    y = CONVOLUTIONS[rank](seen, taps, **options)
    (wanted,) = K.gradients(K.sum(y * weight), [seen])
    found = TRANSPOSES[rank](weight, taps, K.shape(seen), **options)
    assert K.int_shape(found) == (None, *size, 4)
    both = K.function([seen, taps, weight], [wanted, found])([np.zeros((2, *size, 4)), kernel, g])
    np.testing.assert_allclose(both[1], both[0], rtol=1e-5, atol=1e-5)


def all_unknown(rank):
    return K.placeholder((None,) * (rank + 1) + (3,))


@pytest.mark.parametrize("name", ["same", "same, odd", "dilation", "one dimension, same", "three dimensions"])
def test_sizes_that_are_known_when_the_program_runs(each_backend, name):
    """An output as large as another tensor, of which nothing is known; first and second gradients too."""
    x, kernel, size, options, wanted = arguments(name)
    rank = len(size)
    symbol, like, taps = all_unknown(rank), all_unknown(rank), K.placeholder(kernel.shape)
    shape = [K.shape(like)[i] for i in range(rank + 1)] + [4]
    y = TRANSPOSES[rank](symbol, taps, shape, **options)
    assert K.int_shape(y) == (None,) * (rank + 1) + (4,)
    first = K.gradients(K.sum(K.square(y)), [symbol, taps])
    second = K.gradients(K.sum(K.square(first[0])), [symbol, taps])
    program = K.function([symbol, taps, like], [y, *first, *second])
    known = [K.placeholder(x.shape), K.placeholder(kernel.shape)]
    y = TRANSPOSES[rank](*known, (2, *size, 4), **options)
    first = K.gradients(K.sum(K.square(y)), known)
    static = K.function(known, [y, *first, *K.gradients(K.sum(K.square(first[0])), known)])
    found, reference = program([x, kernel, np.zeros((2, *size, 3))]), static([x, kernel])
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5, atol=1e-5)
    for a, b in zip(found, reference):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3 * np.abs(b).max())


def test_one_program_serves_all_sizes(each_backend):
    symbol, taps = K.placeholder((None, None, None, 2)), K.placeholder((3, 3, 1, 2))
    y = K.conv2d_transpose(symbol, taps, (None, None, None, 1), (2, 2), "same")
    program = K.function([symbol, taps], [y])
    kernel = drawn(3, 3, 1, 2)
    for shape in [(1, 2, 3, 2), (3, 5, 4, 2), (2, 1, 1, 2)]:
        x = drawn(*shape)
        size = tuple(2 * n for n in shape[1:3])
        wanted = by_loops(x, kernel, size, (2, 2), "same", (1, 1))
        np.testing.assert_allclose(program([x, kernel])[0], wanted, rtol=1e-5, atol=1e-5)


def test_usual_sizes_are_those_of_keras_layers(each_backend):
    x, kernel = K.placeholder((None, 4, 5, 2)), K.placeholder((3, 2, 6, 2))
    assert K.int_shape(K.conv2d_transpose(x, kernel, (None, None, None, 6), 2, "same")) == (None, 8, 10, 6)
    assert K.int_shape(K.conv2d_transpose(x, kernel, (None, None, None, None), (2, 3))) == (None, 9, 15, 6)
    found = K.conv2d_transpose(x, kernel, (None,) * 4, dilation_rate=(2, 2))
    assert K.int_shape(found) == (None, 8, 7, 6)


def test_the_batch_may_be_said_better_than_it_is_known(each_backend):
    x, kernel = K.placeholder((None, 3, 2)), K.placeholder((2, 1, 2))
    y = conv1d_transpose(x, kernel, (3, 4, 1))
    assert K.int_shape(y) == (3, 4, 1)
    program = K.function([x, kernel], [y])
    assert program([drawn(3, 3, 2), drawn(2, 1, 2)])[0].shape == (3, 4, 1)
    with pytest.raises(ValueError, match="3"):
        program([drawn(2, 3, 2), drawn(2, 1, 2)])


def test_the_default_data_format_is_that_of_the_process(each_backend):
    x, kernel = drawn(1, 2, 3, 3), drawn(2, 2, 4, 2)
    K.set_image_data_format("channels_first")
    try:
        found = K.eval(K.conv2d_transpose(x, kernel, (None, 4, 4, 4)))
    finally:
        K.set_image_data_format("channels_last")
    wanted = K.eval(K.conv2d_transpose(np.moveaxis(x, 1, -1), kernel, (None, 4, 4, 4)))
    np.testing.assert_allclose(found, np.moveaxis(wanted, -1, 1), rtol=1e-12)


ERRORS = {
    "size": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 5, 7, 2)), {}, r"7 does not fit 4 positions .* in \[5, 5\]"),
    "size, same": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 7, 8, 2), 2, "same"), {}, r"7 does not fit 3 .* \[5, 6\]"),
    "channels": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 5, 5, 3)), {}, "has 3 channels, the kernel .* gives 2"),
    "kernel": (((2, 3, 4, 3), (3, 2, 3, 2), (2, 5, 5, 3)), {}, "has 3 channels, the kernel .* takes 2"),
    "batch": (((2, 3, 4, 3), (3, 2, 2, 3), (5, 5, 5, 2)), {}, "batch of 5"),
    "entries": (((2, 3, 4, 3), (3, 2, 2, 3), (5, 5)), {}, r"must hold 4 sizes, it is \(5, 5\)"),
    "negative": (((2, 3, 4, 3), (3, 2, 2, 3), (2, -5, 5, 2)), {}, "negative size"),
    "rank": (((2, 3, 4), (3, 2, 2, 3), (2, 5, 5, 2)), {}, "needs 4 dimensions"),
    "rank of the kernel": (((2, 3, 4, 3), (3, 2, 3), (2, 5, 5, 2)), {}, "needs 4 dimensions"),
    "data format": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 5, 5, 2)), {"data_format": "NHWC"}, "'NHWC'"),
    "padding": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 5, 5, 2)), {"padding": "causal"}, "'causal'"),
    "strides": (((2, 3, 4, 3), (3, 2, 2, 3), (2, 5, 5, 2), 0), {}, "strides .* it is 0"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_hold_the_values_and_come_with_the_call(each_backend, name):
    (shape, taps, *rest), options, words = ERRORS[name]
    with pytest.raises(ValueError, match=words):
        K.conv2d_transpose(K.placeholder(shape), K.placeholder(taps), *rest, **options)
    with pytest.raises(ValueError, match=words):
        K.conv2d_transpose(np.zeros(shape), np.zeros(taps), *rest, **options)


def test_a_size_that_does_not_fit_when_the_program_runs(each_backend):
    x, like, taps = K.placeholder((None, None, 2)), K.placeholder((None, None, 1)), K.placeholder((3, 1, 2))
    for padding, good, bad in [("valid", (9, 10), (8, 11)), ("same", (7, 8), (6, 9))]:
        y = conv1d_transpose(x, taps, K.shape(like), 2, padding)
        program = K.function([x, like, taps], [y])
        for n in good:
            assert program([drawn(2, 4, 2), drawn(2, n, 1), drawn(3, 1, 2)])[0].shape == (2, n, 1)
        for n in bad:
            with pytest.raises(ValueError, match=f"{n} does not fit 4 positions"):
                program([drawn(2, 4, 2), drawn(2, n, 1), drawn(3, 1, 2)])


@pytest.mark.together
@given(
    positions=st.integers(1, 9), window=st.integers(1, 5), stride=st.integers(1, 5), dilation=st.integers(1, 3),
    same=st.booleans(), rest=st.integers(0, 4),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_geometry_against_the_loops(positions, window, stride, dilation, same, rest):
    """Every size that an axis calls fitting is one that the convolution takes to these positions, and no other."""
    (axis,) = axes_of((window,), (stride,), "same" if same else ((0, 0),), (dilation,))
    usual = axis.usual(positions)
    fitting = [n for n in range(1, usual + 2 * stride + window) if fits(axis, positions, n)]
    x, kernel = drawn(1, positions, 2), drawn(window, 1, 2)
    padding = "same" if same else "valid"
    for n in range(1, usual + 2 * stride + window):
        reaches = n >= axis.reach or same
        out = K.int_shape(K.conv1d(K.placeholder((1, n, 1)), K.placeholder((window, 1, 1)), stride, padding,
                                   dilation_rate=dilation))[1] if reaches else None
        assert (n in fitting) == (out == positions)
    assert len(fitting) == stride and usual in fitting
    size = fitting[rest % stride]
    wanted = by_loops(x, kernel, (size,), (stride,), padding, (dilation,))
    for backend in kbackend.available_backends():
        with kbackend.use_backend(backend):
            found = K.eval(conv1d_transpose(x, kernel, (1, size, 1), stride, padding, dilation_rate=dilation))
            np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10, err_msg=backend)


def fits(axis, positions, size):
    try:
        axis.pads(positions, size)
    except ValueError:
        return False
    return True


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name", ["plain", "strides", "same", "same, odd", "same, strides that differ"])
def test_tensorflow_says_the_same(name):
    import tensorflow as tf

    x, kernel, size, options, _ = arguments(name)
    with kbackend.use_backend("numpy"):
        found = K.eval(K.conv2d_transpose(x, kernel, (2, *size, 4), **options))
    options.pop("dilation_rate")
    wanted = tf.nn.conv2d_transpose(x, kernel, (2, *size, 4), options["strides"], options["padding"].upper())
    np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.engine("torch")
def test_a_convolution_with_one_filter_has_gradients_in_float64():
    """Torch failed on the layout of the kernel's gradient."""
    K.set_floatx("float64")
    try:
        with kbackend.use_backend("torch"):
            x, kernel = K.placeholder((2, 5, 5, 3)), K.placeholder((3, 3, 3, 1))
            first = K.gradients(K.sum(K.square(K.conv2d(x, kernel))), [x, kernel])
            second = K.gradients(K.sum(K.square(first[1])), [x, kernel])
            found = K.function([x, kernel], [*first, *second])([drawn(2, 5, 5, 3), drawn(3, 3, 3, 1)])
    finally:
        K.set_floatx("float32")
    assert [t.shape for t in found] == [(2, 5, 5, 3), (3, 3, 3, 1)] * 2
    assert all(np.abs(t).min() > 0 for t in found)
