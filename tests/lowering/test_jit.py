"""Programs through the engines' compilers: torch.compile and XLA give what the plain mode gives."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers
from kbackend.lowering.explain import CompilerError

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


@pytest.mark.parametrize("engine", COMPILERS)
def test_compiled_dropout_draws_the_masks_of_the_plain_one(engine):
    x = RNG.normal(size=(8, 6)).astype("float32")

    def losses(jit):
        K.reset_uids()
        kbackend.set_seed(4)
        inputs = Input((6,))
        model = Model(inputs, layers.Dense(2)(layers.Dropout(0.4)(layers.Dense(16, activation="relu")(inputs))))
        model.compile("adam", "mse", jit=jit)
        return [model.train_on_batch(x, x[:, :2]) for _ in range(4)]

    with kbackend.use_backend(engine):
        np.testing.assert_allclose(losses(True), losses(False), rtol=1e-5)


@pytest.mark.parametrize("engine", COMPILERS)
@pytest.mark.parametrize("layer", ["LSTM", "MultiHeadAttention"])
def test_compiled_sequences_train_as_plain_ones(engine, layer):
    """An LSTM compiled by torch 2.13 failed when it ran."""
    random = np.random.default_rng(1)  # not that of the file, whose numbers depend on which tests ran before
    x, y = random.normal(size=(4, 5, 3)).astype("float32"), random.normal(size=(4, 2)).astype("float32")
    K.set_seed(1)

    def trained(jit, start):
        inputs = Input((5, 3))
        if layer == "MultiHeadAttention":
            h = layers.Flatten()(layers.LayerNormalization()(layers.MultiHeadAttention(2, 3)(inputs, inputs)))
        else:
            h = layers.LSTM(4)(inputs)
        model = Model(inputs, layers.Dense(2)(h))
        model.compile("sgd", "mse", jit=jit)
        model.set_weights(start or model.get_weights())
        start = model.get_weights()
        return start, [model.train_on_batch(x, y) for _ in range(3)], model.predict_on_batch(x)

    with kbackend.use_backend(engine):
        start, losses, outputs = trained(False, None)
        _, compiled_losses, compiled_outputs = trained(True, start)
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-5)
    np.testing.assert_allclose(compiled_outputs, outputs, rtol=1e-4, atol=1e-6)


@pytest.mark.engine("torch")
def test_compiled_gradients_are_in_the_graph(monkeypatch):
    """Else each watched tensor breaks it; torch counts the breaks."""
    from torch._dynamo.utils import counters

    counters.clear()
    x, w = K.placeholder((None, 3)), K.variable(np.ones((3, 2), "float32"))
    b = K.variable(np.zeros(2, "float32"))
    with kbackend.use_backend("torch"):
        function = K.function([x], K.gradients(K.sum(K.tanh(K.dot(x, w) + b)), [w, b]), jit=True)
        function([np.ones((4, 3), "float32")])
    assert not counters["graph_break"], counters["graph_break"]


@pytest.mark.engine("torch")
def test_an_assertion_inside_the_compiler_is_the_compilers(monkeypatch):
    import torch._dynamo.convert_frame

    def broken(*args, **kwargs):
        raise AssertionError("Guard failed")

    monkeypatch.setattr(torch._dynamo.convert_frame.DynamoOutput, "build_guards", broken)
    x = K.placeholder((None, 3))
    with kbackend.use_backend("torch"), pytest.raises(CompilerError, match="AssertionError: Guard failed; .*jit=False"):
        K.function([x], [K.tanh(x) * 5.0 - 1.0], jit=True)([np.ones((2, 3), "float32")])


@pytest.mark.engine("torch")
def test_a_compiler_that_fails_is_named_on_torch():
    from torch._inductor import config

    x, n = K.placeholder((None, 4)), K.variable(1.0)
    function = K.function([x], [K.tanh(x) * 3.0 - 7.0], updates=[K.update_add(n, 1.0)], name="squashed", jit=True)
    with kbackend.use_backend("torch"):
        without = config.patch({"cpp.cxx": ("no-such-compiler",), "fx_graph_cache": False})
        told = r"^squashed: torch.compile .* torch:.*no-such-compiler.*jit=False"
        with without, pytest.raises(CompilerError, match=told):
            function([np.ones((2, 4), "float32")])
        assert float(K.get_value(n)) == 1.0
        with pytest.raises(ValueError) as wrong:
            K.function([x], [K.reshape(x, (3, -1))], jit=True)([np.ones((2, 4), "float32")])
        assert "(2, 4)" in str(wrong.value)


@pytest.mark.engine("tensorflow")
def test_what_xla_cannot_compile_is_named():
    x = K.placeholder((3, 3))
    values, _ = kbackend.ops.eig(x)
    with kbackend.use_backend("tensorflow"):
        with pytest.raises(CompilerError, match=r"^values: XLA .* tensorflow:\S+: it has no kernel for Eig.*jit=False"):
            K.function([x], [values], name="values", jit=True)([np.eye(3, dtype="float32")])
        np.testing.assert_allclose(K.function([x], [values], jit=False)([np.eye(3, dtype="float32")])[0], [1, 1, 1])


@pytest.mark.engine("tensorflow")
def test_shapes_that_do_not_fit_are_told_of_before_the_compiler():
    x, y = K.placeholder((None, 4)), K.placeholder((None, 4))
    with kbackend.use_backend("tensorflow"), pytest.raises(ValueError, match="at the node") as wrong:
        K.function([x, y], [x + y], jit=True)([np.ones((2, 4), "float32"), np.ones((3, 4), "float32")])
    assert not isinstance(wrong.value, CompilerError)
