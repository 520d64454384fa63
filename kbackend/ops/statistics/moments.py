"""Means, variances, weighted averages and correlation coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import Shape, TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, reshape
from kbackend.ops.arrays.transpose import swapaxes
from kbackend.ops.core.arguments import as_tensor, shape_of
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.elementwise.power import masked_root, sqrt, square
from kbackend.ops.elementwise.precision import precise
from kbackend.ops.elementwise.select import clip
from kbackend.ops.reduction.reductions import _DERIVED, _samples, mean, sum_


@composite(
    **_DERIVED,
    samples=_samples(
        call(values(1e4, 1e4 + 1, 1e4 + 2), row=10, dtypes=WIDE, expect=np.array(2 / 3), name="offset"),
        call(values(3.0), row=11, expect=np.array(0.0), gradient=False, name="one element"),
        call(values(1, 2, kind="int32"), gradient=False, name="integers give floatx"),
    ),
)
def var(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased variance over axes, in two passes (NumPy's ``var``).

    Args:
        x: a tensor of integers or floats, of any shape; integers are promoted to floatx.
        axis: an axis or several; negative ones count from the end; None for all.
        keepdims: whether reduced axes are kept with size 1.

    Returns:
        A float tensor; float16 and bfloat16 are computed in float32.

    Raises:
        ValueError: an axis out of range or repeated.

    >>> from kbackend import K
    >>> float(K.eval(K.var([1., 3.])))
    1.0
    """

    def body(wide: Any) -> Any:
        centred = wide - mean(wide, axis=axis, keepdims=True)
        return mean(square(centred), axis=axis, keepdims=keepdims)

    return precise(x, body)


@composite(
    **_DERIVED,
    samples=_samples(
        call(
            values(1e4, 1e4 + 1, 1e4 + 2), row=10, dtypes=WIDE, expect=np.sqrt(np.array(2 / 3)), name="offset"
        ),
        call(values(3.0), row=11, expect=np.array(0.0), gradient=False, name="one element"),
        call(
            values(2.0, 2.0, 2.0), row=60, expect=np.array(0.0), expect_gradient=np.zeros(3), name="constant"
        ),
    ),
)
def std(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased standard deviation over axes (NumPy's ``std``); its gradient is 0 where it is 0.

    Arguments, result and errors as in :func:`var`.

    >>> from kbackend import K
    >>> float(K.eval(K.std([1., 3.])))
    1.0
    """
    return precise(x, lambda wide: masked_root(var(wide, axis=axis, keepdims=keepdims)))


@derived(samples=lambda: [call(In((4, 3, 5)), (0, 1)), call(In((4, 3)), 0, True),
                          call(In((3, 1), values=1e4 + np.array([[0.0], [1.0], [2.0]])), 0, row=10, gradient=False,
                               dtypes=("float64", "float32"), name="at an offset",
                               expect=(np.array([10001.0]), np.array([2.0 / 3.0])))])
def classic_moments(x: TensorLike, axes: Any, keepdims: bool = False) -> Any:
    """The mean and the biased variance over axes, a pair of tensors."""
    return mean(x, axis=axes, keepdims=keepdims), var(x, axis=axes, keepdims=keepdims)


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 3)), 0), call(In((4, 3)), (0, 1), True, name="kept"),
    call(In((4, 3)), 0, False, True, raises=ValueError, name="synchronized")])
def moments(x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the biased variance over axes (Keras 3's ``moments``).

    Args:
        x: a tensor of integers or floats, of any shape; integers are promoted to floatx.
        axes: an axis or several.
        keepdims: whether reduced axes are kept with size 1.
        synchronized: over several devices; not supported, True is refused.

    Returns:
        A pair of tensors.

    Raises:
        ValueError: an axis out of range or repeated, or ``synchronized``.

    >>> from kbackend import ops
    >>> [float(v) for v in ops.moments([1.0, 3.0], 0)]
    [2.0, 1.0]
    """
    if synchronized:
        raise ValueError("moments: synchronized=True needs several devices, and a program runs on one")
    return classic_moments(as_tensor(x), axes, keepdims)


@derived(tolerance="reduction", samples=lambda: [
    call(In((2, 3)), name="no weights"),
    call(In((2, 3)), 1, In((2, 3), 0.1, 2), name="weights of x's shape"),
    call(In((2, 3)), -1, In((3,), 0.1, 2), name="weights of one axis", dynamic=False),
    call(In((3, 2, 2)), (0, 2), In((3, 2, 2), 0.1, 2), name="two axes"),
    call(In((4,), -9, 9, kind="int32"), None, In((4,), 1, 5, kind="int32"), gradient=False, name="int32"),
    call(In((2, 3)), None, In((3,)), raises=ValueError, name="no axis for the weights"),
    call(In((2, 3)), 0, In((3,)), raises=ValueError, name="weights of another axis", dynamic=False)])
def average(x: TensorLike, axis: Any = None, weights: Any = None) -> Any:
    """The weighted mean over axes (NumPy's ``average``).

    Args:
        x: a tensor; integers are promoted to floatx.
        axis: an axis or several; negative ones count from the end; None for all.
        weights: None; a tensor of the shape of ``x``; or a vector as long as the single ``axis``. The result is not
            finite where their sum is 0.

    Raises:
        ValueError: weights of another shape, a vector of weights without a single axis, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import average
    >>> float(average(K.constant([1.0, 4.0]), weights=[2.0, 1.0]))
    2.0
    """
    if weights is None:
        return mean(x, axis=axis)
    shape, weights_shape = shape_of(x), shape_of(weights)
    x, weights = (t if dtypes.is_float(dtype_of(t)) else cast(t, dtypes.canonical("float")) for t in (x, weights))
    if _agree(shape, weights_shape):
        total = sum_(weights, axis=axis)
    else:
        weights, total = _along(weights, weights_shape, axis, shape), sum_(weights)
    return sum_(multiply(x, weights), axis=axis) / total


def _agree(shape: Shape, other: Shape) -> bool:
    return len(shape) == len(other) and all(a is None or b is None or a == b for a, b in zip(shape, other))


def _along(weights: Any, weights_shape: Shape, axis: Any, shape: Shape) -> Any:
    """A vector of weights that broadcasts along one axis of a shape."""
    if not hasattr(axis, "__index__") or len(weights_shape) != 1:
        raise ValueError(
            f"average: weights of shape {weights_shape} do not have x's shape {shape}; a vector of weights needs a "
            f"single axis, it is {axis!r}"
        )
    place = axis_in(axis, len(shape))
    if not _agree(weights_shape, shape[place : place + 1]):
        raise ValueError(f"average: {weights_shape[0]} weights do not fit axis {place} of the shape {shape}")
    return reshape(weights, [-1 if i == place else 1 for i in range(len(shape))])


def _corrcoef_rule(x: TensorSpec) -> TensorSpec:
    if x.ndim not in (1, 2):
        raise ValueError(f"corrcoef needs a vector or a matrix of one variable in each row, the shape is {x.shape}")
    return TensorSpec((x.shape[0], x.shape[0]) if x.ndim == 2 else (), x.dtype)


@composite(promote="float", rule=_corrcoef_rule, tolerance="matmul", samples=lambda: [
    call(In((3, 6)), dtypes=WIDE), call(In((2, 5), 1.0, 9.0), name="float16"),
    call(In((4,)), name="a vector", expect=np.array(1.0), gradient=False, dynamic=False, dtypes=WIDE),
    call(In((2, 3), values=[[1.0, 2.0, 4.0], [-2.0, -4.0, -8.0]]), name="opposite", gradient=False, dtypes=WIDE,
         expect=np.array([[1.0, -1.0], [-1.0, 1.0]])),
    call(In((2, 3), 0, 9, kind="int32"), name="int32", gradient=False),
    call(In((2, 2, 2)), raises=ValueError, name="rank", dtypes=WIDE)])
def corrcoef(x: TensorLike) -> Any:
    """The Pearson correlation coefficients (NumPy's ``corrcoef``).

    Args:
        x: a matrix of one variable in each row, or a vector; integers are promoted to floatx.

    Returns:
        A matrix ``(rows, rows)`` of numbers in [-1, 1], or the scalar 1 for a vector; NaN for a row of equal elements.
        float16 and bfloat16 are computed in float32.

    Raises:
        ValueError: another rank.

    >>> from kbackend import K, ops
    >>> K.eval(ops.corrcoef(K.constant([[1., 2.], [4., 3.]]))).round(5).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    def body(wide: Any) -> Any:
        rows = wide if len(wide.shape) == 2 else expand_dims(wide, 0)
        centred = rows - mean(rows, axis=1, keepdims=True)
        unit = centred / sqrt(sum_(square(centred), axis=1, keepdims=True))
        coefficients = clip(unit @ swapaxes(unit, 0, 1), -1.0, 1.0)
        return coefficients if len(wide.shape) == 2 else coefficients[..., 0][..., 0]

    return precise(x, body)


__all__ = ["average", "corrcoef", "moments", "std", "var"]
