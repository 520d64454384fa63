"""Activations with parameters."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend.layers.base.layer import Layer


class ReLU(Layer):
    """``max(x, 0)``, with a slope below, a ceiling and a threshold; see ``K.relu``."""

    arguments = ("max_value", "negative_slope", "threshold")
    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if negative_slope < 0 or max_value is not None and max_value < 0:
            raise ValueError(
                f"layer {self.name} (ReLU): max_value and negative_slope must not be negative, they are "
                f"{max_value} and {negative_slope}"
            )
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


class LeakyReLU(Layer):
    """``x`` above 0, ``negative_slope * x`` below. ``alpha`` is Keras 2's name of the slope."""

    arguments = ("negative_slope",)
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        self.negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope)


class ELU(Layer):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below."""

    arguments = ("alpha",)
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)


class Softmax(Layer):
    """Positive values that sum to 1 along ``axis``."""

    arguments = ("axis",)
    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return K.softmax(inputs, axis=self.axis)


__all__ = ["ELU", "LeakyReLU", "ReLU", "Softmax"]
