"""Schedules that decay the learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend import config, dtypes
from kbackend.ops.elementwise.precision import as_dtype
from kbackend.optimizers.schedules.base import LearningRateSchedule, positive


def _float(step: Any) -> Any:
    return as_dtype(step, config.floatx())


def _periods(step: Any, length: Any) -> Any:
    """How many whole periods of a number of steps have passed, as a float.

    Integers are divided as such: engines may multiply by the inverse of a constant instead of dividing, and a product
    that should be whole is then a little less.
    """
    if isinstance(length, int) and dtypes.is_integer(K.dtype(step)):
        return _float(step // length)
    return K.floor(_float(step) / length)


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate**(step / decay_steps)``.

    Args:
        initial_learning_rate, decay_rate: numbers.
        decay_steps: a number of steps above 0.
        staircase: whether the exponent is rounded down.
        name: unused, kept for configurations.

    >>> from kbackend.optimizers.schedules import ExponentialDecay
    >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 4)
    0.025
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_rate = initial_learning_rate, decay_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        part = _periods(step, self.decay_steps) if self.staircase else _float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate**part


class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``; arguments as :class:`ExponentialDecay`.

    >>> from kbackend.optimizers.schedules import InverseTimeDecay
    >>> round(float(InverseTimeDecay(0.1, 10, 0.5)(20)), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate, self.decay_rate = initial_learning_rate, decay_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        part = _periods(step, self.decay_steps) if self.staircase else _float(step) / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * part)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including the step ``boundaries[i]``, the last value after the last boundary.

    Args:
        boundaries: increasing numbers of steps.
        values: numbers, one more than boundaries.
        name: unused, kept for configurations.

    Raises:
        ValueError: another number of values.

    >>> from kbackend.optimizers.schedules import PiecewiseConstantDecay
    >>> [float(PiecewiseConstantDecay([10], [1.0, 0.5])(step)) for step in (10, 11)]
    [1.0, 0.5]
    """

    def __init__(self, boundaries: Sequence[Any], values: Sequence[Any], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"values must have one entry more than boundaries; there are {len(values)} and {len(boundaries)}"
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> Any:
        step = _float(step)
        rate = K.zeros_like(step) + self.values[-1]
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1])):
            rate = K.where(step <= boundary, value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """``(initial - end) * (1 - step / decay_steps)**power + end`` up to ``decay_steps``, the end after it.

    Args:
        initial_learning_rate, end_learning_rate, power: numbers.
        decay_steps: a number of steps above 0.
        cycle: whether ``decay_steps`` becomes the next multiple of itself that the step has not passed, so that the
            rate rises again.
        name: unused, kept for configurations.

    >>> from kbackend.optimizers.schedules import PolynomialDecay
    >>> round(float(PolynomialDecay(0.1, 10, 0.0)(5)), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        end_learning_rate: Any = 0.0001,
        power: Any = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate, self.end_learning_rate = initial_learning_rate, end_learning_rate
        self.decay_steps = positive("decay_steps", decay_steps)
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: Any) -> Any:
        whole: Any = self.decay_steps
        if self.cycle:
            cycles = -_periods(-step, self.decay_steps)
            step, whole = _float(step), whole * K.maximum(cycles, 1.0)
        else:
            step = K.minimum(_float(step), whole)
        range_ = self.initial_learning_rate - self.end_learning_rate
        return range_ * (1.0 - step / whole) ** self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a wave of the cosine from the initial rate to ``alpha`` times it, after a linear warmup.

    Args:
        initial_learning_rate: the first rate.
        decay_steps: the number of steps of the decay, above 0.
        alpha: the last rate as a part of the first (of ``warmup_target`` with a warmup).
        name: unused, kept for configurations.
        warmup_target: the rate at the end of the warmup; no warmup when None.
        warmup_steps: the number of steps of the warmup.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.

    >>> from kbackend.optimizers.schedules import CosineDecay
    >>> round(float(CosineDecay(0.1, 10)(5)), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        alpha: Any = 0.0,
        name: str = "CosineDecay",
        warmup_target: Any = None,
        warmup_steps: Any = 0,
    ) -> None:
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.decay_steps = positive("decay_steps", decay_steps)
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: Any) -> Any:
        step = _float(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        decayed = self._decayed(step - self.warmup_steps, self.warmup_target)
        if not self.warmup_steps:
            return decayed
        rise = (self.warmup_target - self.initial_learning_rate) * step / self.warmup_steps
        return K.where(step < self.warmup_steps, rise + self.initial_learning_rate, decayed)

    def _decayed(self, step: Any, rate: Any) -> Any:
        part = K.minimum(step, self.decay_steps) / self.decay_steps
        return rate * ((1.0 - self.alpha) * 0.5 * (1.0 + K.cos(math.pi * part)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half waves of the cosine from the initial rate to ``alpha`` times it, one after the other.

    Args:
        initial_learning_rate: the first rate.
        first_decay_steps: the number of steps of the first half wave, above 0.
        t_mul: by which each half wave is longer than the one before it.
        m_mul: by which each starts higher than the one before it.
        alpha: the last rate as a part of the first.
        name: unused, kept for configurations.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016.

    >>> from kbackend.optimizers.schedules import CosineDecayRestarts
    >>> round(float(CosineDecayRestarts(0.1, 10)(20)), 4)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        first_decay_steps: Any,
        t_mul: Any = 2.0,
        m_mul: Any = 1.0,
        alpha: Any = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate, self.alpha, self.name = initial_learning_rate, alpha, name
        self.first_decay_steps = positive("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = t_mul, m_mul

    def __call__(self, step: Any) -> Any:
        part = _float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = _periods(step, self.first_decay_steps)
            part = part - restarts
        else:
            restarts = K.floor(K.log(1.0 - part * (1.0 - self.t_mul)) / math.log(self.t_mul))
            length = self.t_mul**restarts
            part = (part - (1.0 - length) / (1.0 - self.t_mul)) / length
        wave = 0.5 * self.m_mul**restarts * (1.0 + K.cos(math.pi * part))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)
