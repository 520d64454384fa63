"""Means, variances, weighted averages and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, to_numpy
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, values
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, reshape
from kbackend.ops.arrays.transpose import swapaxes
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.core.inspect import int_shape
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
    """The biased variance over axes, in two passes; integers give floatx.

    Arguments and errors as in :func:`sum`.
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
    """The biased standard deviation over axes; its gradient is 0 where it is 0.

    Arguments and errors as in :func:`sum`.
    """
    return precise(x, lambda wide: masked_root(var(wide, axis=axis, keepdims=keepdims)))


@derived(samples=lambda: [call(In((4, 3, 5)), (0, 1)), call(In((4, 3)), 0, True),
                          call(In((3, 1), values=1e4 + np.array([[0.0], [1.0], [2.0]])), 0, row=10, gradient=False,
                               dtypes=("float64", "float32"), name="at an offset",
                               expect=(np.array([10001.0]), np.array([2.0 / 3.0])))])
def classic_moments(x: TensorLike, axes: Any, keepdims: bool = False) -> Any:
    """The mean and the biased variance over axes."""
    return mean(x, axis=axes, keepdims=keepdims), var(x, axis=axes, keepdims=keepdims)


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 3)), 0), call(In((4, 3)), (0, 1), True, name="kept"),
    call(In((4, 3)), 0, False, True, raises=ValueError, name="synchronized")])
def moments(x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """The mean and the biased variance over axes.

    Args:
        x: a float tensor.
        axes: an axis or several.
        keepdims: keep them as dimensions of 1.
        synchronized: over several devices; a program runs on one, so True is refused.

    Raises:
        ValueError: an axis out of range, or ``synchronized``.

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
    """The mean over axes, weighted.

    Args:
        x: a tensor; integers give floatx.
        axis: None for all axes, an integer or a tuple.
        weights: None; a tensor of x's shape; or a vector as long as the axis. Where they add up to 0 the result is
            not finite.

    Raises:
        ValueError: weights of another shape; a vector of weights without one axis; an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import average
    >>> float(average(K.constant([1.0, 4.0]), weights=[2.0, 1.0]))
    2.0
    """
    if weights is None:
        return mean(x, axis=axis)
    shape, given = (int_shape(t) if hasattr(t, "shape") else to_numpy(t).shape for t in (x, weights))
    assert shape is not None and given is not None
    x, weights = (t if dtypes.is_float(dtype_of(t)) else cast(t, dtypes.canonical("float")) for t in (x, weights))
    if _agree(shape, given):
        total = sum_(weights, axis=axis)
    else:
        weights, total = _along(weights, given, axis, shape), sum_(weights)
    return sum_(multiply(x, weights), axis=axis) / total


def _agree(shape: Any, other: Any) -> bool:
    return len(shape) == len(other) and all(a is None or b is None or a == b for a, b in zip(shape, other))


def _along(weights: Any, given: Any, axis: Any, shape: Any) -> Any:
    if not hasattr(axis, "__index__") or len(given) != 1:
        raise ValueError(f"average: weights of shape {given} need x's shape {shape}, or one axis, it is {axis!r}")
    place = axis_in(axis, len(shape))
    if not _agree(given, shape[place : place + 1]):
        raise ValueError(f"average: {given[0]} weights do not fit axis {place} of the shape {shape}")
    return reshape(weights, [-1 if i == place else 1 for i in range(len(shape))])


def _corrcoef_rule(x: TensorSpec) -> TensorSpec:
    if x.ndim not in (1, 2):
        raise ValueError(f"corrcoef needs a vector, or a matrix with a variable in each row, not {x.shape}")
    return TensorSpec((x.shape[0], x.shape[0]) if x.ndim == 2 else (), x.dtype)


@composite(promote="float", rule=_corrcoef_rule, tolerance="matmul", samples=lambda: [
    call(In((3, 6)), dtypes=WIDE), call(In((2, 5), 1.0, 9.0), name="float16"),
    call(In((4,)), name="a vector", expect=np.array(1.0), gradient=False, dynamic=False, dtypes=WIDE),
    call(In((2, 3), values=[[1.0, 2.0, 4.0], [-2.0, -4.0, -8.0]]), name="opposite", gradient=False, dtypes=WIDE,
         expect=np.array([[1.0, -1.0], [-1.0, 1.0]])),
    call(In((2, 3), 0, 9, kind="int32"), name="int32", gradient=False),
    call(In((2, 2, 2)), raises=ValueError, name="rank", dtypes=WIDE)])
def corrcoef(x: TensorLike) -> Any:
    """The coefficients of correlation of Pearson (NumPy's ``corrcoef``).

    Args:
        x: a matrix with a variable in each row, or a vector; integers become floatx. float16 is computed in float32.

    Returns:
        A matrix (rows, rows) of numbers from -1 to 1, or the number 1; NaN for a row of equal elements.

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
