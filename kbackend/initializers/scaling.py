"""Initializers whose variance follows the number of inputs and outputs of a weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kbackend.graph.tensor import Tensor
from kbackend.initializers.drawn import Drawn
from kbackend.ops.random.normal import random_normal as random_normal_op
from kbackend.ops.random.normal import truncated_normal as truncated_normal_op
from kbackend.ops.random.uniform import random_uniform as random_uniform_op


class VarianceScaling(Drawn):
    """Draws whose variance is ``scale / n``.

    Args:
        scale: a positive number.
        mode: n is the number of inputs ('fan_in') or outputs ('fan_out') of a unit, or their mean
            ('fan_avg').
        distribution: 'normal' (truncated at two standard deviations), 'untruncated_normal' or 'uniform'.
        seed: a seed for these draws alone; the process' stream when None.
        input_axes, output_axes: the axes whose sizes make the numbers of inputs and outputs; as :func:`fans` when None.

    Raises:
        ValueError: scale, mode or distribution is not one of these, or only one kind of axes is given.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.VarianceScaling(2.0, 'fan_out')((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.2)
    """

    MODES = ("fan_in", "fan_out", "fan_avg")
    DISTRIBUTIONS = ("normal", "truncated_normal", "untruncated_normal", "uniform")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self._set(scale, mode, distribution, seed, input_axes, output_axes)

    def _set(
        self, scale: float, mode: str, distribution: str, seed: Any, input_axes: Any, output_axes: Any
    ) -> None:
        if scale <= 0:
            raise ValueError(f"the scale of VarianceScaling must be positive, it is {scale}")
        if mode not in self.MODES or distribution not in self.DISTRIBUTIONS:
            raise ValueError(
                f"VarianceScaling: mode must be one of {self.MODES}, distribution one of "
                f"{self.DISTRIBUTIONS}; they are {mode!r} and {distribution!r}"
            )
        if (input_axes is None) is not (output_axes is None):
            raise ValueError(
                f"VarianceScaling: give both input_axes and output_axes or none; they are {input_axes!r} and "
                f"{output_axes!r}"
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed
        self.input_axes = None if input_axes is None else list(input_axes)
        self.output_axes = None if output_axes is None else list(output_axes)

    def _distribution(self, shape: Sequence[int]) -> tuple[Callable[..., Tensor], float, float]:
        if self.input_axes is None or self.output_axes is None:
            fan_in, fan_out = fans(shape)
        else:
            fan_in, fan_out = (float(math.prod(shape[a] for a in axes)) for axes in (self.input_axes, self.output_axes))
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, count)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random_uniform_op, -limit, limit
        if self.distribution == "untruncated_normal":
            return random_normal_op, 0.0, math.sqrt(variance)
        # the standard deviation of a normal variable cut at two standard deviations
        return truncated_normal_op, 0.0, math.sqrt(variance) / 0.87962566103423978


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of a unit for a weight in Keras's layout (kernel positions first, then inputs,
    outputs).

    Args:
        shape: the shape of the weight.

    >>> fans((3, 3, 16, 32))
    (144.0, 288.0)
    """
    if not shape:
        return 1.0, 1.0
    if len(shape) == 1:
        return math.sqrt(shape[0]), math.sqrt(shape[0])
    positions = math.prod(shape[:-2])
    return float(positions * shape[-2]), float(positions * shape[-1])


class _Scaled(VarianceScaling):
    """VarianceScaling with everything chosen but the seed and the axes."""

    chosen: tuple[float, str, str] = (1.0, "fan_in", "normal")

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self._set(*self.chosen, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_Scaled):
    """Uniform, variance 2 / (fan in + fan out). Source: Glorot and Bengio 2010.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.GlorotUniform()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.11)
    """

    chosen = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal, variance 2 / (fan in + fan out). Source: Glorot and Bengio 2010.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.GlorotNormal()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.12)
    """

    chosen = (1.0, "fan_avg", "normal")


class HeUniform(_Scaled):
    """Uniform, variance 2 / fan in. Source: He et al. 2015.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.HeUniform()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.14)
    """

    chosen = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal, variance 2 / fan in. Source: He et al. 2015.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.HeNormal()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.14)
    """

    chosen = (2.0, "fan_in", "normal")


class LecunUniform(_Scaled):
    """Uniform, variance 1 / fan in. Source: LeCun et al. 1998.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.LecunUniform()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.1)
    """

    chosen = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal, variance 1 / fan in. Source: LeCun et al. 1998.

    >>> from kbackend import K, initializers
    >>> values = K.eval(initializers.LecunNormal()((100, 50)))
    >>> values.shape, round(float(values.std()), 2)
    ((100, 50), 0.1)
    """

    chosen = (1.0, "fan_in", "normal")
