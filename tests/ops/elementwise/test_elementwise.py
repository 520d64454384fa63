"""Elementwise functions, activations, order statistics and windows against NumPy, mathematics and definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kbackend
from kbackend import K, ops
from kbackend.ops.core.cast import copy
from kbackend.ops.elementwise.arithmetic import abs_, fabs, fmod, heaviside, true_divide
from kbackend.ops.elementwise.bitwise import bitwise_left_shift, bitwise_not, bitwise_right_shift, gcd, lcm
from kbackend.ops.elementwise.complex import isreal
from kbackend.ops.elementwise.exponential import exp2, ldexp, log2, log10, logaddexp, logaddexp2
from kbackend.ops.elementwise.floating import (
    fmax,
    fmin,
    isclose,
    isneginf,
    isposinf,
    nan_to_num,
    nextafter,
    saturate_cast,
    signbit,
    view,
)
from kbackend.ops.elementwise.hyperbolic import arccosh, arcsinh, arctanh
from kbackend.ops.elementwise.power import cbrt, hypot
from kbackend.ops.elementwise.power import power as power_op
from kbackend.ops.elementwise.rounding import trunc
from kbackend.ops.elementwise.special import digamma, erfc, erfinv, i0, lgamma
from kbackend.ops.elementwise.trigonometric import acos, arctan2, asin, atan, deg2rad, rad2deg, sinc
from kbackend.ops.nn.relu import celu, hard_shrink, hard_tanh, relu6, soft_shrink, threshold
from kbackend.ops.nn.sigmoid import (
    hard_silu,
    log_sigmoid,
    mish,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    tanh_shrink,
)
from kbackend.ops.nn.softmax import glu, sparsemax
from kbackend.ops.reduction.reductions import reduce_max, reduce_min
from kbackend.ops.signal.windows import hanning
from kbackend.ops.statistics.differences import ptp
from kbackend.ops.statistics.membership import allclose, count_nonzero, isin
from kbackend.ops.statistics.moments import average
from kbackend.ops.statistics.nan import (
    nanargmax,
    nanargmin,
    nancumprod,
    nancumsum,
    nanmax,
    nanmean,
    nanmin,
    nanprod,
    nanstd,
    nansum,
    nanvar,
)
from kbackend.ops.statistics.quantile import (
    METHODS,
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    percentile,
    quantile,
)

NAN, INF = math.nan, math.inf
X = np.array([[1.5, -0.25, 3.0, 0.75], [-2.0, 0.5, -1.75, 2.25], [0.125, 4.0, -3.5, 1.0]])
POSITIVE = np.abs(X)
INSIDE = X / 5
HOLES = np.where(X < -1.8, NAN, X)
COUNTS = np.array([[12, -18, 0, 7], [30, 4, -9, 0], [1, 100, 64, 5]], np.int32)
OTHER = np.array([4, 6, -15, 0], np.int32)
SPECIAL = np.array([1.0, -0.0, 0.0, INF, -INF, NAN])


def _value(function: Callable[..., Any], *arrays: Any, **attrs: Any) -> np.ndarray:
    """The result of a program with a placeholder for each array, whose first dimension is not known."""
    inputs = [K.placeholder((None, *np.shape(a)[1:]) if np.ndim(a) else (), dtype=str(np.asarray(a).dtype))
              for a in arrays]
    (found,) = K.function(inputs, [function(*inputs, **attrs)])([*arrays])
    return np.asarray(found)


def _gradient(function: Callable[..., Any], x: np.ndarray, order: int = 1) -> np.ndarray:
    symbol = K.placeholder(x.shape, dtype=str(x.dtype))
    found = function(symbol)
    for _ in range(order):
        (found,) = K.gradients(K.sum(found), [symbol])
    return np.asarray(K.function([symbol], [found])([x])[0])


OF_ONE: list[tuple[Any, Callable[..., Any], np.ndarray]] = [
    (arcsinh, np.arcsinh, X),
    (arccosh, np.arccosh, POSITIVE + 1),
    (arctanh, np.arctanh, INSIDE),
    (log2, np.log2, POSITIVE),
    (log10, np.log10, POSITIVE),
    (exp2, np.exp2, X),
    (cbrt, np.cbrt, X),
    (deg2rad, np.deg2rad, X),
    (rad2deg, np.rad2deg, X),
    (sinc, np.sinc, X),
    (i0, np.i0, X),
    (trunc, np.trunc, X),
    (fabs, np.fabs, X),
    (copy, np.copy, X),
    (nan_to_num, np.nan_to_num, np.array([NAN, INF, -INF, 2.0])),
    (isneginf, np.isneginf, SPECIAL),
    (isposinf, np.isposinf, SPECIAL),
    (isreal, np.isreal, SPECIAL),
    (signbit, np.signbit, SPECIAL[:5]),
    (nansum, np.nansum, HOLES),
    (nanprod, np.nanprod, HOLES),
    (nanmean, np.nanmean, HOLES),
    (nanvar, np.nanvar, HOLES),
    (nanstd, np.nanstd, HOLES),
    (nanmax, np.nanmax, HOLES),
    (nanmin, np.nanmin, HOLES),
    (nanargmax, np.nanargmax, HOLES),
    (nanargmin, np.nanargmin, HOLES),
    (nancumsum, np.nancumsum, HOLES),
    (nancumprod, np.nancumprod, HOLES),
    (median, np.median, X),
    (nanmedian, np.nanmedian, HOLES),
    (count_nonzero, np.count_nonzero, COUNTS),
    (average, np.average, X),
    (ptp, np.ptp, X),
    (abs_, np.absolute, X),
    (reduce_max, np.amax, X),
    (reduce_min, np.amin, X),
    (acos, np.arccos, INSIDE),
    (asin, np.arcsin, INSIDE),
    (atan, np.arctan, X),
    (bitwise_not, np.invert, COUNTS),
]


@pytest.mark.parametrize(("ours", "theirs", "x"), OF_ONE, ids=lambda v: getattr(v, "__name__", ""))
def test_functions_of_one_tensor_are_those_of_numpy(each_backend: str, ours: Any, theirs: Any, x: Any) -> None:
    expected = theirs(x)
    found = _value(ours, x)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


OF_TWO: list[tuple[Any, Callable[..., Any], Any, Any]] = [
    (true_divide, np.true_divide, X, POSITIVE[0]),
    (power_op, np.power, POSITIVE, X[0]),
    (arctan2, np.arctan2, X, X[1]),
    (fmod, np.fmod, X, X[0]),
    (fmax, np.fmax, HOLES, X[1]),
    (fmin, np.fmin, HOLES, X[1]),
    (heaviside, np.heaviside, np.round(X), INSIDE[0]),
    (hypot, np.hypot, X, X[0]),
    (logaddexp, np.logaddexp, X, X[0]),
    (logaddexp2, np.logaddexp2, X, X[0]),
    (ldexp, np.ldexp, X, OTHER),
    (nextafter, np.nextafter, X, X[1]),
    (gcd, np.gcd, COUNTS, OTHER),
    (lcm, np.lcm, COUNTS, OTHER),
    (bitwise_left_shift, np.left_shift, COUNTS, np.abs(OTHER)),
    (bitwise_right_shift, np.right_shift, COUNTS, np.abs(OTHER)),
    (isclose, np.isclose, X, X[0] * (1 + 1e-6)),
    (allclose, np.allclose, X, X * (1 + 1e-6)),
    (isin, np.isin, COUNTS, OTHER),
]


@pytest.mark.parametrize(("ours", "theirs", "x", "y"), OF_TWO, ids=lambda v: getattr(v, "__name__", ""))
def test_functions_of_two_tensors_are_those_of_numpy(
    each_backend: str, ours: Any, theirs: Any, x: Any, y: Any
) -> None:
    np.testing.assert_allclose(_value(ours, x, y), theirs(x, y), rtol=1e-13, atol=1e-15)


#: by mpmath, with 30 digits
TRUTH: list[tuple[Any, dict[float, float]]] = [
    (lgamma, {
        0.001: 6.907178885383853, 0.5: 0.5723649429247001, 1.25: -0.09827183642181316,
        1.9990234375: -0.0004125677359714894, 2.75: 0.47521466691493713, 7.5: 7.534364236758733,
        50.0: 144.5657439463449, -2.5: -0.056243716497674054, -0.125: 2.16530024890517,
    }),
    (digamma, {
        0.5: -1.9635100260214235, 1.0: -0.5772156649015329, 3.25: 1.016990911068179,
        20.0: 2.970523992242149, -1.25: 3.714139120213528,
    }),
    (erfc, {
        -1.5: 1.9661051464753108, 0.25: 0.7236736098317631, 2.0: 0.004677734981047266,
        6.5: 3.8421483271206475e-20, 10.0: 2.088487583762545e-45, 20.0: 5.395865611607901e-176,
    }),
    (erfinv, {
        1e-08: 8.86226925452758e-09, 0.25: 0.2253120550121781, -0.875: -1.0847870400692832,
        0.9990234375: 2.331467773621948,
    }),
    (i0, {
        0.5: 1.0634833707413236, -3.0: 4.8807925858650245, 19.5: 26760525.339838766,
        25.0: 5774560606.4663105, 300.0: 4.475847367935052e+128,
    }),
]


@pytest.mark.parametrize(("function", "table"), TRUTH, ids=lambda v: getattr(v, "__name__", ""))
def test_special_functions_keep_their_digits(each_backend: str, function: Any, table: dict[float, float]) -> None:
    found = _value(function, np.array(list(table)))
    np.testing.assert_allclose(found, list(table.values()), rtol=5e-14)


def test_the_composition_of_the_gamma_function_is_precise_near_its_zeros() -> None:
    with kbackend.use_backend("numpy"):
        found = _value(lgamma, np.array([1.0 + 2.0**-30, 2.0 - 2.0**-30]))
    euler = 0.5772156649015329
    bend = math.pi**2 / 12 * 2.0**-60
    expected = [bend - euler * 2.0**-30, bend - 2.0**-61 - (1 - euler) * 2.0**-30]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_derivatives_of_the_gamma_function_and_of_erfinv(each_backend: str) -> None:
    x = np.array([0.5, 1.0, 3.25, 20.0])
    trigamma = [4.934802200544679, 1.6449340668482264, 0.3597982903095799, 0.05127082293520312]
    np.testing.assert_allclose(_gradient(digamma, x), trigamma, rtol=1e-11)
    np.testing.assert_allclose(_gradient(lgamma, x), _value(digamma, x), rtol=1e-12)
    at = np.array([0.0, 0.25, -0.875])
    root = _value(erfinv, at)
    first = math.sqrt(math.pi) / 2 * np.exp(root**2)
    np.testing.assert_allclose(_gradient(erfinv, at), first, rtol=1e-12)
    np.testing.assert_allclose(_gradient(erfinv, at, order=2), 2 * root * first**2, rtol=1e-10, atol=1e-14)


WINDOWS = ("bartlett", "blackman", "hamming", "hanning", "kaiser")


@pytest.mark.parametrize("length", [0, 1, 2, 7, 12])
@pytest.mark.parametrize("name", WINDOWS)
def test_windows_are_those_of_numpy(name: str, length: int) -> None:
    more = (8.6,) if name == "kaiser" else ()
    found = np.asarray(getattr(ops, name)(length, *more))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, getattr(np, name)(length, *more), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("length", [K.placeholder(()), 2.0, np.array([3, 4])])
def test_a_window_needs_a_known_whole_length(length: Any) -> None:
    with pytest.raises(TypeError, match="length"):
        hanning(length)


SPECIAL = [
    "arccosh", "arcsinh", "arctanh", "cbrt", "deg2rad", "digamma", "erfc", "erfinv", "exp2", "i0", "lgamma", "log10",
    "log2", "rad2deg", "sinc",
]
_ROUNDED = ["hard_tanh", "hard_silu", "sparse_plus", "glu", "nanmean", "median"]


@pytest.mark.parametrize("name", [*SPECIAL, *_ROUNDED])
def test_bfloat16_stays_bfloat16(each_backend: str, name: str) -> None:
    x = np.array([[0.5, 0.75, 0.25, 0.875]]) + (name == "arccosh")
    given = K.function([], [K.cast(K.constant(x), "bfloat16")])([])[0]
    found = getattr(ops, name)(K.cast(given, "bfloat16"))
    assert K.dtype(found) == "bfloat16"
    exact = _value(getattr(ops, name), x)
    np.testing.assert_allclose(K.eval(K.cast(found, "float64")), exact, rtol=0.02, atol=0.005)


# ------------------------------------------------------------ order statistics


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [None, 1, (0, 2), ()])
def test_quantiles_are_those_of_numpy(each_backend: str, method: str, axis: Any) -> None:
    x = np.random.default_rng(3).normal(size=(4, 5, 2))
    q = [0.0, 0.5, 0.3, 0.875, 1.0]
    found = _value(quantile, x, q=q, axis=axis, method=method, keepdims=True)
    np.testing.assert_allclose(found, np.quantile(x, q, axis=axis, method=method, keepdims=True), rtol=1e-13)


def test_halfway_the_nearest_is_the_one_with_the_even_place(each_backend: str) -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    found = [float(_value(quantile, x, q=q, method="nearest")) for q in (1 / 6, 1 / 2, 5 / 6)]
    assert found == [np.quantile(x, q, method="nearest") for q in (1 / 6, 1 / 2, 5 / 6)] == [1.0, 4.0, 4.0]


def test_infinite_elements_have_quantiles(each_backend: str) -> None:
    x = np.array([INF, 1.0, INF])
    assert [float(_value(quantile, x, q=q)) for q in (0.0, 0.5, 0.75)] == [1.0, INF, INF]


def test_the_place_of_an_infinite_extreme_is_not_that_of_nan(each_backend: str) -> None:
    assert int(_value(nanargmax, np.array([NAN, -INF, NAN]))) == 1
    assert int(_value(nanargmin, np.array([NAN, INF, NAN]))) == 1
    assert int(_value(nanargmax, np.array([NAN, NAN]))) == -1


def test_quantiles_past_nan_are_those_of_numpy(each_backend: str) -> None:
    for q in (0.0, 0.4, 1.0):
        found = _value(nanquantile, HOLES, q=q, axis=1)
        np.testing.assert_allclose(found, np.nanquantile(HOLES, q, axis=1), rtol=1e-13)
        found = _value(nanpercentile, HOLES, q=100 * q)
        np.testing.assert_allclose(found, np.nanpercentile(HOLES, 100 * q), rtol=1e-13)
    assert np.isnan(_value(percentile, HOLES, q=40.0))


def test_quantiles_over_several_axes_of_unknown_sizes(each_backend: str) -> None:
    x = np.random.default_rng(4).normal(size=(3, 2, 5, 4))
    symbol = K.placeholder((None, None, None, 4), dtype="float64")
    run = K.function([symbol], [quantile(symbol, [0.2, 0.9], axis=(1, 2))])
    np.testing.assert_allclose(run([x])[0], np.quantile(x, [0.2, 0.9], axis=(1, 2)), rtol=1e-13)
    np.testing.assert_allclose(run([x[:2, :, :3]])[0], np.quantile(x[:2, :, :3], [0.2, 0.9], axis=(1, 2)))


def test_the_median_of_an_even_count_is_the_mean_of_the_two(each_backend: str) -> None:
    # docs/semantics.md, row 47
    assert float(_value(median, np.array([7.0, 1.0, 3.0, 100.0]))) == 5.0


@pytest.mark.parametrize(
    ("attrs", "error"),
    [
        ({"q": 1.5}, ValueError),
        ({"q": []}, ValueError),
        ({"q": [[0.5]]}, ValueError),
        ({"q": 0.5, "method": "best"}, ValueError),
        ({"q": 0.5, "axis": 2}, ValueError),
        ({"q": K.placeholder(())}, TypeError),
    ],
)
def test_wrong_quantiles_are_refused_while_building(attrs: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="quantile|axis"):
        quantile(K.placeholder((None, 3)), **attrs)


@pytest.mark.parametrize("weights", [np.array([0.5, 2.0, 1.0]), POSITIVE])
def test_weighted_means_are_those_of_numpy(each_backend: str, weights: np.ndarray) -> None:
    x = K.placeholder(X.shape, dtype="float64")
    (found,) = K.function([x], [average(x, 0, weights)])([X])
    np.testing.assert_allclose(found, np.average(X, 0, weights), rtol=1e-6)


def test_infinite_elements_stay_infinite_under_weights(each_backend: str) -> None:
    x = K.constant([[INF, 1.0], [2.0, 3.0]])
    assert K.eval(average(x, 0, [1.0, 3.0])).tolist() == [INF, 2.5]


# ------------------------------------------------------------ activations


def _project(row: np.ndarray) -> np.ndarray:
    """The nearest point of the simplex, by bisection of what is taken from each."""
    low, high = row.max() - 1.0, row.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(row - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(row - low, 0)


def test_sparsemax_projects_onto_the_simplex(each_backend: str) -> None:
    x = np.random.default_rng(5).normal(size=(40, 6)) * 0.5
    found = _value(sparsemax, x)
    np.testing.assert_allclose(found, [_project(row) for row in x], atol=1e-14)
    columns = _value(sparsemax, INSIDE, axis=0)
    np.testing.assert_allclose(columns.T, [_project(row) for row in INSIDE.T], atol=1e-14)
    np.testing.assert_allclose(columns.sum(0), 1, rtol=1e-14)


_SOFTPLUS = np.logaddexp(X, 0)
_GATE = np.clip(X / 6 + 0.5, 0, 1)
DEFINED: list[tuple[Any, dict[str, Any], np.ndarray]] = [
    (celu, {"alpha": 0.5}, np.where(X < 0, 0.5 * np.expm1(np.minimum(X, 0) / 0.5), X)),
    (glu, {}, X[:, :2] / (1 + np.exp(-X[:, 2:]))),
    (hard_shrink, {"threshold": 0.75}, np.where(np.abs(X) > 0.75, X, 0)),
    (soft_shrink, {"threshold": 0.75}, np.sign(X) * np.maximum(np.abs(X) - 0.75, 0)),
    (hard_silu, {}, X * _GATE),
    (hard_tanh, {}, np.clip(X, -1, 1)),
    (log_sigmoid, {}, -np.logaddexp(-X, 0)),
    (mish, {}, X * np.tanh(_SOFTPLUS)),
    (relu6, {}, np.clip(X, 0, 6)),
    (sparse_sigmoid, {}, np.clip((X + 1) / 2, 0, 1)),
    (sparse_plus, {}, np.where(X >= 1, X, np.where(X <= -1, 0, (X + 1) ** 2 / 4))),
    (squareplus, {"b": 3}, (X + np.sqrt(X**2 + 3)) / 2),
    (tanh_shrink, {}, X - np.tanh(X)),
    (threshold, {"threshold": 0.5, "default_value": -7.0}, np.where(X > 0.5, X, -7.0)),
]


@pytest.mark.parametrize(("function", "attrs", "expected"), DEFINED, ids=lambda v: getattr(v, "__name__", ""))
def test_activations_follow_their_definitions(
    each_backend: str, function: Any, attrs: dict[str, Any], expected: np.ndarray
) -> None:
    np.testing.assert_allclose(_value(function, X, **attrs), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("width", [3, None])
def test_glu_needs_a_known_even_axis(width: int | None) -> None:
    with pytest.raises(ValueError, match="even"):
        glu(K.placeholder((2, width)))


# ------------------------------------------------------------ bits and limits


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_next_number_is_one_unit_away(each_backend: str, dtype: str) -> None:
    step = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}[dtype]
    one = K.constant([1.0, 1.0, -1.0], dtype=dtype)
    found = K.eval(K.cast(nextafter(one, K.constant([2.0, 0.0, -2.0], dtype=dtype)), "float64"))
    assert found.tolist() == [1 + step, 1 - step / 2, -1 - step]


@pytest.mark.parametrize(("before", "after"), [("int32", "int8"), ("int16", "float64"), ("float64", "int64")])
def test_views_are_those_of_numpy(each_backend: str, before: str, after: str) -> None:
    x = (np.arange(2 * 3 * 8).reshape(2, 3, 8) * 1001).astype(before)
    assert _value(view, x, dtype=after).tobytes() == x.view(after).tobytes()
    symbol = K.placeholder((None, None, None), dtype=before)
    (found,) = K.function([symbol], [view(symbol, after)])([x])
    assert found.shape == x.view(after).shape


def test_a_copy_has_memory_of_its_own() -> None:
    with kbackend.use_backend("numpy"):
        x = np.ones(3, np.float32)
        made = copy(x)
        x[:] = 5
        assert np.asarray(made).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("wanted", ["int8", "uint16", "int32", "int64", "float16"])
@pytest.mark.parametrize("given", ["float32", "float64", "int64"])
def test_saturated_casts_keep_to_the_dtype(each_backend: str, given: str, wanted: str) -> None:
    numbers = np.array([-(2.0**62), -70000, -129, -1, 0, 5, 127, 128, 65535, 65536, 2.0**62]).astype(given)
    limits: Any = np.finfo(wanted) if wanted.startswith("float") else np.iinfo(wanted)
    low, high = float(limits.min), float(limits.max)
    expected = [float(np.dtype(wanted).type(min(max(float(v), low), high))) for v in numbers]
    assert _value(saturate_cast, numbers, dtype=wanted).astype("float64").tolist() == expected


def test_powers_of_two_beyond_the_largest_float(each_backend: str) -> None:
    x, power = np.array([2.0**-1000, 2.0**1000, 0.0, 3.0]), np.array([2000, -2000, 10**6, -2], np.int32)
    assert _value(ldexp, x, power).tolist() == [2.0**1000, 2.0**-1000, 0.0, 0.75]


#: functions that are 0 below 0
CUTS = {
    "clip": lambda x: K.clip(x, 0.0, 9.0), "maximum": lambda x: K.maximum(x, 0.0), "relu": K.relu,
    "minimum": lambda x: -K.minimum(0.0, -x), "clip at the upper bound": lambda x: -K.clip(-x, -9.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_the_gradient_is_0_where_an_operand_is_not_chosen_and_that_of_the_root_is_infinite(each_backend, cut):
    if (cut, each_backend) == ("relu", "tensorflow"):
        pytest.skip("TensorFlow's kernel multiplies: docs/semantics.md, row 62")
    x = K.placeholder((3,))
    slope = K.function([x], K.gradients(K.sum(K.sqrt(CUTS[cut](x))), [x]))
    np.testing.assert_array_equal(slope([[-1.0, 4.0, -2.0]])[0], [0.0, 0.25, 0.0])
