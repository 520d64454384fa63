"""Configurations of core layers."""

from layers.table import Bad, Row


def dense(layers):
    return dict(layer=layers.Dense(3, activation="tanh", name="inner"))


ROWS = [
    Row("Dense", dict(units=3), (4,)),
    Row("Dense", dict(units=2, activation="tanh", use_bias=False), (3, 4)),
    Row("Dense", dict(units=3, activation="softmax", kernel_regularizer="l2", bias_initializer="ones"), (None, 5)),
    Row("Dense", dict(units=1, activation="selu", bias_constraint="non_neg"), (2, 3, 4)),
    Row("EinsumDense", dict(equation="ab,bc->ac", output_shape=3, bias_axes="c"), (4,)),
    Row("EinsumDense", dict(equation="abc,cd->abd", output_shape=(None, 5), bias_axes="d"), (3, 4)),
    Row("EinsumDense", dict(equation="abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de"), (3, 4)),
    Row("EinsumDense", dict(equation="abc,bd->adc", output_shape=(2, 4), bias_axes="d", activation="tanh"), (3, 4)),
    Row("EinsumDense", dict(equation="...x,xy->...y", output_shape=5, bias_axes="y"), (2, 3, 4)),
    Row("EinsumDense", dict(equation="ab...,bc->ac...", output_shape=5), (2, 3, 4)),
    Row("EinsumDense", dict(equation="abc,cd->abd", output_shape=(None, 2)), (None, 4)),
    Row("Activation", dict(activation="tanh"), (4,)),
    Row("Activation", dict(activation="softmax"), (3, 4)),
    Row("Activation", dict(activation="elu"), (3, 4), masked=True),
    Row("Identity", {}, (4,)),
    Row("Identity", {}, (3, 4), masked=True),
    Row("Identity", {}, (3, 4), values=5),
    Row("Lambda", dict(function="square"), (4,), keras="Keras reads no names of functions"),
    Row("Lambda", dict(function="tanh"), (3, 4), keras="Keras reads no names of functions"),
    Row("Lambda", dict(function="sum", arguments=dict(axis=1)), (3, 4), keras="Keras reads no names of functions"),
    Row("Wrapper", dense, (4,), keras="Keras's Wrapper has no call"),
    Row("Wrapper", dense, (2, 4), masked=True, keras="Keras's Wrapper has no call"),
    Row("Wrapper", lambda layers: dict(layer=layers.Conv1D(2, 2)), (4, 3), keras="Keras's Wrapper has no call"),
    Row("Embedding", dict(input_dim=6, output_dim=3), (4,), values=6),
    Row("Embedding", dict(input_dim=5, output_dim=2, mask_zero=True), (4,), values=5),
    Row("Embedding", dict(input_dim=6, output_dim=3, embeddings_initializer="ones"), (2, 3), values=6),
    Row("Embedding", dict(input_dim=6, output_dim=3, embeddings_regularizer="l2"), (None,), values=6),
    Row("ReversibleEmbedding", dict(input_dim=6, output_dim=3), (4,), values=6),
    Row("ReversibleEmbedding", dict(input_dim=6, output_dim=3, tie_weights=False, logit_soft_cap=2.0), (4, 3),
        called=dict(reverse=True)),
    Row("ReversibleEmbedding", dict(input_dim=5, output_dim=4), (4,), called=dict(reverse=True)),
    Row("ReversibleEmbedding", dict(input_dim=5, output_dim=2, mask_zero=True), (4,), values=5),
    Row("Masking", {}, (4, 3)),
    Row("Masking", dict(mask_value=1.0), (4, 3)),
    Row("Masking", {}, (None, 3)),
    Row("ActivityRegularization", dict(l1=0.1), (4,)),
    Row("ActivityRegularization", dict(l2=0.2), (3, 4), masked=True),
    Row("ActivityRegularization", dict(l1=0.1, l2=0.2), (3, 4)),

    Row("Dense", dict(units=3), (3, 4), masked=True),
    Row("Dense", dict(units=2, kernel_constraint="max_norm", activation="gelu"), (None, 3)),
    *(Row("Activation", dict(activation=name), (3, 4)) for name in (
        "linear", "relu", "sigmoid", "softplus", "softsign", "gelu", "exponential", "selu", "silu", "mish", "relu6",
        "log_softmax", "leaky_relu", "hard_silu", "celu")),
    Row("Identity", {}, (2, 3, 4)),
    Row("Lambda", dict(function="tanh"), (3, 4), masked=True, keras="Keras reads no names of functions"),
    Row("Embedding", dict(input_dim=5, output_dim=2, mask_zero=True, embeddings_constraint="max_norm"), (4,), values=5,
        masked=True),
    Row("ReversibleEmbedding", dict(input_dim=5, output_dim=2), (None,), values=5, masked=True,
        keras="Keras drops the mask"),
    Row("Masking", dict(mask_value=1.0), (4, 3), masked=True, keras="Keras takes the mask of the values"),
    Row("EinsumDense", dict(equation="abc,cd->abd", output_shape=(None, 2), bias_axes="d", kernel_regularizer="l2",
                            activation="elu"), (3, 4)),
    Row("ActivityRegularization", dict(l2=0.3), (None, 4)),
]

BAD = [
    Bad("Dense", dict(units=0), (4,), "units must be a positive integer, it is 0"),
    Bad("Dense", dict(units=2.5), (4,), "units must be a positive integer, it is 2.5"),
    Bad("Dense", dict(units=3), (None,), "the last dimension of the input must be known"),
    Bad("Dense", dict(units=3), (), "rank 2 or more"),
    Bad("EinsumDense", dict(equation="ab,bc", output_shape=3), (4,), "must be of the form"),
    Bad("EinsumDense", dict(equation="ab,bc->ac", output_shape=(3, 4)), (4,), "output_shape must hold 1 sizes"),
    Bad("EinsumDense", dict(equation="ab,bc->ac", output_shape=3), (4, 5), "rank 2"),
    Bad("EinsumDense", dict(equation="ab,bc->ac", output_shape=None), (4,), "no known size"),
    Bad("EinsumDense", dict(equation="abc,cd->abd", output_shape=(7, 2)), (3, 4), "size 3 in the inputs and 7"),
    Bad("EinsumDense", dict(equation="ab,bc->ac", output_shape=3, bias_axes="z"), (4,), "bias_axes 'z'"),
    Bad("Wrapper", dict(layer="Dense"), (4,), "needs a layer", TypeError),
    Bad("Embedding", dict(input_dim=0, output_dim=3), (4,), "input_dim must be a positive integer"),
    Bad("Embedding", dict(input_dim=4, output_dim=-1), (4,), "output_dim must be a positive integer"),
]

