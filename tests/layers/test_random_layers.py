"""Layers that draw: their bits from the definition of the stream, moments, live rates, seeds."""

import math

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.plugin.host import philox

SEED = 0x0123456789ABCDEF
SATURATION = -1.7580993408473766


def unit(op_id, step, shape):
    words = philox.words(SEED, op_id << 32 | step, math.prod(shape))
    return ((words >> 8).astype(np.float32) * np.float32(2.0**-24)).reshape(shape)


def trained(layer, x, runs=1):
    """The layer's results in training, in consecutive runs."""
    given = Input(x.shape[1:])
    program = K.function([given, K.learning_phase()], [layer(given)])
    found = [program([x, 1])[0] for _ in range(runs)]
    np.testing.assert_array_equal(program([x, 0])[0], x)
    return found


MAKERS = {
    "Dropout": (lambda rate=0.3, **k: layers.Dropout(rate, **k), (50, 7)),
    "SpatialDropout1D": (lambda rate=0.3, **k: layers.SpatialDropout1D(rate, **k), (9, 5, 8)),
    "SpatialDropout2D": (lambda rate=0.3, **k: layers.SpatialDropout2D(rate, **k), (9, 3, 4, 8)),
    "SpatialDropout3D": (lambda rate=0.3, **k: layers.SpatialDropout3D(rate, **k), (9, 2, 3, 4, 8)),
    "GaussianNoise": (lambda rate=0.3, **k: layers.GaussianNoise(rate, **k), (50, 7)),
    "GaussianDropout": (lambda rate=0.3, **k: layers.GaussianDropout(rate, **k), (50, 7)),
    "AlphaDropout": (lambda rate=0.3, **k: layers.AlphaDropout(rate, **k), (50, 7)),
}
every_layer = pytest.mark.parametrize("name", MAKERS)


@pytest.mark.together
@every_layer
def test_engines_agree_bit_for_bit(name):
    make, shape = MAKERS[name]
    found = {}
    for engine in kbackend.available_backends():
        with kbackend.use_backend(engine):
            K.set_seed(7)
            found[engine] = [t.tobytes() for t in trained(make(), rows(*shape), runs=3)]
    for engine, runs in found.items():
        assert runs == found["numpy"], engine
        assert len(set(runs)) == 3


@pytest.mark.together
@pytest.mark.parametrize("kind", ["Dropout", "GaussianDropout", "AlphaDropout"])
def test_engines_agree_at_any_rate(kind):
    rates, x = np.random.RandomState(3).rand(60).astype(np.float32), rows(3, 4)
    found = {}
    for engine in kbackend.available_backends():
        given, rate = Input((4,)), K.variable(0.5)
        program = K.function([given, K.learning_phase()], [getattr(layers, kind)(rate, seed=1)(given)])
        with kbackend.use_backend(engine):
            found[engine] = []
            for value in rates:
                K.set_value(rate, value)
                found[engine].append(program([x, 1])[0].tobytes())
    for engine, runs in found.items():
        assert runs == found["numpy"], engine


@every_layer
def test_a_seeded_layer_is_the_same_in_any_model(each_backend, name):
    make, shape = MAKERS[name]
    x = rows(*shape)
    K.set_seed(1)
    (first,) = trained(make(seed=5), x)
    K.set_seed(2)
    trained(layers.Dropout(0.5), x)
    (second,) = trained(make(seed=5), x)
    (other,) = trained(make(seed=6), x)
    assert first.tobytes() == second.tobytes() != other.tobytes()


@every_layer
def test_a_seeded_layer_that_is_called_twice_draws_anew(each_backend, name):
    make, shape = MAKERS[name]
    given, layer = Input(shape[1:]), make(seed=5)
    first, second = K.function([given, K.learning_phase()], [layer(given), layer(given)])([rows(*shape), 1])
    assert first.tobytes() != second.tobytes()


@every_layer
def test_rates_are_live(each_backend, name):
    make, shape = MAKERS[name]
    rate = K.variable(0.0)
    given = Input(shape[1:])
    layer = make(rate)
    program = K.function([given, K.learning_phase()], [layer(given)])
    x = rows(*shape)
    np.testing.assert_allclose(program([x, 1])[0], x, rtol=1e-6, atol=1e-6)
    K.set_value(rate, 0.5)
    assert np.abs(program([x, 1])[0] - x).max() > 0.1
    assert len(program.programs) == 1
    assert Model(given, layer(given)).weights == []


@every_layer
def test_a_configuration_makes_the_same_layer(name):
    make, shape = MAKERS[name]
    layer = make(seed=3)
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    x = rows(*shape)
    assert trained(again, x)[0].tobytes() == trained(make(seed=3), x)[0].tobytes()


@every_layer
def test_masks_are_passed_on(name):
    make, shape = MAKERS[name]
    if len(shape) != 3:
        shape = (4, 5, 6)
        if name.startswith("SpatialDropout") and name != "SpatialDropout1D":
            return
    masked = layers.Masking()(Input(shape[1:]))
    assert make()(masked)._keras_mask is not None


def test_dropped_channels_have_the_bits_of_the_definition(each_backend):
    x = rows(6, 3, 4, 5)
    rate = np.float32(0.3)
    scale = np.float32(1) / (np.float32(1) - rate)
    (last,) = trained(layers.SpatialDropout2D(0.3, seed=SEED), x)
    np.testing.assert_array_equal(
        last, x * np.where(unit(0, 0, (6, 1, 1, 5)) >= rate, scale, np.float32(0))
    )
    (first,) = trained(layers.SpatialDropout2D(0.3, data_format="channels_first", seed=SEED), x)
    np.testing.assert_array_equal(
        first, x * np.where(unit(0, 0, (6, 3, 1, 1)) >= rate, scale, np.float32(0))
    )


def test_alpha_dropout_has_the_bits_of_the_definition(each_backend):
    x = rows(40, 9)
    (found,) = trained(layers.AlphaDropout(0.25, seed=SEED), x)
    kept = unit(0, 0, x.shape) >= np.float32(0.25)
    scale = (0.75 * (1 + 0.25 * SATURATION**2)) ** -0.5
    np.testing.assert_allclose(
        found, (np.where(kept, x, SATURATION) - 0.25 * SATURATION) * scale, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(each_backend, rate):
    x = rows(1000, 300)
    (found,) = trained(layers.AlphaDropout(rate), x)
    assert abs(found.mean()) < 0.02 and abs(found.std() - 1) < 0.02


def test_gaussian_dropout_has_the_moments_of_dropout(each_backend):
    (found,) = trained(layers.GaussianDropout(0.2), np.ones((1000, 300), np.float32))
    assert abs(found.mean() - 1) < 5e-3 and abs(found.var() - 0.25) < 5e-3


def test_gaussian_noise_has_its_deviation(each_backend):
    (found,) = trained(layers.GaussianNoise(0.3), np.ones((1000, 300), np.float32))
    assert abs(found.mean() - 1) < 3e-3 and abs(found.std() - 0.3) < 3e-3


def test_a_noise_shape_shares_decisions(each_backend):
    x = np.ones((30, 6, 5), np.float32)
    for layer in (layers.Dropout(0.5, (None, 1, None)), layers.AlphaDropout(0.5, (None, 1, None))):
        (found,) = trained(layer, x)
        assert (found == found[:, :1]).all() and len(np.unique(found)) == 2


def test_gradients_are_those_of_the_drawn_function(each_backend):
    x = rows(8, 5)
    given = Input((5,))
    for make in (layers.Dropout, layers.GaussianDropout, layers.AlphaDropout):
        y = make(0.4)(given)
        program = K.function([given, K.learning_phase()], [y, *K.gradients(K.sum(y), [given])])
        value, slope = program([x, 1])
        if make is layers.AlphaDropout:
            assert len(np.unique(slope)) == 2
        else:
            np.testing.assert_allclose(value, x * slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dropout(1.5), r"Dropout.*\[0, 1\].*1.5"),
        (lambda: layers.AlphaDropout(1), "below 1"),
        (lambda: layers.GaussianDropout(1.0), "below 1"),
        (lambda: layers.GaussianNoise(-0.1), "stddev must be a number of 0 or more or a variable, it is -0.1"),
        (lambda: layers.SpatialDropout1D(0.5)(Input((3,))), "spatial_dropout1d"),
        (lambda: layers.SpatialDropout2D(0.5)(Input((3, 4))), "spatial_dropout2d"),
        (lambda: layers.SpatialDropout2D(0.5, data_format="last"), "data_format"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
