"""Complex numbers: dtypes, what takes them and what does not, and gradients of real losses on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.differences import central

from kbackend import K, dtypes, ops
from kbackend.lowering.program import FeedError
from kbackend.ops.elementwise.arithmetic import multiply, reciprocal
from kbackend.ops.elementwise.complex import (
    angle,
    complex_,
    conj,
    imag,
    isreal,
    polar,
    real,
    view_as_complex,
    view_as_real,
)
from kbackend.ops.elementwise.exponential import expm1
from kbackend.ops.elementwise.floating import isfinite, isinf, isnan
from kbackend.ops.elementwise.hyperbolic import cosh, sinh
from kbackend.ops.elementwise.power import hypot, rsqrt, sqrt
from kbackend.ops.elementwise.trigonometric import atan2, tan
from kbackend.ops.indexing.gather import take_along as take_along_axis
from kbackend.ops.linalg.einsum import einsum
from kbackend.ops.linalg.matmul import vdot
from kbackend.ops.linalg.solve import inv
from kbackend.ops.signal.correlate import correlate
from kbackend.ops.statistics.nan import nancumsum
from kbackend.saving import graph_json as serialize

RNG = np.random.RandomState(0)
Z = RNG.randn(2, 3) + 1j * RNG.randn(2, 3)
W = RNG.randn(3, 3) + 1j * RNG.randn(3, 3)
ALONG = np.array([[2, 0], [1, 1]], np.int32)

#: what is computed, and NumPy's word for it
HOLOMORPHIC = {
    "add": (lambda z: z + W[0], lambda z: z + W[0]),
    "add a number": (lambda z: 2j + z, lambda z: 2j + z),
    "add floats": (lambda z: z + np.ones(3), lambda z: z + 1),
    "subtract": (lambda z: 1.5 - z, lambda z: 1.5 - z),
    "multiply": (lambda z: z * W[0] * z, lambda z: z * W[0] * z),
    "divide": (lambda z: W[0] / z, lambda z: W[0] / z),
    "negative": (lambda z: -z, lambda z: -z),
    "square": (K.square, np.square),
    "reciprocal": (reciprocal, lambda z: 1 / z),
    "sqrt": (sqrt, np.sqrt),
    "rsqrt": (rsqrt, lambda z: 1 / np.sqrt(z)),
    "exp": (K.exp, np.exp),
    "expm1": (expm1, np.expm1),
    "log": (K.log, np.log),
    "sin": (K.sin, np.sin),
    "cos": (K.cos, np.cos),
    "tan": (tan, np.tan),
    "sinh": (sinh, np.sinh),
    "cosh": (cosh, np.cosh),
    "tanh": (K.tanh, np.tanh),
    "pow": (lambda z: z**W[0], lambda z: z ** W[0]),
    "a whole power": (lambda z: z**3, lambda z: z**3),
    "a root": (lambda z: z**0.5, lambda z: z**0.5),
    "matmul": (lambda z: K.dot(z, W), lambda z: z @ W),
    "products of batches": (lambda z: multiply(1.0, K.batch_dot(z, z, 1)),
                            lambda z: np.sum(z * z, 1, keepdims=True)),
    "dense": (lambda z: K.dense(z, W, W[0]), lambda z: z @ W + W[0]),
    "einsum": (lambda z: einsum("ij,jk->ki", z, W), lambda z: (z @ W).T),
    "sum": (lambda z: K.sum(z, axis=0), lambda z: z.sum(0)),
    "mean": (lambda z: K.mean(z, axis=-1, keepdims=True), lambda z: z.mean(-1, keepdims=True)),
    "prod": (lambda z: K.prod(z, axis=1), lambda z: z.prod(1)),
    "cumsum": (lambda z: K.cumsum(z, 1), lambda z: z.cumsum(1)),
    "cumprod": (lambda z: K.cumprod(z, 1), lambda z: z.cumprod(1)),
    "reshape": (lambda z: K.reshape(z, (-1, 1, 3)), lambda z: z.reshape(-1, 1, 3)),
    "permute_dimensions": (K.transpose, np.transpose),
    "expand_dims and squeeze": (lambda z: K.squeeze(K.expand_dims(z, 1), 1), lambda z: z),
    "getitem": (lambda z: z[:, 1:], lambda z: z[:, 1:]),
    "gather": (lambda z: K.gather(z, np.array([1, 1, 0], np.int32)), lambda z: z[[1, 1, 0]]),
    "take_along_axis": (lambda z: take_along_axis(z, ALONG, 1), lambda z: np.take_along_axis(z, ALONG, 1)),
    "concatenate": (lambda z: K.concatenate([z, z * z], 1), lambda z: np.concatenate([z, z * z], 1)),
    "stack": (lambda z: K.stack([z, 2.0 * z]), lambda z: np.stack([z, 2 * z])),
    "unstack": (lambda z: multiply(*K.unstack(z, axis=1)[:2]), lambda z: z[:, 0] * z[:, 1]),
    "reverse": (lambda z: K.reverse(z, 1), lambda z: z[:, ::-1]),
    "repeat": (lambda z: K.repeat_elements(z, 2, 1), lambda z: np.repeat(z, 2, 1)),
    "tile": (lambda z: K.tile(z, (2, 1)), lambda z: np.tile(z, (2, 1))),
    "pad": (lambda z: K.temporal_padding(K.expand_dims(z, -1)), lambda z: np.pad(z, [(0, 0), (1, 1)])[..., None]),
    "where": (lambda z: K.switch(K.greater(real(z), 0.0), z, z * z), lambda z: np.where(z.real > 0, z, z * z)),
    "cast": (lambda z: K.cast(z, "complex128"), lambda z: z),
    "identity": (lambda z: K.identity(z), lambda z: z),
}
#: these are not analytic: their gradients tell conjugates from what is not conjugated
OTHERS = {
    "real": (real, np.real),
    "imag": (imag, np.imag),
    "conj": (lambda z: conj(z) * z * z, lambda z: z.conj() * z * z),
    "abs": (K.abs, np.abs),
    "angle": (angle, np.angle),
    "view_as_real": (view_as_real, lambda z: np.stack([z.real, z.imag], -1)),
    "polar": (lambda z: polar(K.abs(z), angle(z) * 2.0), lambda z: np.abs(z) * np.exp(2j * np.angle(z))),
    "complex": (lambda z: complex_(imag(z), real(z)), lambda z: z.imag + 1j * z.real),
    "vdot": (lambda z: vdot(z * 1j, z * z), lambda z: np.vdot(z * 1j, z * z)),
    "correlate": (lambda z: correlate(K.flatten(K.stack([z[0, :2], z[1, 1:]])), z[0] * 1j, "full"),
                  lambda z: np.correlate(np.r_[z[0, :2], z[1, 1:]], z[0] * 1j, "full")),
    "nancumsum": (lambda z: nancumsum(K.switch(K.greater(real(z), 1.5), K.ones_like(z) * np.nan, z), 1),
                  lambda z: np.nancumsum(np.where(z.real > 1.5, np.nan, z), 1)),
    "view_as_complex": (lambda z: view_as_complex(view_as_real(z)), lambda z: z),
}
ALL = {**HOLOMORPHIC, **OTHERS}


def placeholder(dtype="complex128"):
    return K.placeholder((None, 3), dtype=dtype)


def real_loss(y, weights):
    return K.sum(real(y * K.constant(weights, dtype="complex128")))


def by_differences(function, at):
    """dL/dx + i dL/dy."""
    across, along = (central(lambda d, u=u: function(at + u * d), np.zeros(at.shape)) for u in (1, 1j))
    return across + 1j * along


@pytest.mark.parametrize("name", ALL)
def test_values_and_gradients(each_backend, name):
    ours, theirs = ALL[name]
    expected = theirs(Z)
    weights = RNG.randn(*expected.shape) + 1j * RNG.randn(*expected.shape)
    z = placeholder()
    y = ours(z)
    value, slope = K.function([z], [y, *K.gradients(real_loss(y, weights), [z])])([Z])
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
    assert value.dtype == expected.dtype and y.dtype == expected.dtype.name and slope.dtype == Z.dtype
    wanted = by_differences(lambda at: np.sum(theirs(at) * weights).real, Z)
    np.testing.assert_allclose(slope, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["multiply", "divide", "exp", "sqrt", "matmul", "abs", "angle", "conj", "prod", "pow",
                                  "cumprod"])
def test_gradients_of_gradients(each_backend, name):
    z = placeholder()
    y = ALL[name][0](z)
    (slope,) = K.gradients(K.sum(real(y * y) + imag(y)), [z])
    size = K.sum(K.square(K.abs(slope)) + real(slope * 1j))
    first, second = K.function([z], [size]), K.function([z], K.gradients(size, [z]))
    wanted = by_differences(lambda at: first([at])[0], Z)
    np.testing.assert_allclose(second([Z])[0], wanted, rtol=1e-6, atol=1e-7 * np.abs(wanted).max())


@pytest.mark.parametrize("name", ["abs", "angle", "multiply"])
def test_complex64(each_backend, name):
    ours, theirs = ALL[name]
    z = placeholder("complex64")
    y = ours(z) if name != "multiply" else z * W[0].astype("complex64") * z
    single = Z.astype("complex64")
    value, slope = K.function([z], [y, *K.gradients(K.sum(real(y)), [z])])([single])
    assert value.dtype == theirs(single).real.dtype if name != "multiply" else "complex64"
    assert slope.dtype == np.complex64
    np.testing.assert_allclose(value, theirs(Z), rtol=1e-5)
    np.testing.assert_allclose(slope, by_differences(lambda at: np.sum(theirs(at)).real, Z), rtol=1e-5, atol=1e-6)


def test_gradients_of_reals_through_complex_numbers_are_real(each_backend):
    x, v = K.placeholder((None, 3), dtype="float64"), K.variable(np.full(3, 0.5), dtype="float64")
    y = K.exp(x * 1j) * v
    found = K.function([x], K.gradients(K.sum(K.abs(y + 1.0)), [x, v]))([Z.real])
    at = Z.real
    size = np.abs(np.exp(1j * at) * 0.5 + 1)
    assert [f.dtype.name for f in found] == ["float64", "float64"]
    np.testing.assert_allclose(found[0], -0.5 * np.sin(at) / size, rtol=1e-10)
    np.testing.assert_allclose(found[1], np.sum((0.5 + np.cos(at)) / size, 0), rtol=1e-10)


def test_at_zero_absolute_value_and_angle_have_no_slope(each_backend):
    z = K.placeholder((1,), dtype="complex128")
    found = K.function([z], [*K.gradients(K.abs(z), [z]), *K.gradients(angle(z), [z])])([np.zeros(1, complex)])
    np.testing.assert_array_equal(found, np.zeros((2, 1)))


def test_the_gradient_points_uphill(each_backend):
    z, target = K.variable(np.array([1 + 1j]), dtype="complex128"), 3 - 2j
    loss = K.sum(K.square(K.abs(z - target)))
    step = K.function([], [loss], updates=[K.update(z, z - K.gradients(loss, [z])[0] * 0.25)])
    losses = [float(step([])[0]) for _ in range(30)]
    assert losses[-1] < 1e-12 * losses[0]
    np.testing.assert_allclose(K.get_value(z), [target], rtol=1e-7)


def test_loops_and_branches(each_backend):
    z = K.placeholder((), dtype="complex128")
    _, power = K.while_loop(lambda i, p: K.less(i, 5), lambda i, p: (i + 1, p * z),
                            [K.constant(0, dtype="int32"), z])
    rows = K.placeholder((None, 2), dtype="complex128")
    total = K.foldl(lambda a, row: a * 1j + row, rows, K.constant([0j, 0j], dtype="complex128"))
    branch = K.switch(K.greater(real(z), 0.0), lambda: z * 2.0, lambda: z * 1j)
    at, table = 0.5 + 0.25j, RNG.randn(3, 2) + 1j
    slopes = K.gradients(real(power), [z]) + K.gradients(imag(branch), [z])
    found = K.function([z, rows], [power, total, branch, *slopes])([at, table])
    np.testing.assert_allclose(found[0], at**6, rtol=1e-12)
    np.testing.assert_allclose(found[1], (table[0] * 1j + table[1]) * 1j + table[2], rtol=1e-12)
    np.testing.assert_allclose(found[2:], [2 * at, np.conj(6 * at**5), 2j], rtol=1e-12)


# ------------------------------------------------------------ dtypes


@pytest.mark.parametrize(("given", "wanted"), [
    (("float32", "complex64"), "complex64"), (("float64", "complex64"), "complex128"),
    (("complex64", "complex128"), "complex128"), (("int64", "complex64"), "complex64"),
    (("float16", "complex64"), "complex64"), (("bfloat16", "complex64"), "complex64"),
    (("bool", "complex128"), "complex128"), (("float32", dtypes.WEAK_COMPLEX), "complex64"),
    (("float64", dtypes.WEAK_COMPLEX), "complex128"), (("int32", dtypes.WEAK_COMPLEX), "complex64"),
    (("complex128", dtypes.WEAK_FLOAT), "complex128"), ((dtypes.WEAK_COMPLEX, dtypes.WEAK_INT), "complex64"),
])
def test_promotion(given, wanted):
    assert dtypes.promote(*given) == dtypes.promote(*given[::-1]) == wanted


def test_names():
    assert dtypes.canonical(complex) == dtypes.canonical("complex") == "complex64"
    assert dtypes.canonical(np.complex128) == "complex128"
    assert (dtypes.real_of("complex64"), dtypes.real_of("int8")) == ("float32", "int8")


def test_constants_placeholders_and_variables(each_backend):
    assert K.constant([1, 2j]).dtype == "complex64" and K.variable(np.ones(2) * 1j).dtype == "complex64"
    assert K.variable(K.constant(1j)).dtype == "complex64"
    np.testing.assert_array_equal(K.eval(K.constant([1, 2j])), np.array([1, 2j], np.complex64))
    v = K.variable([1j, 2.0], dtype="complex128")
    K.set_value(v, [3.0, -1j])
    np.testing.assert_array_equal(K.get_value(v), [3.0, -1j])
    x = K.placeholder((2,), dtype="complex128")
    f = K.function([x], [v + x], updates=[K.update_add(v, x)])
    np.testing.assert_array_equal(f([[1.0, 2.0]])[0], [4.0, 2 - 1j])  # floats become complex
    np.testing.assert_array_equal(K.get_value(v), [4.0, 2 - 1j])
    np.testing.assert_array_equal(K.eval(K.zeros((2,), dtype="complex64")), np.zeros(2, "complex64"))


def test_numbers_beside_engine_tensors(each_backend):
    found = K.eval(K.multiply(K.eval(K.constant([1.0, 2.0])), 2j))
    assert found.dtype == np.complex64
    np.testing.assert_array_equal(found, [2j, 4j])


def test_questions(each_backend):
    odd = np.array([1 + 2j, complex(np.nan, 1), complex(0, np.inf), 3.0])
    x = K.placeholder((4,), dtype="complex128")
    found = K.function([x], [isnan(x), isinf(x), isfinite(x), isreal(x), K.equal(x, 3.0), K.not_equal(x, x)])
    wanted = [np.isnan(odd), np.isinf(odd), np.isfinite(odd), np.isreal(odd), odd == 3, odd != odd]
    np.testing.assert_array_equal(found([odd]), wanted)


def test_a_graph_is_written_and_read(each_backend):
    z = K.placeholder((None, 3), dtype="complex64", name="z")
    function = K.function([z], [K.abs(z * K.constant([1j, 2, 3 - 1j]) + K.variable(np.ones(3) * 2j))])
    read = serialize.from_json(serialize.to_json(function.graph))
    again = K.function(read.inputs, read.outputs)
    np.testing.assert_array_equal(again([Z.astype("complex64")])[0], function([Z.astype("complex64")])[0])


# ------------------------------------------------------------ errors

REFUSED = {
    "less": lambda x: K.less(x, x), "greater_equal": lambda x: K.greater_equal(x, 0.0),
    "maximum": lambda x: K.maximum(x, x), "max": K.max, "argmin": lambda x: K.argmin(x, 1), "sign": K.sign,
    "round": K.round, "clip": lambda x: K.clip(x, 0.0, 1.0), "mod": lambda x: x % 2.0, "floor_divide": lambda x: x // 2,
    "relu": K.relu, "softmax": K.softmax, "sigmoid": K.sigmoid, "var": K.var, "logsumexp": K.logsumexp,
    "atan2": lambda x: atan2(x, x), "hypot": lambda x: hypot(x, x),
    "cast": lambda x: K.cast(x, "float32"), "to bool": lambda x: K.cast(x, "bool"), "and": lambda x: x & x,
    "polar": lambda x: polar(x, 1.0), "complex": lambda x: complex_(x, 1.0),
    "inv": lambda x: inv(K.dot(K.transpose(x), x)),
    "view_as_complex": lambda x: view_as_complex(K.stack([real(x), x], -1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_for_complex_numbers_is_refused(each_backend, name):
    with pytest.raises(TypeError, match="complex"):
        REFUSED[name](placeholder())
    if name not in ("mod", "floor_divide", "and"):  # operators of an engine's own tensors are the engine's
        with pytest.raises(TypeError, match="complex"):
            REFUSED[name](Z)


def test_losses_are_real():
    z = placeholder()
    with pytest.raises(TypeError, match="real part"):
        K.gradients(K.sum(z), [z])


def test_imaginary_parts_are_not_lost_in_silence(each_backend):
    for call in (lambda: K.constant([1j], dtype="float32"), lambda: K.variable([1j], dtype="int32"),
                 lambda: K.variable(K.constant([1j]), dtype="float32"),
                 lambda: K.set_value(K.variable([1.0]), [1j]), lambda: K.update(K.variable([1.0]), K.constant([1j]))):
        with pytest.raises(TypeError, match="complex"):
            call()
    x = K.placeholder((1,))
    with pytest.raises(FeedError, match="complex"):
        K.function([x], [x])([[1j]])


@pytest.mark.parametrize(("call", "error"), [
    (lambda: view_as_complex(np.ones((2, 3))), ValueError), (lambda: view_as_complex(1.0), ValueError),
    (lambda: view_as_complex(K.placeholder((2, None))), ValueError), (lambda: view_as_real([1.0]), TypeError),
    (lambda: view_as_real(K.placeholder((2,))), TypeError), (lambda: polar(np.ones(2), np.ones(3)), ValueError),
])
def test_wrong_operands(each_backend, call, error):
    with pytest.raises(error):
        call()


def test_lists_are_viewed_as_complex(each_backend):
    assert ops.convert_to_numpy(view_as_complex([[1.0, 2.0], [0.0, -1.0]])).tolist() == [1 + 2j, -1j]


# ------------------------------------------------------------ Keras


SINGLE = Z.astype("complex64")


@pytest.mark.parametrize(("name", "args"), [
    ("real", [SINGLE]), ("imag", [SINGLE]), ("conj", [SINGLE]), ("angle", [SINGLE]),
    ("angle", [Z.real.astype("float32")]), ("real", [Z.real.astype("float32")]), ("imag", [Z.real.astype("float32")]),
    ("polar", [np.abs(SINGLE), np.angle(SINGLE)]), ("view_as_real", [SINGLE]),
    ("view_as_complex", [np.ones((3, 2), np.float32) * [1, -2]]),
])
def test_it_is_keras(keras, each_backend, name, args):
    if name == "view_as_complex":
        args = [args[0].astype("float32")]
    expected = np.asarray(getattr(keras.ops, name)(*args))
    found = K.eval(getattr(ops, name)(*(K.constant(a) for a in args)))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
