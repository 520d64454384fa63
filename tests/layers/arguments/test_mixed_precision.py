"""Policies: in which dtypes layers compute and keep weights, and the scales of losses."""

import json
import threading

import numpy as np
import pytest

import kbackend
from kbackend import Input, K, Model, dtype_policies, layers, mixed_precision, optimizers
from kbackend.dtype_policies import DTypePolicy

pytestmark = pytest.mark.usefixtures("fresh_session", "fresh_policy")
MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
X = np.random.RandomState(0).randn(16, 5).astype("float32")
Y = X[:, :1] * 2 - X[:, 1:2]


@pytest.fixture
def fresh_policy():
    yield
    mixed_precision.set_global_policy(None)


def dense_model(policy, **options):
    x = Input((5,))
    h = layers.Dense(4, activation="tanh", dtype=policy)(x)
    return Model(x, layers.Dense(1, dtype=policy, **options)(h))


# policies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, computed", MIXED.items())
def test_the_dtypes_of_a_mixed_policy(name, computed):
    policy = DTypePolicy(name)
    assert (policy.compute_dtype, policy.variable_dtype, policy.is_mixed) == (computed, "float32", True)
    assert policy == DTypePolicy(name) != DTypePolicy("float32") and hash(policy) == hash(DTypePolicy(name))
    assert dtype_policies.get(json.loads(json.dumps(dtype_policies.serialize(policy)))) == policy
    assert DTypePolicy.from_config(policy.get_config()) == policy and repr(policy) == f"<DTypePolicy '{name}'>"


def test_a_dtype_is_a_policy():
    for dtype in ("float64", np.float64, np.dtype("float64")):
        policy = dtype_policies.get(dtype)
        assert (policy.name, policy.compute_dtype, policy.variable_dtype) == ("float64",) * 3


@pytest.mark.parametrize("wrong", ["mixed_float8", "float31", {"class_name": "Policy"}, {"class_name": "Dense",
                                   "config": {"name": "float32"}}])
def test_an_unknown_policy_is_refused(wrong):
    mixed_precision.set_global_policy("mixed_bfloat16")
    for use in (dtype_policies.get, mixed_precision.set_global_policy, lambda w: layers.Dense(1, dtype=w)):
        with pytest.raises(ValueError, match="dtype policy"):
            use(wrong)
    assert mixed_precision.global_policy().name == "mixed_bfloat16"


def test_the_policy_of_the_process_follows_floatx_until_it_is_set():
    before = K.floatx()
    try:
        K.set_floatx("float16")
        assert mixed_precision.global_policy().name == layers.Dense(1).dtype_policy.name == "float16"
        mixed_precision.set_global_policy("mixed_bfloat16")
        K.set_floatx("float64")
        layer = layers.Dense(1)
        assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == ("float32", "float32", "bfloat16")
        assert Input((3,)).dtype == "float64"
        mixed_precision.set_global_policy(None)
        assert layers.Dense(1).compute_dtype == "float64"
    finally:
        K.set_floatx(before)


def test_threads_started_later_see_the_policy():
    mixed_precision.set_global_policy("mixed_float16")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(layers.Dense(1).compute_dtype))
    thread.start()
    thread.join()
    assert seen == ["float16"]


def test_every_kind_of_policy_argument_is_taken():
    for given in ("mixed_float16", DTypePolicy("mixed_float16"), dtype_policies.serialize(DTypePolicy("mixed_float16")),
                  {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}):
        assert layers.Dense(1, dtype=given).compute_dtype == "float16"


# layers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, computed", MIXED.items())
def test_inputs_and_weights_are_cast_and_weights_stay_float32(name, computed, each_backend):
    seen = {}

    class Scale(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", (5,), initializer="ones")
            self.exact = self.add_weight("exact", (), initializer="zeros", autocast=False)
            self.count = self.add_weight("count", (), dtype="int32", initializer="zeros", trainable=False)

        def call(self, inputs, other=None):
            product = inputs * self.scale
            seen.update(input=inputs.dtype, product=product.dtype, other=other.dtype)
            seen.update(exact=(inputs + self.exact).dtype, count=(inputs + self.count).dtype)
            self.add_update(K.update_add(self.count, 1))
            return product + other

    mixed_precision.set_global_policy(name)
    x, whole = Input((5,)), Input((5,), dtype="int32")
    layer = Scale()
    y = layer(x, other=Input((5,), dtype="float64"))
    assert seen == dict(input=computed, product=computed, other=computed, exact="float32", count=computed)
    assert y.dtype == computed and layer(whole, other=x).dtype == computed
    assert [w.dtype for w in layer.weights] == ["float32", "float32", "int32"]
    z = layers.Dense(3)(x)
    (slope,) = K.gradients(K.sum(z), [z.history.layer.kernel])
    assert slope.dtype == "float32"
    result, gradient = K.function([x], [z, slope])([X])
    assert K.dtype(result) == computed and K.dtype(gradient) == "float32"


def test_a_float32_layer_takes_16_bits_and_leaves_float64():
    softmax = layers.Activation("softmax", dtype="float32")
    assert softmax(Input((3,), dtype="float16")).dtype == "float32"
    assert softmax(Input((3,), dtype="float64")).dtype == "float64"
    assert layers.Activation("tanh", dtype="mixed_float16", autocast=False)(Input((3,))).dtype == "float32"


def test_the_innermost_layer_decides():
    class Outer(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.exact, self.same = layers.Dense(3, dtype="float32"), layers.Dense(3)

        def call(self, inputs):
            exact = self.exact(inputs)
            assert exact.dtype == "float32" and self.same(exact).dtype == "float16"
            return exact

    mixed_precision.set_global_policy("mixed_float16")
    assert Outer()(Input((4,))).dtype == "float32"


def test_a_loop_casts_no_weight_at_each_step():
    """The cast stands before the loop: the program has one for each weight, none in the body."""
    class Cell(layers.Layer):
        state_size = 3

        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (3, 3))

        def call(self, inputs, states):
            new = K.tanh(inputs + K.dot(states[0], self.kernel))
            return new, [new]

    mixed_precision.set_global_policy("mixed_bfloat16")
    x = Input((7, 3))
    program = K.function([x], [layers.RNN(Cell())(x)])
    program([np.ones((2, 7, 3))])
    body = program.source.partition("def ")[2]
    assert body.count("cast(") == 2  # of the input and of the kernel


def test_stateful_layers_keep_their_states_in_float32(each_backend):
    mixed_precision.set_global_policy("mixed_float16")
    x = Input(batch_shape=(2, 3, 4))
    layer = layers.GRU(3, stateful=True)
    model = Model(x, layer(x))
    values = X[:6, :4].reshape(2, 3, 4)
    first = model.predict(values, batch_size=2)
    second = model.predict(values, batch_size=2)
    assert first.dtype == "float16" and not np.array_equal(first, second)
    assert layer.states[0].dtype == "float32"
    np.testing.assert_array_equal(K.get_value(layer.states[0]), second.astype("float32"))


def test_an_embedding_casts_what_it_gathers():
    mixed_precision.set_global_policy("mixed_float16")
    x = Input((3,), dtype="int32")
    y = layers.Embedding(50, 4)(x)
    program = K.function([x], [y])
    program([[[1, 2, 3]]])
    assert y.dtype == "float16" and program.source.index("gather(") < program.source.index("cast(")


def test_a_copy_of_a_weight_is_cast_too():
    import copy

    mixed_precision.set_global_policy("mixed_float16")
    x = Input((5,))
    model = copy.deepcopy(Model(x, layers.Dense(2)(x)))
    assert all(w.autocast for w in model.weights)
    assert model(Input((5,))).dtype == "float16"


# training ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, computed", MIXED.items())
def test_training_comes_close_to_that_in_float32(name, computed, each_backend):
    def history(policy):
        kbackend.set_seed(3)
        model = dense_model(policy)
        optimizer = optimizers.Adam(0.05)
        if policy == "mixed_float16":  # the first scale of 2 ** 15 overflows and drops some steps
            optimizer = optimizers.LossScaleOptimizer(optimizer, 256.0)
        model.compile(optimizer, "mse", metrics=["mae"])
        return model, model.fit(X, Y, epochs=8, batch_size=8, verbose=0).history

    (plain, wanted), (mixed, found) = history("float32"), history(name)
    assert found["loss"][-1] < 0.7 * found["loss"][0]
    for key in ("loss", "mae"):
        np.testing.assert_allclose(found[key], wanted[key], rtol=0.05)
    assert mixed.predict(X).dtype == computed and plain.predict(X).dtype == "float32"
    assert all(w.dtype == "float32" for w in mixed.get_weights())
    states = [v for v in mixed.optimizer.variables() if v.shape]
    assert len(states) == 8 and all(v.dtype == "float32" for v in states)
    assert mixed.training_graph().outputs[0].dtype == "float32"


def test_losses_and_metrics_see_float32():
    seen = []

    def loss(y_true, y_pred):
        seen.append((y_true.dtype, y_pred.dtype))
        return K.mean(K.square(y_true - y_pred), axis=-1)

    model = dense_model("mixed_float16")
    model.compile("sgd", loss, metrics=[loss])
    assert model.total_loss.dtype == "float32" and set(seen) == {("float32", "float32")}


def test_a_regularizer_of_activities_sees_float32():
    x = Input((5,))
    model = Model(x, layers.Dense(300, activity_regularizer=lambda t: K.sum(t * t), kernel_initializer="ones",
                                  dtype="mixed_float16")(x))
    model.compile("sgd", "mse")
    loss = model.evaluate(np.full((1, 5), 10.0), np.zeros((1, 300)), verbose=0)
    assert loss == pytest.approx(300 * 50.0**2 + 50.0**2)  # past the largest float16


def test_normalization_keeps_its_statistics_exact(each_backend):
    """A mean of 1000 and a deviation of 1 are past what float16 can sum."""
    mixed_precision.set_global_policy("mixed_float16")
    x = Input((3,))
    layer = layers.BatchNormalization(momentum=0.0)
    model = Model(x, layer(x))
    model.compile("sgd", "mse")
    values = 1000.0 + np.tile([[-1.0], [1.0]], (50, 3))
    model.train_on_batch(values, np.zeros((100, 3)))
    np.testing.assert_allclose(K.get_value(layer.moving_mean), 1000.0, rtol=1e-6)
    np.testing.assert_allclose(K.get_value(layer.moving_variance), 1.0, rtol=1e-5)
    assert model.output.dtype == "float16" and {w.dtype for w in layer.weights} == {"float32"}


# loss scales ------------------------------------------------------------------------------------------------


def test_compile_scales_the_loss_for_float16_alone():
    def optimizer(policy, given="sgd", **options):
        model = dense_model(policy)
        model.compile(given, "mse", **options)
        return model.optimizer

    scaled = optimizer("mixed_float16")
    assert type(scaled) is mixed_precision.LossScaleOptimizer and type(scaled.inner_optimizer) is optimizers.SGD
    assert type(optimizer("mixed_bfloat16")) is type(optimizer("float32")) is optimizers.SGD
    assert type(optimizer("mixed_float16", auto_scale_loss=False)) is optimizers.SGD
    own = mixed_precision.LossScaleOptimizer(optimizers.SGD(), 8.0, dynamic=False)
    assert optimizer("mixed_float16", own) is own


def test_a_scale_keeps_gradients_that_float16_has_not(each_backend):
    """A gradient of 1e-9 is 0 in float16; times 2 ** 15 it is not."""
    def trained(**options):
        x = Input((1,))
        y = layers.Dense(1, use_bias=False, kernel_initializer="ones", dtype="mixed_float16")(x)
        model = Model(x, layers.Lambda(lambda t: K.cast(t, "float32") * 1e-9, dtype="float32")(y))
        model.compile(optimizers.SGD(1e8), lambda t, p: K.mean(p, axis=-1), **options)
        model.train_on_batch([[1.0]], [[0.0]])
        return float(model.get_weights()[0][0, 0])

    assert trained() == pytest.approx(0.9, rel=1e-3)
    assert trained(auto_scale_loss=False) == 1.0


def test_a_step_that_overflows_halves_the_scale_and_changes_nothing_else(each_backend):
    model = dense_model("mixed_float16")
    model.compile(optimizers.LossScaleOptimizer(optimizers.Adam(0.1), 2.0**40, dynamic_growth_steps=2), "mse")
    before, scale = model.get_weights(), model.optimizer.loss_scale
    model.train_on_batch(X, Y)
    assert K.get_value(scale) == 2.0**39 and K.get_value(model.optimizer.iterations) == 0
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    K.set_value(scale, 4.0)
    for _ in range(2):
        model.train_on_batch(X, Y)
    assert K.get_value(scale) == 8.0 and K.get_value(model.optimizer.iterations) == 2


def test_a_fixed_scale_stays(each_backend):
    def trained(optimizer):
        kbackend.set_seed(3)
        model = dense_model("float32")
        model.compile(optimizer, "mse")
        for _ in range(3):
            model.train_on_batch(X, Y)
        return model

    fixed = trained(mixed_precision.LossScaleOptimizer(optimizers.SGD(0.1), 64.0, 1, dynamic=False))
    assert K.get_value(fixed.optimizer.loss_scale) == 64.0
    for a, b in zip(fixed.get_weights(), trained(optimizers.SGD(0.1)).get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_the_names_of_tensorflow_s_keras():
    scaled = mixed_precision.LossScaleOptimizer(optimizers.SGD(0.1), 4.0)
    loss = K.constant(3.0)
    assert K.eval(scaled.get_scaled_loss(loss)) == 12.0
    assert [float(K.eval(g)) for g in scaled.get_unscaled_gradients([loss])] == [0.75]
    assert optimizers.deserialize(optimizers.serialize(scaled)).initial_scale == 4.0


# configurations and files -----------------------------------------------------------------------------------


def test_configurations_keep_the_policy():
    for policy in (*MIXED, "float16", "float64"):
        layer = layers.Bidirectional(layers.LSTM(3, dtype=policy), dtype=policy)
        again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
        assert again.dtype_policy.name == again.forward_layer.cell.dtype_policy.name == policy
        assert again.get_config() == layer.get_config()
    assert layers.Dense(1, autocast=False).get_config()["autocast"] is False
    assert "autocast" not in layers.Dense(1).get_config()


def test_files_keep_the_policy_and_the_scale(tmp_path, each_backend):
    from kbackend.models import load_model

    model = dense_model("mixed_float16")
    model.compile(optimizers.Adam(0.1), "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    K.set_value(model.optimizer.loss_scale, 128.0)
    model.save(tmp_path / "model.kb")
    again = load_model(tmp_path / "model.kb")
    assert [layer.dtype_policy.name for layer in again.layers[1:]] == ["mixed_float16"] * 2
    assert float(K.get_value(again.optimizer.loss_scale)) == 128.0
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for one in (model, again):
        one.fit(X, Y, epochs=1, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_clone_keeps_the_policy():
    from kbackend.models import clone_model, model_from_json

    model = dense_model("mixed_bfloat16")
    for again in (clone_model(model), model_from_json(model.to_json())):
        assert again.output.dtype == "bfloat16" and again.layers[-1].dtype == "float32"


def test_weights_move_between_engines(each_backend):
    model = dense_model("mixed_bfloat16")
    here = model.predict(X).astype("float32")
    model.to("numpy")
    np.testing.assert_allclose(model.predict(X).astype("float32"), here, rtol=0.05, atol=0.02)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("name, computed", MIXED.items())
def test_files_of_keras_keep_the_policy(keras, name, computed, tmp_path):
    from kbackend.models import load_model

    x = keras.Input((5,))
    h = keras.layers.BatchNormalization(dtype=name)(keras.layers.Dense(4, activation="tanh", dtype=name)(x))
    theirs = keras.Model(x, keras.layers.Dense(2, dtype="float32")(h))
    theirs.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.125), 64.0), "mse")
    theirs.save(tmp_path / "theirs.keras")
    ours = load_model(tmp_path / "theirs.keras")
    assert [layer.compute_dtype for layer in ours.layers[1:]] == [computed, computed, "float32"]
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X, verbose=0), rtol=0.03, atol=0.02)
    assert ours.optimizer.initial_scale == 64.0 and K.get_value(ours.optimizer.learning_rate) == 0.125
    ours.save(tmp_path / "ours.keras")
    again = keras.saving.load_model(tmp_path / "ours.keras")
    assert type(again.optimizer) is keras.optimizers.LossScaleOptimizer and again.optimizer.initial_scale == 64.0
    assert [layer.compute_dtype for layer in again.layers[1:]] == [computed, computed, "float32"]
