"""Variables and constants as inputs and targets of a model: they are the data, and only the others are given."""

from __future__ import annotations

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers, models
from kbackend.training.data import DataError

RNG = np.random.default_rng(7)
A, B = RNG.normal(size=(2, 6, 3)).astype(np.float32)
Y = RNG.normal(size=(6, 2)).astype(np.float32)
WEIGHTS = np.linspace(0.0, 1.0, 6)


def model(first, second=None):
    """A network of one or two inputs, with the same weights each time."""
    x = first if second is None else layers.concatenate([first, second])
    made = Model(first if second is None else [first, second], layers.Dense(2, name="out")(x))
    made.set_weights([np.linspace(-1, 1, w.size, dtype=np.float32).reshape(w.shape) for w in made.get_weights()])
    return made


def compiled(made, **options):
    made.compile("sgd", "mse", metrics=["mae"], **options)
    return made


def test_a_model_of_variables_alone(each_backend):
    held = K.variable(A)
    made = compiled(model(Input(tensor=held)), target_tensors=[K.variable(Y)])
    other = compiled(model(Input((3,))))
    history = made.fit(epochs=2, steps_per_epoch=3, validation_data=(None, None), validation_steps=1, verbose=0).history
    wanted = [other.train_on_batch(A, Y) for _ in range(6)]
    np.testing.assert_allclose(history["loss"], np.mean(np.reshape(wanted, (2, 3, 2))[..., 0], 1), rtol=1e-6)
    np.testing.assert_allclose(made.evaluate(steps=2), other.evaluate(A, Y), rtol=1e-6)
    np.testing.assert_allclose(made.test_on_batch(None, None), other.test_on_batch(A, Y), rtol=1e-6)
    np.testing.assert_allclose(made.train_on_batch([], None, sample_weight={"out": WEIGHTS}),
                               other.train_on_batch(A, Y, sample_weight=WEIGHTS), rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(made.predict(None, steps=2), np.tile(other.predict(A), (2, 1)), rtol=1e-6)
    K.set_value(held, B)
    np.testing.assert_allclose(made.predict_on_batch(None), other.predict(B), rtol=1e-6)
    assert len(made.weights) == 2 and K.get_value(held).tobytes() == B.tobytes()


def test_held_inputs_beside_data(each_backend):
    made, other = compiled(model(Input(tensor=A), Input((3,), name="b"))), compiled(model(Input((3,)), Input((3,))))
    for given in (B, [B], {"b": B}):
        np.testing.assert_allclose(made.train_on_batch(given, Y), other.train_on_batch([A, B], Y), rtol=1e-6)
    twice = [np.concatenate([part, part]) for part in (A, B, Y)]
    options = {"batch_size": 6, "shuffle": False, "verbose": 0}
    history = made.fit(twice[1], twice[2], **options).history  # each batch has all rows of A
    wanted = other.fit(twice[:2], twice[2], **options).history
    np.testing.assert_allclose([history["loss"], history["mae"]], [wanted["loss"], wanted["mae"]], rtol=1e-6)
    made.fit(B, Y, steps_per_epoch=2, verbose=0)
    other.fit(twice[:2], twice[2], **options)
    np.testing.assert_allclose(made.predict(B), other.predict([A, B]), rtol=1e-6)
    np.testing.assert_allclose(made.evaluate(iter([(B, Y)])), other.evaluate([A, B], Y), rtol=1e-6)
    np.testing.assert_allclose(K.eval(made([A, B])), other.predict([A, B]), rtol=1e-6)


def test_targets_of_some_outputs():
    x = Input((3,))
    made = Model(x, [layers.Dense(2, name="p")(x), layers.Dense(2, name="q")(x)])
    made.compile("sgd", "mse", target_tensors={"p": Y})
    assert [t.name for t in made.targets] == ["q_target"]
    loss, first, second = made.test_on_batch(A, Y, sample_weight={"p": WEIGHTS})
    p, q = made.predict(A)
    np.testing.assert_allclose(first, np.mean(np.square(p - Y).mean(1) * WEIGHTS), rtol=1e-6)
    np.testing.assert_allclose([second, loss - first], np.square(q - Y).mean(), rtol=1e-5)
    with pytest.raises(DataError, match="class_weight needs the labels of 'p'"):
        made.train_on_batch(A, Y, class_weight={"p": {0: 1.0}})


def test_a_sequential_model_and_files(tmp_path):
    made = Sequential([layers.InputLayer(input_tensor=K.constant(A)), layers.Dense(2)])
    made.compile("sgd", "mse")
    assert made.fit(None, Y, batch_size=6, verbose=0).history["loss"][0] > 0
    held = compiled(model(Input(tensor=K.variable(A), name="a"), Input((3,), name="b")))
    held.save(tmp_path / "held.kb")
    for again in (models.load_model(tmp_path / "held.kb"), models.clone_model(held)):
        assert again.fed_input_names == ["a", "b"], "the data is not a part of the model"
        again.set_weights(held.get_weights())
        np.testing.assert_array_equal(again.predict([A, B]), held.predict(B))


def test_wrong_calls():
    made = compiled(model(Input(tensor=A), Input((3,), name="b")))
    alone = compiled(model(Input(tensor=A)), target_tensors=Y)
    for call, text in (
        (lambda: made.fit(B, Y, batch_size=4, verbose=0), "constants of 6 samples .* batches have 4"),
        (lambda: made.fit(B[:4], Y[:4], verbose=0), "4 samples cannot be cut"),
        (lambda: made.fit(B[:4], Y[:4], steps_per_epoch=2, verbose=0), "have 6 samples, the arrays 4"),
        (lambda: made.train_on_batch(None, Y), "the inputs .'b'."),
        (lambda: alone.fit(verbose=0), "say how many batches are an epoch"),
        (lambda: alone.predict(None), "say how many batches are an epoch"),
        (lambda: alone.train_on_batch(A), "0 inputs"),
        (lambda: alone.train_on_batch(None, Y), "target_tensors"),
    ):
        with pytest.raises(DataError, match=text):
            call()
    for wrong, text in (("x", "must be placeholders"), (A, "has the shape|have the shape")):
        with pytest.raises((TypeError, ValueError), match=text):
            compiled(model(Input((3,))), target_tensors=[wrong])
    with pytest.raises(ValueError, match="learning phase"):
        Model(K.learning_phase(), K.learning_phase() * 2)
