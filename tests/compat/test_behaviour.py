"""The behaviour of Keras 2.3 that the hook switches on, compared with its formulas in NumPy, and off again."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import kbackend
from kbackend import K, callbacks, compat, initializers, layers, losses, metrics, models, optimizers
from kbackend.compat import behaviour
from kbackend.compat.contents import functions
from kbackend.compat.switching import Default, apply


@pytest.fixture
def hook():
    compat.install()
    yield
    compat.uninstall()


# the table ------------------------------------------------------------------------------------------------


def test_names_are_distinct_and_rows_differ_where_they_change_something():
    names = [row.name for row in behaviour.TABLE]
    assert len(set(names)) == len(names) > 20
    assert all(row.keras != row.kbackend for row in behaviour.TABLE if row.changes)


DEFAULTS = [(c.where, c.argument, c.value) for row in behaviour.TABLE for c in row.changes if isinstance(c, Default)]


def default(where, argument):
    module, _, path = where.partition(":")
    found = __import__(module, fromlist=["_"])
    for part in path.split("."):
        found = getattr(found, part)
    return inspect.signature(found).parameters[argument].default


def test_defaults_are_changed_and_come_back():
    before = [default(where, argument) for where, argument, _ in DEFAULTS]
    compat.install()
    try:
        now = [default(where, argument) for where, argument, _ in DEFAULTS]
    finally:
        compat.uninstall()
    assert now == [value for *_, value in DEFAULTS]
    assert all(a != b for a, b in zip(before, now))
    assert [default(where, argument) for where, argument, _ in DEFAULTS] == before


def test_everything_is_as_it_was_without_the_hook():
    kinds = [
        kbackend.Model, models.Sequential, layers.Layer, layers.GRU, layers.Embedding, optimizers.RMSprop,
        optimizers.Optimizer, callbacks.History, callbacks.Logs, type(K.constant(1.0)), metrics.Metric,
    ]  # fmt: skip
    before = [dict(vars(kind)) for kind in kinds]
    seed = np.random.seed
    compat.install(report_backend="tensorflow")
    changed = [kind for kind, old in zip(kinds, before) if dict(vars(kind)) != old]
    compat.uninstall()
    assert len(changed) > 6
    assert [dict(vars(kind)) for kind in kinds] == before and np.random.seed is seed


def test_changes_are_undone_where_one_fails():
    before = default("kbackend.optimizers:Adadelta", "learning_rate")
    with pytest.raises(AttributeError):
        apply([Default("kbackend.optimizers:Adadelta", "learning_rate", 5.0),
               Default("kbackend.optimizers:Nothing", "learning_rate", 5.0)])  # fmt: skip
    assert default("kbackend.optimizers:Adadelta", "learning_rate") == before


# optimizers -----------------------------------------------------------------------------------------------


def steps_of(optimizer, count=3, start=(0.5, -0.003)):
    """The values of a vector after steps on the sum of squares."""
    w = K.variable(np.array(start))
    step = K.function([], [], updates=optimizer.get_updates(K.sum(K.square(w)), [w]))
    for _ in range(count):
        step([])
    return K.get_value(w)


def rmsprop(w, rate=0.001, rho=0.9, epsilon=1e-2):
    mean = np.zeros_like(w)
    for _ in range(3):
        g = 2 * w
        mean = rho * mean + (1 - rho) * g**2
        w = w - rate * g / (np.sqrt(mean) + epsilon)
    return w


def adagrad(w, rate=0.01, epsilon=1e-2):
    total = np.zeros_like(w)
    for _ in range(3):
        g = 2 * w
        total = total + g**2
        w = w - rate * g / (np.sqrt(total) + epsilon)
    return w


@pytest.mark.parametrize(("name", "formula"), [("RMSprop", rmsprop), ("Adagrad", adagrad)])
def test_epsilon_is_outside_of_the_root(hook, each_backend, name, formula):
    wanted = formula(np.array([0.5, -0.003]))
    np.testing.assert_allclose(steps_of(getattr(optimizers, name)(epsilon=1e-2)), wanted, rtol=1e-5)
    compat.uninstall()
    assert np.abs(steps_of(getattr(optimizers, name)(epsilon=1e-2)) - wanted).max() > 1e-5


def test_variants_of_rmsprop_have_epsilon_outside_too(hook):
    found = steps_of(optimizers.RMSprop(epsilon=1e-2, centered=True, momentum=0.5), count=1)
    w = np.array([0.5, -0.003])
    g = 2 * w
    centred = 0.1 * g**2 - (0.1 * g) ** 2
    np.testing.assert_allclose(found, w - 0.001 * g / (np.sqrt(centred) + 1e-2), rtol=1e-5)


def test_clipnorm_limits_all_gradients_together(hook):
    a, b = K.variable([3.0]), K.variable([4.0])
    loss = K.sum(a) * 3.0 + K.sum(b) * 4.0
    optimizer = optimizers.SGD(1.0, clipnorm=1.0)
    K.function([], [], updates=optimizer.get_updates(loss, [a, b]))([])
    np.testing.assert_allclose([K.get_value(a)[0], K.get_value(b)[0]], [2.4, 3.2], rtol=1e-6)
    assert float(K.get_value(optimizer.clipnorm)) == 1.0 and optimizer.global_clipnorm is None


# functions of K -------------------------------------------------------------------------------------------


def test_functions_of_keras_backend(hook, each_backend):
    from keras import backend as old

    x = np.array([-4.0, -0.5, 0.0, 0.25, 9.0], "float32")
    assert old.sqrt is functions.sqrt and old.relu is functions.relu
    np.testing.assert_allclose(K.eval(old.sqrt(K.constant(x))), np.sqrt(np.maximum(x, 0)))
    assert np.isnan(K.eval(K.sqrt(K.constant(x)))[0])
    place = K.placeholder((5,))
    gradient = K.function([place], K.gradients(K.sum(old.sqrt(place)), [place]))([x])[0]
    assert np.isfinite(gradient[[0, 1, 3, 4]]).all() and gradient[0] == 0
    for alpha, top, threshold in [(0.0, 2.0, -3.0), (0.1, 1.0, 0.5), (0.0, 6.0, 0.0), (0.3, None, 0.2)]:
        above = np.where(x > threshold, x, 0)
        limited = above if top is None else np.clip(above, 0, top)
        wanted = limited - alpha * np.maximum(threshold - x, 0)
        np.testing.assert_allclose(K.eval(old.relu(K.constant(x), alpha, top, threshold)), wanted, rtol=1e-6)
    bias = np.arange(6.0).reshape(2, 3)
    for format, wanted in (("channels_first", bias.reshape(1, 3, 2)), ("channels_last", bias[None])):
        shape = (1, *wanted.shape[1:])
        found = K.eval(old.bias_add(K.zeros(shape), K.constant(bias), format))
        np.testing.assert_array_equal(found, wanted)


def test_arange_of_keras_backend(hook):
    from keras import backend as old

    found = [K.eval(old.arange(*given)) for given in ((3,), (-3,), (2, 5), (5, 1, -2))]
    assert [f.tolist() for f in found] == [[0, 1, 2], [], [2, 3, 4], [5, 3]]
    assert K.eval(old.arange(-3, step=-1)).tolist() == [] and K.eval(K.arange(-3, step=-1)).tolist() == [0, -1, -2]
    assert K.eval(old.arange(0.0, 1.0, 0.5)).tolist() == [0.0, 0.5] and old.arange(3).dtype == "int32"
    stop = K.placeholder((), dtype="int32")
    count = K.function([stop], [old.arange(stop)])
    assert count([2])[0].tolist() == [0, 1] and count([-2])[0].tolist() == []


def test_data_formats_by_the_names_of_keras_1(hook):
    from keras import backend as old

    assert old.image_dim_ordering() == "tf"
    old.set_image_dim_ordering("th")
    try:
        assert K.image_data_format() == "channels_first" and old.image_dim_ordering() == "th"
    finally:
        old.set_image_dim_ordering("tf")
    with pytest.raises(ValueError, match="'tf' or 'th', it is 'mx'"):
        old.set_image_dim_ordering("mx")


def test_tensors_as_programs_for_tensorflow_read_them():
    compat.install(report_backend="tensorflow")
    try:
        x = kbackend.Input((2, 3))
        assert (x.dtype.name, x.dtype.base_dtype.name, x.dtype.as_numpy_dtype) == ("float32", "float32", np.float32)
        assert x.dtype == "float32" and x.dtype.is_floating and not x.dtype.is_integer
        assert x.get_shape().as_list() == [None, 2, 3] and x.get_shape().ndims == 3 and x.get_shape() == x.shape
        model = models.Sequential([layers.Dense(2, input_shape=(3,))])
        assert models.model_from_json(model.to_json()).output_shape == (None, 2)
    finally:
        compat.uninstall()
    assert type(x.dtype) is str


# layers, logs and training --------------------------------------------------------------------------------


def test_layers_have_the_defaults_of_keras_2(hook):
    gru = layers.GRU(2)
    assert gru.reset_after is False and gru.recurrent_activation.__name__ == "sigmoid"
    gru.build((None, 3, 4))
    assert [w.shape for w in gru.get_weights()] == [(4, 6), (2, 6), (6,)]
    lstm = layers.ConvLSTM2D(2, 3)
    assert lstm.recurrent_activation.__name__ == "hard_sigmoid"


def test_arguments_come_in_the_order_of_keras_2(hook):
    conv = layers.Conv2D(2, 3, 1, "same", None, 1, "relu", False)
    assert conv.activation.__name__ == "relu" and conv.use_bias is False and conv.groups == 1
    embedding = layers.Embedding(5, 3, "uniform", None, None, None, True, 7)
    assert embedding.mask_zero and embedding._batch_input_shape == (None, 7)
    assert layers.ReversibleEmbedding(5, 3, True, "uniform", None, None, True).mask_zero

    class Count(metrics.Metric):
        def __init__(self, name="count", **kwargs):
            super().__init__(name, **kwargs)
            self.total = self.add_weight("total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            return K.update_add(self.total, K.sum(K.ones_like(y_true)))

        def result(self):
            return self.total

    assert Count().name == "count"


def test_unseeded_initializers_differ_from_call_to_call(hook):
    normal = initializers.RandomNormal()
    assert not np.array_equal(K.eval(normal((4,))), K.eval(normal((4,))))


def first_weights():
    np.random.seed(1337)
    return K.get_value(K.random_uniform_variable((4,), 0, 1)), np.random.rand()


def test_seeds_of_numpy_fix_a_run(hook):
    (first, drawn), (second, again) = first_weights(), first_weights()
    assert np.array_equal(first, second) and drawn == again
    compat.uninstall()
    assert not np.array_equal(first_weights()[0], first_weights()[0])


@pytest.fixture
def model(hook):
    model = models.Sequential([layers.Dense(2, input_shape=(3,), activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


X, Y = np.eye(3), np.eye(2)[[0, 1, 1]]


def test_acc_finds_accuracy(model, tmp_path, capsys):
    saved = callbacks.ModelCheckpoint(str(tmp_path / "w-{epoch:02d}-{val_acc:.2f}.h5"), monitor="val_acc",
                                      save_best_only=True)  # fmt: skip
    seen = []
    report = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["acc"] == logs["accuracy"]))
    history = model.fit(X, Y, validation_data=(X, Y), epochs=2, verbose=0, callbacks=[saved, report]).history
    assert history["acc"] == history["accuracy"] and "val_acc" in history and "acc" not in list(history)
    assert seen == [True, True] and "top_k" not in history
    with pytest.raises(KeyError):
        history["mae"]
    (path, *_) = sorted(tmp_path.iterdir())
    assert path.name == f"w-01-{history['val_accuracy'][0]:.2f}.h5"
    model.compile("sgd", "categorical_crossentropy", metrics=["acc"])
    assert list(model.fit(X, Y, verbose=0).history) == ["loss", "acc"]
    model.evaluate(X, Y)
    assert capsys.readouterr().out


def test_names_of_losses(hook):
    assert losses.KLDivergence().name == "kullback_leibler_divergence" and losses.LogCosh().name == "logcosh"
    assert metrics.KLDivergence().name == "kullback_leibler_divergence"


# Keras 1 --------------------------------------------------------------------------------------------------


def test_keras_1_spellings_of_models(hook):
    x = kbackend.Input((3,))
    with pytest.warns(DeprecationWarning, match="write (inputs|outputs|epochs)="):
        model = kbackend.Model(input=x, output=layers.Dense(2, activation="softmax")(x))
        model.compile("sgd", "mse")
        history = model.fit(X, Y, nb_epoch=3, verbose=0)
    assert history.epoch == [0, 1, 2]
    with pytest.raises(TypeError, match="epochs twice, also as nb_epoch"):
        model.fit(X, Y, nb_epoch=3, epochs=3)
    np.testing.assert_array_equal(model.predict_classes(X), model.predict(X).argmax(-1))
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))


def test_one_probability_makes_two_classes(hook):
    model = models.Sequential([layers.Dense(1, input_shape=(1,), weights=[np.ones((1, 1)), np.zeros(1)])])
    assert model.predict_classes(np.array([[0.2], [0.7]])).tolist() == [[0], [1]]


def test_samples_of_keras_1_become_batches(model):
    given = []

    def batches(name):
        for start in range(1000):
            given.append((name, start))
            yield X, Y

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        history = model.fit_generator(
            batches("train"), samples_per_epoch=7, nb_epoch=2, verbose=0, validation_data=batches("held"),
            nb_val_samples=6, max_q_size=1, nb_worker=1, pickle_safe=False,
        )  # fmt: skip
        assert model.predict_generator(batches("predict"), val_samples=4).shape == (6, 2)
    assert len(history.epoch) == 2 and len(history.history["val_loss"]) == 2
    taken = [sum(1 for name, _ in given if name == kind) for kind in ("train", "held")]
    assert 6 <= taken[0] <= 9 and 4 <= taken[1] <= 7  # three and two batches an epoch, and what is read ahead


def test_layers_of_keras_1(hook):
    class Twice(layers.Layer):
        def build(self, input_shape):
            self.W = K.variable(np.full((input_shape[1],), 2.0))
            self.trainable_weights = [self.W]

        def call(self, x, mask=None):
            return x * self.W

        def get_output_shape_for(self, input_shape):
            return input_shape

    layer = Twice(input_shape=(3,))
    model = models.Sequential([layer])
    assert layer.compute_output_shape((None, 3)) == (None, 3) and layer.get_output() is layer.output
    assert layer.get_input(train=False) is layer.input and layers.Dense(2).get_output_shape_for((None, 3)) == (None, 2)
    np.testing.assert_array_equal(model.predict(X), 2 * X)
    assert model.trainable_weights == [layer.W]


def test_whole_floats_are_taken_for_integers(hook):
    x = kbackend.Input((2,), dtype="int32")
    model = kbackend.Model(x, layers.Lambda(lambda t: K.cast(t, "float32") * 2)(x))
    numbers = K.placeholder((2,), dtype="int64")
    count = K.function([numbers], [numbers + 1])
    assert model.predict(np.array([[1.0, 2.0]])).tolist() == [[2.0, 4.0]] and count([[1.0, 2.0]])[0].tolist() == [2, 3]
    for call in (lambda: model.predict(np.array([[1.5, 2.0]])), lambda: count([[1.5, 2.0]])):
        with pytest.raises(ValueError, match="int(32|64)"):
            call()
    compat.uninstall()
    with pytest.raises(ValueError, match="cast it explicitly"):
        count([[1.0, 2.0]])


def test_gradients_of_the_loss_by_the_tensors_of_a_step(hook):
    model = models.Sequential([layers.Dense(1, use_bias=False, input_shape=(2,), weights=[np.ones((2, 1))])])
    assert not model._is_compiled
    model.compile("sgd", "mse")
    gradients = model.optimizer.get_gradients(model.total_loss, model.trainable_weights)
    inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
    x, y, weights = model._standardize_user_data(np.array([[1.0, 2.0]]), np.array([[1.0]]))
    (found,) = K.function(inputs, gradients)(x + y + weights)
    assert model._is_compiled and found.tolist() == [[4.0], [8.0]]


@pytest.mark.parametrize("tf_keras", [False, True])
def test_frozen_and_masked_batch_normalization(tf_keras):
    compat.install(tf_keras=tf_keras)
    try:
        x = kbackend.Input((3, 2))
        norm = layers.BatchNormalization(scale=False, center=False)
        masked = norm(layers.Masking()(x))
        model = kbackend.Model(x, layers.Lambda(lambda t: K.reshape(t, (-1, 6)))(masked))
        norm.trainable = False
        model.compile("sgd", "mse")
        data = np.array([[[1.0, 3.0], [5.0, 7.0], [0.0, 0.0]]])
        by_batch = (data - data.mean((0, 1))) / np.sqrt(data.var((0, 1)) + 1e-3)
        wanted = data / np.sqrt(1 + 1e-3) if tf_keras else by_batch
        loss = model.train_on_batch(data, np.zeros((1, 6)))
        assert loss == pytest.approx((wanted**2).mean(), rel=1e-5)
        np.testing.assert_array_equal(norm.get_weights()[0], [0.0, 0.0])
    finally:
        compat.uninstall()


# models and tensors ---------------------------------------------------------------------------------------


def test_a_model_with_a_list_of_one_output_gives_a_tensor_when_called(hook):
    x = layers.Input((3,))
    inner = models.Model([x], [layers.Dense(2)(x)])
    outer = models.Model(x, layers.Dense(1)(inner(x)))
    assert outer.output_shape == (None, 1) and outer.predict(np.ones((2, 3))).shape == (2, 1)
    both = models.Model([x], [x, layers.Dense(2)(x)])
    assert len(both(x)) == 2


def test_attributes_of_tensors_that_layers_of_keras_2_set_and_read(hook):
    x = layers.Input((3,))
    output, _, carry = layers.LSTM(2, return_state=True)(layers.Reshape((3, 1))(x))
    layer, node, place = carry._keras_history
    assert (type(layer).__name__, node, place) == ("LSTM", 0, 2) and output._keras_history[2] == 0
    doubled = x * 2
    assert hasattr(x, "_keras_history") and not hasattr(doubled, "_keras_history")
    doubled._keras_shape = (None, 3)
    doubled._uses_learning_phase = True
    assert doubled._keras_shape == (None, 3)
    with pytest.raises(ValueError, match=r"its _keras_shape cannot be \(None, 4\)"):
        doubled._keras_shape = (None, 4)
