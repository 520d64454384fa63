"""Activations with parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.layers.arguments import described, scalar, set_roles
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec


class ReLU(Layer):
    """``max(x, 0)``, with a slope below, a ceiling and a threshold; see ``K.relu``.

    Args:
        max_value: the largest result; None for no limit.
        negative_slope: the slope below the threshold.
        threshold: the value from which on x is passed on.

    Each may be a K.variable, which stays live.

    Shapes: any, to the same.

    Raises:
        ValueError: a negative number.

    >>> from kbackend import Input, layers
    >>> layers.ReLU(max_value=6.0)(Input((3,))).shape
    (None, 3)
    """

    arguments = ("max_value", "negative_slope", "threshold")
    hyperparameters = arguments
    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        label = described(self)
        self.max_value = None if max_value is None else scalar(max_value, "max_value", label, 0)
        self.negative_slope = scalar(negative_slope, "negative_slope", label, 0)
        self.threshold = scalar(threshold, "threshold", label, 0)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


class LeakyReLU(Layer):
    """``x`` above 0, ``negative_slope * x`` below.

    Args:
        negative_slope: a number from 0 on, or a K.variable, which stays live.

    Shapes: any, to the same.

    Raises:
        ValueError: a negative number.

    >>> from kbackend import Input, layers
    >>> layers.LeakyReLU(0.1)(Input((3,))).shape
    (None, 3)
    """

    arguments = ("negative_slope",)
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = scalar(negative_slope, "negative_slope", described(self), 0)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=self.negative_slope)


class ELU(Layer):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` below.

    Args:
        alpha: a number, or a K.variable, which stays live.

    Shapes: any, to the same.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by ELUs", 2016.

    >>> from kbackend import Input, layers
    >>> layers.ELU(0.5)(Input((3,))).shape
    (None, 3)
    """

    arguments = ("alpha",)
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = scalar(alpha, "alpha", described(self))

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, self.alpha)


class PReLU(Layer):
    """``x`` above 0, ``alpha * x`` below, with a slope for each element of a sample that training changes.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: axes, counted from 1, along which the slopes are the same, such as [1, 2] for images.

    Shapes: any, to the same.

    Weights: alpha, of the shape of a sample with 1 along ``shared_axes``.

    Raises:
        ValueError: an axis out of range, or of unknown size and not shared.

    Source: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015.

    >>> from kbackend import Input, layers
    >>> layer = layers.PReLU(shared_axes=[1])
    >>> layer(Input((5, 3))).shape, layer.alpha.shape
    ((None, 5, 3), (1, 3))
    """

    arguments = ("alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")
    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        set_roles(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        several = isinstance(shared_axes, (list, tuple))
        self.shared_axes = None if shared_axes is None else list(shared_axes) if several else [shared_axes]

    def build(self, input_shape: Any) -> None:
        shape, shared = list(input_shape), self.shared_axes or []
        if any(type(a) is not int or not 1 <= a < len(shape) for a in shared):
            raise ValueError(f"shared_axes must be in [1, {len(shape) - 1}], they are {shared}")
        for axis in shared:
            shape[axis] = 1
        if None in shape[1:]:
            raise ValueError(
                f"the input {tuple(input_shape)} must have known sizes along axes that are not in shared_axes, "
                f"{self.shared_axes}"
            )
        self.alpha = self.add_weight("alpha", tuple(shape[1:]))
        free = [None if d == 1 and a in shared else d for a, d in enumerate(shape)]
        self.input_spec = InputSpec(shape=(None, *free[1:]))

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)


class ThresholdedReLU(Layer):
    """``x`` above ``theta``, 0 below and at it.

    Args:
        theta: the threshold: a number from 0 on, or a K.variable, which stays live.

    Shapes: any, to the same.

    Raises:
        ValueError: a negative threshold.

    Source: Konda, Memisevic and Krueger, "Zero-Bias Autoencoders and the Benefits of Co-Adapting Features", 2015.

    >>> from kbackend import Input, layers
    >>> layers.ThresholdedReLU(0.5)(Input((3,))).shape
    (None, 3)
    """

    arguments = ("theta",)
    hyperparameters = arguments
    supports_masking = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = scalar(theta, "theta", described(self), 0)

    def call(self, inputs: Any) -> Any:
        return inputs * K.cast(K.greater(inputs, self.theta), inputs.dtype)


class Softmax(Layer):
    """``exp(x) / sum(exp(x))``, positive values that sum to 1 along ``axis``; 0 where a mask, given as ``mask=``,
    is False.

    Args:
        axis: an axis, or several, over which together the values sum to 1.

    The mask broadcasts against the inputs.

    Shapes: any, to the same.

    >>> from kbackend import Input, layers
    >>> layers.Softmax(axis=[1, 2])(Input((2, 3))).shape
    (None, 2, 3)
    """

    arguments = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return self._softmax(inputs)
        counts = mask if mask.dtype == "bool" else K.greater(mask, 0.5)
        lowest = float(np.finfo("float16" if inputs.dtype == "float16" else "float32").min) / 2
        return K.where(counts, self._softmax(K.where(counts, inputs, lowest)), 0.0)

    def _softmax(self, x: Any) -> Any:
        if not isinstance(self.axis, list):
            return K.softmax(x, axis=self.axis)
        raised = K.exp(x - K.stop_gradient(K.max(x, axis=self.axis, keepdims=True)))
        return raised / K.sum(raised, axis=self.axis, keepdims=True)


__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]
