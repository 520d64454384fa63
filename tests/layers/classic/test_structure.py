"""What programs of Keras 2 ask of layers: inputs with states, losses and updates for inputs, masks, sizes of states."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from kbackend import Input, K, Model, Sequential, layers

X = np.random.RandomState(0).randn(5, 4, 3).astype("float32")


@pytest.fixture(autouse=True)
def _fresh():
    K.clear_session()


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, lambda n: layers.Bidirectional(layers.SimpleRNN(n))])
def test_initial_states_are_inputs(kind):
    x, layer = Input((4, 3)), kind(2)
    states = [Input((2,)) for _ in range(1 if isinstance(layer, layers.GRU) else 2)]
    y = layer(x, initial_state=states)
    assert len(layer.input) == 1 + len(states) and all(a is b for a, b in zip(layer.input, [x, *states]))
    assert layer.input_shape == [(None, 4, 3), *[(None, 2)] * len(states)]
    assert layer.get_input_at(0)[0] is x and layer.output_shape == y.shape
    assert layer.compute_output_shape(layer.input_shape) == y.shape
    assert kind(2)(x).shape == y.shape


@pytest.mark.parametrize("kind", [layers.Dense, lambda n: layers.Bidirectional(layers.SimpleRNN(n))])
def test_losses_and_updates_are_told_apart_by_inputs(kind):
    x, other = Input((4, 3)), Input((4, 3))
    layer = kind(2)
    layer(x)
    inner = [layer] if isinstance(layer, layers.Dense) else [layer.forward_layer, layer.backward_layer]
    count = K.variable(0.0)
    for each in inner:
        each.add_loss(0, inputs=x)
        each.add_loss([1, 0])
        each.add_update(K.update_add(count, 1.0), inputs=[x])
        each.add_update(K.update_add(count, 2.0))
    many = len(inner)
    assert len(layer.losses) == 3 * many and len(layer.updates) == 2 * many
    assert layer.get_losses_for(None) == [1, 0] * many and layer.get_losses_for(x) == [0] * many
    assert layer.get_losses_for(other) == [] == layer.get_updates_for(other)
    assert len(layer.get_updates_for(None)) == many == len(layer.get_updates_for(x))
    assert not set(map(id, layer.get_updates_for(None))) & set(map(id, layer.get_updates_for(x)))


@pytest.mark.parametrize("merge", [layers.Add(), layers.Subtract(), layers.Concatenate()])
def test_merges_take_a_mask_for_each_input(merge):
    a, b = Input((4,)), Input((4,))
    assert merge.compute_mask([a, b], [None, None]) is None and merge.compute_mask([a, b]) is None
    for given, mask in [([a, b], np.ones((2, 4))), (a, [None, None]), ([a, b], [None])]:
        with pytest.raises(ValueError, match=f"{type(merge).__name__}.*: masks come in a list, one for each tensor"):
            merge.compute_mask(given, mask)


def test_time_distributed_tells_the_masks_of_inner_layers():
    words = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]]])
    x = Input((3, 3), dtype="int32")
    table = layers.TimeDistributed(layers.Embedding(5, 2, mask_zero=True))
    inner = layers.TimeDistributed(layers.SimpleRNN(2))
    y = inner(table(x))
    asked = table.compute_mask(x)
    found = K.function([x], [table.output_mask, asked, y._keras_mask, inner.compute_mask(table.output, asked)])([words])
    for value, wanted in zip(found, [words != 0, words != 0, (words != 0).any(-1), (words != 0).any(-1)]):
        np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize("inner", [lambda: layers.Dense(2), lambda: layers.Conv1D(2, 1),
                                   lambda: Sequential([layers.Dense(2, input_shape=(3, 3))])])
def test_time_distributed_passes_a_mask_of_steps_on(inner):
    x = Input((2, 3, 3))
    layer = layers.TimeDistributed(inner())
    mask = K.placeholder((None, 2), dtype="bool")
    made = layer(x, mask=mask)._keras_mask
    values = np.array([[True, False], [True, True]])
    for found in K.function([x, mask], [made, layer.compute_mask(x, mask)])([np.zeros((2, 2, 3, 3)), values]):
        np.testing.assert_array_equal(found, values)


class Passing(layers.Layer):
    """A cell that learns its sizes when it is built."""

    state_size = output_size = None

    def build(self, input_shape):
        self.state_size = self.output_size = input_shape[-1]

    def call(self, inputs, states):
        return inputs, [s + 1 for s in states]


@pytest.mark.parametrize("unroll", [True, False])
def test_a_cell_that_learns_its_sizes(unroll):
    x, first = Input((4, 3)), Input((3,))
    layer = layers.RNN(Passing(), return_state=True, unroll=unroll)
    y, last = Model([x, first], layer(layers.Masking()(x), initial_state=first)).predict([X, np.zeros((5, 3))])
    np.testing.assert_array_equal(y, X[:, -1])
    np.testing.assert_array_equal(last, np.full((5, 3), 4.0))
    assert layers.RNN(Passing())(x).shape == (None, 3)


def test_sizes_of_states_are_tuples():
    stack = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])
    assert layers.LSTMCell(3).state_size == (3, 3) and stack.cell.state_size == (3, 3, 2) == stack.state_size


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_of_states_of_cells(reverse):
    cell = layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)], reverse_state_order=reverse)
    layer = layers.RNN(cell, return_state=True, return_sequences=True)
    shapes = [(None, 3), (None, 3), (None, 2)]

    def ordered(values):
        return [*values[2:], *values[:2]] if reverse else list(values)

    assert layer.compute_output_shape((None, 4, 3)) == [(None, 4, 2), *ordered(shapes)]
    x = Input((4, 3))
    states = [Input(shape[1:]) for shape in shapes]
    model = Model([x, *states], layer(x, initial_state=ordered(states)))
    again = layers.deserialize(layers.serialize(layer))
    assert again.cell.reverse_state_order is reverse
    plain = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_state=True, return_sequences=True)
    wanted = Model([x, *states], plain(x, initial_state=states))
    wanted.set_weights(model.get_weights())
    given = [X, *(np.full((5, *s[1:]), i + 1.0) for i, s in enumerate(shapes))]
    found, right = model.predict(given), wanted.predict(given)
    for a, b in zip(found, [right[0], *ordered(right[1:])]):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_nodes_and_histories():
    x, dense = Input((4,)), layers.Dense(3, name="d")
    first, second = dense(x), dense(layers.Dense(4, name="before")(x))
    layer, node, tensor = second._keras_history
    assert layer is dense and (node, tensor) == (1, 0) and first._keras_history == (dense, 0, 0)
    assert x._keras_history[0]._outbound_nodes == [dense.inbound_nodes[0], second.history.operands[0].history]
    call = dense._inbound_nodes[1]
    assert call.outbound_layer is dense and [each.name for each in call.inbound_layers] == ["before"]
    assert (call.input_shapes, call.output_shapes) == ([(None, 4)], [(None, 3)])
    assert (call.node_indices, call.tensor_indices, call.arguments) == ([0], [0], {})
    assert call.input_masks == [None] == call.output_masks
    with pytest.raises(AttributeError, match="no .?_keras_history"):
        getattr(first + second, "_keras_history")  # noqa: B009
    assert not hasattr(first * 2, "_keras_history") and hasattr(first, "_keras_history")


def test_several_results_and_operands():
    x = Input((4, 3))
    y, h, c = layers.LSTM(2, return_state=True, return_sequences=True, name="l")(x)
    assert [t._keras_history[2] for t in (y, h, c)] == [0, 1, 2]
    call = layers.Concatenate()([h, c, 2 * h]).history
    assert call.tensor_indices == [1, 2, 0] and [each and each.name for each in call.inbound_layers] == ["l", "l", None]
    assert h._keras_history.layer.outbound_nodes == [call]


def test_dropped_calls_are_no_nodes():
    x = Input((4,))
    layers.Dense(3)(x)
    gc.collect()
    source = x._keras_history[0]
    assert source.outbound_nodes == [] and len(source._consumers) == 0


def test_masked_steps_are_skipped_from_a_given_state():
    """By hand: Keras 3.15 computes them there."""
    x, state = Input((4, 3)), Input((2,))
    layer = layers.SimpleRNN(2)
    model = Model([x, state], layer(layers.Masking()(x), initial_state=state))
    data, first = X.copy(), np.ones((5, 2), "float32")
    data[0, 2:] = data[1, :1] = data[2, 1] = 0
    kernel, recurrent, bias = layer.get_weights()
    h = first
    for step in np.moveaxis(data, 1, 0):
        h = np.where(step.any(-1, keepdims=True), np.tanh(step @ kernel + h @ recurrent + bias), h)
    np.testing.assert_allclose(model.predict([data, first]), h, rtol=1e-5, atol=1e-6)
