"""Methods of Keras's classes that programs override: used, or refused when the class is defined."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers

pytestmark = pytest.mark.usefixtures("engine")
U, V = np.ones((2, 3), "float32"), np.full((2, 3), 5.0, "float32")


def merged(layer, *arrays):
    inputs = [Input(a.shape[1:]) for a in arrays]
    return Model(inputs, layer(inputs)).predict(list(arrays))


MERGES = {
    "Add": {}, "Subtract": {}, "Multiply": {}, "Average": {}, "Maximum": {}, "Minimum": {}, "Concatenate": {},
    "Dot": {"axes": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_a_merge_of_ones_own_is_used(each_backend, name):
    class Mixed(getattr(layers, name)):
        def _merge_function(self, inputs):
            return 0.75 * inputs[0] + 0.25 * inputs[1]

    np.testing.assert_allclose(merged(Mixed(**MERGES[name]), U, V), 0.75 * U + 0.25 * V)


def test_a_merge_of_ones_own_may_use_that_of_its_class(each_backend):
    class Shifted(layers.Average):
        def _merge_function(self, inputs):
            return super()._merge_function(inputs) + 1

    np.testing.assert_allclose(merged(Shifted(), U, V), (U + V) / 2 + 1)


@pytest.mark.parametrize("shape", [lambda x: (None, 1), lambda x: (K.shape(x)[0], 1)])
@pytest.mark.parametrize("base", [layers.Dropout, layers.SpatialDropout1D])
def test_a_shape_of_the_noise_of_ones_own_is_used(each_backend, base, shape):
    class Rows(base):
        def _get_noise_shape(self, inputs):
            return (*shape(inputs), inputs.shape[-1])

    x = Input((6, 4))
    step = K.function([x, K.learning_phase()], [Rows(0.5)(x)])
    (kept,) = step([np.ones((8, 6, 4)), 1])
    assert set(np.unique(kept)) == {0.0, 2.0} and (kept == kept[:, :1]).all()


@pytest.mark.parametrize(
    ("base", "name"),
    [
        (layers.MaxPooling2D, "_pooling_function"),
        (layers.AveragePooling2D, "_pooling_function"),
        (layers.LSTM, "preprocess_input"),
        (layers.SimpleRNN, "get_constants"),
        (layers.Conv2D, "convolution_op"),
        (layers.BatchNormalization, "_calculate_mean_and_var"),
        (layers.GaussianNoise, "_get_noise_shape"),
    ],
)
def test_a_method_that_nothing_calls_is_refused_by_name(base, name):
    with pytest.raises(TypeError, match=f"Own overrides {name}, which {base.__name__} does not use"):
        type("Own", (base,), {name: lambda self, *args: None})


def test_a_method_that_its_own_call_may_use_is_not_refused():
    kinds = [
        type("Own", (layers.Layer,), {"_merge_function": lambda self, x: x, "call": lambda self, x: x}),
        type("Own", (layers.MaxPooling2D,), {"_pooling_function": lambda self: 1, "call": lambda self, x: x}),
    ]
    inherited = type("More", (kinds[1],), {"_pooling_function": lambda self: 2})
    assert inherited().name.startswith("more")


@pytest.mark.parametrize("name", ["make_train_function", "make_test_function"])
@pytest.mark.parametrize("base", [Model, Sequential])
def test_functions_of_steps_are_refused(base, name):
    with pytest.raises(TypeError, match=f"Own overrides {name}"):
        type("Own", (base,), {name: lambda self, *args: None})
