"""Focal crossentropies, which weight examples less the better they are predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in, merge
from kbackend.ops.elementwise.arithmetic import multiply, negative, subtract
from kbackend.ops.elementwise.exponential import expm1, log
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.elementwise.select import clip
from kbackend.ops.losses.crossentropy import binary_crossentropy
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.nn.softmax import log_softmax
from kbackend.ops.nn.windows import with_shape
from kbackend.ops.reduction.reductions import sum_


def _operands(target: Any, output: Any) -> tuple[Any, Any, str]:
    """Target and output as floats of at least 32 bits, and the dtype of the result.

    Raises:
        ValueError: shapes that differ.
    """
    target, output = with_shape(target), with_shape(output)
    merge(tuple(target.shape), tuple(output.shape))
    dtype = dtypes.to_float(dtypes.promote(dtype_of(target), dtype_of(output)))
    wide = wide_dtype(dtype)
    return as_dtype(target, wide), as_dtype(output, wide), dtype


def _weights(value: Any, like: Any) -> Any:
    """A list of weights of the classes as an array in the dtype of a tensor; other weights unchanged."""
    return np.asarray(value, dtypes.numpy_dtype(dtype_of(like))) if isinstance(value, (list, tuple)) else value


@derived(samples=lambda: [
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.05, 0.95)),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.05, 0.95), True, 0.3, 1.5, name="balanced"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), from_logits=True, name="logits"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), True, 0.25, 0.5, True, name="balanced, logits"),
    call(In((2, 3), 0, 2, kind="int32"), In((2, 3), 0.05, 0.95), gamma=0.0, name="labels, the plain crossentropy"),
    call(In((2,), 0.0, 1.0), In((2,), 0.05, 0.95), True, In((), 0.1, 0.9), In((), 1.0, 3.0), name="tensors"),
    call(In((4,), values=[1.0, 0.0, 1.0, 0.0], gradient=False), In((4,), values=[40.0, -40.0, -40.0, 40.0]),
         from_logits=True, dtypes=("float64", "float32"), expect=np.array([0.0, 0.0, 40.0, 40.0]), name="far"),
    call(In((2,), values=[1.0, 0.0], gradient=False), In((2,), values=[1.0, 0.0]), gradient=False,
         dtypes=("float64", "float32"), expect=np.zeros(2), name="right"),
    call(In((0, 3), 0.0, 1.0), In((0, 3), 0.05, 0.95), name="empty"),
    call(In((2, 3), 0.0, 1.0), In((2, 1), 0.1, 0.9), raises=ValueError, name="shapes that differ")])
def binary_focal_crossentropy(target: TensorLike, output: TensorLike, apply_class_balancing: bool = False,
                              alpha: Any = 0.25, gamma: Any = 2.0, from_logits: bool = False) -> Any:
    """``(1 - p)**gamma`` times the crossentropy of two classes, elementwise, where p is the probability of the target.

    Args:
        target: probabilities of the second class.
        output: probabilities of the same shape, which are clipped in the logarithms as in ``K.binary_crossentropy``; or
            logits.
        apply_class_balancing: whether the second class is weighted by ``alpha`` and the first by ``1 - alpha``.
        alpha, gamma: numbers or tensors.
        from_logits: whether ``output`` is logits.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: different shapes.

    Source: Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.

    >>> from kbackend import K
    >>> loss = K.binary_focal_crossentropy(K.constant([1.0, 1.0]), K.constant([0.5, 0.9]))
    >>> [round(float(v), 4) for v in K.eval(loss)]
    [0.1733, 0.0011]
    """
    target, output, dtype = _operands(target, output)
    if from_logits:
        second, first = sigmoid(output), sigmoid(negative(output))
    else:
        second, first = output, subtract(1.0, output)
    complement = subtract(1.0, target)
    missing = multiply(target, first) + complement * second
    loss = missing**gamma * binary_crossentropy(target, output, from_logits)
    if apply_class_balancing:
        loss = (multiply(target, alpha) + complement * subtract(1.0, alpha)) * loss
    return as_dtype(loss, dtype)


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 5), 0.0, 1.0), In((4, 5), 0.1, 1.0)),
    call(In((4, 5), 0.0, 1.0), In((4, 5), 0.1, 1.0), 0.5, 1.5, name="alpha and gamma"),
    call(In((4, 5), 0.0, 1.0), In((4, 5)), from_logits=True, name="logits"),
    call(In((2, 3, 4), 0.0, 1.0), In((2, 3, 4), 0.1, 1.0), axis=1, name="inner axis"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), [0.2, 0.3, 0.5], 0.0, True, name="a weight for each class"),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.1, 1.0), In((3,), 0.1, 0.9), In((), 1.0, 3.0), name="tensors",
         dynamic=False),
    call(In((2, 2), values=[[0.0, 1.0]] * 2, gradient=False), In((2, 2), values=[[200.0, 0.0], [0.0, 200.0]]),
         from_logits=True, dtypes=("float64", "float32"), expect=np.array([50.0, 0.0]), name="far"),
    call(In((0, 3), 0.0, 1.0), In((0, 3), 0.1, 1.0), name="empty"),
    call(In((2, 3), 0.0, 1.0), In((2, 4), 0.1, 1.0), raises=ValueError, name="shapes that differ"),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.1, 1.0), axis=2, raises=ValueError, name="axis")])
def categorical_focal_crossentropy(target: TensorLike, output: TensorLike, alpha: Any = 0.25, gamma: Any = 2.0,
                                   from_logits: bool = False, axis: int = -1) -> Any:
    """``-sum(alpha * (1 - p)**gamma * target * log(p))`` along an axis, for probabilities p.

    Args:
        target: probabilities, such as one-hot vectors.
        output: probabilities of the same shape, which are divided by their sum and clipped to
            ``[K.epsilon(), 1 - K.epsilon()]``; or logits.
        alpha: a number, a list with a weight for each class of the last axis, or a tensor.
        gamma: a number or tensor.
        from_logits: whether ``output`` is logits.
        axis: the axis of the classes.

    Returns:
        A float tensor of the shape of ``output`` without the axis.

    Raises:
        ValueError: different shapes, or an axis out of range.

    Source: Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.

    >>> from kbackend import K
    >>> loss = K.categorical_focal_crossentropy(K.constant([[0., 1.]]), K.constant([[0.5, 0.5]]))
    >>> round(float(K.eval(loss)[0]), 4)
    0.0433
    """
    target, output, dtype = _operands(target, output)
    axis = axis_in(axis, len(output.shape))
    if from_logits:
        logs = log_softmax(output, axis=axis)
        missing = -expm1(logs)
    else:
        probabilities = output / sum_(output, axis=axis, keepdims=True)
        probabilities = clip(probabilities, config.epsilon(), 1.0 - config.epsilon())
        logs, missing = log(probabilities), 1.0 - probabilities
    weights = missing**gamma * _weights(alpha, output)
    return as_dtype(-sum_(weights * multiply(target, logs), axis=axis), dtype)


__all__: list[str] = []
