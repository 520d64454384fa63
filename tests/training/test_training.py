"""Training: fit, evaluate, predict, weights, masks of data, callbacks, engines side by side."""

from __future__ import annotations

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, callbacks, layers, optimizers
from kbackend.datasets import digits

pytestmark = pytest.mark.usefixtures("engine")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 4)).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
ONE_HOT = np.eye(2, dtype=np.float32)[LABELS]


def classifier(**options):
    kbackend.set_seed(11)
    x = Input((4,), name="features")
    h = layers.Dense(8, activation="tanh")(x)
    model = Model(x, layers.Dense(2, activation="softmax", name="label")(h))
    model.compile(
        **{
            "optimizer": optimizers.SGD(0.5),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            **options,
        }
    )
    return model


def test_fit_learns_and_evaluate_and_predict_agree(each_backend):
    model = classifier()
    history = model.fit(X, LABELS, epochs=15, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    loss, accuracy = model.evaluate(X, LABELS, batch_size=16)
    probabilities = model.predict(X, batch_size=16)
    assert probabilities.shape == (70, 2) and probabilities.dtype == np.float32
    np.testing.assert_allclose(accuracy, np.mean(probabilities.argmax(1) == LABELS), atol=1e-6)
    np.testing.assert_allclose(loss, -np.log(probabilities[np.arange(70), LABELS]).mean(), rtol=1e-5)


def test_the_epoch_loss_is_the_mean_over_samples_though_the_last_batch_is_smaller(each_backend):
    model = classifier(optimizer=optimizers.SGD(0.0))
    history = model.fit(X, LABELS, batch_size=32, verbose=0)
    p = model.predict(X)
    np.testing.assert_allclose(
        history.history["loss"][0], -np.log(p[np.arange(70), LABELS]).mean(), rtol=1e-5
    )


def test_every_engine_follows_the_same_curve(each_backend):
    model = classifier(optimizer="adam")
    found = model.fit(X, LABELS, epochs=3, batch_size=16, verbose=0).history["loss"]
    with kbackend.use_backend("numpy"):
        reference = classifier(optimizer="adam")
        expected = reference.fit(X, LABELS, epochs=3, batch_size=16, verbose=0).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_labels_one_hot_rows_and_columns_give_the_same_loss(each_backend):
    sparse = classifier().evaluate(X, LABELS)
    column = classifier().evaluate(X, LABELS[:, None])
    hot = classifier(loss="categorical_crossentropy").evaluate(X, ONE_HOT)
    np.testing.assert_allclose(sparse, column)
    np.testing.assert_allclose(sparse, hot, rtol=1e-6)


def test_sample_weights_scale_each_sample_and_zero_removes_it(each_backend):
    weights = np.where(np.arange(70) % 2 == 0, 2.0, 0.0)
    model = classifier(optimizer=optimizers.SGD(0.0), metrics=None, weighted_metrics=["accuracy"])
    p = model.predict(X)
    loss, accuracy = model.evaluate(X, LABELS, sample_weight=weights, batch_size=70)
    each = -np.log(p[np.arange(70), LABELS])
    np.testing.assert_allclose(loss, (each * weights).mean(), rtol=1e-5)
    np.testing.assert_allclose(accuracy, np.mean(p.argmax(1) == LABELS, where=weights > 0), rtol=1e-5)


def test_class_weights_are_sample_weights_by_label(each_backend):
    by_class, by_sample = classifier(), classifier()
    by_class.fit(X, LABELS, class_weight={0: 1.0, 1: 3.0}, batch_size=16, verbose=0)
    by_sample.fit(X, LABELS, sample_weight=np.where(LABELS == 1, 3.0, 1.0), batch_size=16, verbose=0)
    for a, b in zip(by_class.get_weights(), by_sample.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"no weight for the labels \[1\]"):
        by_class.fit(X, LABELS, class_weight={0: 1.0}, verbose=0)


def test_validation_split_holds_out_the_last_part(each_backend):
    model = classifier(optimizer=optimizers.SGD(0.0))
    history = model.fit(X, LABELS, validation_split=0.2, verbose=0).history
    np.testing.assert_allclose(history["val_loss"][0], model.evaluate(X[56:], LABELS[56:])[0], rtol=1e-5)
    given = model.fit(X[:56], LABELS[:56], validation_data=(X[56:], LABELS[56:]), verbose=0).history
    np.testing.assert_allclose(given["val_accuracy"], history["val_accuracy"])


def test_train_on_batch_returns_the_loss_before_the_update(each_backend):
    model = classifier()
    before = model.test_on_batch(X, LABELS)
    np.testing.assert_allclose(model.train_on_batch(X, LABELS), before, rtol=1e-6)
    assert model.test_on_batch(X, LABELS)[0] < before[0]
    np.testing.assert_allclose(model.predict_on_batch(X), model.predict(X), rtol=1e-6)
    for given in ([X], (X,), X.tolist()):
        np.testing.assert_array_equal(model.predict_on_batch(given), model.predict_on_batch(X))


def two_outputs(**options):
    kbackend.set_seed(2)
    a, b = Input((4,), name="a"), Input((3,), name="b")
    h = layers.concatenate([layers.Dense(5, activation="relu")(a), b])
    model = Model(
        [a, b], [layers.Dense(1, name="value")(h), layers.Dense(2, activation="softmax", name="label")(h)]
    )
    model.compile(
        "rmsprop",
        **{
            "loss": {"value": "mse", "label": "categorical_crossentropy"},
            "loss_weights": [0.5, 2.0],
            "metrics": {"label": ["accuracy"]},
            **options,
        },
    )
    return model


def test_several_inputs_and_outputs_by_list_and_by_name(each_backend):
    b, value = X[:, :3] * 2, X.sum(axis=1, keepdims=True)
    by_list, by_name = two_outputs(), two_outputs()
    first = by_list.fit([X, b], [value, ONE_HOT], epochs=2, verbose=0).history
    second = by_name.fit({"b": b, "a": X}, {"label": ONE_HOT, "value": value}, epochs=2, verbose=0).history
    assert list(first) == ["loss", "value_loss", "label_loss", "label_accuracy"]
    assert first == second
    np.testing.assert_allclose(
        first["loss"], 0.5 * np.array(first["value_loss"]) + 2 * np.array(first["label_loss"]), rtol=1e-5
    )
    assert [p.shape for p in by_list.predict([X, b])] == [(70, 1), (70, 2)]


def test_a_dropout_rate_that_is_a_variable_is_live(each_backend):
    kbackend.set_seed(1)
    rate = K.variable(0.0)
    x = Input((4,))
    model = Model(x, layers.Dropout(rate)(x))
    f = K.function([x, K.learning_phase()], [model.output])
    np.testing.assert_array_equal(f([X, 1])[0], X)
    K.set_value(rate, 0.5)
    made = dict(f._programs)
    dropped = f([X, 1])[0]
    assert 0.3 < np.mean(dropped == 0) < 0.7
    assert f._programs == made
    np.testing.assert_array_equal(f([X, 0])[0], X)


def test_moving_averages_change_in_training_only(each_backend):
    x = Input((4,))
    model = Model(x, layers.BatchNormalization()(x))
    model.compile("sgd", "mse")
    start = model.get_weights()
    model.evaluate(X, X)
    model.predict(X)
    for a, b in zip(model.get_weights(), start):
        np.testing.assert_array_equal(a, b)
    model.fit(X, X, batch_size=70, verbose=0)
    np.testing.assert_allclose(model.get_weights()[2], 0.01 * X.mean(0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(model.get_weights()[3], 0.99 + 0.01 * X.var(0), rtol=1e-4)


def test_regularizers_and_add_loss_join_the_loss(each_backend):
    kbackend.set_seed(1)
    x = Input((4,))
    dense = layers.Dense(4, kernel_regularizer=kbackend.regularizers.l2(0.1), use_bias=False)
    model = Model(x, dense(x))
    model.compile(optimizers.SGD(0.0), "mse")
    expected = np.mean((X @ dense.get_weights()[0] - X) ** 2) + 0.1 * np.sum(dense.get_weights()[0] ** 2)
    np.testing.assert_allclose(model.evaluate(X, X, batch_size=70), expected, rtol=1e-5)


def test_training_stops_at_nan_before_the_next_step(each_backend, capsys):
    model = classifier()
    bad = X.copy()
    bad[40] = np.nan
    seen = []
    model.fit(
        bad,
        LABELS,
        batch_size=10,
        shuffle=False,
        verbose=0,
        epochs=3,
        callbacks=[
            callbacks.TerminateOnNaN(),
            callbacks.LambdaCallback(on_batch_end=lambda b, logs: seen.append(b)),
        ],
    )
    assert seen == [0, 1, 2, 3, 4]
    assert "the loss is nan" in capsys.readouterr().out


def test_early_stopping_restores_the_best_weights():
    model = classifier(optimizer=optimizers.SGD(50.0))
    stop = callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    history = model.fit(X, LABELS, epochs=50, verbose=0, callbacks=[stop])
    assert len(history.epoch) < 50
    assert stop.best == min(history.history["loss"])
    for a, b in zip(model.get_weights(), stop.best_weights):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_changes_the_rate_without_a_new_program(each_backend):
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    made = model._steps.train().programs
    model.fit(
        X,
        LABELS,
        epochs=3,
        verbose=0,
        callbacks=[callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)],
    )
    assert float(K.get_value(model.optimizer.lr)) == 0.0625
    assert made and model._steps.train().programs == made


def test_one_program_serves_every_batch_size(each_backend):
    """TensorFlow has one more, for the batch size of the first training whose batches are all of one size."""
    model = classifier()
    for size in (1, 7, 70, 32, 5):
        model.fit(X, LABELS, batch_size=size, verbose=0)
    programs = model._steps.train()._apart.step._programs
    assert len([key for key in programs if len(key) == 3]) == 1
    assert len(programs) == 1 + (each_backend == "tensorflow")


@pytest.mark.engine("torch", "tensorflow")
def test_a_model_moves_between_engines_with_weights_and_optimizer_state():
    moving, staying = classifier(optimizer="adam"), classifier(optimizer="adam")
    for engine in ("torch", "tensorflow", "numpy", "torch"):
        assert moving.to(engine).engine.startswith(engine)
        moving.fit(X, LABELS, verbose=0, batch_size=16)
        staying.fit(X, LABELS, verbose=0, batch_size=16)
    for a, b in zip(
        moving.get_weights() + moving.optimizer.get_weights(),
        staying.get_weights() + staying.optimizer.get_weights(),
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.engine("torch", "tensorflow")
def test_two_models_on_two_engines_live_in_one_process():
    first, second = classifier().to("torch"), classifier().to("tensorflow")
    for _ in range(3):
        a = first.train_on_batch(X, LABELS)
        b = second.train_on_batch(X, LABELS)
    np.testing.assert_allclose(a, b, rtol=1e-5)


def test_digits_are_learned(each_backend):
    (x, y), (x_test, y_test) = digits.load_data()
    kbackend.set_seed(4)
    image = Input((8, 8, 1))
    h = layers.Conv2D(8, 3, activation="relu", padding="same")(image)
    h = layers.Flatten()(layers.MaxPooling2D()(h))
    model = Model(image, layers.Dense(10, activation="softmax")(h))
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[..., None] / 16.0, y, epochs=4, batch_size=64, verbose=0)
    assert model.evaluate(x_test[..., None] / 16.0, y_test)[1] > 0.9


BAD = {
    "too few inputs": (lambda m: m.fit([X], [X[:, :1], ONE_HOT], verbose=0), "2 inputs"),
    "too many inputs": (lambda m: m.fit([X, X[:, :3], X], [X[:, :1], ONE_HOT], verbose=0), "2 inputs"),
    "unknown name": (
        lambda m: m.fit({"a": X, "c": X}, [X[:, :1], ONE_HOT], verbose=0),
        "missing .'b'., unknown .'c'.",
    ),
    "wrong width": (
        lambda m: m.fit([X, X], [X[:, :1], ONE_HOT], verbose=0),
        r"input 'b' must have the shape \(None, 3\)",
    ),
    "wrong rank": (lambda m: m.fit([X[..., None], X[:, :3]], [X[:, :1], ONE_HOT], verbose=0), "input 'a'"),
    "unequal lengths": (lambda m: m.fit([X[:9], X[:, :3]], [X[:, :1], ONE_HOT], verbose=0), "a: 9, b: 70"),
    "targets of another length": (
        lambda m: m.fit([X, X[:, :3]], [X[:9, :1], ONE_HOT[:9]], verbose=0),
        "targets 9",
    ),
    "no targets": (lambda m: m.fit([X, X[:, :3]], verbose=0), "targets are missing"),
    "strings": (
        lambda m: m.fit([X.astype(str), X[:, :3]], [X[:, :1], ONE_HOT], verbose=0),
        "numbers are needed",
    ),
    "wrong target": (lambda m: m.fit([X, X[:, :3]], [X[:, :1], X], verbose=0), "target 'label'"),
    "batch size": (
        lambda m: m.fit([X, X[:, :3]], [X[:, :1], ONE_HOT], batch_size=0, verbose=0),
        "batch_size",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_refused_before_anything_changes(name):
    act, message = BAD[name]
    model = two_outputs()
    start = model.get_weights()
    with pytest.raises(ValueError, match=message):
        act(model)
    for a, b in zip(model.get_weights(), start):
        np.testing.assert_array_equal(a, b)


def test_bad_labels_are_named_and_change_nothing(each_backend):
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    start = model.get_weights() + model.optimizer.get_weights()
    bad = LABELS.copy()
    bad[3] = 7
    with pytest.raises(ValueError, match="7"):
        model.train_on_batch(X, bad)
    for a, b in zip(model.get_weights() + model.optimizer.get_weights(), start):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["fit", "validation", "evaluate", "predict", "train_on_batch", "test_on_batch"])
def test_no_samples_are_refused_before_anything_changes(each_backend, name):
    model = classifier()
    x, y = X[:0], LABELS[:0]
    calls = {
        "fit": lambda: model.fit(x, y, verbose=0),
        "validation": lambda: model.fit(X, LABELS, validation_data=(x, y), verbose=0),
        "evaluate": lambda: model.evaluate(x, y),
        "predict": lambda: model.predict(x),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "test_on_batch": lambda: model.test_on_batch(x, y),
    }
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"input 'features' has no samples, its shape is \(0, 4\)"):
        calls[name]()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert int(model.optimizer.get_weights()[0]) == 0


def test_an_uncompiled_model_says_so():
    x = Input((4,))
    with pytest.raises(RuntimeError, match="not compiled"):
        Model(x, layers.Dense(2)(x)).fit(X, ONE_HOT, verbose=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"loss": "msee"}, "unknown loss 'msee'"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'"),
        ({"loss": {"labell": "mse"}}, "unknown outputs"),
        ({"loss": ["mse", "mse"]}, "2 entries"),
        ({"loss": None}, "needs a loss"),
    ],
)
def test_compile_refuses_what_it_does_not_know(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier(**arguments)


def test_weights_to_train_are_those_at_compile_as_adversaries_need(each_backend):
    judge = kbackend.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(4,))])
    judge.compile("sgd", "binary_crossentropy")
    forger = kbackend.Sequential([layers.Dense(4, input_shape=(3,))])
    judge.trainable = False
    noise = Input((3,))
    both = Model(noise, judge(forger(noise)))
    both.compile("sgd", "binary_crossentropy")
    before = [w.copy() for w in judge.get_weights() + forger.get_weights()]
    both.train_on_batch(X[:, :3], np.ones(70))
    after = judge.get_weights() + forger.get_weights()
    assert [bool(np.any(a != b)) for a, b in zip(after, before)] == [False, False, True, True]
    judge.train_on_batch(X, np.ones(70))
    assert all(np.any(a != b) for a, b in zip(judge.get_weights(), before))


def test_a_model_whose_only_loss_was_added_needs_no_targets(each_backend):
    x = Input((4,))
    model = Model(x, layers.Dense(4)(x))
    model.add_loss(K.mean(K.square(model.output - x)))
    model.compile(optimizers.SGD(0.3))
    history = model.fit(X, epochs=5, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    np.testing.assert_allclose(model.evaluate(X, batch_size=70), np.mean((model.predict(X) - X) ** 2), rtol=1e-5)


@pytest.mark.parametrize(("given", "rows", "asked", "sizes"), [
    ({"shape": (2,)}, 5, None, [5]),
    ({"shape": (2,)}, 5, 3, [3, 2]),
    ({"shape": (2,)}, 33, None, [32, 1]),
    ({"batch_shape": (4, 2)}, 8, None, [4, 4]),
])  # fmt: skip
def test_predict_takes_an_array_of_one_batch_at_once_and_no_other(given, rows, asked, sizes):
    x = Input(**given)
    model = Model(x, layers.Lambda(lambda t: t * 0 + K.cast(K.shape(t)[0], "float32"))(x))
    seen = model.predict(np.zeros((rows, 2)), batch_size=asked)
    assert [list(part[:, 0]) for part in np.split(seen, np.cumsum(sizes)[:-1])] == [[n] * n for n in sizes]
