"""Steps that a model defines itself."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from support.arrays import rows

from kbackend import Input, K, Model, Sequential, layers, metrics, models, optimizers
from kbackend.model.network import NotBuilt

pytestmark = pytest.mark.usefixtures("engine")
X = rows(20, 3, seed=1)
Y = X.sum(axis=1, keepdims=True)


def chain(cls=Sequential, **kwargs):
    x = Input((3,))
    h = layers.Dense(4, activation="tanh", kernel_regularizer="l2")(x)
    h = layers.BatchNormalization()(h)
    return Model(x, layers.Dense(1)(h)) if cls is Sequential else cls(x, layers.Dense(1)(h), **kwargs)


class Written(Model):
    """The default steps, written out."""

    def train_step(self, data):
        x, y, weight = (*data, None)[:3]
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)
        gradients = K.gradients(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        return self.compute_metrics(x, y, y_pred, sample_weight=weight)


class Inherited(Model):
    def train_step(self, data):
        return super().train_step(data)


class OnlyLoss(Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight)


class Keras2(Model):
    def train_step(self, data):
        x, y = data[:2]
        weight = data[2] if len(data) > 2 else None
        y_pred = self(x, training=True)
        loss = self.compiled_loss(y, y_pred, weight, regularization_losses=self.losses)
        self.optimizer.minimize(loss, self.trainable_weights)
        self.compiled_metrics.update_state(y, y_pred, weight)
        return {m.name: m.result() for m in self.metrics}


class Guide(Model):
    """As the guide of Keras 3 has it."""

    def train_step(self, data):
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        self.add_update(self.optimizer.get_updates(loss, self.trainable_weights))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("kind", [Written, Inherited, OnlyLoss, Keras2, Guide])
def test_steps_written_out_train_as_the_built_in_ones(each_backend, kind):
    found = []
    given = {} if kind is Guide else {"sample_weight": np.linspace(0.5, 2, 20)}
    start = None
    for cls in (Model, kind):
        model = chain(cls)
        start = start or model.get_weights()
        model.set_weights(start)
        shown = ["mae", metrics.RootMeanSquaredError(name="rmse")]
        model.compile(optimizers.Adam(0.01), "mse", metrics=shown, weighted_metrics=["mape"])
        size = 10 if kind is Guide else 8  # whose mean of the loss does not know how large a batch is
        history = model.fit(X, Y, epochs=3, batch_size=size, verbose=0, validation_data=(X, Y), **given).history
        found.append((history, model.get_weights(), model.evaluate(X, Y, return_dict=True), model.predict(X)))
        assert model.metrics_names == ["loss", "mae", "rmse", "mape"]
    (wanted, weights, logs, predicted), (history, own, own_logs, own_predicted) = found
    assert list(history) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(history[name], values, rtol=2e-5, err_msg=name)
    for name, value in logs.items():
        assert own_logs[name] == pytest.approx(value, rel=2e-5)
    for a, b in zip(weights, own):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)  # 9 steps of Adam on the moving averages too
    np.testing.assert_allclose(own_predicted, predicted, rtol=1e-4, atol=1e-5)


class Chained(Model):
    """Two optimizers in one step: the second gradient is taken where the first optimizer has moved."""

    def __init__(self):
        super().__init__()
        self.w, self.v = K.variable(1.0, name="w"), K.variable(2.0, name="v")
        self.steps = K.variable(0, dtype="int32", name="steps")
        self.steps.trainable = False

    def compile(self, first, second):
        super().compile()
        self.first, self.second = first, second

    def train_step(self, data):
        before = K.identity(self.w)
        loss = K.square(self.w - 3.0) * K.mean(data)
        self.first.apply_gradients(zip(K.gradients(loss, [self.w]), [self.w]))
        other = K.square(self.w * self.v)
        self.second.minimize(other, [self.v])
        self.second.minimize(K.square(self.v), [self.v])
        self.steps.assign_add(1)
        return {"loss": loss, "other": other, "before": before, "after": self.w * 1.0, "steps": self.steps}


def test_what_is_computed_after_an_assignment_reads_the_new_value(each_backend):
    model = Chained()
    model.compile(optimizers.SGD(0.1), optimizers.SGD(0.01))
    w, v = 1.0, 2.0
    for step in range(1, 4):
        logs = model.train_on_batch(np.ones((4, 1)), return_dict=True)
        loss, before = (w - 3) ** 2, w
        w -= 0.1 * 2 * (w - 3)
        other = (w * v) ** 2
        v -= 0.01 * 2 * w * w * v
        v -= 0.01 * 2 * v
        wanted = {"loss": loss, "other": other, "before": before, "after": w, "steps": step}
        assert logs == pytest.approx(wanted, rel=1e-5)
    assert float(K.get_value(model.w)) == pytest.approx(w, rel=1e-5)
    assert float(K.get_value(model.v)) == pytest.approx(v, rel=1e-5)
    assert int(K.get_value(model.second.iterations)) == 6 and model.programs_made("train") == 1
    assert model.metrics_names == list(wanted)


def test_draws_differ_from_step_to_step():
    class Draws(Model):
        def train_step(self, data):
            self.count.assign_add(1.0)
            return {"drawn": K.random_uniform(())}

        count = None

    model = Draws()
    model.count = K.variable(0.0)
    model.compile()
    assert len({model.train_on_batch(X) for _ in range(5)}) == 5


def test_predict_step(each_backend):
    class Both(Model):
        def predict_step(self, data):
            y = self(data, training=False)
            return {"y": y, "sign": K.sign(y)}

    model = chain(Both)
    model.compile("sgd", "mse")
    assert not model.own_fit and model.fit(X, Y, verbose=0).history["loss"]
    plain = Model(model.inputs, model.outputs).predict(X)
    for found in (model.predict(X, batch_size=7), model.predict_on_batch(X)):
        np.testing.assert_allclose(found["y"], plain, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(found["sign"], np.sign(found["y"]))
    assert model.predict(iter([X[:4], X[4:8]]))["y"].shape == (8, 1)


class Records(Model):
    """Remembers what its steps are given."""

    def __init__(self):
        super().__init__()
        self.w, self.given = K.variable(1.0), []

    def train_step(self, data):
        self.given.append(data)
        self.w.assign_add(1.0)
        leaves = [t for part in (data if isinstance(data, tuple) else (data,))
                  for t in (part.values() if isinstance(part, dict) else part if isinstance(part, list) else [part])]
        return {"total": K.sum(K.stack([K.sum(K.cast(t, "float32")) for t in leaves]))}


@pytest.mark.parametrize("x, y, form", [
    (X, None, lambda d: d.shape == (None, 3)),
    (X, Y, lambda d: [t.shape for t in d] == [(None, 3), (None, 1)]),
    (X, Y[:, 0], lambda d: d[1].shape == (None,)),
    ([X, Y], None, lambda d: isinstance(d, tuple) and [t.shape for t in d[0]] == [(None, 3), (None, 1)]),
    ({"a": X, "b": Y}, {"c": Y}, lambda d: list(d[0]) == ["a", "b"] and list(d[1]) == ["c"]),
    (X.astype("float64"), np.arange(20), lambda d: d[0].dtype == "float32" and d[1].dtype.startswith("int")),
])  # fmt: skip
def test_data_has_the_structure_in_which_it_was_given(each_backend, x, y, form):
    model = Records()
    model.compile()
    history = model.fit(x, y, batch_size=20, verbose=0).history
    parts = [p for part in (x, y) if part is not None
             for p in (part.values() if isinstance(part, dict) else part if isinstance(part, list) else [part])]
    assert len(model.given) == 1 and form(model.given[0])
    assert history["total"][0] == pytest.approx(sum(float(p.sum()) for p in parts), rel=1e-4, abs=1e-4)


def test_sample_weights_and_generators_come_as_data(each_backend):
    model = Records()
    model.compile()
    model.fit(X, Y, sample_weight=np.ones(20), verbose=0)
    assert [t.shape for t in model.given[-1]] == [(None, 3), (None, 1), (None,)]
    model.fit(X, np.arange(20) % 2, class_weight={0: 1.0, 1: 3.0}, batch_size=20, verbose=0)
    assert model.train_on_batch(X * 0, np.arange(20) % 2, class_weight={0: 1.0, 1: 3.0}) == pytest.approx(10 + 40)
    batches = ((X[i : i + 5], Y[i : i + 5]) for i in (0, 5, 10, 15))
    assert model.fit(batches, verbose=0).history["total"][0] == pytest.approx(X[15:].sum() + Y[15:].sum(), rel=1e-4)
    assert len(model.given) == 3  # one trace for each form of data
    with pytest.raises(ValueError, match="same number of samples"):
        model.fit(X, Y[:3], verbose=0)
    with pytest.raises(ValueError, match="x cannot be used|x has the dtype"):
        model.fit(np.array(["a", "b"]), verbose=0)


def test_layers_move_their_averages_in_the_order_of_the_calls(each_backend):
    class Twice(Model):
        def __init__(self):
            super().__init__()
            self.norm = layers.BatchNormalization(momentum=0.5)

        def train_step(self, data):
            self.norm(data, training=True)
            self.norm(data * 3.0, training=True)
            return {"mean": self.norm.moving_mean[0]}

        def test_step(self, data):
            self.norm(data)
            return {"mean": self.norm.moving_mean[0]}

    model = Twice()
    model.compile()
    mean = X.mean(axis=0)[0]
    assert model.train_on_batch(X) == pytest.approx((0.5 * mean) * 0.5 + 0.5 * 3 * mean, rel=1e-5)
    assert model.test_on_batch(X) == pytest.approx(1.75 * mean, rel=1e-5)
    model.norm.trainable = False
    model.compile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it changes nothing, tested below
        assert model.train_on_batch(X) == pytest.approx(1.75 * mean, rel=1e-5)


def test_a_layer_that_is_not_trainable_gives_what_inference_gives(each_backend):
    model = chain(Written)
    model.layers[2].trainable = False
    model.compile("sgd", "mse")
    built_in = Model(model.inputs, model.outputs)
    built_in.compile("sgd", "mse")
    weights = model.get_weights()
    wanted = built_in.train_on_batch(X, Y)
    model.set_weights(weights)
    assert model.train_on_batch(X, Y) == pytest.approx(wanted, rel=1e-5)
    moving = [w for w in model.layers[2].get_weights()]
    for a, b in zip(moving, weights[2:6]):
        np.testing.assert_array_equal(a, b)


def test_losses_are_those_of_the_last_call_in_the_step():
    class Penal(layers.Layer):
        def call(self, inputs):
            self.add_loss(K.mean(inputs))
            return inputs

    class Own(Model):
        def train_step(self, data):
            self(data * 100.0)
            y = self(data)
            self.add_loss(1000.0)
            total = K.sum(K.stack([K.cast(loss, "float32") for loss in self.losses]))
            self.optimizer.minimize(K.sum(y), self.trainable_weights)
            return {"count": float(len(self.losses)), "total": total}

    x = Input((3,))
    model = Own(x, layers.Dense(1, kernel_regularizer=lambda w: K.sum(w) * 0 + 7.0)(Penal()(x)))
    model.compile("sgd")
    found = model.train_on_batch(X, return_dict=True)
    assert found["count"] == 3 and found["total"] == pytest.approx(1007 + X.mean(), rel=1e-5)


def test_metrics_of_attributes_begin_anew_with_each_epoch(each_backend):
    class Counts(Model):
        def __init__(self):
            super().__init__()
            self.sum = metrics.Sum(name="sum")

        def train_step(self, data):
            self.sum.update_state(data)
            return {"sum": self.sum.result()}

    model = Counts()
    model.compile()
    assert model.fit(np.ones((8, 1)), batch_size=3, epochs=3, verbose=0).history["sum"] == [8.0, 8.0, 8.0]
    assert model.metrics[-1] is model.sum
    first = model.train_on_batch(np.ones((2, 1)))
    assert first == 2 and model.train_on_batch(np.ones((2, 1)), reset_metrics=False) == 2
    assert model.train_on_batch(np.ones((2, 1)), reset_metrics=False) == 4
    model.reset_metrics()
    assert model.train_on_batch(np.ones((2, 1)), reset_metrics=False) == 2


def test_trials_leave_the_model_as_it_was(each_backend):
    model = chain(Written)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    weights, state = model.get_weights(), model.optimizer.get_weights()
    model.fit(X, Y, dry_run=True)
    model.overfit(X, Y, epochs=2, verbose=0)
    model.find_lr(X, Y, steps=5, verbose=0)
    for a, b in zip([*weights, *state], [*model.get_weights(), *model.optimizer.get_weights()]):
        np.testing.assert_array_equal(a, b)
    assert "def " in model.source("train")


class Noisy(Written):
    def train_step(self, data):
        x, y = data
        return super().train_step((x + 0.1 * K.random_normal(K.shape(x)), y))


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_model_of_the_class_is_saved_with_its_training(each_backend, tmp_path, epochs):
    x = Input((3,))
    model = Noisy(x, layers.Dense(1)(layers.Dropout(0.5)(layers.Dense(4)(x))))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, epochs=epochs, verbose=0)
    model.save(tmp_path / "m.kb")
    read = models.load_model(tmp_path / "m.kb", custom_objects={"Noisy": Noisy})
    assert type(read) is Noisy
    if epochs:  # the draws of a step are those of its first trace
        assert read.fit(X, Y, epochs=2, verbose=0).history == model.fit(X, Y, epochs=2, verbose=0).history


class Alone(Model):
    """Has no call."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dense = units, layers.Dense(units, input_shape=(3,))
        self.chain = Sequential([self.dense, layers.Dropout(0.5)])

    def train_step(self, data):
        loss = K.mean(K.square(self.chain(data)))
        self.optimizer.minimize(loss, self.trainable_weights)
        return {"loss": loss}

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_a_model_without_call_is_saved_and_weighs_what_its_layers_do(each_backend, tmp_path):
    model = Alone()
    assert len(model.weights) == 2
    model.compile("adam")
    model.fit(X, verbose=0)
    model.save(tmp_path / "m.kb")
    read = models.load_model(tmp_path / "m.kb", custom_objects={"Alone": Alone})
    for a, b in zip(model.get_weights(), read.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert read.fit(X, epochs=2, verbose=0).history == model.fit(X, epochs=2, verbose=0).history
    model.save_weights(tmp_path / "w.safetensors")
    read.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(read.get_weights()[0], model.get_weights()[0])
    assert models.clone_model(model).units == 2


def test_averages_of_weights_are_taken_at_the_end_by_each_optimizer():
    class Own(Model):
        def train_step(self, data):
            y = self(data)
            self.second.minimize(K.mean(K.square(y)), self.trainable_weights)
            return {"loss": K.mean(y)}

    x = Input((3,))
    model = Own(x, layers.Dense(1)(x))
    model.second = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model.compile()
    model.fit(X, epochs=2, verbose=0)
    pairs = model.second.averages(model.trainable_weights)
    assert len(pairs) == 2
    for weight, average in pairs:
        np.testing.assert_array_equal(weight.numpy(), average.numpy())


def test_gradients_that_are_not_there_are_left_out():
    w, v = K.variable(1.0, name="w"), K.variable(1.0, name="v")
    loss = K.square(w)
    with pytest.warns(UserWarning, match="no gradients for v"):
        updates = optimizers.SGD(0.1).apply_gradients(zip(K.gradients(loss, [w, v]), [w, v]))
    K.function([], [], updates)([])
    assert float(K.get_value(w)) == pytest.approx(0.8) and float(K.get_value(v)) == 1.0
    with pytest.raises(ValueError, match="no gradient for any of v"):
        optimizers.SGD(0.1).apply_gradients(zip(K.gradients(loss, [v]), [v]))


def test_wrong_steps_name_the_class():
    def step(result):
        made = type("Own", (Model,), {"train_step": lambda self, data: result(self, data)})()
        made.w = K.variable(1.0)
        made.compile()
        return made

    with pytest.raises(TypeError, match="Own.train_step must return a dict of names and values, it returned None"):
        step(lambda self, data: None).fit(X, verbose=0)
    with pytest.raises(TypeError, match="Own.train_step: the value 'a' cannot become a tensor"):
        step(lambda self, data: {"a": object()}).fit(X, verbose=0)
    with pytest.warns(UserWarning, match="Own.train_step changes nothing: apply gradients"):
        step(lambda self, data: {"a": 1.0}).fit(X, verbose=0)
    nothing = step(lambda self, data: {"a": 1.0})
    with pytest.raises(NotBuilt, match=r"\(Own\) defines no call\(self, inputs\)"):
        nothing.predict(X)
    with pytest.raises(NotBuilt, match=r"\(Own\) defines no call\(self, inputs\)"):
        nothing(X)
    with pytest.raises(RuntimeError, match="the train step of Own is traced with its first batch"):
        nothing.training_graph()
    with pytest.raises(RuntimeError, match="not compiled"):
        type("Own", (Model,), {"train_step": lambda self, data: {}})().fit(X)
    with pytest.raises(ValueError, match="compile needs a loss"):
        model = chain(Written)
        model.compile("sgd")
        model.layers[1].kernel.regularizer = None
        model.fit(X, Y, verbose=0)
    with pytest.raises(RuntimeError, match="in train_step and test_step only"):
        model.compiled_metrics.update_state(K.constant([1.0]), K.constant([1.0]))


def test_a_loss_that_is_not_finite_is_told():
    class Own(Model):
        def train_step(self, data):
            self.w.assign_add(1.0)
            return {"loss": K.log(-K.mean(K.square(data)))}

    model = Own()
    model.w = K.variable(1.0)
    model.compile()
    with pytest.warns(RuntimeWarning, match="the loss is nan since epoch 1"):
        model.fit(X, verbose=0)


def test_the_weights_that_were_trainable_at_compile_are_trained():
    model = chain(Written)
    model.compile("sgd", "mse")
    model.layers[-1].trainable = False
    before = model.layers[-1].get_weights()[0]
    model.fit(X, Y, verbose=0)
    assert (model.layers[-1].get_weights()[0] != before).any()
    model.compile("sgd", "mse")
    before = model.layers[-1].get_weights()[0]
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.layers[-1].get_weights()[0], before)
