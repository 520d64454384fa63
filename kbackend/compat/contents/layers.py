"""Layers that Keras 1 had and Keras 2.3 kept in ``keras.legacy.layers``."""

from __future__ import annotations

from typing import Any

from kbackend import activations, constraints, initializers, regularizers
from kbackend import backend as K
from kbackend.layers import Layer, TimeDistributed
from kbackend.layers.core import Dense
from kbackend.registry import register


@register()
class MaxoutDense(Layer):
    """The largest of several linear functions of the inputs, unit by unit.

    Args:
        output_dim: the number of units.
        nb_feature: the number of functions.
        init: the initializer of W.
        W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint: of W and b, and of the outputs.
        bias: whether b is added.
        input_dim: the number of features of the inputs, for a first layer.

    Shapes: (batch, n) to (batch, output_dim). Weights: W (nb_feature, n, output_dim), b (nb_feature, output_dim).

    Source: Goodfellow et al., "Maxout Networks", 2013.

    >>> from kbackend import Input
    >>> MaxoutDense(3, nb_feature=2)(Input((5,))).shape
    (None, 3)
    """

    arguments = ("output_dim", "nb_feature", "init", "W_regularizer", "b_regularizer", "W_constraint", "b_constraint",
                 "bias")  # fmt: skip

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        init: Any = "glorot_uniform",
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim is not None:
            kwargs.setdefault("input_shape", (input_dim,))
        super().__init__(weights=weights, activity_regularizer=activity_regularizer, **kwargs)
        self.output_dim, self.nb_feature, self.bias = output_dim, nb_feature, bias
        self.init = initializers.get(init)
        self.W_regularizer, self.b_regularizer = regularizers.get(W_regularizer), regularizers.get(b_regularizer)
        self.W_constraint, self.b_constraint = constraints.get(W_constraint), constraints.get(b_constraint)

    def build(self, input_shape: Any) -> None:
        shape = (self.nb_feature, input_shape[-1], self.output_dim)
        self.W = self.add_weight("W", shape, None, self.init, self.W_regularizer, True, self.W_constraint)
        self.b = None
        if self.bias:
            size = (self.nb_feature, self.output_dim)
            self.b = self.add_weight("b", size, None, "zeros", self.b_regularizer, True, self.b_constraint)
        self.built = True

    def call(self, inputs: Any) -> Any:
        found = K.dot(inputs, self.W)  # (batch, nb_feature, output_dim)
        return K.max(found if self.b is None else found + self.b, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0], self.output_dim


@register()
class Highway(Layer):
    """``t * activation(W x + b) + (1 - t) * x`` with the gate ``t = sigmoid(W_carry x + b_carry)``.

    Args:
        init: the initializer of W and W_carry.
        activation: of the transform; linear when None.
        W_regularizer, b_regularizer, activity_regularizer, W_constraint, b_constraint: of weights and outputs.
        bias: whether b and b_carry are added; b_carry starts at 1.
        input_dim: the number of features of the inputs, for a first layer.

    Shapes: (batch, n) to (batch, n). Weights: W, W_carry (n, n), b, b_carry (n,).

    Source: Srivastava, Greff and Schmidhuber, "Highway Networks", 2015.

    >>> from kbackend import Input
    >>> Highway(activation="relu")(Input((5,))).shape
    (None, 5)
    """

    arguments = ("init", "activation", "W_regularizer", "b_regularizer", "W_constraint", "b_constraint", "bias")

    def __init__(
        self,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim is not None:
            kwargs.setdefault("input_shape", (input_dim,))
        super().__init__(weights=weights, activity_regularizer=activity_regularizer, **kwargs)
        self.init, self.activation, self.bias = initializers.get(init), activations.get(activation), bias
        self.W_regularizer, self.b_regularizer = regularizers.get(W_regularizer), regularizers.get(b_regularizer)
        self.W_constraint, self.b_constraint = constraints.get(W_constraint), constraints.get(b_constraint)

    def build(self, input_shape: Any) -> None:
        n = input_shape[-1]
        self.W = self.add_weight("W", (n, n), None, self.init, self.W_regularizer, True, self.W_constraint)
        self.W_carry = self.add_weight("W_carry", (n, n), None, self.init, None, True, None)
        self.b = self.b_carry = None
        if self.bias:
            self.b = self.add_weight("b", (n,), None, "zeros", self.b_regularizer, True, self.b_constraint)
            self.b_carry = self.add_weight("b_carry", (n,), None, "ones", None, True, None)
        self.built = True

    def call(self, inputs: Any) -> Any:
        carried, found = K.dot(inputs, self.W_carry), K.dot(inputs, self.W)
        if self.b is not None:
            carried, found = carried + self.b_carry, found + self.b
        gate = K.sigmoid(carried)
        return gate * self.activation(found) + (1.0 - gate) * inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def TimeDistributedDense(output_dim: int, **arguments: Any) -> Layer:
    """Keras 0's dense layer for each step: ``TimeDistributed(Dense(output_dim))``.

    >>> from kbackend import Input
    >>> TimeDistributedDense(3)(Input((4, 5))).shape
    (None, 4, 3)
    """
    outer = {k: arguments.pop(k) for k in ("input_shape", "batch_input_shape", "name") if k in arguments}
    steps, features = arguments.pop("input_length", None), arguments.pop("input_dim", None)
    if features is not None:
        outer.setdefault("input_shape", (steps, features))
    return TimeDistributed(Dense(output_dim, **arguments), **outer)


__all__ = ["Highway", "MaxoutDense", "TimeDistributedDense"]
