"""What all convolutions share: their arguments, the layout of the data, bias and activation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.layers.arguments import (
    activation_of,
    data_format_of,
    described,
    one_of,
    per_dimension,
    positive,
    set_roles,
)
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.nn.windows import channels_last, restored
from kbackend.runtime.foreign import apply


class Convolution(Layer):
    """Base class of layers that slide a window over ``rank`` spatial dimensions.

    A class overrides ``build``, which makes its kernels, and ``_convolved``, which gets channels last.
    """

    rank = 1
    paddings: tuple[str, ...] = ("valid", "same")
    arguments: tuple[str, ...] = (
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "activation",
        "use_bias",
        "bias_initializer",
        "bias_regularizer",
        "bias_constraint",
    )

    def _set_window(
        self, kernel_size: Any, strides: Any, padding: Any, data_format: str | None, dilation_rate: Any = 1
    ) -> None:
        """Check and keep the arguments about the window."""
        label = described(self)
        self.kernel_size = per_dimension(kernel_size, self.rank, "kernel_size", label)
        self.strides = per_dimension(strides, self.rank, "strides", label)
        self.padding = one_of(padding, self.paddings, "padding", label)
        self.data_format = data_format_of(self, data_format)
        self.dilation_rate = per_dimension(dilation_rate, self.rank, "dilation_rate", label)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{label}: strides and dilation_rate cannot both be above 1, they are {self.strides} and "
                f"{self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _set_result(self, activation: Any, use_bias: bool, **roles: Any) -> None:
        """Keep the activation, whether there is a bias, and what weights are initialized, penalized and limited by."""
        self.activation = activation_of(self, activation)
        self.use_bias = use_bias
        set_roles(self, **roles)

    def _set_filters(self, filters: Any, groups: Any = 1) -> None:
        label = described(self)
        self.filters = positive(filters, "filters", label)
        self.groups = positive(groups, "groups", label)
        if self.filters % self.groups:
            raise ValueError(f"{label}: filters ({self.filters}) must be a multiple of groups ({self.groups})")

    @property
    def _first(self) -> bool:
        return self.data_format == "channels_first"

    def _channels(self, input_shape: Sequence[int | None]) -> int:
        """The channels of the inputs, which later calls must have too.

        Raises:
            ValueError: they are unknown.
        """
        axis = 1 if self._first else -1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"the channels of the input must be known, the shape is {tuple(input_shape)} and data_format is "
                f"{self.data_format!r}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_bias(self, size: int) -> None:
        self.bias = self.add_weight("bias", (size,)) if self.use_bias else None

    def _pairs(self) -> Any:
        """The padding as the ops take it."""
        if self.padding != "causal":
            return self.padding
        return tuple((d * (k - 1), 0) for k, d in zip(self.kernel_size, self.dilation_rate))

    def _convolved(self, x: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        x, first = channels_last(inputs, self.data_format)
        return apply(self.activation, restored(self._convolved(x), first))


__all__ = ["Convolution"]
