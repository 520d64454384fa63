"""Cumulative sums and products along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import WIDE, Samples, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import canonical_axis
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.reshape import flatten
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast


def _cumulated(x: TensorSpec, axis: int) -> TensorSpec:
    if x.dtype == dtypes.BOOL:
        raise TypeError("a cumulative sum or product of bool; cast it first")
    return x


def _cumulative(*extra: Sample, **options: Any) -> Samples:
    return lambda: [
        call(In((4,), **options), name="vector"),
        call(In((2, 3, 4), **options), axis=-2, name="middle axis"),
        call(In((3, 1), **options), axis=1, name="size one"),
        call(In((0, 3), **options), name="nothing"),
        call(In((3, 0), **options), axis=0, name="empty result"),
        call(In((4,), -4, 4, kind="int32"), row=31, gradient=False, name="int32 stays"),
        call(In((2, 3)), axis=2, raises=ValueError, name="axis out of range"),
        call(In((2,), kind="bool"), raises=TypeError, name="bool"),
        *extra,
    ]


_CUMULATIVE: dict[str, Any] = {"prepare": canonical_axis, "tolerance": "cumulative"}


@primitive(takes_complex=True, name="cumsum",
    **_CUMULATIVE,
    samples=_cumulative(
        call(In(values=np.full(4096, 0.25)), name="float16 accumulates in float32", gradient=False)
    ),
)
def cumsum_along(x: TensorLike, axis: int = 0) -> TensorSpec:
    """The cumulative sum along an axis (Keras's ``K.cumsum``).

    Args:
        x: a tensor of numbers.
        axis: the axis.

    Returns:
        A tensor of the shape and dtype of ``x``: int32 stays int32; float16 and bfloat16 are accumulated in float32.

    Raises:
        ValueError: an axis out of range.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> K.eval(K.cumsum(K.constant([1., 2., 3.]))).tolist()
    [1.0, 3.0, 6.0]
    """
    return _cumulated(x, axis)


@primitive(takes_complex=True, name="cumprod",
    **_CUMULATIVE,
    samples=_cumulative(
        call(values(0.0, 2.0), row=64, expect=np.zeros(2), expect_gradient=np.array([3.0, 0.0]), name="zero"),
        call(
            values(2.0, 0.0, 3.0, 0.0, 5.0),
            name="two zeros",
            dtypes=WIDE,
            expect_gradient=np.array([1.0, 8.0, 0.0, 0.0, 0.0]),
        ),
        low=0.5,
    ),
)
def cumprod_along(x: TensorLike, axis: int = 0) -> TensorSpec:
    """The cumulative product along an axis (Keras's ``K.cumprod``); its gradient is exact where elements are 0.

    Arguments, result and errors as in :func:`kbackend.backend.cumsum`.

    >>> from kbackend import K
    >>> K.eval(K.cumprod(K.constant([1., 2., 3.]))).tolist()
    [1.0, 2.0, 6.0]
    """
    return _cumulated(x, axis)


def _total_samples() -> list[Sample]:
    return [
        call(In((2, 3), 0.5), name="all elements"), call(In((2, 3), 0.5), -1), call(In((0, 2)), 0, name="empty"),
        call(In((3,), kind="bool"), 0, "int32", gradient=False, name="bool as integers"),
        call(In((2, 3)), 2, raises=ValueError, name="axis")]


def _accumulated(accumulate: Callable[..., Any], x: Any, axis: Any, dtype: Any) -> Any:
    x = as_tensor(x)
    if dtype is not None:
        x = cast(x, dtypes.canonical(dtype))
    return accumulate(flatten(x), axis=0) if axis is None else accumulate(x, axis=axis)


@derived(tolerance="cumulative", samples=_total_samples)
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative sum (NumPy's ``cumsum``).

    Args:
        x: a tensor of numbers, or of any dtype when ``dtype`` is given.
        axis: the axis; None accumulates over the flattened tensor.
        dtype: the dtype of the sums; that of ``x`` when None.

    Returns:
        A tensor of the shape of ``x``, or a vector when ``axis`` is None.

    Raises:
        ValueError: an axis out of range.
        TypeError: a bool tensor without ``dtype``, or an unknown dtype.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.cumsum([[1, 2], [3, 4]])]
    [1, 3, 6, 10]
    """
    return _accumulated(cumsum_along, x, axis, dtype)


@derived(tolerance="cumulative", samples=_total_samples)
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Any:
    """The cumulative product (NumPy's ``cumprod``). Arguments, result and errors as in :func:`cumsum`.

    >>> from kbackend import ops
    >>> [int(v) for v in ops.cumprod([[1, 2], [3, 4]])]
    [1, 2, 6, 24]
    """
    return _accumulated(cumprod_along, x, axis, dtype)


__all__ = ["cumprod", "cumsum"]
