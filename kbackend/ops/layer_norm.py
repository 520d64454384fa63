"""Normalization of each sample by its own statistics. 16-bit tensors are computed in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import TensorSpec
from kbackend.ops import elementwise as e
from kbackend.ops import reduction, shaping
from kbackend.ops.arranging import as_tensor, lengths
from kbackend.ops.declare import TensorLike, composite, derived
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import axes_in, axis_in, broadcast


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    epsilon = attrs["epsilon"]
    return {
        "axis": axes_in(attrs["axis"], specs[0].ndim),
        "epsilon": config.epsilon() if epsilon is None else float(epsilon),
    }


def _rule(x: TensorSpec, *weights: TensorSpec | None, axis: tuple[int, ...], epsilon: float) -> TensorSpec:
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"normalization needs a float tensor, not {x.dtype}; cast it first")
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


def _prepared(x: Any, weights: Sequence[Any], axes: Sequence[int]) -> tuple[Any, list[Any]]:
    """x in the dtype of the computation, and the weights in its dtype and rank."""
    dtype = dtype_of(x)
    wide = "float32" if dtype in ("float16", "bfloat16") else dtype

    def cast(value: Any) -> Any:
        return value if dtype_of(value) == wide else e.cast(value, wide)

    return cast(x), [None if w is None else _spread(cast(w), x, axes) for w in weights]


def _spread(weight: Any, x: Any, axes: Sequence[int]) -> Any:
    rank = len(x.shape)
    if list(axes) == list(range(rank - len(axes), rank)):
        return weight
    sizes = dict(zip(axes[len(axes) - len(weight.shape) :], lengths(weight)))
    return shaping.reshape(weight, [sizes.get(a, 1) for a in range(rank)])


def _scaled(centred: Any, x: Any, gamma: Any, beta: Any, axis: Any, epsilon: Any) -> Any:
    variance = reduction.mean(e.square(centred), axis=axis, keepdims=True)
    y = e.multiply(centred, e.rsqrt(e.add(variance, epsilon)))
    y = y if gamma is None else e.multiply(y, gamma)
    y = y if beta is None else e.add(y, beta)
    return y if dtype_of(x) == dtype_of(y) else e.cast(y, dtype_of(x))


@composite(name="layer_normalization", prepare=_attrs, rule=_rule, tolerance="reduction", samples=_samples)
def layer_normalization(x: TensorLike, gamma: TensorLike | None = None, beta: TensorLike | None = None,
                        axis: Any = -1, epsilon: float | None = None) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` with mean and biased variance over ``axis``.

    Args:
        x: a float tensor.
        gamma, beta: factor and offset of the shape of x along ``axis``, or None.
        axis: an axis, or several.
        epsilon: added to the variance; ``K.epsilon()`` when None.

    Returns:
        A tensor like ``x``.

    Raises:
        ValueError: a weight that does not fit; an axis out of range.
        TypeError: not a float tensor.

    Source: Ba, Kiros, Hinton 2016.

    >>> from kbackend import K
    >>> from kbackend.ops.layer_norm import layer_normalization
    >>> K.eval(layer_normalization(K.constant([[1.0, 3.0]]), epsilon=0.0)).tolist()
    [[-1.0, 1.0]]
    """
    wide, (gamma, beta) = _prepared(x, (gamma, beta), axis)
    centred = e.subtract(wide, reduction.mean(wide, axis=axis, keepdims=True))
    return _scaled(centred, x, gamma, beta, axis, epsilon)


@composite(prepare=_attrs, rule=_rule, tolerance="reduction", samples=_rms_samples)
def rms_normalization(x: TensorLike, scale: TensorLike | None = None, axis: Any = -1,
                      epsilon: float | None = None) -> Any:
    """``x / sqrt(mean(x ** 2) + epsilon) * scale`` over ``axis``. See :func:`layer_normalization`.

    Source: Zhang and Sennrich 2019.

    >>> from kbackend import K
    >>> from kbackend.ops.layer_norm import rms_normalization
    >>> K.eval(rms_normalization(K.constant([[3.0, 3.0]]), epsilon=0.0)).tolist()
    [[1.0, 1.0]]
    """
    wide, (scale,) = _prepared(x, (scale,), axis)
    return _scaled(wide, x, scale, None, axis, epsilon)


def _groups(channels: Any, groups: int) -> int:
    if not isinstance(channels, int):
        raise ValueError("the number of channels to normalize in groups must be known")
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
    """Channels in groups; each sample's group by its own mean and variance, then a factor and an offset a channel.

    Args:
        x: a float tensor of rank 2 or more whose first axis is the batch.
        gamma, beta: (channels,), or None.
        groups: how many; must divide the channels. 1 normalizes each sample as a whole, one a channel is instance
            normalization.
        axis: of the channels, whose number must be known.
        epsilon: added to the variance; ``K.epsilon()`` when None.

    Returns:
        A tensor like ``x``.

    Raises:
        ValueError: groups that do not divide the channels, a weight that does not fit, an axis out of range or 0.
        TypeError: not a float tensor.

    Source: Wu and He 2018.

    >>> from kbackend import K, ops
    >>> K.eval(ops.group_normalization(K.constant([[1.0, 3.0, -5.0, 5.0]]), groups=2, epsilon=0.0)).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    x = as_tensor(x)
    axis = axis_in(axis, len(x.shape))
    if axis == 0:
        raise ValueError("axis 0 is the batch, whose samples are normalized one by one")
    sizes = lengths(x)
    channels, groups = sizes[axis], _groups(sizes[axis], groups)
    wide, weights = _prepared(x, (gamma, beta), (axis,))
    for weight in (gamma, beta):
        if weight is not None and tuple(as_tensor(weight).shape) != (channels,):
            raise ValueError(f"a weight of shape {tuple(as_tensor(weight).shape)} does not fit {channels} channels")
    grouped = shaping.reshape(wide, [*sizes[:axis], groups, channels // groups, *sizes[axis + 1 :]])
    apart = tuple(a for a in range(1, len(sizes) + 1) if a != axis)
    y = shaping.reshape(layer_normalization(grouped, axis=apart, epsilon=epsilon), sizes)
    y = y if weights[0] is None else e.multiply(y, weights[0])
    y = y if weights[1] is None else e.add(y, weights[1])
    return y if dtype_of(x) == dtype_of(y) else e.cast(y, dtype_of(x))


@derived(samples=lambda: [
    call(In((3, 4))), call(In((3, 4)), 0, 1, name="sum of sizes", ), call(In((3, 4)), -1, 3, name="order 3"),
    call(In((2, 2), values=[[3.0, 4.0], [0.0, 0.0]]), gradient=False, name="zeros stay",
         dtypes=("float64", "float32"), expect=np.array([[0.6, 0.8], [0.0, 0.0]]))])
def normalize(x: TensorLike, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """``x`` divided by its norm of an order over ``axis``, which is taken as at least ``epsilon``.

    Args:
        x: a float tensor.
        axis: an axis.
        order: of the norm: 1, 2, 3...
        epsilon: ``K.epsilon()`` when None.

    Raises:
        ValueError: an order below 1.

    >>> from kbackend import K
    >>> from kbackend.ops.layer_norm import normalize
    >>> K.eval(normalize(K.constant([1.0, 3.0]), axis=0, order=1)).tolist()
    [0.25, 0.75]
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"the order of a norm to normalize by is 1 or more, it is {order!r}")
    least = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        squares = reduction.sum_(e.square(x), axis=axis, keepdims=True)
        return e.multiply(x, e.rsqrt(e.maximum(squares, least**2)))
    powers = reduction.sum_(e.pow_(e.abs_(x), order), axis=axis, keepdims=True)
    return e.divide(x, e.pow_(e.maximum(powers, least**order), 1.0 / order))


__all__ = ["group_normalization", "layer_normalization", "normalize", "rms_normalization"]
