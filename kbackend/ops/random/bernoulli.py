"""Draws of zeros and ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.sample import Sample, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.elementwise.comparison import less
from kbackend.ops.random.draws import Seed, _floats
from kbackend.ops.random.uniform import _draw_unit


def _binomial_samples() -> list[Sample]:
    return [call((4, 5), 0.3, seed=7), call((4, 5), 0.3, "int32", 7, name="int32"),
            call((3,), 1.0, seed=7, name="always", expect=np.ones(3, np.float32)),
            call((2,), 1.5, seed=7, raises=ValueError, name="no probability")]


@derived(samples=_binomial_samples)
def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """1 with probability ``p`` and 0 else; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        p: a number or a tensor that broadcasts to the shape.
        dtype: floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.
    """
    if isinstance(p, (bool, int, float)) and not 0 <= p <= 1:
        raise ValueError(f"a probability is in [0, 1], it is {p!r}")
    unit = _draw_unit("random_binomial", shape, "float32", seed)
    return cast(less(unit, p if isinstance(p, Tensor) else constant(p, "float32")), _floats(dtype))


@derived(samples=_binomial_samples)
def random_bernoulli(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Another name of :func:`random_binomial`."""
    return random_binomial(shape, p, dtype, seed)


__all__: list[str] = []
