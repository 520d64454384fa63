"""Batch normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axes_in, axis_in, broadcast
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import lengths
from kbackend.ops.arrays.reshape import extent, reshape
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.elementwise.power import rsqrt
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.statistics.moments import classic_moments

_STATISTICS: dict[str, Any] = {"low": 0.5, "high": 2.0}


def check_float(x: TensorSpec) -> None:
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"normalization needs a float tensor, not {x.dtype}; cast it first")


def _along_axes(value: Any, x: Any, axes: Sequence[int]) -> Any:
    """``value``, whose dimensions are ``axes`` of x, reshaped to the rank of x so that it broadcasts."""
    if value is None or len(value.shape) in (0, len(x.shape)):
        return value
    sizes = iter(lengths(value))
    return reshape(value, [next(sizes) if a in axes else 1 for a in range(len(x.shape))])


def _normalization_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"axis": axis_in(attrs["axis"], specs[0].ndim), "epsilon": float(attrs["epsilon"])}


def _normalization_rule(x: TensorSpec, *values: TensorSpec | None, axis: int, epsilon: float) -> TensorSpec:
    check_float(x)
    for label, value in zip(("mean", "var", "beta", "gamma"), values, strict=True):
        if value is not None:
            _check_fits(label, value, x, axis)
    return x


def _check_fits(label: str, value: TensorSpec, x: TensorSpec, axis: int) -> None:
    if value.ndim not in (0, 1, x.ndim):
        raise ValueError(f"{label} {value.shape} must have rank 1 or that of x {x.shape}")
    shape = value.shape
    if value.ndim == 1:
        shape = tuple(shape[0] if a == axis else 1 for a in range(x.ndim))
    joint = broadcast(shape, x.shape)
    if any(d is not None and n is not None and d != n for d, n in zip(joint, x.shape, strict=True)):
        raise ValueError(f"{label} {value.shape} does not fit axis {axis} of x {x.shape}")


def _normalization_samples() -> list[Sample]:
    def values(*shape: int) -> list[In]:
        return [In(shape), In(shape, **_STATISTICS), In(shape), In(shape)]

    x = In((4, 3, 5))
    return [
        call(x, *values(5)),
        call(x, *values(3), axis=1, name="inner axis"),
        call(x, *values(1, 3, 1), axis=1, name="statistics of the rank of x"),
        call(x, *values(5)[:2], None, None, epsilon=1e-2, name="neither beta nor gamma"),
        call(x, *values(5)[:2], None, In((5,)), name="no beta"),
        call(x, *values(5)[:3], None, name="no gamma"),
        call(In((0, 5)), *values(5), name="empty"),
        call(In((1, 2), values=[[3.0, 5.0]]), In((2,), values=[1.0, 2.0]), In((2,), values=[1.0, 4.0]), None, None,
             row=8, expect=np.array([[2.0 / np.sqrt(1.001), 3.0 / np.sqrt(4.001)]]), name="the default of epsilon"),
        call(x, *values(4), raises=ValueError, name="channels do not fit"),
    ]


@composite(name="batch_normalization", prepare=_normalization_attrs, rule=_normalization_rule, tolerance="reduction",
           samples=_normalization_samples)
def classic_batch_normalization(x: TensorLike, mean: TensorLike, var: TensorLike, beta: TensorLike | None,
                        gamma: TensorLike | None, axis: int = -1, epsilon: float = 1e-3) -> Any:
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta`` along an axis of channels.

    Args:
        x: a float tensor.
        mean, var, beta, gamma: vectors along ``axis`` of x, or tensors of the rank of x that broadcast against it.
            beta and gamma may be None.
        axis: the axis of the channels.
        epsilon: added to the variance.

    Returns:
        A tensor of the shape and dtype of ``x``; 16-bit floats are computed in float32.

    Raises:
        ValueError: shapes that do not fit, or an axis out of range.
        TypeError: ``x`` is not a float tensor.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015.

    >>> from kbackend import K
    >>> y = K.batch_normalization(K.constant([[3.0]]), [1.0], [4.0], None, None, epsilon=0.0)
    >>> K.eval(y).tolist()
    [[1.0]]
    """
    dtype = dtype_of(x)
    wide = wide_dtype(dtype)
    inner = axis != len(x.shape) - 1
    parameters = (v if v is None else as_dtype(v, wide) for v in (mean, var, beta, gamma))
    mean, var, beta, gamma = (_along_axes(v, x, (axis,)) if inner else v for v in parameters)
    scale = rsqrt(var + epsilon)
    if gamma is not None:
        scale = scale * gamma
    y = (as_dtype(x, wide) - mean) * scale
    return as_dtype(y if beta is None else y + beta, dtype)


def _training_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {"reduction_axes": axes_in(attrs["reduction_axes"], specs[0].ndim), "epsilon": float(attrs["epsilon"])}


def _training_rule(x: TensorSpec, gamma: TensorSpec | None, beta: TensorSpec | None, *,
                   reduction_axes: tuple[int, ...], epsilon: float) -> tuple[TensorSpec, ...]:
    check_float(x)
    kept = tuple(d for a, d in enumerate(x.shape) if a not in reduction_axes)
    for label, value in (("gamma", gamma), ("beta", beta)):
        if value is not None and len(value.shape) != x.ndim and broadcast(value.shape, kept) != kept:
            raise ValueError(f"{label} {value.shape} does not fit the axes of x {x.shape} outside {reduction_axes}")
    statistics = TensorSpec(kept, wide_dtype(x.dtype))
    return x, statistics, statistics


def _training_samples() -> list[Sample]:
    x = In((4, 3, 5))
    offset = 1e4 + np.array([[0.0], [1.0], [2.0]])
    return [
        call(x, In((5,)), In((5,)), (0, 1)),
        call(x, In((3,)), In((3,)), (0, 2), name="inner axis"),
        call(x, None, None, (0, 1), epsilon=1e-2, name="neither gamma nor beta"),
        call(x, In((3, 5)), None, (0,), name="two axes are left"),
        call(In((1, 4)), In((4,)), In((4,)), (0,), dtypes=("float64",), dynamic=False, name="one sample"),
        call(In((3, 1), values=offset), None, None, (0,), row=10, gradient=False, dtypes=("float64", "float32"),
             expect=(np.array([[-1.0], [0.0], [1.0]]) / np.sqrt(2.0 / 3.0 + 1e-3), np.array([10001.0]),
                     np.array([2.0 / 3.0])), name="at an offset"),
        call(In((4, 1), values=[[0.0], [0.0], [2.0], [2.0]]), None, None, (0,), epsilon=0.0, row=9, gradient=False,
             dtypes=("float64", "float32"), name="the variance is biased",
             expect=(np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([1.0]), np.array([1.0]))),
        call(In((0, 4)), In((4,)), In((4,)), (0,), name="empty batch", dynamic=False,
             expect=(np.zeros((0, 4)), np.zeros(4), np.zeros(4))),
        call(In((0, 2, 4)), In((2, 4)), None, (0,), name="empty batch, two axes are left", dynamic=False),
        call(x, In((4,)), None, (0, 1), raises=ValueError, name="channels do not fit"),
    ]


@composite(prepare=_training_attrs, rule=_training_rule, tolerance="reduction", samples=_training_samples)
def normalize_batch_in_training(x: TensorLike, gamma: TensorLike | None, beta: TensorLike | None,
                                reduction_axes: Any, epsilon: float = 1e-3) -> Any:
    """Normalize a batch by its own mean and biased variance.

    Args:
        x: a float tensor.
        gamma, beta: scale and offset along the axes that are not reduced, or None.
        reduction_axes: the axes over which mean and variance are computed.
        epsilon: added to the variance.

    Returns:
        The normalized tensor, of the shape and dtype of ``x``, and mean and variance, of the axes that are not reduced
        and in float32 or float64; those of an empty batch are 0.

    Raises:
        ValueError: shapes that do not fit, or an axis out of range.
        TypeError: ``x`` is not a float tensor.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015.

    >>> from kbackend import K
    >>> y, mean, var = K.normalize_batch_in_training(K.constant([[1.0], [3.0]]), None, None, [0], epsilon=0.0)
    >>> K.eval(y).tolist(), K.eval(mean).tolist(), K.eval(var).tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    dtype = dtype_of(x)
    wide = as_dtype(x, wide_dtype(dtype))
    kept = tuple(a for a in range(len(x.shape)) if a not in reduction_axes)
    mean, var = (_of_some(value, wide, reduction_axes) for value in classic_moments(wide, reduction_axes))
    if len(kept) == 1:
        normalized = classic_batch_normalization(wide, mean, var, beta, gamma, axis=kept[0], epsilon=epsilon)
    else:
        parameters = [_along_axes(v, x, kept) for v in (mean, var, beta, gamma)]
        normalized = classic_batch_normalization(wide, *parameters, axis=-1, epsilon=epsilon)
    return as_dtype(normalized, dtype), mean, var


def _of_some(value: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A mean over axes of x, 0 where they have no elements."""
    if None not in (x.shape[a] for a in axes):
        return value if all(x.shape[a] for a in axes) else zeros_like(value)
    return select_elements(cast(extent(x, axes), "bool"), value, 0.0)


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 3)), In((3,)), In((3,), 0.5, 2.0), -1, In((3,)), In((3,))),
    call(In((2, 3, 2)), In((3,)), In((3,), 0.5, 2.0), 1, scale=In((3,)), name="inner axis"),
    call(In((4, 3)), In((2,)), In((3,), 0.5, 2.0), -1, raises=ValueError, name="shapes")])
def batch_normalization(x: TensorLike, mean: TensorLike, variance: TensorLike, axis: int,
                        offset: TensorLike | None = None, scale: TensorLike | None = None,
                        epsilon: float = 1e-3) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset`` along an axis of channels.

    Args:
        x: a float tensor.
        mean, variance, offset, scale: vectors along ``axis`` of x, or tensors of the rank of x that broadcast against
            it. offset and scale may be None.
        axis: the axis of the channels.
        epsilon: added to the variance.

    Returns:
        A tensor of the shape and dtype of ``x``; 16-bit floats are computed in float32.

    Raises:
        ValueError: shapes that do not fit, or an axis out of range.
        TypeError: ``x`` is not a float tensor.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0.0)).tolist()
    [[1.0]]
    """
    return classic_batch_normalization(as_tensor(x), mean, variance, offset, scale, axis, epsilon)


__all__ = ["batch_normalization"]
