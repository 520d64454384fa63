"""Complex numbers: composition and decomposition into real and imaginary part or modulus and angle.

The dtypes are complex64 and complex128. A gradient with respect to ``x + iy`` is ``dL/dx + i dL/dy``, for a real loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, compared, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import elementwise
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.join import stack
from kbackend.ops.core.cast import stop_gradient
from kbackend.ops.core.creation import fill_like
from kbackend.ops.elementwise.floating import QUESTION, _infinite_samples
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.elementwise.trigonometric import atan2, cos, sin

_COMPLEX = In((2, 3), kind="complex128")


def _part(x: TensorSpec) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.real_of(x.dtype))


@primitive(name="complex", promote="float", tolerance="exact", samples=lambda: [
    call(In((2, 3)), In((3,)), name="broadcasting", dtypes=("float64", "float32", "float16")),
    call(In((0, 2)), 1.0, name="empty"),
    call(In((2,), 0, 5, kind="int32"), In((2,)), gradient=False, name="int32", dtypes=WIDE),
    call(values(0.0, -0.0), values(-0.0, float("inf")), gradient=False, name="signs and infinity", dtypes=WIDE,
         expect=np.array([complex(0.0, -0.0), complex(-0.0, float("inf"))])),
    call(_COMPLEX, 1.0, raises=TypeError, name="complex"), call(In((2,)), In((3,)), raises=ValueError, name="shapes")])
def complex_(x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x + iy``.

    Args:
        x, y: real tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape: complex128 for float64, complex64 for all other dtypes.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a complex operand.

    >>> from kbackend import K
    >>> from kbackend.ops import complex_
    >>> K.eval(complex_(K.constant([1.0]), 2.0)).tolist()
    [(1+2j)]
    """
    return TensorSpec(elementwise(x, y).shape, dtypes.complex_of(x.dtype))


@primitive(takes_complex=True, view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(In((2,), 0, 5, kind="int32"), gradient=False, name="int32")])
def real(x: TensorLike) -> TensorSpec:
    """The real part (NumPy's ``real``).

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        Floats of the same precision for complex numbers; ``x`` itself for real ones.

    >>> from kbackend import K
    >>> from kbackend.ops import real
    >>> K.eval(real(K.constant([1 + 2j, 3.0]))).tolist()
    [1.0, 3.0]
    """
    return _part(x)


@primitive(takes_complex=True, view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(In((2,), 0, 5, kind="int32"), gradient=False, name="int32")])
def imag(x: TensorLike) -> TensorSpec:
    """The imaginary part (NumPy's ``imag``).

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        Floats of the same precision for complex numbers; zeros of the dtype of ``x`` for real ones.

    >>> from kbackend import K
    >>> from kbackend.ops import imag
    >>> K.eval(imag(K.constant([1 + 2j, 3.0]))).tolist()
    [2.0, 0.0]
    """
    return _part(x)


@primitive(takes_complex=True, view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(values(1 - 2j, 3j, kind="complex64"), gradient=False, expect=np.array([1 + 2j, -3j], np.complex64))])
def conj(x: TensorLike) -> TensorSpec:
    """The complex conjugate (NumPy's ``conj``).

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        A tensor of the dtype of ``x``; ``x`` itself for real numbers.

    >>> from kbackend import K
    >>> from kbackend.ops import conj
    >>> K.eval(conj(K.constant([1 + 2j, 3.0]))).tolist()
    [(1-2j), (3-0j)]
    """
    return TensorSpec(x.shape, x.dtype)


def conjugated(x: Any) -> Any:
    """The conjugate of a complex tensor; a real one itself, without a node."""
    return conj(x) if dtypes.is_complex(dtype_of(x)) else x


def _angle_rule(x: TensorSpec) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.real_of(x.dtype))


@composite(takes_complex=True, promote="float", rule=_angle_rule, samples=lambda: [
    call(_COMPLEX, gradient=False, dtypes=WIDE), call(In((2, 3), avoid=(0.0,)), name="real"),
    call(values(1j, -1j, -1.0, -0.0, 0.0, kind="complex128"), gradient=False, name="axes",
         expect=np.array([np.pi / 2, -np.pi / 2, np.pi, np.pi, 0.0])),
    call(values(-3, 3, kind="int32"), gradient=False, name="int32"),
    call(In((0, 2), kind="complex64"), gradient=False, name="empty")])
def angle(x: TensorLike) -> Any:
    """The argument of a complex number in (-pi, pi], in radians (NumPy's ``angle``).

    Args:
        x: a tensor of any shape; integers are promoted to floatx.

    Returns:
        Floats; for real ``x`` 0, or pi where ``x`` is negative. The gradient at 0 is 0.

    >>> from kbackend import K
    >>> from kbackend.ops import angle
    >>> K.eval(angle(K.constant([1.0, 2j], dtype="complex128"))).round(3).tolist()
    [0.0, 1.571]
    """
    re, im = real(x), imag(x)
    at_zero = (re == 0.0) & (im == 0.0)
    found = atan2(select_elements(at_zero, 0.0, im), select_elements(at_zero, 1.0, re))
    # the angle of a zero depends on the signs of its parts
    return select_elements(at_zero, stop_gradient(atan2(im, re)), found)


@derived(samples=lambda: [
    call(In((2, 3), 0.1, 2), In((3,), -3, 3), name="broadcasting", dtypes=WIDE), call(2.0, In((2,)), dtypes=WIDE),
    call(In((0, 2)), 1.0, name="empty", dtypes=WIDE), call(_COMPLEX, 1.0, raises=TypeError, name="complex"),
    call(In((2,)), In((3,)), raises=ValueError, name="shapes")])
def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """The complex numbers of given moduli and angles: ``abs_ * (cos(angle) + i sin(angle))``.

    Args:
        abs_: real tensor or number.
        angle: real tensor or number, in radians; it broadcasts with ``abs_``.

    Returns:
        A tensor of the broadcast shape: complex128 for float64, complex64 for all other dtypes.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a complex operand.

    >>> from kbackend import K
    >>> from kbackend.ops import polar
    >>> K.eval(polar(2.0, K.constant([0.0]))).tolist()
    [(2+0j)]
    """
    _refuse_complex("polar", abs_, angle)
    return complex_(abs_ * cos(angle), abs_ * sin(angle))


def _refuse_complex(name: str, *operands: Any) -> None:
    for operand in operands:
        if dtypes.is_complex(dtype_of(operand)):
            raise TypeError(f"{name} needs real numbers, it was given {dtype_of(operand)}")



@derived(samples=lambda: [
    call(In((3, 2)), dtypes=WIDE), call(In((2,)), dtypes=WIDE, name="one number", dynamic=False),
    call(In((0, 2)), name="empty"), call(In((2, 3)), raises=ValueError, name="three parts"),
    call(In(()), raises=ValueError, name="scalar"),
    call(In((3, 2), kind="complex64"), raises=TypeError, name="complex")])
def view_as_complex(x: TensorLike) -> Any:
    """Complex numbers from pairs of real and imaginary part in the last axis.

    Args:
        x: a real tensor ``(..., 2)``.

    Returns:
        A tensor ``(...)``: complex128 for float64, complex64 for all other dtypes.

    Raises:
        ValueError: the last dimension is not 2, or unknown.
        TypeError: a complex tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import view_as_complex
    >>> K.eval(view_as_complex(K.constant([[1.0, 2.0]]))).tolist()
    [(1+2j)]
    """
    _refuse_complex("view_as_complex", x)
    pairs = lift(x)
    if not pairs.shape or pairs.shape[-1] != 2:
        raise ValueError(f"view_as_complex needs a last dimension of 2, the shape is {pairs.shape}")
    return complex_(pairs[..., 0], pairs[..., 1])


@derived(tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((), kind="complex64"), gradient=False, name="scalar"),
    call(In((0, 2), kind="complex64"), gradient=False, name="empty"), call(In((2,)), raises=TypeError, name="real")])
def view_as_real(x: TensorLike) -> Any:
    """Real and imaginary part side by side in a new last axis.

    Args:
        x: a complex tensor ``(...)``.

    Returns:
        A tensor ``(..., 2)`` of floats of the same precision.

    Raises:
        TypeError: a real tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import view_as_real
    >>> K.eval(view_as_real(K.constant([1 + 2j]))).tolist()
    [[1.0, 2.0]]
    """
    if not dtypes.is_complex(dtype_of(x)):
        raise TypeError(f"view_as_real needs complex numbers, it was given {dtype_of(x)}")
    return stack([real(x), imag(x)], axis=-1)


@composite(takes_complex=True, **QUESTION, rule=compared, samples=lambda: [
    *_infinite_samples(), call(In((2,), kind="bool"), gradient=False, name="bool"),
    call(values(1j, 2.0, kind="complex64"), gradient=False, name="complex", expect=np.array([False, True]))])
def isreal(x: TensorLike) -> Any:
    """Whether the imaginary part is 0; True for every real number, NaN included (NumPy's ``isreal``).

    Args:
        x: a tensor of any shape and dtype.

    Returns:
        A bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import isreal
    >>> K.eval(isreal(K.constant([1.0, 2.0]))).tolist()
    [True, True]
    """
    if dtypes.is_complex(dtype_of(x)):
        return imag(x) == 0.0
    return fill_like(x, 1, "bool")


conjugate = conj

__all__ = [
    "angle", "complex_", "conj", "conjugate", "imag", "isreal", "polar", "real", "view_as_complex",
    "view_as_real",
]
