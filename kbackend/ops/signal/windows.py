"""Window functions of signals, of a length that is known while the graph is built."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.call import to_numpy
from kbackend.declare.decorate import derived
from kbackend.declare.sample import Sample, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.leaves import constant


def _samples(*arguments: Any) -> list[Sample]:
    return [
        call(8, *arguments),
        call(1, *arguments, name="one"),
        call(0, *arguments, name="none"),
        call(np.int64(3), *arguments, name="NumPy's integer"),
        call(2.5, *arguments, name="no integer", raises=TypeError),
    ]


def _length(x: Any, name: str) -> int:
    if isinstance(x, Tensor):
        raise TypeError(f"{name}: the length must be known while the graph is built, it is {x!r}")
    try:
        return operator.index(x)
    except TypeError:
        found = to_numpy(x)
    if found.size != 1 or found.dtype.kind not in "iu":
        raise TypeError(f"{name}: the length must be an integer, it is {x!r}")
    return int(found.reshape(()))


def _window(make: Callable[..., np.ndarray], x: Any, *arguments: float) -> Any:
    return constant(make(_length(x, make.__name__), *arguments), dtype=config.floatx())


@derived(samples=lambda: _samples())
def bartlett(x: Any) -> Any:
    """The triangular window that is 0 at both ends (NumPy's ``bartlett``).

    Args:
        x: the length, an integer; the window is empty for lengths below 1.

    Returns:
        A vector of floatx.

    Raises:
        TypeError: a length that is not an integer, or is unknown while the graph is built.

    >>> from kbackend import K
    >>> from kbackend.ops import bartlett
    >>> K.eval(bartlett(5)).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window(np.bartlett, x)


@derived(samples=lambda: _samples())
def blackman(x: Any) -> Any:
    """The Blackman window ``0.42 - 0.5 cos(t) + 0.08 cos(2 t)`` for t from 0 to 2 pi (NumPy's ``blackman``).

    Arguments, result and errors are those of :func:`bartlett`.

    >>> from kbackend import K
    >>> from kbackend.ops import blackman
    >>> K.eval(K.round(blackman(3))).tolist()
    [-0.0, 1.0, -0.0]
    """
    return _window(np.blackman, x)


@derived(samples=lambda: _samples())
def hamming(x: Any) -> Any:
    """The Hamming window ``0.54 - 0.46 cos(t)`` for t from 0 to 2 pi (NumPy's ``hamming``).

    Arguments, result and errors are those of :func:`bartlett`.

    >>> from kbackend import K
    >>> from kbackend.ops import hamming
    >>> K.eval(K.round(hamming(3))).tolist()
    [0.0, 1.0, 0.0]
    """
    return _window(np.hamming, x)


@derived(samples=lambda: _samples())
def hanning(x: Any) -> Any:
    """The Hann window ``0.5 - 0.5 cos(t)`` for t from 0 to 2 pi (NumPy's ``hanning``).

    Arguments, result and errors are those of :func:`bartlett`.

    >>> from kbackend import K
    >>> from kbackend.ops import hanning
    >>> K.eval(hanning(3)).tolist()
    [0.0, 1.0, 0.0]
    """
    return _window(np.hanning, x)


@derived(samples=lambda: [*_samples(6.0), call(5, 0.0, name="a flat one")])
def kaiser(x: Any, beta: Any) -> Any:
    """The Kaiser window ``i0(beta sqrt(1 - t**2)) / i0(beta)`` for t from -1 to 1 (NumPy's ``kaiser``).

    Args:
        x: the length, an integer; the window is empty for lengths below 1.
        beta: the shape parameter, a number: 0 gives a rectangular window, larger numbers narrower ones.

    Returns:
        A vector of floatx.

    Raises:
        TypeError: a length that is not an integer, or is unknown while the graph is built.

    >>> from kbackend import K
    >>> from kbackend.ops import kaiser
    >>> K.eval(kaiser(3, 0.0)).tolist()
    [1.0, 1.0, 1.0]
    """
    return _window(np.kaiser, x, float(to_numpy(beta).reshape(())))


__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]
