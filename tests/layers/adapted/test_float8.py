"""Layers that train with products of floats of 8 bits: the numbers, against Keras, on every engine, in files."""

import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, layers, optimizers
from kbackend.layers.core import eight_bit_floats
from kbackend.models import clone_model, load_model

EQUATION = dict(equation="abc,cd->abd", output_shape=(None, 2), bias_axes="d", name="einsum")
STATES = ("inputs_scale", "inputs_amax_history", "kernel_scale", "kernel_amax_history", "outputs_grad_scale",
          "outputs_grad_amax_history")  # fmt: skip
X, Y = rows(6, 3, 4) * 5, rows(6, 3, 2, seed=1)


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(7)


def made(module, dtype=None, quantized=True):
    x = module.Input((3, 4))
    h = module.layers.Dense(5, activation="tanh", name="dense", dtype=dtype)(x)
    model = module.Model(x, module.layers.EinsumDense(**EQUATION, dtype=dtype)(h))
    model.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(model.get_weights())])
    for layer in model.layers[1:] if quantized else ():
        layer.quantize("float8")
    return model


@pytest.mark.parametrize(("form", "name"), [(eight_bit_floats.E4M3, "float8_e4m3fn"),
                                            (eight_bit_floats.E5M2, "float8_e5m2")])  # fmt: skip
def test_numbers_are_rounded_as_8_bits_round_them(each_backend, form, name):
    kind = getattr(pytest.importorskip("ml_dtypes"), name)
    drawn = np.random.RandomState(0).randn(2000) * 2.0 ** np.arange(-24, 16).repeat(50)
    with np.errstate(invalid="ignore"):
        halves = np.arange(65536, dtype="uint16").view("float16").astype("float32")
        values = np.clip(np.concatenate([halves, drawn.astype("float32")]), -form.largest, form.largest)
        wanted = values.astype(kind).astype("float32")
    x = K.placeholder((None,))
    np.testing.assert_array_equal(K.function([x], [eight_bit_floats.rounded(x, form)])([values])[0], wanted)


@pytest.mark.engine("tensorflow")
def test_steps_are_those_of_keras(keras, each_backend):
    """Losses, weights, scales and histories over steps with growing inputs, with a loss that is scaled."""
    ours, theirs = made(kbackend), made(keras)
    close = dict(rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X, verbose=0), **close)
    ours.compile(optimizers.SGD(0.05, momentum=0.9, loss_scale_factor=4.0), "mse")
    theirs.compile(keras.optimizers.SGD(0.05, momentum=0.9, loss_scale_factor=4.0), "mse")
    for step in range(1, 5):
        found, wanted = ours.train_on_batch(X * step, Y), float(theirs.train_on_batch(X * step, Y))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, **close)
    assert [w.name.rpartition("/")[2] for w in ours.layers[1].weights[2:]] == list(STATES)


@pytest.mark.engine("tensorflow")
def test_a_step_in_bfloat16_is_near_that_of_keras(keras, each_backend):
    """Sums in bfloat16 are apart by its last bit, and numbers that are, by a bit of 4 where they are rounded."""
    ours, theirs = made(kbackend, "mixed_bfloat16"), made(keras, "mixed_bfloat16")
    wanted = theirs.predict(X, verbose=0).astype("float32")
    assert np.abs(ours.predict(X) - wanted).max() < np.abs(wanted).max() / 16
    ours.compile(optimizers.SGD(0.05), "mse")
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    np.testing.assert_allclose(ours.train_on_batch(X, Y), float(theirs.train_on_batch(X, Y)), rtol=0.02)
    for mine, other in zip(ours.layers[1].weights[2:], theirs.layers[1].weights[2:], strict=True):
        np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=0.05)


def test_a_layer_is_made_so_and_kept_so(tmp_path):
    short = "float8/3_from_float32"
    x = Input((3, 4))
    model = Model(x, layers.EinsumDense(**EQUATION, dtype=short)(layers.Dense(5, dtype="float8_from_float32")(x)))
    model.compile("adam", "mse")
    model.fit(X, Y, epochs=3, verbose=0)
    layer = model.layers[2]
    history = layer.inputs_amax_history.numpy()
    assert history.shape == (3,) and history.min() > 0 and layer.inputs_scale.numpy() != 1
    assert model.layers[1].kernel_amax_history.shape == (1024,)
    model.save(tmp_path / "m.kb")
    for other in (load_model(tmp_path / "m.kb"), clone_model(model)):
        assert other.layers[2].get_config()["dtype"] == short
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.engine("tensorflow")
def test_files_of_keras(keras, tmp_path):
    pytest.importorskip("h5py")
    x = Input((3, 4))
    ours = Model(x, layers.Dense(2, name="dense", dtype="float8/3_from_float32")(x))
    ours.compile("sgd", "mse")
    ours.fit(X, Y, epochs=2, verbose=0)
    ours.save(tmp_path / "ours.keras")
    read = keras.models.load_model(tmp_path / "ours.keras")
    assert read.get_layer("dense").inputs_amax_history.shape == (3,)
    np.testing.assert_allclose(read.predict(X, verbose=0), ours.predict(X), rtol=1e-5, atol=1e-6)
    theirs = made(keras)
    theirs.compile("sgd", "mse")
    theirs.train_on_batch(X, Y)
    theirs.save(tmp_path / "theirs.keras")
    found = load_model(tmp_path / "theirs.keras")
    assert found.layers[1].quantization_mode == "float8" and found.layers[1].outputs_grad_scale.numpy() == 1
    np.testing.assert_allclose(found.predict(X), theirs.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_gradients_that_are_not_finite_leave_the_scale():
    scale, history = K.constant(0.5), K.constant([np.inf, 1.0])
    assert K.eval(eight_bit_floats.next_scale(history, scale, eight_bit_floats.E5M2)) == 0.5
    assert K.eval(eight_bit_floats.next_scale(history * 0.0, scale, eight_bit_floats.E4M3)) != 0  # of NaN too
    assert K.eval(eight_bit_floats.next_history(K.constant([3.0]), K.constant([[-7.0, 2.0]]))).tolist() == [7.0]


def test_a_model_leaves_out_layers_that_do_not_know_it():
    x = Input((2,), dtype="int32")
    model = Model(x, layers.Dense(2)(layers.Embedding(4, 3)(x)))
    model.quantize("float8")
    assert [layer.quantization_mode for layer in model.layers[1:]] == [None, "float8"]


def built(**given):
    layer = layers.Dense(2, name="mine", **given)
    layer(Input((4,)))
    return layer


WRONG = {
    "embedding": (ValueError, lambda: layers.Embedding(4, 2, dtype="float8_from_float32"), "'int8' or 'int4', it is"),
    "adapter": (NotImplementedError, lambda: built(lora_rank=1).quantize("float8"), "mine .* adapter"),
    "adapter after": (NotImplementedError, lambda: built(dtype="float8_from_float32").enable_lora(1), "an adapter"),
    "config": (ValueError, lambda: built().quantize("float8", config=layers.Int8QuantizationConfig()), "no config"),
    "history": (ValueError, lambda: built(dtype="float8/0_from_float32"), "like 'float8/16_from_float32'"),
    "twice": (ValueError, lambda: built(dtype="float8_from_float32").quantize("int8"), "to float8 already"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    kind, call, words = WRONG[name]
    with pytest.raises(kind, match=words):
        call()
