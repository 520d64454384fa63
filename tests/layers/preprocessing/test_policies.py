"""Drawn changes of images and their chains, perspectives and elastic changes, and boxes: against Keras and NumPy."""

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, layers
from kbackend.layers.preprocessing import policies

IMAGES = np.random.default_rng(3).uniform(0, 255, (4, 9, 8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(7)


def changed(layer, x=IMAGES, runs=1):
    given = Input(x.shape[1:])
    program = K.function([given], [layer(given, training=True)])
    found = [program([x])[0] for _ in range(runs)]
    return found if runs > 1 else found[0]


def given_draws(monkeypatch, name, *values):
    """Let the ``name`` of K return these values, in turn."""
    left = iter(values)
    monkeypatch.setattr(K, name, lambda shape, *_, dtype=None, **__: K.constant(next(left), dtype=dtype))


# ------------------------------------------------------------------------------------- policies


def test_rand_augment_makes_each_change(each_backend):
    layer = layers.RandAugment(num_ops=1, factor=(0.8, 0.8), seed=1)
    for number, change in enumerate(layer._changes):
        layer._numbers = lambda shape, count, number=number: K.constant([number], dtype="int32")
        found = changed(layer)
        assert found.shape == IMAGES.shape and np.isfinite(found).all()
        assert np.abs(found - IMAGES).max() > 1, type(change).__name__


def test_policies_draw_every_number_anew():
    layer = layers.RandAugment(num_ops=3)
    numbers = K.function([], [layer._numbers((3,), len(layer._changes))])
    counts = np.bincount(np.concatenate([numbers([])[0] for _ in range(400)]), minlength=11)
    assert len(counts) == 11 and (counts > 60).all() and (counts < 170).all()


def test_changes_that_are_drawn_twice_draw_anew(each_backend):
    """A brightness twice in one run: the second one is not the first one again."""
    layer = layers.RandAugment((-1e6, 1e6), num_ops=2, factor=0.2)
    layer._numbers = lambda shape, count: K.constant([3, 3], dtype="int32")
    once = layers.RandAugment((-1e6, 1e6), num_ops=1, factor=0.2)
    once._numbers = lambda shape, count: K.constant([3], dtype="int32")
    single, double = (np.array([(run - IMAGES)[:, 0, 0, 0] for run in changed(made, runs=40)])
                      for made in (once, layer))
    # the deviation of a sum of two draws is sqrt(2) that of one, that of a draw counted twice 2
    assert 1.2 < double.std() / single.std() < 1.65


@pytest.mark.engine("tensorflow")
def test_rand_augment_of_given_numbers_is_that_of_keras(keras):
    theirs = keras.layers.RandAugment(num_ops=2, factor=(0.5, 0.5))
    drawn = theirs.get_random_transformation(IMAGES, training=True)
    drawn["layer_idxes"] = np.array([10, 9])
    layer = layers.RandAugment(num_ops=2, factor=(0.5, 0.5))
    layer._numbers = lambda shape, count: K.constant([10, 9], dtype="int32")
    np.testing.assert_allclose(changed(layer), np.asarray(theirs.transform_images(IMAGES, drawn)), rtol=1e-4, atol=2e-2)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("kind, arguments", [("RandAugment", {"factor": 0.4}), ("AugMix", {"factor": (0.2, 0.6)}),
                                             ("AugMix", {"all_ops": False})], ids=str)
def test_changes_are_those_of_keras(keras, kind, arguments):
    ours, theirs = getattr(layers, kind)(**arguments), getattr(keras.layers, kind)(**arguments)
    names = theirs._AUGMENT_LAYERS if kind == "RandAugment" else theirs._augment_layers
    of_keras = {type(getattr(theirs, name)).__name__: getattr(theirs, name) for name in names}
    assert [type(c).__name__ for c in ours._changes] == list(of_keras) or kind == "AugMix"
    assert {type(c).__name__ for c in ours._changes} == set(of_keras)
    for change in ours._changes:
        known = of_keras[type(change).__name__].get_config()
        for key, value in change.get_config().items():
            if key.endswith("factor") and key in known and type(change).__name__ != "RandomPosterization":
                np.testing.assert_allclose(value, known[key], err_msg=f"{change.name} {key}")
            if key == "interpolation":
                assert value == known[key]


@pytest.mark.engine("tensorflow")
def test_chains_of_given_numbers_are_those_of_keras(keras, monkeypatch):
    shares, weight = np.array([0.3, 1.2], "float32"), np.float32(0.25)
    monkeypatch.setattr(policies, "gamma", lambda *_, **__: K.constant(shares))
    monkeypatch.setattr(policies, "beta", lambda *_, **__: K.constant(weight))
    layer = layers.AugMix(num_chains=2, chain_depth=2)
    places = {type(c).__name__: n for n, c in enumerate(layer._changes)} | {"none": len(layer._changes)}
    chains = [["AutoContrast", "none"], ["Equalization", "AutoContrast"]]
    numbers = [places[name] for chain in chains for name in chain]
    layer._numbers = lambda shape, count: K.constant(numbers, dtype="int32")
    theirs = keras.layers.AugMix(num_chains=2, chain_depth=2)
    names = {"AutoContrast": "auto_contrast", "Equalization": "equalization"}
    drawn = {"chain_mixing_weights": shares / shares.sum(), "weight_sample": weight, "chain_transforms": [
        [{"layer_name": names[n], "transformation": None} for n in chain if n != "none"] for chain in chains]}
    np.testing.assert_allclose(changed(layer), np.asarray(theirs.transform_images(IMAGES, drawn)), rtol=1e-4, atol=2e-2)


@pytest.mark.parametrize("kind", ["RandAugment", "AugMix"])
def test_gradients_flow_through_chains(each_backend, kind):
    layer = getattr(layers, kind)((-1e4, 1e4), factor=0.1)
    brightness = next(n for n, c in enumerate(layer._changes) if type(c).__name__ == "RandomBrightness")
    layer._numbers = lambda shape, count: K.constant(np.full(shape, brightness), dtype="int32")
    given = Input(IMAGES.shape[1:])
    program = K.function([given], K.gradients(K.sum(layer(given, training=True)), [given]))
    np.testing.assert_allclose(program([IMAGES])[0], np.ones_like(IMAGES), rtol=1e-5)


# ------------------------------------------------------------------------------------- places


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_perspectives_of_given_draws_are_those_of_keras(keras, monkeypatch, interpolation):
    rng = np.random.default_rng(5)
    moves = rng.uniform(-0.2, 0.2, (4, 4, 2)).astype("float32")
    coins, bounds = np.array([0.1, 0.9, 0.3, 0.2], "float32"), np.array([0.5, 0.5, 0.5, 0.1], "float32")
    corners = np.array([[[0, 0], [7, 0], [0, 8], [7, 8]]], "float32").repeat(4, 0)
    theirs = keras.layers.RandomPerspective(interpolation=interpolation, fill_value=3.0)
    expected = theirs.transform_images(IMAGES, {
        "apply_perspective": coins < bounds, "start_points": corners, "end_points": corners + corners * moves,
        "input_shape": IMAGES.shape})
    given_draws(monkeypatch, "random_uniform", coins, bounds, moves)
    with kbackend.use_backend("numpy"):
        found = changed(layers.RandomPerspective(scale=0.4, interpolation=interpolation, fill_value=3.0))
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-3, atol=2e-2)
    np.testing.assert_array_equal(found[[1, 3]], IMAGES[[1, 3]])


def reflected(place, size):
    """The pixel whose value a place outside has: d c b a | a b c d | d c b a."""
    place = place % (2 * size)
    return np.minimum(place, 2 * size - 1 - place)


def elastic(image, down, across):
    """One channel at displaced places, by the four pixels around."""
    rows, columns = image.shape
    found = np.zeros_like(image)
    for r in range(rows):
        for c in range(columns):
            y, x = r + down[r, c], c + across[r, c]
            top, left = int(np.floor(y)), int(np.floor(x))
            for i, a in ((top, top + 1 - y), (top + 1, y - top)):
                for j, b in ((left, left + 1 - x), (left + 1, x - left)):
                    found[r, c] += a * b * image[reflected(i, rows), reflected(j, columns)]
    return found


def test_elastic_changes_against_numpy(each_backend, monkeypatch):
    """The sides 24 and 30 make a window of 7 pixels and the deviation 1.2; displacements are multiplied by 3."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 255, (2, 24, 30, 1)).astype("float32")
    noise = rng.normal(size=(2, 2, 24, 30)).astype("float32")
    coins, bounds = np.array([0.1, 0.9], "float32"), np.array([0.5, 0.5], "float32")
    given_draws(monkeypatch, "random_uniform", coins, bounds, np.float32(1.0))
    given_draws(monkeypatch, "random_normal", noise[0], noise[1])
    found = changed(layers.RandomElasticTransform(scale=(1.0, 1.0)), x)
    weights = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
    weights /= weights.sum()
    fields = []
    for part in noise[:, 0].astype("float64") * 1.2:
        padded = np.pad(part, 3)
        smooth = sum(w * padded[i : i + 24] for i, w in enumerate(weights))
        fields.append(3.0 * sum(w * smooth[:, i : i + 30] for i, w in enumerate(weights)))
    wanted = elastic(x[0, ..., 0].astype("float64"), *fields)
    assert np.abs(wanted - x[0, ..., 0]).max() > 50
    np.testing.assert_allclose(found[0, ..., 0], wanted, atol=2e-2)
    np.testing.assert_array_equal(found[1], x[1])


def test_no_strength_changes_nothing():
    for arguments in ({"factor": 0.0}, {"scale": 0.0}):
        np.testing.assert_array_equal(changed(layers.RandomElasticTransform(**arguments)), IMAGES)


# ------------------------------------------------------------------------------------- boxes


def boxes(count, batch=(2,)):
    rng = np.random.default_rng(count)
    return {"boxes": rng.uniform(0, 9, (*batch, count, 4)).astype("float32"),
            "labels": rng.integers(0, 5, (*batch, count)).astype("float32")}


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("count", [2, 3, 5])
def test_boxes_are_those_of_keras(keras, count):
    given = boxes(count)
    theirs = keras.layers.MaxNumBoundingBoxes(3, fill_value=-2)
    wanted = theirs.transform_bounding_boxes({k: v.copy() for k, v in given.items()}, None)
    found = fitted(layers.MaxNumBoundingBoxes(3, fill_value=-2), given)
    for key, value in zip(("boxes", "labels"), found):
        np.testing.assert_array_equal(value, np.asarray(wanted[key]))


def fitted(layer, given, known=True):
    shapes = {k: v.shape[1:] if known else (None, *v.shape[2:]) for k, v in given.items()}
    inputs = {k: Input(shape) for k, shape in shapes.items()}
    images = Input((9, 8, 3))
    made = layer({"images": images, "bounding_boxes": inputs})
    assert made["images"].shape == images.shape
    found = made["bounding_boxes"]
    assert found["boxes"].shape == (None, layer.max_number, 4) and found["labels"].shape == (None, layer.max_number)
    return K.function(list(inputs.values()), [found["boxes"], found["labels"]])(list(given.values()))


@pytest.mark.parametrize("count", [0, 2, 5])
def test_any_number_of_boxes(each_backend, count):
    given = boxes(count)
    found = fitted(layers.MaxNumBoundingBoxes(3), given, known=False)
    kept = min(count, 3)
    for value, whole in zip(found, given.values()):
        assert value.shape[1] == 3
        np.testing.assert_array_equal(value[:, :kept], whole[:, :kept])
        assert (value[:, kept:] == -1).all()


def test_boxes_of_one_image_and_their_configuration():
    layer = layers.MaxNumBoundingBoxes(4, fill_value=0)
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config() and again.fill_value == 0
    given = boxes(2, batch=())
    found = again({"bounding_boxes": {k: K.constant(v) for k, v in given.items()}})["bounding_boxes"]
    assert K.eval(found["labels"]).tolist() == [*given["labels"].tolist(), 0, 0]
    with pytest.raises(ValueError, match=r"boxes must be \(batch, boxes, 4\)"):
        layer({"bounding_boxes": {"boxes": Input((3, 5)), "labels": Input((3,))}})
