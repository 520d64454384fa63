"""What the layers of built-in cells share: the cell's settings, and fused kernels."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import described, is_zero
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.recurrent.cell import SHARED, Cell
from kbackend.layers.recurrent.rnn import RNN
from kbackend.ops.elementwise.arithmetic import multiply


class OfCell:
    """An attribute of a layer that is its cell's."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        return self if layer is None else getattr(layer.cell, self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer.cell, self.name, value)


class Recurrent(RNN):
    """Base class of layers with a cell of their own, which they make from their arguments.

    A class names the class of the cell and the cell's own arguments; the settings of the cell are attributes of the
    layer too.
    """

    cell_class: type[Cell]
    arguments: tuple[str, ...] = (*SHARED, *RNN.arguments[1:])
    hyperparameters = ("dropout", "recurrent_dropout")
    _state_is_output = True

    activation, use_bias, seed = OfCell(), OfCell(), OfCell()
    kernel_initializer, recurrent_initializer, bias_initializer = OfCell(), OfCell(), OfCell()
    kernel_regularizer, recurrent_regularizer, bias_regularizer = OfCell(), OfCell(), OfCell()
    kernel_constraint, recurrent_constraint, bias_constraint = OfCell(), OfCell(), OfCell()
    dropout, recurrent_dropout = OfCell(), OfCell()
    kernel, recurrent_kernel, bias = OfCell(), OfCell(), OfCell()

    def __init__(self, **given: Any) -> None:
        """Make the layer and its cell from the arguments of both."""
        of_cell = (*self.cell_class.arguments, "implementation")
        settings = {name: given.pop(name) for name in of_cell if name in given}
        super().__init__(settings, **given)

    def _made_cell(self, given: Any) -> Cell:
        cell = self.cell_class(**given, name=f"{self.name}_cell", dtype=self.dtype_policy, _label=described(self))
        cell._owner = self._owner  # the weights are drawn as the layer's
        return cell

    def build(self, input_shape: Any) -> None:
        self.cell.dtype_policy = self.dtype_policy  # that of a map depends on the layers around, known only now
        super().build(input_shape)

    def _walk(self, inputs: Any, states: Any, mask: Any, training: Any, constants: Any) -> tuple[Any, list[Any]]:
        cell = self.cell
        dropped = self._dropped(inputs, training)
        noise = cell.state_noise(inputs[:, 0], training)
        if noise is None:
            outputs, *last = self._fused(dropped, states or [None] * cell.state_count, mask)
            return outputs, last
        z = self._projected(dropped)
        return self._loop(cell.step(noise), z, states or cell.get_initial_state(inputs), mask)

    def _dropped(self, inputs: Any, training: Any) -> Any:
        """The inputs with features dropped, the same at all steps of a sample."""
        if is_zero(self.dropout):
            return inputs
        return multiply(inputs, K.expand_dims(self.cell.input_noise(inputs[:, 0], training), 1))

    def _projected(self, inputs: Any) -> Any:
        """What the cell makes of the inputs of all steps before it looks at the states."""
        return self.cell.project(inputs)

    def _fused(self, inputs: Any, states: list[Any], mask: Any) -> list[Any]:
        """The outputs of all steps and the last states without recurrent dropout."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """A layer from the result of ``get_config``, without weights."""
        return cls(**config)

    def _twin(self, **changes: Any) -> Any:
        return Layer._twin(self, **changes)  # get_config holds the arguments of the cell, not the cell


class DenseRecurrent(Recurrent):
    """Base class of the recurrent layers with products of matrices."""

    arguments: tuple[str, ...] = ("units", *Recurrent.arguments)
    units = OfCell()
    _first_spec = InputSpec(ndim=3)
    _dimensions = "(batch, steps, features)"


__all__: list[str] = []
