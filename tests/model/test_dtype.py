"""The dtype of a model that defines ``call``."""

from __future__ import annotations

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, Model, Sequential, layers, models

X = rows(20, 3, seed=1)
Y = X.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype, computed_in, kept_in", [
    ("float64", "float64", "float64"), ("mixed_bfloat16", "bfloat16", "float32"), ("float16", "float16", "float16"),
])  # fmt: skip
def test_a_model_may_have_a_dtype(each_backend, tmp_path, dtype, computed_in, kept_in):
    class Own(Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.head, self.scale = layers.Dense(1), self.add_weight("scale", (3,), initializer="ones")

        def call(self, inputs):
            seen.append((inputs.dtype, (inputs * self.scale).dtype))
            return self.head(inputs * self.scale)

        def get_config(self):
            return super().get_config()

    seen = []
    model = Own(dtype=dtype)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model(Input((3,)))
    assert seen == [(computed_in, computed_in)] * 2
    assert (model.dtype, model.compute_dtype, model.scale.dtype) == (kept_in, computed_in, kept_in)
    assert model.head.kernel.dtype == "float32", "layers have their own policy"
    model.save(tmp_path / "own.kb")
    again = models.load_model(tmp_path / "own.kb", custom_objects={"Own": Own})
    assert again.dtype_policy.name == dtype and again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert "dtype" not in Own().get_config()


def test_only_models_with_a_call_have_a_dtype():
    x = Input((3,))
    with pytest.raises(TypeError, match="models that define call"):
        Model(x, layers.Dense(1)(x), dtype="float64")
    with pytest.raises(TypeError, match="unknown argument 'dtype'"):
        Sequential([layers.Dense(1)], dtype="float64")
