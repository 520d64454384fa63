"""The layers that Keras 2 had for cuDNN, with the weights that they had, on any engine."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.recurrent.cell import ROLES, lstm_bias_initializer
from kbackend.layers.recurrent.gru import GRU, GRUCell
from kbackend.layers.recurrent.layer import OfCell
from kbackend.layers.recurrent.lstm import LSTM, LSTMCell
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.rnn.gru import gru
from kbackend.ops.rnn.lstm import lstm

_ARGUMENTS = ("units", *ROLES, "return_sequences", "return_state", "go_backwards", "stateful")


def _plain(kernel: Any, gates: int) -> Any:
    """A kernel as the plain layers have it: each gate's numbers are those of the transposed matrix, row by row."""
    rows, units = kernel.shape[0], kernel.shape[1] // gates
    parts = [kernel[:, g * units : (g + 1) * units] for g in range(gates)]
    return K.concatenate([K.transpose(reshape(p, (units, rows))) for p in parts], axis=1)


class _GRUCell(GRUCell):
    def _add_bias(self, wide: int) -> Any:
        return self.add_weight("bias", (2 * wide,))


class _LSTMCell(LSTMCell):
    def _add_bias(self, wide: int) -> Any:
        initializer = lstm_bias_initializer(self, self.units, before=5)
        return self.add_weight("bias", (2 * wide,), initializer=initializer)


class CuDNNGRU(GRU):
    """A :class:`GRU` with tanh, sigmoid and ``reset_after`` whose weights are laid out as cuDNN's.

    Args:
        units, kernel_initializer, ..., bias_constraint, return_sequences, return_state, go_backwards, stateful: as
            those of :class:`GRU`.

    Shapes: (batch, steps, features) to (batch, units), or (batch, steps, units) with ``return_sequences``.

    Weights: kernel (features, 3 units) and recurrent_kernel (units, 3 units), in which the numbers of each gate are
    those of the transposed matrix, bias (6 units,), for the inputs and then for the state.

    Raises:
        TypeError: an argument that cuDNN does not have, such as ``dropout``.

    >>> from kbackend import Input, layers
    >>> layer = layers.CuDNNGRU(3)
    >>> layer(Input((7, 5))).shape, [w.shape for w in layer.weights]
    ((None, 3), [(5, 9), (3, 9), (18,)])
    """

    cell_class = _GRUCell
    arguments = _ARGUMENTS

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        _check_free(kwargs, "CuDNNGRU")
        super().__init__(
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, **kwargs,
        )  # fmt: skip

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return gru(
            inputs, *states, _plain(self.kernel, 3), _plain(self.recurrent_kernel, 3),
            reshape(self.bias, (2, 3 * self.units)), mask, go_backwards=self.go_backwards,
        )  # fmt: skip


class CuDNNLSTM(LSTM):
    """An :class:`LSTM` with tanh and sigmoid whose weights are laid out as cuDNN's.

    Args:
        units, kernel_initializer, ..., bias_constraint, return_sequences, return_state, go_backwards, stateful: as
            those of :class:`LSTM`.
        unit_forget_bias: the second bias of the forget gate starts at 1.

    Shapes: (batch, steps, features) to (batch, units), or (batch, steps, units) with ``return_sequences``.

    Weights: kernel (features, 4 units) and recurrent_kernel (units, 4 units), in which the numbers of each gate are
    those of the transposed matrix, bias (8 units,), for the inputs and then for the state.

    Raises:
        TypeError: an argument that cuDNN does not have, such as ``dropout``.

    >>> from kbackend import Input, layers
    >>> layer = layers.CuDNNLSTM(3)
    >>> layer(Input((7, 5))).shape, [w.shape for w in layer.weights]
    ((None, 3), [(5, 12), (3, 12), (24,)])
    """

    cell_class = _LSTMCell
    arguments = (*_ARGUMENTS, "unit_forget_bias")
    unit_forget_bias = OfCell()

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        _check_free(kwargs, "CuDNNLSTM")
        super().__init__(
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias, **kwargs,
        )  # fmt: skip

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return lstm(
            inputs, *states, _plain(self.kernel, 4), _plain(self.recurrent_kernel, 4),
            K.sum(reshape(self.bias, (2, 4 * self.units)), axis=0), mask, go_backwards=self.go_backwards,
        )  # fmt: skip


def _check_free(given: dict[str, Any], kind: str) -> None:
    """Refuse settings that cuDNN's layers fix.

    Raises:
        TypeError: there are such; the message says which layer has them.
    """
    fixed = ("activation", "recurrent_activation", "use_bias", "dropout", "recurrent_dropout", "unroll", "reset_after")
    found = [name for name in fixed if name in given]
    if found:
        raise TypeError(f"{kind} has no arguments {found}; take layers.{kind.removeprefix('CuDNN')}")


__all__ = ["CuDNNGRU", "CuDNNLSTM"]
