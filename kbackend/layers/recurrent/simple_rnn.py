"""The fully connected recurrence (Elman, 1990)."""

from __future__ import annotations

from typing import Any

from kbackend.ground.arguments import named
from kbackend.layers.recurrent.cell import DenseCell
from kbackend.layers.recurrent.layer import DenseRecurrent
from kbackend.ops.rnn.rnn import StepFunction
from kbackend.ops.rnn.simple_rnn import simple_rnn, simple_step


class SimpleRNNCell(DenseCell):
    """One step of :class:`SimpleRNN`: ``h = activation(x kernel + h recurrent_kernel + bias)``.

    Args:
        units, activation, use_bias, ..., seed: as those of :class:`SimpleRNN`.

    Shapes: (batch, features) and [h (batch, units)], to h and [h].

    >>> from kbackend import Input, layers
    >>> cell = layers.SimpleRNNCell(3)
    >>> output, states = cell(Input((5,)), [Input((3,))])
    >>> output.shape, [s.shape for s in states]
    ((None, 3), [(None, 3)])
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        super().__init__(**named(locals()))

    def step(self, noise: Any) -> StepFunction:
        return simple_step(self.recurrent_kernel, self.activation, noise)


class SimpleRNN(DenseRecurrent):
    """``h = activation(x kernel + h recurrent_kernel + bias)`` at each step.

    Args:
        units: the size of the state.
        activation: a name or a function.
        use_bias: whether there is a bias.
        kernel_initializer, ..., bias_constraint: of the weights, as those of :class:`kbackend.layers.Dense`.
        dropout: the part of the features that is dropped in training, the same at all steps; a K.variable
            stays live.
        recurrent_dropout: the same for the state.
        return_sequences, return_state, go_backwards, stateful, unroll: as those of :class:`RNN`.
        seed: a seed for the dropout of this layer; the process' stream when None.
        implementation, zero_output_for_mask: accepted as by Keras; ``implementation`` has no effect.

    Shapes: (batch, steps, features) to (batch, units), or (batch, steps, units). Weights: kernel (features, units),
    recurrent_kernel (units, units), bias (units,).

    Source: Elman, "Finding Structure in Time", 1990.

    >>> from kbackend import Input, layers
    >>> layers.SimpleRNN(3)(Input((7, 5))).shape
    (None, 3)
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: Any = 0.0,
        recurrent_dropout: Any = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals()))

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return simple_rnn(
            inputs, *states, self.kernel, self.recurrent_kernel, self.bias, mask, activation=self.activation,
            go_backwards=self.go_backwards, unroll=self.unroll,
        )  # fmt: skip


__all__ = ["SimpleRNN", "SimpleRNNCell"]
