"""The order of the arguments that constructors take by position, where Keras 2.3.1's is another one."""

from __future__ import annotations

from collections.abc import Iterator

from kbackend.compat.switching import Positions

_ROLES = ("kernel", "bias")
_RECURRENT_ROLES = ("kernel", "recurrent", "bias")


def _each(roles: tuple[str, ...], kind: str) -> Iterator[str]:
    return (f"{role}_{kind}" for role in roles)


def _weights(roles: tuple[str, ...], *after_initializers: str, activity: bool = True) -> tuple[str, ...]:
    """Initializers, regularizers and constraints, in the order of Keras 2."""
    of_outputs = ("activity_regularizer",) if activity else ()
    return (
        *_each(roles, "initializer"), *after_initializers, *_each(roles, "regularizer"), *of_outputs,
        *_each(roles, "constraint"),
    )  # fmt: skip


_CONVOLUTION = (
    "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias",
    *_weights(_ROLES),
)  # fmt: skip
_TRANSPOSED = (
    "filters", "kernel_size", "strides", "padding", "output_padding", "data_format", "activation", "use_bias",
    *_weights(_ROLES),
)  # fmt: skip
_GATES = ("units", "activation", "recurrent_activation", "use_bias")
_RATES = ("dropout", "recurrent_dropout")
_LOOP = ("implementation", "return_sequences", "return_state", "go_backwards", "stateful", "unroll")
_CUDNN = ("return_sequences", "return_state", "stateful")
_FORGET = "unit_forget_bias"


def _recurrent(*after_initializers: str) -> tuple[str, ...]:
    return _weights(_RECURRENT_ROLES, *after_initializers)


def _cell(*after_initializers: str) -> tuple[str, ...]:
    return (*_GATES, *_weights(_RECURRENT_ROLES, *after_initializers, activity=False), *_RATES, "implementation")


POSITIONS = (
    *(Positions(f"kbackend.layers:Conv{rank}D", _CONVOLUTION) for rank in (1, 2, 3)),
    Positions("kbackend.layers:Conv3DTranspose", _TRANSPOSED),
    Positions(
        "kbackend.layers:ConvLSTM2D",
        ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", *_GATES[1:],
         *_recurrent(_FORGET), "return_sequences", "go_backwards", "stateful", *_RATES),
    ),  # fmt: skip
    Positions("kbackend.layers:GRU", (*_GATES, *_recurrent(), *_RATES, *_LOOP, "reset_after")),
    Positions("kbackend.layers:LSTM", (*_GATES, *_recurrent(_FORGET), *_RATES, *_LOOP)),
    Positions("kbackend.layers:GRUCell", (*_cell(), "reset_after")),
    Positions("kbackend.layers:LSTMCell", _cell(_FORGET)),
    Positions("kbackend.layers:CuDNNGRU", ("units", *_recurrent(), *_CUDNN)),
    Positions("kbackend.layers:CuDNNLSTM", ("units", *_recurrent(_FORGET), *_CUDNN)),
    Positions(
        "kbackend.layers:Embedding",
        ("input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer", "activity_regularizer",
         "embeddings_constraint", "mask_zero", "input_length"),
    ),  # fmt: skip
    Positions("kbackend.metrics:Metric", ("name", "dtype")),
    Positions("kbackend.metrics:Metric.add_weight", ("name", "shape", "initializer", "dtype")),
    Positions("kbackend.losses:Loss", ("reduction", "name")),
    Positions(
        "kbackend.callbacks:ModelCheckpoint",
        ("filepath", "monitor", "verbose", "save_best_only", "save_weights_only", "mode", "period"),
    ),
)

__all__ = ["POSITIONS"]
