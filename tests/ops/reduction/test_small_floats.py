"""Gradients of reductions in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import K


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "logsumexp", "std", "var"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradients_of_reductions_of_all_axes(each_backend, name, dtype):
    values = 1 + np.arange(4.0).reshape(2, 2) / 4

    def gradient(dtype):
        x = K.placeholder((2, 2), dtype=dtype)
        return K.function([x], K.gradients(getattr(K, name)(x), [x]))([values])[0]

    found = gradient(dtype)
    assert found.dtype.name == dtype
    np.testing.assert_allclose(found.astype("float32"), gradient("float64"), rtol=2e-2, atol=1e-2)


def test_a_mean_of_more_elements_than_the_largest_float16(each_backend):
    x = K.placeholder((70_000,), dtype="float16")
    (gradient,) = K.function([x], K.gradients(K.mean(x) * 1000.0, [x]))([np.ones(70_000)])
    np.testing.assert_allclose(gradient.astype("float64"), 1 / 70, rtol=1e-3)
