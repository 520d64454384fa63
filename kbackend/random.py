"""Random draws from one stream, the same bits on every engine, and the seeds they are made from.

Results are symbolic, as those of K.random_*: ``np.asarray(t)``, ``t.numpy()`` and ``K.eval(t)`` give values, and each
run of a program draws anew. ``seed`` is None (the process' stream, see :func:`set_seed`), an integer (the same draws in
any program), or a :class:`SeedGenerator` (the same sequence of draws in any program).

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
from kbackend.ops.nn.dropout import dropout as _dropout
from kbackend.ops.random.binomial import binomial
from kbackend.ops.random.categorical import categorical
from kbackend.ops.random.gamma import beta, gamma
from kbackend.ops.random.normal import random_normal as normal
from kbackend.ops.random.normal import truncated_normal
from kbackend.ops.random.permutation import shuffle
from kbackend.ops.random.uniform import random_uniform as uniform
from kbackend.streams import SeedGenerator, get_seed, set_seed

#: the name of :func:`categorical` in TensorFlow 1 and PyTorch
multinomial = categorical


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Integers in ``[minval, maxval)``, each as likely; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        minval, maxval: integers or integer scalar tensors, at most 2**46 apart. Those of tensors are not checked.
        dtype: an integer dtype.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    Returns:
        A symbolic tensor. No integer is likelier than another by more than the factor ``1 + range / 2**64``.

    Raises:
        ValueError: an empty range, one above 2**46, bounds that are not integers, or a negative dimension.
        TypeError: no integer dtype.

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
    """Sets elements of ``inputs`` to zero with probability ``rate`` and divides the others by ``1 - rate``.

    It is ``K.dropout``, which describes the arguments and errors.

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
