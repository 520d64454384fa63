"""Arguments of networks, weights from files, pictures in and names out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kbackend import Input, K, Model, applications, layers
from kbackend.applications import imagenet_utils, mobilenet_v2, resnet50, vgg16
from kbackend.saving.errors import FormatError

SMALL = {"input_shape": (32, 32, 3), "weights": None}


@pytest.fixture(scope="module")
def tiny():
    """The smallest network, with a classifier."""
    return applications.MobileNetV2(alpha=0.35, classes=4, **SMALL)


def test_networks_are_built_without_an_engine(fresh_python):
    code = (
        "import sys\nfrom kbackend.applications import VGG16, NASNetMobile\n"
        "VGG16(weights=None, input_shape=(32, 32, 3), include_top=False)\n"
        "NASNetMobile((32, 32, 3), include_top=False, weights=None)\n"
        "print([m for m in ('torch', 'tensorflow', 'autograd') if m in sys.modules])"
    )
    assert fresh_python(code).strip() == "[]"


def test_the_usual_sizes():
    shapes = [applications.VGG16(False, None).output_shape, applications.VGG16(False, None, pooling="max").output_shape]
    assert shapes == [(None, None, None, 512), (None, 512)]
    network = applications.MobileNet(weights=None, alpha=0.25)
    assert network.input_shape == (None, 224, 224, 3) and network.name == "mobilenet_0.25_224"
    assert network.output_shape == (None, 1000)


def test_resnet50_has_the_names_of_its_first_version():
    """Programs for Grad-CAM and transfer ask for them; the order of weights is that of Keras 2's files."""
    K.clear_session()
    network = resnet50.ResNet50(include_top=False, **SMALL)
    names = [layer.name for layer in network.layers]
    assert network.name == "resnet50" and names[-1] == "activation_49"
    assert {"conv1_pad", "bn_conv1", "res2a_branch2a", "bn3a_branch1", "res5c_branch2c", "pool1_pad"} <= set(names)
    weighted = [layer.name for layer in network.layers if layer.weights]
    start = weighted.index("res3a_branch2c")
    assert weighted[start : start + 4] == ["res3a_branch2c", "res3a_branch1", "bn3a_branch2c", "bn3a_branch1"]
    assert network.count_params() == 23_587_712


def test_inception_resnet_names_its_shortcuts():
    network = applications.InceptionResNetV2(include_top=False, weights=None, input_shape=(75, 75, 3))
    assert network.get_layer("block35_1").output.shape == network.get_layer("block35_1_ac").output.shape
    assert network.get_layer("block8_10").output.shape[-1] == 2080
    assert network.count_params() == 54_336_736


def test_channels_first_is_the_same_network(tiny):
    x = np.random.default_rng(2).normal(size=(1, 32, 32, 3)).astype("float32")
    wanted = tiny.predict(x)
    K.set_image_data_format("channels_first")
    try:
        other = applications.MobileNetV2((3, 32, 32), alpha=0.35, classes=4, weights=None)
        other.set_weights(tiny.get_weights())
        np.testing.assert_allclose(other.predict(x.transpose(0, 3, 1, 2)), wanted, rtol=1e-4)
        with pytest.raises(ValueError, match="at least 32 by 32"):
            applications.MobileNetV2((3, 31, 32), weights=None)
    finally:
        K.set_image_data_format("channels_last")


def test_a_network_is_applied_to_a_tensor():
    given = Input((32, 32, 1), name="grey")
    network = applications.VGG16(False, None, input_tensor=layers.Conv2D(3, 1)(given))
    assert network.input is given and network.layers[0].name == "grey"
    with pytest.raises(ValueError, match=r"input_tensor has the shape \(None, 32, 32, 1\)"):
        applications.VGG16(False, None, input_tensor=given, input_shape=(48, 48, 3))
    base, style = K.variable(np.zeros((1, 32, 32, 3))), K.constant(np.ones((1, 32, 32, 3)))
    made = K.placeholder((1, 32, 32, 3))
    network = vgg16.VGG16(input_tensor=K.concatenate([base, style, made], axis=0), weights=None, include_top=False)
    values = K.function([made], [network.get_layer("block5_pool").output])([np.full((1, 32, 32, 3), 2.0)])[0]
    assert values.shape == (3, 1, 1, 512) and np.abs(np.diff(values, axis=0)).max() > 0


def test_weights_come_from_files(tiny, tmp_path, monkeypatch):
    pytest.importorskip("h5py")
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"mobilenetv2_0.35_32 needs mobilenet_v2_.*_0.35_224_no_top.h5"):
        applications.MobileNetV2((32, 32, 3), 0.35, include_top=False)
    bare = Model(tiny.input, tiny.layers[-3].output)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    bare.save_weights(folder / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5")
    network = applications.MobileNetV2((32, 32, 3), 0.35, include_top=False)
    pairs = zip(network.get_weights(), bare.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    tiny.save_weights(tmp_path / "mine.h5")
    again = applications.MobileNetV2((32, 32, 3), 0.35, weights=tmp_path / "mine.h5", classes=4)
    np.testing.assert_array_equal(again.get_weights()[-1], tiny.get_weights()[-1])


def test_a_network_is_saved_and_read(tiny, tmp_path):
    from kbackend.models import load_model

    tiny.save(tmp_path / "tiny.kb")
    x = np.random.default_rng(3).normal(size=(2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(load_model(tmp_path / "tiny.kb").predict(x), tiny.predict(x))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: applications.VGG16(weights=None, input_shape=(16, 32, 3)), "at least 32 by 32 pixels"),
    (lambda: applications.VGG16(weights=None, input_shape=(32, 32)), "must have three numbers"),
    (lambda: applications.VGG16(weights=None, input_shape=(None, 32, 3)), "needs pictures of a known size"),
    (lambda: applications.VGG16(classes=10), "needs classes=1000"),
    (lambda: applications.VGG16(input_shape=(32, 32, 3)), "needs 224 by 224 pixels"),
    (lambda: applications.VGG16(False, input_shape=(32, 32, 1)), "needs pictures of 3 channels"),
    (lambda: applications.VGG16(False, None, pooling="mean"), "pooling must be 'avg', 'max' or None"),
    (lambda: applications.MobileNet(alpha=0.3), "alpha one of 1.0, 0.75, 0.5, 0.25"),
    (lambda: applications.MobileNetV2(alpha=0.3), "alpha one of 0.35"),
])
def test_arguments_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_weights_that_are_not_there():
    with pytest.raises(FileNotFoundError, match="weights must be None, 'imagenet' or a file; nowhere.h5 is not there"):
        applications.VGG16(weights="nowhere.h5")
    with pytest.raises(FileNotFoundError, match="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5.*weights=None"):
        applications.VGG16(False)
    with pytest.warns(UserWarning, match=r"pictures have 1 or 3 channels, input_shape \(32, 32, 5\) has 5"):
        applications.VGG16(False, None, input_shape=(32, 32, 5))


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_pictures_are_those_of_keras(mode, keras, engine):
    for data_format, shape in (("channels_last", (2, 4, 3, 3)), ("channels_first", (3, 4, 5))):
        x = np.random.default_rng(4).uniform(0, 255, shape).astype("float32")
        before = x.copy()
        wanted = keras.applications.imagenet_utils.preprocess_input(x.copy(), data_format, mode)
        np.testing.assert_allclose(imagenet_utils.preprocess_input(x, data_format, mode), wanted, rtol=1e-5, atol=1e-5)
        symbolic = K.placeholder(shape)
        made = K.function([symbolic], [imagenet_utils.preprocess_input(symbolic, data_format, mode)])([x])[0]
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=2e-5)
        assert (x == before).all()
    assert imagenet_utils.preprocess_input(np.zeros((2, 2, 3), "uint8"), mode=mode).dtype == np.float32


def test_modules_have_their_mode_and_wrong_ones_are_named():
    x = np.full((1, 1, 3), 255.0)
    assert mobilenet_v2.preprocess_input(x).tolist() == [[[1.0, 1.0, 1.0]]]
    assert vgg16.preprocess_input(x)[0, 0, 0] == 255 - 103.939
    assert applications.densenet.preprocess_input(x)[0, 0, 0] == pytest.approx((1 - 0.485) / 0.229)
    with pytest.raises(ValueError, match="mode must be"):
        imagenet_utils.preprocess_input(x, mode="theano")


def test_answers_as_names(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    probabilities = np.zeros((2, 1000))
    probabilities[0, [3, 8]] = 0.25, 0.75
    probabilities[1, 0] = 1
    with pytest.raises(FileNotFoundError, match="decode_predictions needs imagenet_class_index.json"):
        vgg16.decode_predictions(probabilities)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    file = folder / "imagenet_class_index.json"
    file.write_text(json.dumps({str(i): [f"n{i}", f"thing {i}"] for i in range(1000)}))
    one, other = vgg16.decode_predictions(probabilities, top=2)
    assert one == [("n8", "thing 8", 0.75), ("n3", "thing 3", 0.25)]
    assert other == [("n0", "thing 0", 1.0), ("n1", "thing 1", 0.0)]
    with pytest.raises(ValueError, match=r"\(samples, 1000\), not \(2, 10\)"):
        vgg16.decode_predictions(probabilities[:, :10])
    file.write_text("{}")
    with pytest.raises(FormatError, match="a pair of names for each number"):
        vgg16.decode_predictions(probabilities)
