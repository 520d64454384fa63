"""Masking of steps."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.arguments import described, scalar
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class Masking(Layer):
    """Masks the steps whose features all equal ``mask_value``, and sets them to 0.

    Args:
        mask_value: a number, or a K.variable, which stays live.

    Shapes: (batch, steps, features) to the same; the mask is (batch, steps).

    >>> from kbackend import Input, layers
    >>> layers.Masking()(Input((5, 3)))._keras_mask.shape
    (None, 5)
    """

    arguments = ("mask_value",)
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=2)
        self.mask_value = scalar(mask_value, "mask_value", described(self))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._kept(inputs)

    def call(self, inputs: Any) -> Any:
        return inputs * K.cast(self._kept(inputs, keepdims=True), inputs.dtype)

    def _kept(self, inputs: Any, keepdims: bool = False) -> Any:
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1, keepdims=keepdims)


__all__ = ["Masking"]
