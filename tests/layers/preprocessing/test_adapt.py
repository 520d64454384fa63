"""Statistics that layers take from data."""

import numpy as np
import pytest

from kbackend import Input, K, Model, layers

pytestmark = pytest.mark.usefixtures("fresh_session")
DATA = np.random.RandomState(0).randn(40, 3) * [1.0, 5.0, 0.1] + [0.0, 3.0, 1e4]


@pytest.mark.parametrize("axis", [-1, None, (0, 1)])
@pytest.mark.parametrize("in_batches", [False, True])
def test_mean_and_variance(axis, in_batches, each_backend):
    if in_batches and axis == (0, 1):
        pytest.skip("the batch is an axis of the statistics")
    layer = layers.Normalization(axis)
    layer.adapt([DATA[:7], DATA[7:8], DATA[8:]] if in_batches else DATA)
    along = {-1: 0, None: (0, 1)}.get(axis, ())
    mean, variance, count = layer.get_weights()
    np.testing.assert_allclose(mean, DATA.mean(along), rtol=1e-6)
    np.testing.assert_allclose(variance, DATA.var(along), rtol=1e-5, atol=1e-12)
    rounded = DATA.astype("float32").astype("float64")
    wanted = (rounded - mean) / np.maximum(np.sqrt(variance), K.epsilon())
    np.testing.assert_allclose(K.eval(layer(DATA)), wanted, rtol=1e-5, atol=1e-6)


def test_statistics_change_in_a_model(each_backend):
    layer, x = layers.Normalization(), Input((3,))
    model = Model(x, layer(x))
    small = DATA[:, :2].repeat([1, 2], 1)
    before = model.predict(small)
    np.testing.assert_allclose(before, small, rtol=1e-6)
    layer.adapt(small)
    np.testing.assert_allclose(model.predict(small).mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(model.predict(small).std(0), 1, rtol=1e-5)
    assert not model.trainable_weights


def test_statistics_and_their_inverse(each_backend):
    one, other = layers.Normalization(), layers.Normalization(invert=True)
    for layer in (one, other):
        layer.adapt(DATA[:, :2])
    np.testing.assert_allclose(K.eval(other(one(DATA[:, :2]))), DATA[:, :2], rtol=1e-5, atol=1e-5)


def test_data_that_do_not_fit():
    layer = layers.Normalization(name="n")
    with pytest.raises(ValueError, match=r"layer n \(Normalization\) was given no data"):
        layer.adapt([])
    layer.adapt(DATA)
    with pytest.raises(ValueError, match=r"statistics of the sizes \(3,\).*a batch has the shape \(2, 4\)"):
        layer.adapt(np.ones((2, 4)))
    with pytest.raises(ValueError, match="leave them out to adapt it"):
        layers.Normalization(mean=0.0, variance=1.0).adapt(DATA)


@pytest.mark.engine("tensorflow")
@pytest.mark.parametrize("bins, epsilon", [(4, 0.01), (3, 0.1), (10, 0.05)])
def test_boundaries_are_keras(keras, bins, epsilon):
    data = np.random.RandomState(1).randn(500).astype("float32")
    ours, theirs = layers.Discretization(num_bins=bins, epsilon=epsilon), keras.layers.Discretization(
        num_bins=bins, epsilon=epsilon)
    for batches in (data, [data[:100], data[100:]]):
        ours.adapt(batches)
        theirs.adapt(batches)
        np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
    again = layers.deserialize(layers.serialize(ours))
    assert again.bin_boundaries == ours.bin_boundaries and again.num_bins == bins


def test_bins_hold_equal_counts(each_backend):
    data = np.random.RandomState(2).rand(1000).astype("float32")
    layer = layers.Discretization(num_bins=4)
    layer.adapt(data)
    counts = np.bincount(K.eval(layer(data[:, None])).ravel())
    assert counts.shape == (4,) and (abs(counts - 250) <= 20).all()
    with pytest.raises(ValueError, match="write num_bins to adapt it"):
        layers.Discretization([0.0]).adapt(data)


def test_counts_with_weights(each_backend):
    x, weights = Input((3,), dtype="int32"), Input((3,))
    out = layers.CategoryEncoding(4, output_mode="count")(x, count_weights=weights)
    got = K.function([x, weights], [out])([np.array([[0, 2, 2]]), np.array([[0.5, 1.0, 2.0]])])[0]
    assert got.tolist() == [[0.5, 0.0, 3.0, 0.0]]
    with pytest.raises(ValueError, match=r"layer c \(CategoryEncoding\).*count_weights need output_mode='count'"):
        layers.CategoryEncoding(4, name="c")(x, count_weights=weights)
