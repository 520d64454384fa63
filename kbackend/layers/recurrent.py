"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend import activations, constraints, initializers, regularizers
from kbackend import backend as K
from kbackend.layers.arguments import is_zero, positive
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.base.structures import as_list
from kbackend.ops.rnn.lstm import lstm
from kbackend.ops.rnn.simple_rnn import simple_rnn


class Recurrent(Layer):
    """Base class of layers that walk along the steps of (batch, steps, features)."""

    arguments: tuple[str, ...] = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
        "dropout",
        "recurrent_dropout",
        "seed",
        "return_sequences",
        "return_state",
        "go_backwards",
        "unroll",
    )
    hyperparameters = ("dropout", "recurrent_dropout")
    supports_masking = True
    gates = 1
    states = 1

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
        implementation: int | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        label = f"layer {self.name} ({type(self).__name__})"
        if stateful:
            raise NotImplementedError(
                f"{label}: stateful=True is not supported; take the state with return_state=True "
                "and give it to the next call as initial_state"
            )
        if implementation not in (None, 0, 1, 2):
            raise ValueError(f"{label}: implementation must be 1 or 2, it is {implementation!r}")
        self.units = positive(units, "units", label)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = checked_rate(dropout, label)
        self.recurrent_dropout = checked_rate(recurrent_dropout, label)
        self.seed = seed
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.unroll = go_backwards, unroll

    def build(self, input_shape: Any) -> None:
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        size = shape[-1]
        if size is None:
            raise ValueError(f"the features of the input must be known, the shape is {shape}")
        wide = self.gates * self.units
        self.kernel = self.add_weight("kernel", (size, wide))
        self.recurrent_kernel = self.add_weight("recurrent_kernel", (self.units, wide))
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight("bias", (wide,), initializer=self._bias_initial())
        self._sequence_spec = InputSpec(ndim=3, axes={-1: size})

    def _bias_initial(self) -> Callable[..., Any]:
        return self.bias_initializer

    _sequence_spec = InputSpec(ndim=3)

    def _check_sequence(self, sequence: Any, given: Sequence[Any]) -> list[Any]:
        fault = self._sequence_spec.fault(sequence)
        if fault:
            raise ValueError(
                f"layer {self.name} ({type(self).__name__}) expects (batch, steps, features) of {fault}, it "
                f"was given {sequence.name!r} of shape {sequence.shape}"
            )
        if given and len(given) != self.states:
            raise ValueError(
                f"layer {self.name} ({type(self).__name__}) has {self.states} state"
                f"{'s' * (self.states > 1)}, initial_state holds {len(given)}"
            )
        return list(given) if given else [None] * self.states

    def __call__(self, inputs: Any, initial_state: Any = None, **kwargs: Any) -> Any:
        """Apply the layer.

        Args:
            inputs: (batch, steps, features), or a list of that and the initial states.
            initial_state: the state (or list of states) before the first step, each (batch, units); zeros
                when None.
            mask: (batch, steps), in place of the one that the inputs carry. Masked steps are skipped.
            training: True or False fixes the learning phase.

        Returns:
            The last output (batch, units), or all (batch, steps, units) with ``return_sequences``; with
            ``return_state`` a list of that and the last states.
        """
        if isinstance(inputs, (list, tuple)):
            inputs, *rest = inputs
            initial_state = rest or initial_state
        if initial_state is not None:
            kwargs["initial_state"] = as_list(initial_state)
        if hasattr(inputs, "shape"):
            self._check_sequence(inputs, kwargs.get("initial_state", ()))
        return super().__call__(inputs, **kwargs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        states = self._check_sequence(inputs, initial_state or ())
        inputs = self._dropped(inputs, training)
        factor = self._recurrent_mask(inputs, training)
        if factor is None:
            outputs, *last = self._walk(inputs, states, mask)
        else:
            outputs, *last = self._walk_with_dropout(inputs, states, mask, factor)
        result = outputs if self.return_sequences else last[0]
        return [result, *last] if self.return_state else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        own = mask if self.return_sequences else None
        return [own] + [None] * self.states if self.return_state else own

    def _dropped(self, inputs: Any, training: Any) -> Any:
        """The inputs with features dropped, the same at all steps of a sample."""
        if is_zero(self.dropout):
            return inputs
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.dropout, (None, 1, None), self.seed), inputs, training
        )

    def _recurrent_mask(self, inputs: Any, training: Any) -> Any:
        """What the state is multiplied by, the same at all steps: (batch, units), or None."""
        if is_zero(self.recurrent_dropout):
            return None
        ones = K.ones_like(inputs[:, 0, :1]) * K.constant([1.0] * self.units, dtype=inputs.dtype)
        seed = None if self.seed is None else self.seed + 1
        return K.in_train_phase(lambda: K.dropout(ones, self.recurrent_dropout, None, seed), ones, training)

    def _walk(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        """All outputs and the last states."""
        raise NotImplementedError

    def _step(self, z: Any, states: list[Any], factor: Any) -> list[Any]:
        """The states after a step, the output first."""
        raise NotImplementedError

    def _walk_with_dropout(self, inputs: Any, states: list[Any], mask: Any, factor: Any) -> list[Any]:
        z = K.dense(inputs, self.kernel, self.bias)
        start = [K.zeros_like(factor) if s is None else s for s in states]

        def step(slice_: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
            *before, chosen = carried
            after = self._step(slice_, before, chosen)
            return after[0], after

        _, outputs, last = K.rnn(
            step, z, start, go_backwards=self.go_backwards, mask=mask, constants=[factor], unroll=self.unroll
        )
        return [outputs, *last]


class SimpleRNN(Recurrent):
    """``h = activation(x kernel + h recurrent_kernel + bias)`` at each step.

    Args:
        units: the size of the state.
        activation: a name or a function.
        use_bias: whether there is a bias.
        dropout: the part of the features that is dropped in training, the same at all steps; a K.variable
            stays live.
        recurrent_dropout: the same for the state.
        return_sequences: give the outputs of all steps, not only the last.
        return_state: give the last state too.
        go_backwards: from the last step to the first.
        unroll: write the steps out one by one.
        stateful: not supported.
        implementation: accepted for Keras's sake, without effect.
        others: initializers, regularizers and constraints, as :class:`kbackend.layers.Dense`.

    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).
    """

    def _walk(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return simple_rnn(
            inputs,
            states[0],
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            mask,
            activation=self.activation,
            go_backwards=self.go_backwards,
            unroll=self.unroll,
        )

    def _step(self, z: Any, states: list[Any], factor: Any) -> list[Any]:
        return [self.activation(z + K.dot(states[0] * factor, self.recurrent_kernel))]


class LSTM(Recurrent):
    """Long short-term memory. Source: Hochreiter and Schmidhuber 1997.

    Args:
        recurrent_activation: of the gates; 'sigmoid' (Keras 2.3's own default was 'hard_sigmoid').
        unit_forget_bias: the bias of the forget gate starts at 1.
        others: as :class:`SimpleRNN`.

    Weights: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,); gates in the
        order i, f,
    c, o. With ``return_state`` the states are h and c.

    >>> from kbackend import Input, layers
    >>> layers.LSTM(3, return_sequences=True)(Input((7, 5))).shape
    (None, 7, 3)
    """

    arguments = (*Recurrent.arguments, "recurrent_activation", "unit_forget_bias")
    gates = 4
    states = 2

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
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **kwargs
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def _bias_initial(self) -> Callable[..., Any]:
        if not self.unit_forget_bias:
            return self.bias_initializer
        initializer, units = self.bias_initializer, self.units

        def initial(shape: Any, dtype: Any = None) -> Any:
            ones = initializers.Ones()((units,), dtype)
            return K.concatenate(
                [initializer((units,), dtype=dtype), ones, initializer((2 * units,), dtype=dtype)], axis=0
            )

        return initial

    def _walk(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        return lstm(
            inputs,
            states[0],
            states[1],
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            mask,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            go_backwards=self.go_backwards,
            unroll=self.unroll,
        )

    def _step(self, z: Any, states: list[Any], factor: Any) -> list[Any]:
        h, c = states
        z = z + K.dot(h * factor, self.recurrent_kernel)
        n = self.units
        gate, activation = self.recurrent_activation, self.activation
        c = gate(z[:, n : 2 * n]) * c + gate(z[:, :n]) * activation(z[:, 2 * n : 3 * n])
        return [gate(z[:, 3 * n :]) * activation(c), c]


__all__ = ["LSTM", "SimpleRNN"]
