"""Normalization."""

from __future__ import annotations

from typing import Any

from kbackend import backend as K
from kbackend import constraints, initializers, regularizers
from kbackend.graph.tensor import Tensor
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.nn.layer_norm import layer_normalization


class BatchNormalization(Layer):
    """Mean 0 and variance 1 along ``axis``, then a scale and an offset.

    In training the statistics are the batch's, and each training step moves the moving averages towards
    them; else the moving averages are used, as with ``training=False``. The moving variance takes the biased
    variance. A model that is compiled while the layer, or a layer or model around it, has ``trainable = False`` leaves
    scale, offset and moving averages as they are, and uses the moving averages in training too.

    Args:
        axis: the axis of the features.
        momentum: of the moving averages: ``moving * momentum + batch * (1 - momentum)``.
        epsilon: added to the variance.
        center, scale: whether there is an offset (beta) and a scale (gamma).
        others: initializers, regularizers and constraints of the weights.

    Weights: gamma, beta, moving_mean, moving_variance, each (features,); the last two are not trainable.

    Source: Ioffe and Szegedy 2015.
    """

    arguments = (
        "axis",
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int):
            raise TypeError(
                f"layer {self.name} (BatchNormalization): axis must be an integer, it is {axis!r}"
            )
        self.axis, self.momentum, self.epsilon, self.center, self.scale = (
            axis,
            momentum,
            epsilon,
            center,
            scale,
        )
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis in (0, -rank):
            raise ValueError(f"axis {self.axis} is not a feature axis of an input of shape {input_shape}")
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(f"axis {self.axis} of the input must be known, the shape is {input_shape}")
        self.gamma = self.add_weight("gamma", (size,)) if self.scale else None
        self.beta = self.add_weight("beta", (size,)) if self.center else None
        self.moving_mean = self.add_weight("moving_mean", (size,), trainable=False)
        self.moving_variance = self.add_weight("moving_variance", (size,), trainable=False)
        self.input_spec = InputSpec(min_ndim=2, axes={self.axis: size})

    def call(self, inputs: Any, training: Any = None) -> Any:
        phase = K.learning_phase() if training is None else training
        if not isinstance(phase, Tensor) and not phase:
            return self._by_moving_averages(inputs)
        resting = self._by_moving_averages(inputs)
        axes = [a for a in range(inputs.ndim) if a != self.axis % inputs.ndim]
        normed, mean, variance = K.normalize_batch_in_training(
            inputs, self.gamma, self.beta, axes, self.epsilon
        )
        momentum = self._momentum_of(inputs, axes)
        self.add_update(
            [
                K.moving_average_update(self.moving_mean, mean, momentum),
                K.moving_average_update(self.moving_variance, variance, momentum),
            ]
        )
        result = K.in_train_phase(normed, resting, phase)
        self._when_frozen(result, resting)
        return result

    def _momentum_of(self, inputs: Any, axes: list[int]) -> Any:
        """1 for an empty batch, which leaves the moving averages as they are."""
        if None not in (inputs.shape[a] for a in axes):
            return self.momentum if all(inputs.shape[a] for a in axes) else 1.0
        return select_elements(extent(inputs, tuple(axes)) > 0, self.momentum, 1.0)

    def _by_moving_averages(self, inputs: Any) -> Any:
        return K.batch_normalization(
            inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma, self.axis, self.epsilon
        )


class LayerNormalization(Layer):
    """Mean 0 and variance 1 of each sample along ``axis``, then a scale and an offset.

    Args:
        axis: the axis of the features, or several.
        epsilon: added to the variance.
        center, scale: whether there is an offset (beta) and a scale (gamma).
        others: initializers, regularizers and constraints of the weights.

    Weights: gamma, beta, of the shape of the input along ``axis``.

    Source: Ba, Kiros, Hinton 2016.

    >>> from kbackend import Input, layers
    >>> layers.LayerNormalization()(Input((5, 8))).shape
    (None, 5, 8)
    """

    arguments = (
        "axis",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    supports_masking = True

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        if not all(type(a) is int for a in self._axes()):
            raise TypeError(
                f"layer {self.name} (LayerNormalization): axis must be an integer or several, it is {axis!r}"
            )
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _axes(self) -> list[int]:
        return self.axis if isinstance(self.axis, list) else [self.axis]

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self._axes()):
            raise ValueError(f"axis {self.axis} is out of range for an input of shape {input_shape}")
        axes = sorted(a % rank for a in self._axes())
        shape = tuple(input_shape[a] for a in axes)
        if None in shape or len(set(axes)) != len(axes) or not axes:
            raise ValueError(f"the axes {self.axis} must differ and be known, the input has shape {input_shape}")
        self.gamma = self.add_weight("gamma", shape) if self.scale else None
        self.beta = self.add_weight("beta", shape) if self.center else None

    def call(self, inputs: Any) -> Any:
        return layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)


__all__ = ["BatchNormalization", "LayerNormalization"]
