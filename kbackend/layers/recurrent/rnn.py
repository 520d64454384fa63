"""A cell, built in or of one's own, along the steps of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.declare.call import lift, to_numpy
from kbackend.graph.variable import Variable
from kbackend.ground.tree import tree_leaves
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described
from kbackend.layers.base.nested import HasLayers
from kbackend.layers.base.serialization import deserialize
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.base.structures import as_list
from kbackend.layers.recurrent.cell import (
    build_cell,
    cell_twin,
    first_states,
    output_size_of,
    state_shapes_of,
    stepper_of,
)
from kbackend.layers.recurrent.stacked import StackedRNNCells
from kbackend.ops.elementwise.precision import as_dtype

_FIRST_SPEC = InputSpec(min_ndim=3)


class RNN(HasLayers):
    """A cell applied to each step of (batch, steps, ...), with its states carried from step to step.

    Args:
        cell: an object with ``call(inputs, states) -> (output, new states)`` and ``state_size`` (an integer, or a list
            of the sizes of the states), such as :class:`LSTMCell`; a list of cells makes :class:`StackedRNNCells`. It
            may have ``output_size``, ``get_initial_state(inputs, batch_size, dtype)`` and, as a Layer, ``build``. Its
            ``call`` may take ``training`` and ``constants``.
        return_sequences: give the outputs of all steps, not only the last.
        return_state: give the last states too.
        go_backwards: from the last step to the first; outputs are in the order of visits.
        stateful: begin a batch with the last states of the batch before; needs a known batch size. States change where
            the model trains, evaluates and predicts, until :meth:`reset_states`.
        unroll: write the steps out one by one.
        zero_output_for_mask: outputs of masked steps are zeros, instead of the output before.

    Shapes: (batch, steps, features...) to (batch, output size...), with ``return_sequences`` (batch, steps, output
    size...). Weights: those of the cell.

    Raises:
        ValueError: a cell without ``state_size`` or ``call``; stateful without a batch size; states of another number
            or shape.

    >>> from kbackend import Input, K, layers
    >>> class Mean:
    ...     state_size = 4
    ...     def call(self, inputs, states):
    ...         new = (inputs + states[0]) / 2
    ...         return new, [new]
    >>> layers.RNN(Mean(), return_sequences=True)(Input((7, 4))).shape
    (None, 7, 4)
    """

    arguments: tuple[str, ...] = (
        "cell",
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "unroll",
        "zero_output_for_mask",
    )
    supports_masking = True
    _untracked = Layer._untracked | {"_states"}
    _input_arguments = ("initial_state", "constants")

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
        self._num_constants = kwargs.pop("num_constants", 0)
        super().__init__(**kwargs)
        self.cell = self._made_cell(cell)
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.unroll = go_backwards, unroll
        self.stateful = stateful
        self.zero_output_for_mask = zero_output_for_mask
        self._states: list[Any] | None = None
        self._sequence_spec = self._first_spec
        self._constant_shapes: list[Any] = []

    #: what is required of the sequence before the layer is built, and its dimensions in words
    _first_spec = _FIRST_SPEC
    _dimensions = "(batch, steps, features...)"

    def _made_cell(self, given: Any) -> Any:
        """The cell, from what the constructor was given."""
        if isinstance(given, (list, tuple)):
            return StackedRNNCells(given)
        missing = [name for name in ("call", "state_size") if not hasattr(given, name)]
        if missing:
            raise ValueError(
                f"{described(self)}: a cell has call(inputs, states) and state_size, {given!r} has no "
                f"{' and no '.join(missing)}"
            )
        return given

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def states(self) -> list[Any]:
        """The variables that keep the states from batch to batch; as many None where there are none."""
        return [None] * len(as_list(self.state_size)) if self._states is None else self._states

    # building -----------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape[0] if isinstance(input_shape, list) else input_shape)
        step = (shape[0], *shape[2:])
        build_cell(self.cell, [step, *self._constant_shapes] if self._constant_shapes else step)
        self._sequence_spec = self._spec_after(shape)
        if self.stateful:
            self._make_states(shape)

    def _spec_after(self, shape: tuple[int | None, ...]) -> InputSpec:
        return InputSpec(ndim=len(shape), axes={a: d for a, d in enumerate(shape[2:], 2) if d is not None})

    def _make_states(self, shape: tuple[int | None, ...]) -> None:
        if shape[0] is None:
            raise ValueError(
                f"it is stateful and needs a known batch size, its input has the shape {shape}; write "
                "Input(batch_shape=(batch, steps, ...)) or batch_input_shape=(batch, steps, ...)"
            )
        self._sequence_spec.axes[0] = shape[0]
        self._states = [
            Variable(np.zeros((shape[0], *s)), (shape[0], *s), self.dtype, f"state_{i}", trainable=False)
            for i, s in enumerate(state_shapes_of(self.cell))
        ]

    def reset_states(self, states: Any = None) -> None:
        """Set the states that a stateful layer has kept.

        Args:
            states: an array, or a list of arrays, of the states' shapes; zeros when None.

        Raises:
            AttributeError: the layer is not stateful.
            ValueError: the layer has not been built, or states do not fit; nothing has changed then.
        """
        if not self.stateful:
            raise AttributeError(f"{described(self)} is not stateful; make it with stateful=True")
        if self._states is None:
            if states is None:
                return
            raise ValueError(f"{described(self)} has no states before it is built; call it on a tensor first")
        values = [np.zeros(v.shape) for v in self._states] if states is None else _arrays(states)
        self._check_states(values, self._states[0].shape[0], "reset_states was given")
        for variable, value in zip(self._states, values):
            variable.assign(value)

    def reset_state(self) -> None:
        """Set the states that a stateful layer has kept to zeros."""
        self.reset_states()

    def _check_states(self, states: Sequence[Any], batch: int | None, given: str) -> None:
        shapes = state_shapes_of(self.cell)
        if len(states) != len(shapes):
            raise ValueError(
                f"{described(self)} has {len(shapes)} state{'s' * (len(shapes) > 1)}, {given} {len(states)}"
            )
        for i, (state, shape) in enumerate(zip(states, shapes)):
            wanted = (batch, *shape)
            have = tuple(state.shape)
            if len(have) != len(wanted) or any(
                a is not None and b is not None and a != b for a, b in zip(have, wanted)
            ):
                raise ValueError(f"{described(self)}: state {i} has the shape {wanted}, {given} one of {have}")

    def _state(self) -> Any:
        return super()._state(), self._sequence_spec, self._states

    def _restore(self, state: Any) -> None:
        before, self._sequence_spec, self._states = state
        super()._restore(before)

    # calling ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer.

        Args:
            inputs: (batch, steps, features...), or a list of that, the initial states and as many constants as the
                call before had.
            initial_state: the state (or list of states) before the first step; zeros when None.
            constants: tensors that the cell's ``call`` gets at each step.
            mask: (batch, steps), in place of the one that the inputs carry. Masked steps are skipped.
            training: True or False fixes the learning phase.

        Returns:
            The last output, or those of all steps with ``return_sequences``; with ``return_state`` a list of that and
            the last states.
        """
        inputs, given = call_arguments(inputs, initial_state, constants, self._num_constants)
        kwargs |= given
        self._num_constants = len(given.get("constants", ()))
        self._constant_shapes = [c.shape for c in kwargs.get("constants", ())]
        if hasattr(inputs, "shape"):
            self._check_sequence(inputs, kwargs.get("initial_state", ()))
        return super().__call__(inputs, **kwargs)

    def _check_sequence(self, sequence: Any, given: Sequence[Any]) -> None:
        fault = self._sequence_spec.fault(lift(sequence))
        if fault:
            raise ValueError(
                f"{described(self)} expects {self._dimensions} of {fault}, it was given "
                f"{getattr(sequence, 'name', 'an array')!r} of shape {tuple(sequence.shape)}"
            )
        if self.unroll and sequence.shape[1] is None:
            raise ValueError(
                f"{described(self)}: unroll=True needs a known number of steps, the input has the shape "
                f"{tuple(sequence.shape)}; write Input((steps, ...)), or unroll=False"
            )
        if given:
            count = len(self._state_shapes_before(sequence.shape))
            if len(given) != count:
                raise ValueError(
                    f"{described(self)} has {count} state{'s' * (count > 1)}, initial_state holds {len(given)}"
                )

    def _state_shapes_before(self, shape: Any) -> list[Any]:
        """As many entries as there are states, before the cell is built too."""
        return state_shapes_of(self.cell)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        given = list(initial_state) if initial_state else None
        if given is not None:
            self._check_states(given, inputs.shape[0], "initial_state holds")
        elif self.stateful:
            given = [self._computed(state) for state in self._states or ()]
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        outputs, last = self._walk(inputs, given, mask, training, constants or ())
        if self.stateful:
            self.add_update([K.update(kept, new) for kept, new in zip(self._states or (), last)])
        result = self._result(outputs, last, mask, given is None)
        return [result, *last] if self.return_state else result

    def _computed(self, state: Any) -> Any:
        return as_dtype(state, self.compute_dtype) if self.dtype_policy.is_mixed else state

    def _walk(self, inputs: Any, states: Any, mask: Any, training: Any, constants: Any) -> tuple[Any, list[Any]]:
        """The outputs of all steps and the last states."""
        step = stepper_of(self.cell, inputs[:, 0], training, constants)
        return self._loop(step, inputs, states or first_states(self.cell, inputs), mask)

    def _loop(self, step: Any, inputs: Any, states: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        _, outputs, last = K.rnn(
            step, inputs, states, go_backwards=self.go_backwards, mask=mask, unroll=self.unroll
        )
        return outputs, list(last)

    def _result(self, outputs: Any, last: list[Any], mask: Any, from_zeros: bool) -> Any:
        if mask is not None and self.zero_output_for_mask:
            kept = K.reverse(mask, 1) if self.go_backwards else mask
            outputs = K.where(_columns(K.cast(kept, "bool"), len(outputs.shape)), outputs, K.zeros_like(outputs))
            return outputs if self.return_sequences else outputs[:, -1]
        if self.return_sequences:
            return outputs
        same = self._state_is_output and (mask is None or from_zeros)
        return last[0] if same else outputs[:, -1]

    #: whether the first state is the output, so that the outputs of all steps need not be kept
    _state_is_output = False

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        own = mask if self.return_sequences else None
        return [own] + [None] * len(state_shapes_of(self.cell)) if self.return_state else own

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result (with ``return_state`` a list) for an input's shape; the layer does not change."""
        if not self.built and any(None in shape for shape in state_shapes_of(self.cell)):
            return super().compute_output_shape(input_shape)
        shape = tuple(input_shape[0] if isinstance(input_shape, list) else input_shape)
        steps = (shape[1],) if self.return_sequences else ()
        result = (shape[0], *steps, *output_size_of(self.cell))
        states = [(shape[0], *s) for s in state_shapes_of(self.cell)]
        return [result, *states] if self.return_state else result

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """The states before the first step for a batch of inputs, or for a batch size."""
        if isinstance(inputs, (int, np.integer)):
            inputs = K.constant(0.0, dtype=self.compute_dtype, shape=(int(inputs), 1))
        return first_states(self.cell, inputs)

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        found = super().get_config()
        return found | {"num_constants": self._num_constants} if self._num_constants else found

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from the result of ``get_config``, without weights. ``cell`` may be a cell, too."""
        cell = config["cell"]
        made = deserialize(cell) if isinstance(cell, Mapping) else cell
        return cls(**{**config, "cell": made})

    def _twin(self, **changes: Any) -> Any:
        return super()._twin(cell=cell_twin(self.cell), **changes)


def call_arguments(
    inputs: Any, initial_state: Any, constants: Any, num_constants: int = 0
) -> tuple[Any, dict[str, Any]]:
    """The sequence, and the states and constants that a call was given, as lists of tensors by their arguments' names.

    Args:
        inputs: the sequence, or a list of that, the initial states and the constants.
        initial_state, constants: tensors in any structure; None where there are none.
        num_constants: how many of a list are constants, unless these are given apart.
    """
    if isinstance(inputs, (list, tuple)):
        inputs, *rest = inputs
        if num_constants and constants is None:
            rest, constants = rest[:-num_constants], rest[-num_constants:]
        initial_state = rest or initial_state
    given = {"initial_state": initial_state, "constants": constants}
    return inputs, {name: [lift(t) for t in tree_leaves(tree)] for name, tree in given.items() if tree is not None}


def _columns(mask: Any, rank: int) -> Any:
    """A mask (batch, steps) with axes of 1 up to a rank."""
    while len(mask.shape) < rank:
        mask = K.expand_dims(mask)
    return mask


def _arrays(states: Any) -> list[np.ndarray]:
    return [to_numpy(s) for s in (states if isinstance(states, (list, tuple)) else [states])]


__all__ = ["RNN"]
