"""Functions with gradients of their own, in graphs and at once, on all engines."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import K
from kbackend.graph.walk import Graph
from kbackend.ops.control.custom_gradient import custom_gradient
from kbackend.plugin.select import target
from kbackend.saving.graph_json import from_json


@custom_gradient
def log1pexp(x):
    powers = K.exp(x)
    return K.log(1 + powers), lambda upstream: upstream * (1 - 1 / (1 + powers))


def gradient_of(function, *given, wanted=None):
    inputs = [K.placeholder((None,) * np.ndim(g), dtype="float32") for g in given]
    found = K.gradients(function(*inputs), inputs if wanted is None else [inputs[i] for i in wanted])
    return [np.asarray(g) for g in K.function(inputs, found)([np.asarray(g, "float32") for g in given])]


X = np.array([-2.0, 0.5, 100.0], "float32")


def test_the_gradient_is_that_of_the_function(each_backend):
    (found,) = gradient_of(lambda x: K.sum(3 * log1pexp(x)), X)
    np.testing.assert_allclose(found, 3 * (1 - 1 / (1 + np.exp(X.astype("float64")))), rtol=1e-6)


def test_values_stay(each_backend):
    np.testing.assert_allclose(K.eval(log1pexp(K.constant(X[:2]))), np.log1p(np.exp(X[:2])), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(K.eval(log1pexp(X[:2]))), np.log1p(np.exp(X[:2])), rtol=1e-6)


def test_a_gradient_that_is_not_linear_in_what_comes_from_above(each_backend):
    @custom_gradient
    def limited(x):
        return x * 1.0, lambda upstream: K.clip(upstream, -1.0, 1.0)

    (found,) = gradient_of(lambda x: K.sum(K.constant([5.0, 0.5, -9.0]) * limited(x)), X)
    np.testing.assert_array_equal(found, [1.0, 0.5, -1.0])


def test_two_arguments_one_without_gradient(each_backend):
    @custom_gradient
    def product(a, b):
        return a * b, lambda upstream: [upstream * b * 10.0, None]

    a, b = gradient_of(lambda a, b: K.sum(product(a, b)) + K.sum(b), X, X + 1)
    np.testing.assert_allclose(a, 10 * (X + 1))
    np.testing.assert_array_equal(b, [1.0, 1.0, 1.0])


def test_second_derivatives_go_through_what_the_gradient_reads(each_backend):
    @custom_gradient
    def cube(x):
        return x * x * x, lambda upstream: upstream * 5.0 * x * x  # not 3, to see whose gradient it is

    x = K.placeholder((None,))
    (first,) = K.gradients(K.sum(cube(x)), [x])
    (second,) = K.gradients(K.sum(first), [x])
    found = K.function([x], [first, second])([np.array([1.0, 2.0], "float32")])
    np.testing.assert_allclose(found[0], [5.0, 20.0])
    np.testing.assert_allclose(found[1], [10.0, 20.0])


def test_several_outputs_share_a_gradient_function(each_backend):
    @custom_gradient
    def parts(x):
        def gradient(above, below):
            return K.sum(above, axis=0) + 100.0 * below

        return [K.stack([x, 2 * x]), 3 * x], gradient

    def loss(x):
        above, below = parts(x)
        return K.sum(K.constant([[1.0], [2.0]]) * above) + K.sum(K.constant([1.0, 2.0, 3.0]) * below)

    (found,) = gradient_of(loss, X)
    np.testing.assert_array_equal(found, [103.0, 203.0, 303.0])


def test_integers_pass_through(each_backend):
    @custom_gradient
    def chosen(x, places):
        return [x * 2.0, places], lambda upstream, _: [upstream * 7.0, None]

    x, places = K.placeholder((3,)), K.placeholder((3,), dtype="int32")
    doubled, same = chosen(x, places)
    f = K.function([x, places], [*K.gradients(K.sum(doubled), [x]), same])
    gradient, found = f([X, np.array([1, 2, 3])])
    np.testing.assert_array_equal(gradient, [7.0, 7.0, 7.0])
    np.testing.assert_array_equal(found, [1, 2, 3])


def test_keyword_form_of_the_gradient(each_backend):
    @custom_gradient
    def tripled(x):
        def gradient(*args, upstream):
            return upstream * 3.0 * args[0]

        return x * 3.0, gradient

    np.testing.assert_allclose(gradient_of(lambda x: K.sum(tripled(x)), X)[0], 3.0 * X)


def test_variables_from_outside_get_zero(each_backend):
    v = K.variable(np.ones(3))
    scaled = custom_gradient(lambda x: (x * v, lambda upstream: upstream * v))
    x = K.placeholder((3,))
    of_x, of_v = K.gradients(K.sum(scaled(x)) + K.sum(2 * v), [x, v])
    found = K.function([x], [of_x, of_v])([X])
    np.testing.assert_array_equal(found[0], [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found[1], [2.0, 2.0, 2.0])


def test_a_gradient_that_is_the_next_state(each_backend):
    """It was computed before, and has a graph of its own, which must not live on in the state."""
    state = K.variable(1.0)

    @custom_gradient
    def told(x, state):
        following = K.square(state) + K.max(x)
        return x * state, lambda upstream: [upstream, following]

    x = K.placeholder((2,))
    loss = K.sum(K.square(told(x, state)))
    _, following = K.gradients(loss, [x, state])
    step = K.function([x], [loss], updates=[K.update(state, following)])
    assert [float(step([[1.0, 2.0]])[0]) for _ in range(3)] == [5.0, 45.0, 605.0]
    cell = state.cell(target(each_backend))
    assert not getattr(cell, "requires_grad", False)  # of torch, it would keep all steps


def test_inside_a_loop(each_backend):
    x = K.placeholder((2,))
    step = custom_gradient(lambda s: (s * 2.0, lambda upstream: upstream * 3.0))
    end = K.while_loop(lambda s, i: K.less(i, 3), lambda s, i: [step(s), i + 1], [x, 0])[0]
    found = K.function([x], [end, *K.gradients(K.sum(end), [x])])([np.ones(2)])
    np.testing.assert_array_equal(found[0], [8.0, 8.0])
    np.testing.assert_array_equal(found[1], [27.0, 27.0])


def test_a_graph_with_it_can_be_saved():
    x = K.placeholder((3,))
    (gradient,) = K.gradients(K.sum(log1pexp(x)), [x])
    again = from_json(Graph([x], [gradient]).to_json())
    found = K.function(list(again.inputs), list(again.outputs))([X])[0]
    np.testing.assert_allclose(found, 1 - 1 / (1 + np.exp(X.astype("float64"))), rtol=1e-6)


@pytest.mark.parametrize("function, kind, text", [
    (lambda x: x, TypeError, "output, gradient"),
    (lambda x: (x * 1.0, lambda upstream: [upstream, upstream]), ValueError, "2 gradients for 1"),
    (lambda x: (x * 1.0, lambda upstream: K.sum(upstream)), ValueError, r"\(\), the argument has \(3,\)"),
])
def test_wrong_functions(function, kind, text):
    with pytest.raises(kind, match=text):
        custom_gradient(function)(K.placeholder((3,)))


@pytest.mark.engine("torch")
def test_torch_differentiates_concrete_calls():
    import torch

    x = torch.tensor(X, requires_grad=True)
    with kbackend.use_backend("torch"):
        log1pexp(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - 1 / (1 + np.exp(X.astype("float64"))), rtol=1e-6)
