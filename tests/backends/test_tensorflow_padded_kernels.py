"""Kernels that a padding gave: oneDNN's graph pass ended the process on them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine("tensorflow")

SCRIPT = """
import numpy as np
from kbackend import K, ops
rng = np.random.default_rng(0)
for rank, conv in ((2, K.conv2d), (3, K.conv3d)):
    size = (5,) * rank
    x = K.placeholder((None, *size, 2))
    k = K.placeholder((*(2,) * rank, 2, 3))
    pairs = [(0, 1)] + [(1, 0)] * (rank - 1) + [(0, 0), (0, 0)]
    for value in (0, 0.5):
        padded = ops.pad(k, pairs, constant_values=value)
        y = conv(x, padded)
        f = K.function([x, k], [y, *K.gradients(K.sum(y * y), [x, k])])
        feeds = [rng.random((2, *size, 2)), rng.random((*(2,) * rank, 2, 3))]
        found = f(feeds)
        whole = np.pad(feeds[1], pairs, constant_values=value)
        z = K.placeholder(whole.shape)
        g = K.function([x, z], [conv(x, z)])
        np.testing.assert_allclose(found[0], g([feeds[0], whole])[0], rtol=1e-5)
        assert found[2].shape == feeds[1].shape and np.abs(found[2]).min() > 0
x, k = K.placeholder((None, 1, 6, 1)), K.placeholder((3, 1, 1, 2))  # one channel and one column
y = K.depthwise_conv2d(x, k, strides=(2, 2), data_format="channels_first")
found = K.function([x, k], [y])([np.ones((2, 1, 6, 1)), np.ones((3, 1, 1, 2))])[0]
np.testing.assert_array_equal(found, np.full((2, 2, 2, 1), 3.0))
print("survived")
"""


@pytest.mark.parametrize("onednn", ["0", "1"])
def test_a_padded_kernel_is_convolved_and_has_gradients(fresh_python, onednn):
    printed = fresh_python(SCRIPT, {"KBACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": onednn})
    assert printed.split()[-1] == "survived"
