"""Programs through the engines' compilers: torch.compile and XLA give what the plain mode gives."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, Model, layers

RNG = np.random.default_rng(0)
COMPILERS = [pytest.param(name, marks=pytest.mark.engine(name)) for name in ("torch", "tensorflow")]


@pytest.mark.parametrize("engine", COMPILERS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_compiled_training_is_plain_training(engine, optimizer):
    x, y = RNG.normal(size=(8, 6, 6, 2)).astype("float32"), RNG.integers(0, 3, 8)

    def trained(jit, start):
        inputs = Input((6, 6, 2))
        h = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(3, 3, activation="relu")(inputs)))
        model = Model(inputs, layers.Dense(3, activation="softmax")(h))
        model.compile(optimizer, "sparse_categorical_crossentropy", jit=jit)
        if start:
            model.set_weights(start)
        start = model.get_weights()
        losses = [model.train_on_batch(x, y) for _ in range(3)]
        return start, losses, model.predict_on_batch(x)

    with kbackend.use_backend(engine):
        start, losses, outputs = trained(False, None)
        _, compiled_losses, compiled_outputs = trained(True, start)
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-5)
    np.testing.assert_allclose(compiled_outputs, outputs, rtol=1e-4, atol=1e-6)
