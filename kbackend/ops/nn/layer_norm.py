"""Normalization of each sample by its own statistics; 16-bit floats are computed in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axes_in, axis_in, broadcast
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.dims import lengths
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.arithmetic import abs_
from kbackend.ops.elementwise.power import rsqrt, square
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.elementwise.select import maximum
from kbackend.ops.nn.batch_norm import check_float
from kbackend.ops.reduction.reductions import mean, sum_


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    epsilon = attrs["epsilon"]
    return {
        "axis": axes_in(attrs["axis"], specs[0].ndim),
        "epsilon": config.epsilon() if epsilon is None else float(epsilon),
    }


def _rule(x: TensorSpec, *weights: TensorSpec | None, axis: tuple[int, ...], epsilon: float) -> TensorSpec:
    check_float(x)
    kept = tuple(x.shape[a] for a in axis)
    for weight in weights:
        if weight is not None and (weight.ndim > len(kept) or broadcast(weight.shape, kept) != kept):
            raise ValueError(f"a weight of shape {weight.shape} does not fit the axes {axis} of x {x.shape}")
    return x


def _samples() -> list[Sample]:
    x = In((4, 3, 5))
    return [
        call(x, In((5,)), In((5,))),
        call(x, In((3,)), In((3,)), axis=1, epsilon=0.01, name="inner axis"),
        call(x, In((3, 5)), In((3, 5)), axis=(-2, -1), epsilon=1e-3, name="two axes"),
        call(x, In((4, 5)), None, axis=(0, 2), epsilon=1e-3, dynamic=False, name="axes apart"),
        call(x, None, In((5,)), epsilon=1e-3, name="no gamma"),
        call(x, epsilon=1e-3, name="neither"),
        call(In((0, 5)), In((5,)), In((5,)), epsilon=1e-3, name="empty"),
        call(In((2, 3), values=1e4 + np.array([[0.0, 1.0, 2.0]] * 2)), epsilon=1e-3, name="at an offset",
             dtypes=("float64", "float32"), gradient=False,
             expect=np.array([[-1.0, 0.0, 1.0]] * 2) / np.sqrt(2.0 / 3.0 + 1e-3)),
        call(x, In((4,)), raises=ValueError, name="a weight that does not fit"),
        call(x, axis=3, raises=ValueError, name="axis"),
    ]


def _rms_samples() -> list[Sample]:
    x = In((4, 3, 5))
    return [
        call(x, In((5,))),
        call(x, In((3,)), axis=1, epsilon=0.01, name="inner axis"),
        call(x, None, axis=(1, 2), epsilon=1e-3, name="two axes"),
        call(x, In((4,)), raises=ValueError, name="a weight that does not fit"),
    ]


def _widened(x: Any, weights: Sequence[Any], axes: Sequence[int]) -> tuple[Any, list[Any]]:
    """x in the dtype of the computation, and the weights in that dtype and in a rank that broadcasts."""
    dtype = wide_dtype(dtype_of(x))
    return as_dtype(x, dtype), [None if w is None else _along_axes(as_dtype(w, dtype), x, axes) for w in weights]


def _along_axes(weight: Any, x: Any, axes: Sequence[int]) -> Any:
    """``weight``, whose dimensions are the last of ``axes`` of x, reshaped so that it broadcasts."""
    rank = len(x.shape)
    if list(axes) == list(range(rank - len(axes), rank)):
        return weight
    sizes = dict(zip(axes[len(axes) - len(weight.shape) :], lengths(weight)))
    return reshape(weight, [sizes.get(a, 1) for a in range(rank)])


def _scaled(centred: Any, gamma: Any, beta: Any, axis: Any, epsilon: Any, dtype: str) -> Any:
    """``centred`` divided by its root mean square over ``axis``, times gamma plus beta, in a dtype."""
    variance = mean(square(centred), axis=axis, keepdims=True)
    return _affine(centred * rsqrt(variance + epsilon), gamma, beta, dtype)


def _affine(y: Any, gamma: Any, beta: Any, dtype: str) -> Any:
    y = y if gamma is None else y * gamma
    y = y if beta is None else y + beta
    return as_dtype(y, dtype)


@composite(name="layer_normalization", prepare=_attrs, rule=_rule, tolerance="reduction", samples=_samples)
def layer_normalization(x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None,
                        axis: Any = -1, epsilon: float | None = None) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` with mean and biased variance over ``axis``.

    Args:
        x: a float tensor.
        gamma, beta: scale and offset, of the shape of x along ``axis``, or None.
        axis: an axis, or several.
        epsilon: added to the variance; ``K.epsilon()`` when None.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        ValueError: a weight that does not fit, or an axis out of range.
        TypeError: ``x`` is not a float tensor.

    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.

    >>> from kbackend import K
    >>> from kbackend.ops import layer_normalization
    >>> K.eval(layer_normalization(K.constant([[1.0, 3.0]]), epsilon=0.0)).tolist()
    [[-1.0, 1.0]]
    """
    wide, (gamma, beta) = _widened(x, (gamma, beta), axis)
    centred = wide - mean(wide, axis=axis, keepdims=True)
    return _scaled(centred, gamma, beta, axis, epsilon, dtype_of(x))


@composite(prepare=_attrs, rule=_rule, tolerance="reduction", samples=_rms_samples)
def rms_normalization(x: TensorLike, scale: TensorLike | None = None, axis: Any = -1,
                      epsilon: float | None = None) -> Any:
    """``x / sqrt(mean(x ** 2) + epsilon) * scale`` with the mean over ``axis``.

    Args:
        x: a float tensor.
        scale: the factor, of the shape of x along ``axis``, or None.
        axis: an axis, or several.
        epsilon: added to the mean square; ``K.epsilon()`` when None.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        ValueError: a scale that does not fit, or an axis out of range.
        TypeError: ``x`` is not a float tensor.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.

    >>> from kbackend import K
    >>> from kbackend.ops import rms_normalization
    >>> K.eval(rms_normalization(K.constant([[3.0, 3.0]]), epsilon=0.0)).tolist()
    [[1.0, 1.0]]
    """
    wide, (scale,) = _widened(x, (scale,), axis)
    return _scaled(wide, scale, None, axis, epsilon, dtype_of(x))


def _checked_groups(channels: Any, groups: int) -> int:
    if not isinstance(channels, int):
        raise ValueError("group normalization needs a known number of channels")
    if not isinstance(groups, int) or groups < 1 or channels % groups:
        raise ValueError(f"groups must divide the {channels} channels, it is {groups!r}")
    return groups


def _group_samples() -> list[Sample]:
    x = In((4, 3, 6))
    return [
        call(x, In((6,)), In((6,)), groups=2),
        call(In((2, 4, 3, 2)), In((4,)), None, groups=2, axis=1, epsilon=1e-3, name="channels first"),
        call(x, groups=6, epsilon=1e-3, name="a channel a group"),
        call(x, None, In((6,)), groups=1, epsilon=1e-3, name="one group"),
        call(In((0, 4)), In((4,)), groups=2, epsilon=1e-3, name="empty", dynamic=False),
        call(In((1, 4), values=[[1.0, 3.0, -5.0, 5.0]]), groups=2, epsilon=0.0, name="by hand", gradient=False,
             dtypes=("float64", "float32"), expect=np.array([[-1.0, 1.0, -1.0, 1.0]])),
        call(x, groups=4, raises=ValueError, name="groups that do not divide"),
        call(x, groups=2, axis=0, raises=ValueError, name="axis of the batch"),
        call(x, In((3,)), groups=2, raises=ValueError, name="a weight that does not fit"),
    ]


@derived(tolerance="reduction", samples=_group_samples)
def group_normalization(x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None,
                        groups: int = 32, axis: int = -1, epsilon: float | None = None) -> Any:
    """Normalize each group of channels of each sample by its mean and biased variance.

    Args:
        x: a float tensor of rank 2 or more whose first axis is the batch.
        gamma, beta: scale and offset of each channel (channels,), or None.
        groups: the number of groups, a divisor of the number of channels. 1 normalizes whole samples; the number of
            channels is instance normalization.
        axis: the axis of the channels, whose size must be known.
        epsilon: added to the variance; ``K.epsilon()`` when None.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        ValueError: groups that do not divide the channels, a weight that does not fit, or an axis that is 0 or out of
            range.
        TypeError: ``x`` is not a float tensor.

    Source: Wu and He, "Group Normalization", 2018.

    >>> from kbackend import K, ops
    >>> K.eval(ops.group_normalization(K.constant([[1.0, 3.0, -5.0, 5.0]]), groups=2, epsilon=0.0)).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    x = as_tensor(x)
    axis = axis_in(axis, len(x.shape))
    if axis == 0:
        raise ValueError("axis 0 is the batch; the axis of the channels must be another")
    sizes = lengths(x)
    channels, groups = sizes[axis], _checked_groups(sizes[axis], groups)
    for weight in (gamma, beta):
        if weight is not None and tuple(as_tensor(weight).shape) != (channels,):
            raise ValueError(f"a weight of shape {tuple(as_tensor(weight).shape)} does not fit {channels} channels")
    wide, (gamma, beta) = _widened(x, (gamma, beta), (axis,))
    grouped = reshape(wide, [*sizes[:axis], groups, channels // groups, *sizes[axis + 1 :]])
    within = tuple(a for a in range(1, len(sizes) + 1) if a != axis)
    y = reshape(layer_normalization(grouped, axis=within, epsilon=epsilon), sizes)
    return _affine(y, gamma, beta, dtype_of(x))


@derived(samples=lambda: [
    call(In((3, 4))), call(In((3, 4)), 0, 1, name="sum of sizes", ), call(In((3, 4)), -1, 3, name="order 3"),
    call(In((2, 2), values=[[3.0, 4.0], [0.0, 0.0]]), gradient=False, name="zeros stay",
         dtypes=("float64", "float32"), expect=np.array([[0.6, 0.8], [0.0, 0.0]]))])
def normalize(x: TensorLike, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """``x`` divided by its p-norm over ``axis``, or by ``epsilon`` where the norm is smaller.

    Args:
        x: a float tensor.
        axis: an axis, or several.
        order: the p of the norm, an integer from 1 on.
        epsilon: the smallest divisor; ``K.epsilon()`` when None.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        ValueError: an order below 1, or an axis out of range.

    >>> from kbackend import K
    >>> from kbackend.ops import normalize
    >>> K.eval(normalize(K.constant([1.0, 3.0]), axis=0, order=1)).tolist()
    [0.25, 0.75]
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"the order of a norm must be an integer from 1 on, it is {order!r}")
    least = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        squares = sum_(square(x), axis=axis, keepdims=True)
        return x * rsqrt(maximum(squares, least**2))
    powers = sum_(abs_(x) ** order, axis=axis, keepdims=True)
    return x / maximum(powers, least**order) ** (1.0 / order)


__all__ = ["group_normalization", "layer_normalization", "normalize", "rms_normalization"]
