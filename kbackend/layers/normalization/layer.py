"""Normalization of each sample over some axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend.layers.arguments import described, number, set_roles
from kbackend.layers.base.layer import Layer
from kbackend.ops.nn.layer_norm import layer_normalization, normalize, rms_normalization


def checked_axes(axis: Any, label: str) -> Any:
    """An axis, or a list of several.

    Raises:
        TypeError: other than integers.
    """
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if not all(type(a) is int for a in axes):
        raise TypeError(f"{label}: axis must be an integer or several, it is {axis!r}")
    return axes if isinstance(axis, (list, tuple)) else axis


def sizes_along(axis: Any, shape: Sequence[int | None]) -> tuple[int, ...]:
    """The sizes of a shape along axes, in the order of the shape.

    Raises:
        ValueError: an axis out of range, twice or of unknown size, or none.
    """
    rank, given = len(shape), axis if isinstance(axis, list) else [axis]
    if any(not -rank <= a < rank for a in given):
        raise ValueError(f"axis {axis} is out of range for an input of shape {tuple(shape)}")
    axes = sorted(a % rank for a in given)
    found = [shape[a] for a in axes]
    if len(set(axes)) != len(axes) or not axes or None in found:
        raise ValueError(f"the axes {axis} must differ and be known, the input has shape {tuple(shape)}")
    return tuple(d for d in found if d is not None)


class LayerNormalization(Layer):
    """Mean 0 and variance 1 of each sample along ``axis``, then a scale and an offset.

    Args:
        axis: the axis of the features, or several.
        epsilon: added to the variance.
        center, scale: whether there is an offset (beta) and a scale (gamma).
        beta_initializer, ..., gamma_constraint: of the weights, as those of
            :class:`kbackend.layers.Dense`.

    Shapes: any of rank 2 or more, to the same.

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
        self.axis = checked_axes(axis, described(self))
        self.epsilon = number(epsilon, "epsilon", described(self))
        self.center, self.scale = center, scale
        set_roles(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape: Any) -> None:
        shape = sizes_along(self.axis, input_shape)
        self.gamma = self.add_weight("gamma", shape, autocast=False) if self.scale else None
        self.beta = self.add_weight("beta", shape, autocast=False) if self.center else None

    def call(self, inputs: Any) -> Any:
        return layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)


class RMSNormalization(Layer):
    """``x / sqrt(mean(x ** 2) + epsilon) * scale`` for each sample, with the mean along ``axis``.

    Args:
        axis: the axis of the features, or several.
        epsilon: added to the mean of squares.

    Shapes: any of rank 2 or more, to the same.

    Weights: scale, of the shape of the input along ``axis``.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    >>> from kbackend import Input, layers
    >>> layers.RMSNormalization()(Input((5, 8))).shape
    (None, 5, 8)
    """

    arguments = ("axis", "epsilon")
    supports_masking = True

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, described(self))
        self.epsilon = number(epsilon, "epsilon", described(self))

    def build(self, input_shape: Any) -> None:
        shape = sizes_along(self.axis, input_shape)
        self.scale = self.add_weight("scale", shape, initializer="ones", autocast=False)

    def call(self, inputs: Any) -> Any:
        return rms_normalization(inputs, self.scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """Each sample divided by its Euclidean norm along ``axis``: ``x / sqrt(sum(x * x))``.

    Args:
        axis: the axis of the features, or several.

    Shapes: any, to the same.

    >>> from kbackend import Input, layers
    >>> layers.UnitNormalization()(Input((5, 8))).shape
    (None, 5, 8)
    """

    arguments = ("axis",)
    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, described(self))

    def call(self, inputs: Any) -> Any:
        return normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)


__all__ = ["LayerNormalization", "RMSNormalization", "UnitNormalization"]
