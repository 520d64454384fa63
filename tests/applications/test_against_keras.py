"""Networks by name and those of Keras 3: names of layers, order and shapes of weights, values."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.keras3 import computed

from kbackend import K, applications
from kbackend.applications import resnet

#: the least sizes of pictures
SIZES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
#: the ordinary run has a large and a small network
QUICK = ("ResNet50", "MobileNetV2")
SLOW = ("VGG16", "VGG19", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2", "InceptionV3",
        "Xception", "MobileNet", "DenseNet121", "DenseNet169", "DenseNet201", "NASNetMobile", "NASNetLarge",
        "InceptionResNetV2")  # fmt: skip
slow = pytest.mark.skipif(
    not os.environ.get("KBACKEND_TEST_SLOW"), reason="takes minutes; KBACKEND_TEST_SLOW=1 runs it"
)
#: layers that Keras 3 names otherwise than Keras 2
RENAMED = {"probs": "predictions", "Logits": "predictions", "fc1000": "predictions", "act_softmax": "predictions"}


def ours(name: str, **options: Any) -> Any:
    """Keras 3 has the second version of ResNet50, with names as its kin."""
    return (resnet if name == "ResNet50" else applications).__dict__[name](**options)


def drawn(weights: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Weights that keep the size of features: scales and variances near 1, kernels by their inputs."""
    generator = np.random.default_rng(0)
    for array in weights:
        if array.ndim == 1:
            yield generator.uniform(0.5, 1.5, array.shape)
        else:
            yield generator.normal(size=array.shape) * np.sqrt(1.5 / np.prod(array.shape[:-1]))


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=slow) for name in SLOW)])
@pytest.mark.engine("tensorflow")
def test_a_network_is_that_of_keras(name, keras):
    K.clear_session()
    keras.backend.clear_session()
    size = SIZES.get(name, 32)
    options = {"weights": None, "input_shape": (size, size, 3), "include_top": False, "pooling": "avg"}
    network, other = ours(name, **options), getattr(keras.applications, name)(**options)
    assert [w.shape for w in network.get_weights()] == [w.shape for w in other.get_weights()]
    names = [layer.name.replace("conv1/", "conv1_") for layer in network.layers if layer.weights]
    unnamed = ("conv2d", "batch_normalization")
    pairs = [(a, b) for a, b in zip(names, [o.name for o in other.layers if o.weights], strict=True) if a != b]
    assert all(a.startswith(unnamed) and b.startswith(unnamed) for a, b in pairs)
    weights = list(drawn(other.get_weights()))
    network.set_weights(weights)
    other.set_weights(weights)
    x = np.random.default_rng(1).normal(size=(2, size, size, 3)).astype("float32")
    wanted = computed(other, x)
    np.testing.assert_allclose(network.predict(x), wanted, atol=1e-5 * np.abs(wanted).max())
    assert wanted.std() > 0


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name", ["MobileNet", *(pytest.param(n, marks=slow) for n in (*QUICK, *SLOW[:-2]))])
def test_the_classifier_is_that_of_keras(name, keras):
    size = SIZES.get(name, 32)
    options = {"weights": None, "input_shape": (size, size, 3), "classes": 7}
    network, other = ours(name, **options), getattr(keras.applications, name)(**options)
    assert network.output_shape == other.output_shape == (None, 7)
    assert [w.shape for w in network.get_weights()] == [w.shape for w in other.get_weights()]
    last, same = (model.layers[-1].name for model in (network, other))
    assert RENAMED.get(last, last) == same
