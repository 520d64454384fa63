"""Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

from typing import Any

from kbackend.ground.arguments import named
from kbackend.layers.arguments import activation_of
from kbackend.layers.recurrent.cell import DenseCell, lstm_bias_initializer
from kbackend.layers.recurrent.layer import DenseRecurrent, OfCell
from kbackend.ops.rnn.lstm import lstm, lstm_step
from kbackend.ops.rnn.rnn import StepFunction


class LSTMCell(DenseCell):
    """One step of :class:`LSTM`.

    Args:
        units, activation, ..., seed: as those of :class:`LSTM`.

    Shapes: (batch, features) and [h, c], each (batch, units), to h and [h, c].

    >>> from kbackend import Input, layers
    >>> output, states = layers.LSTMCell(3)(Input((5,)), [Input((3,)), Input((3,))])
    >>> output.shape, [s.shape for s in states]
    ((None, 3), [(None, 3), (None, 3)])
    """

    arguments = (*DenseCell.arguments, "recurrent_activation", "unit_forget_bias")
    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: Any = 0.0,
        recurrent_dropout: Any = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), "recurrent_activation", "unit_forget_bias"))
        self.recurrent_activation = activation_of(self, recurrent_activation, self.label)
        self.unit_forget_bias = unit_forget_bias

    def _add_bias(self, wide: int) -> Any:
        return self.add_weight("bias", (wide,), initializer=lstm_bias_initializer(self, self.units))

    def step(self, noise: Any) -> StepFunction:
        return lstm_step(self.recurrent_kernel, self.activation, self.recurrent_activation, noise)


class LSTM(DenseRecurrent):
    """Long short-term memory.

    With the gates i, f, o and the candidate g, each of ``x kernel + h recurrent_kernel + bias``: ``c = f c + i g`` and
    ``h = o activation(c)``.

    Args:
        units: the size of the states.
        activation: of the candidate and of c, a name or a function.
        recurrent_activation: of the gates; 'sigmoid' (up to Keras 2.2 the default was 'hard_sigmoid').
        use_bias: whether there is a bias.
        kernel_initializer, ..., bias_constraint: of the weights, as those of :class:`kbackend.layers.Dense`.
        unit_forget_bias: the bias of the forget gate starts at 1.
        dropout, recurrent_dropout, seed: as those of :class:`SimpleRNN`.
        return_sequences, return_state, go_backwards, stateful, unroll: as those of :class:`RNN`.
        use_cudnn, implementation: accepted as by Keras, without effect: an engine's fused kernel is used where it has
            one for these settings.

    Shapes: (batch, steps, features) to (batch, units), or (batch, steps, units). Weights: kernel (features, 4 units),
    recurrent_kernel (units, 4 units), bias (4 units,); in the order i, f, g, o. The states are h and c.

    Source: Hochreiter and Schmidhuber 1997.

    >>> from kbackend import Input, layers
    >>> layers.LSTM(3, return_sequences=True)(Input((7, 5))).shape
    (None, 7, 3)
    """

    cell_class = LSTMCell
    arguments = (*DenseRecurrent.arguments, "recurrent_activation", "unit_forget_bias")
    recurrent_activation, unit_forget_bias = OfCell(), OfCell()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: Any = 0.0,
        recurrent_dropout: Any = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), "use_cudnn"))

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return lstm(
            inputs, *states, self.kernel, self.recurrent_kernel, self.bias, mask, activation=self.activation,
            recurrent_activation=self.recurrent_activation, go_backwards=self.go_backwards, unroll=self.unroll,
        )  # fmt: skip


__all__ = ["LSTM", "LSTMCell"]
