"""Resizing, local convolutions and rankings as K has them: against loops and TensorFlow, of any size, and errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.arrays import drawn

import kbackend
from kbackend import K
from kbackend.ops.image.resize import resample as resize
from kbackend.plugin.resampling import WINDOWS, taps

SMOOTH = tuple(WINDOWS)
INTERPOLATIONS = ("nearest", *SMOOTH)


# ---------------------------------------------------------------------- resizing


def window_at(interpolation, distance):
    """The window as its inventors write it, one distance at a time."""
    d = abs(distance)
    if interpolation == "bilinear":
        return max(0.0, 1 - d)
    if interpolation == "bicubic":
        a = -0.5
        if d < 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0
    radius = int(interpolation[-1])
    return float(np.sinc(d) * np.sinc(d / radius)) if d < radius else 0.0


def line_by_loops(line, new, interpolation, antialias):
    """A line of another length, each pixel by looking at all old ones."""
    old, found = len(line), np.zeros((new, *line.shape[1:]))
    stretch = max(old / new, 1.0) if antialias else 1.0
    for i in range(new):
        centre = (i + 0.5) * old / new
        if interpolation == "nearest":
            found[i] = line[int(centre + 1e-9)]
            continue
        weights = [window_at(interpolation, (j + 0.5 - centre) / stretch) for j in range(old)]
        found[i] = np.tensordot(np.array(weights) / sum(weights), line, 1)
    return found


def by_loops(x, size, interpolation, antialias=False):
    for axis, n in enumerate(size, start=1):
        moved = line_by_loops(np.moveaxis(x, axis, 0), n, interpolation, antialias)
        x = np.moveaxis(moved, 0, axis)
    return x


SIZES = [(8, 10), (3, 2), (7, 3), (1, 1), (4, 15)]


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", SIZES)
def test_resize_against_loops(each_backend, interpolation, size):
    x = drawn(2, 4, 5, 3)
    for antialias in (False, True):
        found = K.eval(resize(x, size=size, interpolation=interpolation, antialias=antialias))
        np.testing.assert_allclose(found, by_loops(x, size, interpolation, antialias), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_resize_of_sizes_that_are_known_when_the_program_runs(each_backend, interpolation):
    """One program for images and results of any size, with the gradients of a static one."""
    x, like = K.placeholder((None, None, None, 2)), K.placeholder((None, None))
    y = resize(x, [K.shape(like)[0], K.shape(like)[1]], size=(None, None), interpolation=interpolation)
    assert K.int_shape(y) == (None, None, None, 2)
    program = K.function([x, like], [y, *K.gradients(K.sum(K.square(y)), [x])])
    for shape, size in [((2, 4, 5, 2), (9, 3)), ((1, 7, 3, 2), (7, 8)), ((1, 1, 2, 2), (3, 2))]:
        images = drawn(*shape)
        known = K.placeholder(shape)
        wanted = resize(known, size=size, interpolation=interpolation)
        static = K.function([known], [wanted, *K.gradients(K.sum(K.square(wanted)), [known])])([images])
        found = program([images, np.zeros(size)])
        np.testing.assert_allclose(found[0], by_loops(images, size, interpolation), rtol=1e-4, atol=1e-5)
        for a, b in zip(found, static):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@given(old=st.integers(1, 40), new=st.integers(1, 60), name=st.sampled_from(SMOOTH), antialias=st.booleans())
@settings(max_examples=200, deadline=None)
def test_weights_sum_to_one_and_places_do_not_fall(old, new, name, antialias):
    places, weights = taps(old, new, name, antialias)
    assert places.shape == weights.shape == (len(places), new)
    assert places.min() >= 0 and places.max() < old and (np.diff(places, axis=1) >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-14)
    line = drawn(old, 1)
    found = (weights[..., None] * line[places]).sum(axis=0)
    np.testing.assert_allclose(found, line_by_loops(line, new, name, antialias), rtol=1e-9, atol=1e-11)


@given(old=st.integers(1, 3000), new=st.integers(1, 3000))
@settings(max_examples=200, deadline=None)
def test_nearest_is_exact_at_halves(old, new):
    """Whole numbers decide: (2i + 1) * old / (2 * new) is rounded nowhere."""
    places = taps(old, new, "nearest")[0][0]
    assert all(2 * p * new <= (2 * i + 1) * old < 2 * (p + 1) * new for i, p in enumerate(places.tolist()))


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(8, 10), (7, 9), (12, 5)])
def test_tensorflow_enlarges_to_the_same(interpolation, size):
    """With antialias TensorFlow weighs exactly; without, its cubic reads weights from a table of 1,024."""
    import tensorflow as tf

    x = drawn(2, 4, 5, 3).astype("float32")
    with kbackend.use_backend("numpy"):
        found = K.eval(resize(x, size=size, interpolation=interpolation))
    for antialias in (True, False):
        wanted = tf.image.resize(x, size, interpolation, antialias=antialias).numpy()
        coarse = interpolation == "bicubic" and not antialias
        np.testing.assert_allclose(found, wanted, atol=5e-3 if coarse else 2e-6)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("interpolation", SMOOTH)
def test_tensorflow_shrinks_to_the_same(interpolation):
    import tensorflow as tf

    x = drawn(1, 13, 11, 2).astype("float32")
    with kbackend.use_backend("numpy"):
        found = K.eval(resize(x, size=(4, 5), interpolation=interpolation, antialias=True))
    wanted = tf.image.resize(x, (4, 5), interpolation, antialias=True).numpy()
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_resize_images_in_both_formats_and_of_any_size(each_backend):
    for interpolation in ("nearest", "bilinear"):
        last, first = K.placeholder((None, None, None, 3)), K.placeholder((None, 3, None, None))
        a = K.resize_images(last, 2, 3, "channels_last", interpolation)
        b = K.resize_images(first, 2, 3, "channels_first", interpolation)
        assert K.int_shape(a) == (None, None, None, 3) and K.int_shape(b) == (None, 3, None, None)
        program = K.function([last, first], [a, b])
        for shape in [(2, 4, 5, 3), (1, 1, 2, 3)]:
            x = drawn(*shape)
            found = program([x, np.moveaxis(x, -1, 1)])
            wanted = by_loops(x, (2 * shape[1], 3 * shape[2]), interpolation)
            np.testing.assert_allclose(found[0], wanted, rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(np.moveaxis(found[1], 1, -1), found[0])
    assert K.int_shape(K.resize_images(K.placeholder((None, 4, 5, 3)), 2, 3, "channels_last")) == (None, 8, 15, 3)


def test_resize_volumes_repeats(each_backend):
    x = drawn(2, 2, 3, 4, 2)
    wanted = x.repeat(2, 1).repeat(3, 2).repeat(1, 3)
    np.testing.assert_array_equal(K.eval(K.resize_volumes(x, 2, 3, 1, "channels_last")), wanted)
    found = K.eval(K.resize_volumes(np.moveaxis(x, -1, 1), 2, 3, 1, "channels_first"))
    np.testing.assert_array_equal(found, np.moveaxis(wanted, -1, 1))
    unknown = K.placeholder((None, 2, None, None, None))
    assert K.int_shape(K.resize_volumes(unknown, 2, 3, 1, "channels_first")) == (None, 2, None, None, None)


IMAGE_ERRORS = {
    "format": (lambda x: K.resize_images(x, 2, 2, "last"), "'last'"),
    "interpolation": (lambda x: K.resize_images(x, 2, 2, "channels_last", "linear"), "'linear'; choose one of nearest"),
    "factor": (lambda x: K.resize_images(x, 2, -1, "channels_last"), "width_factor .* it is -1"),
    "fraction": (lambda x: K.resize_images(x, 0.5, 1, "channels_last", "bilinear"), "height_factor .* it is 0.5"),
    "rank": (lambda x: K.resize_volumes(x, 1, 1, 1, "channels_last"), "needs 5 dimensions"),
    "size": (lambda x: resize(x, size=(3, 0)), "it is 0"),
    "sizes": (lambda x: resize(x, size=(3, 3, 3)), "must hold 2 numbers"),
}


@pytest.mark.parametrize("name", IMAGE_ERRORS)
def test_image_errors_hold_the_values_and_come_with_the_call(each_backend, name):
    function, words = IMAGE_ERRORS[name]
    for x in (K.placeholder((2, 4, 5, 3)), np.zeros((2, 4, 5, 3), "float32")):
        with pytest.raises(ValueError, match=words):
            function(x)


def test_a_nan_reaches_its_neighbours_only(each_backend):
    x = np.zeros((1, 9, 9, 1))
    x[0, 4, 4, 0] = np.nan
    found = np.isnan(K.eval(resize(x, size=(18, 18), interpolation="bicubic")))[0, :, :, 0]
    assert found.any() and found.sum() <= 64 and not found[:5].any() and not found[:, 13:].any()


# ---------------------------------------------------------------------- local convolution


def local_by_loops(x, kernel, window, strides, output):
    """Channels last; each position by itself."""
    found = np.zeros((x.shape[0], *output, kernel.shape[-1]))
    for number, place in enumerate(itertools.product(*map(range, output))):
        part = x[(slice(None), *(slice(p * s, p * s + k) for p, s, k in zip(place, strides, window)))]
        found[(slice(None), *place)] = part.reshape(x.shape[0], kernel.shape[1]) @ kernel[number]
    return found


def test_local_conv1d_against_loops(each_backend):
    x, kernel = drawn(3, 9, 2), drawn(4, 6, 5)
    wanted = local_by_loops(x, kernel, (3,), (2,), (4,))
    np.testing.assert_allclose(K.eval(K.local_conv1d(x, kernel, (3,), (2,))), wanted, rtol=1e-11)
    features = kernel.reshape(4, 3, 2, 5).swapaxes(1, 2).reshape(kernel.shape)
    first = K.eval(K.local_conv1d(x.swapaxes(1, 2), features, (3,), (2,), "channels_first"))
    np.testing.assert_allclose(first.swapaxes(1, 2), wanted, rtol=1e-11)


def test_local_conv2d_against_loops(each_backend):
    x, kernel = drawn(3, 6, 5, 2), drawn(6, 12, 4)
    wanted = local_by_loops(x, kernel, (2, 3), (2, 1), (3, 2))
    np.testing.assert_allclose(K.eval(K.local_conv2d(x, kernel, (2, 3), (2, 1), (3, 2))), wanted, rtol=1e-11)
    features = kernel.reshape(6, 6, 2, 4).swapaxes(1, 2).reshape(kernel.shape)
    first = K.eval(K.local_conv2d(np.moveaxis(x, -1, 1), features, (2, 3), (2, 1), (3, 2), "channels_first"))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), wanted, rtol=1e-11)


def test_local_conv_with_one_kernel_everywhere_is_conv(each_backend):
    x, taps = drawn(2, 5, 6, 3), drawn(2, 3, 3, 4)
    everywhere = np.broadcast_to(taps.reshape(1, 18, 4), (16, 18, 4))
    found = K.eval(K.local_conv2d(x, np.array(everywhere), (2, 3), (1, 1), (4, 4)))
    np.testing.assert_allclose(found, K.eval(K.conv2d(x, taps)), rtol=1e-10, atol=1e-12)


def test_local_conv_of_any_batch_and_size(each_backend):
    x, kernel = K.placeholder((None, None, 2)), K.placeholder((3, 4, 5))
    y = K.local_conv1d(x, kernel, (2,), (2,))
    assert K.int_shape(y) == (None, 3, 5)
    program = K.function([x, kernel], [y, *K.gradients(K.sum(K.square(y)), [x, kernel])])
    weights = drawn(3, 4, 5)
    for shape in [(2, 6, 2), (4, 7, 2), (0, 6, 2)]:  # elements behind the last window are ignored
        steps = drawn(*shape)
        found = program([steps, weights])
        np.testing.assert_allclose(found[0], local_by_loops(steps, weights, (2,), (2,), (3,)), rtol=1e-4, atol=1e-5)
        assert found[1].shape == shape and not found[1][:, 6:].any()


# ---------------------------------------------------------------------- ranking


@pytest.mark.together
@given(
    numbers=st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0, -3.0, np.inf, -np.inf, np.nan]), min_size=1, max_size=9),
    dtype=st.sampled_from(["float64", "float32", "float16"]),
)
@settings(max_examples=100, deadline=None)
def test_top_k_is_a_stable_sort_with_nan_on_top(numbers, dtype):
    def rank(place):
        value = numbers[place]
        return (0, 0.0, place) if np.isnan(value) else (1, -value, place)

    wanted = sorted(range(len(numbers)), key=rank)
    x = np.array(numbers, dtype)
    for backend in kbackend.available_backends():
        with kbackend.use_backend(backend):
            for k in (1, len(numbers)):
                values, indices = map(K.eval, K.top_k(x, k))
                assert indices.tolist() == wanted[:k], backend
                np.testing.assert_array_equal(values, x[wanted[:k]])
                assert values.dtype == x.dtype and indices.dtype == np.int32


@pytest.mark.parametrize("among", [[1.0, -2.5] * 20 + [np.nan], [np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0], [np.nan, 2.0]])
def test_few_of_a_long_row(each_backend, among):
    """Long rows are not sorted as a whole."""
    for dtype in ("float64", "float32", "float16"):
        x = np.random.default_rng(3).choice(among, (3, 400)).astype(dtype)
        found = K.eval(K.top_k(x, 150)[1])
        for row, places in zip(x, found):
            wanted = sorted(range(400), key=lambda i: (not np.isnan(row[i]), -np.nan_to_num(row[i], nan=0.0), i))
            assert places.tolist() == wanted[:150]


def test_the_gradient_of_top_k_goes_to_the_places_that_were_taken(each_backend):
    x = K.placeholder((None, 5))
    values, indices = K.top_k(x, 2)
    (gradient,) = K.gradients(K.sum(values * [1.0, 10.0]), [x])
    found = K.function([x], [indices, gradient])([[[1, 3, 3, 0, 3], [5, 4, 3, 2, 1]]])
    assert found[0].tolist() == [[1, 2], [0, 1]]
    assert found[1].tolist() == [[0, 1, 10, 0, 0], [1, 10, 0, 0, 0]]


def test_in_top_k_of_any_number_of_rows_and_classes(each_backend):
    x, targets = K.placeholder((None, None)), K.placeholder((None,), dtype="int32")
    program = K.function([x, targets], [K.in_top_k(x, targets, 2)])
    for rows, classes in [(6, 4), (1, 2), (0, 3), (3, 1)]:
        scores = drawn(rows, classes).astype("float32")
        labels = np.arange(rows) % (classes + 1) - (rows > 3)
        order = np.argsort(-scores, axis=1)[:, :2]
        wanted = [0 <= t < classes and t in row for t, row in zip(labels, order)]
        assert program([scores, labels])[0].tolist() == wanted


@pytest.mark.engine("tensorflow")
def test_tensorflow_finds_the_same_targets():
    import tensorflow as tf

    scores = np.random.default_rng(0).integers(0, 4, (200, 5)).astype("float32")
    targets = np.random.default_rng(1).integers(-1, 6, 200).astype("int32")
    for k in (1, 2, 4, 5, 9):
        wanted = tf.math.in_top_k(targets, scores, k).numpy()
        with kbackend.use_backend("numpy"):
            np.testing.assert_array_equal(K.eval(K.in_top_k(scores, targets, k)), wanted)


RANKING_ERRORS = {
    "k too large": (lambda x: K.top_k(x, 6), ValueError, r"\[0, 5\].* it is 6"),
    "k below 0": (lambda x: K.top_k(x, -1), ValueError, "it is -1"),
    "k of the targets": (lambda x: K.in_top_k(x, K.zeros((2,), "int32"), 1.5), ValueError, "it is 1.5"),
    "rows": (lambda x: K.in_top_k(x, np.zeros(3, "int32"), 1), ValueError, r"\(3,\) and \(2,\)"),
    "targets": (lambda x: K.in_top_k(x, np.zeros(2, "float32"), 1), TypeError, "targets must be integers, not float32"),
}


@pytest.mark.parametrize("name", RANKING_ERRORS)
def test_ranking_errors_hold_the_values_and_come_with_the_call(each_backend, name):
    function, kind, words = RANKING_ERRORS[name]
    for x in (K.placeholder((2, 5)), np.zeros((2, 5), "float32")):
        with pytest.raises(kind, match=words):
            function(x)


def test_more_than_there_are_when_the_program_runs(each_backend):
    x = K.placeholder((2, None))
    program = K.function([x], K.top_k(x, 4))
    assert program([drawn(2, 4)])[1].shape == (2, 4)
    with pytest.raises(ValueError, match="3"):
        program([drawn(2, 3)])
