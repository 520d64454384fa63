"""Modes of PyTorch around our calls: models first used there train afterwards, and values and dtypes stay."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, ops, use_backend

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine("torch")

DATA = np.random.default_rng(0).random((8, 5, 3)).astype("float32")
MODES = {
    "no_grad": torch.no_grad, "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16), "meta": lambda: torch.device("meta"),
    "anomaly": torch.autograd.detect_anomaly}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def model():
    x = Input((5, 3))
    h = layers.LSTM(4)(layers.Conv1D(3, 2, activation="relu")(x))
    made = Model(x, layers.Dense(1)(layers.BatchNormalization()(h)))
    made.compile("adam", "mse")
    return made


@each_mode
def test_a_model_used_first_inside_a_mode_trains_inside_and_outside(mode):
    with use_backend("torch"):
        m, plain = model(), model()
        plain.set_weights(m.get_weights())
        expected = plain.predict(DATA)
        with mode():
            found = m.predict(DATA)
            m.evaluate(DATA, DATA[:, 0, 0], verbose=0)
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
        losses = []
        for around in (contextlib.nullcontext, mode, contextlib.nullcontext):
            with around():
                losses += m.fit(DATA, DATA[:, 0, 0], shuffle=False, verbose=0).history["loss"]
        wanted = plain.fit(DATA, DATA[:, 0, 0], shuffle=False, epochs=3, verbose=0).history["loss"]
        np.testing.assert_allclose(losses, wanted, rtol=1e-5)
        assert all(w.dtype == "float32" for w in m.get_weights())


@each_mode
def test_variables_made_and_set_inside_a_mode_have_gradients_outside(mode):
    with use_backend("torch"):
        with mode():
            v = K.variable([1.0, 2.0])
            K.eval(v * 2.0)
            K.set_value(v, [3.0, 4.0])
            step = K.function([], K.gradients(K.sum(v * v), [v]), updates=[(v, v + 1.0)])
            assert step([])[0].tolist() == [6.0, 8.0]
        assert step([])[0].tolist() == [8.0, 10.0]
        assert K.get_value(v).tolist() == [5.0, 6.0]


def test_tensors_made_in_inference_mode_can_be_fed_where_gradients_are_taken():
    with use_backend("torch"):
        with torch.inference_mode():
            made = torch.ones(3)
        x = K.placeholder((3,))
        gradient = K.function([x], K.gradients(K.sum(x * x), [x]))
        assert gradient([made])[0].tolist() == [2.0, 2.0, 2.0]


def test_concrete_calls_keep_their_dtype_under_autocast():
    with use_backend("torch"):
        a = torch.ones(4, 4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert ops.matmul(a, a).dtype == torch.float32
        with torch.inference_mode():
            assert not ops.add(a, 1.0).is_inference()


def test_our_calls_leave_the_modes_of_the_user_on():
    with use_backend("torch"):
        m = model()
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            m.predict(DATA)
            assert torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
        assert torch.is_grad_enabled()
        m.fit(DATA, DATA[:, 0, 0], verbose=0)
        assert torch.is_grad_enabled()
