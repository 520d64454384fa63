"""Configurations of activation layers."""

from layers.table import Bad, Row

ROWS = [
    Row("ReLU", {}, (4,)),
    Row("ReLU", dict(max_value=1.0, negative_slope=0.1, threshold=0.2), (3, 4)),
    Row("ReLU", dict(max_value=0.5), (3, 4), masked=True),
    Row("ReLU", dict(threshold=0.5), (5,)),
    Row("LeakyReLU", {}, (4,)),
    Row("LeakyReLU", dict(negative_slope=0.1), (3, 4)),
    Row("LeakyReLU", dict(negative_slope=0.0), (3, 4), masked=True),
    Row("PReLU", {}, (4,)),
    Row("PReLU", dict(shared_axes=[1]), (None, 4)),
    Row("PReLU", dict(shared_axes=[1, 2], alpha_regularizer="l2"), (2, 3, 4)),
    Row("PReLU", dict(shared_axes=2, alpha_initializer="ones"), (3, 4), masked=True,
        keras="Keras's shared_axes is a list here"),
    Row("ELU", {}, (4,)),
    Row("ELU", dict(alpha=0.5), (3, 4)),
    Row("ELU", dict(alpha=2.0), (3, 4), masked=True),
    Row("Softmax", {}, (4,)),
    Row("Softmax", dict(axis=1), (3, 4)),
    Row("Softmax", dict(axis=[1, 2]), (3, 4)),
    Row("Softmax", {}, (4,), masked=True),
    Row("ThresholdedReLU", {}, (4,), keras="Keras 3 has none"),
    Row("ThresholdedReLU", dict(theta=0.2), (3, 4), keras="Keras 3 has none"),
    Row("ThresholdedReLU", dict(theta=0.0), (3, 4), masked=True, keras="Keras 3 has none"),

    Row("ReLU", dict(max_value=6.0, negative_slope=0.2), (None, 4)),
    Row("LeakyReLU", dict(negative_slope=0.5), (2, 3, 4)),
    Row("PReLU", dict(alpha_initializer="ones", alpha_constraint="non_neg"), (3, 4)),
    Row("ELU", dict(alpha=0.3), (None, 3)),
    Row("Softmax", dict(axis=-2), (3, 4)),
]

BAD = [
    Bad("ReLU", dict(max_value=-1.0), (4,), "must not be negative"),
    Bad("ReLU", dict(negative_slope=-1.0), (4,), "must not be negative"),
    Bad("LeakyReLU", dict(negative_slope=None), (4,), "negative_slope must be a number, it is None"),
    Bad("PReLU", dict(shared_axes=[2]), (4,), "shared_axes must be in [1, 1], they are [2]"),
    Bad("PReLU", {}, (None, 4), "known sizes"),
    Bad("Softmax", dict(axis=2), (4,), "axis 2"),
    Bad("ThresholdedReLU", dict(theta=-1.0), (4,), "theta must not be negative, it is -1.0"),
    Bad("ThresholdedReLU", dict(theta=None), (4,), "theta must be a number, it is None"),
]
