"""Promises of elementwise ops, reductions and activations that one call of one op cannot show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kbackend
from kbackend import K


def _gradient_at(function: Any, at: list[float]) -> list[float]:
    x = K.placeholder((len(at),))
    (found,) = K.function([x], K.gradients(K.sum(function(x)), [x]))([at])
    return found.tolist()


def _second_at(function: Any, at: list[float]) -> list[float]:
    x = K.placeholder((len(at),))
    (first,) = K.gradients(K.sum(function(x)), [x])
    (found,) = K.function([x], K.gradients(K.sum(first), [x]))([at])
    return found.tolist()


def test_a_root_at_zero_that_nothing_flows_into_has_gradient_zero(each_backend: str) -> None:
    # docs/semantics.md, row 62
    assert _gradient_at(lambda x: K.sqrt(x) * 0.0, [0.0, 4.0]) == [0.0, 0.0]
    chosen = _gradient_at(lambda x: K.where(K.greater(x, 1.0), K.sqrt(x), x), [0.0, 4.0])
    assert chosen == [1.0, 0.25]


@pytest.mark.parametrize("function", [K.floor_divide, K.mod])
def test_an_integer_divided_by_zero_in_a_program(each_backend: str, function: Any) -> None:
    # docs/semantics.md, row 34
    x, y = K.placeholder((2,), dtype="int32"), K.placeholder((2,), dtype="int32")
    divide = K.function([x, y], [function(x, y)])
    assert divide([[7, -7], [2, 2]])[0].tolist() == [function(7, 2), function(-7, 2)]
    with pytest.raises(ZeroDivisionError):
        divide([[7, -7], [2, 0]])
    assert divide([[6, 6], [4, 4]])[0].tolist() == [function(6, 4)] * 2


def test_an_integer_to_a_negative_power_in_a_program(each_backend: str) -> None:
    # docs/semantics.md, row 33
    x, y = K.placeholder((2,), dtype="int32"), K.placeholder((2,), dtype="int32")
    power = K.function([x, y], [K.pow(x, y)])
    assert power([[2, 3], [3, 2]])[0].tolist() == [8, 9]
    with pytest.raises(ValueError):
        power([[2, 3], [3, -2]])


def test_a_negative_power_known_while_building_is_refused_there() -> None:
    # docs/semantics.md, row 33
    with pytest.raises(ValueError, match="negative power -1"):
        K.pow(K.placeholder((2,), dtype="int32"), -1)


def test_operators_are_logic_on_bool_and_bits_of_integers(each_backend: str) -> None:
    a, b = K.placeholder((2,), dtype="bool"), K.placeholder((2,), dtype="bool")
    logic = K.function([a, b], [a & b, a | b, a ^ b, ~a])
    assert [r.tolist() for r in logic([[True, False], [True, True]])] == [
        [True, False],
        [True, True],
        [False, True],
        [False, True],
    ]
    m, n = K.placeholder((2,), dtype="int32"), K.placeholder((2,), dtype="int32")
    bits = K.function([m, n], [m & n, m | n, m ^ n, ~m, m & 4])
    assert [r.tolist() for r in bits([[6, 5], [3, 4]])] == [[2, 4], [7, 5], [5, 1], [-7, -6], [4, 4]]


def test_tensors_made_of_an_array_do_not_see_later_changes(each_backend: str) -> None:
    # docs/semantics.md, row 53; to NumPy an array is a tensor already
    array = np.ones(3, np.float32)
    made = [K.variable(array), K.constant(array)]
    made += [K.identity(array)] if each_backend != "numpy" else []
    array[:] = 5
    assert [K.eval(tensor).tolist() for tensor in made] == [[1.0, 1.0, 1.0]] * len(made)


def test_second_derivatives_of_fused_kernels(each_backend: str) -> None:
    at = [-0.7, 0.3]
    s = [1 / (1 + math.exp(-x)) for x in at]
    t = [math.tanh(x) for x in at]
    found = {
        "sigmoid": (K.sigmoid, [y * (1 - y) * (1 - 2 * y) for y in s]),
        "tanh": (K.tanh, [-2 * y * (1 - y * y) for y in t]),
        "softsign": (K.softsign, [-2 * math.copysign(1, x) / (1 + abs(x)) ** 3 for x in at]),
        "softplus": (K.softplus, [y * (1 - y) for y in s]),
        "square": (K.square, [2.0, 2.0]),
        "pow": (lambda x: K.pow(x, 3), [6 * x for x in at]),
        "cumprod": (K.cumprod, [1.0, 1.0]),
        "prod": (K.prod, [1.0, 1.0]),
    }
    for name, (function, wanted) in found.items():
        np.testing.assert_allclose(_second_at(function, at), wanted, rtol=1e-4, err_msg=name)


def test_the_gradient_of_a_sum_can_be_written_to(each_backend: str) -> None:
    x = K.placeholder((3,))
    (found,) = K.function([x], K.gradients(K.sum(x), [x]))([[1.0, 2.0, 3.0]])
    found += 1
    assert found.tolist() == [2.0, 2.0, 2.0]


def test_numbers_that_are_not_finite_bring_no_warnings(
    each_backend: str, recwarn: pytest.WarningsRecorder
) -> None:
    x = K.placeholder((3,))
    outputs = [K.log(x), K.sqrt(x), x / 0.0, K.exp(x * 1e4), K.sigmoid(x * -1e4)]
    gradients = K.gradients(K.sum(K.log(x) + K.sqrt(x)), [x])
    K.function([x], [*outputs, *gradients])([[-1.0, 0.0, 1.0]])
    K.log(np.zeros(2, np.float32))
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)] == []


def test_the_error_function_of_numpy_is_that_of_the_c_library() -> None:
    from kbackend_numpy.special import erf

    x = np.concatenate([np.linspace(-7, 7, 5001), [1e-300, 1.0, -1.0, 6.5, np.nextafter(1, 2)]])
    wanted = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(erf(x), wanted, rtol=2e-15, atol=0)
    single = x.astype(np.float32)
    assert erf(single).dtype == np.float32
    np.testing.assert_allclose(erf(single), [math.erf(v) for v in single], rtol=3e-7, atol=0)


def test_numpy_derivatives_stay_in_float32() -> None:
    from autograd import make_vjp

    from kbackend_numpy.kernels.elementwise import functions as elementwise
    from kbackend_numpy.kernels.nn import activations as activation
    from kbackend_numpy.kernels.reduction import reductions as reduction

    x = np.array([[0.2, 0.7], [0.3, 0.9]], np.float32)
    row = np.array([0.4, 0.8], np.float32)
    one = (
        "abs",
        "acos",
        "asin",
        "atan",
        "cos",
        "cosh",
        "erf",
        "exp",
        "expm1",
        "log",
        "log1p",
        "negative",
        "reciprocal",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "tan",
        "tanh",
    )
    two = ("add", "subtract", "multiply", "divide", "mod", "pow", "maximum", "minimum", "atan2")
    over = ("sum", "mean", "prod", "max", "min")
    calls: dict[str, Any] = {n: elementwise.KERNELS[n] for n in one}
    calls |= {f"{n}, first": lambda v, n=n: elementwise.KERNELS[n](v, row) for n in two}
    calls |= {f"{n}, second": lambda v, n=n: elementwise.KERNELS[n](x, v) for n in two}
    calls |= {n: lambda v, n=n: reduction.KERNELS[n](v, axis=(0,), keepdims=False) for n in over}
    calls |= {n: lambda v, n=n: reduction.KERNELS[n](v, axis=0) for n in ("cumsum", "cumprod")}
    calls |= {n: activation.KERNELS[n] for n in ("relu", "sigmoid")}
    calls |= {n: lambda v, n=n: activation.KERNELS[n](v, axis=-1) for n in ("softmax", "log_softmax")}
    calls["clip_range"] = lambda v: elementwise.KERNELS["clip_range"](v, low=0.25, high=0.75)
    calls["power_number"] = lambda v: elementwise.KERNELS["power_number"](v, exponent=-1.5)
    calls["where"] = lambda v: elementwise.KERNELS["where"](x > 0.5, v, np.float32(1))
    leaks = {}
    for name, function in calls.items():
        at = row if name.endswith("second") else x
        backward, value = make_vjp(function)(at)
        dtypes = np.asarray(value).dtype, np.asarray(backward(np.ones_like(value))).dtype
        if dtypes != (np.float32, np.float32):
            leaks[name] = dtypes
    assert leaks == {}


def test_cast_to_floatx_gives_what_it_was_given() -> None:
    assert isinstance(K.cast_to_floatx([1, 2]), np.ndarray)
    assert K.cast_to_floatx(np.ones(2)).dtype == np.float32
    assert K.is_tensor(K.cast_to_floatx(K.placeholder((2,), dtype="int32")))


def test_stop_gradient_of_a_list_is_a_list() -> None:
    x, y = K.placeholder((2,)), K.placeholder((3,))
    stopped = K.stop_gradient([x, y])
    assert [t.shape for t in stopped] == [(2,), (3,)]
    assert K.gradients(K.sum(stopped[0]), [x]) == [None]


@pytest.mark.parametrize("name", ["gelu", "leaky_relu"])
def test_what_engines_disagree_on_must_be_said(name: str) -> None:
    with pytest.raises(TypeError, match="approximate|negative_slope"):
        getattr(K, name)(K.placeholder((2,)))


def test_alpha_may_be_a_variable() -> None:
    with kbackend.use_backend("numpy"):
        alpha = K.variable(0.5)
        x = K.placeholder((2,))
        f = K.function([x], [K.relu(x, alpha=alpha), K.elu(x, alpha), K.leaky_relu(x, alpha)])
        assert f([[-2.0, 2.0]])[0].tolist() == [-1.0, 2.0]
        K.set_value(alpha, 0.25)
        relu, elu, leaky = f([[-2.0, 2.0]])
        assert relu.tolist() == leaky.tolist() == [-0.5, 2.0]
        np.testing.assert_allclose(elu, [0.25 * math.expm1(-2), 2.0], rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["sqrt", "sum", "mean", "max", "cumprod", "std", "relu", "sigmoid", "softmax"]
)
def test_bfloat16(each_backend: str, name: str) -> None:
    x = K.placeholder((2, 3), dtype="bfloat16")
    result = getattr(K, name)(x)
    values = np.linspace(0.25, 1.5, 6).reshape(2, 3)  # exact in bfloat16
    # autograd boxes no bfloat16 scalars, so NumPy has no gradients in it
    gradients = [] if each_backend == "numpy" else K.gradients(K.sum(result), [x])
    found, *others = K.function([x], [result, *gradients])([values])
    assert {result.dtype, *(str(a.dtype) for a in (found, *others))} == {"bfloat16"}
    with kbackend.use_backend("numpy"):
        wanted = K.eval(getattr(K, name)(values))
    np.testing.assert_allclose(found.astype(np.float64), wanted, rtol=1e-2, atol=1e-2)
