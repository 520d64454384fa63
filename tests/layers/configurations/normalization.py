"""Configurations of normalization."""

from layers.table import Bad, Row

from kbackend import layers


def spectral(make, **arguments):
    return lambda layers: dict(layer=make(layers), **arguments)


ROWS = [
    Row("BatchNormalization", {}, (4,)),
    Row("BatchNormalization", {}, (3, 4), phase=1),
    Row("BatchNormalization", dict(axis=1, epsilon=0.1), (3, 4), phase=1),
    Row("BatchNormalization", dict(center=False), (2, 3, 4), phase=1),
    Row("BatchNormalization", dict(scale=False, momentum=0.5), (2, 3, 4)),
    Row("BatchNormalization", dict(center=False, scale=False, axis=2), (2, 3, 4), phase=1),
    Row("BatchNormalization", {}, (3, 4), phase=1, masked=True),
    Row("BatchNormalization", {}, (None, 4), masked=True),
    Row("BatchNormalization", dict(renorm=True), (3, 4), phase=1),
    Row("BatchNormalization", dict(renorm=True, scale=False, renorm_momentum=0.5,
                                   renorm_clipping=dict(rmin=0.5, rmax=1.5, dmax=0.2)), (3, 4), phase=1),
    Row("BatchNormalization", dict(gamma_regularizer="l2", beta_initializer="ones", gamma_constraint="non_neg"), (4,)),
    Row("LayerNormalization", {}, (4,)),
    Row("LayerNormalization", dict(axis=1, epsilon=0.1), (3, 4)),
    Row("LayerNormalization", dict(axis=[1, 2], center=False), (3, 4)),
    Row("LayerNormalization", dict(scale=False), (None, 4), masked=True),
    Row("LayerNormalization", dict(axis=(2, 3)), (2, 3, 4)),
    Row("RMSNormalization", {}, (4,)),
    Row("RMSNormalization", dict(axis=1, epsilon=0.1), (3, 4), keras="Keras's scale broadcasts along the last axis"),
    Row("RMSNormalization", dict(axis=[1, 2]), (3, 4)),
    Row("RMSNormalization", {}, (None, 4), masked=True, keras="Keras drops the mask"),
    Row("UnitNormalization", {}, (4,)),
    Row("UnitNormalization", dict(axis=1), (3, 4)),
    Row("UnitNormalization", dict(axis=[1, 2]), (3, 4)),
    Row("UnitNormalization", {}, (None, 4), masked=True),
    Row("GroupNormalization", dict(groups=2), (4,)),
    Row("GroupNormalization", dict(groups=3, epsilon=0.1, center=False), (2, 3, 6)),
    Row("GroupNormalization", dict(groups=-1, scale=False), (3, 4)),
    Row("GroupNormalization", dict(groups=2, axis=1), (4, 3, 2)),
    Row("GroupNormalization", dict(groups=1), (None, 4), masked=True),
    Row("SpectralNormalization", spectral(lambda layers: layers.Dense(3)), (4,)),
    Row("SpectralNormalization", spectral(lambda layers: layers.Dense(3)), (4,), phase=1),
    Row("SpectralNormalization", spectral(lambda layers: layers.Conv2D(3, 2), power_iterations=3), (3, 4, 2), phase=1),
    Row("SpectralNormalization", spectral(lambda layers: layers.Embedding(5, 3)), (4,), phase=1, values=5,
        keras="Keras casts the result to the dtype of the inputs"),

    Row("BatchNormalization", dict(axis=1), (2, 3, 4), phase=1),
    Row("BatchNormalization", dict(momentum=0.9, epsilon=0.01, moving_mean_initializer="ones"), (3,), phase=1),
    Row("BatchNormalization", dict(renorm=True), (4,)),
    Row("LayerNormalization", dict(gamma_regularizer="l2", beta_initializer="ones", gamma_constraint="non_neg"), (4,)),
    Row("LayerNormalization", dict(center=False, scale=False), (3, 4)),
    Row("RMSNormalization", dict(epsilon=0.5), (2, 3, 4)),
    Row("UnitNormalization", dict(axis=2), (2, 3, 4)),
    Row("GroupNormalization", dict(groups=2, gamma_initializer="zeros", beta_regularizer="l1"), (3, 4)),
    Row("SpectralNormalization", spectral(lambda layers: layers.Dense(3, use_bias=False)), (2, 4), masked=True),
    Row("SpectralNormalization", spectral(lambda layers: layers.Conv1D(2, 2), power_iterations=2), (4, 3)),
]

BAD = [
    Bad("BatchNormalization", dict(axis="last"), (4,), "axis must be a number, or a list of them, it is 'last'"),
    Bad("BatchNormalization", dict(axis=0), (4,), "axis 0 is not a feature axis"),
    Bad("BatchNormalization", {}, (None,), "axis -1 of the input must be known"),
    Bad("BatchNormalization", dict(renorm=True, renorm_clipping=dict(rmin=2.0, rmax=1.0)), (4,), "0 <= rmin <= rmax"),
    Bad("LayerNormalization", dict(axis=3), (4,), "axis 3 is out of range"),
    Bad("LayerNormalization", dict(axis=[1, -1]), (4,), "must differ"),
    Bad("RMSNormalization", dict(axis=1.5), (4,), "axis must be an integer or several", TypeError),
    Bad("GroupNormalization", dict(groups=3), (4,), "groups must divide the 4 channels"),
    Bad("GroupNormalization", dict(groups=0), (4,), "groups must be a positive integer, it is 0"),
    Bad("SpectralNormalization", dict(layer=layers.Dense(3), power_iterations=0), (4,), "power_iterations must be"),
    Bad("SpectralNormalization", dict(layer=layers.ReLU()), (4,), "neither a kernel nor embeddings"),
]
