"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.variable import Variable
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.base import Optimizer


def _rms(x: Any) -> Any:
    return K.sqrt(K.mean(K.square(x)))


class Adafactor(Optimizer):
    """Adaptive rates with little memory: the mean squares of a matrix of gradients are kept as those of its rows and
    its columns.

    Args:
        learning_rate: the rate; at step t at most ``1 / sqrt(t)`` is used.
        beta_2_decay: the running mean of step t has the weight ``1 - t**beta_2_decay``.
        epsilon_1: added to the squares of gradients.
        epsilon_2: the least size of a weight that scales its rate.
        clip_threshold: the largest root mean square of a change before it is scaled.
        relative_step: kept for configurations; the rate has the same bound with and without it, as in Keras.
        others: as :class:`kbackend.optimizers.Optimizer`.

    Source: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.

    >>> from kbackend import optimizers
    >>> round(float(optimizers.Adafactor().beta_2_decay), 4)
    -0.8
    """

    hyperparameters = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold")
    settings = ("relative_step",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: Any = -0.8,
        epsilon_1: Any = 1e-30,
        epsilon_2: Any = 1e-3,
        clip_threshold: Any = 1.0,
        relative_step: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        for label, value in zip(self.hyperparameters, (beta_2_decay, epsilon_1, epsilon_2, clip_threshold)):
            self.hold(label, value)
        self.relative_step = bool(relative_step)

    def states(self, params: Sequence[Variable]) -> list[list[Variable]]:
        return [list(params), *([v for row in kept for v in row] for kept in self._kept(params))]

    def _kept(self, params: Sequence[Variable]) -> list[list[list[Variable]]]:
        """For each kind of state a list of none or one variable for each weight."""
        wide = [len(p.shape) >= 2 for p in params]
        shapes = [(p.shape[:-1], (*p.shape[:-2], p.shape[-1])) if w else ((), ()) for p, w in zip(params, wide)]
        rows = [[self.slot("rows", p, shape=s[0])] if w else [] for p, w, s in zip(params, wide, shapes)]
        columns = [[self.slot("columns", p, shape=s[1])] if w else [] for p, w, s in zip(params, wide, shapes)]
        return [rows, columns, [[] if w else [self.slot("squares", p)] for p, w in zip(params, wide)]]

    def step(self, params: Sequence[Variable], values: Sequence[Any], gradients: Sequence[Any]) -> Any:
        new: list[list[Any]] = [[], [], [], []]
        for value, gradient, rows, columns, squares in zip(values, gradients, *self._kept(params)):
            changed = self._matrix if rows else self._vector
            result, states = changed(value, gradient, *rows, *columns, *squares)
            new[0].append(result)
            for place, state in zip((1, 2) if rows else (3,), states):
                new[place].append(state)
        return [value for column in new for value in column]

    def _mean(self, old: Any, new: Any, t: Any, power: Any) -> Any:
        keep = 1.0 - t**power
        return keep * old + (1.0 - keep) * new

    def _matrix(self, value: Any, gradient: Any, rows: Any, columns: Any) -> tuple[Any, list[Any]]:
        t = as_dtype(self.count() + 1, K.dtype(value))
        power, epsilon = self.scalars(value, "beta_2_decay", "epsilon_1")
        square = K.square(gradient) + epsilon
        rows = self._mean(rows, K.mean(square, axis=-1), t, power)
        columns = self._mean(columns, K.mean(square, axis=-2), t, power)
        share = rows / K.mean(rows, axis=-1, keepdims=True)
        variance = K.expand_dims(share, -1) * K.expand_dims(columns, -2)
        return self._moved(value, gradient, variance, t), [rows, columns]

    def _vector(self, value: Any, gradient: Any, squares: Any) -> tuple[Any, list[Any]]:
        t = as_dtype(self.count() + 1, K.dtype(value))
        power, epsilon = self.scalars(value, "beta_2_decay", "epsilon_1")
        squares = self._mean(squares, K.square(gradient) + epsilon, t, power)
        return self._moved(value, gradient, squares, t), [squares]

    def _moved(self, value: Any, gradient: Any, variance: Any, t: Any) -> Any:
        epsilon, threshold = self.scalars(value, "epsilon_2", "clip_threshold")
        rate = K.minimum(as_dtype(self.rate(), K.dtype(value)), 1.0 / K.sqrt(t))
        change = gradient / K.sqrt(variance)
        change = change / K.maximum(_rms(change) / threshold, 1.0)
        return value - K.maximum(epsilon, _rms(value)) * rate * change
