"""Errors of seeds and of weights begin with the layer."""

import pytest

from kbackend import Input, layers


@pytest.mark.parametrize("make", [
    lambda: layers.Dropout(0.5, seed="a", name="mine"),
    lambda: layers.LSTM(3, seed=1.5, name="mine"),
    lambda: layers.MultiHeadAttention(2, 3, seed="a", name="mine"),
    lambda: layers.RandomFlip(seed="a", name="mine"),
    lambda: layers.Dense(3, bias_initializer="orthogonal", name="mine").build((None, 4)),
    lambda: layers.GRU(3, bias_initializer="orthogonal", reset_after=False, name="mine").build((None, 4, 2)),
    lambda: layers.Layer(name="mine").add_weight("w", (2,), initializer="nothing"),
    lambda: layers.Layer(name="mine").add_weight("w", (2,), regularizer="nothing"),
    lambda: layers.Dense(3, kernel_initializer=3, name="mine"),
])  # fmt: skip
def test_seeds_and_weights_are_refused_with_the_name_of_the_layer(make):
    with pytest.raises((TypeError, ValueError), match=r"^layer mine \(\w+\): "):
        make()


def test_the_layer_is_named_once():
    with pytest.raises(ValueError, match=r"^layer mine \(Dense\) called on [^:]*: the weight 'bias': an orthogonal"):
        layers.Dense(3, bias_initializer="orthogonal", name="mine")(Input((4,)))
    with pytest.raises(ValueError, match="^Dropout: seed must be an integer"):
        layers.Dropout(0.5, seed="a")


@pytest.mark.parametrize("mask", [(3, 5), (2, 4), (2, 4, 1)])
def test_a_mask_of_other_samples_or_steps(mask):
    words = rf"^layer mine .*the mask has the shape \({mask[0]}, {mask[1]}.*steps \(3, 4\)"
    with pytest.raises(ValueError, match=words):
        layers.LSTM(3, name="mine")(Input(batch_shape=(3, 4, 2)), mask=Input(batch_shape=mask, dtype="bool"))


def test_masking_needs_features():
    with pytest.raises(ValueError, match="^layer mine .*Masking"):
        layers.Masking(name="mine")(Input(()))
