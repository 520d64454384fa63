"""Layers that change colors of images, erase, shear or mix them: against Keras, between engines, and what they keep."""

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, layers

IMAGES = np.random.default_rng(3).uniform(0, 255, (4, 7, 6, 3)).astype("float32")
IMAGES[1, :, :, 2] = 77.0  # a channel of one value
MAKERS = {
    "AutoContrast": lambda **k: layers.AutoContrast(**k),
    "Equalization": lambda **k: layers.Equalization(**k),
    "RandomColorDegeneration": lambda **k: layers.RandomColorDegeneration(0.8, **k),
    "RandomColorJitter": lambda **k: layers.RandomColorJitter((0, 255), 0.3, 0.3, (0.3, 0.7), 0.4, **k),
    "RandomErasing": lambda **k: layers.RandomErasing((0.6, 0.9), fill_value=5.0, **k),
    "RandomGaussianBlur": lambda **k: layers.RandomGaussianBlur((0.6, 0.9), (3, 5), (0.4, 0.9), **k),
    "RandomGrayscale": lambda **k: layers.RandomGrayscale(0.6, **k),
    "RandomHue": lambda **k: layers.RandomHue(0.9, **k),
    "RandomInvert": lambda **k: layers.RandomInvert((0.4, 0.8), **k),
    "RandomPosterization": lambda **k: layers.RandomPosterization((2, 6), **k),
    "RandomSaturation": lambda **k: layers.RandomSaturation((0.2, 0.8), **k),
    "RandomSharpness": lambda **k: layers.RandomSharpness((0.0, 1.0), **k),
    "RandomShear": lambda **k: layers.RandomShear(0.4, (0.1, 0.3), **k),
    "Solarization": lambda **k: layers.Solarization((0.1, 0.3), (0.3, 0.7), **k),
    "MixUp": lambda **k: layers.MixUp(0.6, **k),
    "CutMix": lambda **k: layers.CutMix((0.7, 0.9), **k),
    "RandAugment": lambda **k: layers.RandAugment((0, 255), 2, 0.6, **k),
    "AugMix": lambda **k: layers.AugMix((0, 255), 2, 2, 0.6, **k),
    "RandomPerspective": lambda **k: layers.RandomPerspective((0.6, 0.9), 0.6, **k),
    "RandomElasticTransform": lambda **k: layers.RandomElasticTransform((0.6, 0.9), (0.7, 1.0), **k),
}
#: the same at each run, as they draw nothing
FIXED = {"AutoContrast", "Equalization"}
every_layer = pytest.mark.parametrize("name", MAKERS)


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(7)


def program_of(layer, shape=IMAGES.shape[1:]):
    given = Input(shape)
    return K.function([given, K.learning_phase()], [layer(given)])


def changed(layer, x=IMAGES, phase=1):
    return program_of(layer, x.shape[1:])([x, phase])[0]


@pytest.mark.together
@every_layer
def test_engines_agree(name):
    found = {}
    for engine in kbackend.available_backends():
        with kbackend.use_backend(engine):
            K.set_seed(7)
            program = program_of(MAKERS[name]())
            found[engine] = [program([IMAGES, 1])[0] for _ in range(3)]
    for engine, runs in found.items():
        assert name in FIXED or not all(np.array_equal(runs[0], r) for r in runs[1:])
        for a, b in zip(runs, found["numpy"]):
            assert a.dtype == np.float32 and a.shape == IMAGES.shape
            np.testing.assert_allclose(a, b, atol=2e-2, err_msg=engine)


@every_layer
def test_inference_changes_nothing(name):
    if name == "AutoContrast":
        pytest.skip("it spreads values in both phases")
    np.testing.assert_allclose(changed(MAKERS[name](), phase=0), IMAGES, rtol=1e-6)
    assert np.abs(changed(MAKERS[name]()) - IMAGES).max() > 1


@every_layer
def test_channels_first(name, each_backend):
    last, first = MAKERS[name](data_format="channels_last"), MAKERS[name](data_format="channels_first")
    K.set_seed(1)
    wanted = changed(last)
    K.set_seed(1)
    found = changed(first, np.moveaxis(IMAGES, -1, 1).copy())
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), wanted, atol=1e-3)


@every_layer
def test_configuration(name):
    layer = MAKERS[name]()
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 7, 6, 3)) == (None, 7, 6, 3)


@every_layer
def test_a_seed_repeats(name, each_backend):
    if name in FIXED:
        pytest.skip("it draws nothing")
    one, other = (changed(MAKERS[name](seed=5)) for _ in range(2))
    assert np.array_equal(one, other)


# against Keras ----------------------------------------------------------------------------------------------

EXACT = [
    ("AutoContrast", {}),
    ("AutoContrast", {"value_range": (0, 300)}),
    ("Equalization", {}),
    ("Equalization", {"bins": 16}),
    ("RandomGrayscale", {"factor": 1.0}),
    ("RandomInvert", {"factor": (1.0, 1.0)}),
    ("RandomPosterization", {"factor": (3, 3)}),
    ("RandomPosterization", {"factor": (2, 2), "value_range": (0, 510)}),
    ("RandomSaturation", {"factor": (0.7, 0.7)}),
    ("RandomSaturation", {"factor": (0.2, 0.2)}),
    ("RandomColorDegeneration", {"factor": (0.3, 0.3)}),
    ("RandomSharpness", {"factor": (0.8, 0.8)}),
    ("RandomSharpness", {"factor": (0.1, 0.1)}),
    # a window that is no square has its numbers in another order in Keras 3.15
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "kernel_size": 5, "sigma": (0.7, 0.7)}),
]


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name, arguments", EXACT, ids=str)
def test_fixed_factors_give_what_keras_gives(keras, name, arguments):
    theirs = np.asarray(getattr(keras.layers, name)(**arguments)(IMAGES, training=True))
    np.testing.assert_allclose(changed(getattr(layers, name)(**arguments)), theirs, rtol=1e-4, atol=2e-2)


def with_draws(layer, *draws):
    """The layer with these numbers, one for each image, in the order of its draws."""
    left = iter(draws)
    layer._drawn = lambda x, bounds: K.constant(np.asarray(next(left), "float32"))
    return layer


@pytest.mark.engine("tensorflow")
def test_given_draws_give_what_keras_gives(keras):
    added, thresholds = np.array([0.0, 20.0, 40.0, 5.0]), np.array([100.0, 128.0, 10.0, 250.0])
    theirs = keras.layers.Solarization().transform_images(
        IMAGES, {"additions": added.reshape(-1, 1, 1, 1), "thresholds": thresholds.reshape(-1, 1, 1, 1)}, True)
    ours = changed(with_draws(layers.Solarization(), added, thresholds))
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-5, atol=1e-3)

    coins, turns = np.array([0.2, 0.9, 0.6, 0.1]), np.array([0.1, 0.4, 0.9, 1.0])
    factor = np.where(coins > 0.5, -1, 1) * turns * 0.5
    theirs = keras.layers.RandomHue(0.5).transform_images(IMAGES, {"factor": factor.astype("float32")}, True)
    ours = changed(with_draws(layers.RandomHue(0.5), coins, turns))
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=2e-2)

    across, down = np.array([0.1, 0.2, 0.0, 0.4]), np.array([0.3, 0.0, 0.2, 0.1])
    sign = np.where(coins > 0.5, -1, 1)
    shear = np.stack([across * sign, down * sign], 1).astype("float32")
    theirs = keras.layers.RandomShear(0.5, 0.5).transform_images(
        IMAGES, {"shear_factor": shear, "input_shape": IMAGES.shape}, True)
    ours = changed(with_draws(layers.RandomShear(0.5, 0.5), coins, across, down))
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=2e-2)


# what they do -----------------------------------------------------------------------------------------------


def test_a_box_is_erased(each_backend):
    found = changed(layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=[1.0, 2.0, 3.0]))
    for image, before in zip(found, IMAGES):
        erased = (image == [1.0, 2.0, 3.0]).all(-1)
        rows, columns = np.nonzero(erased.any(1))[0], np.nonzero(erased.any(0))[0]
        assert erased[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert erased.sum() == len(rows) * len(columns) and 3 <= len(rows) <= 4 and len(columns) == 3
        assert np.array_equal(image[~erased], before[~erased])


def test_noise_fills_a_box_within_the_range(each_backend):
    found = changed(layers.RandomErasing((1.0, 1.0), scale=(0.9, 0.9), value_range=(0, 255)))
    assert found.min() >= 0 and found.max() <= 255 and (found != IMAGES).mean() > 0.5


@pytest.mark.parametrize("make", [lambda: layers.MixUp(0.8), lambda: layers.CutMix()], ids=["MixUp", "CutMix"])
def test_labels_are_mixed_as_images_are(make, each_backend):
    images, labels = Input((7, 6, 1)), Input((4,))
    mixed = make()({"images": images, "labels": labels})
    # each image is one number, so that a mixed image says of which it is made
    x = np.broadcast_to(np.array([1.0, 10.0, 100.0, 1000.0])[:, None, None, None], (4, 7, 6, 1))
    got, weights = K.function([images, labels, K.learning_phase()], [mixed["images"], mixed["labels"]])(
        [x, np.eye(4), 1])
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    means = got.mean((1, 2, 3))
    if isinstance(make(), layers.MixUp):
        np.testing.assert_allclose(means, weights @ [1.0, 10.0, 100.0, 1000.0], rtol=1e-3)
    else:
        assert set(np.unique(got)) <= {1.0, 10.0, 100.0, 1000.0}
        for image, weight in zip(got, weights):
            assert len(np.unique(image)) <= (weight > 1e-4).sum() or len(np.unique(image)) == 1
    still = K.function([images, labels, K.learning_phase()], [mixed["images"], mixed["labels"]])([x, np.eye(4), 0])
    assert np.array_equal(still[0], x.astype("float32")) and np.array_equal(still[1], np.eye(4))


def test_a_pipeline_is_its_layers(each_backend):
    layer = layers.Pipeline([layers.Rescaling(2.0), layers.Dense(2), layers.Dropout(0.5)])
    x = Input((3,))
    out = layer(x)
    assert len(layer.weights) == 2
    got = K.function([x, K.learning_phase()], [out])([np.ones((5, 3)), 0])[0]
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(got, 2 * np.ones((5, 3)) @ kernel + bias, rtol=1e-5)
    again = layers.deserialize(layers.serialize(layer))
    assert [type(a) for a in again.layers] == [type(a) for a in layer.layers]


@pytest.mark.parametrize("made, words", [
    (lambda: layers.RandomGrayscale(1.5), r"factor must be a number, or two, in \[0, 1\], it is 1.5"),
    (lambda: layers.RandomPosterization(9), "factor must be an integer from 1 to 8, or two, it is 9"),
    (lambda: layers.RandomGaussianBlur(kernel_size=4), "kernel_size must be an odd integer, or two, it is 4"),
    (lambda: layers.RandomErasing(scale=(0.1, 2.0)), r"scale must be a number, or two, in \[0, 1\]"),
    (lambda: layers.Solarization(threshold_factor=-1), "threshold_factor must be a number"),
    (lambda: layers.RandomHue(0.1, value_range=(3, 1)), "value_range must hold two rising numbers"),
    (lambda: layers.MixUp(alpha=0), "alpha must be a positive number, it is 0"),
    (lambda: layers.Equalization(bins=0), "bins must be a positive integer"),
    (lambda: layers.RandomShear(2.0), "x_factor must be a number"),
    (lambda: layers.Pipeline(["flip"]), "takes layers, not 'flip'"),
    (lambda: layers.RandomGrayscale()(Input((4, 4, 2))), "3"),
])
def test_what_does_not_fit_is_one_error(made, words):
    with pytest.raises(ValueError, match=rf"layer \w+ \(\w+\).*{words}"):
        made()


def test_cut_labels_have_the_parts_of_the_image(each_backend):
    images, labels = Input((40, 40, 1)), Input((4,))
    mixed = layers.CutMix()({"images": images, "labels": labels})
    x = np.broadcast_to(np.array([1.0, 10.0, 100.0, 1000.0])[:, None, None, None], (4, 40, 40, 1))
    program = K.function([images, labels, K.learning_phase()], [mixed["images"], mixed["labels"]])
    for _ in range(5):
        got, weights = program([x, np.eye(4), 1])
        kept = (got == x).mean((1, 2, 3))
        np.testing.assert_allclose(kept, np.diag(weights), atol=0.06)  # boxes end between pixels
