"""K.gradients: of any tensor, nested, absent, inside functions and models, on every engine."""

from __future__ import annotations

import numpy as np
import pytest
from support.differences import central

import kbackend
from kbackend import Input, K, Model, layers, ops

X = np.array([[0.5, -1.0], [2.0, 0.3]], np.float32)


def run(inputs, outputs, values):
    return K.function(inputs, outputs)(values)


def test_variables_placeholders_and_inner_tensors(each_backend):
    x = K.placeholder((None, 2))
    w = K.variable([[1.0], [2.0]])
    h = K.dot(x, w)
    loss = K.sum(h * h)
    dw, dx, dh = run([x], K.gradients(loss, [w, x, h]), [X])
    value = X @ [[1.0], [2.0]]
    np.testing.assert_allclose(dh, 2 * value, rtol=1e-6)
    np.testing.assert_allclose(dw, X.T @ (2 * value), rtol=1e-5)
    np.testing.assert_allclose(dx, 2 * value @ [[1.0, 2.0]], rtol=1e-6)


def test_a_loss_that_is_no_scalar_is_summed_and_a_single_tensor_may_be_given(each_backend):
    x = K.placeholder((None, 2))
    (found,) = run([x], K.gradients(x * x * x, x), [X])
    np.testing.assert_allclose(found, 3 * X**2, rtol=1e-6)


def test_up_to_the_fourth_order(each_backend):
    x = K.placeholder(())
    orders, y = [], x * x * x * x * x
    for _ in range(4):
        (y,) = K.gradients(y, [x])
        orders.append(y)
    found = [float(v) for v in run([x], orders, [2.0])]
    np.testing.assert_allclose(found, [80.0, 160.0, 240.0, 240.0], rtol=1e-6)


def test_mixed_derivatives_and_several_gradients_of_one_graph(each_backend):
    x, y = K.placeholder(()), K.placeholder(())
    f = x * x * y + K.sin(y)
    fx, fy = K.gradients(f, [x, y])
    (fxy,) = K.gradients(fx, [y])
    (other,) = K.gradients(K.exp(x) * fy, [x])
    found = [float(v) for v in run([x, y], [fx, fy, fxy, other], [1.5, 0.5])]
    e, c = np.exp(1.5), np.cos(0.5)
    np.testing.assert_allclose(found, [1.5, 2.25 + c, 3.0, e * (2.25 + c) + e * 3.0], rtol=1e-5)


def test_a_tensor_and_the_one_behind_it(each_backend):
    x = K.placeholder((2,))
    y = K.square(x)
    dx, dy = run([x], K.gradients(K.sum(y * y), [x, y]), [[1.0, 2.0]])
    np.testing.assert_allclose(dx, 4 * np.array([1.0, 8.0]), rtol=1e-6)
    np.testing.assert_allclose(dy, 2 * np.array([1.0, 4.0]), rtol=1e-6)


def test_the_same_tensor_twice(each_backend):
    x = K.placeholder((2,))
    first, second = run([x], K.gradients(K.sum(x * x), [x, x]), [[1.0, 2.0]])
    np.testing.assert_array_equal(first, second)


def test_none_where_there_is_no_dependence():
    x, y = K.placeholder((2,)), K.placeholder((2,))
    gradients = K.gradients(K.sum(x) + K.sum(K.stop_gradient(y)), [x, y, K.variable(1.0)])
    assert gradients[0] is not None and gradients[1:] == [None, None]
    assert K.gradients(K.cast(K.argmax(x), "float32"), [x]) == [None]
    assert K.gradients(K.cast(K.cast(x, "int32"), "float32"), [x]) == [None]


def test_stop_gradient_keeps_the_value_and_blocks_one_path(each_backend):
    x = K.placeholder((2,))
    value, gradient = run(
        [x], [x * K.stop_gradient(x), *K.gradients(x * K.stop_gradient(x), [x])], [[3.0, 4.0]]
    )
    np.testing.assert_array_equal(value, [9.0, 16.0])
    np.testing.assert_array_equal(gradient, [3.0, 4.0])


def test_outputs_beside_gradients_are_the_plain_values(each_backend):
    x = K.placeholder((2,))
    y = K.tanh(x)
    outputs = [y, *K.gradients(y, [x]), y * 2.0, K.argmax(y), x]
    found = run([x], outputs, [[0.1, 0.2]])
    assert all(type(v).__module__ == "numpy" for v in found)
    np.testing.assert_allclose(found[2], 2 * np.tanh([0.1, 0.2]), rtol=1e-6)


def test_dtypes_of_gradients_are_those_of_the_tensors(each_backend):
    for dtype in ("float16", "float32", "float64"):
        x = K.placeholder((2,), dtype=dtype)
        (found,) = run([x], K.gradients(K.mean(K.sqrt(x) / 3), [x]), [np.array([1.0, 4.0])])
        assert found.dtype == dtype


class Slope(layers.Layer):
    """Its value is the gradient of a small network with respect to its input."""

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", (input_shape[-1], 3), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, inputs):
        return K.gradients(K.sum(K.tanh(K.dot(inputs, self.kernel))), [inputs])[0]

    def compute_output_shape(self, input_shape):
        return input_shape


def slope_model():
    kbackend.set_seed(5)
    x = Input((2,))
    model = Model(x, Slope()(x))
    model.compile(kbackend.optimizers.SGD(0.5), "mse")
    return model


def test_a_network_whose_forward_pass_is_a_gradient_trains(each_backend):
    model, target = slope_model(), 0.3 * X
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(X), (1 - np.tanh(X @ kernel) ** 2) @ kernel.T, rtol=1e-5)
    losses = model.fit(X, target, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    with kbackend.use_backend("numpy"):
        expected = slope_model().fit(X, target, epochs=30, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "loss, tensors, error, message",
    [
        (np.ones(2), [K.variable(1.0)], TypeError, "symbolic"),
        (K.variable(1.0), [1.0], TypeError, "symbolic"),
        (K.variable(1, dtype="int32"), [K.variable(1.0)], TypeError, "float loss"),
    ],
)
def test_bad_arguments(loss, tensors, error, message):
    with pytest.raises(error, match=message):
        K.gradients(loss, tensors)


def test_equal_tensors_are_not_one_when_a_gradient_is_taken(each_backend):
    x = K.placeholder((3,))
    a, b = K.sin(x), K.sin(x)
    loss = K.sum(a * a * b + K.sin(x))
    value = np.array([0.5, 1.0, -2.0], np.float32)
    of_a, of_b = K.function([x], K.gradients(loss, [a, b]))([value])
    np.testing.assert_allclose(of_a, 2 * np.sin(value) ** 2, rtol=1e-5)
    np.testing.assert_allclose(of_b, np.sin(value) ** 2, rtol=1e-5)


def test_a_gradient_stops_at_its_tensor_and_not_at_what_stands_for_it(each_backend):
    x = K.placeholder((3,))
    doubled = x * 2.0
    chosen = K.in_train_phase(doubled, x)  # in training it is `doubled` itself
    loss = K.sum(chosen * 3.0 + doubled * 5.0)
    program = K.function([x, K.learning_phase()], K.gradients(loss, [chosen]))
    assert program([[1.0, 2.0, 3.0], 1])[0].tolist() == [3.0] * 3
    assert program([[1.0, 2.0, 3.0], 0])[0].tolist() == [3.0] * 3


def test_a_gradient_by_a_tensor_made_of_other_ops_does_not_count_equal_ones(each_backend):
    x = K.placeholder((2, 3))
    a, b = K.l2_normalize(x, axis=1), K.l2_normalize(x, axis=1)
    (of_a,) = K.function([x], K.gradients(K.sum(a * 2.0 + b * 7.0), [a]))([np.ones((2, 3), np.float32)])
    np.testing.assert_allclose(of_a, 2.0)


# ------------------------------------------------------------------------------------------- inside another gradient

PATHS = {
    "square, tanh": (K.square, K.tanh),
    "exp, exp": (K.exp, K.exp),
    "arcsinh": (ops.arcsinh, ops.arcsinh),
    "log_softmax": (ops.log_softmax, K.square),
    "softmax": (ops.softmax, ops.log_softmax),
    "sqrt": (lambda x: K.sqrt(x * x + 1.0), K.log),
}


def _penalty(x, inner, outer, added=0.0):
    """A weighted sum of the squares of the gradient by x of sum(outer(y) * x), y = inner(x) + added; and y."""
    y = inner(x) + added
    (slope,) = K.gradients(K.sum(outer(y) * x), [x])
    return K.sum(slope * slope * np.array([1.0, 2.0, 3.0])), y


@pytest.mark.parametrize("path", PATHS)
def test_gradient_by_a_tensor_inside_another_gradient_is_that_by_an_amount_added_to_it(each_backend, path):
    x, added = K.placeholder((3,), dtype="float64"), K.placeholder((3,), dtype="float64")
    at = np.array([0.3, 0.7, -0.4])
    loss, y = _penalty(x, *PATHS[path])
    by_y, by_x = K.function([x], K.gradients(loss, [y, x]))([at])
    moved = K.function([x, added], [_penalty(x, *PATHS[path], added)[0]])
    np.testing.assert_allclose(
        by_y, central(lambda d: moved([at, d])[0], np.zeros(3), 1e-5), rtol=1e-7, atol=1e-7
    )
    np.testing.assert_allclose(by_x, central(lambda v: moved([v, 0 * v])[0], at, 1e-5), rtol=1e-7, atol=1e-7)


def test_gradients_by_several_tensors_inside_another_gradient(each_backend):
    x = K.placeholder((2,), dtype="float64")
    y = K.exp(x)
    z = K.sin(y)
    (slope,) = K.gradients(K.sum(z * z), [x])
    found = K.function([x], K.gradients(K.sum(slope), [z, x, y]))([[0.2, -0.5]])

    def moved(by_y, by_z):  # the slope is 2 (sin(y + by_y) + by_z) cos(y + by_y) exp(x)
        return 2 * (np.sin(np.exp(a) + by_y) + by_z) * np.cos(np.exp(a) + by_y) * np.exp(a)

    a, step = np.array([0.2, -0.5]), 1e-6
    np.testing.assert_allclose(found[0], (moved(0, step) - moved(0, -step)) / (2 * step), rtol=1e-8)
    np.testing.assert_allclose(found[2], (moved(step, 0) - moved(-step, 0)) / (2 * step), rtol=1e-8)
    whole = K.function([x], K.gradients(K.gradients(K.sum(z * z), [x])[0], [x]))([a])[0]
    np.testing.assert_allclose(found[1], whole, rtol=1e-10)


# ------------------------------------------------------------------------------------------------------- integers


def _places(x):
    return K.cast(x * 3.0, "int32")


INTEGERS = {
    "gather": lambda x: K.gather(x, _places(x)),
    "take": lambda x: ops.take(x, _places(x)),
    "getitem": lambda x: x[_places(x[0])] * x,
    "slice": lambda x: ops.slice(x, [_places(x[0])], [2]),
    "segment_sum": lambda x: ops.segment_sum(x, _places(x), 4),
    "segment_max": lambda x: ops.segment_max(x, _places(x), 3),
    "scatter": lambda x: ops.scatter(K.expand_dims(_places(x), 1), x, (4,)),
    "bincount": lambda x: ops.bincount(_places(x), weights=x, minlength=4),
    "and back": lambda x: K.cast(_places(x), "float32") * x,
    "sum": lambda x: K.cast(K.sum(_places(x)), "float32") * x,
    "cumsum": lambda x: K.cast(K.cumsum(_places(x)), "float32") * x,
    "bitwise": lambda x: K.cast(ops.bitwise_and(_places(x), 1), "float32") * x,
    "quotient": lambda x: (_places(x) / 2) * x,
    "power": lambda x: x ** K.cast(_places(x), "float32"),
    "sizes": lambda x: K.tile(x, [K.cast(K.sum(x * 0.0) + 2.0, "int32")]),
    "labels": lambda x: K.sparse_categorical_crossentropy(
        _places(x), K.softmax(ops.outer(x, np.arange(4.0)))
    ),
    "condition": lambda x: ops.while_loop(
        lambda i, a: i < _places(x[3]), lambda i, a: (i + 1, a * x), (K.constant(0, "int32"), x)
    )[1],
    "in a step": lambda x: K.map_fn(lambda r: r * K.cast(_places(r), "float32"), x),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_no_gradient_flows_through_integers(each_backend, name):
    """First and second derivatives by central differences, away from the steps of the casts."""
    x = K.placeholder((4,), dtype="float64")
    at = np.array([0.1, 0.4, 0.5, 0.9])
    loss = K.sum(INTEGERS[name](x))
    (slope,) = K.gradients(loss, [x])
    of_loss, of_slope = K.function([x], [loss]), K.function([x], [K.sum(slope * slope)])
    np.testing.assert_allclose(
        K.function([x], [slope])([at])[0], central(lambda v: of_loss([v])[0], at, 1e-5), rtol=1e-6, atol=1e-6
    )
    (second,) = K.gradients(K.sum(slope * slope), [x])
    found = 0.0 * at if second is None else K.function([x], [second])([at])[0]
    np.testing.assert_allclose(found, central(lambda v: of_slope([v])[0], at, 1e-5), rtol=1e-6, atol=1e-6)
