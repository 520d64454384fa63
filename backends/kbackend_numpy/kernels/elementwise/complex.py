"""Kernels of complex numbers.

Inside the tape the gradient with respect to ``z = x + iy`` is ``dL/dx - i dL/dy``: with this convention the rules of
autograd and of the other families hold for complex numbers unchanged. The tape conjugates the gradients it returns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp

from kbackend_numpy.kernels.reduction.reductions import unbroadcast
from kbackend_numpy.recording import primitive


def _joined(x: Any, y: Any) -> Any:
    """``x + iy`` of float32 or float64; computing the sum would lose signs of zeros and turn infinities into NaN."""
    result = np.empty(np.broadcast_shapes(x.shape, y.shape), np.result_type(x.dtype, np.complex64))
    result.real, result.imag = x, y
    return result


@primitive
def _complex(x: Any, y: Any) -> Any:
    return _joined(x, y)


defvjp(
    _complex,
    lambda ans, x, y: lambda g: unbroadcast(real(g), x.shape).astype(x.dtype),
    lambda ans, x, y: lambda g: unbroadcast(-imag(g), y.shape).astype(y.dtype),
)


def complex_(x: Any, y: Any) -> Any:
    return _complex(x, y)


@primitive
def _real(x: Any) -> Any:
    return np.array(x.real)


defvjp(_real, lambda ans, x: lambda g: to_complex(g, x.dtype))


@primitive
def _imag(x: Any) -> Any:
    return np.array(x.imag)


defvjp(_imag, lambda ans, x: lambda g: _complex(np.zeros((), g.dtype), -g))


@primitive
def _conj(x: Any) -> Any:
    return np.conj(x)


defvjp(_conj, lambda ans, x: lambda g: _conj(g))


@primitive
def to_complex(x: Any, dtype: Any) -> Any:
    """Real numbers cast to a complex dtype."""
    return x.astype(dtype)


defvjp(to_complex, lambda ans, x, dtype: lambda g: real(g).astype(x.dtype))


@primitive
def modulus(x: Any) -> Any:
    """The absolute value of complex numbers."""
    return np.absolute(x)


@primitive
def _unit(x: Any, size: Any) -> Any:
    """``conj(x) / size``, and 0 where both are 0."""
    return np.conj(x) / np.where(size == 0, size.dtype.type(1), size)


def _unit_of_x(ans: Any, x: Any, size: Any) -> Any:
    return lambda g: _conj(g) / _nonzero(size)


def _unit_of_size(ans: Any, x: Any, size: Any) -> Any:
    return lambda g: -real(g * ans) / _nonzero(size)


@primitive
def _nonzero(size: Any) -> Any:
    return np.where(size == 0, size.dtype.type(1), size)


defvjp(_nonzero, lambda ans, size: lambda g: g * (size != 0))
defvjp(_unit, _unit_of_x, _unit_of_size)
defvjp(modulus, lambda ans, x: lambda g: to_complex(g, x.dtype) * _unit(x, ans))


def real(x: Any) -> Any:
    return _real(x) if x.dtype.kind == "c" else x


def imag(x: Any) -> Any:
    return _imag(x) if x.dtype.kind == "c" else np.zeros(x.shape, x.dtype)


def conj(x: Any) -> Any:
    return _conj(x) if x.dtype.kind == "c" else x


KERNELS = {"complex": complex_, "conj": conj, "imag": imag, "real": real}
