"""K.gradients: of any tensor, nested, absent, inside functions and models, on every engine."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers

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
