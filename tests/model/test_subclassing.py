"""Models that define ``call``."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from support.arrays import rows
from support.keras3 import computed

import kbackend
from kbackend import Input, K, Model, Sequential, layers, models
from kbackend.model.network import NotBuilt

pytestmark = pytest.mark.usefixtures("engine")
X = rows(20, 3, seed=1)
Y = X.sum(axis=1, keepdims=True)


class Net(Model):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [layers.Dense(units, activation="tanh") for _ in range(2)]
        self.parts = {"norm": layers.BatchNormalization(), "head": layers.Dense(1)}
        self.drop = layers.Dropout(0.5)
        self.scale = self.add_weight("scale", (), initializer="ones")

    def call(self, inputs, training=None):
        h = inputs
        for block in self.blocks:
            h = block(h)
        h = self.drop(self.parts["norm"](h, training=training), training=training)
        return self.parts["head"](h) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Branching(Net):
    """Asks for the phase in the same places in which Net passes it on."""

    def call(self, inputs, training=False):
        h = inputs
        for block in self.blocks:
            h = block(h)
        h = self.parts["norm"](h, training=bool(training))
        if training:
            h = self.drop(h, training=True)
        return self.parts["head"](h) * self.scale


class Plain(Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def seeded(kind, seed=5, **kwargs):
    kbackend.set_seed(seed)
    return kind(**kwargs)


def functional(seed=5):
    """Net as a functional model, without weights of its own."""
    x = Input((3,))
    h = layers.Dense(4, activation="tanh")(x)
    h = layers.Dense(4, activation="tanh")(h)
    h = layers.BatchNormalization()(h)
    return Model(x, layers.Dense(1)(layers.Dropout(0.0)(h)))


def test_it_trains_as_the_functional_model_does(each_backend):
    twin = functional()
    model = Net()
    model.drop = layers.Dropout(0.0)
    model.build((None, 3))
    own, *shared = model.get_weights()
    order = [*shared[:4], *shared[4:8], *shared[8:]]
    twin.set_weights(order)
    twin.compile("adam", "mse")
    model.scale.trainable = False
    model.compile("adam", "mse")
    found = model.fit(X, Y, epochs=3, batch_size=7, verbose=0, shuffle=False).history["loss"]
    wanted = twin.fit(X, Y, epochs=3, batch_size=7, verbose=0, shuffle=False).history["loss"]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), twin.predict(X), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[7], twin.get_weights()[6], rtol=1e-4)
    assert own == 1.0


@pytest.mark.parametrize("kind", [Net, Branching])
def test_the_phases_differ_by_dropout_and_moving_averages(each_backend, kind):
    model = seeded(kind)
    model.compile("sgd", "mse")
    moving = [w for w in (model.build((None, 3)), model.weights)[1] if "moving_mean" in w.name][0]
    before = moving.numpy()
    a, b = model.evaluate(X, Y), model.evaluate(X, Y)
    assert a == b and (moving.numpy() == before).all()
    assert model.train_on_batch(X, Y) != pytest.approx(a, rel=1e-3)
    assert (moving.numpy() != before).any()
    with kbackend.use_backend(each_backend):
        x = Input((3,))
        f = K.function([x, K.learning_phase()], [model(x)])
        in_training = [f([X, 1])[0] for _ in range(2)]
        np.testing.assert_allclose(f([X, 0])[0], model.predict(X), rtol=1e-5, atol=1e-6)
        assert (in_training[0] != in_training[1]).any()


def test_a_branch_on_the_phase_gives_what_passing_it_on_gives(each_backend):
    one, other = seeded(Net, name="n"), seeded(Branching, name="n")
    for model in (one, other):
        model.drop.rate = 0.0
        model.drop = layers.Dropout(0.0)
        model.build((None, 3))
    other.set_weights(one.get_weights())
    losses = []
    for model in (one, other):
        model.compile("sgd", "mse")
        losses.append(model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-6)
    np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-5, atol=1e-6)


def test_weights_are_in_the_order_of_keras(keras):
    class Theirs(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(1)
            self.blocks = [keras.layers.Dense(4), keras.layers.BatchNormalization()]
            self.more = {"b": keras.layers.Dense(5), "a": keras.layers.Dense(6)}
            self.scale = self.add_weight(shape=(7,), name="scale")
            self.inner = keras.Sequential([keras.layers.Dense(8)])

        def call(self, inputs):
            h = self.blocks[1](self.blocks[0](inputs))
            return self.inner(self.more["a"](self.more["b"](self.head(h))))

    class Ours(Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(1)
            self.blocks = [layers.Dense(4), layers.BatchNormalization()]
            self.more = {"b": layers.Dense(5), "a": layers.Dense(6)}
            self.scale = self.add_weight(shape=(7,), name="scale")
            self.inner = Sequential([layers.Dense(8)])

        call = Theirs.call

    theirs, ours = Theirs(), Ours()
    theirs(np.ones((1, 3), "float32"))
    ours(np.ones((1, 3), "float32"))
    for part in ("weights", "trainable_weights", "non_trainable_weights"):
        assert [tuple(w.shape) for w in getattr(ours, part)] == [tuple(w.shape) for w in getattr(theirs, part)]
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours.predict(X), computed(theirs, X), rtol=1e-5, atol=1e-6)


def test_the_seed_fixes_the_weights_however_the_model_is_built():
    ways = [
        lambda m: m.build((None, 3)),
        lambda m: m.predict(X),
        lambda m: m(X),
        lambda m: m(Input((3,))),
        lambda m: (m.compile("sgd", "mse"), m.evaluate(X, Y)),
        lambda m: m.build_from_config({"inputs": {"shape": [None, 3], "dtype": "float32"}, "arguments": {}}),
    ]
    found = []
    for way in ways:
        model = seeded(Net)
        way(model)
        assert model.built and len(model.weights) == 11
        found.append(model.get_weights())
    for other in found[1:]:
        for a, b in zip(found[0], other):
            np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(found[0], seeded_weights(6)))


def seeded_weights(seed):
    model = seeded(Net, seed)
    model.build((None, 3))
    return model.get_weights()


class Two(Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2, use_bias=False, kernel_initializer="ones")

    def call(self, a, b):
        first, second = self.dense(a), self.dense(b)
        return {"sum": first + second, "difference": first - second}


def test_several_inputs_and_outputs_by_name(each_backend):
    a, b = rows(6, 3, seed=2), rows(6, 3, seed=3)
    one, other = (part.sum(axis=1, keepdims=True).repeat(2, axis=1) for part in (a, b))
    wanted = {"sum": one + other, "difference": one - other}
    for give in (lambda m: m.predict({"a": a, "b": b}), lambda m: m.predict([a, b]),
                 lambda m: m.predict_on_batch([a, b]),
                 lambda m: (m.build({"a": (None, 3), "b": (None, 3)}), m.predict({"b": b, "a": a}))[1]):  # fmt: skip
        model = Two()
        found = give(model)
        assert model.input_names == ["a", "b"] and model.output_names == ["sum", "difference"]
        assert list(found) == ["sum", "difference"]
        for name, array in wanted.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6)
    for called in (model(a, b), model(a, b=b), model(a=a, b=b)):
        np.testing.assert_allclose(np.asarray(called["sum"]), wanted["sum"], rtol=1e-5, atol=1e-6)
    model.compile("sgd", {"sum": "mse", "difference": "mae"}, metrics={"sum": ["mae"]})
    history = model.fit({"a": a, "b": b}, wanted, verbose=0).history
    assert set(history) == {"loss", "sum_loss", "difference_loss", "sum_mae"} and history["loss"][0] < 1e-10
    with pytest.raises(TypeError, match="was given b twice"):
        model(a, b, b=b)


@pytest.mark.parametrize("given", [lambda a, b: [a, b], lambda a, b: {"left": a, "right": b}])
def test_inputs_in_one_argument(each_backend, given):
    class Lists(Model):
        def call(self, inputs):
            parts = list(inputs.values()) if isinstance(inputs, dict) else inputs
            return [K.concatenate(parts), parts[0] * 2.0]

    a, b = rows(4, 2), rows(4, 3)
    model = Lists()
    joined, doubled = model.predict(given(a, b))
    np.testing.assert_array_equal(joined, np.concatenate([a, b], axis=1))
    np.testing.assert_array_equal(doubled, a * 2)
    model = Lists()
    model.build(given((None, 2), (None, 3)))
    assert [t.shape for t in model.outputs] == [(None, 5), (None, 2)]


def test_integers_stay_integers():
    class Looks(Model):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(5, 2, mask_zero=True)
            self.rnn = layers.LSTM(3)

        def call(self, inputs):
            return self.rnn(self.table(inputs))

    model = Looks()
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    padded = np.array([[1, 2, 4], [3, 4, 4]])
    found, other = model.predict(tokens), model.predict(padded)
    assert model.inputs[0].dtype.startswith("int") and (found != other).any()


def test_masks_are_given_to_call_and_made_by_compute_mask():
    class Masked(Model):
        def call(self, inputs, mask=None):
            return inputs * K.expand_dims(K.cast(mask, "float32"), -1)

        def compute_mask(self, inputs, mask=None):
            return mask

    x = Input((3, 1))
    made = Masked()(layers.Masking()(x))
    assert made._keras_mask is not None
    values = np.array([[[1.0], [0.0], [3.0]]])
    mask, = K.function([x], [made._keras_mask])([values])
    assert mask.tolist() == [[True, False, True]]


def test_a_model_inside_a_model_and_inside_a_functional_one(each_backend):
    class Outer(Model):
        def __init__(self):
            super().__init__()
            self.inner, self.head = Net(name="inner"), layers.Dense(1, kernel_regularizer="l2")

        def call(self, inputs, training=None):
            h = self.inner(inputs, training=training)
            self.add_loss(0.1 * K.mean(K.square(h)))
            return self.head(h)

    model = seeded(Outer)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0] and len(model.losses) == 2 and len(model.weights) == 13
    h = K.function(model.inputs, [model.inner(model.inputs[0]), model.output])([X])
    kernel = model.head.get_weights()[0]
    wanted = np.mean((h[1] - Y) ** 2) + 0.1 * np.mean(h[0] ** 2) + 0.01 * np.sum(kernel**2)
    np.testing.assert_allclose(model.evaluate(X, Y), wanted, rtol=1e-5)
    x = Input((3,))
    around = Model(x, model(x) + 1.0)
    np.testing.assert_allclose(around.predict(X), model.predict(X) + 1, rtol=1e-5, atol=1e-6)
    around.compile("sgd", "mse")
    np.testing.assert_allclose(around.evaluate(X, Y + 1), wanted, rtol=1e-5)
    model.inner.trainable = False
    assert len(model.trainable_weights) == 2
    before = model.inner.get_weights()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.inner.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_file_holds_a_model_by_its_configuration(each_backend, tmp_path):
    for kind in (Net, Branching):
        model = seeded(kind, units=5)
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(X, Y, verbose=0)
        model.save(tmp_path / "m.kb")
        read = models.load_model(tmp_path / "m.kb", custom_objects={kind.__name__: kind})
        copies = [read, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
        going = [m.fit(X, Y, epochs=2, verbose=0).history for m in (model, *copies)]
        assert going[0] == going[1] == going[2] == going[3]  # the same dropout masks too
        assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
        clone = models.clone_model(model)
        assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
        model.save_weights(tmp_path / "w.safetensors")
        clone.load_weights(tmp_path / "w.safetensors")
        np.testing.assert_array_equal(clone.predict(X), model.predict(X))


def test_a_checkpoint_goes_on_to_the_bit(each_backend, tmp_path):
    def made():
        model = seeded(Branching)
        model.compile("adam", "mse")
        return model

    model = made()
    model.fit(X, Y, epochs=1, verbose=0)
    model.save_checkpoint(tmp_path / "c")
    wanted = model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0).history
    other = made()
    other.build((None, 3))
    assert other.load_checkpoint(tmp_path / "c") == 1
    assert other.fit(X, Y, epochs=3, initial_epoch=1, verbose=0).history == wanted


def test_without_a_configuration_the_error_says_what_to_define(tmp_path):
    model = Plain()
    model.predict(X)
    for act in (lambda: model.save(tmp_path / "m.kb"), model.to_json, lambda: models.clone_model(model),
                lambda: pickle.dumps(model)):  # fmt: skip
        with pytest.raises(NotImplementedError, match=r"Plain defines call.*get_config\(self\)"):
            act()
    model.save_weights(tmp_path / "w.safetensors")
    other = Plain()
    with pytest.raises(NotBuilt, match=r"plain_\d+ \(Plain\) has no weights yet"):
        other.load_weights(tmp_path / "w.safetensors")
    other.build((None, 3))
    other.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    for name in ("m.keras", "m.h5", "m.weights.h5"):
        with pytest.raises(ValueError, match=r"\(Plain\) defines call.*Use .kb"):
            model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)


def test_what_is_asked_before_there_is_an_input_names_the_class():
    model = Plain()
    for ask in (lambda: model.weights, lambda: model.get_weights(), lambda: model.trainable_weights,
                lambda: model.non_trainable_weights, model.summary, lambda: model.inputs):  # fmt: skip
        with pytest.raises(NotBuilt, match=r"\(Plain\).*build\(input_shape\)"):
            ask()
    with pytest.raises(ValueError, match=r"\(Plain\): build needs the shape"):
        model.build()
    with pytest.raises(RuntimeError, match="not compiled"):
        model.fit(X, Y)
    assert repr(Plain()).startswith("<Plain 'plain_")


def test_errors_in_call_name_the_class_and_leave_the_model_as_it_was():
    class Fails(Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(4), layers.Dense(2)

        def call(self, inputs):
            h = self.first(inputs)
            if inputs.shape[1] != 3:
                raise ValueError("three columns are needed")
            return self.second(h)

    model = Fails()
    for attempt in (lambda: model.predict(rows(2, 5)), lambda: model.build((None, 5)), lambda: model(rows(2, 5))):
        with pytest.raises(ValueError, match=r"\(Fails\) called on .*three columns are needed"):
            attempt()
        assert not model.built
    assert model.predict(X).shape == (20, 2) and len(model.weights) == 4

    class Nothing(Model):
        def call(self, inputs):
            return None

    with pytest.raises(TypeError, match=r"\(Nothing\).*call must return tensors, it returned None"):
        Nothing().predict(X)
    with pytest.raises(TypeError, match="Plain2 defines call.*cannot be given as well"):
        x = Input((3,))
        type("Plain2", (Plain,), {"__init__": lambda self: Model.__init__(self, x, x)})()
    with pytest.raises(TypeError, match="Model needs inputs and outputs"):
        Model()
    with pytest.raises(ValueError, match="must have the shape"):
        model.predict(rows(2, 5))


def test_build_of_ones_own_makes_weights_first():
    class Built(Model):
        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (input_shape[-1], 2), initializer="ones")
            super().build(input_shape)

        def call(self, inputs):
            return K.dot(inputs, self.kernel)

    for way in (lambda m: m.build((None, 3)), lambda m: m.predict(X), lambda m: m(X)):
        model = Built()
        way(model)
        assert [w.shape for w in model.weights] == [(3, 2)]
        np.testing.assert_allclose(model.predict(X), Y.repeat(2, axis=1), rtol=1e-5, atol=1e-6)


def test_the_summary_and_the_picture_show_the_layers(capsys):
    for kind in (Net, Branching):
        model = seeded(kind, name="shown")
        model.build((None, 3))
        model.summary()
        text = capsys.readouterr().out
        assert 'Model "shown"' in text and "Total parameters: 58" in text
        assert text.count("(Dense)") == 3 and text.count("(BatchNormalization)") == 1
        assert "(None, 4)" in text or kind is Branching
        assert "<svg" in model._repr_html_()
        assert model.get_layer(index=0) is model.blocks[0]
    assert model.compute_output_shape((None, 3)) == (None, 1)
    assert Net().compute_output_shape((7, 3)) == (7, 1)


def test_stateful_layers_carry_states_from_batch_to_batch(each_backend):
    class Carries(Model):
        def __init__(self):
            super().__init__()
            self.rnn = layers.SimpleRNN(2, stateful=True)

        def call(self, inputs, training=None):
            h = self.rnn(inputs)
            return h * 1.0 if training else h

    model = Carries()
    model(Input(batch_shape=(2, 3, 1)))
    x = rows(2, 3, 1)
    first, second = model.predict(x), model.predict(x)
    assert (first != second).any()
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x), first)


def test_the_number_of_layers_costs_in_proportion():
    from time import perf_counter

    class Many(Model):
        def __init__(self, count):
            super().__init__()
            self.blocks = [layers.Dense(1) for _ in range(count)]

        def call(self, inputs, training=None):
            for block in self.blocks:
                inputs = block(inputs)
            return inputs

    seconds = []
    for count in (30, 300):
        models_made = [Many(count) for _ in range(3)]
        seconds.append(min(_timed(model, perf_counter) for model in models_made))
    assert seconds[1] < 40 * seconds[0]


def _timed(model, clock):
    start = clock()
    model.build((None, 1))
    return clock() - start
