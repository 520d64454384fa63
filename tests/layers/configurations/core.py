"""Configurations of core layers."""

from layers.table import Bad, Row

ROWS = [
    Row("Dense", dict(units=3), (4,)),
    Row("Dense", dict(units=2, activation="tanh", use_bias=False), (3, 4)),
    Row("Dense", dict(units=3, activation="softmax", kernel_regularizer="l2", bias_initializer="ones"), (None, 5)),
    Row("Activation", dict(activation="tanh"), (4,)),
    Row("Activation", dict(activation="softmax"), (3, 4)),
    Row("Activation", dict(activation="elu"), (3, 4), masked=True),
    Row("Flatten", {}, (3, 4)),
    Row("Flatten", {}, (2, 3, 4)),
    Row("Flatten", {}, (3,)),
    Row("Reshape", dict(target_shape=(2, 6)), (3, 4)),
    Row("Reshape", dict(target_shape=(-1, 2)), (3, 4)),
    Row("Reshape", dict(target_shape=(-1, 2)), (None, 4)),
    Row("Permute", dict(dims=(2, 1)), (3, 4)),
    Row("Permute", dict(dims=(3, 1, 2)), (2, 3, 4)),
    Row("Permute", dict(dims=(2, 1)), (None, 4)),
    Row("RepeatVector", dict(n=3), (4,)),
    Row("RepeatVector", dict(n=1), (2,)),
    Row("RepeatVector", dict(n=2), (5,)),
    Row("Embedding", dict(input_dim=6, output_dim=3), (4,), values=6),
    Row("Embedding", dict(input_dim=5, output_dim=2, mask_zero=True), (4,), values=5),
    Row("Embedding", dict(input_dim=6, output_dim=3, embeddings_initializer="ones"), (2, 3), values=6),
    Row("Masking", {}, (4, 3)),
    Row("Masking", dict(mask_value=1.0), (4, 3)),
    Row("Masking", {}, (None, 3)),
]

BAD = [
    Bad("Dense", dict(units=0), (4,), "units must be a positive integer, it is 0"),
    Bad("Dense", dict(units=3), (None,), "the last dimension of the input must be known"),
    Bad("Reshape", dict(target_shape=(5,)), (3, 4), "12 elements"),
    Bad("Permute", dict(dims=(0, 1)), (3, 4), "dims must hold each of 1 to 2 once"),
    Bad("Permute", dict(dims=(2, 1)), (3,), "rank 3"),
    Bad("RepeatVector", dict(n=0), (3,), "n must be a positive integer"),
    Bad("Embedding", dict(input_dim=0, output_dim=3), (4,), "input_dim must be a positive integer"),
]
