"""Normalization of groups of channels."""

from __future__ import annotations

from typing import Any

from kbackend.layers.arguments import described, number, positive, set_roles
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.normalization.layer import sizes_along
from kbackend.ops.nn.layer_norm import group_normalization


class GroupNormalization(Layer):
    """Mean 0 and variance 1 of each group of channels of each sample, then a scale and an offset.

    Args:
        groups: the number of groups, a divisor of the number of channels; -1 for a group of each channel.
        axis: the axis of the channels.
        epsilon: added to the variance.
        center, scale: whether there is an offset (beta) and a scale (gamma).
        beta_initializer, ..., gamma_constraint: of the weights, as those of
            :class:`kbackend.layers.Dense`.

    Shapes: any of rank 2 or more, to the same.

    Weights: gamma, beta, each (channels,).

    Raises:
        ValueError: groups that do not divide the channels.
        TypeError: an axis that is no integer.

    Source: Wu and He, "Group Normalization", 2018.

    >>> from kbackend import Input, layers
    >>> layers.GroupNormalization(groups=2)(Input((5, 8))).shape
    (None, 5, 8)
    """

    arguments = (
        "groups",
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
        groups: int = 32,
        axis: int = -1,
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
        self.groups = -1 if groups == -1 else positive(groups, "groups", described(self))
        if type(axis) is not int:
            raise TypeError(f"{described(self)}: axis must be an integer, it is {axis!r}")
        self.axis, self.epsilon = axis, number(epsilon, "epsilon", described(self))
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
        (channels,) = sizes_along(self.axis, input_shape)
        if channels % self.groups:
            raise ValueError(
                f"groups must divide the {channels} channels of inputs of shape {tuple(input_shape)}, "
                f"it is {self.groups}"
            )
        self.gamma = self.add_weight("gamma", (channels,), autocast=False) if self.scale else None
        self.beta = self.add_weight("beta", (channels,), autocast=False) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        groups = inputs.shape[self.axis] if self.groups == -1 else self.groups
        return group_normalization(inputs, self.gamma, self.beta, groups, self.axis, self.epsilon)


__all__ = ["GroupNormalization"]
