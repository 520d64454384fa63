"""The convolutional LSTM (Shi et al., 2015) over one to three spatial dimensions."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.graph.tensor import TensorSpec
from kbackend.ground.arguments import named
from kbackend.layers.arguments import activation_of, data_format_of, one_of, per_dimension, positive
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.recurrent.cell import Cell, lstm_bias_initializer
from kbackend.layers.recurrent.layer import OfCell, Recurrent
from kbackend.layers.recurrent.rnn import RNN
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.nn.conv import convolution
from kbackend.ops.nn.windows import spatial_sizes
from kbackend.ops.rnn.lstm import lstm_step
from kbackend.ops.rnn.rnn import StepFunction

_CONVOLUTION = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
_GATES = ("recurrent_activation", "unit_forget_bias")


class ConvLSTMCell(Cell):
    """Base class of the cells whose products are convolutions; see :class:`ConvLSTM2D`."""

    rank = 2
    arguments = (*_CONVOLUTION, *Cell.arguments[1:], *_GATES)
    gates = 4
    state_count = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        super().__init__(**named(locals(), *_CONVOLUTION, *_GATES))
        self.filters = positive(filters, "filters", self.label)
        self.kernel_size = per_dimension(kernel_size, self.rank, "kernel_size", self.label)
        self.strides = per_dimension(strides, self.rank, "strides", self.label)
        self.padding = one_of(padding, ("valid", "same"), "padding", self.label)
        self.data_format = data_format_of(self, data_format, self.label)
        self.dilation_rate = per_dimension(dilation_rate, self.rank, "dilation_rate", self.label)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{self.label}: strides and dilation_rate cannot both be above 1, they are {self.strides} and "
                f"{self.dilation_rate}"
            )
        self.recurrent_activation = activation_of(self, recurrent_activation, self.label)
        self.unit_forget_bias = unit_forget_bias
        #: the shape of a sample's step and of a state, with the channels last, once they are known
        self._step_shape: tuple[int, ...] | None = None
        self._positions: tuple[int | None, ...] = (None,) * self.rank

    @property
    def state_size(self) -> list[Any]:
        return self.state_shapes()

    @property
    def output_size(self) -> tuple[int | None, ...]:
        return self.state_shapes()[0]

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != self.rank + 2:
            raise ValueError(
                f"a step must have {self.rank} spatial dimension{'s' * (self.rank > 1)} beside batch and channels, its "
                f"shape is {tuple(input_shape)}"
            )
        shape = self._turned(tuple(input_shape), -1 if self.data_format == "channels_last" else 1)
        if None in shape[1:]:
            raise ValueError(
                f"the spatial dimensions and the channels of the input must be known, a step has the shape "
                f"{tuple(input_shape)}"
            )
        self._step_shape = shape[1:]
        spec = TensorSpec(shape, self.dtype)
        pads = "same" if self.padding == "same" else ((0, 0),) * self.rank
        self._positions = spatial_sizes(spec, self.kernel_size, self.strides, pads, self.dilation_rate)
        wide = 4 * self.filters
        self.kernel = self.add_weight("kernel", (*self.kernel_size, shape[-1], wide))
        self.recurrent_kernel = self.add_weight("recurrent_kernel", (*self.kernel_size, self.filters, wide))
        self.bias = None
        if self.use_bias:
            initializer = lstm_bias_initializer(self, self.filters)
            self.bias = self.add_weight("bias", (wide,), initializer=initializer)

    @staticmethod
    def _turned(shape: tuple[Any, ...], channels: int) -> tuple[Any, ...]:
        return shape if channels == -1 else (*shape[:channels], *shape[channels + 1 :], shape[channels])

    def _input_shape(self) -> tuple[int, ...]:
        assert self._step_shape is not None
        return self._step_shape

    def state_shapes(self) -> list[tuple[Any, ...]]:
        if self.data_format == "channels_first":
            return [(self.filters, *self._positions)] * 2
        return [(*self._positions, self.filters)] * 2

    def _last_state_shape(self) -> tuple[Any, ...]:
        return (*self._positions, self.filters)

    def state_noise(self, like: Any, training: Any) -> Any:
        return self._noise(self.recurrent_dropout, like, self._last_state_shape(), training)

    # calling ------------------------------------------------------------------------------------------------

    def stepper(self, like: Any, training: Any) -> StepFunction:
        last = super().stepper(like, training)
        if self.data_format == "channels_last":
            return last

        def step(inputs: Any, states: Any) -> tuple[Any, list[Any]]:
            _, after = last(self.opened(inputs), [self.opened(s) for s in states])
            closed = [self.closed(s) for s in after]
            return closed[0], closed

        return step

    def opened(self, x: Any, before: int = 1) -> Any:
        """A tensor with its channels moved last; ``before`` axes come before those of the image."""
        if self.data_format == "channels_last":
            return x
        axes = range(len(x.shape))
        return K.permute_dimensions(x, (*axes[:before], *axes[before + 1 :], before))

    def closed(self, x: Any, before: int = 1) -> Any:
        """The inverse of :meth:`opened`."""
        if self.data_format == "channels_last":
            return x
        axes = range(len(x.shape))
        return K.permute_dimensions(x, (*axes[:before], axes[-1], *axes[before:-1]))

    def project(self, inputs: Any) -> Any:
        """The convolution of one step or, with an axis of steps after that of samples, of all."""
        if len(inputs.shape) == self.rank + 2:
            return self._convolved(inputs)
        flat = reshape(inputs, (-1, *inputs.shape[2:]))
        z = self._convolved(flat)
        return reshape(z, (-1, length(inputs, 1), *z.shape[1:]))

    def _convolved(self, x: Any) -> Any:
        return convolution(
            x, self.kernel, self.bias, strides=self.strides, padding=self.padding, dilation=self.dilation_rate
        )

    def step(self, noise: Any) -> StepFunction:
        ones = (1,) * self.rank

        def product(h: Any, kernel: Any) -> Any:
            return convolution(h, kernel, strides=ones, padding="same", dilation=ones)

        return lstm_step(self.recurrent_kernel, self.activation, self.recurrent_activation, noise, product)


class ConvLSTM1DCell(ConvLSTMCell):
    """One step of :class:`ConvLSTM1D`, for :class:`RNN`.

    Arguments and source as :class:`ConvLSTM1D`.

    Shapes: (batch, rows, channels) and the states h and c, to (batch, new rows, filters) and the states.

    >>> from kbackend import Input, Model, layers
    >>> layers.RNN(layers.ConvLSTM1DCell(4, 3, padding="same"))(Input((5, 8, 2))).shape
    (None, 8, 4)
    """

    rank = 1


class ConvLSTM2DCell(ConvLSTMCell):
    """One step of :class:`ConvLSTM2D`, for :class:`RNN`.

    Args:
        filters, kernel_size, ..., seed: as those of :class:`ConvLSTM2D`.

    Shapes: (batch, rows, columns, channels) and the states h and c, to (batch, new rows, new columns, filters) and
    the states.

    >>> from kbackend import Input, layers
    >>> layers.RNN(layers.ConvLSTM2DCell(3, 2, padding="same"))(Input((7, 6, 5, 1))).shape
    (None, 6, 5, 3)
    """


class ConvLSTM3DCell(ConvLSTMCell):
    """One step of :class:`ConvLSTM3D`, for :class:`RNN`.

    Arguments and source as :class:`ConvLSTM3D`.

    Shapes: (batch, rows, columns, depth, channels) and the states h and c, to (batch, new rows, new columns, new
    depth, filters) and the states.

    >>> from kbackend import Input, Model, layers
    >>> layers.RNN(layers.ConvLSTM3DCell(4, 2, padding="same"))(Input((5, 3, 3, 3, 1))).shape
    (None, 3, 3, 3, 4)
    """

    rank = 3


class ConvLSTM(Recurrent):
    """Base class of the convolutional LSTMs; see :class:`ConvLSTM2D`."""

    cell_class: type[ConvLSTMCell]
    arguments = (*_CONVOLUTION, *Recurrent.arguments, *_GATES)
    filters, kernel_size, strides, padding, data_format = OfCell(), OfCell(), OfCell(), OfCell(), OfCell()
    dilation_rate, recurrent_activation, unit_forget_bias = OfCell(), OfCell(), OfCell()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**named(locals()))

    @property
    def _dimensions(self) -> str:  # type: ignore[override]
        image = ("rows", "columns", "depth")[: self.cell_class.rank]
        parts = ("channels", *image) if self.data_format == "channels_first" else (*image, "channels")
        return f"({', '.join(('batch', 'steps', *parts))})"

    @property
    def _first_spec(self) -> InputSpec:  # type: ignore[override]
        return InputSpec(ndim=self.cell_class.rank + 3)

    def _walk(self, inputs: Any, states: Any, mask: Any, training: Any, constants: Any) -> tuple[Any, list[Any]]:
        cell: Any = self.cell
        opened = cell.opened(inputs, 2)
        given = [cell.opened(s) for s in states or cell.get_initial_state(inputs)]
        z = self._projected(self._dropped(opened, training))
        outputs, last = self._loop(cell.step(cell.state_noise(opened[:, 0], training)), z, given, mask)
        return cell.closed(outputs, 2), [cell.closed(s) for s in last]


class ConvRNN2D(RNN):
    """An :class:`RNN` over images: its cell, such as :class:`ConvLSTM2DCell`, takes (batch, rows, columns, channels).

    Args:
        cell, return_sequences, ..., unroll: as those of :class:`RNN`; several cells make :class:`StackedRNNCells`.

    Shapes: (batch, steps, rows, columns, channels) to the outputs of the cell, with ``return_sequences`` with the
    steps.

    >>> from kbackend import Input, layers
    >>> layers.ConvRNN2D(layers.ConvLSTM2DCell(3, 2))(Input((7, 6, 5, 1))).shape
    (None, 5, 4, 3)
    """

    _first_spec = InputSpec(ndim=5)
    _dimensions = "(batch, steps, rows, columns, channels)"


class ConvLSTM1D(ConvLSTM):
    """A convolutional LSTM over sequences of rows: (batch, steps, rows, channels). Arguments, of one size, and
    source as
    :class:`ConvLSTM2D`.

    Shapes: (batch, steps, rows, channels) to (batch, new rows, filters), with ``return_sequences`` with the steps.

    >>> from kbackend import Input, layers
    >>> layers.ConvLSTM1D(3, 2)(Input((7, 6, 1))).shape
    (None, 5, 3)
    """

    cell_class = ConvLSTM1DCell


class ConvLSTM2D(ConvLSTM):
    """A convolutional LSTM over sequences of images: an :class:`LSTM` whose products are convolutions.

    Args:
        filters: the number of channels of states and outputs.
        kernel_size: the rows and columns of the windows, one integer or two.
        strides, padding, dilation_rate: of the convolution of the inputs, as those of :class:`kbackend.layers.Conv2D`;
            that of the state has strides 1 and the padding 'same'.
        data_format: 'channels_last' (batch, steps, rows, columns, channels) or 'channels_first'; the default of the
            process when None.
        dropout, recurrent_dropout: the part of the elements that is dropped in training, the same at all steps.
        activation, recurrent_activation, ..., stateful: as those of :class:`LSTM`.

    Shapes: (batch, steps, rows, columns, channels) to (batch, new rows, new columns, filters), with
    ``return_sequences`` with the steps. The sizes of images must be known. Weights: kernel (window rows, window
    columns, channels, 4 filters), recurrent_kernel (window rows, window columns, filters, 4 filters), bias
    (4 filters,). The states are h and c.

    Source: Shi et al., "Convolutional LSTM Network", 2015.

    >>> from kbackend import Input, layers
    >>> layers.ConvLSTM2D(3, 2, return_sequences=True)(Input((7, 6, 5, 1))).shape
    (None, 7, 5, 4, 3)
    """

    cell_class = ConvLSTM2DCell


class ConvLSTM3D(ConvLSTM):
    """A convolutional LSTM over sequences of volumes: (batch, steps, rows, columns, depth, channels).

    Arguments, of three sizes, and source as :class:`ConvLSTM2D`.

    Shapes: (batch, steps, rows, columns, depth, channels) to (batch, new rows, new columns, new depth, filters),
    with ``return_sequences`` with the steps.

    >>> from kbackend import Input, layers
    >>> layers.ConvLSTM3D(2, 2)(Input((3, 4, 4, 4, 1))).shape
    (None, 3, 3, 3, 2)
    """

    cell_class = ConvLSTM3DCell


__all__ = [
    "ConvLSTM1D",
    "ConvLSTM1DCell",
    "ConvLSTM2D",
    "ConvLSTM2DCell",
    "ConvLSTM3D",
    "ConvLSTM3DCell",
    "ConvRNN2D",
]
