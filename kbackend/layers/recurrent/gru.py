"""The gated recurrent unit (Cho et al., 2014), with the reset gate before or after the recurrent product."""

from __future__ import annotations

from typing import Any

from kbackend.ground.arguments import named
from kbackend.layers.arguments import activation_of
from kbackend.layers.recurrent.cell import DenseCell
from kbackend.layers.recurrent.layer import DenseRecurrent, OfCell
from kbackend.ops.rnn.gru import gru, gru_step
from kbackend.ops.rnn.rnn import StepFunction


class GRUCell(DenseCell):
    """One step of :class:`GRU`.

    Args:
        units, activation, ..., reset_after, seed: as those of :class:`GRU`.

    Shapes: (batch, features) and [h (batch, units)], to h and [h].

    >>> from kbackend import Input, layers
    >>> output, states = layers.GRUCell(3)(Input((5,)), [Input((3,))])
    >>> output.shape, [s.shape for s in states]
    ((None, 3), [(None, 3)])
    """

    arguments = (*DenseCell.arguments, "recurrent_activation", "reset_after")
    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), "recurrent_activation", "reset_after"))
        self.recurrent_activation = activation_of(self, recurrent_activation, self.label)
        self.reset_after = bool(reset_after)

    def _add_bias(self, wide: int) -> Any:
        return self.add_weight("bias", (2, wide) if self.reset_after else (wide,))

    def _input_bias(self) -> Any:
        return self.bias[0] if self.bias is not None and self.reset_after else self.bias

    def step(self, noise: Any) -> StepFunction:
        of_state = self.bias[1] if self.bias is not None and self.reset_after else None
        return gru_step(
            self.recurrent_kernel, of_state, self.activation, self.recurrent_activation, self.reset_after, noise
        )


class GRU(DenseRecurrent):
    """A gated recurrent unit.

    With the gates z and r and the candidate g: ``h = z h + (1 - z) g``. The reset gate r multiplies the state before
    its product with ``recurrent_kernel`` or, with ``reset_after``, that product and its bias.

    Args:
        units: the size of the state.
        activation: of the candidate, a name or a function.
        recurrent_activation: of the gates; 'sigmoid' (up to Keras 2.2 the default was 'hard_sigmoid').
        use_bias: whether there is a bias.
        kernel_initializer, ..., bias_constraint: of the weights, as those of :class:`kbackend.layers.Dense`.
        dropout, recurrent_dropout, seed: as those of :class:`SimpleRNN`.
        return_sequences, return_state, go_backwards, stateful, unroll: as those of :class:`RNN`.
        reset_after: True as cuDNN has it (Keras 2.3's own default was False).
        use_cudnn, implementation: accepted as by Keras, without effect: an engine's fused kernel is used where it has
            one for these settings.

    Shapes: (batch, steps, features) to (batch, units), or (batch, steps, units). Weights: kernel (features, 3 units),
    recurrent_kernel (units, 3 units), bias (2, 3 units) with ``reset_after``, else (3 units,); in the order z, r, g.

    Source: Cho et al. 2014.

    >>> from kbackend import Input, layers
    >>> layers.GRU(3, return_sequences=True)(Input((7, 5))).shape
    (None, 7, 3)
    """

    cell_class = GRUCell
    arguments = (*DenseRecurrent.arguments, "recurrent_activation", "reset_after")
    recurrent_activation, reset_after = OfCell(), OfCell()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals(), "use_cudnn"))

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return gru(
            inputs, *states, self.kernel, self.recurrent_kernel, self.bias, mask, activation=self.activation,
            recurrent_activation=self.recurrent_activation, reset_after=self.reset_after,
            go_backwards=self.go_backwards, unroll=self.unroll,
        )  # fmt: skip


__all__ = ["GRU", "GRUCell"]
