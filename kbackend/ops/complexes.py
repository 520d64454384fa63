"""Complex numbers: made of two real ones, taken apart, conjugated; and which ops take them.

The dtypes are complex64 and complex128. A gradient with respect to ``x + iy`` is ``dL/dx + i dL/dy``, for a real loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops.declare import REGISTRY, TensorLike, composite, derived, primitive
from kbackend.ops.joining import stack
from kbackend.ops.rules import WIDE, In, call, dtype_of, elementwise, values

#: the ops that take complex operands; all others refuse them with TypeError, comparisons of order among them
_TAKE_COMPLEX = (
    "abs add angle broadcast_to cast concatenate cond conj copy cos cosh cumprod cumsum dense divide einsum equal exp "
    "expand_dims expm1 extent full_like gather getitem getitem_at gradients identity imag isfinite isinf isnan "
    "isreal log loop_step matmul mean multiply negative not_equal pad permute_dimensions phase_select pow power_number "
    "print_tensor prod real reciprocal repeat_elements reshape reshape_to reverse rsqrt scan shape sin sinh "
    "split sqrt square squeeze stack stop_gradient subtract sum take_along_axis tan tanh tile unstack update where "
    "while_loop"
).split()

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
    """``x + iy``: complex128 of float64, complex64 of all others.

    Args:
        x, y: tensors or numbers, not complex; they broadcast.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a complex operand.

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import complex_
    >>> K.eval(complex_(K.constant([1.0]), 2.0)).tolist()
    [(1+2j)]
    """
    return TensorSpec(elementwise(x, y).shape, dtypes.complex_of(x.dtype))


@primitive(view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(In((2,), 0, 5, kind="int32"), gradient=False, name="int32")])
def real(x: TensorLike) -> TensorSpec:
    """The real part; real numbers stay as they are (NumPy's ``real``).

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import real
    >>> K.eval(real(K.constant([1 + 2j, 3.0]))).tolist()
    [1.0, 3.0]
    """
    return _part(x)


@primitive(view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(In((2,), 0, 5, kind="int32"), gradient=False, name="int32")])
def imag(x: TensorLike) -> TensorSpec:
    """The imaginary part; of real numbers zeros of their dtype (NumPy's ``imag``).

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import imag
    >>> K.eval(imag(K.constant([1 + 2j, 3.0]))).tolist()
    [2.0, 0.0]
    """
    return _part(x)


@primitive(view=True, tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((2, 3)), name="real"), call(In((0, 2), kind="complex64"), gradient=False),
    call(values(1 - 2j, 3j, kind="complex64"), gradient=False, expect=np.array([1 + 2j, -3j], np.complex64))])
def conj(x: TensorLike) -> TensorSpec:
    """The complex conjugate; real numbers stay as they are (NumPy's ``conj``).

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import conj
    >>> K.eval(conj(K.constant([1 + 2j, 3.0]))).tolist()
    [(1-2j), (3-0j)]
    """
    return TensorSpec(x.shape, x.dtype)


def conjugated(x: Any) -> Any:
    """The conjugate of complex numbers; others as they are, without a node."""
    return conj(x) if dtypes.is_complex(dtype_of(x)) else x


def _angle_rule(x: TensorSpec) -> TensorSpec:
    return TensorSpec(x.shape, dtypes.real_of(x.dtype))


@composite(promote="float", rule=_angle_rule, samples=lambda: [
    call(_COMPLEX, gradient=False, dtypes=WIDE), call(In((2, 3), avoid=(0.0,)), name="real"),
    call(values(1j, -1j, -1.0, -0.0, 0.0, kind="complex128"), gradient=False, name="axes",
         expect=np.array([np.pi / 2, -np.pi / 2, np.pi, np.pi, 0.0])),
    call(values(-3, 3, kind="int32"), gradient=False, name="int32"),
    call(In((0, 2), kind="complex64"), gradient=False, name="empty")])
def angle(x: TensorLike) -> Any:
    """The angle of a complex number, from -pi to pi; of real ones 0, or pi below zero (NumPy's ``angle``).

    Its gradient at 0 is 0. Integers give floatx.

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import angle
    >>> K.eval(angle(K.constant([1.0, 2j], dtype="complex128"))).round(3).tolist()
    [0.0, 1.571]
    """
    across, along = real(x), imag(x)
    origin = e.equal(across, 0.0) & e.equal(along, 0.0)
    slopes = e.atan2(e.where(origin, 0.0, along), e.where(origin, 1.0, across))
    return e.where(origin, e.stop_gradient(e.atan2(along, across)), slopes)


@derived(samples=lambda: [
    call(In((2, 3), 0.1, 2), In((3,), -3, 3), name="broadcasting", dtypes=WIDE), call(2.0, In((2,)), dtypes=WIDE),
    call(In((0, 2)), 1.0, name="empty", dtypes=WIDE), call(_COMPLEX, 1.0, raises=TypeError, name="complex"),
    call(In((2,)), In((3,)), raises=ValueError, name="shapes")])
def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """The complex numbers of these absolute values and angles: ``abs_ * (cos(angle) + i sin(angle))``.

    Args:
        abs_, angle: tensors or numbers, not complex; they broadcast.

    Returns:
        complex128 of float64, complex64 of all others.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a complex operand.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.complexes import polar
    >>> K.eval(polar(2.0, K.constant([0.0]))).tolist()
    [(2+0j)]
    """
    _refuse_complex("polar", abs_, angle)
    return complex_(abs_ * e.cos(angle), abs_ * e.sin(angle))


def _refuse_complex(name: str, *operands: Any) -> None:
    for operand in operands:
        if dtypes.is_complex(dtype_of(operand)):
            raise TypeError(f"{name} needs real numbers, it was given {dtype_of(operand)}")


def _shape(x: Any) -> tuple[int | None, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


@derived(samples=lambda: [
    call(In((3, 2)), dtypes=WIDE), call(In((2,)), dtypes=WIDE, name="one number", dynamic=False),
    call(In((0, 2)), name="empty"), call(In((2, 3)), raises=ValueError, name="three parts"),
    call(In(()), raises=ValueError, name="scalar"),
    call(In((3, 2), kind="complex64"), raises=TypeError, name="complex")])
def view_as_complex(x: TensorLike) -> Any:
    """Complex numbers of real and imaginary parts, which stand in the last dimension.

    Args:
        x: a tensor (..., 2) of real numbers.

    Returns:
        A tensor (...): complex128 of float64, complex64 of all others.

    Raises:
        ValueError: the last dimension is not 2, or not known.
        TypeError: complex numbers.

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import view_as_complex
    >>> K.eval(view_as_complex(K.constant([[1.0, 2.0]]))).tolist()
    [(1+2j)]
    """
    shape = _shape(x)
    if not shape or shape[-1] != 2:
        raise ValueError(f"view_as_complex needs a last dimension of 2, the shape is {shape}")
    _refuse_complex("view_as_complex", x)
    return complex_(x[..., 0], x[..., 1])


@derived(tolerance="exact", samples=lambda: [
    call(_COMPLEX, gradient=False), call(In((), kind="complex64"), gradient=False, name="scalar"),
    call(In((0, 2), kind="complex64"), gradient=False, name="empty"), call(In((2,)), raises=TypeError, name="real")])
def view_as_real(x: TensorLike) -> Any:
    """Real and imaginary part of complex numbers, side by side in a new last dimension.

    Args:
        x: a complex tensor (...).

    Returns:
        A tensor (..., 2) of floats of the same precision.

    Raises:
        TypeError: real numbers.

    >>> from kbackend import K
    >>> from kbackend.ops.complexes import view_as_real
    >>> K.eval(view_as_real(K.constant([1 + 2j]))).tolist()
    [[1.0, 2.0]]
    """
    if not dtypes.is_complex(dtype_of(x)):
        raise TypeError(f"view_as_real needs complex numbers, it was given {dtype_of(x)}")
    return stack([real(x), imag(x)], axis=-1)


def mark_takers() -> None:
    """Let the ops named above take complex operands; called once all of them are declared."""
    for name in _TAKE_COMPLEX:
        REGISTRY[name].takes_complex = True


__all__ = ["angle", "complex_", "conj", "imag", "polar", "real", "view_as_complex", "view_as_real"]
