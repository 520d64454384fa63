"""MultiHeadAttention against Keras, on every engine, with masks, dropout and scores."""


import numpy as np
import pytest
from support.arrays import rows

import kbackend
from kbackend import Input, K, Model, layers

PAIRS = np.random.RandomState(5).rand(2, 4, 5) < 0.6
PAIRS[:, :, 0] = True  # what a row of forbidden pairs gives is ours alone (the mean of the values)
OPTIONS = [
    {},
    {"value_dim": 3},
    {"use_bias": False},
    {"output_shape": 7},
]
CALLS = [
    {},
    {"use_causal_mask": True},
    {"attention_mask": PAIRS},
    {"attention_mask": PAIRS, "use_causal_mask": True, "return_attention_scores": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: next(iter(o), "plain"))
@pytest.mark.parametrize("call", CALLS, ids=lambda c: "-".join(c) or "plain")
def test_it_is_keras(keras, each_backend, options, call):
    query, value = rows(2, 4, 6), rows(2, 5, 6, seed=1)
    theirs = keras.layers.MultiHeadAttention(2, 4, **options)
    theirs(query, value)
    weights = [rows(*w.shape, seed=i) for i, w in enumerate(theirs.get_weights())]
    theirs.set_weights(weights)
    expected = theirs(query, value, **call)

    q, v = Input((4, 6)), Input((None, 6))
    ours = layers.MultiHeadAttention(2, 4, **options)
    result = ours(q, v, **call)
    ours.set_weights(weights)
    wanted = expected if isinstance(expected, (list, tuple)) else [expected]
    found = K.function([q, v], result if isinstance(result, list) else [result])([query, value])
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-5)


def test_one_product_serves_a_tensor_that_attends_to_itself(each_backend):
    x = Input((4, 6))
    layer = layers.MultiHeadAttention(2, 3)
    apart, joint = layer(x, K.identity(x), K.identity(x)), layer(x, x)
    layer.set_weights([rows(*w.shape, seed=i) for i, w in enumerate(layer.get_weights())])
    a, b = K.function([x], [apart, joint])([rows(2, 4, 6)])
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["MultiHeadAttention", "GroupQueryAttention"])
def test_a_mask_may_be_nested_lists(kind):
    """As files of Keras 2 have a mask that is a constant."""
    sizes = (2, 3) if kind == "MultiHeadAttention" else (3, 4, 2)
    x, layer = Input((4, 6)), getattr(layers, kind)(*sizes)
    mask = PAIRS[:, :, :4]
    listed, array = layer(x, x, attention_mask=mask.tolist()), layer(x, x, attention_mask=mask)
    a, b = K.function([x], [listed, array])([rows(2, 4, 6)])
    np.testing.assert_array_equal(a, b)


def test_masks_of_the_inputs_count(each_backend):
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    tokens = Input((4,), dtype="int32")
    x = layers.Embedding(5, 6, mask_zero=True)(tokens)
    y = layers.MultiHeadAttention(2, 3)(x, x)
    assert y._keras_mask is not None
    f = K.function([tokens], [y])
    first = f([ids])[0]
    changed = f([np.where(ids == 0, 0, ids)[:, :2]])[0] if tokens.shape[1] is None else first
    np.testing.assert_allclose(first, changed)
    alone = Model(tokens, y)
    short = layers.MultiHeadAttention(2, 3)
    inputs = Input((None,), dtype="int32")
    table = Model(inputs, short(*[layers.Embedding(5, 6, mask_zero=True)(inputs)] * 2))
    table.set_weights(alone.get_weights())
    # positions that are masked out change nothing for those that are not
    np.testing.assert_allclose(table.predict(ids[:1, :2]), first[:1, :2], rtol=1e-5, atol=1e-6)


def test_dropout_of_scores_is_live_and_seeded(each_backend):
    rate = K.variable(0.0)
    x = Input((8, 6))
    layer = layers.MultiHeadAttention(2, 3, dropout=rate, seed=4)
    model = Model(x, layer(x, x))
    f = K.function([x, K.learning_phase()], [model.output])
    value = rows(3, 8, 6)
    plain = f([value, 0])[0]
    np.testing.assert_allclose(f([value, 1])[0], plain, rtol=1e-5, atol=1e-6)
    K.set_value(rate, 0.5)
    assert np.abs(f([value, 1])[0] - plain).max() > 1e-3
    np.testing.assert_allclose(f([value, 0])[0], plain, rtol=1e-6, atol=1e-6)


@pytest.mark.together
def test_training_agrees_on_all_engines():
    losses = {}
    for engine in kbackend.available_backends():
        kbackend.set_seed(3)
        x = Input((8, 6))
        h = layers.MultiHeadAttention(2, 3, dropout=0.2)(x, x)
        h = layers.LayerNormalization()(layers.Add()([x, h]))
        model = Model(x, layers.Dense(1)(layers.GlobalAveragePooling1D()(h))).to(engine)
        model.compile("adam", "mse")
        data = rows(64, 8, 6)
        losses[engine] = model.fit(data, data[:, :, 0].sum(1), epochs=3, verbose=0).history["loss"]
    for found in losses.values():
        np.testing.assert_allclose(found, losses["numpy"], rtol=1e-4)


def test_a_configuration_makes_the_same_layer():
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, dropout=0.25, output_shape=4, seed=1)
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    x = Input((8, 6))
    model = Model(x, layer(x, x, use_causal_mask=True))
    other = Model.from_config(model.get_config())
    other.set_weights(model.get_weights())
    value = rows(2, 8, 6)
    np.testing.assert_array_equal(model.predict(value), other.predict(value))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: layers.MultiHeadAttention(0, 3)(x, x), "num_heads"),
        (lambda x: layers.MultiHeadAttention(2, 3, dropout=1.5)(x, x), "rate"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x), "query and a value"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x[:, 0], x), "batch, length, features"),
        (lambda x: layers.LayerNormalization(axis=4)(x), "out of range"),
        (lambda x: layers.LayerNormalization(axis=[1, -2])(x), "differ"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x, x, Input((5, 6))), "value and key must have one length"),
        (lambda x: layers.GroupQueryAttention(3, 2, 1)(x, x, Input((5, 6))), "value and key must have one length"),
        (lambda x: layers.GroupQueryAttention(3, 2, 1)(Input((2, 4, 6)), x), "the query must be"),
    ],
)
def test_wrong_calls_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make(Input((4, 6)))
