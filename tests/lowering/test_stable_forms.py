"""Stable and cheaper forms at their extremes: what they replace has the same values and gradients.

Those of the crossentropies are in tests/training/test_losses.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K

INF, NAN = np.inf, np.nan
ROWS = [
    [[-1.0, -2.0, -3.0, -4.0]],
    [[0.0, -0.0, 0.0, -1.0]],
    [[2.0, 2.0, 1.0, 2.0]],
    [[INF, -INF, 3.0, -5.0]],
    [[NAN, 1.0, -1.0, -INF]],
    [[3e38, -3e38, 1e-45, -1e-45]],
]


def both(x, inner, outer, value):
    """Value and gradient of ``outer(inner(x))``: rewritten as a whole, and in two programs."""
    h = inner(x)
    y = outer(h)
    whole = K.function([x], [y, *K.gradients(K.sum(y), [x])])
    first, last = K.function([x], [h]), K.function([h], [y, *K.gradients(K.sum(y), [h])])
    g = K.placeholder(h.shape, dtype=h.dtype)
    back = K.function([x, g], K.gradients(K.sum(h * g), [x]))
    found, (middle,) = whole([value]), first([value])
    plain, gradient = last([middle])
    return whole, found, [plain, back([value, gradient])[0]]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("row", ROWS)
def test_pooling_before_relu(each_backend, row, padding):
    x = K.placeholder((1, 1, 4, 1))
    whole, found, plain = both(x, K.relu, lambda h: K.pool2d(h, (1, 3), (1, 1), padding), np.reshape(row, (1, 1, 4, 1)))
    assert whole.source.index("max_pool") < whole.source.index("relu")
    np.testing.assert_array_equal(found[0], plain[0])
    if not np.isnan(row).any():  # TensorFlow's gradient of a window with NaN goes to any element
        np.testing.assert_array_equal(found[1], plain[1])


@pytest.mark.parametrize("row", [*ROWS, np.zeros((0, 4)), np.zeros((2, 0)), [[1e38, 1e38]]])
def test_a_mean_of_means(each_backend, row):
    row = np.asarray(row, "float32")
    x = K.placeholder(row.shape)
    with np.errstate(all="ignore"):
        whole, found, plain = both(x, lambda x: K.mean(x, axis=1), K.mean, row)
    assert whole.source.count("= mean(") == 1
    for one, other in zip(found, plain):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_mean_of_means_of_many(each_backend, dtype):
    """The sum of the rows' sums is past the largest float16."""
    x = K.placeholder((64, 1024), dtype=dtype)
    _, found, plain = both(x, lambda x: K.mean(x, axis=1), K.mean, np.full((64, 1024), 10.0))
    assert float(found[0]) == float(plain[0]) == 10
    np.testing.assert_allclose(np.asarray(found[1], "float32"), 1 / 64 / 1024, rtol=1e-2)
