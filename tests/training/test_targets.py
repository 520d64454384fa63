"""Targets, sample weights and class weights in all the forms that Keras 2 takes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from kbackend import Input, K, Model, layers, losses, optimizers
from kbackend.training.data import DataError

pytestmark = pytest.mark.usefixtures("each_backend")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3)).astype("float32")
LABELS = np.array([0, 1, 3, 2, 1, 0])


def copying(width=3, loss="mse", **compiled):
    """A model whose output is its input, whatever it learns."""
    x = Input((width,))
    model = Model(x, layers.Dense(width, kernel_initializer="identity", name="out")(x))
    model.compile(optimizers.SGD(0.0), loss, **compiled)
    return model


def softmax(values):
    e = np.exp(values - values.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# ------------------------------------------------------------------------------ losses of the user's own


def weighted_columns(y_true, y_pred):
    y, w = y_true[:, :3], y_true[:, 3:]
    return K.mean(w * K.square(y - y_pred), axis=-1)


def test_targets_may_be_wider_than_the_output():
    model, y, w = copying(loss=weighted_columns), RNG.random((6, 3)), RNG.random((6, 1))
    both = np.hstack([y, w])
    wanted = np.mean(w * (y - X) ** 2)
    assert model.evaluate(X, both) == pytest.approx(wanted, rel=1e-5)
    assert model.train_on_batch(X, both, sample_weight=np.full(6, 2.0)) == pytest.approx(2 * wanted, rel=1e-5)
    history = model.fit(X, both, verbose=0, validation_data=(X[:4], both[:4]), batch_size=4).history
    assert history["loss"][0] == pytest.approx(wanted, rel=1e-5)
    assert history["val_loss"][0] == pytest.approx(np.mean(w[:4] * (y[:4] - X[:4]) ** 2), rel=1e-5)


def sizes_of_targets(y_true, y_pred):
    return K.sum(y_pred, axis=-1) * 0 + K.cast(K.prod(K.shape(y_true)[1:]), "float32") + 10.0 * K.ndim(y_true)


@pytest.mark.parametrize(
    ("shape", "value"), [((6,), 21), ((6, 1), 21), ((6, 3), 23), ((6, 7), 27), ((6, 2, 5), 40), ((6, 1, 1, 4), 44)]
)
def test_targets_may_have_any_shape(shape, value):
    model, y = copying(loss=sizes_of_targets), np.zeros(shape)
    assert model.evaluate(X, y) == value == model.train_on_batch(X, y)
    assert model.fit(X, y, verbose=0, sample_weight=np.full(6, 0.5)).history["loss"] == [value / 2]


def test_targets_of_many_lengths_share_a_step():
    model = copying(loss=sizes_of_targets)
    for length in (4, 5, 6, 7):
        assert model.train_on_batch(X, np.zeros((6, length))) == 20 + length
    assert model.programs_made("train") == 1


def test_a_loss_that_needs_known_sizes_gets_them():
    def known(y_true, y_pred):
        return K.reshape(y_true, (-1, y_true.shape[1] * 1))[:, 0] + 0 * K.sum(y_pred, axis=-1)

    model = copying(loss=known)
    for length in (5, 3, 7, 5):
        assert model.train_on_batch(X, np.full((6, length), length)) == length


def wrapped_sparse(y_true, y_pred):
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


SPARSE = {
    "wrapped": wrapped_sparse,
    "partial": partial(losses.sparse_categorical_crossentropy, from_logits=True),
    "object": losses.SparseCategoricalCrossentropy(from_logits=True),
    "wrapper": losses.LossFunctionWrapper(wrapped_sparse),
}


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float64"])
@pytest.mark.parametrize("form", SPARSE)
def test_labels_for_sparse_losses_may_be_floats_and_losses_wrapped(form, dtype):
    logits = RNG.normal(size=(6, 4)).astype("float32")
    wanted = -np.mean(np.log(softmax(logits)[np.arange(6), LABELS]))
    model = copying(4, SPARSE[form], metrics=["accuracy"])
    for y in (LABELS.astype(dtype), LABELS.astype(dtype)[:, None]):
        loss, accuracy = model.evaluate(logits, y)
        assert loss == pytest.approx(wanted, rel=1e-5)
        assert accuracy == pytest.approx(np.mean(logits.argmax(1) == LABELS))


@pytest.mark.parametrize("wrapped", [False, True])
def test_labels_of_steps_may_lack_the_last_dimension(wrapped):
    x = Input((5, 4))
    model = Model(x, layers.Activation("linear")(x))
    model.compile("sgd", SPARSE["wrapped" if wrapped else "object"])
    logits, labels = RNG.normal(size=(6, 5, 4)).astype("float32"), RNG.integers(0, 4, (6, 5))
    wanted = -np.mean(np.log(np.take_along_axis(softmax(logits), labels[..., None], -1)))
    for y in (labels, labels[..., None], labels.astype("float32")):
        assert model.evaluate(logits, y) == pytest.approx(wanted, rel=1e-5)


def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(DataError, match="target 'out' must have the dtype int32"):
        copying(4, SPARSE["object"]).evaluate(np.ones((6, 4)), LABELS + 0.5)


def test_losses_of_the_library_keep_their_rule():
    for loss in ("mse", losses.MeanSquaredError(), partial(losses.mean_squared_error), losses.mean_squared_error):
        with pytest.raises(DataError, match=r"target 'out' must have the shape \(None, 3\)"):
            copying(loss=loss).evaluate(X, np.ones((6, 4)))


def test_placeholders_may_be_given_for_the_targets():
    given = K.placeholder((None, 2, 2))
    model = copying(loss=lambda y, p: y[:, 0, 1] + 0 * K.sum(p, axis=-1), target_tensors=[given])
    assert model.evaluate(X, np.full((6, 2, 2), 4.0)) == 4
    assert model.targets == [given]
    with pytest.raises(DataError, match=r"\(None, 2, 2\)"):
        model.evaluate(X, np.ones((6, 2)))
    with pytest.raises(TypeError, match="target_tensors must be placeholders"):
        copying(target_tensors=1.0)


@pytest.mark.parametrize("loss, fits, wrong", [
    ("mse", [(None, 3), (6, 3), (None, None)], [(None, 4), (None,), (None, 3, 3), (None, 1)]),
    ("sparse_categorical_crossentropy", [(None, 1), (None,), (6, 1)], [(None, 3), (None, 1, 1)]),
    (None, [(None, 4)], []),
])  # fmt: skip
def test_given_targets_have_the_shape_that_the_loss_needs(loss, fits, wrong):
    own = loss or (lambda y, p: K.sum(y, axis=-1) + 0 * K.sum(p, axis=-1))
    for shape in fits:
        model = copying(loss=own, target_tensors=K.placeholder(shape))
        assert model.targets[0].shape == shape
        sizes = [4 if d is None and loss is None else 3 if d is None else d for d in shape[1:]]
        assert np.isfinite(model.evaluate(X, np.ones((6, *sizes))))
    for shape in wrong:
        with pytest.raises(ValueError, match=r"targets of 'out' have the shape .* its loss needs \(None, [13]\)"):
            copying(loss=own, target_tensors=K.placeholder(shape))


def test_a_broken_loss_is_refused_at_compile_with_its_own_error():
    def broken(y_true, y_pred):
        raise KeyError("this loss is broken")

    with pytest.raises(KeyError, match="this loss is broken"):
        copying(loss=broken)


# -------------------------------------------------------------------------------------------- sample weights


def two_outputs(**compiled):
    x = Input((3,))
    a = layers.Dense(3, kernel_initializer="identity", name="a")(x)
    b = layers.Dense(3, kernel_initializer="identity", name="b")(x)
    model = Model(x, [a, b])
    model.compile(optimizers.SGD(0.0), ["mse", "mae"], **compiled)
    return model


ZEROS = [np.zeros((6, 3)), np.zeros((6, 3))]
W = np.array([0, 1, 2, 3, 4, 5.0])
A, B = np.mean(X**2, axis=1), np.mean(np.abs(X), axis=1)


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        ([W, None], W, 1), ([None, W], 1, W), ([None, None], 1, 1), ({"b": W}, 1, W), ({"a": W, "b": None}, W, 1),
        ({}, 1, 1), (None, 1, 1), ([W, W], W, W),
    ],
)  # fmt: skip
def test_sample_weights_may_be_left_out_for_some_outputs(given, first, second):
    wanted = [np.mean(A * first) + np.mean(B * second), np.mean(A * first), np.mean(B * second)]
    model = two_outputs()
    np.testing.assert_allclose(model.evaluate(X, ZEROS, sample_weight=given), wanted, rtol=1e-5)
    np.testing.assert_allclose(model.train_on_batch(X, ZEROS, sample_weight=given), wanted, rtol=1e-5)
    history = model.fit(X, ZEROS, sample_weight=given, validation_data=(X, ZEROS, given), verbose=0).history
    np.testing.assert_allclose([history["loss"][0], history["val_loss"][0]], [wanted[0]] * 2, rtol=1e-5)


def test_unknown_names_and_numbers_of_weights_are_refused():
    for given in ({"c": W}, [W], [W] * 3, [W[:5], None]):
        with pytest.raises(DataError, match="sample weight"):
            two_outputs().evaluate(X, ZEROS, sample_weight=given)


def steps_model(mode, **compiled):
    x = Input((4, 2))
    model = Model(x, layers.Dense(2, kernel_initializer="identity", name="out")(x))
    model.compile(optimizers.SGD(0.0), "mse", sample_weight_mode=mode, **compiled)
    return model


STEPS = RNG.normal(size=(6, 4, 2)).astype("float32")
OF_STEPS = RNG.random((6, 4))


@pytest.mark.parametrize("mode", ["temporal", ["temporal"], {"out": "temporal"}])
def test_each_step_may_have_its_weight(mode):
    model = steps_model(mode, weighted_metrics=["mae"])
    wanted = np.mean(np.mean(STEPS**2, -1) * OF_STEPS)
    metric = np.sum(np.mean(np.abs(STEPS), -1) * OF_STEPS) / OF_STEPS.sum()
    found = model.evaluate(STEPS, 0 * STEPS, sample_weight=OF_STEPS)
    np.testing.assert_allclose(found, [wanted, metric], rtol=1e-5)
    history = model.fit(STEPS, 0 * STEPS, sample_weight=OF_STEPS, batch_size=2, verbose=0).history
    assert history["loss"][0] == pytest.approx(wanted, rel=1e-5)
    assert model.evaluate(STEPS, 0 * STEPS)[0] == pytest.approx(np.mean(STEPS**2), rel=1e-5)
    with pytest.raises(DataError, match="sample weight 'out'"):
        model.evaluate(STEPS, 0 * STEPS, sample_weight=OF_STEPS[:, :3])


def test_weights_of_steps_are_refused_by_name_without_the_mode():
    with pytest.raises(DataError, match="sample_weight_mode='temporal'"):
        steps_model(None).evaluate(STEPS, 0 * STEPS, sample_weight=OF_STEPS)
    with pytest.raises(ValueError, match="must be None or 'temporal'"):
        steps_model("steps")
    with pytest.raises(ValueError, match="needs an output with steps"):
        copying(sample_weight_mode="temporal")


# --------------------------------------------------------------------------------------------- class weights


def test_classes_have_weights_by_output():
    x = Input((4,))
    a, b = layers.Activation("softmax", name="a")(x), layers.Activation("softmax", name="b")(x)
    model = Model(x, [a, b])
    model.compile(optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    logits = RNG.normal(size=(6, 4)).astype("float32")
    each = -np.log(softmax(logits)[np.arange(6), LABELS])
    weights = {0: 1.0, 1: 3.0, 2: 0.5, 3: 0.0}
    of = np.array([weights[i] for i in LABELS])
    for given, first, second in (
        ({"a": weights}, of, 1), ({"b": weights}, 1, of), ([weights, None], of, 1), (weights, of, of),
        ({"a": weights, "b": weights}, of, of),
    ):  # fmt: skip
        found = model.train_on_batch(logits, [LABELS, LABELS], class_weight=given)
        np.testing.assert_allclose(found[1:], [np.mean(each * first), np.mean(each * second)], rtol=1e-5)
    for given in ({"c": weights}, [weights], {"a": {0: 1.0}}):
        with pytest.raises(DataError, match="class.weight"):
            model.train_on_batch(logits, [LABELS, LABELS], class_weight=given)


def test_classes_of_steps_have_no_weights():
    with pytest.raises(DataError, match="class_weight needs one label for each sample"):
        steps_model(None).train_on_batch(STEPS, 0 * STEPS, class_weight={0: 1.0})


# --------------------------------------------------------------------------------------------- the total loss


def test_the_total_loss_is_a_tensor_of_targets_and_weights():
    model = two_outputs(loss_weights=[2.0, 1.0])
    step = K.function([*model.inputs, *model.targets, *model.sample_weights], [model.total_loss])
    (found,) = step([X, *ZEROS, W, np.ones(6)])
    assert found == pytest.approx(2 * np.mean(A * W) + np.mean(B), rel=1e-5)
    with pytest.raises(RuntimeError, match="not compiled"):
        Model(model.inputs, model.outputs).total_loss  # noqa: B018
