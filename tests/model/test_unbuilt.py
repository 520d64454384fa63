"""A Sequential that learns its shape from data stays unbuilt where the data is refused."""

import numpy as np
import pytest

from kbackend import K, Model, Sequential, callbacks, layers

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


@pytest.fixture
def model():
    inner = Sequential([layers.Bidirectional(layers.LSTM(2)), layers.BatchNormalization()])
    model = Sequential([layers.Reshape((3, 1)), inner, layers.Dense(1, name="d")])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def batches(*data):
    yield data


REFUSED = {
    "targets of another shape": lambda m: m.fit(X, np.ones((8, 2)), verbose=0),
    "fewer targets": lambda m: m.fit(X, Y[:4], verbose=0),
    "no targets": lambda m: m.fit(X, verbose=0),
    "words": lambda m: m.fit(X, np.array(["a"] * 8), verbose=0),
    "validation data": lambda m: m.fit(X, Y, validation_data=(X, np.ones((8, 2))), verbose=0),
    "validation split": lambda m: m.fit(X[:1], Y[:1], validation_split=0.5, verbose=0),
    "sample weights": lambda m: m.fit(X, Y, sample_weight=np.ones(3), verbose=0),
    "class weights": lambda m: m.fit(X, Y, class_weight={5: 1.0}, verbose=0),
    "shape of x": lambda m: m.fit(np.ones((8, 2, 2)), Y, verbose=0),
    "a batch": lambda m: m.fit(batches(X, np.ones((8, 2))), verbose=0),
    "a try": lambda m: m.fit(X, np.ones((8, 2)), verbose=0, dry_run=True),
    "evaluate": lambda m: m.evaluate(X, np.ones((8, 2))),
    "predict": lambda m: m.predict(np.ones((8, 2, 2))),
    "predict_on_batch": lambda m: m.predict_on_batch(np.ones((8, 2, 2))),
    "train_on_batch": lambda m: m.train_on_batch(X, np.ones((8, 2))),
    "test_on_batch": lambda m: m.test_on_batch(X, np.ones((8, 2))),
    "tune": lambda m: m.tune(X, np.ones((8, 2)), verbose=0),
    "profile": lambda m: m.profile(X, np.ones((8, 2)), verbose=0),
    "find_lr": lambda m: m.find_lr(X, np.ones((8, 2))),
    "overfit": lambda m: m.overfit(X, np.ones((8, 2))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_data_builds_nothing(model, name):
    inside = [model, *model.layers, *model.layers[1].layers]
    before = [vars(layer).copy() for layer in inside]
    with pytest.raises((ValueError, TypeError)):
        REFUSED[name](model)
    assert not any(layer.built for layer in inside) and model.weights == []
    assert [vars(layer).keys() for layer in inside] == [found.keys() for found in before]
    model.fit(np.ones((8, 3)), Y, verbose=0)
    assert model.input_shape == (None, 3) and len(model.weights) == 12


class Own(Model):
    """A model whose weights depend on its first data."""

    def __init__(self):
        super().__init__()
        self.last = layers.Dense(1)

    def call(self, x):
        return self.last(x)


@pytest.mark.parametrize("name", ["targets of another shape", "evaluate", "train_on_batch"])
def test_a_model_with_its_own_call_takes_other_data_after_it_refused_some(name):
    model = Own()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError):
        REFUSED[name](model)
    model.train_on_batch(np.ones((8, 5), "float32"), Y)
    assert [w.shape for w in model.weights] == [(5, 1), (1,)]


def test_a_model_that_was_trained_stays_built(model):
    def late():
        yield X, Y
        yield X, np.ones((8, 2))

    with pytest.raises(ValueError):
        model.fit(late(), verbose=0)
    assert model.built and int(K.get_value(model.optimizer.iterations)) == 1


def test_an_error_of_a_callback_leaves_it_built(model):
    def fail(*args):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=fail)])
    assert model.built and len(model.weights) == 12


@pytest.mark.parametrize("call", [lambda m: m.fit(), lambda m: m.evaluate()], ids=["fit", "evaluate"])
def test_data_that_is_missing(model, call):
    model.build((None, 3))
    with pytest.raises(ValueError, match=r"the data is missing: x is None; the model has the inputs \['reshape"):
        call(model)
