"""Training as programs for Keras 2 write it: optimizers of their own, names of values, keywords."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, layers, losses, metrics
from kbackend.callbacks import LambdaCallback
from kbackend.optimizers import SGD, Adam, Optimizer

pytestmark = pytest.mark.usefixtures("each_backend")
ONES = np.ones((6, 1), "float32")


def one_weight(optimizer, **compiled):
    x = Input((1,))
    model = Model(x, layers.Dense(1, use_bias=False, kernel_initializer="ones")(x))
    model.compile(optimizer, "mse", **compiled)
    return model


def weight(model):
    return float(model.get_weights()[0][0, 0])


# ------------------------------------------------------------------------------------ optimizers of one's own


class Momentum(Optimizer):
    """In the form of Keras 2.0 to 2.3."""

    def __init__(self, lr=0.1, momentum=0.9, decay=0.0, **kwargs):
        super(Momentum, self).__init__(**kwargs)  # noqa: UP008
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.momentum = K.variable(momentum, name="momentum")
            self.decay = K.variable(decay, name="decay")
        self.initial_decay = decay

    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        moments = [K.zeros(K.int_shape(p)) for p in params]
        self.weights = [self.iterations] + moments
        for p, g, m in zip(params, grads, moments):
            v = self.momentum * m - lr * g
            self.updates.append(K.update(m, v))
            new_p = p + v
            if getattr(p, "constraint", None) is not None:
                new_p = p.constraint(new_p)
            self.updates.append(K.update(p, new_p))
        return self.updates

    def get_config(self):
        config = {"lr": float(K.get_value(self.lr)), "momentum": float(K.get_value(self.momentum))}
        base_config = super().get_config()
        return dict(list(base_config.items()) + list(config.items()))


def by_hand(steps, factors=None, rate=0.1):
    w, m = 1.0, 0.0
    for n in range(steps):
        m = 0.9 * m - rate * 2 * w * (1 if factors is None else factors[n])
        w += m
    return w


def test_an_optimizer_in_classic_form_trains():
    model = one_weight(Momentum())
    for _ in range(3):
        model.train_on_batch(ONES, 0 * ONES)
    assert weight(model) == pytest.approx(by_hand(3), rel=1e-5)
    assert int(K.get_value(model.optimizer.iterations)) == 3
    first, second = model.optimizer.get_weights()
    assert first == 3 and second.shape == (1, 1)


def test_its_state_goes_on_whether_there_are_sample_weights_or_not():
    model = one_weight(Momentum())
    for factor in (1, 3, 1, 0.5):
        given = None if factor == 1 else np.full(6, factor)
        loss = model.train_on_batch(ONES, 0 * ONES, sample_weight=given)
        assert np.isfinite(loss)
    assert weight(model) == pytest.approx(by_hand(4, [1, 3, 1, 0.5]), rel=1e-4)
    model.fit(ONES, 0 * ONES, verbose=0, batch_size=3)
    assert weight(model) == pytest.approx(by_hand(6, [1, 3, 1, 0.5, 1, 1]), rel=1e-4)


def test_its_rate_is_live_and_its_configuration_makes_another():
    optimizer = Momentum(lr=0.5, momentum=0.25)
    model = one_weight(optimizer)
    K.set_value(optimizer.lr, 0.0)
    model.train_on_batch(ONES, 0 * ONES)
    assert weight(model) == 1.0
    optimizer.lr = 0.125
    other = Momentum.from_config(optimizer.get_config())
    assert float(K.get_value(other.lr)) == 0.125 and float(K.get_value(other.momentum)) == 0.25


def test_its_variables_move_and_are_saved(tmp_path):
    model = one_weight(Momentum())
    model.train_on_batch(ONES, 0 * ONES)
    model.save_checkpoint(tmp_path / "one")
    model.train_on_batch(ONES, 0 * ONES)
    after = weight(model)
    model.load_checkpoint(tmp_path / "one")
    model.to("numpy")
    model.train_on_batch(ONES, 0 * ONES)
    assert weight(model) == pytest.approx(after, rel=1e-6)


def test_it_respects_constraints_and_decay():
    x = Input((1,))
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones", kernel_constraint="non_neg")
    model = Model(x, dense(x))
    model.compile(Momentum(lr=10.0, decay=0.5), "mse")
    model.fit(ONES, 0 * ONES, verbose=0)
    assert weight(model) == 0.0


def test_the_old_name_of_the_rate_is_taken():
    for made in (Adam(lr=0.25), SGD(lr=0.25, decay=1e-6, momentum=0.9, nesterov=True)):
        assert float(K.get_value(made.lr)) == 0.25 == float(K.get_value(made.learning_rate))


# ------------------------------------------------------------------------------------------- names of values


def two_outputs(loss, **compiled):
    x = Input((2,))
    h = layers.Dense(2)(x)
    model = Model(x, [layers.Activation("tanh", name="a")(h), layers.Activation("tanh", name="b")(h)])
    model.compile("sgd", loss, **compiled)
    return model


def far(y_true, y_pred):
    return K.max(K.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    ("compiled", "names"),
    [
        (dict(loss="mse"), ["loss", "a_loss", "b_loss"]),
        (dict(loss={"b": "mse"}), ["loss", "b_loss"]),
        (dict(loss=["mse", None], metrics={"a": "mae"}), ["loss", "a_loss", "a_mae"]),
        (
            dict(loss="mse", metrics=["mae", far, "accuracy"]),
            ["loss", "a_loss", "b_loss", "a_mae", "a_far", "a_accuracy", "b_mae", "b_far", "b_accuracy"],
        ),
        (
            dict(loss="mse", metrics=[["acc"], []], weighted_metrics=[["acc"], ["mae"]]),
            ["loss", "a_loss", "b_loss", "a_acc", "a_acc_1", "b_mae"],
        ),
    ],
)
def test_values_have_the_names_of_keras_2_3(compiled, names):
    model = two_outputs(**compiled)
    assert model.metrics_names == names
    x, zeros = np.ones((4, 2)), np.zeros((4, 2))
    y = zeros if sum(name.endswith("_loss") for name in names) == 1 else [zeros, zeros]
    history = model.fit(x, y, verbose=0, validation_data=(x, y)).history
    assert list(history) == [*names, *(f"val_{name}" for name in names)]
    assert len(model.evaluate(x, y)) == len(names)


def test_metrics_of_one_name_are_numbered():
    again = metrics.MeanAbsoluteError(name="mae")
    model = one_weight("sgd", metrics=["mae", "mae", losses.mean_absolute_error, again])
    assert model.metrics_names == ["loss", "mae", "mae_1", "mean_absolute_error", "mae_2"]


# ---------------------------------------------------------------------------------------------- what accuracy means

P = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.7]])
SEVERAL, ONE_HOT, LABELS = np.array([[1, 0, 1], [1, 1, 1]]), np.array([[1, 0, 0], [0, 0, 1]]), np.array([0, 1])


def own_binary(y_true, y_pred):
    return losses.binary_crossentropy(y_true, y_pred)


class Binary(losses.BinaryCrossentropy):
    pass


def own_sparse(y_true, y_pred):
    return K.sparse_categorical_crossentropy(y_true, y_pred)


MEANINGS = [
    *((loss, SEVERAL, 4 / 6) for loss in (
        "binary_crossentropy", "BinaryCrossentropy", losses.binary_crossentropy, losses.BinaryCrossentropy(), Binary(),
        losses.BinaryCrossentropy,
        partial(losses.binary_crossentropy, label_smoothing=0.1),
        losses.LossFunctionWrapper(losses.binary_crossentropy),
    )),
    *((loss, ONE_HOT, 0.5) for loss in (
        "categorical_crossentropy", losses.CategoricalCrossentropy(), "mse", own_binary, losses.MeanSquaredError(),
    )),
    *((loss, LABELS, 1.0) for loss in (
        "sparse_categorical_crossentropy", losses.SparseCategoricalCrossentropy(), own_sparse,
        partial(losses.sparse_categorical_crossentropy, from_logits=False), losses.LossFunctionWrapper(own_sparse),
    )),
]  # fmt: skip


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize("case", range(len(MEANINGS)))
def test_accuracy_goes_by_the_shapes_and_the_kind_of_the_loss(case, name):
    loss, y, wanted = MEANINGS[case]
    x = Input((3,))
    model = Model(x, layers.Activation("linear")(x))
    model.compile("sgd", loss, metrics=[name])
    assert model.metrics_names == ["loss", name]
    assert model.evaluate(P, y)[1] == pytest.approx(wanted)
    assert model.evaluate(P, y if y.ndim > 1 else y[:, None], sample_weight=np.ones(2))[1] == pytest.approx(wanted)


def test_accuracy_of_one_sigmoid_is_binary_for_any_loss():
    for loss in ("mse", losses.MeanSquaredError(), lambda y, p: K.abs(y - p), "binary_crossentropy"):
        x = Input((1,))
        model = Model(x, layers.Activation("linear")(x))
        model.compile("sgd", loss, metrics=["accuracy"])
        assert model.evaluate([[0.9], [0.2], [0.8], [0.4]], [1, 1, 0, 0])[1] == pytest.approx(0.5)


# ------------------------------------------------------------------------------------------------- keywords


def test_keywords_that_need_nothing_here_are_taken():
    model = one_weight("sgd")
    workers = dict(max_queue_size=10, workers=4, use_multiprocessing=True)
    model.fit(x=ONES, y=ONES, verbose=0, steps_per_epoch=None, validation_steps=None, **workers)
    model.evaluate(x=ONES, y=ONES, verbose=0, steps=None, callbacks=None, **workers)
    model.predict(x=ONES, verbose=0, steps=None, callbacks=None, **workers)
    model.train_on_batch(ONES, ONES, sample_weight=None, class_weight=None, reset_metrics=True)
    model.test_on_batch(ONES, ONES, sample_weight=None, reset_metrics=True)


ROWS = np.arange(10, dtype="float32")[:, None]


@pytest.mark.parametrize(
    ("size", "steps", "sizes"),
    [(None, 2, [5, 5]), (None, 3, [4, 4, 2]), (3, 2, [3, 3]), (3, 4, [3, 3, 3, 1]), (3, None, [3, 3, 3, 1])],
)
def test_the_number_of_batches_may_be_given(size, steps, sizes):
    model, told = one_weight(SGD(0.0)), []
    events = ("on_batch_end", "on_test_batch_end", "on_predict_batch_end")
    count = LambdaCallback(**dict.fromkeys(events, lambda n, logs: told.append(logs["size"])))
    seen = sum(sizes)
    wanted = np.mean(ROWS[:seen] ** 2)
    options = dict(batch_size=size, verbose=0, callbacks=[count])
    history = model.fit(
        ROWS, 0 * ROWS, shuffle=False, steps_per_epoch=steps, validation_data=(ROWS, 0 * ROWS), validation_steps=steps,
        **options,
    ).history  # fmt: skip
    assert told == sizes * 2 and history["loss"][0] == history["val_loss"][0] == pytest.approx(wanted)
    assert model.evaluate(ROWS, 0 * ROWS, steps=steps, **options) == pytest.approx(wanted)
    assert len(model.predict(ROWS, steps=steps, **options)) == seen
    assert told == sizes * 4


def test_shuffled_epochs_of_few_batches_draw_from_all_samples():
    kbackend.set_seed(0)
    model, seen = one_weight(SGD(0.0)), []
    keep = LambdaCallback(on_batch_end=lambda n, logs: seen.append(round(logs["loss"] ** 0.5)))
    model.fit(ROWS, 0 * ROWS, batch_size=1, steps_per_epoch=2, epochs=60, verbose=0, callbacks=[keep])
    assert len(seen) == 120 and set(seen) == set(range(10))


@pytest.mark.parametrize("steps", [0, -1, 5])
def test_batches_that_are_not_there_are_refused(steps):
    model = one_weight("sgd")
    for call in (
        lambda: model.fit(ROWS, ROWS, batch_size=3, steps_per_epoch=steps, verbose=0),
        lambda: model.fit(ROWS, ROWS, batch_size=3, validation_data=(ROWS, ROWS), validation_steps=steps, verbose=0),
        lambda: model.evaluate(ROWS, ROWS, batch_size=3, steps=steps),
        lambda: model.predict(ROWS, batch_size=3, steps=steps),
    ):
        with pytest.raises(ValueError, match=f"(make 4 batches of 3, not|must be a positive .* it is) {steps}"):
            call()


def test_batches_may_be_shuffled_as_wholes():
    kbackend.set_seed(0)
    model, seen = one_weight(SGD(0.0)), []
    keep = LambdaCallback(on_batch_end=lambda n, logs: seen.append((logs["size"], round(float(logs["loss"]), 3))))
    model.fit(ROWS, 0 * ROWS, batch_size=3, shuffle="batch", epochs=20, verbose=0, callbacks=[keep])
    losses_of = {(3, round(float(np.mean(ROWS[i : i + 3] ** 2)), 3)) for i in (0, 3, 6)}
    epochs = [seen[i : i + 4] for i in range(0, 80, 4)]
    assert all(set(epoch[:3]) == losses_of and epoch[3] == (1, 81.0) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    with pytest.raises(ValueError, match="shuffle must be True, False or 'batch'"):
        model.fit(ROWS, ROWS, shuffle="no", verbose=0)
