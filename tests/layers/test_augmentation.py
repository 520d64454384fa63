"""Layers that change images: the same bits on the engines, what they draw, what they do to images, and their errors."""


import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers
from kbackend.layers.preprocessing.geometry import _circle


def drawn(*shape, seed=0, low=0.0, high=255.0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, size=shape).astype("float32")


IMAGES = drawn(6, 7, 5, 3)
MAKERS = {
    "RandomFlip": lambda **k: layers.RandomFlip(**k),
    "RandomRotation": lambda **k: layers.RandomRotation(0.5, "constant", fill_value=7.0, **k),
    "RandomTranslation": lambda **k: layers.RandomTranslation(0.5, (-0.3, 0.6), "wrap", **k),
    "RandomZoom": lambda **k: layers.RandomZoom((-0.5, 0.5), (-0.2, 0.9), "mirror", **k),
    "RandomCrop": lambda **k: layers.RandomCrop(4, 3, **k),
    "RandomContrast": lambda **k: layers.RandomContrast((0.9, 0.6), **k),
    "RandomBrightness": lambda **k: layers.RandomBrightness(0.4, **k),
}
every_layer = pytest.mark.parametrize("name", MAKERS)


def program_of(layer, shape=IMAGES.shape[1:]):
    given = Input(shape)
    return K.function([given, K.learning_phase()], [layer(given)])


def changed(layer, x=IMAGES, runs=1):
    program = program_of(layer, x.shape[1:])
    found = [program([x, 1])[0] for _ in range(runs)]
    return found if runs > 1 else found[0]


# ------------------------------------------------------------------------------------- draws


@pytest.mark.together
@every_layer
def test_engines_agree(name):
    """Bit for bit but for contrast, whose means engines add up in orders of their own."""
    found = {}
    for engine in kbackend.available_backends():
        with kbackend.use_backend(engine):
            K.set_seed(7)
            found[engine] = changed(MAKERS[name](), runs=3)
    for engine, runs in found.items():
        assert not np.array_equal(runs[0], runs[1]) or not np.array_equal(runs[1], runs[2])
        for a, b in zip(runs, found["numpy"]):
            assert a.dtype == b.dtype == np.float32
            if name == "RandomContrast":
                np.testing.assert_allclose(a, b, atol=2e-4, err_msg=engine)
            else:
                assert a.tobytes() == b.tobytes(), engine


@pytest.mark.together
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect"])
def test_engines_agree_on_turned_images(interpolation, fill_mode):
    x, found = drawn(40, 9, 12, 1), {}
    for engine in kbackend.available_backends():
        with kbackend.use_backend(engine):
            found[engine] = changed(layers.RandomRotation(1.0, fill_mode, interpolation, seed=5), x).tobytes()
    assert len(set(found.values())) == 1


def test_turns_become_points_of_the_circle(each_backend):
    for dtype, bound in [("float64", 5e-15), ("float32", 2e-7)]:
        turns = np.linspace(-1, 1, 801).astype(dtype)
        given = K.placeholder((None,), dtype=dtype)
        cosine, sine = K.function([given], list(_circle(given)))([turns])
        exact = 2 * np.pi * turns.astype("float64")
        assert cosine.dtype == sine.dtype == dtype
        np.testing.assert_allclose(cosine, np.cos(exact), atol=bound)
        np.testing.assert_allclose(sine, np.sin(exact), atol=bound)
        quarters = K.function([given], list(_circle(given)))([np.array([0, 0.25, 0.5, -0.25, 1.0], dtype)])
        np.testing.assert_array_equal(quarters, [[1, 0, -1, 0, 1], [0, 1, 0, -1, 0]])


@every_layer
def test_a_seeded_layer_is_the_same_in_any_model(name):
    K.set_seed(1)
    first = changed(MAKERS[name](seed=5))
    K.set_seed(2)
    changed(layers.Dropout(0.5))
    second = changed(MAKERS[name](seed=5))
    assert first.tobytes() == second.tobytes()
    assert any(first.tobytes() != changed(MAKERS[name](seed=s)).tobytes() for s in (6, 7, 8))


@every_layer
def test_a_configuration_makes_the_same_layer(name):
    layer = MAKERS[name](seed=3, data_format="channels_first")
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    x = np.moveaxis(IMAGES, -1, 1)
    assert changed(again, x).tobytes() == changed(MAKERS[name](seed=3, data_format="channels_first"), x).tobytes()


@every_layer
def test_channels_first_is_the_same(name):
    last = changed(MAKERS[name](seed=3))
    x = np.ascontiguousarray(np.moveaxis(IMAGES, -1, 1))
    first = changed(MAKERS[name](seed=3, data_format="channels_first"), x)
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, atol=2e-4)


# ------------------------------------------------------------------------------------- phases


@every_layer
def test_images_pass_in_inference(each_backend, name):
    found = program_of(MAKERS[name]())([IMAGES, 0])[0]
    if name == "RandomCrop":
        assert found.shape == (6, 4, 3, 3)
    else:
        np.testing.assert_array_equal(found, IMAGES)
    model = Sequential([Input(IMAGES.shape[1:]), MAKERS[name]()])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), found)
    assert Model(model.inputs, model.outputs).weights == []


@every_layer
def test_training_at_once_decides(each_backend, name):
    given = Input(IMAGES.shape[1:])
    K.set_seed(3)
    program = K.function([given], [MAKERS[name](seed=1)(given, training=True)])
    assert program([IMAGES])[0].tobytes() == changed(MAKERS[name](seed=1)).tobytes()


@every_layer
def test_one_image(each_backend, name):
    found = K.eval(MAKERS[name](seed=2)(K.constant(IMAGES[0]), training=True))
    np.testing.assert_allclose(found, changed(MAKERS[name](seed=2), IMAGES[:1])[0], atol=2e-4)


@every_layer
def test_integers_become_floats(each_backend, name):
    given = Input(IMAGES.shape[1:], dtype="uint8")
    program = K.function([given, K.learning_phase()], [MAKERS[name](seed=4)(given)])
    x = IMAGES.astype("uint8")
    assert program([x, 0])[0].dtype == np.float32
    np.testing.assert_allclose(program([x, 1])[0], changed(MAKERS[name](seed=4), x.astype("float32")), atol=1e-3)


def test_training_goes_through_augmentation(each_backend):
    K.set_seed(3)
    model = Sequential([Input((7, 5, 3)), layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomContrast(0.2),
                        layers.Flatten(), layers.Dense(2)])
    model.compile("sgd", "mse")
    history = model.fit(IMAGES / 255, np.zeros((6, 2)), epochs=3, batch_size=4, verbose=0).history["loss"]
    assert np.isfinite(history).all() and history[-1] < history[0]


def test_gradients_flow_through(each_backend):
    given = Input(IMAGES.shape[1:])
    y = layers.RandomBrightness(0.1, (-1e3, 1e3), seed=1)(layers.RandomFlip(seed=1)(given), training=True)
    program = K.function([given], K.gradients(K.sum(y), [given]))
    np.testing.assert_array_equal(program([IMAGES])[0], np.ones_like(IMAGES))


# ------------------------------------------------------------------------------------- what is done


def test_each_image_is_flipped_by_its_own_coins(each_backend):
    x = np.tile(np.arange(6.0, dtype="float32").reshape(1, 2, 3, 1), (400, 1, 1, 1))
    turned = {
        "horizontal": [x[0], x[0, :, ::-1]],
        "vertical": [x[0], x[0, ::-1]],
        "horizontal_and_vertical": [x[0], x[0, :, ::-1], x[0, ::-1], x[0, ::-1, ::-1]],
    }
    for mode, kinds in turned.items():
        found = changed(layers.RandomFlip(mode, seed=1), x)
        counts = [sum(np.array_equal(image, kind) for image in found) for kind in kinds]
        assert sum(counts) == 400
        assert all(abs(n - 400 / len(kinds)) < 50 for n in counts), counts


def test_brightness_is_drawn_from_its_range_for_each_image(each_backend):
    x = np.full((500, 2, 2, 3), 4.0, "float32")
    shifts = changed(layers.RandomBrightness((-0.1, 0.3), (0, 10), seed=1), x) - x
    assert (np.ptp(shifts, axis=(1, 2, 3)) == 0).all()
    assert -1 <= shifts.min() < -0.9 and 2.9 < shifts.max() <= 3 and abs(shifts.mean() - 1) < 0.15
    assert changed(layers.RandomBrightness((1, 1), (0, 10)), x).max() == 10
    assert changed(layers.RandomBrightness((-1, -1), (0, 10)), x).min() == 0


def test_contrast_is_drawn_from_its_range_and_keeps_means(each_backend):
    x = drawn(500, 4, 3, 2, low=100, high=150)
    x[..., 1] += 50
    found = changed(layers.RandomContrast((0.4, 0.2), (-1000, 1000), seed=1), x)
    np.testing.assert_allclose(found.mean((1, 2)), x.mean((1, 2)), rtol=1e-5)
    ratios = found.std((1, 2)) / x.std((1, 2))
    np.testing.assert_allclose(ratios[:, 0], ratios[:, 1], rtol=1e-3)
    assert 0.599 < ratios.min() < 0.62 and 1.18 < ratios.max() < 1.201 and abs(ratios.mean() - 0.9) < 0.03
    one = changed(layers.RandomContrast(0.5, (-1000, 1000), seed=1), x).std((1, 2)) / x.std((1, 2))
    assert 0.499 < one.min() < 0.53 and 1.47 < one.max() < 1.501


def test_values_stay_in_their_range(each_backend):
    assert changed(layers.RandomContrast((0.0, 1.0), (50, 200), seed=1)).min() == 50
    assert changed(layers.RandomContrast((0.0, 1.0), (50, 200), seed=1)).max() == 200


def test_crops_are_parts_at_one_place_for_the_batch(each_backend):
    x = np.arange(2 * 5 * 6.0, dtype="float32").reshape(2, 5, 6, 1)
    found = changed(layers.RandomCrop(3, 4, seed=2), x, runs=60)
    corners = set()
    for run in found:
        row, column = divmod(int(run[0, 0, 0, 0]), 6)
        np.testing.assert_array_equal(run, x[:, row : row + 3, column : column + 4])
        corners.add((row, column))
    assert corners == {(r, c) for r in range(3) for c in range(3)}


def test_crops_of_what_is_too_small_and_in_inference_are_resized(each_backend):
    x = drawn(2, 5, 6, 1)
    wanted = K.eval(kbackend.ops.image.resize(x, (4, 12), crop_to_aspect_ratio=True))
    assert program_of(layers.RandomCrop(4, 12), x.shape[1:])([x, 0])[0].tobytes() == wanted.tobytes()
    assert changed(layers.RandomCrop(4, 12), x).tobytes() == wanted.tobytes()
    np.testing.assert_array_equal(changed(layers.RandomCrop(5, 6), x), x)
    np.testing.assert_array_equal(program_of(layers.RandomCrop(5, 6), x.shape[1:])([x, 0])[0], x)


def test_moves_are_within_their_ranges(each_backend):
    """A ramp shows by how much each image was moved or zoomed."""
    rows, columns = np.meshgrid(np.arange(20.0), np.arange(30.0), indexing="ij")
    x = np.tile(np.stack([rows, columns], -1).astype("float32"), (300, 1, 1, 1))
    found = changed(layers.RandomTranslation((-0.1, 0.2), 0.3, "nearest", seed=1), x)[:, 10, 15]
    down, across = 10 - found[:, 0], 15 - found[:, 1]
    assert -2 <= down.min() < -1.9 and 3.9 < down.max() <= 4.0001
    assert -9 <= across.min() < -8.8 and 8.8 < across.max() <= 9.0001
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.2
    found = changed(layers.RandomZoom((-0.5, 0.2), (-0.1, 0.1), "nearest", seed=1), x)
    heights = (found[:, 11, 15, 0] - found[:, 8, 15, 0]) / 3
    widths = (found[:, 10, 16, 1] - found[:, 10, 13, 1]) / 3
    assert 0.4999 < heights.min() < 0.52 and 1.18 < heights.max() < 1.2001
    assert 0.8999 < widths.min() < 0.91 and 1.09 < widths.max() < 1.1001
    kept = changed(layers.RandomZoom((-0.5, 0.2), None, "nearest", seed=1), x)
    np.testing.assert_allclose((kept[:, 11, 15, 0] - kept[:, 8, 15, 0]), (kept[:, 10, 16, 1] - kept[:, 10, 13, 1]),
                               rtol=1e-4)
    np.testing.assert_allclose(kept[:, 9:11, 14:16].mean((1, 2)), [[9.5, 14.5]] * 300, rtol=1e-4)


def test_quarter_turns_go_counterclockwise(each_backend):
    x = drawn(3, 5, 5, 2)
    for quarters, factor in [(1, 0.25), (2, 0.5), (-1, -0.25)]:
        found = changed(layers.RandomRotation((factor, factor)), x)
        np.testing.assert_allclose(found, np.rot90(x, quarters, (1, 2)), rtol=1e-5, atol=1e-3)


FIXED = {
    "rotation": ("RandomRotation", ((0.1, 0.1), "constant"), {}),
    "rotation, nearest": ("RandomRotation", ((-0.07, -0.07), "reflect", "nearest"), {}),
    "translation": ("RandomTranslation", ((0.3, 0.3), (-0.25, -0.25), "constant"), {"fill_value": 9.0}),
    "zoom": ("RandomZoom", ((0.47, 0.47), (-0.23, -0.23), "reflect"), {}),
    "zoom of both": ("RandomZoom", ((0.47, 0.47), None, "nearest"), {}),
    "brightness": ("RandomBrightness", ((0.1, 0.1),), {"value_range": (0, 200)}),
    "brightness of a pair that falls": ("RandomBrightness", ((-0.1, -0.1),), {}),
    "contrast": ("RandomContrast", ((0.0, 0.0),), {"value_range": (20, 200)}),
}


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name", FIXED)
def test_fixed_factors_do_what_keras_does(keras, name):
    kind, args, options = FIXED[name]
    expected = np.asarray(getattr(keras.layers, kind)(*args, **options)(IMAGES, training=True))
    with kbackend.use_backend("numpy"):
        found = changed(getattr(layers, kind)(*args, **options))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=5e-3)


# ------------------------------------------------------------------------------------- bad input

WRONG = {
    "mode": (lambda: layers.RandomFlip("diagonal"), "mode .*'diagonal'"),
    "factor": (lambda: layers.RandomRotation(1.5), "factor .*1.5"),
    "three": (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), r"factor .*\(0.1, 0.2, 0.3\)"),
    "no number": (lambda: layers.RandomRotation("a"), "factor .*'a'"),
    "fill_mode": (lambda: layers.RandomRotation(0.1, "edge"), "fill_mode .*'edge'"),
    "interpolation": (lambda: layers.RandomZoom(0.1, interpolation="bicubic"), "interpolation .*'bicubic'"),
    "width": (lambda: layers.RandomTranslation(0.1, -2.0), "width_factor .*-2.0"),
    "nothing left": (lambda: layers.RandomZoom((-1.0, 0.0)), r"height_factor .*\(-1.0, 0.0\)"),
    "crop": (lambda: layers.RandomCrop(0, 2), "height .*0"),
    "contrast": (lambda: layers.RandomContrast(-0.1), r"factor .*\[0, 1\].*-0.1"),
    "brightness": (lambda: layers.RandomBrightness(float("nan")), "factor .*nan"),
    "value_range": (lambda: layers.RandomBrightness(0.1, (3, 1)), r"value_range .*\(3, 1\)"),
    "data_format": (lambda: layers.RandomFlip(data_format="first"), "'first'"),
    "rank": (lambda: layers.RandomFlip()(Input((4,))), r"\(None, 4\)"),
    "unknown size": (lambda: layers.RandomCrop(2, 2)(Input((None, 4, 1))), "known size"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_layer_and_value(name):
    call, text = WRONG[name]
    with pytest.raises(ValueError, match=text):
        call()
