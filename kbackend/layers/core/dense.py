"""Dense layers."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import activation_of, described, positive, set_roles
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.core.quantized import Quantized
from kbackend.ops.linalg.dense import dense
from kbackend.runtime.foreign import apply


class Dense(Quantized):
    """``activation(inputs @ kernel + bias)`` over the last axis.

    Args:
        units: the number of outputs.
        activation: a name or a function; none when None.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: initial values.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: applied after each training step.
        lora_rank, lora_alpha: the rank and factor of an adapter of the kernel; see :meth:`enable_lora`.
        quantization_config: how the kernel was quantized; see :meth:`quantize`.

    Shapes: (..., inputs) to (..., units). Weights: kernel (inputs, units), bias (units,).

    Raises:
        ValueError: the last dimension of the input is unknown.

    >>> from kbackend import Input, layers
    >>> layers.Dense(3)(Input((5,))).shape
    (None, 3)
    """

    arguments = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )
    supports_masking = True
    kernel: Any
    _quantizable = True
    _modes = (*Quantized._modes, "float8")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive(units, "units", described(self))
        self.activation = activation_of(self, activation)
        self.use_bias = use_bias
        set_roles(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self._set_rank(lora_rank, lora_alpha)
        self._set_quantization(quantization_config)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise ValueError(f"the last dimension of the input must be known, the shape is {input_shape}")
        self._add_adapted((size, self.units))
        self.bias = self.add_weight("bias", (self.units,)) if self.use_bias else None
        self._add_float8()
        self._add_rank()
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    def _reduced_axes(self) -> tuple[int, ...]:
        return (0,)

    def _scale_shape(self, shape: Any) -> tuple[int, ...]:
        return (shape[-1],)

    def call(self, inputs: Any) -> Any:
        if self.quantization_mode is None:
            return apply(self.activation, dense(inputs, self._adapted_weight(self.kernel), self.bias))
        if self.quantization_mode == "float8":
            return apply(self.activation, self._float8_result(inputs, dense))
        size = self.kernel.shape[0]
        y = self._product(inputs, -1, size, lambda s: s, dense, lambda g, kernel: dense(g, K.transpose(kernel)))
        return apply(self.activation, y if self.bias is None else y + self.bias)


__all__ = ["Dense"]
