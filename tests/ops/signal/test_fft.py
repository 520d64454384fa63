"""Fourier transforms against NumPy and SciPy, Keras and central differences, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.differences import central

from kbackend import K
from kbackend import ops as f

RNG = np.random.RandomState(0)
X, Y = RNG.randn(2, 3, 6), RNG.randn(2, 3, 6)
SIGNAL = RNG.randn(2, 40)


def parts(z):
    return [z.real, z.imag]


def pair(*shape):
    return tuple(K.placeholder((None, *shape), dtype="float64") for _ in range(2))


@pytest.mark.parametrize("name", ["fft", "ifft", "fft2", "ifft2"])
def test_complex_transforms_are_numpys(each_backend, name):
    x = pair(3, 6)
    found = K.function(list(x), list(getattr(f, name)(x)))([X, Y])
    np.testing.assert_allclose(found, parts(getattr(np.fft, name)(X + 1j * Y)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("length", [None, 1, 2, 5, 6, 7, 12])
@pytest.mark.parametrize("size", [6, None])
def test_real_transforms_are_numpys(each_backend, length, size):
    x = K.placeholder((None, 3, size), dtype="float64")
    found = K.function([x], list(f.rfft(x, length)))([X])
    np.testing.assert_allclose(found, parts(np.fft.rfft(X, length)), rtol=1e-12, atol=1e-12)
    z = pair(3, size)
    (found,) = K.function(list(z), [f.irfft(z, length)])([X, Y])
    np.testing.assert_allclose(found, np.fft.irfft(X + 1j * Y, length), rtol=1e-12, atol=1e-12)


def by_differences(function, values, place):
    return central(lambda x: function([*values[:place], x, *values[place + 1 :]])[0], values[place])


ARGUMENTS = {"sequence_length": 5, "sequence_stride": 2, "fft_length": 6}
TRANSFORMS = {
    "fft": (f.fft, True), "ifft2": (f.ifft2, True), "rfft": (f.rfft, False),
    "rfft, odd": (lambda x: f.rfft(x, 5), False),
    "irfft": (f.irfft, True), "irfft, odd": (lambda z: f.irfft(z, 9), True),
    "stft": (lambda x: f.stft(x, **ARGUMENTS), False),
    "istft": (lambda z: f.istft([t[..., :4] for t in z], **ARGUMENTS), True),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_first_and_second_derivatives(each_backend, name):
    function, paired = TRANSFORMS[name]
    inputs = list(pair(3, 6)) if paired else [pair(3, 6)[0]]
    values = [X, Y][: len(inputs)]
    out = function(inputs if paired else inputs[0])
    loss = sum(K.sum(K.sin(t) * (1.0 + i)) for i, t in enumerate(out if isinstance(out, tuple) else [out]))
    slopes = K.gradients(loss, inputs)
    size = sum(K.sum(s * s) for s in slopes)
    value, first = K.function(inputs, [loss]), K.function(inputs, [size])
    found = K.function(inputs, slopes + K.gradients(size, inputs))(values)
    for i in range(len(inputs)):
        np.testing.assert_allclose(found[i], by_differences(value, values, i), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found[len(inputs) + i], by_differences(first, values, i), rtol=1e-5, atol=1e-6)


def test_gradients_with_respect_to_a_window(each_backend):
    x, w = K.placeholder((None, 12), dtype="float64"), K.placeholder((4,), dtype="float64")
    real, imag = f.stft(x, 4, 2, 4, w)
    back = f.istft((real * 2.0, imag), 4, 2, 4, window=w)
    loss = K.sum(K.square(back)) + K.sum(real)
    values = [SIGNAL[:, :12], np.array([0.5, 1.0, 2.0, 0.7])]
    function = K.function([x, w], [loss])
    found = K.function([x, w], K.gradients(loss, [x, w]))(values)
    for i in range(2):
        np.testing.assert_allclose(found[i], by_differences(function, values, i), rtol=1e-5, atol=1e-6)


SETTINGS = [
    (8, 4, 8, "hann", True), (8, 2, 8, "hamming", True), (6, 2, 9, "hann", True), (8, 4, 8, "hann", False),
    (7, 3, 7, "hamming", False), (8, 4, 8, None, True), (1, 1, 1, "hann", True), (5, 7, 6, "hamming", True),
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("size", [40, None])
def test_windows_are_transformed_one_by_one(each_backend, settings, size):
    length, stride, whole, window, center = settings
    x = K.placeholder((None, size), dtype="float64")
    out = f.stft(x, *settings)
    assert K.int_shape(out[0]) == (None, None if size is None else out[0].shape[1], whole // 2 + 1)
    found = K.function([x], list(out))([SIGNAL])
    from scipy.signal import get_window

    shaped = np.ones(whole) if window is None else np.zeros(whole)
    if window is not None:
        before = (whole - length) // 2
        shaped[before : before + length] = get_window(window, length)
    signal = np.pad(SIGNAL, [(0, 0), (whole // 2,) * 2], "reflect") if center else SIGNAL
    starts = range(0, signal.shape[1] - whole + 1, stride)
    wanted = np.stack([np.fft.rfft(signal[:, s : s + whole] * shaped) for s in starts], 1)
    np.testing.assert_allclose(found, parts(wanted), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("settings", [s for s in SETTINGS if s[3] is not None and s[0] > s[1] and s[4]])
@pytest.mark.parametrize("size", [40, None])
def test_a_signal_comes_back_to_its_ends(each_backend, settings, size):
    x = K.placeholder((None, size), dtype="float64")
    length, stride, whole, window, center = settings
    back = f.istft(f.stft(x, *settings), length, stride, whole, None, window, center)
    (found,) = K.function([x], [back])([SIGNAL])
    assert 40 - stride < found.shape[1] <= 40
    np.testing.assert_allclose(found, SIGNAL[:, : found.shape[1]], rtol=1e-10, atol=1e-10)
    (some,) = K.function([x], [f.istft(f.stft(x, *settings), length, stride, whole, 30, window, center)])([SIGNAL])
    np.testing.assert_allclose(some, SIGNAL[:, :30], rtol=1e-10, atol=1e-10)


def test_without_a_window_what_overlaps_is_added(each_backend):
    back = K.eval(f.istft(f.stft(K.constant(np.ones((1, 32))), 8, 2, 8, None), 8, 2, 8, window=None))
    np.testing.assert_allclose(back[0, 4:-4], 4.0, rtol=1e-6)


def test_small_floats_and_integers(each_backend):
    half = [p.astype("float16") for p in (X[0], Y[0])]
    found = f.fft(tuple(K.constant(p, dtype="float16") for p in half))
    assert [t.dtype for t in found] == ["float16"] * 2
    np.testing.assert_allclose([K.eval(t) for t in found], parts(np.fft.fft(X[0] + 1j * Y[0])), atol=0.05)
    whole = f.rfft(K.constant([1, 2, 3], dtype="int32"))
    assert whole[0].dtype == K.floatx()
    np.testing.assert_allclose(K.eval(whole[0]), [6, -1.5], rtol=1e-6)


def test_a_graph_of_them_needs_no_engine(fresh_python):
    code = """
import sys
from kbackend import K
from kbackend import ops as f
x = K.placeholder((None, 16))
back = f.istft(f.stft(x, 8, 4, 8), 8, 4, 8)
f.irfft(f.rfft(x, 9)), f.ifft2(f.fft2((x, x)))
print(back.shape, [m for m in ("torch", "tensorflow", "autograd") if m in sys.modules])
"""
    assert fresh_python(code).strip() == "(None, 16) []"


def test_lists_and_arrays_at_once(each_backend):
    found = [K.eval(t) for t in f.fft(([1.0, 2.0], np.zeros(2)))]
    np.testing.assert_allclose(found, [[3, -1], [0, 0]])
    np.testing.assert_allclose(K.eval(f.rfft([1.0, 2.0, 1.0])[0]), [4, -0.5], rtol=1e-6)
    windows = K.eval(f.stft([0.0, 1.0, 2.0, 3.0, 4.0], 3, 2, 3)[0])
    np.testing.assert_allclose(windows[:, 0], [0.75, 3.75, 5.25], rtol=1e-6)


# ------------------------------------------------------------ errors

WRONG = [
    (lambda x: f.fft(x), ValueError), (lambda x: f.fft((x,)), ValueError), (lambda x: f.fft((x, x[:, :3])), ValueError),
    (lambda x: f.fft2((x[0], x[0])), ValueError), (lambda x: f.fft((x[:, :0],) * 2), ValueError),
    (lambda x: f.rfft(x, 0), ValueError), (lambda x: f.rfft(x, 2.5), TypeError),
    (lambda x: f.irfft((x[:, :1],) * 2), ValueError), (lambda x: f.irfft(x), ValueError),
    (lambda x: f.rfft(K.cast(x, "complex64")), TypeError), (lambda x: f.fft((K.cast(x, "complex64"), x)), TypeError),
    (lambda x: f.stft(x, 4, 0, 4), ValueError), (lambda x: f.stft(x, 4, 1.5, 4), ValueError),
    (lambda x: f.stft(x, 5, 2, 4), ValueError), (lambda x: f.stft(x, 4, 2, 4, "flat"), ValueError),
    (lambda x: f.stft(x, 4, 2, 4, np.ones(3)), ValueError), (lambda x: f.stft(x, 4, 2, 4, np.ones((4, 1))), ValueError),
    (lambda x: f.stft(x, 4, 2, 4, np.ones(4) * 1j), TypeError), (lambda x: f.stft(x, 20, 2, 20), ValueError),
    (lambda x: f.stft(x, 20, 2, 20, center=False), ValueError), (lambda x: f.stft(x, 4.0, 2, 4), TypeError),
    (lambda x: f.stft(K.cast(x, "int32"), 4, 2, 4), TypeError), (lambda x: f.stft(x[0, 0], 4, 2, 4), ValueError),
    (lambda x: f.istft((x, x), 4, 2, 4), ValueError), (lambda x: f.istft((x[0, :3],) * 2, 4, 2, 4), ValueError),
    (lambda x: f.istft((x[:, :3],) * 2, 4, 2, 4, -1), ValueError), (lambda x: f.istft(x, 4, 2, 4), ValueError),
    (lambda x: f.istft((x[:, :3],) * 2, 4, 2, 4, 2.5), TypeError),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
@pytest.mark.parametrize("symbolic", [True, False])
def test_wrong_calls(each_backend, number, symbolic):
    call, error = WRONG[number]
    x = K.placeholder((2, 9)) if symbolic else K.eval(K.constant(SIGNAL[:, :9]))
    with pytest.raises(error) as raised:
        call(x)
    assert str(raised.value)


# ------------------------------------------------------------ Keras


F32 = [a.astype("float32") for a in (X, Y)]


@pytest.mark.parametrize(("name", "args"), [
    ("fft", (tuple(F32),)), ("fft2", (tuple(F32),)), ("ifft2", (tuple(F32),)), ("rfft", (F32[0],)),
    ("rfft", (F32[0], 4)), ("rfft", (F32[0], 9)), ("irfft", (tuple(F32),)), ("irfft", (tuple(F32), 7)),
    ("stft", (SIGNAL.astype("float32"), 8, 4, 8)), ("stft", (SIGNAL.astype("float32"), 6, 3, 9, "hamming")),
    ("stft", (SIGNAL.astype("float32"), 8, 4, 8, None, False)),
    ("stft", (SIGNAL.astype("float32"), 4, 2, 6, np.arange(1, 5, dtype="float32"))),
])
def test_it_is_keras(keras, each_backend, name, args):
    expected = getattr(keras.ops, name)(*args)
    found = getattr(f, name)(*args)
    assert isinstance(found, tuple) == isinstance(expected, tuple)
    for one, other in zip(found, expected) if isinstance(found, tuple) else [(found, expected)]:
        other = np.asarray(other)
        one = K.eval(one)
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [(8, 4, 8, None, "hann", True), (8, 4, 8, 30, "hamming", True),
                                      (8, 2, 8, None, None, True), (6, 2, 8, None, "hann", False)])
def test_inside_a_signal_istft_is_keras(keras, each_backend, settings):
    """At the ends Keras's engines differ from each other, where windows are missing."""
    length, stride, whole, _, window, center = settings
    z = tuple(p.astype("float32") for p in parts(np.fft.rfft(RNG.randn(2, 12, whole))))
    expected = np.asarray(keras.ops.istft(z, *settings))
    found = K.eval(f.istft(z, *settings))
    assert found.shape == expected.shape and found.dtype == expected.dtype
    inside = slice(whole, min(found.shape[1], 11 * stride) - whole)
    assert inside.stop - inside.start >= 5
    np.testing.assert_allclose(found[:, inside], expected[:, inside], rtol=1e-4, atol=1e-5)
