"""What the built-in recurrent cells share: weights, dropout and the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend import config, dtypes, initializers
from kbackend.declare.call import dtype_of
from kbackend.ground.arguments import accepts
from kbackend.ground.tree import tree_leaves
from kbackend.layers.arguments import activation_of, described, is_zero, positive, set_roles
from kbackend.layers.arguments import rate as checked_rate
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.structures import as_list
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.ops.linalg.dense import dense
from kbackend.ops.rnn.rnn import StepFunction
from kbackend.streams import SeedGenerator

ROLES = tuple(
    f"{part}_{role}"
    for role in ("initializer", "regularizer", "constraint")
    for part in ("kernel", "recurrent", "bias")
)
#: constructor arguments of cells, by which their layers have attributes too
SHARED = ("activation", "use_bias", *ROLES, "dropout", "recurrent_dropout", "seed")


class Cell(Layer):
    """Base class of the built-in cells. A cell is called on a step's input and a list of states.

    ``cell(inputs, states)`` is (output, new states); the states of a layer are carried by :class:`RNN`. Dropout masks
    are drawn at each call of a cell, and once for all steps of a sequence inside an RNN.

    Attributes:
        state_size: the sizes of the states: an integer, or a list.
        output_size: the size of the output.
    """

    arguments: tuple[str, ...] = ("units", *SHARED)
    hyperparameters = ("dropout", "recurrent_dropout")
    gates = 1
    state_count = 1
    bias_initializer: Any

    def __init__(
        self,
        *,
        activation: Any,
        use_bias: bool,
        dropout: Any,
        recurrent_dropout: Any,
        seed: Any,
        _label: str | None = None,
        implementation: int | None = None,
        **kwargs: Any,
    ) -> None:
        roles = {name: kwargs.pop(name) for name in ROLES}
        super().__init__(**kwargs)
        #: what errors call the cell: its layer, where it is a layer's own
        self.label = _label or described(self)
        if implementation not in (None, 0, 1, 2):
            raise ValueError(f"{self.label}: implementation must be 1 or 2, it is {implementation!r}")
        self.activation = activation_of(self, activation, self.label)
        self.use_bias = use_bias
        set_roles(self, self.label, **roles)
        self.dropout = checked_rate(dropout, self.label)
        self.recurrent_dropout = checked_rate(recurrent_dropout, self.label)
        self.seed = seed
        self._draws = None if seed is None else SeedGenerator(seed)

    # calling ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, states: Any = None, **kwargs: Any) -> Any:
        """Apply the cell to one step.

        Args:
            inputs: (batch, features).
            states: the list of states, each (batch, size); one alone may be given as a tensor.
            training: True or False fixes the learning phase.

        Returns:
            The output and the list of new states.
        """
        given = as_list(states)
        if states is None or len(given) != self.state_count:
            raise ValueError(
                f"{self.label} is called on an input and a list of {self.state_count} "
                f"state{'s' * (self.state_count > 1)}, it was given {0 if states is None else len(given)}; begin with "
                "cell.get_initial_state(batch_size=...)"
            )
        return super().__call__(inputs, states=given, **kwargs)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        return self.stepper(inputs, training)(inputs, as_list(states))

    def stepper(self, like: Any, training: Any) -> StepFunction:
        """The function (inputs, states) -> (output, new states), whose dropout masks are the same at all calls.

        Args:
            like: any tensor with the samples along its first axis.
            training: as the layer's.
        """
        of_inputs = self.input_noise(like, training)
        advance = self.step(self.state_noise(like, training))

        def step(inputs: Any, states: Any) -> tuple[Any, Sequence[Any]]:
            return advance(self.project(inputs if of_inputs is None else inputs * of_inputs), list(states))

        return step

    def project(self, inputs: Any) -> Any:
        """``inputs kernel + bias``, for one step or all."""
        raise NotImplementedError

    def step(self, noise: Any) -> StepFunction:
        """The step from what :meth:`project` gave; the state is multiplied by ``noise`` before its products."""
        raise NotImplementedError

    # dropout ------------------------------------------------------------------------------------------------

    def _input_shape(self) -> tuple[int, ...]:
        """The shape of a sample's step."""
        raise NotImplementedError

    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shape of each state of a sample."""
        raise NotImplementedError

    def input_noise(self, like: Any, training: Any) -> Any:
        """What inputs are multiplied by, or None."""
        return self._noise(self.dropout, like, self._input_shape(), training)

    def state_noise(self, like: Any, training: Any) -> Any:
        """What the first state is multiplied by in its products, or None."""
        return self._noise(self.recurrent_dropout, like, self.state_shapes()[0], training)

    def _noise(self, rate: Any, like: Any, shape: tuple[int, ...], training: Any) -> Any:
        if is_zero(rate):
            return None
        ones = _ones(like, shape)
        return K.in_train_phase(lambda: K.dropout(ones, rate, None, self._draws), ones, training)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> list[Any]:
        """Zeros for each state, of the batch of ``inputs`` or of ``batch_size``."""
        return zero_states(self.state_shapes(), inputs, batch_size, dtype or self.compute_dtype)


class DenseCell(Cell):
    """Base class of the cells whose products are those of dense layers."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = positive(units, "units", self.label)

    @property
    def state_size(self) -> Any:
        return self.units if self.state_count == 1 else (self.units,) * self.state_count

    @property
    def output_size(self) -> int:
        return self.units

    def build(self, input_shape: Any) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"the features of the input must be known, the shape is {tuple(input_shape)}")
        wide = self.gates * self.units
        self.kernel = self.add_weight("kernel", (features, wide))
        made_by = _for_each_gate(getattr(self, "recurrent_initializer", None), self.gates)
        self.recurrent_kernel = self.add_weight("recurrent_kernel", (self.units, wide), initializer=made_by)
        self.bias = self._add_bias(wide) if self.use_bias else None

    def _add_bias(self, wide: int) -> Any:
        return self.add_weight("bias", (wide,))

    def _input_shape(self) -> tuple[int, ...]:
        return (int(self.kernel.shape[0] or 0),)

    def state_shapes(self) -> list[tuple[int, ...]]:
        return [(self.units,)] * self.state_count

    def project(self, inputs: Any) -> Any:
        return dense(inputs, self.kernel, self._input_bias())

    def _input_bias(self) -> Any:
        return self.bias


def lstm_bias_initializer(cell: Any, units: int, before: int = 1) -> Callable[..., Any]:
    """The initializer of the biases of an LSTM's cell; with ``unit_forget_bias`` that of the forget gate starts at 1.

    Args:
        cell: the cell.
        units: the size of a gate's bias.
        before: how many biases stand before that of the forget gate.
    """
    initializer = cell.bias_initializer
    if not cell.unit_forget_bias:
        return initializer

    def initial(shape: Any, dtype: Any = None) -> Any:
        parts = [initializer((before * units,), dtype=dtype), initializers.Ones()((units,), dtype=dtype)]
        return K.concatenate([*parts, initializer((2 * units,), dtype=dtype)], axis=0)

    return initial


def _ones(like: Any, shape: tuple[int, ...]) -> Any:
    """Ones (batch, *shape) for the samples of ``like``."""
    column = K.ones_like(like[(slice(None), *[0] * (len(like.shape) - 1))])
    return reshape(column, (-1, *[1] * len(shape))) * K.constant(np.ones((1, *shape)), dtype=dtype_of(like))


def zero_states(shapes: Sequence[tuple[int, ...]], inputs: Any, batch_size: Any, dtype: str) -> list[Any]:
    """Zeros of shapes without the batch dimension, whose size is that of ``inputs`` or is given."""
    if isinstance(batch_size, (int, np.integer)):
        return [K.constant(0.0, dtype=dtype, shape=(int(batch_size), *shape)) for shape in shapes]
    if inputs is None:
        raise ValueError("initial states need a batch size; give batch_size as an integer, or the inputs")
    return [K.zeros_like(_ones(inputs, shape)) for shape in shapes]


# cells of any kind ----------------------------------------------------------------------------------------------


def stepper_of(cell: Any, like: Any, training: Any, constants: Sequence[Any] = ()) -> StepFunction:
    """The step of a cell: of a built-in one with shared dropout masks, of any other by its ``call``; in the dtype of
    the cell, from inputs and to results in that of ``like``."""
    before = dtype_of(like)
    if not isinstance(cell, Layer) or cell.compute_dtype == before or not dtypes.is_float(before):
        return _own_step(cell, like, training, constants)
    own = cell.compute_dtype
    with cell._casting():
        inner = _own_step(cell, as_dtype(like, own), training, constants)

    def step(inputs: Any, states: Any) -> tuple[Any, Sequence[Any]]:
        with cell._casting():
            output, new = inner(as_dtype(inputs, own), [as_dtype(s, own) for s in states])
        return as_dtype(output, before), [as_dtype(s, before) for s in new]

    return step


def _own_step(cell: Any, like: Any, training: Any, constants: Sequence[Any]) -> StepFunction:
    if hasattr(cell, "stepper") and not constants:
        return cell.stepper(like, training)
    function = cell.call if hasattr(cell, "call") else cell
    given: dict[str, Any] = {"training": training} if accepts(function, "training") else {}
    if constants:
        given["constants"] = list(constants)

    def step(inputs: Any, states: Any) -> tuple[Any, Sequence[Any]]:
        output, new = function(inputs, list(states), **given)
        return output, tree_leaves(new)

    return step


def build_cell(cell: Any, shape: Any, path: str | None = None) -> None:
    """Make a cell's weights for the shape of a step, unless it has them.

    Args:
        cell: the cell.
        shape: that of a step.
        path: the cell's path for policies; its name below the scopes that are open when None.
    """
    if isinstance(cell, Layer) and not cell.built:
        cell._follow_policies(path)
        cell.build(shape)
        cell.built = True
        cell._set_initial_weights()


def cell_twin(cell: Any) -> Any:
    """A cell like another one without its weights; the same one where it is no layer."""
    return cell._twin() if isinstance(cell, Layer) else cell


def _for_each_gate(initializer: Any, gates: int) -> Any:
    """The initializer of a recurrent kernel: identity matrices are one for each gate, as in Keras 2."""
    if gates == 1 or type(initializer) is not initializers.Identity:
        return initializer
    return lambda shape, dtype=None: K.concatenate([initializer((shape[0], shape[0]), dtype)] * gates, axis=1)


def state_shapes_of(cell: Any) -> list[tuple[Any, ...]]:
    """The shapes of a cell's states, without the batch dimension, in one list.

    A cell says its ``state_size``: an integer, a shape as a tuple inside a list, or a list of those; None for a size
    that it learns when it is built.
    """
    if hasattr(cell, "state_shapes"):
        return cell.state_shapes()
    size = cell.state_size
    parts = size if isinstance(size, (list, tuple)) else [size]
    return [tuple(p) if isinstance(p, (list, tuple)) else (None if p is None else int(p),) for p in parts]


def first_states(cell: Any, inputs: Any, batch_size: Any = None) -> list[Any]:
    """The states that a cell begins with, for the batch of ``inputs`` or of a size.

    They are those of its own ``get_initial_state``, which takes any of inputs, batch_size and dtype; else zeros.
    """
    dtype = config.floatx() if inputs is None else dtype_of(inputs)
    own = getattr(cell, "get_initial_state", None)
    if own is None:
        return zero_states(state_shapes_of(cell), inputs, batch_size, dtype)
    if not accepts(own, "inputs") and batch_size is None and inputs is not None:
        batch_size = inputs.shape[0] if inputs.shape[0] is not None else K.shape(inputs)[0]
    possible = {"inputs": inputs, "batch_size": batch_size, "dtype": dtype}
    return tree_leaves(own(**{name: value for name, value in possible.items() if accepts(own, name)}))


def output_size_of(cell: Any) -> tuple[int, ...]:
    """The shape of a cell's output, without the batch dimension."""
    size = getattr(cell, "output_size", None)
    if size is None:
        return state_shapes_of(cell)[0]
    return tuple(size) if isinstance(size, (list, tuple)) else (int(size),)


__all__: list[str] = []
