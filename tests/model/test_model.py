"""Models: structure, sharing, nesting, ops between layers, weights, losses, updates, phases."""

import numpy as np
import pytest
from support.arrays import rows
from support.running import run_model, two_layers

import kbackend
from kbackend import Input, K, Model, Sequential, layers
from kbackend.layers.base.layer import Layer


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()
    K.set_seed(1)


# ------------------------------------------------------------------------------------------------ structure


def test_names_are_counted_and_scope_the_weights():
    x = Input((4,))
    first, second = layers.Dense(3), layers.Dense(2)
    Model(x, second(first(x)))
    assert [first.name, second.name, x.name] == ["dense_1", "dense_2", "input_1"]
    assert [w.name for w in first.weights] == ["dense_1/kernel", "dense_1/bias"]
    assert layers.LSTM(2).name == "lstm_1" and layers.MaxPooling2D().name == "max_pooling2d_1"


def test_layers_are_in_order_of_traversal():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    late = layers.Dense(3, name="late")(b)
    early = layers.Dense(3, name="deep2")(layers.Dense(3, name="deep1")(a))
    model = Model([a, b], layers.add([early, late], name="sum"))
    assert [x.name for x in model.layers] == ["a", "deep1", "b", "deep2", "late", "sum"]
    assert model.get_layer("late") is model.get_layer(index=4)


def test_depth_of_a_shared_layer_is_its_greatest():
    x = Input((3,), name="x")
    shared = layers.Dense(3, name="shared")
    top, mid = layers.Dense(3, name="top"), layers.Dense(3, name="mid")
    model = Model(x, layers.add([shared(x), top(mid(shared(x)))], name="sum"))
    assert [y.name for y in model.layers] == ["x", "shared", "mid", "top", "sum"]


def test_shared_layer_has_one_set_of_weights_and_two_calls():
    a, b = Input((4,)), Input((4,))
    dense = layers.Dense(3)
    u, v = dense(a), dense(b)
    model = Model([a, b], [u, v])
    x = rows(2, 4)
    left, right = run_model(model, x, x)
    assert np.array_equal(left, right)
    assert len(model.weights) == 2
    assert dense.get_output_at(0) is u and dense.get_input_at(1) is b
    with pytest.raises(AttributeError, match="dense_1 has been called 2 times"):
        _ = dense.output
    assert dense.output_shape == (None, 3)


def test_several_inputs_and_outputs():
    a, b = Input((2,), name="a"), Input((3,), name="b")
    model = Model([a, b], [layers.concatenate([a, b], name="both"), layers.Dense(1, name="score")(b)])
    assert model.input_names == ["a", "b"] and model.output_names == ["both", "score"]
    assert model.input_shape == [(None, 2), (None, 3)] and model.output_shape == [(None, 5), (None, 1)]
    both, score = run_model(model, rows(2, 2), rows(2, 3))
    assert both.shape == (2, 5) and score.shape == (2, 1)


def test_part_of_a_model_between_any_tensors():
    x = Input((4,))
    h = layers.Dense(3, name="h")(x)
    y = layers.Dense(2, name="y")(h)
    Model(x, y)
    head = Model(h, y)
    hidden = rows(5, 3)
    kernel, bias = head.get_layer("y").get_weights()
    np.testing.assert_allclose(run_model(head, hidden), hidden @ kernel + bias, rtol=1e-6)
    assert len(head.weights) == 2


# ------------------------------------------------------------------------------------------------ nesting


def test_nested_model_shares_weights_and_computes_the_same():
    inner = two_layers()
    x = Input((4,))
    outer = Model(x, inner(x * 2.0))
    value = rows(3, 4)
    np.testing.assert_array_equal(run_model(outer, value), run_model(inner, value * 2))
    assert [w.name for w in outer.weights] == [w.name for w in inner.weights]
    assert [y.name for y in outer.layers] == ["input_2", "inner"]


def test_calls_inside_a_nested_model_leave_no_trace_on_its_layers():
    inner = two_layers()
    inner(Input((4,)))
    assert inner.get_layer("hidden").output_shape == (None, 3)
    assert len(inner.get_layer("hidden")._calls) == 1


def test_model_called_twice_and_three_deep():
    inner = two_layers()
    x, y = Input((4,)), Input((4,))
    middle = Model([x, y], layers.subtract([inner(x), inner(y)]), name="middle")
    z = Input((4,))
    outer = Model(z, middle([z, z + 1.0]))
    value = rows(3, 4)
    expected = run_model(inner, value) - run_model(inner, value + 1)
    np.testing.assert_allclose(run_model(outer, value), expected, atol=1e-6)


def test_inner_trainable_flag_freezes_all_inside():
    inner = two_layers()
    x = Input((4,))
    outer = Model(x, layers.Dense(1)(inner(x)))
    assert len(outer.trainable_weights) == 6
    inner.trainable = False
    assert len(outer.trainable_weights) == 2 and len(outer.non_trainable_weights) == 4
    assert len(outer.weights) == 6


def test_model_on_an_array_gives_a_tensor_with_a_value():
    inner = two_layers()
    value = rows(3, 4)
    np.testing.assert_array_equal(K.eval(inner(value)), run_model(inner, value))


def test_model_takes_inputs_by_name():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Model([a, b], a - b)
    result = model({"b": Input((2,), name="other"), "a": a})
    assert result.shape == (None, 2)
    with pytest.raises(ValueError, match=r"inputs \['a', 'b'\].*'c'"):
        model({"a": a, "c": b})


# ----------------------------------------------------------------------------------------- ops between layers


def test_ops_between_layers_need_no_lambda():
    x = Input((4,))
    h = layers.Dense(3, use_bias=False)(x)
    model = Model(x, h * 2 + K.mean(h))
    value = rows(5, 4)
    hidden = value @ model.get_weights()[0]
    np.testing.assert_allclose(run_model(model, value), hidden * 2 + hidden.mean(), rtol=1e-5)
    assert model.output_names == ["output_1"]


def test_ops_are_applied_again_when_the_model_is_called():
    x = Input((4,))
    model = Model(x, K.exp(x)[:, :2] - x[:, 2:])
    y = Input((4,))
    outer = Model(y, model(y * 0.5))
    value = rows(2, 4)
    np.testing.assert_allclose(run_model(outer, value), np.exp(value * 0.5)[:, :2] - value[:, 2:] * 0.5, rtol=1e-6)


def test_loops_and_branches_between_layers_are_applied_again():
    x = Input((3, 2))
    double = K.map_fn(lambda row: row * 2.0, x)
    chosen = K.switch(K.greater(K.sum(x), 0.0), lambda: x + 1.0, lambda: x - 1.0)
    last, _, _ = K.rnn(
        lambda step, states: (step + states[0], [step + states[0]]), x, [K.zeros_like(x[:, 0])]
    )
    model = Model(x, [double, chosen, last])
    y = Input((3, 2))
    outer = Model(y, model(y * -1.0))
    value = rows(4, 3, 2)
    shift = 1.0 if value.sum() < 0 else -1.0
    got = run_model(outer, value)
    for a, b in zip(got, [-2 * value, shift - value, -value.sum(1)]):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_variables_of_ops_are_weights_of_the_model():
    x = Input((3,))
    scale, fixed = K.variable(np.full(3, 2.0), name="scale"), K.variable(5.0, name="fixed")
    fixed.trainable = False
    model = Model(x, layers.Dense(2)(x * scale + fixed))
    assert [w.name for w in model.weights] == ["dense_1/kernel", "dense_1/bias", "scale", "fixed"]
    assert [w.name for w in model.non_trainable_weights] == ["fixed"]
    model.set_weights([np.zeros((3, 2)), np.ones(2), np.ones(3), 1.0])
    assert K.get_value(scale).tolist() == [1, 1, 1]


def test_live_rates_and_counters_are_no_weights():
    rate = K.variable(0.5)
    x = Input((3,))
    model = Model(
        x, K.dropout(layers.GaussianNoise(K.variable(0.1))(layers.Dropout(rate)(x)), K.variable(0.2))
    )
    assert model.weights == []
    outer = Model(x, model(x))
    assert outer.weights == []


def test_a_model_that_is_called_again_draws_anew(each_backend):
    x, y = Input((400,)), Input((400,))
    model = Model(x, K.dropout(x, 0.5))
    ones = np.ones((1, 400), np.float32)
    first, second, third = K.function([x, y], [model.output, model(y), model(y)])([ones, ones])
    for a, b in ((first, second), (first, third), (second, third)):
        assert 100 < np.count_nonzero(a != b) < 300


def test_a_draw_with_a_seed_keeps_it_when_its_model_is_called_again(each_backend):
    x, y = Input((400,)), Input((400,))
    model = Model(x, K.dropout(x, 0.5, seed=3))
    ones = np.ones((1, 400), np.float32)
    first, second = K.function([x, y], [model.output, model(y)])([ones, ones])
    assert first.tobytes() == second.tobytes()


def test_a_layer_that_reads_a_tensor_from_around():
    x = Input((3,))
    gate = layers.Dense(3, name="gate")(x)
    model = Model(x, layers.Lambda(lambda t: t * gate, name="gated")(x))
    assert [y.name for y in model.layers] == ["input_1", "gate", "gated"]
    y = Input((3,))
    outer = Model(y, model(y + 1.0))
    value = rows(2, 3)
    np.testing.assert_allclose(run_model(outer, value), run_model(model, value + 1), rtol=1e-6)


def test_masks_are_not_taken_for_tensors_from_around():
    x = Input((4, 2))
    masked = layers.Masking()(layers.Dense(2)(x))
    out = layers.SimpleRNN(3)(masked)
    assert out.history.captured == () and out.history.sources == (masked,)


def test_gradient_as_output_of_a_model():
    x = Input((2,))
    energy = K.sum(K.square(x) * x, axis=-1)
    model = Model(x, K.gradients(energy, [x])[0])
    y = Input((2,))
    outer = Model(y, model(y * 2.0))
    value = rows(4, 2)
    np.testing.assert_allclose(run_model(outer, value), 3 * (2 * value) ** 2, rtol=1e-5)


class Force(Layer):
    """Minus the gradient of a learned energy with respect to the input."""

    def build(self, input_shape):
        self.dense = layers.Dense(8, activation="tanh", name=f"{self.name}_hidden")
        self.last = layers.Dense(1, use_bias=False, name=f"{self.name}_energy")

    def call(self, inputs):
        energy = self.last(self.dense(inputs))
        return -K.gradients(K.sum(energy), [inputs])[0]


def test_a_layer_whose_result_is_a_gradient_trains(each_backend):
    x = Input((2,))
    model = Model(x, Force()(x))
    assert len(model.trainable_weights) == 3
    model.compile(kbackend.optimizers.Adam(0.05), "mse")
    value = rows(64, 2)
    history = model.fit(value, -value, batch_size=64, epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]


# ------------------------------------------------------------------------------------------------ weights


def test_initial_weights_are_the_same_on_every_engine_and_from_one_seed(each_backend):
    def weights():
        K.set_seed(11)
        x = Input((6,))
        return Model(x, layers.LSTM(4)(K.expand_dims(layers.Dense(5)(x), 1))).get_weights()

    here = weights()
    with kbackend.use_backend("numpy"):
        reference = weights()
    for a, b in zip(here, reference):
        assert a.tobytes() == b.tobytes()
    assert np.abs(here[0]).max() > 0


def test_initial_weights_do_not_change_when_they_are_read_again():
    layer = layers.Dense(3)
    layer(Input((4,)))
    assert np.array_equal(layer.get_weights()[0], layer.get_weights()[0])


def test_set_weights_checks_all_before_it_sets_any():
    layer = layers.Dense(3, name="d")
    layer(Input((4,)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"layer d has 2 weights, set_weights was given 1"):
        layer.set_weights(before[:1])
    with pytest.raises(
        ValueError, match=r"layer d: the weight d/bias has shape \(3,\), set_weights was given \(4,\)"
    ):
        layer.set_weights([before[0] + 1, np.zeros(4)])
    assert np.array_equal(layer.get_weights()[0], before[0])


def test_weights_given_to_the_constructor():
    values = [np.ones((4, 3)), np.zeros(3)]
    layer = layers.Dense(3, weights=values)
    layer(Input((4,)))
    assert layer.get_weights()[0].tolist() == values[0].tolist()


def test_count_params():
    layer = layers.Dense(3, name="d")
    with pytest.raises(RuntimeError, match="layer d has no weights yet"):
        layer.count_params()
    layer(Input((4,)))
    assert layer.count_params() == 15


def test_variables_and_layers_in_attributes_are_tracked():
    class Block(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = [layers.Dense(3), layers.Dense(3)]
            self.gain = K.variable(2.0)

        def call(self, inputs):
            for part in self.parts:
                inputs = part(inputs)
            return inputs * self.gain

    block = Block()
    model = Model(x := Input((3,)), block(x))
    assert len(model.trainable_weights) == 5
    block.parts[0].trainable = False
    assert len(model.trainable_weights) == 3


# -------------------------------------------------------------------------------------------- losses, updates


class Penalized(Layer):
    def call(self, inputs):
        self.add_loss(K.sum(inputs))
        return inputs * 1.0


def value_of(tensors, inputs, values):
    return [float(v) for v in K.function(list(inputs), list(tensors))(list(values))]


def test_losses_come_from_weights_calls_activities_and_add_loss():
    x = Input((2,))
    dense = layers.Dense(
        2,
        kernel_regularizer=kbackend.regularizers.l2(0.5),
        use_bias=False,
        activity_regularizer=lambda t: K.sum(t) * 10.0,
    )
    model = Model(x, Penalized()(dense(x)))
    dense.set_weights([np.ones((2, 2))])
    model.add_loss(K.sum(model.output) * 100.0)
    found = value_of(model.losses, [x], [np.array([[1.0, 2.0]])])
    assert sorted(found) == [2.0, 6.0, 60.0, 600.0]


def test_losses_of_calls_outside_the_model_are_left_out():
    x, other = Input((2,)), Input((2,))
    layer = Penalized()
    layer(other)
    model = Model(x, layer(x))
    assert len(model.losses) == 1 and len(layer.losses) == 2


def test_losses_of_a_nested_model_follow_its_call():
    x = Input((2,))
    inner = Model(x, Penalized()(layers.Dense(2, kernel_regularizer="l2", kernel_initializer="ones")(x)))
    inner.add_loss(K.sum(inner.input) * 10.0)
    y = Input((2,))
    outer = Model(y, inner(y * 2.0))
    found = value_of(outer.losses, [y], [np.array([[1.0, 2.0]])])
    np.testing.assert_allclose(sorted(found), [0.04, 12.0, 60.0], rtol=1e-6)


def test_batch_normalization_updates_only_the_calls_in_the_model():
    x, other = Input((3,)), Input((3,))
    norm = layers.BatchNormalization(momentum=0.5)
    norm(other)
    model = Model(x, norm(x))
    assert len(model.updates) == 2 and len(norm.updates) == 4
    value = rows(64, 3) * 3 + 1
    K.function([x, K.learning_phase()], [model.output], updates=model.updates)([value, 1])
    np.testing.assert_allclose(K.get_value(norm.moving_mean), value.mean(0) / 2, rtol=1e-4)
    np.testing.assert_allclose(K.get_value(norm.moving_variance), 0.5 + value.var(0) / 2, rtol=1e-4)


def test_frozen_batch_normalization_has_no_updates_also_inside_a_frozen_model():
    x = Input((3,))
    norm = layers.BatchNormalization()
    inner = Model(x, norm(x))
    y = Input((3,))
    outer = Model(y, inner(y))
    assert len(outer.updates) == 2
    inner.trainable = False
    assert outer.updates == [] and inner.updates == []
    inner.trainable, norm.trainable = True, False
    assert outer.updates == []


def test_moving_averages_move_in_training_and_not_in_prediction(each_backend):
    model = Sequential([layers.BatchNormalization(input_shape=(3,), momentum=0.9)])
    model.compile(kbackend.optimizers.SGD(0.0), "mse")
    value = rows(32, 3) + 5
    model.predict(value)
    model.evaluate(value, value)
    assert model.layers[0].get_weights()[2].tolist() == [0, 0, 0]
    model.fit(value, value, batch_size=32, epochs=1, verbose=0)
    np.testing.assert_allclose(model.layers[0].get_weights()[2], 0.1 * value.mean(0), rtol=1e-4)


# ------------------------------------------------------------------------------------------------ phases


def test_training_argument_fixes_the_phase_in_the_copy():
    x = Input((50,))
    inner = Model(x, K.in_train_phase(x * 2.0, x) + layers.Dropout(0.5)(x) + layers.BatchNormalization()(x))
    y = Input((50,))
    still, active = Model(y, inner(y, training=False)), Model(y, inner(y, training=True))
    value = rows(4, 50)
    np.testing.assert_array_equal(run_model(still, value, phase=1), run_model(inner, value, phase=0))
    assert not np.allclose(run_model(active, value, phase=0), run_model(inner, value, phase=0))
    assert still.updates == [] and len(active.updates) == 2


def test_training_argument_reaches_layers_that_only_ask_for_the_phase():
    class Old(Layer):
        def call(self, inputs):
            return K.in_train_phase(inputs * 3.0, inputs)

    x = Input((2,))
    inner = Model(x, Old()(x))
    fixed = Model(x, inner(x, training=True))
    assert run_model(fixed, np.ones((1, 2)), phase=0).tolist() == [[3, 3]]


def test_training_argument_of_a_layer():
    x = Input((100,))
    layer = layers.Dropout(0.5)
    model = Model(x, [layer(x, training=True), layer(x, training=False), layer(x)])
    on, off, free = run_model(model, np.ones((2, 100)), phase=0)
    assert (on == 0).any() and (off == 1).all() and (free == 1).all()
