"""Bernoulli draws: zeros and ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.sample import Sample, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.core.leaves import constant
from kbackend.ops.random.draws import Seed, _floats, draw_unit


def _binomial_samples() -> list[Sample]:
    return [call((4, 5), 0.3, seed=7), call((4, 5), 0.3, "int32", 7, name="int32"),
            call((3,), 1.0, seed=7, name="always", expect=np.ones(3, np.float32)),
            call((2,), 1.5, seed=7, raises=ValueError, name="no probability")]


@derived(samples=_binomial_samples)
def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw 1 with probability ``p`` and 0 otherwise, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        p: the probability, a number or a tensor that broadcasts to the shape.
        dtype: any dtype; None for floatx.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor with the same bits on every engine.

    Raises:
        ValueError: a number ``p`` outside [0, 1], or a negative dimension.

    >>> from kbackend import K
    >>> K.eval(K.random_binomial((3,), 1.0)).tolist()
    [1.0, 1.0, 1.0]
    """
    if isinstance(p, (bool, int, float)) and not 0 <= p <= 1:
        raise ValueError(f"a probability must be in [0, 1], it is {p!r}")
    unit = draw_unit("random_binomial", shape, "float32", seed)
    return cast(unit < (p if isinstance(p, Tensor) else constant(p, "float32")), _floats(dtype))


@derived(samples=_binomial_samples)
def random_bernoulli(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Draw 1 with probability ``p`` and 0 otherwise; another name of :func:`random_binomial`.

    >>> from kbackend import K
    >>> K.eval(K.random_bernoulli((3,), 0.0)).tolist()
    [0.0, 0.0, 0.0]
    """
    return random_binomial(shape, p, dtype, seed)


__all__: list[str] = []
