"""Draws of initial values: their streams are taken when a layer is built, their nodes made when a value is needed."""

import numpy as np
import pytest

from kbackend import Input, K, Model, initializers, layers
from kbackend.graph.node import next_number
from kbackend.initializers import initial_value


@pytest.fixture(autouse=True)
def _seeded():
    K.clear_session()
    K.set_seed(11)


DRAWN = {
    "glorot uniform": initializers.GlorotUniform(),
    "he normal": initializers.HeNormal(),
    "untruncated": initializers.VarianceScaling(distribution="untruncated_normal"),
    "by axes": initializers.GlorotNormal(input_axes=[0], output_axes=[1]),
    "unit": initializers.RandomUniform(0.0, 1.0),
    "integers": initializers.RandomNormal(0, 1),
    "truncated": initializers.TruncatedNormal(seed=4),
}


@pytest.mark.parametrize("initializer", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_values_are_those_of_a_draw_that_is_made_at_once(initializer, dtype):
    later = initial_value(initializer, (4, 3), dtype), initial_value(initializer, (4, 3), dtype)
    K.set_seed(11)
    for found in later:
        at_once = K.eval(initializer((4, 3), dtype))
        np.testing.assert_array_equal(found(), at_once)
        assert found().dtype == at_once.dtype


def test_building_makes_the_nodes_of_variables_only():
    layer = layers.Dense(3)
    before = next_number()
    layer.build((None, 4))
    assert next_number() - before == 1 + len(layer.weights)
    layer.get_weights()
    assert next_number() - before > 6


def test_values_follow_the_seed_of_the_time_of_building():
    def kernels(seed_between):
        K.clear_session()
        K.set_seed(11)
        first, second = (layers.Dense(3, name=name) for name in "ab")
        first.build((None, 4))
        if seed_between:
            K.set_seed(5)
        second.build((None, 4))
        return [layer.get_weights()[0] for layer in (second, first)][::-1]

    for (one, other), same in zip(zip(kernels(False), kernels(True)), (True, False)):
        assert np.array_equal(one, other) is same


def test_a_change_of_the_initializer_after_building_changes_nothing():
    initializer = initializers.RandomNormal(stddev=1.0)
    found = initial_value(initializer, (4, 3), "float32")
    initializer.stddev = 100.0
    assert np.abs(found()).max() < 10


def test_values_read_inside_a_call_are_no_draws_of_the_call():
    other = layers.Dense(3)
    other.build((None, 4))

    class Reads(layers.Layer):
        def call(self, inputs):
            return inputs + float(other.get_weights()[0].sum())

    x = Input((4,))
    model = Model(x, Reads()(x))
    assert model.layers[-1].inbound_nodes[0].draws == []


class Doubled(initializers.RandomUniform):
    def __call__(self, shape, dtype=None):
        return 2.0 * super().__call__(shape, dtype)


def test_a_call_of_ones_own_is_called():
    found = initial_value(Doubled(1.0, 1.5), (50,), "float32")()
    assert found.min() >= 2.0 and found.max() > 2.5


@pytest.mark.parametrize("make, message", [
    (lambda: initial_value(initializers.RandomUniform(2.0, 1.0), (2,), "float32"), "minval <= maxval"),
    (lambda: initial_value(initializers.RandomNormal(0.5), (2,), "int32"), "float dtype"),
    (lambda: initial_value(initializers.RandomUniform(0.5, 2), (2,), "int32"), "must be integers"),
    (lambda: layers.Layer().add_weight("w", (-1, 2), initializer="glorot_uniform"), "negative"),
    (lambda: layers.Layer().add_weight("w", (2,), initializer=initializers.RandomNormal(seed=1.5)), "seed"),
    (lambda: layers.Layer().add_weight("w", (2,), initializer=initializers.RandomNormal("a")), "mean must be a number"),
])  # fmt: skip
def test_what_is_wrong_is_said_while_the_layer_is_built(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_orthogonal_weights_have_their_stream_from_building():
    initializer = initializers.Orthogonal()
    expected = [initializer((4, 3))() for _ in range(2)]
    K.set_seed(11)
    found = [initializer((4, 3)) for _ in range(2)]
    np.testing.assert_array_equal([f() for f in found[::-1]], expected[::-1])
    assert not np.array_equal(*expected)


@pytest.mark.parametrize("shape", [(-1, 2), (2, -1), (-2, -3, 4)])
def test_an_orthogonal_weight_of_negative_size_is_refused_when_it_is_made(shape):
    with pytest.raises(ValueError, match="the weight 'w': a shape must not have negative dimensions"):
        layers.Layer().add_weight(shape=shape, initializer="orthogonal", name="w")
