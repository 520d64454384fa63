"""Random draws with the same bits on every engine, and their seeds: ``kbackend.random``.

Results are symbolic tensors, as those of K.random_*; ``np.asarray(t)``, ``t.numpy()`` and ``K.eval(t)`` return values,
and each run of a program draws anew. ``seed`` is None (the stream of the process, see :func:`set_seed`), an integer
(the same draw in any program), or a :class:`SeedGenerator` (the same sequence of draws in any program).

>>> import numpy as np
>>> from kbackend import random
>>> random.set_seed(7)
>>> x = random.normal((2, 3))
>>> np.asarray(x).shape
(2, 3)
"""

from __future__ import annotations

from typing import Any

from kbackend import dtypes
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.ops.nn.dropout import dropout as _dropout
from kbackend.ops.random.binomial import binomial
from kbackend.ops.random.categorical import categorical
from kbackend.ops.random.gamma import beta, gamma
from kbackend.ops.random.normal import random_normal as normal
from kbackend.ops.random.normal import truncated_normal
from kbackend.ops.random.permutation import shuffle
from kbackend.ops.random.uniform import random_uniform as uniform
from kbackend.streams import SeedGenerator, get_seed, set_seed

#: the name of categorical in TensorFlow 1 and PyTorch
multinomial = categorical


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Draw integers uniformly from ``[minval, maxval)``, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        minval, maxval: integers or integer scalar tensors, at most 2**46 apart; tensors are not checked.
        dtype: an integer dtype.
        seed: an integer or SeedGenerator; None for the stream of the process.

    Returns:
        A symbolic tensor. Probabilities of two integers differ by a factor of at most ``1 + range / 2**64``.

    Raises:
        ValueError: an empty range or one above 2**46, bounds that are not integers, or a negative dimension.
        TypeError: ``dtype`` is not an integer dtype.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.randint((100,), -1, 2, seed=1))
    >>> sorted(set(x.tolist()))
    [-1, 0, 1]
    """
    chosen = dtypes.canonical(dtype)
    if not dtypes.is_integer(chosen):
        raise TypeError(f"randint needs an integer dtype, not {chosen}")
    return uniform(shape, minval, maxval, chosen, seed)


def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    """Set elements of ``inputs`` to zero with probability ``rate`` and divide the others by ``1 - rate``.

    Args:
        inputs: a float tensor.
        rate: a number in [0, 1], or a scalar variable or tensor.
        noise_shape: the shape of the mask, see :func:`kbackend.ops.nn.dropout.dropout`.
        seed: an integer or SeedGenerator; None for the stream of the process.

    Returns:
        A tensor of the shape and dtype of ``inputs``; concrete inputs give a concrete tensor.

    Raises:
        ValueError: a rate outside [0, 1], or a noise shape that does not fit.
        TypeError: ``inputs`` is not a float tensor.

    >>> from kbackend import K, random
    >>> K.eval(random.dropout(K.ones((2, 2)), 1)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return _dropout(inputs, rate, noise_shape, seed)


__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "get_seed",
    "multinomial",
    "normal",
    "randint",
    "set_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_suggest_in(__name__)
