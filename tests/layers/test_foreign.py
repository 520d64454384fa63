"""Lambda and Activation with an engine's own functions."""

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, Sequential, layers
from kbackend.plugin.gaps import MissingKernel
from kbackend.runtime.foreign import engine_of


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(6)


def engine(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def functions(name):
    """sigmoid as the engine's own function, as a Python function over it, and as a method call in one."""
    module = engine(name)
    own = module.sigmoid

    def wrapped(x):
        return module.sigmoid(x)

    return [own, wrapped, lambda x: own(x) * 1.0]


X = np.random.RandomState(0).randn(4, 3).astype("float32")
SIGMOID = 1 / (1 + np.exp(-X))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.engine(n)) for n in ("torch", "tensorflow")]
)
@pytest.mark.parametrize("form", [0, 1, 2])
def test_an_engines_function_runs_and_trains(name, form):
    function = functions(name)[form]
    x = Input((3,))
    out = layers.Lambda(function)(x)
    assert out.shape == (None, 3) and out.dtype == "float32"
    with kbackend.use_backend(name):
        np.testing.assert_allclose(Model(x, out).predict(X), SIGMOID, rtol=1e-6)
        gradient = K.gradients(K.sum(out), [x])[0]
        np.testing.assert_allclose(K.function([x], [gradient])([X])[0], SIGMOID * (1 - SIGMOID), rtol=1e-5)
        model = Sequential(
            [layers.Dense(1, input_shape=(3,)), layers.Lambda(function), layers.Activation(function)]
        )
        model.compile("sgd", "mse")
        before = model.get_weights()[0].copy()
        model.fit(X, np.zeros((4, 1)), epochs=1, verbose=0)
        assert not np.array_equal(before, model.get_weights()[0])


@pytest.mark.engine("torch")
def test_shapes_are_asked_of_the_engine():
    torch = engine("torch")
    x = Input((None, 3))
    assert layers.Lambda(lambda t: torch.mean(t, dim=1))(x).shape == (None, 3)
    assert layers.Lambda(lambda t: torch.cat([t, t], dim=-1))(x).shape == (None, None, 6)
    assert layers.Lambda(lambda t: torch.stack([t.sum(), t.max()]))(x).shape == (2,)
    first, second = layers.Lambda(lambda t: torch.split(t, 1, dim=-1)[:2])(x)
    assert first.shape == second.shape == (None, None, 1)
    a, b = Input((3,)), Input((3,))
    both = layers.Lambda(lambda ts: torch.maximum(ts[0], ts[1]))([a, b])
    with kbackend.use_backend("torch"):
        assert np.array_equal(Model([a, b], both).predict([X, -X]), np.abs(X))


@pytest.mark.engine("torch")
def test_output_shape_is_believed():
    torch = engine("torch")
    x = Input((3,))
    assert layers.Lambda(torch.sigmoid, output_shape=(3,))(x).shape == (None, 3)
    assert layers.Lambda(torch.sigmoid, output_shape=lambda s: (s[0], 7))(x).shape == (None, 7)


@pytest.mark.engine("torch")
def test_arguments_are_passed_on():
    torch = engine("torch")
    x = Input((3,))
    clamped = layers.Lambda(torch.clamp, arguments={"min": -0.5, "max": 0.5})(x)
    with kbackend.use_backend("torch"):
        assert np.array_equal(Model(x, clamped).predict(X), np.clip(X, -0.5, 0.5))


@pytest.mark.engine("torch")
def test_another_engine_refuses_and_says_why():
    torch = engine("torch")
    x = Input((3,))
    model = Model(x, layers.Lambda(torch.sigmoid)(x))
    with (
        kbackend.use_backend("numpy"),
        pytest.raises(
            MissingKernel,
            match=r"the function sigmoid belongs to torch and cannot run on numpy; .*KBACKEND=torch",
        ),
    ):
        model.predict(X)


@pytest.mark.engine("torch")
def test_models_with_engines_functions_can_be_called_again():
    torch = engine("torch")
    x = Input((3,))
    inner = Model(x, layers.Lambda(torch.sigmoid)(x))
    y = Input((3,))
    outer = Model(y, inner(y * 2.0))
    with kbackend.use_backend("torch"):
        np.testing.assert_allclose(outer.predict(X), 1 / (1 + np.exp(-2 * X)), rtol=1e-6)


@pytest.mark.engine("torch")
def test_a_failing_engine_function_tells_the_shapes():
    torch = engine("torch")
    with pytest.raises(
        ValueError, match=r"layer lambda_1 \(Lambda\).*the torch function reshape failed on .*float32"
    ):
        layers.Lambda(torch.reshape, arguments={"shape": (7, 7)})(Input((3,)))


def test_errors_of_a_users_function_are_not_hidden():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        layers.Lambda(broken)(Input((3,)))
    with pytest.raises(TypeError, match="has no truth value"):
        layers.Lambda(lambda x: x if K.sum(x) > 0 else -x)(Input((3,)))


def test_our_own_functions_are_no_engines():
    assert engine_of(K.tanh) is None and engine_of(lambda x: x) is None and engine_of(np.tanh) is None


def test_lambda_of_our_ops_with_masks_and_arguments():
    x = Input((4,))
    h = layers.Embedding(5, 2, mask_zero=True)(x)
    seen = []

    def function(inputs, factor, mask=None):
        seen.append(mask)
        return inputs * factor

    out = layers.Lambda(function, arguments={"factor": 2.0}, mask=lambda inputs, mask: mask)(h)
    assert seen == [h._keras_mask] and out._keras_mask is h._keras_mask
    assert layers.Lambda(lambda t: t + 1.0)(h)._keras_mask is None
